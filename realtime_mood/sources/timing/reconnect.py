"""Reconnection: makes a stream that can be lost and found again into one that only has gaps."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ... import clock
from ...auxiliary import AuxChunk, AuxInfo, Carrying
from ...contracts import Patient, Reporting, Returning, Stream
from ...errors import SourceLost, SourceNotFound, StreamMismatch
from ...guard import GuardedThread, Report, to_log
from ...types import Chunk, StreamInfo

SILENT_S = 3.0  # after this long without a sample (s) the stream counts as lost, whatever the device reports
SILENT_CHUNKS = 3  # the same in chunk intervals, for devices that send rarely
RETRY_S = 0.5  # least interval between the starts of two attempts (s)
LOOK_S = 0.05  # interval (s) of checks of the search thread's result
REPEAT_S = 5.0
"""Stamps that restart at most this far back (s) are repeated samples; further back, the device's clock was set."""
CLOSE_S = 1.8  # how long closing waits for an attempt in progress (s)
NOTES = 20  # number of notes kept


class Reconnecting:
    """`source`, reconnected whenever it is lost, until no sample came for `give_up_s` (None: without limit)."""

    def __init__(self, source: Returning, give_up_s: float | None = None) -> None:
        self._source, self._give_up_s = source, give_up_s
        self.on_fault: Report = to_log

    def open(self) -> ReconnectingStream:
        """Open it; raises `SourceNotFound` or `StreamMismatch`, without waiting the first time."""
        if isinstance(self._source, Reporting):
            self._source.on_fault = self.on_fault
        return ReconnectingStream(self._source, self._source.open(), self._give_up_s, self.on_fault)

    def cancel(self) -> None:
        """Make a wait in progress end soon; called from any thread."""
        if isinstance(self._source, Patient):
            self._source.cancel()


class ReconnectingStream:
    """Made by `Reconnecting.open`. The sample count continues across absences; samples taken meanwhile, by time, are
    `lost`.

    While the device is lost the old stream is still read, unless the device serves one session only; the first stream
    with samples is used.
    """

    def __init__(self, source: Returning, stream: Stream, give_up_s: float | None, report: Report = to_log) -> None:
        self.info = stream.info
        self.away_since: float | None = None  # when the last sample arrived (s, our clock), while the stream is lost
        self._source, self._give_up_s = source, give_up_s
        self._stream: Stream | None = stream
        self._search = _Search(source, stream.info, report)
        self._silent_s = max(SILENT_S, SILENT_CHUNKS * stream.info.chunk_s)
        self._heard = self._adopted = clock.now()
        self._searching = False
        self._fresh = False  # nothing has been read yet from a reconnected stream
        self._end, self._t_last = 0, -np.inf
        self._ahead = 0  # our count minus the stream's
        self._behind = 0.0  # how far its clock was set back (s)
        self._notes: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on what happened, oldest first."""
        return (*self._notes, *self._search.notes)[-NOTES:]

    def read(self, timeout: float) -> Chunk | None:
        """As in `Stream`; raises `SourceLost` after `give_up_s` without samples."""
        deadline = clock.now() + timeout
        while True:
            left = max(0.0, deadline - clock.now())
            chunk = self._next(min(left, LOOK_S))
            if chunk is not None and (len(chunk) or chunk.lost) and (counted := self._counted(chunk)) is not None:
                return counted
            self._check_silence()
            if left <= 0:
                return None

    def beside(self) -> Sequence[tuple[AuxInfo, AuxChunk]]:
        """As in `Carrying`; nothing while the device is lost."""
        return self._stream.beside() if isinstance(self._stream, Carrying) else ()

    def close(self) -> None:
        """Release the device, and cancel the search. Returns within 2 s, even if something hangs."""
        self._search.end()
        self._drop()
        self._search.join()

    def _next(self, timeout: float) -> Chunk | None:
        if self._stream is None:
            self._adopt(self._search.found(timeout))
            return None
        try:
            chunk = self._stream.read(timeout)
        except SourceLost:
            self._drop()
            self._leave()
            return None
        if chunk is None and self._searching:
            self._adopt(self._search.found(0.0))
        return chunk

    def _check_silence(self) -> None:
        now = clock.now()
        silent = now - self._heard
        if not self._searching and now - max(self._heard, self._adopted) >= self._silent_s:
            if self._source.exclusive:
                self._drop()
            self._leave()
        if self._give_up_s is not None and self.away_since is not None and silent >= self._give_up_s:
            raise SourceLost(self.info.name or "the stream", f"no sample for {silent:.0f} s", "start it again")

    def _leave(self) -> None:
        self.away_since, self._searching = self._heard, True
        self._search.begin()

    def _adopt(self, found: Stream | None) -> None:
        if found is not None:
            self._drop()
            self._stream, self._fresh, self._searching, self._adopted = found, True, False, clock.now()

    def _drop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _counted(self, chunk: Chunk) -> Chunk | None:
        """The chunk with our sample count and time; None when all of it was read before."""
        now, sfreq = clock.now(), self.info.sfreq
        if self._fresh and chunk.lost:  # a source that counts losses itself is more precise than a clock
            self._fresh, self._behind = False, 0.0
            self._ahead = self._end + chunk.lost - chunk.first
        if self._fresh:
            if chunk.t_last + REPEAT_S < self._t_last:
                self._behind = now - chunk.t_last
                self._note(f"its clock went back by {self._t_last - chunk.t_last:.1f} s while it was away")
            new = _after(chunk, self._t_last - self._behind + 0.5 / sfreq, sfreq)
            if new is None:
                return None
            chunk, t_last = new, min(now, new.t_last + self._behind)
            missed = round((t_last - self._t_last) * sfreq) - len(chunk) if np.isfinite(self._t_last) else 0
            lost = max(0, missed)
            self._ahead, self._fresh = self._end + lost - chunk.first, False
        else:
            lost, t_last = chunk.lost, chunk.t_last + self._behind
        if self.away_since is not None:
            self._search.call_off()
            self._note(f"came back after {now - self._heard:.1f} s, {f'{lost:,} samples' if lost else 'nothing'} lost")
            self.away_since, self._searching = None, False
        chunk = _shifted(chunk, self._ahead, lost, max(self._t_last, t_last))
        self._heard, self._end, self._t_last = now, chunk.end, chunk.t_last
        return chunk

    def _note(self, text: str) -> None:
        self._notes = (*self._notes, f"{self.info.name or 'the stream'}: {text}")[-NOTES:]


def _after(chunk: Chunk, t: float, sfreq: float) -> Chunk | None:
    """The part of `chunk` that was taken after `t`."""
    stamps = chunk.t_last - np.arange(len(chunk) - 1, -1, -1) / sfreq
    old = int(np.count_nonzero(stamps <= t))
    if old == len(chunk):
        return None
    first = chunk.first + old
    markers = tuple(marker for marker in chunk.markers if marker.index >= first)
    impedances = tuple(impedance for impedance in chunk.impedances if impedance.index >= first)
    return replace(chunk, data=chunk.data[old:], first=first, markers=markers, impedances=impedances)


def _shifted(chunk: Chunk, by: int, lost: int, t_last: float) -> Chunk:
    markers = tuple(replace(marker, index=marker.index + by) for marker in chunk.markers)
    impedances = tuple(replace(impedance, index=impedance.index + by) for impedance in chunk.impedances)
    return Chunk(chunk.data, chunk.first + by, t_last, lost, markers, impedances)


class _Search:
    """Tries to reopen the source repeatedly, in one thread for every absence of a stream: attempts never overlap."""

    def __init__(self, source: Returning, info: StreamInfo, report: Report) -> None:
        self.notes: tuple[str, ...] = ()
        self._source, self._info, self._report = source, info, report
        self._over, self._news, self._wanted = threading.Event(), threading.Condition(), False
        self._found: Stream | None = None
        self._thread: GuardedThread | None = None

    def begin(self) -> None:
        """Start searching."""
        self._want(True)
        if self._thread is None:
            # A daemon, since a library that hangs must not keep the program from exiting.
            self._thread = GuardedThread(self._run, "mood-reconnect", self._report, restart_until=self._over)
            self._thread.start()

    def _want(self, wanted: bool) -> None:
        with self._news:
            self._wanted = wanted
            self._news.notify_all()

    def found(self, timeout: float) -> Stream | None:
        """The stream, once found; the caller closes it."""
        with self._news:
            self._news.wait_for(lambda: self._found is not None, timeout)
            found, self._found = self._found, None
            self._wanted = self._wanted and found is None
            return found

    def call_off(self) -> None:
        """Stop searching. The thread releases what it has found, which may take a while."""
        self._want(False)

    def end(self) -> None:
        """Stop searching for good."""
        self._over.set()
        self._want(False)
        if isinstance(self._source, Patient):
            self._source.cancel()

    def join(self) -> None:
        """Wait for the thread, with a timeout."""
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._over.is_set() or self._wanted == (self._found is None))
                wanted, closed = self._wanted, self._over.is_set()
                left_over, self._found = self._found, None
            if left_over is not None:
                left_over.close()
            if closed:
                return
            if wanted:
                began = clock.now()
                stream = self._try()
                with self._news:
                    self._found = stream
                    self._news.notify_all()
                    if stream is None:
                        self._news.wait_for(lambda: not self._wanted, max(0.0, RETRY_S - (clock.now() - began)))

    def _try(self) -> Stream | None:
        try:
            return self._source.reopen(self._info)
        except SourceNotFound:
            return None
        except StreamMismatch as error:
            note = f"not the lost stream: {error}"
        except Exception as error:  # after any exception of a device library the search continues
            note = f"search failed: {error}"
        if note not in self.notes:
            self.notes = (*self.notes, note)[-NOTES:]
        return None
