"""The streams of a recording: converts events of a run, in order, into the bytes of one XDF file.

=========== ============================================================================================
EEG         float32 µV at the device's rate; an unreadable value is NaN, a lost sample is absent
markers     text: from the source, from marker streams, from keys
readings    text: one JSON object per reading, at full precision for comparison with a replay
quality     float32 at each reading: every channel's score, then every channel's fault as a number
gaps        int64: the index of the next sample, how many were lost before it, how many of those were
            received but not written. Every `BOUNDARY_S` a row repeats the index, so that it is known
            again after damage.
impedance   float32 kΩ, where a board measures it
feedback    float32, thirty per second in a feedback session: `FEEDBACK_ROW`
body        float32, once a second where a stream gives measures of the body: each value (NaN where it is
            invalid), the quality of each, and the reason of each as a number
announced   text: the LSL streams that were announced, as JSON, at the start, at each change and at the end
others      streams beside the EEG, each with its own name, format and description
=========== ============================================================================================

All stamps are on LSL's clock of this computer, except those of `others`: these are the sender's, with clock offsets as
LabRecorder writes them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from .. import clock, montage
from ..auxiliary import STRING, AuxChunk, AuxInfo
from ..body.measure import COLUMNS, NO_SIGNAL, REASONS, UNITS, BodyReading, row_of
from ..health import Emission
from ..sinks.jsonlines import as_dict, to_json
from ..sources.recordings.xdf_chunks import BESIDE, IN_MARKERS, OWN
from ..types import Chunk, Estimate, Fault, Impedance, Marker, StreamInfo, Why
from . import xdf_write as xdf

BOUNDARY_S = 10.0
SLEW = 0.015
"""Stamps follow the source's clock; between two samples they deviate by at most this share from the nominal rate."""
HEAD_MM = 95.0  # radius of the head for electrode positions (mm)
EEG, MARKERS, READINGS, QUALITY, GAPS, IMPEDANCE, FEEDBACK, BODY, ANNOUNCED = range(1, 10)
NAMES = ("", "EEG", *OWN)
FEEDBACK_ROW = ("level", "shown", "threshold", "reward", "valid", "block", "delay_ms")
"""Level 0 to 1; z-scores fed back and of the threshold (NaN where there are none); 0 or 1; number of the block;
delay of the feedback after the chunk's arrival."""
OFFSET_S = 5.0  # interval (s) of the clock offsets of a stream beside the EEG, LabRecorder's
FAULT_NAMES = ("", *(fault.value for fault in Fault))
WHYS = ("", *REASONS)
"""Reasons why a measure of the body is invalid, by their number."""


class StampSpan(NamedTuple):
    """Extent of a stream: stamps of its first and last sample, and their number."""

    first: float
    last: float
    n: int


@dataclass(frozen=True, slots=True)
class WritePosition:
    """Position in a session; restored when what was rendered after it could not be written."""

    index: int = -1  # of the newest sample
    stamp: float | None = None  # stamp of the newest sample; None before the first
    left_out: int = 0  # samples since then that were received and could not be written
    bounded: float | None = None  # stamp of the last boundary
    spans: Mapping[int, StampSpan] = field(default_factory=dict)


class XdfSession:
    """Renders one file, piece by piece. Every sample is written once, at its index.

    `about` is the configuration that made the readings, as JSON values: weights, readout, profile, notch, versions;
    `to_stamps` the offset (s) from our clock to the stamps, and `first` the index of the first sample.
    """

    def __init__(self, info: StreamInfo, about: Mapping[str, object], to_stamps: float = 0.0, first: int = 0) -> None:
        self.info, self._about, self._to_stamps = info, about, to_stamps
        self.position = WritePosition(first - 1)
        self._begun = clock.now() + to_stamps
        self._follows = info.paced and info.speed == 1  # else its clock says nothing about when samples were taken
        self._others: dict[AuxInfo, int] = {}  # their numbers
        self._measured: dict[int, float] = {}  # when the last clock offset of each was measured (s, its clock)

    def begin(self) -> bytes:
        """The file header, and the headers of the streams that are always present."""
        made = datetime.now(UTC).isoformat(timespec="seconds")
        headers = [self._header(stream) for stream in range(EEG, IMPEDANCE)]
        of = {name: str(it) for name, it in self._about.items() if name == "participant"}  # by which `forget` finds it
        return xdf.file_header(datetime=made, writer="realtime_mood", **of) + b"".join(headers)

    def end(self) -> bytes:
        """The footers."""
        return b"".join(xdf.stream_footer(stream, *span) for stream, span in self.position.spans.items())

    def leave_out(self, n: int) -> None:
        """Note that `n` samples were received and will not be written."""
        self.position = replace(self.position, left_out=self.position.left_out + n)

    def take(self, chunk: Chunk) -> bytes:
        """A chunk, without samples that are written already; nothing of a chunk older than the newest."""
        data = chunk.data[max(0, self.position.index + 1 - chunk.first) :]
        if not len(data):
            return b""
        first, parts, before = chunk.end - len(data), [], self.position.index
        stamps, lost = self._stamps(first, chunk), first - self.position.index - 1
        due = self.position.bounded is None or stamps[0] - self.position.bounded >= BOUNDARY_S
        if due:
            self.position = replace(self.position, bounded=float(stamps[0]))
            parts.append(xdf.BOUNDARY_CHUNK)
        if due or lost:
            unwritten = min(self.position.left_out, lost)
            parts.append(self._numbers(GAPS, stamps[:1], np.array([[first, lost, unwritten]], np.int64)))
        parts += [self._impedance(measured, stamps, first) for measured in chunk.impedances]
        parts.append(self._numbers(EEG, stamps, data))
        self.position = replace(self.position, index=chunk.end - 1, stamp=float(stamps[-1]), left_out=0)
        parts += [self._words(MARKERS, self._stamp(m.index), m.text) for m in chunk.markers if m.index > before]
        return b"".join(parts)

    def mark(self, marker: Marker, t: float) -> bytes:
        """A marker from outside the stream, at `t` (s, our clock)."""
        on_sample = self._stamp(marker.index)
        stamp = t + self._to_stamps
        # `t` is more precise, if it is near the sample's stamp: playback at another speed is not on our clock.
        near = abs(stamp - on_sample) < 0.5 / self.info.sfreq
        return self._words(MARKERS, stamp if near else on_sample, marker.text)

    def put(self, emission: Emission) -> bytes:
        """A reading, and the electrode quality at that moment."""
        reading, sfreq = emission.reading, self.info.sfreq
        has_samples = self.position.stamp is not None
        stamp = self._stamp(emission.t * sfreq - 1) if has_samples else reading.t_last + self._to_stamps
        written = self._words(READINGS, stamp, to_json(exact(emission)))
        if reading.quality is not None and getattr(reading, "why", None) is not Why.STALE:
            faults = [float(FAULT_NAMES.index(fault.value if fault else "")) for fault in reading.quality.faults]
            row = np.array([[*reading.quality.scores, *faults]], np.float32)
            written += self._numbers(QUALITY, np.array([stamp]), row)
        return written

    def feed(self, index: int, row: tuple[float, ...]) -> bytes:
        """The feedback for the samples before `index`: `FEEDBACK_ROW`."""
        stamps = np.array([self._stamp(index - 1)])
        return self._header_once(FEEDBACK) + self._numbers(FEEDBACK, stamps, np.array([row], np.float32))

    def announce(self, text: str) -> bytes:
        """The LSL streams that are announced now."""
        return self._header_once(ANNOUNCED) + self._words(ANNOUNCED, clock.now() + self._to_stamps, text)

    def put_body(self, reading: BodyReading) -> bytes:
        """The measures of the body at one moment; those that no stream gives have no signal."""
        whys = {it.name: float(WHYS.index(it.why)) for it in reading.measures}
        row = [*row_of(reading), *(whys.get(name, float(WHYS.index(NO_SIGNAL))) for name in UNITS)]
        on_sample = self._stamp(reading.at * self.info.sfreq - 1)
        stamps = np.array([reading.t + self._to_stamps if self._follows else on_sample])
        return self._header_once(BODY) + self._numbers(BODY, stamps, np.array([row], np.float32))

    def take_aux(self, info: AuxInfo, chunk: AuxChunk) -> bytes:
        """A chunk of a stream beside the EEG, after its header if it is the first, with the offset of its clock."""
        stream = self._others.setdefault(info, len(NAMES) + len(self._others))
        span, written = self.position.spans.get(stream), b""
        if span is None:
            span, written = StampSpan(0.0, 0.0, 0), self._aux_header(stream, info)
            self._measured.pop(stream, None)
        at, offset = chunk.clock
        if abs(at - self._measured.get(stream, -math.inf)) >= OFFSET_S:
            self._measured[stream] = at
            written += xdf.clock_offset(stream, at, offset + self._to_stamps)
        if len(chunk):
            is_text = info.format == STRING
            written += (xdf.texts if is_text else xdf.samples)(stream, chunk.sent, chunk.values)
            span = StampSpan(span.first if span.n else float(chunk.sent[0]), float(chunk.sent[-1]), span.n + len(chunk))
        self.position = replace(self.position, spans={**self.position.spans, stream: span})
        return written

    # -- stamps -------------------------------------------------------------------------------------------------

    def _stamps(self, first: int, chunk: Chunk) -> np.ndarray:
        """Stamps of samples ``[first, chunk.end)``: strictly rising, lost samples taking their time."""
        here, sfreq, t_last = self.position, self.info.sfreq, chunk.t_last + self._to_stamps
        if here.stamp is None:
            return t_last - (chunk.end - 1 - np.arange(first, chunk.end)) / sfreq
        nominal = (chunk.end - 1 - here.index) / sfreq
        slew = SLEW * nominal if self._follows else 0.0
        took = nominal + float(np.clip(t_last - here.stamp - nominal, -slew, slew))
        return here.stamp + took * (np.arange(first, chunk.end) - here.index) / (chunk.end - 1 - here.index)

    def _stamp(self, index: float) -> float:
        """Stamp of one sample not far from the newest."""
        return (self.position.stamp or 0.0) + (index - self.position.index) / self.info.sfreq

    def _count(self, stream: int, stamps: np.ndarray) -> np.ndarray:
        """`stamps`, none earlier than the stream's last one; counted for its footer."""
        span = self.position.spans.get(stream)
        if span is not None and stream != EEG:
            stamps = np.maximum(stamps, np.nextafter(span.last, np.inf))
        first, n = (span.first, span.n) if span else (float(stamps[0]), 0)
        new = StampSpan(first, float(stamps[-1]), n + len(stamps))
        self.position = replace(self.position, spans={**self.position.spans, stream: new})
        return stamps

    # -- streams ------------------------------------------------------------------------------------------------

    def _numbers(self, stream: int, stamps: np.ndarray, rows: np.ndarray) -> bytes:
        return xdf.samples(stream, self._count(stream, stamps), rows)

    def _words(self, stream: int, stamp: float, text: str) -> bytes:
        return xdf.words(stream, float(self._count(stream, np.array([stamp]))[0]), text)

    def _impedance(self, measured: Impedance, stamps: np.ndarray, first: int) -> bytes:
        at = min(max(0, measured.index - first), len(stamps) - 1)
        return self._header_once(IMPEDANCE) + self._numbers(IMPEDANCE, stamps[at : at + 1], measured.kohm[None])

    def _header_once(self, stream: int) -> bytes:
        """The header of a stream that is not always present, before its first sample."""
        return b"" if stream in self.position.spans else self._header(stream)

    def _header(self, stream: int) -> bytes:
        info = self.info
        eeg = {"paced": str(int(info.paced)), "chunk_s": repr(info.chunk_s), "notes": json.dumps(info.notes)}
        with_faults = (*info.ch_names, *(f"{name} fault" for name in info.ch_names))
        layouts: dict[int, tuple[tuple[str, ...], str, str, dict[str, str]]] = {
            EEG: (info.ch_names, "float32", "microvolts", eeg),
            MARKERS: (("marker",), "string", "", {}),
            READINGS: (("reading",), "string", "", {"about": json.dumps(self._about)}),
            QUALITY: (with_faults, "float32", "", {"faults": json.dumps(FAULT_NAMES)}),
            GAPS: (("index", "lost", "unwritten"), "int64", "", {}),
            IMPEDANCE: (info.ch_names, "float32", "kiloohms", {}),
            FEEDBACK: (FEEDBACK_ROW, "float32", "", {}),
            ANNOUNCED: (("streams",), "string", "", {}),
            BODY: ((*COLUMNS, *(f"{name} why" for name in UNITS)), "float32", "", {"whys": json.dumps(WHYS)}),
        }
        names, form, unit, own = layouts[stream]
        name, kind, rate = NAMES[stream], NAMES[stream].capitalize(), 0.0
        ours = {"virtual": str(int(info.virtual)), **own}
        desc: dict[str, xdf.Node] = {"manufacturer": "realtime_mood", "realtime_mood": ours}
        if stream == EEG:
            name, kind, rate = info.name or "EEG", "EEG", info.sfreq
            desc["reference"] = {"label": info.reference}
            # Stamps are smooth already, and a fit through them would hide the gaps.
            desc["synchronization"] = {"can_drop_samples": "true"}
        desc["channels"] = {"channel": [_channel(name, UNITS.get(name, unit), kind) for name in names]}
        channel: dict[str, xdf.Node] = {
            "name": name,
            "type": kind,
            "channel_count": str(len(names)),
            "nominal_srate": repr(float(rate)),
            "channel_format": form,
            "created_at": repr(self._begun),
            "desc": desc,
        }
        # Without a clock offset readers cannot tell that the streams share a clock.
        return xdf.stream_header(stream, channel) + xdf.clock_offset(stream, self._begun)

    def _aux_header(self, stream: int, info: AuxInfo) -> bytes:
        """The header of a stream beside the EEG, with all that its sender says about it."""
        names = zip(info.ch_names, info.units, strict=True)
        channels = [{"label": name, "unit": unit, "type": info.type} for name, unit in names]
        header: dict[str, xdf.Node] = {
            "name": info.name,
            "type": info.type,
            "channel_count": str(info.n_chans),
            "nominal_srate": repr(info.sfreq),
            "channel_format": info.format,
            "source_id": info.source_id,
            "hostname": info.host,
            "created_at": repr(self._begun),
            "realtime_mood": {"role": IN_MARKERS if info.in_markers else BESIDE},
        }
        ours: dict[str, xdf.Node] = {"realtime_mood": {"virtual": str(int(info.virtual))}}
        desc: dict[str, xdf.Node] = {**ours, "channels": {"channel": channels}}
        return xdf.stream_header(stream, header, info.desc or xdf.xml({"desc": desc}))


def _channel(name: str, unit: str, kind: str) -> xdf.Tree:
    channel: dict[str, xdf.Node] = {"label": name, "unit": unit, "type": kind}
    if kind == "EEG":
        at = montage.positions()[name]
        channel["location"] = {axis: f"{HEAD_MM * x:.1f}" for axis, x in zip("XYZ", at, strict=True)}
    return channel


def exact(emission: Emission) -> dict[str, object]:
    """One reading at full precision: the fields of the JSON output, and the faults of its electrodes."""
    reading, quality, eye = emission.reading, emission.reading.quality, emission.reading.eye
    faults = quality.faults if quality else ()
    return as_dict(emission) | {
        "probs": None if reading.probs is None else [float(p) for p in reading.probs],
        "confidence": float(reading.confidence) if isinstance(reading, Estimate) else None,
        "quality": None if quality is None else quality.overall,
        "coverage": float(reading.coverage),
        **({} if eye is None or eye.features is None else {"eye": [float(f"{z:.9g}") for z in eye.features]}),
        "faults": {name: fault.value for name, fault in zip(emission.info.ch_names, faults, strict=False) if fault},
    }
