"""Acquisition of the streams beside the EEG: each has its own thread, which waits for it to appear and to return."""

from __future__ import annotations

import threading
from contextlib import closing
from functools import partial

from .. import clock
from ..auxiliary import AuxSource, AuxStream
from ..errors import MoodError, SourceLost, SourceNotFound
from ..guard import GuardedThread
from ..health import State, Vitals
from .aux_intake import AuxIntake, Deliver, Mark

READ_S = 0.1  # longest wait between two looks at whether to stop (s)
MISSING_S = 5.0  # a stream that has not appeared after this long is reported (s)
CLOSE_S = 1.0  # how long closing may take (s)


class AuxAcquisition:
    """Acquisition of one stream beside the EEG. Nothing that happens to it ends or delays the run.

    Parameters
    ----------
    source : AuxSource
        Opened again whenever it is lost.
    k : int
        Its number, for its state in `Health.streams`.
    deliver, mark, vitals
        As in `AuxIntake`; called on its thread.
    """

    def __init__(self, source: AuxSource, k: int, deliver: Deliver, mark: Mark, vitals: Vitals) -> None:
        self._source, self._vitals = source, vitals
        source.report = vitals.note
        self.intake = AuxIntake(source.url, k, deliver, mark, vitals)
        self._off = threading.Event()
        work = partial(self._run, self._off)
        self._thread = GuardedThread(work, f"mood-also-{k}", vitals.fault, restart_until=self._off)

    @property
    def name(self) -> str:
        """The URL of the stream."""
        return self._source.url

    def start(self) -> None:
        """Start its thread; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Stop it. May be called twice."""
        self._off.set()
        self._thread.join(CLOSE_S)

    def _run(self, off: threading.Event) -> None:
        began = clock.now()
        try:
            while not off.is_set():
                try:
                    with closing(self._source.open(off)) as stream:
                        self._read(stream, off)
                except SourceLost as error:
                    self._vitals.note(f"{error} · the run goes on without it")
                    self.intake.show(State.RECONNECTING)
                except MoodError as error:
                    is_late = self.intake.info is None and clock.now() - began > MISSING_S
                    if is_late or not isinstance(error, SourceNotFound):
                        self._vitals.note(f"{error} · the run goes on without it")
                        began = clock.now()
                    self.intake.show()
        finally:
            self._source.close()

    def _read(self, stream: AuxStream, off: threading.Event) -> None:
        """Pass on the chunks of one stream until it is gone."""
        self.intake.begin(stream.info)
        while not off.is_set():
            if (chunk := stream.read(READ_S)) is not None:
                self.intake.take(chunk)
            self.intake.show_presence()
