"""Reads a recording of this program for replay: the samples as they arrived, and the readings."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..auxiliary import STRING
from ..errors import SourceNotFound, StreamMismatch
from ..guard import words_of
from ..montage import positions
from ..sources.recordings.headers import refuse_encrypted
from ..sources.recordings.recording import finite
from ..sources.recordings.xdf_chunks import OWN, SAMPLES, Chunks, StreamHeader, find_chunks
from ..sources.recordings.xdf_streams import channels_of, load
from ..types import Chunk, Impedance, Marker, StreamInfo
from .xdf_write import row_type

RATE_ERROR = 0.05  # largest relative deviation of stamps from the nominal rate; a larger one means damage
LONGEST_S = 30 * 86400.0  # longest plausible run; a larger sample index means damage
EEG = "EEG"
MARKERS, READINGS, _QUALITY, GAPS, IMPEDANCE, FEEDBACK, BODY, ANNOUNCED = OWN
FORMATS = dict.fromkeys((EEG, IMPEDANCE, BODY), "float32") | {GAPS: "int64"}
FORMATS |= dict.fromkeys((MARKERS, READINGS, ANNOUNCED), "string")


@dataclass(frozen=True, eq=False)
class RecordedStream:
    """A stream of numbers that was recorded beside the EEG."""

    name: str
    type: str
    labels: tuple[str, ...]
    units: tuple[str, ...]
    sfreq: float  # nominal rate in Hz; 0 where it is irregular
    t: np.ndarray  # (n,) s since the first sample of the EEG
    values: np.ndarray  # (n, n_chans)


@dataclass(frozen=True)
class Recorded:
    """A recording that can be replayed. Made by `open_recorded`."""

    path: Path
    info: StreamInfo
    about: dict[str, Any]  # configuration that made the readings, as given to the recorder
    readings: tuple[dict[str, Any], ...]  # as written, in order
    unwritten: int  # samples missing from the file that readings may depend on
    damaged: int  # bytes of the file that cannot be read
    _found: Chunks
    _streams: dict[str, int]
    _shift: int = 0  # subtracted from the indices in the file

    @property
    def first(self) -> int:
        """Index of the first sample: above 0 where the recording began in the middle of a run."""
        return int(self.about.get("begun", {}).get("first", 0)) - self._shift

    def from_zero(self) -> Recorded:
        """The same with indices and times that begin at 0 with the first sample, for tables and pages."""
        shift, t = self.first, self.first / self.info.sfreq
        if not shift:
            return self
        moved = [it | {key: it[key] - shift for key in ("first", "end") if key in it} for it in self.readings]
        readings = tuple(it | ({"t": round(it["t"] - t, 4)} if "t" in it else {}) for it in moved)
        return replace(self, readings=readings, _shift=shift)

    def chunks(self) -> Iterator[Chunk]:
        """The samples, each at its index, with the impedances measured meanwhile; stamps are on the file's clock."""
        end = self.first
        for first, table, impedances in self._tables():
            stamps = table["stamp"]
            measured = tuple(Impedance(first + int(np.abs(stamps - t).argmin()), kohm) for t, kohm in impedances)
            yield Chunk(finite(table["values"]), first, float(stamps[-1]), first - end, impedances=measured)
            end = first + len(table)

    def markers(self) -> list[Marker]:
        """Every marker, at the sample whose stamp is nearest to its own."""
        with mapped(self.path) as file:
            contents = _contents(file, self._found, self._streams.get(MARKERS))
            markers = [(_stamp(it), _text(it).decode("utf-8", "replace")) for _, it in contents]
        tables = [(table["stamp"].copy(), first + np.arange(len(table))) for first, table, _ in self._tables()]
        if not markers or not tables:
            return []
        stamps, indices = (np.concatenate(parts) for parts in zip(*tables, strict=True))
        times = np.array([t for t, _ in markers])
        at = np.searchsorted(stamps, times)
        left, right = np.maximum(at - 1, 0), np.minimum(at, len(stamps) - 1)
        nearest = indices[np.where(times - stamps[left] <= stamps[right] - times, left, right)]
        return [Marker(index, text) for index, (_, text) in zip(nearest.tolist(), markers, strict=True)]

    def announced(self) -> list[list[dict[str, Any]]]:
        """The LSL streams that were announced: at the start, after each change and at the end."""
        with mapped(self.path) as file:
            texts = [_text(content) for _, content in _contents(file, self._found, self._streams.get(ANNOUNCED))]
        try:
            return [[dict(stream) for stream in json.loads(text)] for text in texts]
        except (ValueError, TypeError) as error:
            raise _damaged(f"its list of streams: {words_of(error)}") from None

    def body(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Stream time (n,) (s) of each reading of the body, and its numbers by channel label, (n,) each."""
        if BODY not in self._streams:
            return np.empty(0), {}
        stream = self._found.streams[self._streams[BODY]]
        labels = [channel.findtext("label") or "" for channel in stream.desc.findall("channels/channel")]
        with mapped(self.path) as file:
            contents = _contents(file, self._found, stream.number)
            tables = [_table(content, "<f4", stream.n_chans) for _, content in contents]
        if not tables or not self._edges.size:
            return np.empty(0), {}
        table = np.concatenate(tables)
        t = np.interp(table["stamp"], *self._edges) / self.info.sfreq
        return t, dict(zip(labels, np.asarray(table["values"], np.float64).T, strict=False))

    def beside(self) -> Iterator[RecordedStream]:
        """Streams of numbers beside the EEG, and the values of a feedback session, within the time of the EEG."""
        wanted = [it for it in self._found.streams.values() if it.role or it.name == FEEDBACK]
        wanted = [it for it in wanted if it.format != STRING and it.type != EEG]
        at, indices = self._edges
        if not len(at):
            return
        for header in wanted:  # one at a time is in memory
            with mapped(self.path) as file:
                stream = load(file, self._found, [header])[header.number]
            stamps = np.asarray(stream["time_stamps"], np.float64)
            t = np.interp(stamps, at, indices, left=np.nan, right=np.nan) / self.info.sfreq
            inside = np.isfinite(t)
            if inside.any():
                channels = (channels_of(header) + [("", "", "")] * header.n_chans)[: header.n_chans]
                labels, units, _kinds = zip(*channels, strict=True)
                values = np.asarray(stream["time_series"], np.float64)[inside]
                yield RecordedStream(header.name, header.type, labels, units, header.sfreq, t[inside], values)

    @cached_property
    def end(self) -> int:
        """Index after the last sample, by the sizes of the chunks: no sample is read."""
        size, end = row_type("<f4", (self.info.n_chans,)).itemsize, 0
        with mapped(self.path) as file:
            for _, stream, start, stop in (place for place in self._found.places if place[0] == SAMPLES):
                if stream == self._streams[GAPS]:
                    end = max(end, int(_table(file[start:stop], "<i8", 3)["values"][-1, 0]))
                end += (stop - start) // size * (stream == self._streams[EEG])
        return end - self._shift

    @cached_property
    def _edges(self) -> np.ndarray:
        """(2, n): stamp and index of the first and the last sample of each chunk of the EEG."""
        edges = [(table["stamp"][k], first + k) for first, table, _ in self._tables() for k in (0, len(table) - 1)]
        return np.array(edges, np.float64).reshape(-1, 2).T

    def _tables(self) -> Iterator[tuple[int, np.ndarray, list[tuple[float, np.ndarray]]]]:
        """First index and samples of each chunk, and the impedances measured before it: (stamp, kΩ)."""
        index, end = 0, 0
        impedances: list[tuple[float, np.ndarray]] = []
        with mapped(self.path) as file:
            for stream, content in _contents(file, self._found, *self._streams.values()):
                if stream == self._streams[GAPS]:
                    index = int(_table(content, "<i8", 3)["values"][-1, 0])
                elif stream == self._streams.get(IMPEDANCE):
                    table = _table(content, "<f4", self.info.n_chans)
                    impedances += zip(table["stamp"], table["values"], strict=True)
                elif stream == self._streams[EEG]:
                    table, first = _table(content, "<f4", self.info.n_chans), max(index, end)
                    if first > LONGEST_S * self.info.sfreq:
                        raise _damaged(f"a sample of index {first}")
                    yield first - self._shift, table, impedances
                    index = end = first + len(table)
                    impedances = []


def open_recorded(path: Path) -> Recorded:
    """Read everything of a recording except its samples.

    Raises `SourceNotFound` where there is no such file, `StreamMismatch` where it is not of this program or too
    damaged.
    """
    with mapped(path) as file:
        found = find_chunks(file)
        streams = {it.name if it.type != EEG else EEG: it for it in found.streams.values() if _is_ours(it)}
        if not {EEG, READINGS, GAPS} <= set(streams):
            raise StreamMismatch(
                str(path), "not a recording of this program, or a damaged one", "make one with run --record PATH"
            )
        numbers = {name: it.number for name, it in streams.items()}
        texts = [_text(content) for _, content in _contents(file, found, numbers[READINGS])]
        _check_rate(streams[EEG], (content for _, content in _contents(file, found, numbers[EEG])))
        gaps = [_table(content, "<i8", 3) for _, content in _contents(file, found, numbers[GAPS])]
    try:
        readings = tuple(_reading(text) for text in texts)
        info, about = _info(streams[EEG]), json.loads(_text_of(streams[READINGS], "about"))
        int(about.get("begun", {}).get("first", 0))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise _damaged(" ".join(str(error).split())[:120]) from None
    unwritten = sum(int(rows["values"][:, 2].sum()) for rows in gaps)
    return Recorded(path, info, about, readings, unwritten, found.damaged + found.cut, found, numbers)


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """The bytes of an XDF file."""
    try:
        with path.open("rb") as f:
            file = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise SourceNotFound(str(path), "no such file", "check the path") from None
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise StreamMismatch(str(path), f"cannot be read: {error}", "give an XDF file") from None
    with closing(file):
        refuse_encrypted(path, str(path))
        if file[:4] != b"XDF:":
            raise StreamMismatch(str(path), "not an XDF file", "give one made with run --record PATH, or LabRecorder")
        yield file


def _contents(file: mmap.mmap, found: Chunks, *streams: int | None) -> Iterator[tuple[int, bytes]]:
    """(stream, content) of each complete chunk of samples of these streams, in order."""
    return ((it, file[begin:end]) for tag, it, begin, end in found.places if tag == SAMPLES and it in streams)


def _table(content: bytes, form: str, n: int) -> np.ndarray:
    """The samples of a chunk as the recorder writes them: each with its stamp."""
    row = row_type(form, (n,))
    body = content[1 + content[0] :]
    table = np.frombuffer(body, row, count=len(body) // row.itemsize)
    is_whole = len(table) and not len(body) % row.itemsize
    if not (is_whole and np.isfinite(table["stamp"]).all() and (table["width"] == 8).all()):
        raise _damaged("samples in a format that this program does not write")
    return table


def _check_rate(eeg: StreamHeader, contents: Iterator[bytes]) -> None:
    stamps = next((it for content in contents if len(it := _table(content, "<f4", eeg.n_chans)["stamp"]) > 1), None)
    if stamps is not None and abs((stamps[-1] - stamps[0]) * eeg.sfreq / (len(stamps) - 1) - 1) > RATE_ERROR:
        raise _damaged(f"a rate of {eeg.sfreq:g} Hz that its stamps contradict")


def _stamp(content: bytes) -> float:
    """The stamp of a chunk that holds one text."""
    at = 1 + content[0]
    return float(np.frombuffer(content, "<f8", 1, at + 1)[0]) if content[at] == 8 else float("nan")


def _text(content: bytes) -> bytes:
    """The text in a chunk that holds one."""
    at = 1 + content[0] + 9
    return content[at + 1 + content[at] :]


def _reading(text: bytes) -> dict[str, Any]:
    reading = json.loads(text)
    probs = reading.get("probs") if isinstance(reading, dict) else "none"
    numbers = probs is None or (isinstance(probs, list) and all(isinstance(p, float | int) for p in probs))
    if not numbers or not isinstance(reading.get("end"), int):
        raise ValueError("an invalid reading")
    return reading


def _is_ours(stream: StreamHeader) -> bool:
    """Whether a stream has the recorder's layout."""
    name = EEG if stream.type == EEG else stream.name
    n_chans = {MARKERS: 1, READINGS: 1, GAPS: 3, ANNOUNCED: 1}.get(name, stream.n_chans)
    layout = (stream.format, stream.n_chans)
    return not stream.role and stream.desc.find("realtime_mood") is not None and layout == (FORMATS.get(name), n_chans)


def _text_of(stream: StreamHeader, key: str) -> str:
    return stream.desc.findtext(f"realtime_mood/{key}") or ""


def _info(eeg: StreamHeader) -> StreamInfo:
    """Description of the recorded stream. Raises `ValueError`."""
    ch_names = tuple((channel.findtext("label") or "").strip() for channel in eeg.desc.findall("channels/channel"))
    if len(ch_names) != eeg.n_chans or len(set(ch_names)) < len(ch_names) or not set(ch_names) <= set(positions()):
        raise ValueError("its channels are not electrodes")
    if not 1 <= eeg.sfreq <= 1e5:
        raise ValueError(f"a rate of {eeg.sfreq:g} Hz")
    return StreamInfo(
        ch_names=ch_names,
        sfreq=eeg.sfreq,
        name=eeg.name,
        reference=eeg.desc.findtext("reference/label") or "unknown",
        virtual=_text_of(eeg, "virtual") == "1",
        paced=_text_of(eeg, "paced") == "1",
        chunk_s=float(_text_of(eeg, "chunk_s")),
        notes=tuple(map(str, json.loads(_text_of(eeg, "notes")))),
    )


def _damaged(what: str) -> StreamMismatch:
    return StreamMismatch("a recording", f"it is damaged: {what}", "use another recording")
