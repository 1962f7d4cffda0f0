"""Requests to a run without a window, as lines on standard input: the same that the window's buttons make."""

from __future__ import annotations

import sys
from typing import TextIO

from ..baseline import REQUESTS
from ..guard import GuardedThread
from ..run.engine import Engine


def follow(engine: Engine, lines: TextIO | None = None) -> None:
    """Carry out each line, by default of standard input, on a thread of its own that ends with the input.

    What is wrong with a line is reported on standard error; it never ends the run.
    """
    stream = sys.stdin if lines is None else lines

    def work() -> None:
        for line in stream:
            if text := line.strip():
                print(*problems(engine, text), sep="\n", end="", file=sys.stderr, flush=True)

    GuardedThread(work, "mood-requests").start()


def problems(engine: Engine, text: str) -> list[str]:
    """Carry out one request; why it was not, as lines for the user."""
    if text not in REQUESTS:
        return [f"request {text!r} · unknown · use {', '.join(REQUESTS)}\n"]
    if engine.renew_baseline(text):
        return []
    return [f"request {text!r} · there is no signal yet, or no profile · use --profile, and wait for a reading\n"]
