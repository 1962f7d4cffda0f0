"""Learning curves of a run as JSON lines and a figure, and progress on the terminal."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from .files import write_whole


class Curves:
    """``curves.jsonl`` and ``curves.png`` of a folder.

    Parameters
    ----------
    folder : Path
    step : int
        Where the run begins or goes on; what stands there of later steps was never kept, and is taken out.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        self._folder = folder
        path = folder / "curves.jsonl"
        old = [json.loads(line) for line in path.read_text().splitlines()] if step and path.is_file() else []
        self.rows: list[dict[str, Any]] = [row for row in old if row["step"] <= step]

    def add(self, **row: float) -> None:
        """Remember one row."""
        self.rows.append({key: round(value, 6) if isinstance(value, float) else value for key, value in row.items()})

    def save(self) -> None:
        """Write both files."""
        text = "".join(json.dumps(row) + "\n" for row in self.rows)
        write_whole(self._folder / "curves.jsonl", text.encode())
        write_whole(self._folder / "curves.png", self._picture())

    def _picture(self) -> bytes:
        from matplotlib.figure import Figure  # without pyplot: no window, no state

        figure = Figure(figsize=(7, 4), layout="constrained")
        ax = figure.subplots()
        for key, label in (
            ("loss", "training subjects"),
            ("held_out", "held-out subjects"),
            ("held_out_real", "held-out, real"),
            ("held_out_virtual", "held-out, simulated"),
            ("nothing", "predicting nothing"),
        ):
            points = [(row["step"], row[key]) for row in self.rows if key in row]
            if points:
                ax.plot(*zip(*points, strict=True), label=label, lw=1, alpha=0.5 if key == "loss" else 1.0)
        ax.set(xlabel="step", ylabel="loss on hidden tokens", title="Masked brain-signal modelling")
        ax.legend(frameon=False)
        out = BytesIO()
        figure.savefig(out, dpi=120)
        return out.getvalue()


LINE_S = 20.0  # between plain lines

Show = Callable[[float, str], None]
"""Takes the share that is done, 0–1, and what there is to say."""


@contextlib.contextmanager
def shown(what: str) -> Iterator[Show]:
    """Show the progress of `what`."""
    if sys.stdout.isatty():
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = TextColumn(what), BarColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()
        with Progress(*columns, TextColumn("{task.fields[said]}"), speed_estimate_period=300) as bar:
            task = bar.add_task(what, total=1.0, said="")
            yield lambda share, said: bar.update(task, completed=share, said=said)
        return
    began, last = time.monotonic(), -LINE_S
    first: float | None = None

    def line(share: float, said: str) -> None:
        nonlocal last, first
        now = time.monotonic()
        first = share if first is None else first
        if now - last < LINE_S and share < 1:
            return
        last = now
        done = share - first
        left = timedelta(seconds=round((now - began) / done * (1 - share))) if done > 0 else "?"
        print(f"{what} {share:.1%} · {left} left · {said}", flush=True)

    yield line
