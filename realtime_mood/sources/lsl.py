"""Turns a stream of the Lab Streaming Layer into chunks of counted, smoothly stamped EEG."""

from __future__ import annotations

import time
from collections import deque
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field

from .. import clock
from ..errors import SourceLost, SourceNotFound, StreamMismatch
from ..types import Chunk, StreamInfo
from . import liblsl
from .channels import choose_channels
from .timing import SampleClock
from .units import MICROVOLTS, NARROW, check_spread, spread, unit_name
from .url import CommonOptions

PULL_S = 0.02
"""A pull waits for this much signal: it bounds the wake-ups a second, and what batching adds to the age of a sample."""
BUFFER_S = 60
"""Seconds the library keeps for us while nobody reads."""
LATE_TWIN_S = 0.6
"""How long to look on once a stream has answered: the library asks in waves 0.5 s apart, and no twin must be missed."""
FOREIGN_S = 60.0
"""Stamps further than this from our clock are on another one (Unix time, a device's own) and are moved by an offset."""


def _positive(value: float) -> float:
    if not 0 < value <= 600:
        raise ValueError("must be more than 0 and at most 600 s")
    return value


class LslOptions(CommonOptions):
    """What may stand after ``lsl://NAME?``."""

    type: str | None = None
    """The stream's content type; EEG is preferred when it is not given."""
    source_id: str | None = None
    timeout: Annotated[float, Field(default=5.0), AfterValidator(_positive)] = 5.0
    """How long to look for the stream (s)."""


class LslSource:
    """A stream on the network.

    Parameters
    ----------
    stream_name : str
        The name it is announced under; empty for the only EEG stream there is.
    options : LslOptions
    """

    def __init__(self, stream_name: str, options: LslOptions | None = None) -> None:
        self.stream_name, self.options = stream_name, options or LslOptions()
        self.name = f"lsl://{stream_name}"

    def open(self) -> LslStream:
        """Raises `SourceNotFound` or `StreamMismatch`."""
        pylsl = liblsl.pylsl()

        found = self._resolve()
        shown = described(found)
        if found.channel_format() == pylsl.cf_string:
            raise StreamMismatch(self.name, f"it sends text: {shown}", "choose a stream of numbers")
        if found.nominal_srate() <= 0:
            raise StreamMismatch(self.name, f"it has no regular rate: {shown}", "choose a stream of EEG samples")
        inlet = pylsl.StreamInlet(found, max_buflen=BUFFER_S, recover=False, processing_flags=pylsl.proc_clocksync)
        try:
            full = inlet.info(timeout=self.options.timeout)
            inlet.open_stream(timeout=self.options.timeout)
        except (pylsl.util.TimeoutError, pylsl.util.LostError):
            raise SourceNotFound(
                self.name, f"announced but does not answer: {shown}", "restart what sends it, look at the firewall"
            ) from None
        return LslStream(inlet, full, self.options, self.name)

    def _resolve(self) -> Any:
        """The one stream that is meant."""
        pylsl = liblsl.pylsl()

        resolver = pylsl.ContinuousResolver()
        deadline, seen = clock.now() + self.options.timeout, []
        while clock.now() < deadline:
            time.sleep(0.02)
            seen = resolver.results()
            if any(self.options.type or stream.type().lower() == "eeg" for stream in self._meant(seen)):
                deadline = min(deadline, clock.now() + (0.0 if self.options.source_id else LATE_TWIN_S))
        meant = self._meant(resolver.results() or seen)
        if len(meant) == 1:
            return meant[0]
        if meant:
            several = "; ".join(described(stream) for stream in meant)
            raise SourceNotFound(self.name, f"{len(meant)} streams answer: {several}", "say which with source_id=…")
        there = "; ".join(described(stream) for stream in seen) or "no stream at all"
        raise SourceNotFound(
            self.name, f"within {self.options.timeout:g} s the network shows {there}", "start it, or correct the name"
        )

    def _meant(self, streams: list[Any]) -> list[Any]:
        want = self.options
        named = [
            stream
            for stream in streams
            if (not self.stream_name or stream.name() == self.stream_name)
            and (want.source_id is None or stream.source_id() == want.source_id)
            and (want.type is None or stream.type().lower() == want.type.lower())
        ]
        eeg = [stream for stream in named if stream.type().lower() == "eeg"]
        return eeg if want.type is None and (eeg or not self.stream_name) else named


class LslStream:
    """An open inlet. Made by `LslSource.open`."""

    def __init__(self, inlet: Any, full: Any, options: LslOptions, name: str) -> None:
        pylsl = liblsl.pylsl()

        self._inlet: Any = inlet
        self._name, self._lost_error, self._local_clock = name, pylsl.util.LostError, pylsl.local_clock
        self._to_ours = clock.offset_to(pylsl.local_clock)
        self._to_local: float | None = None
        desc, described_channels = full.desc(), channels_of(full)
        self._columns, ch_names = choose_channels(
            [label for label, _, _ in described_channels],
            [kind.lower() in ("", "eeg") for _, _, kind in described_channels],
            options,
            name,
        )
        sfreq = full.nominal_srate()
        self._samples = SampleClock(sfreq)
        self._least = max(1, round(PULL_S * sfreq))
        self._buffer = np.empty((max(64, round(sfreq)), full.channel_count()), inlet.np_dtype)
        self._rows = np.empty((0, len(ch_names)), np.float32)
        self._ready: deque[Chunk] = deque()
        self._gone = False
        self._scale = self._scale_of([described_channels[i][1] for i in self._columns], options, ch_names, sfreq)
        self.info = StreamInfo(
            ch_names=ch_names,
            sfreq=sfreq,
            name=full.name(),
            reference=options.reference or desc.child("reference").child_value("label") or "unknown",
            virtual=desc.child("realtime_mood").child_value("virtual") == "1",
            chunk_s=max(PULL_S, self._least / sfreq),
        )

    @property
    def measured_sfreq(self) -> float:
        """The sampling rate by our clock (Hz)."""
        return self._samples.sfreq

    def read(self, timeout: float) -> Chunk | None:
        """The samples that arrived since the last call; None when there were none within `timeout` s.

        Raises
        ------
        SourceLost
            The sender is gone.
        """
        deadline = clock.now() + timeout
        while not self._ready:
            left = deadline - clock.now()
            if self._gone:
                raise SourceLost(self._name, "the stream has ended or its sender is gone", "start it again")
            self._pull(max(0.0, min(PULL_S, left)))
            if left <= 0 and not self._ready:
                return None
        return self._ready.popleft()

    def close(self) -> None:
        """Let go of the stream."""
        # Without its last reference the library drops the connection at once; asking it to close first may wait.
        self._inlet, self._gone = None, True

    def _pull(self, timeout: float) -> None:
        """Take in what has arrived, and pass on what the clock lets go."""
        inlet = self._inlet
        if inlet is None:
            return
        try:
            data, stamps = inlet.pull_chunk(
                timeout, len(self._buffer), self._buffer, min_samples=self._least, as_numpy=True
            )
        except self._lost_error:
            self._gone = True
            self._pass_on(self._samples.release())
            return
        arrived = self._local_clock()
        if len(stamps):
            if self._to_local is None:
                behind = arrived - float(stamps[-1])
                self._to_local = behind if abs(behind) > FOREIGN_S else 0.0
            rows = data[:, self._columns].astype(np.float32) * self._scale
            self._rows = np.concatenate((self._rows, rows)) if len(self._rows) else rows
            stamps = stamps + self._to_local
        self._pass_on(self._samples.feed(stamps, arrived))

    def _pass_on(self, pieces: list[Any]) -> None:
        end = self._samples.count - sum(piece.n + piece.lost for piece in pieces)
        now = clock.now()
        for piece in pieces:
            end += piece.lost + piece.n
            rows, self._rows = self._rows[: piece.n], self._rows[piece.n :]
            t_last = min(now, self._samples.stamp(end - 1) + self._to_ours)
            self._ready.append(Chunk(rows, end - piece.n, t_last, piece.lost))

    def _scale_of(self, units: list[str], options: LslOptions, ch_names: tuple[str, ...], sfreq: float) -> np.ndarray:
        """µV per number, channel by channel: as told, as the stream says, or µV where it looks like EEG."""
        if options.units:
            return np.full(len(ch_names), MICROVOLTS[options.units], np.float32)
        known = [unit_name(unit) for unit in units]
        if all(known):
            return np.array([MICROVOLTS[unit] for unit in known if unit], np.float32)
        self._scale = np.ones(len(ch_names), np.float32)
        first = self._first_second(sfreq)
        said = next((unit for unit, name in zip(units, known, strict=True) if unit and not name), "")
        written = f"its unit is {said!r}" if said else "it names no unit"
        if first is None or spread(first, sfreq) is None:
            raise StreamMismatch(self._name, f"{written}, and its signal does not move", "say it with units=uV|mV|V")
        check_spread(self._name, spread(first, sfreq), NARROW, f"{written}; taken as µV", 1.0)
        return self._scale

    def _first_second(self, sfreq: float) -> np.ndarray | None:
        """About a second of signal, which stays to be read."""
        deadline = clock.now() + 3.0
        while clock.now() < deadline and sum(len(chunk) for chunk in self._ready) < sfreq and not self._gone:
            self._pull(PULL_S)
        return np.concatenate([chunk.data for chunk in self._ready]) if self._ready else None


def channels_of(info: Any) -> list[tuple[str, str, str]]:
    """(label, unit, type) of each channel in a stream's XDF description; ``""`` where it says nothing."""
    told: list[tuple[str, str, str]] = []
    channel = info.desc().child("channels").child("channel")
    while not channel.empty() and len(told) < info.channel_count():
        label = channel.child_value("label") or channel.child_value("name")
        told.append((label.strip(), channel.child_value("unit").strip(), channel.child_value("type").strip()))
        channel = channel.next_sibling("channel")
    return told + [("", "", "")] * (info.channel_count() - len(told))


def described(info: Any) -> str:
    """One stream in words, for lists and messages."""
    name, kind, source_id = info.name(), info.type() or "no type", info.source_id() or "none"
    return f"{name!r} ({kind}, source_id {source_id}, {info.channel_count()} ch, {info.nominal_srate():g} Hz)"
