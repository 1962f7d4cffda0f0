"""Turns what comes in time into deliveries that may take theirs: a short queue and a thread of its own."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import replace
from typing import Generic, TypeVar

from ..health import Health, Output

Item = TypeVar("Item")
LIMIT = 8  # that may wait: two seconds of readings; an older one is of no use to anybody
CLOSE_S = 1.0


class Outbox(ABC, Generic[Item]):
    """A sink whose receiver can neither hold up the run nor make it fail.

    What cannot be delivered is dropped, the oldest first, and counted; a fault is told in words, and delivery is tried
    again with the next one.

    Parameters
    ----------
    name : str
        What to call it on a screen.
    """

    limit = LIMIT

    def __init__(self, name: str) -> None:
        self._output = Output(name)
        self._items: deque[Item] = deque()
        self._new, self._closing = threading.Condition(), False
        self._thread: threading.Thread | None = None

    @property
    def output(self) -> Output:
        """How it is getting on: a snapshot."""
        return self._output

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The same, as the engine asks."""
        return (self._output,)

    @abstractmethod
    def deliver(self, item: Item) -> None:
        """Send one, on a thread of its own; whatever it raises is told and costs this one."""

    def shut(self) -> None:
        """Let go of what `deliver` opened, on the same thread."""

    def receivers(self) -> int | None:
        """Who listens now; None where that cannot be known."""
        return None

    def put(self, item: Item) -> None:
        """Take one; returns at once."""
        with self._new:
            if len(self._items) >= self.limit:
                self._items.popleft()
                self._count(dropped=1)
            self._items.append(item)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"mood-{type(self).__name__}", daemon=True)
                self._thread.start()
            self._new.notify()

    def close(self, health: Health) -> None:
        """Deliver what waits, if that is soon done."""
        with self._new:
            self._closing = True
            self._new.notify()
        if self._thread is not None:
            self._thread.join(CLOSE_S)
            self._thread = None
        else:
            self.shut()
        self._closing = False  # the next run may begin

    def _run(self) -> None:
        while (item := self._next()) is not None:
            try:
                self.deliver(item)
            except Exception as error:
                self._count(dropped=1, trouble=" ".join(str(error).split()) or type(error).__name__)
            else:
                self._count(sent=1)
        self.shut()

    def _next(self) -> Item | None:
        with self._new:
            self._new.wait_for(lambda: self._items or self._closing)
            return self._items.popleft() if self._items else None

    def _count(self, sent: int = 0, dropped: int = 0, trouble: str = "") -> None:
        it = self._output
        self._output = replace(
            it, sent=it.sent + sent, dropped=it.dropped + dropped, trouble=trouble, receivers=self.receivers()
        )
