"""The verb `datasets`: which labelled data sets are supported, how to get them, and whether a folder holds one."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from realtime_mood.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from .checking import DatasetCheck
    from .trials import DatasetInfo, Recording

datasets = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
)
AsOption = Annotated[str, typer.Option("--as", help="Name of the data set; `datasets` lists them.")]


def _console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 140, highlight=False)


@datasets.callback(invoke_without_command=True)
def listing(context: typer.Context) -> None:
    """List, check or simulate labelled data sets. Without a command: list those supported, and how to get them."""
    if context.invoked_subcommand is None:
        list_all()


@datasets.command("list")
def list_all() -> None:
    """List the supported data sets: labels, licence, how to get them."""
    from rich.markup import escape
    from rich.table import Table

    from .sets import READERS, reader_of

    table = Table(show_lines=True)
    for title, ratio in (("data set", 3), ("labels", 3), ("licence", 3), ("how to get it", 4)):
        table.add_column(title, ratio=ratio, overflow="fold")
    for name in READERS:
        info = reader_of(name).info
        what = f"[bold]{name}[/bold]\n{escape(info.title)}\n{size_of(info)}"
        table.add_row(what, labels_of(info), escape(info.licence), escape(info.access))
    console = _console()
    console.print(table)
    console.print(
        "Next: datasets show NAME (layout, published figures) · datasets check DIR --as NAME (is it complete?)\n"
        "datasets write DIR --as NAME (a simulated set to try) · evaluate --dataset NAME --root DIR"
    )


@datasets.command()
def show(name: Annotated[str, typer.Argument(help="Name of the data set.")]) -> None:
    """Show what is known of a data set. Paper, licence, access, layout, baseline and published figures."""
    from .page import facts
    from .sets import reader_of

    console = _console()
    for title, value in facts(reader_of(name).info):
        console.print(f"{title}:", style="bold", markup=False)
        for line in value.splitlines():
            console.print(f"  {line}", markup=False)


@datasets.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Folder of the data set, as downloaded.")], name: AsOption
) -> None:
    """Check a folder of a data set. Reads all of it, and says what is missing, of a wrong version or damaged."""
    from .checking import COMPLETE, check
    from .sets import reader_of

    result = check(reader_of(name), folder.expanduser(), _followed)
    for line in lines_of(result):
        print(line, flush=True)
    if result.verdict != COMPLETE:
        raise typer.Exit(1)


@datasets.command()
def write(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    name: AsOption,
    subjects: Annotated[int, typer.Option(help="Number of simulated subjects.", min=1)] = 4,
    seconds: Annotated[float, typer.Option(help="Length of each clip (s).", min=1.0)] = 20.0,
    seed: Annotated[int, typer.Option(help="Random seed of the first simulated subject.", min=0)] = 0,
) -> None:
    """Write a simulated data set in the layout of a real one. To try everything without data."""
    from realtime_mood.files import check_writable

    from .fixtures import writer_of

    writer, folder = writer_of(name), folder.expanduser()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"a simulated data set in {folder}", "it is not empty", "give a new folder")
    check_writable(folder, "a data set in")
    print(f"writing {subjects} simulated subjects …", file=sys.stderr, flush=True)
    writer(folder, subjects, seed, seconds)
    print(f"SIMULATED · {name}: {subjects} simulated subjects in {folder}")
    print(f"next: evaluate --dataset {name} --root {folder}", file=sys.stderr)


def size_of(info: DatasetInfo) -> str:
    """Subjects, and sessions and trials where there are several."""
    sessions = f" × {info.n_sessions} sessions" if info.n_sessions > 1 else ""
    return f"{info.n_subjects}{sessions} × {info.n_trials} trials"


def labels_of(info: DatasetInfo) -> str:
    """Classes, and scales of the subjects' answers."""
    parts = [", ".join(info.labels)] if info.labels else []
    for low, high in dict.fromkeys(info.scales.values()):
        alike = [scale for scale, ends in info.scales.items() if ends == (low, high)]
        parts.append(f"{', '.join(alike)} from {low:g} to {high:g}")
    return "; ".join(parts)


def lines_of(result: DatasetCheck) -> list[str]:
    """The outcome of a check, a line each: verdict, counts, and what is wrong."""
    from .checking import MISSING

    simulated = "SIMULATED · " if result.simulated else ""
    rest = " (some data are missing; the rest can be used)" if result.verdict == MISSING else ""
    lines = [f"{simulated}{result.info.name}: {result.verdict}{rest}"]
    if result.wrong:
        return [*lines, f"  {result.wrong}"]
    counts = [f"{result.found[what]} of {n} {what}" for what, n in result.expected.items()]
    lines.append(f"  {', '.join(counts)}; {result.hours:.1f} hours")
    for title, entries in (("missing", result.missing), ("damaged", result.damaged), ("note", result.notes)):
        lines += [f"  {title}: {entry}" for entry in entries]
    return lines


def _followed(recordings: Sequence[Recording]) -> Iterable[Recording]:
    """The recordings, with a bar on a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(recordings, "reading", console=console, transient=True, disable=not console.is_terminal)
