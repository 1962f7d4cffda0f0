"""Turns a run into an XDF file, written as it happens, that survives whatever happens to us."""

from __future__ import annotations

import errno
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

from .. import clock
from ..files import GrowingFile, check_writable, first_free, free_paths
from ..guard import GuardedThread, Report, to_log
from ..health import Emission, Health, RecordingState
from ..types import Chunk, Marker, StreamInfo
from .xdf_session import Position, XdfSession

QUEUE_BYTES = 64 * 2**20
"""What may wait for the disk; samples beyond it are not recorded."""
OVERHEAD_BYTES = 512
"""What anything that waits is reckoned to take beside its samples."""
BATCH_BYTES = 4 * 2**20
"""What is made into bytes at once."""
WRITE_S = 0.1
"""How often what has come is handed to the system: no more than this is lost when the program is killed."""
SYNC_S = 1.0
"""How often the system is told to bring it to the disk: about this much is lost when the power fails."""
CLOSE_S = 1.0
"""How long closing waits for the disk."""
CALM_S = 3.0
"""Trouble is over when there was none for so long: on a full disk a small piece may still find room."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""After these the file itself is whole, and may go on."""
TROUBLES = {
    errno.ENOSPC: ("the disk {} full", "free some space and it goes on"),
    errno.EDQUOT: ("the disk {} full", "free some space and it goes on"),
    errno.EFBIG: ("the file {} as big as it may get", "record to another disk"),
    errno.EACCES: ("the folder {} not ours to write in", "record to another one"),
    errno.EPERM: ("the folder {} not ours to write in", "record to another one"),
    errno.EROFS: ("the disk {} read-only", "record to another one"),
    errno.ENOENT: ("the file {} taken away", "a new one is begun; leave it where it is"),
}
SLOW = ("the disk {} too slow", "record to a faster one")

Piece = Callable[[XdfSession], bytes]


class Waiting(NamedTuple):
    """Something on its way to the file."""

    piece: Piece
    n_samples: int
    n_bytes: int
    left_out: int
    """Samples just before it for which there was no room."""


class Backlog:
    """What waits for the disk, bounded by bytes."""

    def __init__(self, limit: int) -> None:
        self._limit, self._lock = limit, threading.Lock()
        self._items: deque[Waiting] = deque()
        self._n_bytes = self._left_out = 0

    def put(self, piece: Piece, n_samples: int, n_bytes: int) -> bool:
        """False when there is no room; samples are then counted as left out."""
        with self._lock:
            if self._n_bytes + n_bytes > self._limit:
                self._left_out += n_samples
                return False
            self._items.append(Waiting(piece, n_samples, n_bytes, self._left_out))
            self._n_bytes += n_bytes
            self._left_out = 0
            return True

    def batches(self) -> Iterator[list[Waiting]]:
        """What there is, oldest first, a few MiB at a time."""
        while True:
            batch: list[Waiting] = []
            with self._lock:
                n_bytes = 0
                while self._items and n_bytes < BATCH_BYTES:
                    batch.append(self._items.popleft())
                    n_bytes += batch[-1].n_bytes
                self._n_bytes -= n_bytes
            if not batch:
                return
            yield batch


class Recorder:
    """The `Tap` that records. Every call returns at once; none of them raises, and no file is ever overwritten.

    Parameters
    ----------
    path : Path or str
        A file, or a folder in which one is named after participant and session. Where the file exists already,
        another one is begun beside it: ``…_2.xdf``, or the next run.
    about : mapping, optional
        What makes the readings, as JSON would hold it; `replay` needs it to make them again.
    participant, session : str, optional
        For the name of a file in a folder.
    to_stamps : float
        What to add to a time of ours to put it on LSL's clock, which other recordings are stamped with (s).
    queue_bytes : int
        How much may wait for the disk.

    Raises
    ------
    ConfigError
        When nothing could be written at `path`, as far as can be told beforehand.

    Examples
    --------
    >>> with rm.open_source("lsl://MyHeadset") as stream, rm.Recorder("session.xdf") as recorder:  # doctest: +SKIP
    ...     recorder.open(stream.info)
    ...     for chunk in stream:
    ...         recorder.take(chunk)
    """

    def __init__(
        self,
        path: Path | str,
        about: Mapping[str, object] | None = None,
        *,
        participant: str | None = None,
        session: str | None = None,
        to_stamps: float = 0.0,
        queue_bytes: int = QUEUE_BYTES,
    ) -> None:
        self._where = (Path(path), participant or "", session or "")
        self._about, self._to_stamps, self._limit = about or {}, to_stamps, queue_bytes
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._passed, self._n_passes = threading.Condition(), 0
        self._thread: GuardedThread | None = None
        self.on_fault: Report = to_log
        self._backlog = Backlog(queue_bytes)
        self._missing, self._why, self._since = 0, "", 0.0
        first = first_free(free_paths(*self._where))
        check_writable(first)
        self.recording = RecordingState(str(first))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close(Health())

    def open(self, info: StreamInfo) -> None:
        """Begin a new file for a stream."""
        self._backlog, self._closing = Backlog(self._limit), threading.Event()
        self._missing, self._why, self._since = 0, "", 0.0
        self.recording = RecordingState(self.recording.path)
        tape = XdfSession(info, self._about, self._to_stamps)
        work = partial(self._write_all, tape, self._backlog, self._closing)
        self._thread = GuardedThread(work, "mood-record", self._broken, restart_until=self._closing)
        self._thread.start()

    def take(self, chunk: Chunk) -> None:
        """Record a chunk."""
        self._put(partial(XdfSession.take, chunk=chunk), len(chunk), chunk.data.nbytes)

    def mark(self, marker: Marker, t: float) -> None:
        """Record a marker that came beside the stream, at `t` (s, our clock)."""
        self._put(partial(XdfSession.mark, marker=marker, t=t))

    def feed(self, index: int, row: tuple[float, ...]) -> None:
        """What was fed back on the samples before `index`; see `tape.FEEDBACK_ROW`."""
        self._put(partial(XdfSession.feed, index=index, row=row))

    def put(self, emission: Emission) -> None:
        """Record a reading."""
        self._put(partial(XdfSession.put, emission=emission))

    def close(self, health: Health) -> None:
        """Write what waits and the footers."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._closing.set()
            thread.join(CLOSE_S)
            if thread.is_alive():
                self._change(trouble="the disk does not answer: the end of the recording may be missing · try recover")

    def flush(self, timeout: float) -> bool:
        """Wait until all that it was given has been handed to the system; False when that took longer (s)."""
        with self._passed:
            goal = self._n_passes + 2  # one may be under way
            return self._passed.wait_for(lambda: self._n_passes >= goal, timeout)

    def _put(self, piece: Piece, n_samples: int = 0, n_bytes: int = 0) -> None:
        if not self._backlog.put(piece, n_samples, n_bytes + OVERHEAD_BYTES):
            self._trouble(SLOW, n_samples)

    # -- recording thread ---------------------------------------------------------------------------------------

    def _write_all(self, tape: XdfSession, backlog: Backlog, closing: threading.Event) -> None:
        file, synced, ending = None, clock.now(), False
        try:
            while not ending:
                ending = closing.wait(WRITE_S)
                try:
                    for batch in backlog.batches():
                        file = self._write(file, tape, batch)
                    if file and ending:
                        file.append(tape.end())
                        self._change(n_bytes=file.n_bytes)
                    if file and (ending or clock.now() - synced >= SYNC_S):
                        synced = clock.now()
                        file.sync()
                except OSError as error:
                    gone = tape.position.index + 1 if error.errno == errno.ENOENT else 0
                    file = self._failed(file, error, gone)
                with self._passed:
                    self._n_passes += 1
                    self._passed.notify_all()
        finally:
            if file:
                with suppress(OSError):
                    file.close()
        self._over()

    def _write(self, file: GrowingFile | None, tape: XdfSession, batch: list[Waiting]) -> GrowingFile | None:
        """Append a batch, beginning a file where there is none; the file to go on with."""
        before = tape.position
        try:
            head = b""
            if file is None:
                file = GrowingFile(free_paths(*self._where))
                self._change(path=str(file.path))
                tape.position = Position(left_out=before.index + 1 + before.left_out)
                head = tape.begin()
            file.append(head + b"".join(self._render(tape, item) for item in batch))
        except OSError as error:
            tape.position = before
            tape.leave_out(sum(item.left_out + item.n_samples for item in batch))
            return self._failed(file, error, sum(item.n_samples for item in batch))
        self._change(n_bytes=file.n_bytes)
        if clock.now() - self._since >= CALM_S:
            self._over()
        return file

    def _render(self, tape: XdfSession, item: Waiting) -> bytes:
        before = tape.position
        try:
            tape.leave_out(item.left_out)
            return item.piece(tape)
        except Exception as error:  # a bug of ours must not cost more than what it met
            tape.position = before
            tape.leave_out(item.left_out + item.n_samples)
            self._trouble((f"it {{}} not writable ({error})", "report this"), item.n_samples)
            return b""

    def _failed(self, file: GrowingFile | None, error: OSError, n_samples: int) -> GrowingFile | None:
        """Say so; the file to go on with, if it can be gone on with."""
        unknown = (f"the disk {{}} failing ({error.strerror or error})", "record to another one")
        self._trouble(TROUBLES.get(error.errno or 0, unknown), n_samples)
        if file and (error.errno not in FULL or not file.n_bytes):
            with suppress(OSError):
                file.close()
            return None
        return file

    def _broken(self, what: str) -> None:
        self._trouble(("it {} failing", "report this"), 0)
        self.on_fault(what)

    # -- what is said -------------------------------------------------------------------------------------------

    def _trouble(self, trouble: tuple[str, str], n_samples: int) -> None:
        what, do = trouble
        with self._lock:
            self._missing += n_samples
            self._why, self._since = what, clock.now()
        self._change(trouble=f"not recording: {what.format('is')} · {do}")

    def _over(self) -> None:
        """Say what is missing, when trouble is over."""
        with self._lock:
            missing, what, self._why = self._missing, self._why, ""
        if what:
            words = f"{missing:,} samples are" if missing else "something other than samples is"
            self._change(trouble=f"{words} missing from the recording: {what.format('was')}")

    def _change(self, **changes: object) -> None:
        with self._lock:
            self.recording = replace(self.recording, **changes)  # type: ignore[arg-type]
