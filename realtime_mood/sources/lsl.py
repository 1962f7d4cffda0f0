"""Turns a name on the Lab Streaming Layer into an open stream of EEG, and into the same one again after it was away."""

from __future__ import annotations

import threading
import time
from typing import Annotated, Any, NamedTuple
from weakref import WeakValueDictionary

import numpy as np
from pydantic import AfterValidator, Field

from .. import clock, liblsl
from ..errors import SourceNotFound, StreamMismatch
from ..types import StreamInfo
from .channels import check_count, choose_channels
from .lsl_stream import PULL_S, Inlet, LslStream, Pull, listen
from .rate import real_rate
from .units import NARROW, check_spread, microvolts, scales, spread
from .url import CommonOptions

LATE_TWIN_S = 0.6
"""How long to look on once a stream has answered: the library asks in waves 0.5 s apart, and no twin must be missed."""
FIND_S, ANSWER_S, LIVE_S = 0.7, 0.3, 0.6
"""While it is away: how long to ask who is there, to wait for an answer, and for a sample. The library asks known peers
only after 0.5 s, which is all that works where many share one address."""
MOST_CHANS, MOST_HZ = 4096, 100_000.0


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
    sfreq: Annotated[float, Field(gt=0, le=MOST_HZ)] | None = None
    """The sampling rate (Hz), where the stream says it wrongly or not at all; measured where it is not given."""


class _Identity(NamedTuple):
    """What makes a stream that answers the one that went away."""

    name: str
    type: str
    source_id: str
    n_chans: int
    sfreq: float
    channels: tuple[tuple[str, str, str], ...] = ()
    """Label, unit and type of each; known only once it has been asked."""


class LslSource:
    """A stream on the network.

    Parameters
    ----------
    stream_name : str
        The name it is announced under; empty for the only EEG stream there is.
    options : LslOptions
    """

    exclusive = False

    def __init__(self, stream_name: str, options: LslOptions | None = None) -> None:
        self.stream_name, self.options = stream_name, options or LslOptions()
        self.name = f"lsl://{stream_name}"
        self._off = threading.Event()
        self._was: _Identity | None = None
        self._columns, self._scale = np.empty(0, int), np.empty(0, np.float32)
        self._streams: WeakValueDictionary[str, LslStream] = WeakValueDictionary()

    def open(self) -> LslStream:
        """Raises `SourceNotFound` or `StreamMismatch`."""
        self._off.clear()
        found = self._resolve()
        announced = self._usable(found)
        try:
            inlet = Inlet(found, announced, self.options.timeout, self._off)
        except SourceNotFound:
            raise SourceNotFound(
                self.name,
                f"announced but does not answer: {described(found)}",
                "restart what sends it, look at the firewall",
            ) from None
        try:
            stream = self._understood(inlet, announced)
        except BaseException:
            inlet.close()
            raise
        self._was = _Identity(*_named(found), channels=tuple(channels_of(inlet.full)))
        self._streams[found.uid()] = stream
        return stream

    def reopen(self, info: StreamInfo) -> LslStream:
        """The same stream, of which a live sample was seen: of the same name and type, and then all the rest.

        Raises
        ------
        SourceNotFound
            It is not there, or sends nothing.
        StreamMismatch
            Something answers that could be taken for it, and is another.
        """
        was = self._was
        there: list[Any] = []
        same: list[Any] = []
        new: list[Any] = []
        resolver, deadline = liblsl.pylsl().ContinuousResolver(), clock.now() + FIND_S
        # Without a source_id a twin may answer as well, which must not be missed.
        while clock.now() < deadline and not self._off.is_set() and not (new and was and was.source_id):
            time.sleep(0.02)
            there = resolver.results()
            same = [found for found in there if was and _named(found) == was[:-1]]
            new = [found for found in same if found.uid() not in self._streams]
        if len(new) > 1:
            several = "; ".join(described(found) for found in new)
            raise StreamMismatch(self.name, f"{len(new)} streams answer: {several}", "stop all but the one it was")
        wrong = ""
        for found in new or same:
            try:
                return self._again(found, info)
            except StreamMismatch as error:
                wrong = error.found
        wrong = wrong or "; ".join(
            described(found) for found in there if was and found not in same and _like(found, was)
        )
        if wrong:
            raise StreamMismatch(self.name, f"another stream: {wrong}", "start the one it was, or start anew")
        raise SourceNotFound(self.name, "not there", "start it again")

    def cancel(self) -> None:
        """From any thread: an `open` or `reopen` that is under way gives up soon."""
        self._off.set()

    def _again(self, found: Any, info: StreamInfo) -> LslStream:
        """Connect to what looks the same; `StreamMismatch` where it is not, `SourceNotFound` where nothing comes."""
        assert self._was is not None
        inlet = Inlet(found, self._was.sfreq or info.sfreq, ANSWER_S, self._off)
        try:
            channels = tuple(channels_of(inlet.full))
            if channels != self._was.channels:
                now, before = (" ".join(label for label, _, _ in it) for it in (channels, self._was.channels))
                raise StreamMismatch(self.name, f"its channels are {now} and were {before}")
            pull, deadline = None, clock.now() + LIVE_S
            while pull is None and clock.now() < deadline and not self._off.is_set():
                pull = inlet.pull(PULL_S)
            before_it = self._streams.get(found.uid())
            if pull is None or (before_it is not None and before_it.is_heard(PULL_S)):
                raise SourceNotFound(self.name, "it sends nothing new")
            stream = LslStream(inlet, info, self._columns, self._scale, [pull])
        except BaseException:
            inlet.close()
            raise
        self._streams[found.uid()] = stream
        return stream

    def _resolve(self) -> Any:
        """The one stream that is meant."""
        pylsl = liblsl.pylsl()

        resolver = pylsl.ContinuousResolver()
        deadline, seen = clock.now() + self.options.timeout, []
        while clock.now() < deadline and not self._off.is_set():
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

    def _usable(self, found: Any) -> float:
        """The rate to expect (Hz), of a stream that can be EEG."""
        shown, announced = described(found), float(found.nominal_srate())
        if found.channel_format() == liblsl.pylsl().cf_string:
            raise StreamMismatch(self.name, f"it sends text: {shown}", "choose a stream of numbers")
        if not announced > 0 and self.options.sfreq is None:
            raise StreamMismatch(
                self.name, f"it has no regular rate: {shown}", "choose a stream of EEG samples, or say sfreq="
            )
        if found.channel_count() > MOST_CHANS or announced > MOST_HZ:
            raise StreamMismatch(
                self.name,
                f"larger than any EEG: {shown}",
                f"up to {MOST_CHANS} channels and {MOST_HZ:g} Hz can be read",
            )
        return announced if announced > 0 else self.options.sfreq or 0.0

    def _understood(self, inlet: Inlet, announced: float) -> LslStream:
        """What the stream says of itself, and what its first samples say."""
        full, desc, options = inlet.full, inlet.full.desc(), self.options
        channels = check_count(channels_of(full), full.channel_count(), options, self.name)
        chosen = choose_channels(
            [label for label, _, _ in channels],
            [kind.lower() in ("", "eeg") for _, _, kind in channels],
            options,
            self.name,
            reference=desc.child("reference").child_value("label"),
            units=[unit for _, unit, _ in channels],
        )
        self._columns = np.array(chosen.columns)
        units = [channels[i][1] for i in chosen.columns]
        scale, stated = scales(self.name, units) if not options.units else (microvolts(options.units), True)
        self._scale = np.full(len(units), scale, np.float32)
        pulls, rate = listen(inlet, self._off, measure=options.sfreq is None, least=0 if stated else round(announced))
        sfreq, odd = real_rate(announced, rate) if options.sfreq is None else (options.sfreq, "")
        if not stated:
            self._check_unit(pulls, units, sfreq)
        info = StreamInfo(
            ch_names=chosen.ch_names,
            sfreq=sfreq,
            name=full.name(),
            reference=chosen.reference,
            virtual=desc.child("realtime_mood").child_value("virtual") == "1",
            chunk_s=max(PULL_S, max(1, round(PULL_S * announced)) / sfreq),
            notes=chosen.notes + ((odd,) if odd else ()),
        )
        return LslStream(inlet, info, self._columns, self._scale, pulls)

    def _check_unit(self, pulls: list[Pull], units: list[str], sfreq: float) -> None:
        """Numbers without a known unit are µV where that makes them look like EEG."""
        said = next((unit for unit in units if unit), "")
        written = f"its unit is {said!r}" if said else "it names no unit"
        data = np.concatenate([pull.data[:, self._columns] for pull in pulls]) if pulls else np.empty((0, 1))
        moves = spread(data.astype(np.float32) * self._scale, sfreq) if len(data) else None
        if moves is None:
            raise StreamMismatch(self.name, f"{written}, and its signal does not move", "say it with units=uV|mV|V")
        check_spread(self.name, moves, NARROW, f"{written}; taken as µV", float(self._scale[0]))


def channels_of(info: Any) -> list[tuple[str, str, str]]:
    """(label, unit, type) of each channel that a stream describes; ``""`` where it says nothing."""
    told: list[tuple[str, str, str]] = []
    channel = info.desc().child("channels").child("channel")
    while not channel.empty() and len(told) < MOST_CHANS:
        label = channel.child_value("label") or channel.child_value("name")
        told.append((label.strip(), channel.child_value("unit").strip(), channel.child_value("type").strip()))
        channel = channel.next_sibling("channel")
    return told


def described(info: Any) -> str:
    """One stream in words, for lists and messages."""
    name, kind, source_id = info.name(), info.type() or "no type", info.source_id() or "none"
    return f"{name!r} ({kind}, source_id {source_id}, {info.channel_count()} ch, {info.nominal_srate():g} Hz)"


def _named(found: Any) -> tuple[str, str, str, int, float]:
    return found.name(), found.type(), found.source_id(), found.channel_count(), found.nominal_srate()


def _like(found: Any, was: _Identity) -> bool:
    """Whether a person might take it for the stream that went away."""
    return (found.name(), found.type()) == (was.name, was.type) or (
        bool(was.source_id) and found.source_id() == was.source_id
    )
