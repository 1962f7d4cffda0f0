"""XDF files, LabRecorder's or our own, as recordings: the EEG, with the markers of other streams."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SourceNotFound, StreamMismatch
from ...types import Array, Marker
from ..channels import check_count, choose_channels
from ..marker_words import is_marker_type, texts_of
from ..units import NARROW, WIDE, check_spread, microvolts, scales, spread
from ..url import Identity, choices, with_options
from .placing import indices, measured_rate, played_once, usual_rate
from .recording import FASTEST_HZ, HEAD_S, SELECT, PlaybackOptions, Rows, by_index, check_rate, finite, outside
from .xdf_chunks import IN_MARKERS, OWN, Chunks, StreamHeader, find_chunks, samples_in
from .xdf_streams import OtherStreams, channels_of, load
from .xdf_values import StreamValues, stamps_of

OFF = 0.01  # a stream whose stamps differ from its rate by more than this share runs at another rate than it says
PACKETS = 0.2  # where more than this share of the stamps repeat the one before, they are those of packets


def open_xdf(path: Path, options: PlaybackOptions, asked: str) -> Rows:
    """Raises `SourceNotFound`, `StreamMismatch` or `ConfigError`."""
    with path.open("rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as file:
        if file[:4] != b"XDF:":
            raise StreamMismatch(asked, "it does not begin as an XDF file does", "the file may be damaged")
        chunks = find_chunks(file)
        eeg = _choose(chunks, samples_in(file, chunks), options, asked)
        others = [stream for stream in chunks.streams.values() if stream is not eeg]
        markers = [stream for stream in others if _holds_markers(stream)]
        gaps = [stream for stream in others if _holds_gaps(stream, eeg)][:1]
        loaded = load(file, chunks, [*markers, *(stream for stream in gaps if stream not in markers)])
        signal = *stamps_of(file, chunks, eeg), StreamValues(path, file, chunks, eeg)
    beside = [stream for stream in others if not _is_own(stream, eeg)]
    return _recording(
        eeg, signal, markers, gaps, loaded, chunks, options, asked, OtherStreams(path, chunks, beside, markers)
    )


def _choose(chunks: Chunks, n_samples: dict[int, int], options: PlaybackOptions, asked: str) -> StreamHeader:
    """The one stream that the options select."""
    streams, wanted = list(chunks.streams.values()), _wanted(options)
    meant = [it for it in selected(streams, options) if it.format != "string" and n_samples[it.number] > 1]
    meant = [stream for stream in meant if stream.type.lower() == "eeg"] or (meant if wanted else [])
    meant = [stream for stream in meant if stream.sfreq > 0] or meant
    meant = [stream for stream in meant if not stream.role] or meant
    if len(meant) == 1:
        return meant[0]
    shown = "; ".join(_shown(stream, n_samples[stream.number]) for stream in (meant or streams)[:20]) or "no stream"
    if meant:
        urls = choices([asked] * len(meant), [_identity(stream) for stream in meant])
        raise SourceNotFound(asked, f"{len(meant)} streams answer: {shown}", f"choose one: {urls}")
    asked_for = ", ".join(f"{key}={value}" for key, value in wanted.items())
    kind = f"of numbers with {asked_for}" if wanted else "of EEG"
    raise SourceNotFound(asked, f"no stream {kind}; the file holds {shown}", "choose one with stream=NAME")


def _wanted(options: PlaybackOptions) -> Identity:
    """What the options state about a stream."""
    return {key: str(value) for key in SELECT if (value := getattr(options, key)) is not None}


def selected(streams: Iterable[StreamHeader], options: PlaybackOptions) -> list[StreamHeader]:
    """The streams that the options select: all, without any option for it."""
    wanted = _wanted(options)
    return [stream for stream in streams if wanted.items() <= _identity(stream).items()]


def _identity(stream: StreamHeader) -> Identity:
    values = stream.name, stream.source_id, stream.host, stream.uid, str(stream.number)
    return dict(zip(SELECT, values, strict=True))


def _recording(
    eeg: StreamHeader,
    signal: tuple[np.ndarray, np.ndarray, StreamValues],
    markers: list[StreamHeader],
    gaps: list[StreamHeader],
    loaded: dict[int, Any],
    chunks: Chunks,
    options: PlaybackOptions,
    asked: str,
    beside: OtherStreams,
) -> Rows:
    sent, rows, values = signal
    stamps = row_stamps(sent)
    sfreq, odd = _rate(eeg, stamps, options, asked)
    described = check_count(channels_of(eeg), eeg.n_chans, options, asked)
    named = bool(options.stream and options.channels)
    is_eeg = [named or kind.lower() in ("", "eeg") for _, _, kind in described]
    chosen = choose_channels(
        [label for label, _, _ in described],
        is_eeg,
        options,
        asked,
        reference=eeg.desc.findtext("reference/label") or "",
        units=[unit for _, unit, _ in described],
    )
    columns = chosen.columns
    notes = [*chosen.notes, *([odd] if odd else [])]
    if chunks.damaged or chunks.cut:
        notes.append(f"the file is damaged: {chunks.damaged + chunks.cut} bytes of it cannot be read")
    index = None
    if gaps and not chunks.damaged:  # a damaged place may have held a count
        index = _counted_index(stamps, loaded[gaps[0].number])
    if index is None:
        index, jumps = indices(len(stamps), sfreq, stamps if not odd or not options.sfreq else None)
        notes += jumps
    head = np.asarray(values.chosen(rows)[: round(HEAD_S * sfreq)], np.float64)[:, columns]
    scale = _microvolts(head, [described[i][1] for i in columns], options, asked, sfreq)
    found = [_markers(stream, loaded[stream.number], stamps, index, sfreq) for stream in markers]
    notes += outside(sum(n for _, n in found))
    index, order, repeated = played_once(index)
    return Rows(
        _scaled(values, rows[order], columns, scale),
        index,
        chosen.ch_names,
        sfreq,
        markers=by_index(marker for inside, _ in found for marker in inside),
        reference=chosen.reference,
        virtual=eeg.virtual,
        notes=notes + repeated,
        tracks=beside.tracks(stamps[order], index, sfreq, asked),
    )


def row_stamps(stamps: np.ndarray) -> np.ndarray:
    """A stamp for each sample (s), also where the sender stamped its packets: the last sample of each."""
    stamps = np.asarray(stamps, np.float64)
    last = np.flatnonzero(np.diff(stamps, append=np.inf))
    if len(last) < 3 or len(last) > (1 - PACKETS) * len(stamps):
        return stamps
    period = float(np.median(np.diff(stamps[last]) / np.diff(last)))
    rows = np.arange(len(stamps))
    return stamps - (last[np.searchsorted(last, rows)] - rows) * period


def _rate(eeg: StreamHeader, stamps: np.ndarray, options: PlaybackOptions, asked: str) -> tuple[float, str]:
    """The rate to play at (Hz), and a note if it is unusual, else ``""``."""
    if eeg.sfreq > 0 and options.sfreq is None:
        check_rate(asked, eeg.sfreq)
    measured = measured_rate(stamps, options.sfreq or eeg.sfreq or None)
    if options.sfreq is not None:
        differs = measured and abs(measured / options.sfreq - 1) > OFF
        odd = f"played at {options.sfreq:g} Hz as asked, by its stamps {measured:.4g} Hz: no gap is counted"
        return options.sfreq, odd if differs else ""
    if not eeg.sfreq > 0:
        do = "say its rate with sfreq=HZ"
        if measured and measured <= FASTEST_HZ:
            do = f"play it with {with_options(asked, {'sfreq': f'{usual_rate(measured):g}'})}"
        found = f"by its stamps {measured:.4g} Hz" if measured else "nor do its stamps"
        raise StreamMismatch(asked, f"{_shown(eeg, len(stamps))} states no rate, {found}", do)
    if measured and abs(measured / eeg.sfreq - 1) > OFF:
        check_rate(asked, sfreq := usual_rate(measured))
        return sfreq, f"announced at {eeg.sfreq:g} Hz, by its stamps {measured:.4g} Hz: played at {sfreq:g} Hz"
    return eeg.sfreq, ""


def _scaled(values: StreamValues, rows: np.ndarray, columns: Sequence[int], scale: np.ndarray | float) -> Array:
    """The samples at `rows` of the file, times `scale`: (n_rows, n_columns) float32; read in pieces."""
    whole, at = np.empty((len(values), len(columns)), np.float32), 0
    for piece in values.pieces():
        whole[at : at + len(piece)] = finite(piece[:, columns].astype(np.float64) * scale)
        at += len(piece)
    return whole if np.array_equal(rows, np.arange(len(whole))) else whole[rows]


def _microvolts(
    head: np.ndarray, units: list[str], options: PlaybackOptions, asked: str, sfreq: float
) -> np.ndarray | float:
    """What makes the numbers µV, by ``units=``, by the stream, or 1 where those of the first seconds look like EEG."""
    if options.units:
        return microvolts(options.units)
    scale, stated = scales(asked, units)
    scaled = head * scale
    named = next((unit for unit in units if unit), "")
    written = f"its unit is {named!r}" if named else "it names no unit"
    found = spread(scaled, sfreq)
    limits, written = (WIDE, written) if stated else (NARROW, f"{written}; taken as µV")
    check_spread(asked, found, limits, written, scale[0])
    return np.asarray(scale)


def _holds_markers(stream: StreamHeader) -> bool:
    irregular = stream.format == "string" or stream.sfreq == 0
    return irregular and is_marker_type(stream.type) and stream.role != IN_MARKERS


def _holds_gaps(stream: StreamHeader, eeg: StreamHeader) -> bool:
    """Whether a stream is the one in which our recorder counts lost samples."""
    return _is_own(stream, eeg) and (stream.name, stream.format, stream.n_chans) == ("gaps", "int64", 3)


def _is_own(stream: StreamHeader, eeg: StreamHeader) -> bool:
    """Whether a stream is one that our recorder makes of a run."""
    ours = all(it.desc.find("realtime_mood") is not None for it in (stream, eeg))
    return ours and not stream.role and stream.name in OWN


def _counted_index(stamps: np.ndarray, gaps: Any) -> np.ndarray | None:
    """The sample index of each row as our recorder counted; None where that does not rise."""
    at = np.searchsorted(stamps, np.asarray(gaps["time_stamps"]) - 1e-9)
    restated = np.asarray(gaps["time_series"], np.int64).reshape(-1, 3)[:, 0]
    good = at < len(stamps)
    at, restated = at[good], restated[good]
    if not len(at) or not np.all(np.diff(stamps) > 0):
        return None
    begun = np.r_[0, at]
    first = np.r_[restated[0] - at[0], restated]
    row = np.arange(len(stamps))
    which = np.searchsorted(begun, row, side="right") - 1
    index = first[which] + row - begun[which]
    return index - index[0] if np.all(np.diff(index) > 0) else None


def _markers(
    described: StreamHeader, stream: Any, stamps: np.ndarray, index: np.ndarray, sfreq: float
) -> tuple[list[Marker], int]:
    """The markers of a stream, at the samples nearest in time; and how many lie before or after the signal."""
    line, times = np.maximum.accumulate(stamps) - 0.5 / sfreq, np.asarray(stream["time_stamps"])
    inside = (times >= line[0]) & (times < line[-1] + 1 / sfreq)
    at = np.clip(np.searchsorted(line, times, side="right") - 1, 0, len(index) - 1)
    labels = [label for label, _, _ in channels_of(described)]
    texts = [texts_of(np.atleast_1d(row), described.type, labels) for row in stream["time_series"]]
    rows = list(zip(at, inside, texts, strict=True))
    markers = [Marker(int(index[i]), text) for i, is_inside, words in rows if is_inside for text in words]
    return markers, sum(len(words) for _, is_inside, words in rows if not is_inside)


def _shown(stream: StreamHeader, n_samples: int) -> str:
    """One stream in words."""
    rate = f"{stream.sfreq:g} Hz" if stream.sfreq else "no rate"
    return f"{stream.name!r} ({stream.type or 'no type'}, {stream.n_chans} ch, {rate}, {n_samples} samples)"
