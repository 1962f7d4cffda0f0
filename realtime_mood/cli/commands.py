"""The verbs that need no network: play or mend a recording, list devices, report, seal a study.

``app.py`` puts them on the command line. Nothing heavy is imported before a verb is called.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer

from .. import liblsl
from ..console import own_stdout
from ..errors import ConfigError
from ..plugins import also
from .config import resolve

Unit = Literal["uV", "mV", "V", "nV"]
ScopeOption = Annotated[
    str | None,
    typer.Option(help="How far LSL looks: loopback (nothing leaves this machine), machine, link or site."),
]
SourceOption = Annotated[
    str | None, typer.Option(help="synthetic://…, lsl://NAME, brainflow://BOARD or playback://PATH." + also("sources"))
]
SinkOption = Annotated[
    list[str] | None,
    typer.Option(help="Send readings to this sink by its URL, as csv://PATH; may be repeated." + also("sinks")),
]
LslNameOption = Annotated[str | None, typer.Option(help="What to call that LSL stream: RealtimeMood by default.")]


def outlet(
    file: Annotated[str, typer.Argument(help="A recording, or any source URL.")],
    name: Annotated[str, typer.Option(help="What to call the LSL stream.")],
    virtual: Annotated[bool, typer.Option(help="Say that this is a virtual person.")] = False,
    loop: Annotated[bool, typer.Option(help="Begin again at the end.")] = False,
    source_id: Annotated[
        str | None, typer.Option(help="The stream's source_id; another for each run by default.")
    ] = None,
    start: Annotated[float, typer.Option(help="Begin at this second.")] = 0.0,
    stop: Annotated[float | None, typer.Option(help="End at this second.")] = None,
    channels: Annotated[str, typer.Option(help="Electrode names, for a file that gives none.")] = "",
    units: Annotated[
        Unit | None, typer.Option(help="The unit the file's numbers are really in: uV, mV, V or nV.")
    ] = None,
    faults: Annotated[str, typer.Option(help="What goes wrong, like drop:0.01@10-20,freeze:6@30; see the guide.")] = "",
    wait: Annotated[float, typer.Option(help="Wait so many seconds for somebody to listen.")] = 600.0,
    lsl_scope: ScopeOption = None,
) -> None:
    """Play a recording as an LSL stream, as a headset would."""
    from ..sources.lsl.outlet import play

    liblsl.set_scope(resolve({"lsl_scope": lsl_scope}).lsl_scope)
    names = tuple(part.strip() for part in channels.split(",") if part.strip())
    play(
        file, name, virtual=virtual, loop=loop, source_id=source_id, start=start, stop=stop, channels=names,
        units=units, faults=faults, wait_s=wait, say=lambda text: print(text, flush=True),
    )  # fmt: skip


def devices(
    seconds: Annotated[float, typer.Option(help="How long to listen for streams.", min=0.1, max=60.0)] = 2.0,
    view: Annotated[str, typer.Option(help="terminal or json.")] = "terminal",
    lsl_scope: ScopeOption = None,
) -> None:
    """List the streams on the network and the boards there are, each with the URL to paste."""
    from ..sources import devices as found

    liblsl.set_scope(resolve({"lsl_scope": lsl_scope}).lsl_scope)
    with own_stdout() as out:
        if view == "json":
            if why := found.why_no_boards():
                print(why, file=sys.stderr)
            lines: Iterable[str] = (json.dumps(found.as_object(device)) for device in found.devices(seconds))
        else:
            lines = found.listing(seconds)
        for line in lines:
            print(line, file=out, flush=True)


def recover(
    file: Annotated[Path, typer.Argument(help="An XDF file that was cut or damaged.")],
    out: Annotated[Path | None, typer.Option(help="The mended file; beside the old one by default.")] = None,
) -> None:
    """Mend a cut recording: write a whole file of everything in it that can be believed. The old one stays."""
    from ..recording.recover import recover as mend

    print(mend(file, out))


def seal(
    file: Annotated[Path, typer.Argument(help="The sealed file to make.")],
    n: Annotated[int, typer.Option("--n", help="How many codes.", min=1, max=1000)] = 20,
    conditions: Annotated[
        str, typer.Option(help="What is drawn from, several apart by commas: contingent, inverse, sham, yoked, none.")
    ] = "contingent,sham",
) -> None:
    """Draw conditions for a study of feedback into a sealed file, and print its codes: one for each session."""
    from ..feedback import sealed

    drawn = [part.strip() for part in conditions.split(",") if part.strip()]
    for code in sealed.seal(file, drawn, n):
        print(code)
    if "yoked" in drawn:
        print("Every session of this study needs --yoke FILE.jsonl, whatever its code.", file=sys.stderr)
    if "none" in drawn:
        print("The condition none cannot be kept blind: its sessions show no feedback.", file=sys.stderr)


def unblind(
    file: Annotated[Path, typer.Argument(help="A sealed file.")],
    code: Annotated[str, typer.Argument(help="The code of a session.")],
    who: Annotated[str, typer.Option(help="Who opens it, for the file's log.")] = "",
) -> None:
    """Open a code: print its condition, and write into the sealed file that it was opened."""
    from ..feedback import sealed

    print(sealed.unblind(file, code, who))


def report(
    files: Annotated[
        list[Path],
        typer.Argument(help="A recording made with --record or in the window; or the lines of sessions of feedback."),
    ],
    out: Annotated[Path | None, typer.Option(help="The page; beside the first file by default.")] = None,
    sealed: Annotated[
        Path | None, typer.Option(help="The sealed file in which the sessions' codes were opened.")
    ] = None,
) -> None:
    """Write a page about a recorded session, or about sessions of feedback beside one another."""
    if all(file.suffix == ".jsonl" for file in files):
        from ..report.feedback import write_feedback_report

        print(write_feedback_report(files, out, sealed))
        return
    if len(files) > 1:
        raise ConfigError("a report of several files", "only sessions of feedback stand beside one another", "give one")
    from ..report import write_report

    print(write_report(files[0], out))
