"""Turns a recording, in any format MNE reads, into a stream paced like the device that made it."""

from __future__ import annotations

import contextlib
import io
import math
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field

from .. import clock
from ..errors import MoodError, SourceLost, SourceNotFound, StreamEnded, StreamMismatch
from ..types import Array, Chunk, Marker, StreamInfo
from .channels import choose_channels
from .units import MICROVOLTS, WIDE, check_spread, spread, unit_name
from .url import FiniteOptions

CHUNK_S = 0.04
"""Seconds between chunks when paced."""
BLOCK_S = 5.0
"""Seconds read from the file at once."""
LONGEST_S = 1.0
"""No chunk holds more of the stream than this."""
VIRTUAL_MARK = "VIRTUAL PERSON"
"""Stands in the header of every file that was made from a virtual person."""

# What MNE takes the stored numbers for, where it keeps no per-channel unit. Everything else is in volts.
_STORED = {".set": "uV", ".gdf": "uV"}


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a number of seconds")
    return value


Seconds = Annotated[float, Field(ge=0), AfterValidator(_finite)]


class PlaybackOptions(FiniteOptions):
    """What may stand after ``playback://PATH?``."""

    loop: bool = False
    start: Seconds = 0.0
    stop: Seconds | None = None


class PlaybackSource:
    """A recording on disk.

    Parameters
    ----------
    path : str
        Relative or absolute.
    options : PlaybackOptions
    """

    def __init__(self, path: str, options: PlaybackOptions | None = None) -> None:
        self.path, self.options = Path(path).expanduser(), options or PlaybackOptions()
        self.name = f"playback://{path}"

    def open(self) -> PlaybackStream:
        """Raises `SourceNotFound` or `StreamMismatch`."""
        if not self.path.exists():
            raise SourceNotFound(self.name, "no such file", "check the path; a relative one starts where you are")
        if self.path.is_file() and not self.path.stat().st_size:
            raise StreamMismatch(self.name, "the file is empty", "give a recording that holds EEG")
        with _translated(self.name):
            return PlaybackStream(self.path, self.options, self.name)


@contextlib.contextmanager
def _translated(asked: str) -> Iterator[None]:
    """The one place where whatever MNE prints, warns and raises becomes one line of ours, or nothing."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    except (MoodError, MemoryError):
        raise
    except Exception as error:
        said = " ".join(str(error).split(", please report")[0].split())[:160] or type(error).__name__
        if isinstance(error, FileNotFoundError):
            raise SourceNotFound(asked, f"a file it needs is missing: {said}", "keep its files together") from error
        if "Unsupported file type" in said:
            raise StreamMismatch(
                asked,
                "no format that MNE reads as a continuous recording",
                "convert it to EDF, BDF, FIF or BrainVision",
            ) from error
        raise StreamMismatch(
            asked, f"MNE cannot read it: {said}", "the file may be cut short or hold no raw EEG"
        ) from error


class _Recording:
    """The EEG channels of a file, read in blocks: rows of float32 µV."""

    def __init__(self, path: Path, options: PlaybackOptions, asked: str) -> None:
        import mne

        self._raw: Any = mne.io.read_raw(path, preload=False, verbose="ERROR")
        self.sfreq, self.n_times = float(self._raw.info["sfreq"]), int(self._raw.n_times)
        types = self._raw.get_channel_types()
        self._picks, self.ch_names = choose_channels(self._raw.ch_names, [t == "eeg" for t in types], options, asked)
        self._block, self._first = np.empty((0, len(self._picks)), np.float32), 0
        self._to_uv = 1e6
        stated = self._stored_unit(path)
        if options.units:
            self._to_uv *= MICROVOLTS[options.units] / MICROVOLTS[stated]
        self._check(asked, stated, bool(options.units))

    def _stored_unit(self, path: Path) -> str:
        """The unit MNE takes the numbers in the file to have, before it turned them into volts."""
        stored = getattr(self._raw, "_orig_units", None) or {}
        units = {unit_name(str(stored.get(self._raw.ch_names[i], ""))) for i in self._picks} - {None}
        return next(iter(units)) or "V" if len(units) == 1 else _STORED.get(path.suffix.lower(), "V")

    def _check(self, asked: str, stated: str, overruled: bool) -> None:
        """Read a little at both ends: numbers that are EEG, and a file that is whole."""
        if self.n_times < 2:
            raise StreamMismatch(asked, f"{self.n_times} samples", "give a recording that holds EEG")
        self._raw[self._picks[:1], self.n_times - 1 : self.n_times]
        if not overruled:
            head = self.rows(0, min(self.n_times, round(10 * self.sfreq)))
            written = f"its numbers are read as {stated.replace('u', 'µ')}"
            check_spread(asked, spread(head, self.sfreq), WIDE, written, MICROVOLTS[stated])

    def rows(self, first: int, end: int) -> Array:
        """Samples ``[first, end)``: (n_times, n_chans)."""
        if not self._first <= first <= end <= self._first + len(self._block):
            stop = min(self.n_times, max(end, first + round(BLOCK_S * self.sfreq)))
            self._block = np.ascontiguousarray(self._raw[self._picks, first:stop][0].T * self._to_uv, np.float32)
            self._first = first
        return self._block[first - self._first : end - self._first]

    def markers(self) -> list[Marker]:
        """The file's annotations, by sample."""
        raw = self._raw
        at = raw.time_as_index(raw.annotations.onset, use_rounding=True, origin=raw.annotations.orig_time)
        notes = zip(at, raw.annotations.description, strict=True)
        return sorted((Marker(int(index), str(text)) for index, text in notes), key=lambda marker: marker.index)

    def is_virtual(self, path: Path) -> bool:
        """Whether the header says that nobody wore the electrodes."""
        info = self._raw.info
        said = f"{info['description']} {info['subject_info']} {info['experimenter']}"
        if path.is_file():
            with path.open("rb") as f:
                said += f.read(4096).decode("latin-1")
        return VIRTUAL_MARK in said.replace("_", " ").upper()

    def close(self) -> None:
        self._raw.close()


class PlaybackStream:
    """A recording being played. Made by `PlaybackSource.open`."""

    def __init__(self, path: Path, options: PlaybackOptions, name: str) -> None:
        self._file = file = _Recording(path, options, name)
        self._start = round(options.start * file.sfreq)
        self._stop = file.n_times if options.stop is None else min(file.n_times, round(options.stop * file.sfreq))
        if self._start >= self._stop:
            raise StreamMismatch(
                name,
                f"start={options.start:g} leaves nothing of {self._stop / file.sfreq:g} s",
                "choose an earlier start",
            )
        self._name, self._loop, self._speed = name, options.loop, options.speed
        self._markers = [m for m in file.markers() if self._start <= m.index < self._stop]
        self._step = max(1, round(min(CHUNK_S * options.speed, LONGEST_S) * file.sfreq))
        self._index = 0
        self._t0: float | None = None
        self._closed = threading.Event()
        self.info = StreamInfo(
            ch_names=file.ch_names,
            sfreq=file.sfreq,
            name=path.name,
            reference=options.reference or "unknown",
            virtual=file.is_virtual(path),
            paced=math.isfinite(options.speed),
            chunk_s=self._step / file.sfreq / (options.speed if math.isfinite(options.speed) else 1.0),
        )

    def read(self, timeout: float) -> Chunk | None:
        """The samples that are due; None when none are within `timeout` s.

        Raises
        ------
        StreamEnded
            The recording is over.
        SourceLost
            The file can no longer be read.
        """
        if self._closed.is_set():
            raise SourceLost(self._name, "closed")
        if self._t0 is None:
            self._t0 = clock.now()
        length = self._stop - self._start
        at = self._index % length
        if self._index >= length and not self._loop:
            raise StreamEnded(self._name, f"played to its end, {length / self.info.sfreq:g} s")
        n = self._due(min(self._step, length - at), timeout)
        if not n:
            return None
        n = min(n, length - at)
        first, self._index = self._index, self._index + n
        t_last = self._when(self._index) if self.info.paced else clock.now()
        return Chunk(self._rows(self._start + at, n), first, t_last, markers=self._marked(at, first, n))

    def close(self) -> None:
        """Let go of the file."""
        if not self._closed.is_set():
            self._closed.set()
            self._file.close()

    def _when(self, end: int) -> float:
        """When the last sample before `end` is taken, counted from the first read so that nothing adds up."""
        return (self._t0 or 0.0) + end / self.info.sfreq / self._speed

    def _due(self, n: int, timeout: float) -> int:
        """How many samples to hand out: `n` or more when late, 0 when `n` are not due within `timeout`."""
        if not self.info.paced:
            return n
        wait = self._when(self._index + n) - clock.now()
        if wait > 0:
            if self._closed.wait(min(wait, timeout)) or wait > timeout:
                return 0
            return n
        late = int(-wait * self._speed * self.info.sfreq)
        return min(n + late, max(n, round(LONGEST_S * self.info.sfreq)))

    def _rows(self, first: int, n: int) -> Array:
        try:
            return self._file.rows(first, first + n)
        except Exception as error:
            where = f"unreadable {first / self.info.sfreq:.1f} s in: {' '.join(str(error).split())[:120]}"
            raise SourceLost(self._name, where, "the file may be cut short") from error

    def _marked(self, at: int, first: int, n: int) -> tuple[Marker, ...]:
        low = self._start + at
        return tuple(Marker(first + m.index - low, m.text) for m in self._markers if low <= m.index < low + n)
