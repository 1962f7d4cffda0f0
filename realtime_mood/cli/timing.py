"""The verb `timing`: tests of a laboratory's timing, each with a table, JSON, or a page with a picture."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .. import liblsl
from ..console import own_stdout
from .commands import ScopeOption
from .config import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..timing_tests.page import TimingTest

timing = typer.Typer(
    help="Test the timing of a laboratory. Markers, clocks, and stimuli against markers (docs/timing.md).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
OutOption = Annotated[Path | None, typer.Option(help="Write a page with a picture: a file, or into this folder.")]


@timing.command()
def markers(
    n: Annotated[int, typer.Option("--n", help="Number of markers; 20 take a second.", min=10, max=100_000)] = 200,
    as_json: JsonOption = False,
    out: OutOption = None,
    lsl_scope: ScopeOption = None,
) -> None:
    """Compare the received with the true time of markers. Another process sends them over LSL."""
    from ..timing_tests.markers import measure

    scope = resolve({"lsl_scope": lsl_scope}).lsl_scope
    _report(lambda: measure(n, scope), scope, as_json, out)


@timing.command()
def clocks(
    source: Annotated[str, typer.Argument(help="lsl://NAME, or an XDF file, with ?stream=NAME if it has several.")],
    seconds: Annotated[float, typer.Option(help="How long to measure a live stream.", min=5, max=86_400)] = 60.0,
    as_json: JsonOption = False,
    out: OutOption = None,
    lsl_scope: ScopeOption = None,
) -> None:
    """Measure the clock of a stream: offset, drift, steps."""
    from ..timing_tests.clocks import measure

    _report(lambda: measure(source, seconds), resolve({"lsl_scope": lsl_scope}).lsl_scope, as_json, out)


@timing.command()
def onsets(
    source: Annotated[str, typer.Argument(help="A recording, or any source URL, with the sensor's signal.")],
    channel: Annotated[str, typer.Option(help="Label of the sensor's channel, or its number from 1.")],
    markers: Annotated[
        str, typer.Option(help="lsl://NAME of a live marker stream; in a file, a marker stream or trigger channel.")
    ] = "",
    only: Annotated[str, typer.Option(help="Only markers like this, as flash* (default: all).")] = "*",
    edge: Annotated[Literal["rise", "fall", "both"], typer.Option(help="Which change of the light counts.")] = "rise",
    signal: Annotated[Literal["light", "sound"], typer.Option(help="What the sensor measures.")] = "light",
    flicker: Annotated[
        float | None, typer.Option(help="Frequency at which the light flickers (Hz), to average over.", min=10)
    ] = None,
    within: Annotated[
        float, typer.Option(help="How far an onset may be from the usual delay (s).", min=0.001, max=10)
    ] = 0.1,
    seconds: Annotated[float, typer.Option(help="How long to read a live source.", min=1, max=86_400)] = 60.0,
    as_json: JsonOption = False,
    out: OutOption = None,
    lsl_scope: ScopeOption = None,
) -> None:
    """Compare onsets of light or sound with their markers. Detects the onsets in a channel."""
    from ..timing_tests.onsets import OnsetOptions, evaluate, read_trace

    options = OnsetOptions(edge, signal, flicker, within, only)
    scope = resolve({"lsl_scope": lsl_scope}).lsl_scope
    _report(lambda: evaluate(read_trace(source, channel, markers, seconds), options, source), scope, as_json, out)


def _report(measure: Callable[[], TimingTest], scope: str | None, as_json: bool, out: Path | None) -> None:
    """Measure, print the result, and write its page; the exit code is 1 where the timing is not good."""
    from ..files import check_writable
    from ..timing_tests import page

    if out is not None:
        check_writable(out, "a report at")
    liblsl.set_scope(scope)
    with own_stdout() as stdout:
        test = measure()
        if as_json:
            print(json.dumps(page.as_object(test)), file=stdout)
        else:
            for line in page.lines(test):
                print(line, file=stdout)
        if out is not None:
            print(page.write_page(test, out), file=sys.stderr if as_json else stdout)
    if page.problems(test):
        raise typer.Exit(1)
