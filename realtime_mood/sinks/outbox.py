"""Turns readings that come in time into deliveries that may take theirs: a short queue and a thread of its own."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import replace

from ..health import Emission, Health, Output

LIMIT = 8  # readings that may wait: two seconds; an older one is of no use to anybody
CLOSE_S = 1.0


class Outbox(ABC):
    """A sink whose receiver can neither hold up the run nor make it fail.

    What cannot be delivered is dropped, the oldest first, and counted; a fault is told in words, and delivery is tried
    again with the next reading.

    Parameters
    ----------
    name : str
        What to call it on a screen.
    """

    def __init__(self, name: str) -> None:
        self._output = Output(name)
        self._items: deque[Emission] = deque()
        self._new, self._closing = threading.Condition(), False
        self._thread: threading.Thread | None = None

    @property
    def output(self) -> Output:
        """How it is getting on: a snapshot."""
        return self._output

    @abstractmethod
    def deliver(self, emission: Emission) -> None:
        """Send one reading, on a thread of its own; whatever it raises is told and costs this reading."""

    def shut(self) -> None:  # noqa: B027 - most have something to let go of, some have not
        """Let go of what `deliver` opened, on the same thread."""

    def receivers(self) -> int | None:
        """Who listens now; None where that cannot be known."""
        return None

    def put(self, emission: Emission) -> None:
        """Take a reading; returns at once."""
        with self._new:
            if len(self._items) >= LIMIT:
                self._items.popleft()
                self._count(dropped=1)
            self._items.append(emission)
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
        self._closing = False  # the next run may begin

    def _run(self) -> None:
        while (emission := self._next()) is not None:
            try:
                self.deliver(emission)
            except Exception as error:
                self._count(dropped=1, trouble=" ".join(str(error).split()) or type(error).__name__)
            else:
                self._count(sent=1)
        self.shut()

    def _next(self) -> Emission | None:
        with self._new:
            self._new.wait_for(lambda: self._items or self._closing)
            return self._items.popleft() if self._items else None

    def _count(self, sent: int = 0, dropped: int = 0, trouble: str = "") -> None:
        it = self._output
        self._output = replace(
            it, sent=it.sent + sent, dropped=it.dropped + dropped, trouble=trouble, receivers=self.receivers()
        )
