"""Guarded threads and calls: failures of auxiliary parts are counted and reported, and their work restarted.

Every auxiliary thread is a `GuardedThread`; sinks and receivers, which may be of other packages, are called through a
`Guarded`; parts whose `close` may hang are closed by `Closings`.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable

from . import clock

Report = Callable[[str], object]  # called from any thread with a failure, for the health notes

RETRY_S = 0.1  # pause before failed work restarts; doubled each time
LONGEST_RETRY_S = 5.0  # longest such pause
CALM_S = 10.0  # the pause is reset after the work has run without failure for this long
FAILURES = 5  # consecutive failed calls after which a part is no longer called
JOIN_S = 0.02
log = logging.getLogger(__name__)


def to_log(text: str) -> None:
    """Report a fault to the log, while no engine is attached."""
    log.warning(text)


def words_of(error: BaseException) -> str:
    """An error's message on one line, or its class name where it has none."""
    return " ".join(str(error).split()) or type(error).__name__


class GuardedThread(threading.Thread):
    """A thread whose exceptions are logged, counted and reported.

    Until `restart_until` is set, work that raised is restarted after a pause; None: it is never restarted. Work that
    has to finish before the program exits is no `daemon`.
    """

    def __init__(
        self,
        work: Callable[[], object],
        name: str,
        report: Report = to_log,
        *,
        restart_until: threading.Event | None = None,
        daemon: bool = True,
    ) -> None:
        super().__init__(name=name, daemon=daemon)
        self._work, self._report, self._until = work, report, restart_until
        self.faults = 0

    def run(self) -> None:
        pause = RETRY_S
        while True:
            began = clock.now()
            try:
                self._work()
                return
            except Exception as error:
                again = self._until is not None and not self._until.is_set()
                self._failed(error, again)
            if self._until is None or self._until.wait(pause):
                return
            pause = RETRY_S if clock.now() - began > CALM_S else min(2 * pause, LONGEST_RETRY_S)

    def _failed(self, error: Exception, again: bool) -> None:
        self.faults += 1
        log.error("%s failed", self.name, exc_info=error)
        name, more = self.name.removeprefix("mood-"), " and was started again" if again else ""
        try:
            self._report(f"{name} failed{more}: {words_of(error)}")
        except Exception:  # the reporter itself may be closing, as a window does
            log.exception("%s could not report its failure", self.name)


class Guarded:
    """Calls to a part that may raise: each fault is reported; after `FAILURES` in a row the part is dropped.

    `on_drop` is called once, when that happens.
    """

    def __init__(self, name: str, report: Report, on_drop: Callable[[], object] = lambda: None) -> None:
        self.name, self._report, self._on_drop = name, report, on_drop
        self._failures: Counter[str] = Counter()  # consecutive, by the method called
        self._lock = threading.Lock()
        self.is_gone = False
        self.inside: set[str] = set()  # names of the threads that are inside a call now

    def call(self, work: Callable[..., object], *args: object) -> bool:
        """Call `work`, unless the part was dropped; False when it was, or when the call raised."""
        if self.is_gone:
            return False
        what, thread = getattr(work, "__name__", "call"), threading.current_thread().name
        self.inside.add(thread)
        try:
            work(*args)
        except Exception as error:
            self._failed(what, error)
            return False
        finally:
            self.inside.discard(thread)
        self._failures.pop(what, None)
        return True

    def _failed(self, what: str, error: Exception) -> None:
        log.debug("%s failed in %s", self.name, what, exc_info=error)
        with self._lock:
            self._failures[what] += 1
            last = self._failures[what] >= FAILURES and not self.is_gone
            self.is_gone = self.is_gone or last
        self._report(f"{self.name} failed{f' {FAILURES} times and was removed' if last else ''}: {words_of(error)}")
        if last:
            self._on_drop()


class Closings:
    """Parts being closed, each on its own thread, so that one that hangs does not delay the others."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._threads: list[tuple[str, GuardedThread]] = []

    def add(self, name: str, close: Callable[[], object]) -> None:
        """Start closing a part."""
        thread = GuardedThread(close, f"mood-closing {name}", self._report)
        self._threads.append((name, thread))
        thread.start()

    def wait(self, deadline: Callable[[], float]) -> tuple[str, ...]:
        """Wait until all are closed; return the names of those that are still open at the deadline.

        `deadline` returns the time to wait until (s, our clock); it may change meanwhile.
        """
        for _, thread in self._threads:
            while thread.is_alive() and (left := deadline() - clock.now()) > 0:
                thread.join(min(left, JOIN_S))
        stuck = tuple(name for name, thread in self._threads if thread.is_alive())
        self._threads = []
        for name in stuck:
            self._report(f"{name} did not close in time and was left behind")
        return stuck
