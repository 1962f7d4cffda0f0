"""Playback source: a recording in any supported format as a stream, in real time or faster."""

from __future__ import annotations

import contextlib
import io
import math
import os
import re
import threading
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from .. import clock
from ..auxiliary import AuxChunk, AuxInfo
from ..errors import MoodError, SourceLost, SourceNotFound, StreamEnded, StreamMismatch
from ..types import Array, Chunk, Marker, StreamInfo
from .carried import TracksPlayer
from .recordings import open_recording
from .recordings.recording import PlaybackOptions
from .recordings.signal_file import SignalFile

CHUNK_S = 0.04  # seconds between chunks when paced
LONGEST_S = 1.0  # longest chunk (s)


class PlaybackSource:
    """A recording on disk, at a relative or absolute path."""

    Options = PlaybackOptions

    def __init__(self, path: str, options: PlaybackOptions | None = None) -> None:
        self.path, self.options = Path(path).expanduser(), options or PlaybackOptions()
        self.name = f"playback://{path}"

    def open(self) -> PlaybackStream:
        """Raises `SourceNotFound` or `StreamMismatch`."""
        if not os.path.exists(self.path):  # noqa: PTH110 - False for a name that is too long or impossible
            raise SourceNotFound(self.name, "no such file", "check the path; it is relative to the current folder")
        with translated(self.name):
            file = open_recording(self.path, self.options, self.name)
            return PlaybackStream(file, self.options, self.name, self.path.name)


@contextlib.contextmanager
def translated(asked: str) -> Iterator[None]:
    """Suppress prints and warnings of libraries, and turn their exceptions into one-line errors of ours."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    except MoodError:
        raise
    except MemoryError as error:
        raise StreamMismatch(asked, "it needs more memory than available", "the file may be damaged") from error
    except Exception as error:
        message = str(error).split(", please report")[0].strip()
        if 'File "' in message:  # MNE passes some errors on with their place in its code
            message = next((line for line in message.splitlines() if re.match(r"\w+(Error|Exception)\b", line)), "")
        message = " ".join(message.split())[:160] or type(error).__name__
        if isinstance(error, FileNotFoundError):
            raise SourceNotFound(asked, f"a file it needs is missing: {message}", "keep its files together") from error
        found, do = f"it cannot be read: {message}", "the file may be cut short or hold no raw EEG"
        if "Unsupported file type" in message:
            found, do = (
                "no format that MNE reads as a continuous recording",
                "convert it to EDF, BDF, FIF or BrainVision",
            )
        raise StreamMismatch(asked, found, do) from error


class PlaybackStream:
    """A recording being played: `name` is the source in messages, `title` the stream's name on screen."""

    def __init__(self, file: SignalFile, options: PlaybackOptions, name: str, title: str) -> None:
        self._file = file
        whole = file.runs[-1][1]
        start = round(options.start * file.sfreq)
        stop = whole if options.stop is None else min(whole, round(options.stop * file.sfreq))
        self._runs = [(max(a, start) - start, min(b, stop) - start) for a, b in file.runs if a < stop and b > start]
        if not self._runs:
            found = f"start={options.start:g} leaves nothing of {stop / file.sfreq:g} s"
            raise StreamMismatch(name, found, "choose an earlier start")
        self._start, self._length = start, stop - start
        self._ends = [end for _, end in self._runs]
        self._name, self._loop, self._speed = name, options.loop, options.speed
        self._markers = [Marker(m.index - start, m.text) for m in file.markers()]
        self._step = max(1, round(min(CHUNK_S * options.speed, LONGEST_S) * file.sfreq))
        self._index = 0
        self._t0: float | None = None
        self._beside = TracksPlayer(file.tracks)
        self._played: tuple[int, int, int] | None = None  # file index, lost ones before it, number: not yet beside
        self._stamp0 = 0.0  # stamp of sample 0 (s, our clock), at the pace of the recording
        self._closed = threading.Event()
        self.info = StreamInfo(
            ch_names=file.ch_names,
            sfreq=file.sfreq,
            name=title,
            reference=file.reference,
            virtual=file.virtual,
            paced=math.isfinite(options.speed),
            chunk_s=self._step / file.sfreq / (options.speed if math.isfinite(options.speed) else 1.0),
            speed=options.speed,
            notes=file.notes,
        )

    def read(self, timeout: float) -> Chunk | None:
        """The samples that are due; None when none are within `timeout` s.

        Raises `StreamEnded` where the recording is over, `SourceLost` where the file can no longer be read.
        """
        if self._closed.is_set():
            raise SourceLost(self._name, "closed")
        if self._t0 is None:
            self._t0 = clock.now()
        at, lost, left = self._next()
        n = self._due(lost, min(self._step, left), timeout)
        if not n:
            return None
        n = min(n, left)
        first = self._index + lost
        self._index = first + n
        t_last = self._when(self._index) if self.info.paced else clock.now()
        if self._played is None:
            self._stamp0 = t_last - (self._index - 1) / self.info.sfreq
        self._played = self._start + at, lost, n
        return Chunk(self._rows(at, n), first, t_last, lost, self._marked(at, first, n, lost))

    def beside(self) -> Sequence[tuple[AuxInfo, AuxChunk]]:
        """What the file holds beside the samples read last; as in `Carrying`."""
        if self._played and self._played[2]:
            (at, lost, n), sfreq = self._played, self.info.sfreq
            self._played = at, 0, 0
            begin, end = max(self._start, at - lost) - 0.5, at + n - 0.5
            first = self._index - n
            # Sample k of the file is sample `first` + k - `at` of the stream.
            shift, is_paced = self._stamp0 + (first - at) / sfreq, self.info.paced and self._speed != 1
            due = self._due_times(first - at + 1) if is_paced else None
            try:
                self._beside.play(begin / sfreq, end / sfreq, shift, due)
            except Exception as error:
                self._beside = TracksPlayer(())  # the EEG is played without them
                found = f"what is beside the EEG cannot be read: {' '.join(str(error).split())[:120]}"
                raise SourceLost(self._name, found, "the file may be cut short") from error
        return self._beside.ready()

    def _due_times(self, ahead: int) -> Callable[[np.ndarray], np.ndarray]:
        """When samples at times of the file (s) are due, if its sample 0 is the one before sample `ahead` here."""
        return lambda times: (self._t0 or 0.0) + (times + ahead / self.info.sfreq) / self._speed

    def _next(self) -> tuple[int, int, int]:
        """Position of the next samples, number lost before them, and number without a break."""
        turn, at = divmod(self._index, self._length)
        which = bisect_right(self._ends, at)
        if which == len(self._runs) or (turn and not self._loop):
            if not self._loop:
                raise StreamEnded(self._name, f"played to its end, {self._length / self.info.sfreq:g} s")
            at, which = at - self._length, 0
        first, end = self._runs[which]
        begin = max(at, first)
        return begin, begin - at, end - begin

    def close(self) -> None:
        """Close the file."""
        if not self._closed.is_set():
            self._closed.set()
            self._file.close()

    def _when(self, end: int) -> float:
        """When the last sample before `end` is due, counted from the first read so that errors do not accumulate."""
        return (self._t0 or 0.0) + end / self.info.sfreq / self._speed

    def _due(self, lost: int, n: int, timeout: float) -> int:
        """How many samples to return: `n` or more when late, 0 when `n` are not due within `timeout`."""
        if not self.info.paced:
            return n
        wait = self._when(self._index + lost + n) - clock.now()
        if wait > 0:
            return 0 if self._closed.wait(min(wait, timeout)) or wait > timeout else n
        late = int(-wait * self._speed * self.info.sfreq)
        return min(n + late, max(n, round(LONGEST_S * self.info.sfreq)))

    def _rows(self, at: int, n: int) -> Array:
        first = self._start + at
        try:
            return self._file.rows(first, first + n)
        except Exception as error:
            where = f"unreadable {first / self.info.sfreq:.1f} s in: {' '.join(str(error).split())[:120]}"
            raise SourceLost(self._name, where, "the file may be cut short") from error

    def _marked(self, at: int, first: int, n: int, lost: int) -> tuple[Marker, ...]:
        """Markers of the `n` samples from `at` on, and of the `lost` ones before them."""
        return tuple(Marker(first + m.index - at, m.text) for m in self._markers if at - lost <= m.index < at + n)
