"""Lines on how far long work is, and how long it may still take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

EVERY_S = 5.0


class Progress:
    """Says how many of some items are done, at most every `every_s` seconds.

    Parameters
    ----------
    total : int
    what : str
        The items, such as ``"networks"``.
    say : callable
        Receives the lines.
    every_s : float
    """

    def __init__(self, total: int, what: str, say: Callable[[str], None], every_s: float = EVERY_S) -> None:
        self.total, self.what, self._say, self._every_s = total, what, say, every_s
        self._done, self._began = 0, time.monotonic()
        self._last = self._began

    def step(self) -> None:
        """Count one more as done."""
        self._done += 1
        now = time.monotonic()
        if now - self._last >= self._every_s:
            self._last = now
            left = (now - self._began) / self._done * (self.total - self._done)
            ending = f" · {minutes(left)} left" if left else ""
            self._say(f"{self._done} of {self.total} {self.what}{ending}")


def minutes(seconds: float) -> str:
    """A duration in words, to the minute."""
    return "less than a minute" if seconds < 60 else f"about {seconds / 60:.0f} min"


def remaining(waiting: Mapping[str, int], durations: Mapping[str, Sequence[float]], n_workers: int) -> str:
    """How long jobs of several kinds may still take, where kinds that have not run yet cannot be estimated.

    Parameters
    ----------
    waiting : mapping
        Number of jobs that are left, by kind.
    durations : mapping
        Seconds of the jobs that were done, by kind.
    n_workers : int
    """
    known = sum(n * float(np.mean(durations[kind])) for kind, n in waiting.items() if kind in durations)
    unknown = [kind for kind, n in waiting.items() if n and kind not in durations]
    text = f"{minutes(known / n_workers)} left"
    return f"{text}, then {', '.join(unknown)} (time not known yet)" if unknown else text
