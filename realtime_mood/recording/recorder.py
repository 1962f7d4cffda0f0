"""Records a run to an XDF file that is written continuously and survives crashes."""

from __future__ import annotations

import errno
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

from .. import clock
from ..auxiliary import AuxChunk, AuxInfo
from ..body.measure import BodyReading
from ..contracts import BeforeJoining
from ..files import GrowingFile, check_writable, first_free, free_paths
from ..guard import GuardedThread, Report, to_log
from ..health import Emission, Health, RecordingState
from ..types import Chunk, Marker, StreamInfo
from .announced import AnnouncedStreams
from .backlog import Backlog, Piece, Waiting
from .xdf_session import WritePosition, XdfSession

QUEUE_BYTES = 64 * 2**20  # limit of the queue for the disk (bytes); samples beyond it are not recorded
OVERHEAD_BYTES = 512  # assumed overhead of a queued item beside its samples (bytes)
STAMP_BYTES = 64  # the same of a sample beside its values, where each has stamps (bytes)
AUX_SHARE = 0.5  # share of the queue for streams beside the EEG, so that there is always room for the EEG
WRITE_S = 0.1  # interval (s) of writes to the operating system: at most this much is lost when the program is killed
SYNC_S = 1.0  # interval (s) of flushes to the disk: about this much is lost when the power fails
CLOSE_S = 1.0  # how long closing waits for the disk (s)
CALM_S = 3.0  # trouble is over after this long without any (s): on a full disk a small piece may still fit
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""After these errors the file itself is complete, and writing to it may continue."""
TROUBLES = {
    errno.ENOSPC: ("the disk {} full", "free some space to resume recording"),
    errno.EDQUOT: ("the disk {} full", "free some space to resume recording"),
    errno.EFBIG: ("the file {} as large as the system allows", "record to another disk"),
    errno.EACCES: ("the folder {} not writable", "record to another one"),
    errno.EPERM: ("the folder {} not writable", "record to another one"),
    errno.EROFS: ("the disk {} read-only", "record to another one"),
    errno.ENOENT: ("the file {} deleted or moved", "a new file is started; do not move it while recording"),
}
SLOW = ("the disk {} too slow", "record to a faster one")


class Recorder:
    """The `Tap` that records. Every call returns at once, and none raises.

    Parameters
    ----------
    path : Path or str
        A file, or a folder, in which files are named after participant and session. No file is overwritten: where it
        exists, a new one is started beside it, ``…_2.xdf`` or the next run.
    about : mapping, optional
        Configuration that makes the readings, as JSON values; `replay` needs it to reproduce them.
    participant, session : str, optional
        For the file name, where `path` is a folder.
    to_stamps : float
        Offset (s) from our clock to LSL's, which other recordings are stamped with.
    queue_bytes : int
        Limit of the queue for the disk.
    automatic : bool
        Whether nobody requested it; see `autosave`.
    announced : AnnouncedStreams, optional
        The LSL streams that are announced, to be recorded as well.

    Raises
    ------
    ConfigError
        When `path` is not writable, as far as can be checked beforehand.

    Examples
    --------
    >>> import realtime_mood as rm
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
        automatic: bool = False,
        announced: AnnouncedStreams | None = None,
    ) -> None:
        self._announced = announced
        self._where = (Path(path), participant or "", session or "")
        self._first, self._begun = 0, dict[str, object]()
        of = {"participant": participant} if participant else {}
        self._about, self._to_stamps, self._limit = {**(about or {}), **of}, to_stamps, queue_bytes
        self._lock, self._passed, self._n_passes = threading.Lock(), threading.Condition(), 0
        self._thread: GuardedThread | None = None
        self.on_fault: Report = to_log
        self.written: list[Path] = []
        """Files of this recorder: several where it was opened again, or one was deleted under it."""
        first = first_free(free_paths(*self._where))
        check_writable(first)
        self.recording = RecordingState(str(first), automatic=automatic)
        self._reset()

    def _reset(self) -> None:
        self._backlog, self._closing = Backlog(self._limit), threading.Event()
        self._missing, self._why, self._since = 0, "", 0.0
        self.recording = replace(self.recording, n_bytes=0, trouble="")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close(Health())

    def join(self, first: int, begun: Mapping[str, object]) -> None:
        """As in `Joining`: begin with sample `first` of a run."""
        self._first, self._begun = first, {"begun": begun}

    def open(self, info: StreamInfo) -> None:
        """Start a new file for a stream."""
        self._reset()
        xdf = XdfSession(info, {**self._about, **self._begun}, self._to_stamps, self._first)
        work = partial(self._write_all, xdf, self._backlog, self._closing)
        self._thread = GuardedThread(work, "mood-record", self._broken, restart_until=self._closing)
        self._thread.start()

    def begin(self, before: BeforeJoining) -> None:
        """As in `Joining`. It is not counted in the queue: most of it is kept by the run as well."""
        pieces: list[tuple[Piece, int]] = [(partial(XdfSession.take, chunk=it), len(it)) for it in before.chunks]
        pieces += [(partial(XdfSession.mark, marker=marker, t=t), 0) for marker, t in before.ahead]
        pieces += [(partial(XdfSession.take_aux, info=info, chunk=it), 0) for info, it in before.beside]
        for piece, n_samples in pieces:
            self._put(piece, n_samples)

    def take(self, chunk: Chunk) -> None:
        """Record a chunk."""
        self._put(partial(XdfSession.take, chunk=chunk), len(chunk), chunk.data.nbytes)

    def take_aux(self, info: AuxInfo, chunk: AuxChunk) -> None:
        """Record a chunk of a stream beside the EEG."""
        piece = partial(XdfSession.take_aux, info=info, chunk=chunk)
        if not self._backlog.put(piece, 0, chunk.n_bytes + OVERHEAD_BYTES + STAMP_BYTES * len(chunk), AUX_SHARE):
            self._trouble(SLOW, 0)

    def mark(self, marker: Marker, t: float) -> None:
        """Record a marker from outside the stream, at `t` (s, our clock)."""
        self._put(partial(XdfSession.mark, marker=marker, t=t))

    def feed(self, index: int, row: tuple[float, ...]) -> None:
        """Record the feedback for the samples before `index`; see `xdf_session.FEEDBACK_ROW`."""
        self._put(partial(XdfSession.feed, index=index, row=row))

    def put(self, emission: Emission) -> None:
        """Record a reading."""
        self._put(partial(XdfSession.put, emission=emission))

    def put_body(self, reading: BodyReading) -> None:
        """Record the measures of the body."""
        self._put(partial(XdfSession.put_body, reading=reading))

    def close(self, health: Health) -> None:
        """Write the rest of the queue and the footers."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._closing.set()
            thread.join(CLOSE_S)
            if thread.is_alive():
                self._change(trouble="the disk does not respond: the end of the recording may be missing · try recover")

    def flush(self, timeout: float) -> bool:
        """Wait until everything queued so far is written; False when that takes longer than `timeout` (s)."""
        with self._passed:
            goal = self._n_passes + 2  # one may be in progress
            return self._passed.wait_for(lambda: self._n_passes >= goal, timeout)

    def _put(self, piece: Piece, n_samples: int = 0, n_bytes: int = 0) -> None:
        if not self._backlog.put(piece, n_samples, n_bytes + OVERHEAD_BYTES):
            self._trouble(SLOW, n_samples)

    # -- recording thread ---------------------------------------------------------------------------------------

    def _write_all(self, xdf: XdfSession, backlog: Backlog, closing: threading.Event) -> None:
        file, synced, ending = None, clock.now(), False
        try:
            while not ending:
                ending = closing.wait(WRITE_S)
                try:
                    if self._announced and (text := self._announced.changed(at_end=ending)):
                        self._put(partial(XdfSession.announce, text=text), n_bytes=len(text))
                    for batch in backlog.batches():
                        file = self._write(file, xdf, batch)
                    if file and ending:
                        file.append(xdf.end())
                        self._change(n_bytes=file.n_bytes)
                    if file and (ending or clock.now() - synced >= SYNC_S):
                        synced = clock.now()
                        file.sync()
                except OSError as error:
                    gone = xdf.position.index + 1 if error.errno == errno.ENOENT else 0
                    file = self._failed(file, error, gone)
                with self._passed:
                    self._n_passes += 1
                    self._passed.notify_all()
        finally:
            if file:
                with suppress(OSError):
                    file.close()
        self._over()

    def _write(self, file: GrowingFile | None, xdf: XdfSession, batch: list[Waiting]) -> GrowingFile | None:
        """Append a batch, starting a file where there is none; return the file to continue with."""
        before = xdf.position
        try:
            head = b""
            if file is None:
                file = GrowingFile(free_paths(*self._where))
                self.written.append(file.path)
                self._change(path=str(file.path))
                if before.stamp is not None:  # what is in an earlier file is missing from this one
                    xdf.position = WritePosition(left_out=before.index + 1 + before.left_out)
                head = xdf.begin()
            file.append(head + b"".join(self._render(xdf, item) for item in batch))
        except OSError as error:
            xdf.position = before
            xdf.leave_out(sum(item.left_out + item.n_samples for item in batch))
            return self._failed(file, error, sum(item.n_samples for item in batch))
        self._change(n_bytes=file.n_bytes)
        if clock.now() - self._since >= CALM_S:
            self._over()
        return file

    def _render(self, xdf: XdfSession, item: Waiting) -> bytes:
        before = xdf.position
        try:
            xdf.leave_out(item.left_out)
            return item.piece(xdf)
        except Exception as error:  # a bug of ours must not affect other items
            xdf.position = before
            xdf.leave_out(item.left_out + item.n_samples)
            self._trouble((f"an internal error {{}} the cause ({error})", "report this"), item.n_samples)
            return b""

    def _failed(self, file: GrowingFile | None, error: OSError, n_samples: int) -> GrowingFile | None:
        """Report the failure; return the file, if writing to it can continue."""
        unknown = (f"the disk {{}} failing ({error.strerror or error})", "record to another one")
        self._trouble(TROUBLES.get(error.errno or 0, unknown), n_samples)
        if file and (error.errno not in FULL or not file.n_bytes):
            with suppress(OSError):
                file.close()
            return None
        return file

    def _broken(self, text: str) -> None:
        self._trouble(("an internal error {} the cause", "report this"), 0)
        self.on_fault(text)

    # -- reports ------------------------------------------------------------------------------------------------

    def _trouble(self, trouble: tuple[str, str], n_samples: int) -> None:
        cause, do = trouble
        with self._lock:
            self._missing += n_samples
            self._why, self._since = cause, clock.now()
        self._change(trouble=f"not recording: {cause.replace('{}', 'is', 1)} · {do}")

    def _over(self) -> None:
        """Report what is missing once the trouble is over."""
        with self._lock:
            missing, cause, self._why = self._missing, self._why, ""
        if cause:
            items = f"{missing:,} samples" if missing else "markers, readings or other streams"
            self._change(trouble=f"{items} are missing from the recording: {cause.replace('{}', 'was', 1)}")

    def _change(self, **changes: object) -> None:
        with self._lock:
            self.recording = replace(self.recording, **changes)  # type: ignore[arg-type]
