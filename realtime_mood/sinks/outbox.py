"""Base of sinks that send: a short queue and a guarded thread, so that a slow receiver cannot delay the run."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import replace
from typing import Generic, TypeVar

from ..guard import GuardedThread, Report, to_log, words_of
from ..health import Health, Output

Item = TypeVar("Item")
LIMIT = 8  # items that may wait: two seconds of readings; older ones are of no use
START_S = 0.5  # how long the start of a run waits for an output to open
CLOSE_S = 1.0
JOIN_S = 0.2  # how long a thread that has closed everything may take to end


class _Run(Generic[Item]):
    """Queue and counts of one run."""

    def __init__(self, name: str) -> None:
        self.items: deque[Item] = deque()
        self.output = Output(name)
        self.started = False
        self.opened, self.closing, self.closed = threading.Event(), threading.Event(), threading.Event()


class Outbox(ABC, Generic[Item]):
    """A sink whose receiver can neither delay the run nor make it fail.

    Items that cannot be delivered are dropped, the oldest first, and counted; a fault is reported, and delivery is
    tried again with the next item. Every item is counted once, as sent or as dropped. One thread serves all runs in
    turn: while a delivery of an earlier run hangs, items of the next run are dropped and counted.
    """

    limit = LIMIT

    def __init__(self, name: str) -> None:
        self.on_fault: Report = to_log
        self._new = threading.Condition()
        self._run: _Run[Item] = _Run(name)
        self._run.closing.set()
        self._thread: GuardedThread | None = None

    @property
    def output(self) -> Output:
        """Snapshot of its state."""
        return self._run.output

    @property
    def outputs(self) -> tuple[Output, ...]:
        return (self.output,)

    def start(self) -> None:
        """Open resources before the first item; called again before each item for as long as it raises."""

    @abstractmethod
    def deliver(self, item: Item) -> None:
        """Send one item, on the sink's thread; an exception is reported and loses this item only."""

    def shut(self) -> None:
        """Release what `start` and `deliver` opened, on the same thread. May be called twice."""

    def receivers(self) -> int | None:
        """Number of connected receivers; None where that is unknown."""
        return None

    def prepare(self) -> None:
        """Begin a run, and wait briefly for `start`. The first `put` begins a run too."""
        if self._begin():
            self._run.opened.wait(START_S)

    def _begin(self) -> bool:
        """Begin a run; return whether it is served at once, not after a hanging delivery of the previous run."""
        with self._new:
            self._run.closing.set()
            self._run = _Run(self._run.output.name)
            idle = self._thread is None
            if idle:
                name, never = f"mood-{type(self).__name__}", threading.Event()
                self._thread = GuardedThread(
                    self._deliver_all, name, lambda text: self.on_fault(text), restart_until=never
                )
                self._thread.start()
            self._new.notify_all()
            return idle

    def put(self, item: Item) -> None:
        """Queue an item; returns at once."""
        with self._new:
            if self._run.closing.is_set():
                self._begin()
            run = self._run
            if len(run.items) >= self.limit:
                run.items.popleft()
                self._count(run, dropped=1)
            run.items.append(item)
            self._new.notify_all()

    def close(self, health: Health) -> None:
        """Deliver the rest of the queue within a short time; what is left then is dropped."""
        with self._new:
            run, thread = self._run, self._thread
            run.closing.set()
            self._new.notify_all()
        if thread is None:
            self.shut()  # opened for a run that never began
        elif run.closed.wait(CLOSE_S):
            thread.join(JOIN_S)
        else:
            with self._new:
                left = len(run.items)
                run.items.clear()
                self._count(run, dropped=left, trouble=f"a delivery hangs: not closed within {CLOSE_S:g} s")

    # -- the thread that delivers -------------------------------------------------------------------------------

    def _deliver_all(self) -> None:
        while (run := self._claim()) is not None:
            self._try(run, None)
            run.opened.set()
            while (item := self._next(run)) is not None:
                self._try(run, item)
            try:
                self.shut()
            finally:
                run.closed.set()

    def _claim(self) -> _Run[Item] | None:
        """The newest run, if not finished; without one the thread ends."""
        with self._new:
            if not self._run.closed.is_set():
                return self._run
            self._thread = None
            return None

    def _next(self, run: _Run[Item]) -> Item | None:
        with self._new:
            self._new.wait_for(lambda: run.items or run.closing.is_set())
            return run.items.popleft() if run.items else None

    def _try(self, run: _Run[Item], item: Item | None) -> None:
        n = int(item is not None)
        try:
            if not run.started:
                self.start()
                run.started = True
            if item is not None:
                self.deliver(item)
            receivers = self.receivers()
        except Exception as error:
            self._count(run, dropped=n, trouble=words_of(error))
        else:
            self._count(run, sent=n, trouble="", receivers=receivers)

    def _count(self, run: _Run[Item], sent: int = 0, dropped: int = 0, **changes: object) -> None:
        with self._new:
            before = run.output
            counts = {"sent": before.sent + sent, "dropped": before.dropped + dropped}
            run.output = replace(before, **counts, **changes)  # type: ignore[arg-type]
