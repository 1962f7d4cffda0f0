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

from .state import write_whole


class Curves:
    """``curves.jsonl`` and ``curves.png`` of a folder, from the `step` at which the run starts or resumes.

    Rows of later steps have no checkpoint, and are removed.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        self._folder = folder
        path = folder / "curves.jsonl"
        old = [json.loads(line) for line in path.read_text().splitlines()] if step and path.is_file() else []
        self.rows: list[dict[str, Any]] = [row for row in old if row["step"] <= step]

    def add(self, **row: float) -> None:
        """Append one row."""
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
Show = Callable[[float, str], None]  # takes the share that is done, from 0 to 1, and a status text


@contextlib.contextmanager
def progress(title: str) -> Iterator[Show]:
    """Show progress: as a bar on a terminal, else as a line every `LINE_S` seconds."""
    if sys.stdout.isatty():
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = TextColumn(title), BarColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()
        with Progress(*columns, TextColumn("{task.fields[status]}"), speed_estimate_period=300) as bar:
            task = bar.add_task(title, total=1.0, status="")
            yield lambda share, status: bar.update(task, completed=share, status=status)
        return
    began, last = time.monotonic(), -LINE_S
    first: float | None = None

    def line(share: float, status: str) -> None:
        nonlocal last, first
        now, first = time.monotonic(), share if first is None else first
        if now - last >= LINE_S or share >= 1:
            last, done = now, share - first
            left = timedelta(seconds=round((now - began) / done * (1 - share))) if done > 0 else "?"
            print(f"{title} {share:.1%} · {left} left · {status}", flush=True)

    yield line
