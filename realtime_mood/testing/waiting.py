"""Waiting for a state, deadlines for calls, and threads that were left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ..errors import one_line

Result = TypeVar("Result")
THREADS_S = 2.0  # how long a part's threads may take to end once it is closed


class Violation(AssertionError):
    """A part does not keep to its contract: what was asked, what was found, and what to do."""

    def __init__(self, asked: str, found: str, do: str) -> None:
        super().__init__(" · ".join(one_line(part) for part in (asked, found, do)))


def require(is_so: object, asked: str, found: str, do: str) -> None:
    """Raise `Violation` unless `is_so`."""
    if not is_so:
        raise Violation(asked, found, do)


def until(condition: Callable[[], object], timeout: float = 5.0) -> None:
    """Wait for a state; fail when it has not come within `timeout` s."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"{condition} did not come true within {timeout:g} s"
        time.sleep(0.005)


def within(
    seconds: float, asked: str, call: Callable[[], Result], *allowed: type[Exception], took: list[float] | None = None
) -> Result | None:
    """What `call` returns, made on a thread of its own; None where it raised one of `allowed`.

    How long it took (s) is added to `took`. Raises `Violation` where it takes longer than `seconds`, or raises.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, name="checked call", daemon=True)
    began = time.monotonic()
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Violation(asked, f"it has not returned after {seconds:g} s", "return at once, or at the timeout")
    if errors and not isinstance(errors[0], allowed):
        found = f"it raised {type(errors[0]).__name__}: {errors[0]}"
        raise Violation(asked, found, "catch it, or raise what the contract names") from errors[0]
    if took is not None:
        took.append(time.monotonic() - began)
    return results[0] if results else None


@contextmanager
def no_threads_left(part: str) -> Iterator[None]:
    """Raise `Violation` where a thread that was started inside is alive `THREADS_S` after its end."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + THREADS_S
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    names = ", ".join(sorted(thread.name for thread in left))
    require(not left, f"{part}, closed", f"its threads still run: {names}", "end and join them in close()")
