"""The verbs that need no network: play or repair a recording, list devices, report, seal a study.

``app.py`` adds them to the command line. No large library is imported before a verb is called.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from .. import liblsl
from ..console import own_stdout
from ..errors import ConfigError
from . import options
from .config import resolve

Unit = Literal["uV", "mV", "V", "nV"]
ScopeOption = Annotated[
    str | None, typer.Option(help="Scope of LSL: loopback (nothing leaves this machine), machine, link or site.")
]


def outlet(
    file: Annotated[str | None, typer.Argument(help="A recording, or any source URL.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the LSL stream.")] = None,
    virtual: Annotated[bool, typer.Option(help="Mark the stream as a simulated subject.")] = False,
    loop: Annotated[bool, typer.Option(help="Start again at the end.")] = False,
    source_id: Annotated[str | None, typer.Option(help="The streams' source_id (default: new for each run).")] = None,
    start: Annotated[float, typer.Option(help="Start at this second.")] = 0.0,
    stop: Annotated[float | None, typer.Option(help="Stop at this second.")] = None,
    channels: Annotated[str, typer.Option(help="Electrode names, for a file without names.")] = "",
    units: Annotated[Unit | None, typer.Option(help="The actual unit of the file's numbers: uV, mV, V or nV.")] = None,
    faults: Annotated[str, typer.Option(help="Simulated faults, as drop:0.01@10-20,freeze:6@30 (see the guide).")] = "",
    wait: Annotated[float, typer.Option(help="Seconds to wait for a receiver.")] = 600.0,
    scenario: Annotated[
        str | None, typer.Option(help="Instead of a file, a simulated device: muse, pupil, tobii, mne-lsl or lab.")
    ] = None,
    subject: Annotated[int, typer.Option(help="Simulated subject of the scenario.", min=0, max=2**32 - 1)] = 3,
    seconds: Annotated[float | None, typer.Option(help="Send the scenario for so long.", min=0.1)] = None,
    show: Annotated[bool, typer.Option("--list", help="List the scenarios and their streams.")] = False,
    lsl_scope: ScopeOption = None,
) -> None:
    """Play a recording over LSL in real time, like a headset. Or send all streams of a simulated device."""
    if show:
        from ..sources.lsl.scenarios import listing

        print("\n".join(listing()))
        return
    if (file is None) == (scenario is None) or (name is None) != (file is None):
        found = "one of them is missing, or both are given" if scenario is None else "a file or a name as well"
        raise ConfigError("outlet", found, "outlet FILE --name NAME, or outlet --scenario NAME (--list lists them)")
    liblsl.set_scope(resolve({"lsl_scope": lsl_scope}).lsl_scope)

    def say(text: str) -> None:
        print(text, flush=True)

    if scenario is not None:
        from ..sources.lsl.scenario_outlets import rehearse

        rehearse(scenario, subject=subject, seconds=seconds or math.inf, source_id=source_id, say=say)
    elif file is not None and name is not None:
        from ..sources.lsl.outlet import play

        names = tuple(part.strip() for part in channels.split(",") if part.strip())
        play(
            file, name, virtual=virtual, loop=loop, source_id=source_id, start=start, stop=stop, channels=names,
            units=units, faults=faults, wait_s=wait, say=say,
        )  # fmt: skip


def devices(
    seconds: Annotated[float, typer.Option(help="Seconds to search for streams.", min=0.1, max=60.0)] = 2.0,
    view: options.View = "terminal",
    lsl_scope: ScopeOption = None,
) -> None:
    """List LSL streams and supported boards. Each has the URL to paste."""
    from ..sources import devices as found

    liblsl.set_scope(resolve({"lsl_scope": lsl_scope}).lsl_scope)
    with own_stdout() as out:
        if view == "json" and (why := found.why_no_boards()):
            print(why, file=sys.stderr)
        as_json = (json.dumps(found.as_object(device)) for device in found.devices(seconds))
        for line in as_json if view == "json" else found.listing(seconds):
            print(line, file=out, flush=True)


def recover(
    file: Annotated[Path, typer.Argument(help="A truncated or damaged XDF file.")],
    out: Annotated[Path | None, typer.Option(help="The repaired file (default: beside the damaged one).")] = None,
) -> None:
    """Repair a truncated recording. Writes a new file of all its valid data, and keeps the damaged one."""
    from ..recording.recover import recover as repair

    print(repair(file, out))


def seal(
    file: Annotated[Path, typer.Argument(help="The sealed file to create.")],
    n: Annotated[int, typer.Option("--n", help="Number of codes.", min=1, max=1000)] = 20,
    conditions: Annotated[
        str, typer.Option(help="Conditions to draw from, separated by commas: contingent, inverse, sham, yoked, none.")
    ] = "contingent,sham",
) -> None:
    """Draw the conditions of a feedback study. Writes them to a sealed file, and prints its codes, one per session."""
    from ..feedback import sealed

    drawn = [part.strip() for part in conditions.split(",") if part.strip()]
    for code in sealed.seal(file, drawn, n):
        print(code)
    if "yoked" in drawn:
        print("Every session of this study needs --yoke FILE.jsonl, for every code.", file=sys.stderr)
    if "none" in drawn:
        print("The condition none cannot be kept blind: its sessions show no feedback.", file=sys.stderr)


def unblind(
    file: Annotated[Path, typer.Argument(help="A sealed file.")],
    code: Annotated[str, typer.Argument(help="The code of a session.")],
    who: Annotated[str, typer.Option(help="Name of the person who unblinds, for the log in the file.")] = "",
) -> None:
    """Print the condition of a code. This is logged in the sealed file."""
    from ..feedback import sealed

    print(sealed.unblind(file, code, who))


def report(
    files: Annotated[
        list[Path],
        typer.Argument(help="A recording; JSON lines of feedback sessions; several recordings or a folder: a study."),
    ],
    out: Annotated[Path | None, typer.Option(help="The HTML page (default: beside the first file).")] = None,
    sealed: Annotated[Path | None, typer.Option(help="The sealed file in which the codes were unblinded.")] = None,
) -> None:
    """Write the report of a recording, of sessions or of a study."""
    if all(file.suffix == ".jsonl" for file in files):
        from ..report.feedback import write_feedback_report

        print(write_feedback_report(files, out, sealed))
    elif len(files) > 1 or files[0].is_dir():
        from ..report.study import write_study_report

        print(write_study_report(files, out, sealed))
    else:
        from ..report import write_report

        print(write_report(files[0], out))
