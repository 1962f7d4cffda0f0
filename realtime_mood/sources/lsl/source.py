"""LSL source: finds an EEG stream by name, opens it, and recognises the same stream after it was lost."""

from __future__ import annotations

import threading
import time
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import numpy as np

from ... import clock, liblsl
from ...errors import SourceNotFound, StreamMismatch
from ...types import StreamInfo
from ..channels import check_count, choose_channels
from ..timing.rate import real_rate, usual_rate
from ..units import NARROW, check_spread, microvolts, scales, spread
from ..url import with_options
from .info import MOST_CHANS, MOST_HZ, LslOptions, channels_of, described, is_chosen, is_virtual, urls_of
from .stream import PULL_S, Inlet, LslStream, Pull, listen

LATE_TWIN_S = 0.6
"""How long to search on once a stream has answered (s): queries are 0.5 s apart, and no twin may be missed."""
FIND_S, ANSWER_S, LIVE_S = 0.7, 0.3, 0.6
"""While it is lost: how long to search, to wait for an answer, and for a sample (s). The library asks known peers only
after 0.5 s, the only way that works where many streams share one address."""
GUESS_HZ = 250.0  # assumed rate (Hz) of a stream that states none, until it is measured
CORRECTION_S = 1.0  # how long measuring the offset of its clock may take (s)
CLOCKS_S = 1.0  # a stream that began this long (s) before our last sample existed beside ours


class _Metadata(NamedTuple):
    """Metadata by which a lost stream is recognised."""

    name: str
    type: str
    source_id: str
    host: str
    n_chans: int
    sfreq: float


class LslSource:
    """A stream on the network, by its name; an empty one means the only EEG stream."""

    Options = LslOptions
    exclusive = False

    def __init__(self, stream_name: str, options: LslOptions | None = None) -> None:
        self.stream_name, self.options = stream_name, options or LslOptions()
        self.name = f"lsl://{stream_name}"
        self._off = threading.Event()
        self._opened: tuple[_Metadata, list[tuple[str, str, str]]] | None = None  # with (label, unit, type) by channel
        self._columns, self._scale = np.empty(0, int), np.empty(0, np.float32)
        self._streams: WeakValueDictionary[str, LslStream] = WeakValueDictionary()
        self._last: LslStream | None = None
        self._is_own: dict[str, bool] = {}  # by uid: whether it is our stream's outlet, once known

    def open(self) -> LslStream:
        """Raises `SourceNotFound` or `StreamMismatch`."""
        self._off.clear()
        found = self._resolve()
        announced = self._usable(found)
        try:
            inlet = Inlet(found, announced, self.options.timeout, self._off)
        except SourceNotFound:
            problem = f"announced but does not answer: {described(found)}"
            raise SourceNotFound(self.name, problem, "restart its sender, check the firewall") from None
        try:
            if not found.nominal_srate() > 0 and self.options.sfreq is None:
                raise self._without_rate(inlet)
            stream = self._understood(inlet, announced)
        except BaseException:
            inlet.close()
            raise
        self._opened = _metadata(found), channels_of(inlet.full)
        self._is_own.clear()
        self._keep(found, stream)
        return stream

    def reopen(self, info: StreamInfo) -> LslStream:
        """Open the same stream again, once a live sample was seen: with the same name, type and other metadata.

        A stream that existed beside it is another one, regardless of its metadata. Raises `SourceNotFound` where it is
        not there or sends nothing, `StreamMismatch` where a similar stream answers that is another one.
        """
        if self._opened is None:
            raise SourceNotFound(self.name, "not there", "start it again")
        was, channels = self._opened
        there: list[Any] = []
        same: list[Any] = []
        new: list[Any] = []
        resolver, deadline = liblsl.pylsl().ContinuousResolver(), clock.now() + FIND_S
        # Without a source_id a twin may answer too, which must not be missed.
        while clock.now() < deadline and not self._off.is_set() and not (new and was.source_id):
            time.sleep(0.02)
            there = resolver.results()
            same = [found for found in there if _metadata(found) == was and self._may_be_own(found)]
            new = [found for found in same if found.uid() not in self._streams]
        if len(new) > 1 and len(new := [found for found in new if self._is_own_by_age(found)]) > 1:
            several = "; ".join(described(found) for found in new)
            raise StreamMismatch(self.name, f"{len(new)} streams answer: {several}", "stop all but the original one")
        wrong = ""
        for found in new or same:
            try:
                return self._again(found, info, channels)
            except StreamMismatch as error:
                wrong = error.found
        alike = f", not {self.options.uid}" if self.options.uid else ", there before"
        wrong = wrong or "; ".join(
            f"{described(found, with_host=True)}{alike * (_metadata(found) == was)}"
            for found in there
            if found not in same and _resembles(_metadata(found), was)
        )
        if wrong:
            raise StreamMismatch(self.name, f"another stream: {wrong}", "start the original one, or restart the run")
        raise SourceNotFound(self.name, "not there", "start it again")

    def cancel(self) -> None:
        """Make an `open` or `reopen` in progress give up soon; called from any thread."""
        self._off.set()

    def _again(self, found: Any, info: StreamInfo, channels: list[tuple[str, str, str]]) -> LslStream:
        """Connect to a similar stream; `StreamMismatch` if it is another, `SourceNotFound` if it sends nothing."""
        inlet = Inlet(found, found.nominal_srate() or info.sfreq, ANSWER_S, self._off)
        try:
            if (described_now := channels_of(inlet.full)) != channels:
                now, before = (" ".join(label for label, _, _ in each) for each in (described_now, channels))
                raise StreamMismatch(self.name, f"its channels are {now} and were {before}")
            pull, deadline = None, clock.now() + LIVE_S
            while pull is None and clock.now() < deadline and not self._off.is_set():
                pull = inlet.pull(PULL_S)
            open_one = self._streams.get(found.uid())
            if pull is None or (open_one is not None and open_one.is_heard(PULL_S)):
                raise SourceNotFound(self.name, "it sends nothing new")
            if not self._judge(inlet):
                raise StreamMismatch(self.name, f"{described(found, with_host=True)}, there before")
            stream = LslStream(inlet, info, self._columns, self._scale, [pull])
        except BaseException:
            inlet.close()
            raise
        self._keep(found, stream)
        return stream

    def _keep(self, found: Any, stream: LslStream) -> None:
        self._streams[found.uid()] = self._last = stream
        self._is_own[found.uid()] = True

    def _may_be_own(self, found: Any) -> bool:
        """Whether an outlet with our metadata is not known to be another one."""
        return self._is_own.get(found.uid(), self.options.uid is None)

    def _is_own_by_age(self, found: Any) -> bool:
        inlet = Inlet(found, GUESS_HZ, ANSWER_S, self._off)
        try:
            self._judge(inlet, CORRECTION_S)
        finally:
            inlet.close()
        return self._may_be_own(found)

    def _judge(self, inlet: Inlet, timeout: float = ANSWER_S) -> bool:
        """Whether an outlet was created after our last sample; one that existed beside ours is another."""
        uid, last = inlet.full.uid(), self._last
        if uid not in self._is_own and last is not None and (began := inlet.began(timeout)) is not None:
            self._is_own[uid] = began > last.heard - CLOCKS_S
        return self._is_own.get(uid, True)

    def _resolve(self) -> Any:
        """The one stream that the URL selects."""
        resolver = liblsl.pylsl().ContinuousResolver()
        deadline, seen = clock.now() + self.options.timeout, []
        while clock.now() < deadline and not self._off.is_set():
            time.sleep(0.02)
            seen = resolver.results()
            if any(self.options.type or stream.type().lower() == "eeg" for stream in self._meant(seen)):
                deadline = min(deadline, clock.now() + (0.0 if self.options.uid else LATE_TWIN_S))
        meant = self._meant(resolver.results() or seen)
        if len(meant) == 1:
            return meant[0]
        if meant:
            several = "; ".join(described(stream) for stream in meant)
            urls = urls_of(self.name, meant)
            raise SourceNotFound(self.name, f"{len(meant)} streams answer: {several}", f"choose one: {urls}")
        there = "; ".join(described(stream) for stream in seen) or "no stream at all"
        problem = f"within {self.options.timeout:g} s the network shows {there}"
        raise SourceNotFound(self.name, problem, "start it, or correct the name")

    def _meant(self, streams: list[Any]) -> list[Any]:
        want = self.options
        named = [stream for stream in streams if is_chosen(stream, self.stream_name, want)]
        eeg = [stream for stream in named if stream.type().lower() == "eeg"]
        return eeg if want.type is None and (eeg or not self.stream_name) else named

    def _usable(self, found: Any) -> float:
        """The expected rate (Hz) of a stream that can be EEG."""
        shown, announced = described(found), float(found.nominal_srate())
        if found.channel_format() == liblsl.pylsl().cf_string:
            raise StreamMismatch(self.name, f"it sends text: {shown}", "choose a stream of numbers")
        if found.channel_count() > MOST_CHANS or announced > MOST_HZ:
            do = f"up to {MOST_CHANS} channels and {MOST_HZ:g} Hz can be read"
            raise StreamMismatch(self.name, f"larger than any EEG: {shown}", do)
        return announced if announced > 0 else self.options.sfreq or GUESS_HZ

    def _without_rate(self, inlet: Inlet) -> StreamMismatch:
        """The error for a stream that states no rate, with the measured one."""
        _, rate = listen(inlet, self._off, measure=True, least=0)
        found, do = "it has no regular rate", "choose a stream of EEG samples, or give sfreq="
        if rate is not None and 1.0 <= rate.sfreq <= MOST_HZ:
            sfreq = f"{usual_rate(rate):g}"
            found, do = f"{found}, measured {sfreq} Hz", f"open {with_options(self.name, {'sfreq': sfreq})}"
        return StreamMismatch(self.name, f"{found}: {described(inlet.full)}", do)

    def _understood(self, inlet: Inlet, announced: float) -> LslStream:
        """Interpret the stream's metadata and its first samples."""
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
            virtual=is_virtual(full),
            chunk_s=max(PULL_S, max(1, round(PULL_S * announced)) / sfreq),
            notes=chosen.notes + ((odd,) if odd else ()),
        )
        return LslStream(inlet, info, self._columns, self._scale, pulls)

    def _check_unit(self, pulls: list[Pull], units: list[str], sfreq: float) -> None:
        """Accept numbers without a known unit as µV if that makes them plausible EEG."""
        stated = next((unit for unit in units if unit), "")
        written = f"its unit is {stated!r}" if stated else "it names no unit"
        data = np.concatenate([pull.data[:, self._columns] for pull in pulls]) if pulls else np.empty((0, 1))
        moves = spread(data.astype(np.float32) * self._scale, sfreq) if len(data) else None
        if moves is None:
            raise StreamMismatch(self.name, f"{written}, and its signal is constant", "give it with units=uV|mV|V")
        check_spread(self.name, moves, NARROW, f"{written}; taken as µV", float(self._scale[0]))


def _metadata(found: Any) -> _Metadata:
    names = found.name(), found.type(), found.source_id(), found.hostname()
    return _Metadata(*names, found.channel_count(), found.nominal_srate())


def _resembles(found: _Metadata, was: _Metadata) -> bool:
    return found[:2] == was[:2] or (bool(was.source_id) and found.source_id == was.source_id)
