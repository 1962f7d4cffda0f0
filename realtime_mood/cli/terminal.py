"""The terminal view of a run: the same texts and numbers as the window."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .. import clock
from ..language import _
from ..run.engine import Engine
from ..viewmodel.course import EstimateHistory
from ..viewmodel.electrodes import ElectrodeView
from ..viewmodel.state import LabelBar, ViewState, view
from ..viewmodel.strip import stream_line
from ..viewmodel.words import StyledText

LOOK_S = 0.125
STYLES = {
    "text": "default", "dim": "bright_black", "info": "cyan", "ok": "green", "warn": "yellow", "bad": "bold red",
    "virtual": "bold magenta", "label0": "yellow", "label1": "white", "label2": "bright_blue", "label3": "magenta",
    "label4": "green",
}  # fmt: skip
SPARKS = "▁▂▃▄▅▆▇█"
COURSE_COLUMNS = 60  # one a second
PER_LINE = 9  # electrodes
WINDOW_ONLY = ("filters", "context", "paint", "longest wait", "body")  # entries of the status line


def run(engine: Engine, console: Console | None = None) -> None:
    """Start `engine`, show it until it is done or Ctrl-C, and stop it; raises the run's fault.

    The console is standard output by default; without a terminal there is no colour and no redrawing.
    """
    console = console or Console()
    engine.start()
    try:
        if console.is_terminal:
            with Live(console=console, auto_refresh=False, screen=True) as live:
                while not engine.done.wait(LOOK_S):
                    live.update(picture(look(engine), console.height), refresh=True)
        else:
            _lines(engine, console)
    except KeyboardInterrupt:
        pass
    finally:
        last = look(engine)
        engine.stop()
    console.print(picture(last, console.height))
    for stream in engine.health.streams:
        console.print(stream_line(stream), soft_wrap=True, highlight=False, markup=False)


def look(engine: Engine) -> ViewState:
    """The view state now."""
    return view(engine.health, engine.latest, engine.readings(), engine.markers, clock.now(), body=engine.body)


def _lines(engine: Engine, console: Console) -> None:
    """One plain line whenever the text changes, for logs and pipes."""
    printed = ""
    while not engine.done.wait(LOOK_S):
        state = look(engine)
        line = " · ".join(part.text for part in (state.state, *state.badges, state.headline, state.banner))
        if line != printed:
            printed = line
            console.print(line, soft_wrap=True, highlight=False, markup=False)


def picture(state: ViewState, height: int = 24) -> RenderableType:
    """The whole screen in at most `height` lines; good electrodes are left out first."""
    gap = Text()
    top = Text("  ").join([_text(state.state, "bold "), *(_text(badge, "reverse ") for badge in state.badges)])
    answer = Text(" · ").join([_text(state.headline, "bold "), Text(state.detail, STYLES["dim"])])
    rows: list[RenderableType] = [top, _text(state.readout), _text(state.banner), gap, answer, _bars(state.bars), gap]
    used = 10 + len(state.bars)  # the banner may take two lines, the strip does
    if state.course.labels:
        rows += [_course(state.course), gap]
        used += len(state.course.labels) + bool(state.course.truth) + 1
    if state.body.text:
        rows += [Text(state.body.text, STYLES["text"]), gap]
        used += 3  # it may take two lines
    shown = [part for part in state.strip if part[0] not in WINDOW_ONLY]
    strip = _grid([Text(f"{_(name)} ", STYLES["dim"]) + _text(value) for name, value in shown], 3, padding=3)
    return Group(*rows, *_electrodes(state.electrodes, height - used), gap, strip)


def _grid(cells: list[Text], per_line: int, padding: int = 1) -> Table:
    grid = Table.grid(padding=(0, padding))
    for at in range(0, len(cells), per_line):
        grid.add_row(*cells[at : at + per_line])
    return grid


def _text(styled: StyledText, more: str = "") -> Text:
    return Text(styled.text, more + STYLES.get(styled.role, "default"))


def _bars(bars: tuple[LabelBar, ...], width: int = 40) -> Table:
    grid = Table.grid(padding=(0, 1))
    for i, bar in enumerate(bars):
        style = STYLES["dim"] if bar.dimmed or bar.prob is None else STYLES[f"label{i % 5}"]
        n = round(width * (bar.prob or 0.0))
        drawn = Text(("░" if bar.dimmed else "█") * n, style) + Text("·" * (width - n), STYLES["dim"])
        value = "–" if bar.prob is None else f"{100 * bar.prob:3.0f} %"
        grid.add_row(Text(_(bar.label), ("bold " if bar.is_top else "") + style), drawn, Text(value, style))
    return grid


def _course(course: EstimateHistory) -> Table:
    """The last minute of each label, one column per second; blank without an estimate."""
    grid = Table.grid(padding=(0, 1))
    for i, label in enumerate(course.labels):
        cells = [" "] * COURSE_COLUMNS
        for t, prob in zip(course.t, course.probs[:, i], strict=True):
            if prob == prob:  # not NaN
                cells[_column(t)] = SPARKS[min(7, int(8 * prob))]
        grid.add_row(Text(_(label)), Text("".join(cells), STYLES[f"label{i % 5}"]))
    if course.truth:
        row = Text(" " * _column(course.truth[0].t0))
        for span in course.truth:
            width = _column(span.t1) - _column(span.t0) + (span.t1 == 0)
            style = STYLES[f"label{course.labels.index(span.text) % 5}"] + " reverse"
            row += Text(_(span.text)[:width].ljust(width), style)
        grid.add_row(Text(_("true state"), STYLES["virtual"]), row)
    return grid


def _column(t: float) -> int:
    return min(COURSE_COLUMNS - 1, max(0, int(t + COURSE_COLUMNS)))


def _electrodes(electrodes: tuple[ElectrodeView, ...], height: int) -> list[RenderableType]:
    """Faults as text, then scores in percent: all if there is room, else the worst."""
    bad = [e for e in electrodes if e.fault]
    faults = Text(", ".join(f"{e.name} {e.fault}" for e in bad), STYLES["bad"], no_wrap=True, overflow="ellipsis")
    room = PER_LINE * max(1, height - bool(bad))
    shown = electrodes
    if len(shown) > room:
        worst = sorted(electrodes, key=lambda e: e.score or 0.0)[:room]
        shown = tuple(e for e in electrodes if e in worst)
    cells = [Text(f"{e.name:<4}{'–' if e.score is None else f'{100 * e.score:.0f}':>3}", STYLES[e.role]) for e in shown]
    return [*([faults] if bad else []), _grid(cells, PER_LINE)]
