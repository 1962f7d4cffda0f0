"""Shows how far a long run has come: a bar with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

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
