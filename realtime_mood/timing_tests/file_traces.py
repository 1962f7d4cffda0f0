"""One channel of a file with its markers, each at its exact time: XDF, and every format that MNE reads.

Playback of EEG converts units and electrode names, and places markers at samples; a timing test needs any channel, in
any unit, and markers between samples.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

import mne
import numpy as np

from ..errors import SourceNotFound, StreamMismatch
from ..sources.marker_words import is_marker_type, texts_of
from ..sources.recordings.breaks import stated_breaks, stored_onsets
from ..sources.recordings.edf_records import read_records, record_breaks
from ..sources.recordings.opening import open_raw
from ..sources.recordings.placing import indices, measured_rate, played_once
from ..sources.recordings.recording import PlaybackOptions, check_rate
from ..sources.recordings.timeline import Timeline
from ..sources.recordings.xdf import OFF, row_stamps, selected
from ..sources.recordings.xdf_chunks import IN_MARKERS, OFFSET, StreamHeader, find_chunks
from ..sources.recordings.xdf_streams import channels_of, load
from .trace import Trace, column_of, sample_times


def mne_trace(path: Path, asked: str, channel: str, markers: str) -> Trace:
    """A channel of a file that MNE reads; its markers are the annotations, or the codes of the trigger channel named.

    Raises `StreamMismatch`.
    """
    by_record = path.suffix.lower() in (".edf", ".bdf")
    raw, _ = open_raw(path, asked, **({"encoding": "latin-1"} if by_record else {}))
    with mne.use_log_level("ERROR"):
        check_rate(asked, sfreq := float(raw.info["sfreq"]))
        breaks = record_breaks(read_records(path), sfreq, asked)[0] if by_record else []
        time = Timeline(raw.n_times, sfreq, breaks or stated_breaks(path, raw, sfreq))
        index = np.concatenate([np.arange(first, end) for first, end in time.runs])
        values = raw.get_data([column_of(channel, raw.ch_names, asked)])[0]
        if markers:
            stim = raw.ch_names[column_of(markers, raw.ch_names, asked)]
            found = mne.find_events(raw, stim, shortest_event=1, output="onset", verbose="ERROR")
            events = [(time.index(int(at) - raw.first_samp) / sfreq, str(code)) for at, _, code in found]
        else:
            texts = map(str, raw.annotations.description)
            stored = stored_onsets(raw, raw.annotations)
            if not by_record:  # there, onsets count what was lost
                stored = np.array([time.index(int(at)) + at % 1 for at in stored])
            events = list(zip((stored / sfreq).tolist(), texts, strict=True))
    raw.close()
    return Trace(index / sfreq, values[: len(index)], sfreq, tuple(sorted(events)), channel, time.notes())


def xdf_trace(path: Path, options: PlaybackOptions, asked: str, channel: str, markers: str) -> Trace:
    """A channel of a stream of numbers; the markers are those of the stream named, or of every marker stream.

    Raises `SourceNotFound` where no stream or more than one has such a channel or name, and `StreamMismatch`.
    """
    with path.open("rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as file:
        chunks = find_chunks(file)
        numbers = [
            stream
            for stream in selected(chunks.streams.values(), options)
            if stream.format != "string" and stream.sfreq > 0
        ]
        labels = {stream.number: [label for label, _, _ in channels_of(stream)] for stream in numbers}
        named = [one for one in numbers if channel.lower() in map(str.lower, labels[one.number])] or numbers
        stream = only(named, asked, f"channel {channel!r}")
        column = column_of(channel, labels[stream.number] or [""] * stream.n_chans, asked)
        beside = [one for one in chunks.streams.values() if one is not stream]
        of_markers = [one for one in beside if is_marker_type(one.type) and one.role != IN_MARKERS]  # each once
        sending = [one for one in beside if one.name == markers] if markers else of_markers
        if markers and not sending:
            found = f"no stream is called {markers!r}; there are {shown(beside)}"
            raise SourceNotFound(asked, found, "give --markers the name of one")
        loaded = load(file, chunks, [stream, *sending])
    stamps = row_stamps(loaded[stream.number]["time_stamps"])
    sfreq = options.sfreq or stream.sfreq
    if (measured := measured_rate(stamps, sfreq)) and abs(measured / sfreq - 1) > OFF:
        sfreq = measured
    index, notes = indices(len(stamps), sfreq, stamps)
    once, order, _ = played_once(index)
    values = np.asarray(loaded[stream.number]["time_series"])[order, column].astype(np.float64)
    times = sample_times(once, once, stamps[order], sfreq)
    events = sorted(event for one in sending for event in _events(one, loaded[one.number]))
    return Trace(times, values, sfreq, tuple(events), channel, tuple(notes), stream.virtual)


def xdf_offsets(path: Path, options: PlaybackOptions, asked: str) -> tuple[str, list[tuple[float, float]]]:
    """Name of a stream, and the clock offsets that its recorder measured.

    Each is when it was measured (s, the recorder's clock), and what to add to the stream's stamps (s).
    Raises `SourceNotFound` where the options select no stream with offsets, or more than one.
    """
    with path.open("rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as file:
        if file[:4] != b"XDF:":
            raise StreamMismatch(asked, "it does not begin as an XDF file does", "give an XDF file, or lsl://NAME")
        chunks = find_chunks(file)
        places = [(number, begin) for tag, number, begin, _ in chunks.places if tag == OFFSET]
        numbers = {number for number, _ in places}
        stream = only(
            [one for one in selected(chunks.streams.values(), options) if one.number in numbers], asked, "clock offsets"
        )
        offsets = [struct.unpack_from("<dd", file, begin) for number, begin in places if number == stream.number]
    return stream.name, [(at + offset, offset) for at, offset in offsets]  # recorders note the stream's own time


def only(streams: list[StreamHeader], asked: str, what: str) -> StreamHeader:
    """The one stream; raises `SourceNotFound` where there are none or several."""
    if len(streams) == 1:
        return streams[0]
    if not streams:
        raise SourceNotFound(asked, f"no stream has {what}", "choose another file or stream")
    do = "choose one with stream=NAME or number=N after the path and a ?"
    raise SourceNotFound(asked, f"{len(streams)} streams could have {what}: {shown(streams)}", do)


def shown(streams: list[StreamHeader]) -> str:
    """Names and numbers of streams, for a message."""
    return ", ".join(f"{one.name!r} (number={one.number}, {one.n_chans} ch)" for one in streams[:12]) or "none"


def _events(described: StreamHeader, stream: Any) -> list[tuple[float, str]]:
    labels = [label for label, _, _ in channels_of(described)]
    rows = zip(stream["time_stamps"], stream["time_series"], strict=True)
    return [(float(t), text) for t, row in rows for text in texts_of(np.atleast_1d(row), described.type, labels)]
