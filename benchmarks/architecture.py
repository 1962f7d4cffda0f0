"""The architecture in one picture, drawn from the code (``make screenshots``).

Each box is a package or module. Its text is the first line of its docstring, and its number its floor in the contract
of layers in pyproject.toml: it imports only from lower floors. What is drawn here by hand is where a box stands, the
thread that runs it, and which way data go.
"""

from __future__ import annotations

import ast
import textwrap
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "pictures" / "architecture.svg"
WIDE, HIGH, STEP_X, STEP_Y, LEFT, TOP = 186, 100, 252, 152, 30, 70


class Box(NamedTuple):
    """A package or module at a place of the grid."""

    module: str
    column: int
    row: int


class Band(NamedTuple):
    """A row, and what runs it."""

    name: str
    colour: str


BANDS = (
    Band("the acquisition thread: it never waits", "#dcebfa"),
    Band("the processing thread: a slow network costs readings, never samples", "#dff3e4"),
    Band("own threads: one that fails is closed and named", "#fdf0d5"),
    Band("the main thread, and Python programs", "#ece4f7"),
    Band("before and after a run", "#eeeeee"),
)
BOXES = (
    Box("sources", 0, 0), Box("sources.timing", 1, 0), Box("run.acquisition", 2, 0), Box("ring", 3, 0),
    Box("run.processing", 0, 1), Box("dsp", 1, 1), Box("pipeline", 2, 1), Box("estimator", 3, 1), Box("models", 4, 1),
    Box("auxiliary", 0, 2), Box("body", 1, 2), Box("feedback", 2, 2), Box("sinks", 3, 2), Box("recording", 4, 2),
    Box("run.engine", 0, 3), Box("viewmodel", 1, 3), Box("gui", 2, 3), Box("cli.terminal", 3, 3), Box("api", 4, 3),
    Box("calibration", 0, 4), Box("profile", 1, 4), Box("models.datasets", 2, 4), Box("models.evaluation", 3, 4),
    Box("report", 4, 4),
)  # fmt: skip
ARROWS = (
    ("sources", "sources.timing", "samples"), ("sources.timing", "run.acquisition", "chunks"),
    ("run.acquisition", "ring", ""), ("ring", "run.processing", "the last minute"), ("run.processing", "dsp", "chunks"),
    ("dsp", "pipeline", "windows"), ("pipeline", "estimator", "features"), ("models", "estimator", "network"),
    ("estimator", "sinks", "readings"), ("auxiliary", "body", "streams"), ("run.engine", "viewmodel", "snapshots"),
    ("viewmodel", "gui", ""), ("calibration", "profile", "rest, blocks"),
    ("models.datasets", "models.evaluation", "subjects"),
)  # fmt: skip


def first_line(module: str) -> str:
    """The first sentence of a module's docstring."""
    path = ROOT / "realtime_mood" / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return text.splitlines()[0].replace("`", "")


def floors() -> dict[str, int]:
    """The floor of each package in the contract of layers, from 1 at the bottom."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(it["layers"] for it in contracts if it["type"] == "layers")
    return {name: k for k, layer in enumerate(reversed(layers), 1) for name in layer.split(" | ")}


def svg() -> str:
    """The picture."""
    width, height = LEFT + 4 * STEP_X + WIDE + LEFT, TOP + len(BANDS) * STEP_Y
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#444"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="28" font-size="18" fill="#222">How data go through realtime_mood</text>',
        *_bands(width), *_arrows(), *_boxes(), "</svg>\n",
    ))  # fmt: skip


def _bands(width: int) -> Iterator[str]:
    for row, band in enumerate(BANDS):
        y = TOP + row * STEP_Y - 26
        yield f'<rect x="10" y="{y}" width="{width - 20}" height="{STEP_Y - 8}" rx="8" fill="{band.colour}"/>'
        place = f'x="{width - LEFT}" y="{y + 18}" font-size="12" text-anchor="end" fill="#444"'
        yield f"<text {place}>{escape(band.name)}</text>"


def _boxes() -> Iterator[str]:
    floor = floors()
    for box in BOXES:
        x, y = _corner(box)
        yield f'<rect x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="5" fill="white" stroke="#555"/>'
        yield f'<text x="{x + 8}" y="{y + 18}" font-size="13" font-weight="bold" fill="#111">{box.module}</text>'
        number = floor[box.module.partition(".")[0]]
        yield f'<text x="{x + WIDE - 8}" y="{y + 18}" font-size="10" text-anchor="end" fill="#777">{number}</text>'
        lines = textwrap.wrap(first_line(box.module), 31)
        if len(lines) > 6:
            lines = [*lines[:5], f"{lines[5][:29]} …"]
        for k, line in enumerate(lines):
            yield f'<text x="{x + 8}" y="{y + 34 + 12.5 * k:g}" font-size="10" fill="#333">{escape(line)}</text>'


def _arrows() -> Iterator[str]:
    places = {box.module: box for box in BOXES}
    for begin, end, label in ARROWS:
        (x, y), (to_x, to_y) = _corner(places[begin]), _corner(places[end])
        if y == to_y:
            x, to_x = (x + WIDE, to_x) if x < to_x else (x, to_x + WIDE)
            path, at = f"M{x} {y + HIGH // 2}H{to_x}", ((x + to_x) // 2, y + HIGH // 2 - 6)
        else:
            middle = to_y - 30 if x != to_x else to_y - 8
            path = f"M{x + WIDE // 2} {y + HIGH}V{middle}H{to_x + WIDE // 2}V{to_y}"
            at = (to_x + x + WIDE) // 2 if x != to_x else x + WIDE // 2 + 30, middle - 4
        yield f'<path d="{path}" fill="none" stroke="#444" stroke-width="1.5" marker-end="url(#tip)"/>'
        yield f'<text x="{at[0]}" y="{at[1]}" font-size="10" text-anchor="middle" fill="#444">{label}</text>'


def _corner(box: Box) -> tuple[int, int]:
    return LEFT + box.column * STEP_X, TOP + box.row * STEP_Y


if __name__ == "__main__":
    PICTURE.write_text(svg())
