"""Turns a condition into waiting for it, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(condition: Callable[[], object], timeout: float = 5.0) -> None:
    """Wait for a state; fail when it has not come within `timeout` s."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"{condition} did not come true within {timeout:g} s"
        time.sleep(0.005)
