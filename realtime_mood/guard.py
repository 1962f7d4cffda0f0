"""Guarded threads and calls: what fails beside a run is reported and counted, and started again where it can be.

Every auxiliary thread is a `GuardedThread`; what others wrote and a run calls (sinks, receivers) is called through a
`Guarded`; what may hang while it is closed is closed by `Closings`.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable

from . import clock

Report = Callable[[str], object]
"""Given what failed, in words, from any thread; an engine counts it and notes it in its health."""

RETRY_S = 0.1
"""Before work that failed is started again; twice as long each time,"""
LONGEST_RETRY_S = 5.0
"""but no longer than this,"""
CALM_S = 10.0
"""and as at first after it has gone well for so long."""
FAILURES = 5
"""Calls in a row that may fail before a part is let go of."""
JOIN_S = 0.02
log = logging.getLogger(__name__)


def to_log(text: str) -> None:
    """Where faults are reported while no engine listens."""
    log.warning(text)


def words_of(error: BaseException) -> str:
    """An error's message in one line; its kind where it has none."""
    return " ".join(str(error).split()) or type(error).__name__


class GuardedThread(threading.Thread):
    """A daemon thread whose exceptions are logged, counted and reported.

    Parameters
    ----------
    work : callable
        What it does; returns when it is done.
    name : str
    report : Report
    restart_until : threading.Event, optional
        Until this is set, work that raised is started again after a pause; never when None.
    daemon : bool
        False for work that the program has to wait for when it ends.
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
        """Work, and once more after each fault where that is wanted."""
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
        except Exception:  # the reporter may be going away itself: a window that closes
            log.exception("%s could not report it", self.name)


class Guarded:
    """A part that is called and may raise: each fault is reported, and after `FAILURES` in a row it is let go of.

    Parameters
    ----------
    name : str
    report : Report
    let_go : callable
        Called once, when it has failed too often.
    """

    def __init__(self, name: str, report: Report, let_go: Callable[[], object] = lambda: None) -> None:
        self.name, self._report, self._let_go = name, report, let_go
        self._failures: Counter[str] = Counter()  # in a row, by what was called
        self._lock = threading.Lock()
        self.is_gone = False
        self.inside: set[str] = set()
        """Names of the threads that are inside the part now."""

    def call(self, work: Callable[..., object], *args: object) -> bool:
        """Do `work`, unless the part has been let go of; False when that was so or it raised."""
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
        self._report(f"{self.name} failed{f' {FAILURES} times and was let go' if last else ''}: {words_of(error)}")
        if last:
            self._let_go()


class Closings:
    """What is being closed, each on a thread of its own, so that one that hangs holds up no other."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._threads: list[tuple[str, GuardedThread]] = []

    def add(self, name: str, close: Callable[[], object]) -> None:
        """Begin to close something."""
        thread = GuardedThread(close, f"mood-closing {name}", self._report)
        self._threads.append((name, thread))
        thread.start()

    def wait(self, deadline: Callable[[], float]) -> tuple[str, ...]:
        """Wait until all are closed; names of those that are not by the deadline, which are left behind.

        Parameters
        ----------
        deadline : callable
            The time to wait until (s, our clock), which may come nearer meanwhile.
        """
        for _, thread in self._threads:
            while thread.is_alive() and (left := deadline() - clock.now()) > 0:
                thread.join(min(left, JOIN_S))
        stuck = tuple(name for name, thread in self._threads if thread.is_alive())
        self._threads = []
        for name in stuck:
            self._report(f"{name} did not close in time and was left behind")
        return stuck
