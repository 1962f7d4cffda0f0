"""Synthetic source: a simulated subject as a stream, in real time or as fast as it is read."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from ... import clock, montage
from ...auxiliary import AuxChunk, AuxInfo
from ...contracts import Stream
from ...errors import ConfigError, SourceNotFound, StreamEnded
from ...types import Chunk, Marker, StreamInfo
from ..faults.headset import Headset, Truth
from ..faults.script import FaultScript
from ..faults.stream import FaultyStream, Rehearsal
from ..url import FiniteOptions, Names
from .beside import BesideStreams, VirtualSignals
from .person import CuedScript, Script, VirtualPerson

CHUNK_S = 0.04


class SyntheticOptions(FiniteOptions):
    """Options after ``synthetic://?``."""

    subject: int = Field(3, ge=0, lt=2**32)  # number of the simulated subject; the same number gives the same signal
    sfreq: float = Field(256.0, ge=100, le=4096)
    # number of electrodes, from `montage.SPREAD`; 32 if neither this nor `channels` is given
    n_chans: int | None = Field(None, ge=4, le=64)
    channels: Names = ()  # 10-05 names, instead of `n_chans`
    script: str | None = None  # ``STATE:SECONDS,…``. A given script plays once; the default one repeats.
    loop: bool | None = None
    difficulty: Literal["easy", "medium", "hard", "none"] = "medium"
    body: bool = True  # whether it carries gaze, pulse, skin conductance, respiration and acceleration beside the EEG
    faults: str = ""  # script of faults: ``KIND[:VALUE][:ELECTRODE…][@START[-END]],…``; the kinds are `faults.FAULTS`


class SyntheticSource:
    """The headset of a simulated subject; `target`, the text between ``synthetic://`` and ``?``, must be empty.

    Raises `ConfigError` for a target, unknown electrodes, too few or too many of them, a unit other than µV, or a
    broken script.
    """

    Options = SyntheticOptions
    exclusive = False
    name = "synthetic://"

    def __init__(self, target: str, options: SyntheticOptions) -> None:
        asked = "a synthetic source"
        if target.strip("/"):
            found = f"{target!r} before the ?"
            raise ConfigError(f"source 'synthetic://{target}'", found, "write synthetic://?subject=3&…")
        if options.units not in (None, "uV"):
            raise ConfigError(asked, f"units={options.units}", "leave it out: the signal is in microvolts")
        self.options, self.ch_names = options, _electrodes(options)
        dropped = {montage.canonical_name(name) or name for name in options.drop}
        if unknown := dropped - set(self.ch_names):
            found = f"no {', '.join(sorted(unknown))} here"
            raise ConfigError(f"drop={','.join(options.drop)}", found, "drop what there is")
        self.columns = [k for k, name in enumerate(self.ch_names) if name not in dropped]
        if len(self.columns) < 4:
            raise ConfigError(asked, f"{len(self.columns)} channels", "keep at least 4")
        loop = options.script is None if options.loop is None else options.loop
        self.script: Script | CuedScript = Script(loop=loop)
        if options.script is not None:
            self.script = Script.parse(options.script, loop)
        ch_names = [self.ch_names[k] for k in self.columns]
        self.faults = FaultScript.parse(options.faults, ch_names) if options.faults else None
        self._stream: FaultyStream | None = None

    @property
    def truth(self) -> Truth | None:
        """True fate of the samples since it was opened; None without faults."""
        return self._stream.rehearsal.headset.truth if self._stream else None

    def follow(self) -> Callable[[str], None] | None:
        """Let the caller set the subject's state from the next `open` on; return the function that sets it.

        None where a script was given, which is played instead.
        """
        if self.options.script is not None:
            return None
        script = self.script = CuedScript("rest")
        return script.lead

    def open(self) -> Stream:
        """Open the stream; the signal starts from its first sample every time."""
        if self.faults is None:
            return SyntheticStream(self, self.options.speed)
        self._stream = FaultyStream(self._rehearsal(self.faults))
        if self.faults.of("announce"):
            self._stream.measure()
        return self._stream

    def person(self) -> VirtualPerson:
        """The subject, before its first sample."""
        options = self.options
        return VirtualPerson(options.subject, self.ch_names, options.sfreq, self.script, options.difficulty)

    def streams(self, signals: VirtualSignals) -> BesideStreams | None:
        """The streams beside the EEG of one connection; None where they are left out."""
        source_id = f"virtual-person-{self.options.subject}"
        return BesideStreams(signals, self.name, source_id) if self.options.body else None

    def _rehearsal(self, script: FaultScript) -> Rehearsal:
        options, clean = self.options, SyntheticStream(self, math.inf)
        headset = Headset(clean, script, options.subject)
        paced = math.isfinite(options.speed)
        chunk_s = headset.n_packet / options.sfreq / (options.speed if paced else 1.0)
        sfreq = next((fault.value for fault in reversed(script.of("announce"))), options.sfreq)
        info = replace(clean.info, sfreq=sfreq, paced=paced, chunk_s=chunk_s, speed=options.speed)
        return Rehearsal(headset, info, options.speed, lambda: self.streams(clean.signals))

    def reopen(self, info: StreamInfo) -> Stream:
        """Reconnect after the simulated headset has disappeared and returned, in the same session.

        Raises `SourceNotFound` where it has not disappeared or not returned, `StreamMismatch` where another answers.
        """
        if self._stream is None:
            raise SourceNotFound("a synthetic source", "it is never lost", "remove faults=, or include a kill fault")
        self._stream = FaultyStream(self._stream.rehearsal, self._stream.rehearsal.rejoin(self._stream.session))
        return self._stream


def _electrodes(options: SyntheticOptions) -> tuple[str, ...]:
    if not options.channels:
        return tuple(montage.SPREAD[: options.n_chans or 32])
    names = tuple(montage.canonical_name(label) or "" for label in options.channels)
    asked = f"channels={','.join(options.channels)}"
    if "" in names:
        wrong = options.channels[names.index("")]
        raise ConfigError(asked, f"{wrong!r} is not a 10-05 electrode", "use names like Fp1, Cz, O2")
    if len(set(names)) < len(names):
        raise ConfigError(asked, "an electrode twice", "name each once")
    if not 4 <= len(names) <= 64 or options.n_chans not in (None, len(names)):
        do = f"name {options.n_chans or '4 to 64'} of them, or leave n_chans out"
        raise ConfigError(asked, f"{len(names)} channels", do)
    return names


class SyntheticStream:
    """The stream of a simulated subject. The first n samples are due n / (sfreq · speed) after opening: no drift."""

    def __init__(self, source: SyntheticSource, speed: float) -> None:
        options = source.options
        self._person = source.person()
        self.signals = VirtualSignals(self._person)
        self._streams, self._carried = source.streams(self.signals), 0
        self._columns, self._per_s = source.columns, options.sfreq * speed
        self._chunk = max(1, round(options.sfreq * min(1.0, CHUNK_S * speed)))
        self._n_samples = source.script.n_samples(options.sfreq)
        self._sent, self._state, self._closed = 0, "", threading.Event()
        paced = math.isfinite(speed)
        self.info = StreamInfo(
            tuple(source.ch_names[k] for k in source.columns),
            options.sfreq,
            f"virtual person {options.subject}",
            options.reference or "infinity",
            virtual=True,
            paced=paced,
            chunk_s=self._chunk / (self._per_s if paced else options.sfreq),
            speed=speed,
        )
        self._speed, self._start = speed if paced else 1.0, clock.now()
        self._zero = self._start  # of the stamps of a sender in real time, as the recorder stamps the EEG

    def read(self, timeout: float) -> Chunk | None:
        """The next chunk once it is due, None if it is not within `timeout` s; `StreamEnded` after the last sample."""
        n = self._chunk if self._n_samples is None else min(self._chunk, self._n_samples - self._sent)
        if n <= 0:
            raise StreamEnded("synthetic script", f"over after {self._sent} samples", "loop=1 repeats it")
        due = self._start + (self._sent + n) / self._per_s
        early = due - clock.now() if self.info.paced else 0.0
        if early > 0:
            self._closed.wait(min(early, timeout))
        if self._closed.is_set() or early > timeout:
            return None
        first, self._sent = self._sent, self._sent + n
        data = self._person.take(n)[:, self._columns]
        stamp = due if self.info.paced else clock.now()
        if not first:
            self._zero = stamp - n / self.info.sfreq
            self._start = self._start if self.info.paced else self._zero
        return Chunk(data, first, stamp, markers=self._changes(first, self._sent))

    def beside(self) -> Sequence[tuple[AuxInfo, AuxChunk]]:
        """As in `Carrying`. What is sent faster than real time is stamped by the sender as if it was not."""
        if self._streams is None or self._carried == self._sent:
            return ()
        first, self._carried = self._carried, self._sent
        return self._streams.take(first, self._sent, self._when)

    def _when(self, stream_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._start + stream_s / self._speed, self._zero + stream_s

    def _changes(self, first: int, end: int) -> tuple[Marker, ...]:
        markers = []
        for index in self._person.script.begins(first, end, self.info.sfreq):
            state = self._person.state_at(index)
            if state != self._state:
                markers.append(Marker(index, state))
            self._state = state
        return tuple(markers)

    def close(self) -> None:
        """Close the stream; a waiting `read` returns."""
        self._closed.set()
