"""Requests to a run without a window, as lines on standard input: the same that the window's buttons and keys make."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TextIO

from ..baseline import REQUESTS
from ..errors import MoodError
from ..guard import GuardedThread
from ..run.engine import Engine

CORRECT = "was "  # and a label
SAVE = "save"


def follow(engine: Engine, profile: Path | None, lines: TextIO | None = None) -> None:
    """Carry out each line, by default of standard input, on a thread of its own that ends with the input.

    What is wrong with a line is reported on standard error; it never ends the run.
    """
    stream = sys.stdin if lines is None else lines
    if isinstance(stream, io.TextIOWrapper):  # a line in another encoding must not end the thread
        stream.reconfigure(errors="backslashreplace")

    def work() -> None:
        for line in stream:
            if (text := line.strip()) and (problem := carry_out(engine, profile, text)):
                print(f"request {text!r} · {problem}", file=sys.stderr, flush=True)

    GuardedThread(work, "mood-requests").start()


def carry_out(engine: Engine, profile: Path | None, text: str) -> str:
    """Carry out one request; returns why it was not, and what to do, or an empty text."""
    if text in REQUESTS:
        done = engine.renew_baseline(text)
        return "" if done else "there is no signal yet, or no profile · use --profile, and wait for a reading"
    if text.startswith(CORRECT):
        known = engine.latest.readout.labels if engine.latest else ()
        done = engine.correct(text.removeprefix(CORRECT))
        return "" if done else f"no reading yet, or no such label · labels are {', '.join(known) or 'not known yet'}"
    if text == SAVE:
        try:
            done = profile is not None and engine.save_profile(profile)
        except (MoodError, OSError) as error:
            return str(error)
        return "" if done else "no profile was changed in this run · use --profile, and renew or correct it"
    return f"unknown · use {', '.join(REQUESTS)}, {CORRECT}LABEL or {SAVE}"
