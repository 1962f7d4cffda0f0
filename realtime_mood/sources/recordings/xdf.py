"""Turns an XDF file, LabRecorder's or our own, into a recording of its EEG with the markers of other streams."""

from __future__ import annotations

import logging
import mmap
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SourceNotFound, StreamMismatch
from ...types import Marker
from ..channels import check_count, choose_channels
from ..units import NARROW, WIDE, check_spread, microvolts, scales, spread
from .placing import indices, measured_rate, played_once, usual_rate
from .recording import HEAD_S, PlaybackOptions, Rows, check_rate, finite
from .xdf_chunks import Chunks, Described, find_chunks, samples_in, without_others

OFF = 0.01
"""A stream whose stamps differ from its rate by more than this share runs at another rate than it says."""


def open_xdf(path: Path, options: PlaybackOptions, asked: str) -> Rows:
    """Raises `SourceNotFound`, `StreamMismatch` or `ConfigError`."""
    with path.open("rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as file:
        if file[:4] != b"XDF:":
            raise StreamMismatch(asked, "it does not begin as an XDF file does", "the file may be damaged")
        chunks = find_chunks(file)
        eeg = _choose(chunks, samples_in(file, chunks), options, asked)
        beside = [
            it for it in chunks.streams.values() if it is not eeg and (_holds_markers(it) or _tells_index(it, eeg))
        ]
        loaded = _load(file, chunks, [eeg, *beside])
    return _recording(eeg, beside, loaded, chunks, options, asked)


def _choose(chunks: Chunks, n_samples: dict[int, int], options: PlaybackOptions, asked: str) -> Described:
    """The one stream that is meant."""
    streams = list(chunks.streams.values())
    shown = "; ".join(_shown(it, n_samples[it.number]) for it in streams[:20]) or "no stream"
    numbers = [it for it in streams if it.format != "string" and it.sfreq > 0 and n_samples[it.number] > 1]
    if options.stream is not None:
        meant = [it for it in numbers if it.name == options.stream]
    else:
        meant = [it for it in numbers if it.type.lower() == "eeg"]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise SourceNotFound(asked, f"{len(meant)} streams answer: {shown}", "say which with stream=NAME")
    wanted = "of EEG" if options.stream is None else f"{options.stream!r} of numbers at a regular rate"
    raise SourceNotFound(asked, f"no stream {wanted}; the file holds {shown}", "say which with stream=NAME")


def _load(file: mmap.mmap, chunks: Chunks, wanted: list[Described]) -> dict[int, Any]:
    """Samples and stamps of the `wanted` streams, on the recorder's clock, by stream number."""
    import pyxdf

    logging.getLogger("pyxdf").setLevel(logging.CRITICAL + 1)  # what it would say, we say
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Its dejittering draws a line through small holes; ours looks for them.
        streams, _ = pyxdf.load_xdf(without_others(file, chunks, wanted), dejitter_timestamps=False)
    return {stream["info"]["stream_id"]: stream for stream in streams}


def _recording(
    eeg: Described,
    beside: list[Described],
    loaded: dict[int, Any],
    chunks: Chunks,
    options: PlaybackOptions,
    asked: str,
) -> Rows:
    told = check_count(channels_of(eeg), eeg.n_chans, options, asked)
    named = bool(options.stream and options.channels)
    is_eeg = [named or kind.lower() in ("", "eeg") for _, _, kind in told]
    chosen = choose_channels(
        [label for label, _, _ in told],
        is_eeg,
        options,
        asked,
        reference=eeg.desc.findtext("reference/label") or "",
        units=[unit for _, unit, _ in told],
    )
    columns = chosen.columns
    data = np.asarray(loaded[eeg.number]["time_series"])[:, columns].astype(np.float64)
    stamps = np.asarray(loaded[eeg.number]["time_stamps"], np.float64)
    check_rate(asked, eeg.sfreq)
    sfreq, notes = eeg.sfreq, [*chosen.notes]
    if chunks.damaged or chunks.cut:
        notes.append(f"the file is damaged: {chunks.damaged + chunks.cut} bytes of it cannot be read")
    index = None
    gaps = next((it for it in beside if _tells_index(it, eeg)), None)
    if gaps is not None and not chunks.damaged:  # a damaged place may have held a count
        index = _told_index(stamps, loaded[gaps.number])
    if index is None:
        measured = measured_rate(stamps, sfreq)
        if measured and abs(measured / sfreq - 1) > OFF:
            sfreq = usual_rate(measured)
            notes.append(f"announced at {eeg.sfreq:g} Hz, by its stamps {measured:.4g} Hz: played at {sfreq:g} Hz")
            check_rate(asked, sfreq)
        index, odd = indices(len(data), sfreq, stamps)
        notes += odd
    scaled = _microvolts(data, [told[i][1] for i in columns], sfreq, options, asked)
    markers = [m for it in beside if _holds_markers(it) for m in _markers(loaded[it.number], stamps, index, sfreq)]
    index, order, repeated = played_once(index)
    return Rows(
        finite(scaled[order]),
        index,
        chosen.ch_names,
        sfreq,
        markers=sorted(markers, key=lambda marker: marker.index),
        reference=chosen.reference,
        virtual=eeg.desc.findtext("realtime_mood/virtual") == "1",
        notes=notes + repeated,
    )


def channels_of(stream: Described) -> list[tuple[str, str, str]]:
    """(label, unit, type) of each channel that a stream describes; ``""`` where it says nothing."""
    told: list[tuple[str, str, str]] = []
    for channel in stream.desc.findall("channels/channel"):
        label, name, unit, kind = ((channel.findtext(key) or "").strip() for key in ("label", "name", "unit", "type"))
        told.append((label or name, unit, kind))
    return told


def _microvolts(data: np.ndarray, units: list[str], sfreq: float, options: PlaybackOptions, asked: str) -> np.ndarray:
    """The numbers in µV: as told, as the stream says, or taken to be µV where they look like EEG."""
    if options.units:
        return np.asarray(data * microvolts(options.units))
    scale, stated = scales(asked, units)
    scaled = data * scale
    said = next((unit for unit in units if unit), "")
    written = f"its unit is {said!r}" if said else "it names no unit"
    found = spread(scaled[: round(HEAD_S * sfreq)], sfreq)
    limits, written = (WIDE, written) if stated else (NARROW, f"{written}; taken as µV")
    check_spread(asked, found, limits, written, scale[0])
    return np.asarray(scaled)


def _holds_markers(stream: Described) -> bool:
    kind = stream.type.lower()
    codes = stream.n_chans == 1 and stream.sfreq == 0
    return ("marker" in kind or "event" in kind) and (stream.format == "string" or codes)


def _tells_index(stream: Described, eeg: Described) -> bool:
    """Whether a stream is the one in which our recorder keeps count."""
    ours = stream.desc.find("realtime_mood") is not None and eeg.desc.find("realtime_mood") is not None
    return ours and (stream.name, stream.format, stream.n_chans) == ("gaps", "int64", 3)


def _told_index(stamps: np.ndarray, gaps: Any) -> np.ndarray | None:
    """The sample index of each row as our recorder counted; None where that does not go up."""
    at = np.searchsorted(stamps, np.asarray(gaps["time_stamps"]) - 1e-9)
    said = np.asarray(gaps["time_series"], np.int64).reshape(-1, 3)[:, 0]
    good = at < len(stamps)
    at, said = at[good], said[good]
    if not len(at) or not np.all(np.diff(stamps) > 0):
        return None
    begun = np.r_[0, at]
    first = np.r_[said[0] - at[0], said]
    row = np.arange(len(stamps))
    which = np.searchsorted(begun, row, side="right") - 1
    index = first[which] + row - begun[which]
    return index - index[0] if np.all(np.diff(index) > 0) else None


def _markers(stream: Any, stamps: np.ndarray, index: np.ndarray, sfreq: float) -> list[Marker]:
    """What a stream of words or codes says, at the samples nearest in time."""
    line = np.maximum.accumulate(stamps) - 0.5 / sfreq
    at = np.clip(np.searchsorted(line, np.asarray(stream["time_stamps"]), side="right") - 1, 0, len(index) - 1)
    texts = [" ".join(str(word) for word in np.atleast_1d(row)).strip() for row in stream["time_series"]]
    return [Marker(int(index[i]), text) for i, text in zip(at, texts, strict=True) if text]


def _shown(stream: Described, n_samples: int) -> str:
    """One stream in words."""
    rate = f"{stream.sfreq:g} Hz" if stream.sfreq else "no regular rate"
    return f"{stream.name!r} ({stream.type or 'no type'}, {stream.n_chans} ch, {rate}, {n_samples} samples)"
