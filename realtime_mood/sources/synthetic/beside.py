"""What a simulated subject's headset carries beside the EEG: gaze, pulse, skin conductance, respiration, acceleration.

Sample ``j`` of a stream at ``r`` Hz is taken at the same time as sample ``j · sfreq / r`` of the EEG.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...auxiliary import AuxChunk, AuxInfo, SenderClock
from ...eyes.layout import SCREEN_DEG
from .blocks import BlockSignal
from .body import BREATH, PPG, SKIN, VirtualBody, beats_of
from .eyes import VirtualEyes
from .motion import VirtualMotion
from .person import VirtualPerson

GAZE_SFREQ = 120.0
LATENCY_S = 1.0  # from a change of the state to that of eyes and body: what was sent is never asked for again
SEEN = 0.98  # confidence of an open eye
UNEQUAL_MM = 0.05  # half the difference of the pupils

Floats = np.ndarray
Beside = list[tuple[AuxInfo, AuxChunk]]


class BesideLayout(NamedTuple):
    """Layout of one stream: every `every`-th sample of a signal (eyes 0, body 1, motion 2)."""

    name: str
    type: str
    ch_names: tuple[str, ...]
    units: tuple[str, ...]
    of: int
    every: int
    values: Callable[[Floats], Floats]


def gaze_of(rows: Floats) -> Floats:
    """Gaze from 0 to 1, from the top left, both pupils (mm), and confidence: (n, 5)."""
    seen = np.isfinite(rows[:, 2])
    pupils = rows[:, 2, None] + (UNEQUAL_MM, -UNEQUAL_MM)
    return np.column_stack([0.5 + rows[:, :2] / SCREEN_DEG, pupils, SEEN * seen])


LAYOUTS = (
    BesideLayout("gaze", "Gaze", ("x", "y", "pupil_left", "pupil_right", "confidence"),
                 ("normalized", "normalized", "mm", "mm", "normalized"), 0, 1, gaze_of),
    BesideLayout("ppg", "PPG", ("ppg",), ("",), 1, 1, lambda rows: rows[:, [PPG]]),
    BesideLayout("eda", "EDA", ("eda",), ("uS",), 1, 16, lambda rows: rows[:, [SKIN]]),
    BesideLayout("respiration", "Respiration", ("respiration",), ("",), 1, 2, lambda rows: rows[:, [BREATH]]),
    BesideLayout("acceleration", "ACC", ("x", "y", "z"), ("g", "g", "g"), 2, 1, lambda rows: rows[:, :3]),
)  # fmt: skip


class VirtualSignals:
    """Eyes at `gaze_sfreq` Hz, body and motion of a simulated subject, taken up to a sample of its EEG."""

    def __init__(self, person: VirtualPerson, gaze_sfreq: float = GAZE_SFREQ) -> None:
        self.sfreq = person.sfreq

        def state_at(time_s: float) -> str:
            return person.state_at(max(0, int((time_s - LATENCY_S) * person.sfreq)))

        self.eyes = VirtualEyes(person.subject, state_at, person.scale, gaze_sfreq)
        self.body, self.motion = VirtualBody(person.subject, state_at, person.scale), VirtualMotion(person.subject)
        self.taken = [0, 0, 0]

    @property
    def signals(self) -> tuple[BlockSignal, BlockSignal, BlockSignal]:
        """In the order of `BesideLayout.of`."""
        return self.eyes, self.body, self.motion

    def take(self, end: int) -> list[tuple[int, Floats]]:
        """Of each signal, the samples taken not after EEG sample ``end - 1``: index of the first, (n, n_columns)."""
        new = []
        for k, signal in enumerate(self.signals):
            first, until = self.taken[k], int((end - 1) * signal.sfreq / self.sfreq) + 1 if end else 0
            self.taken[k] = max(first, until)
            new.append((first, signal.take(self.taken[k] - first)))
        return new


class BesideStreams:
    """The streams of one connection to a simulated headset.

    Parameters
    ----------
    signals : VirtualSignals
        Go on where the connection before ended.
    url : str
        That of the EEG.
    source_id : str
        Identifies the headset.
    """

    def __init__(self, signals: VirtualSignals, url: str, source_id: str) -> None:
        self._signals, rates = signals, [signal.sfreq for signal in signals.signals]
        self.infos = tuple(
            AuxInfo(f"{url}#{it.name}", it.name, it.type, it.ch_names, it.units, rates[it.of] / it.every,
                    source_id=source_id, virtual=True)
            for it in LAYOUTS
        )  # fmt: skip
        self._counts: list[int] | None = None  # samples so far, lost ones included; None before anything arrived
        self._lost = [0] * len(LAYOUTS)

    def take(self, first: int, end: int, when: Callable[[Floats], tuple[Floats, Floats]]) -> Beside:
        """Chunks of what came with the EEG samples ``[first, end)``; what lies between two calls is lost.

        `when` turns times (s of stream time) into stamps on our clock and the sender's.
        """
        skipped, chunks = self._pieces(first), []
        is_first, self._counts = self._counts is None, self._counts or [0] * len(LAYOUTS)
        for k, (info, (_, before), (at, values)) in enumerate(zip(self.infos, skipped, self._pieces(end), strict=True)):
            self._lost[k] += 0 if is_first else len(before)
            if is_first:
                stamps, sent = when(np.array([end / self._signals.sfreq]))
                clock = SenderClock(float(sent[0]), 0.0)
                nothing = np.empty((0, info.n_chans), np.float32)
                chunks.append((info, AuxChunk(nothing, stamps[:0], sent[:0], 0, clock)))
            if len(values):
                stamps, sent = when(at / info.sfreq + 1 / self._signals.sfreq)
                begin, lost = self._counts[k] + self._lost[k], self._lost[k]
                chunks.append((info, AuxChunk(values, stamps, sent, begin, SenderClock(float(sent[-1]), 0.0), lost)))
                self._counts[k], self._lost[k] = begin + len(values), 0
        return chunks

    def _pieces(self, end: int) -> list[tuple[Floats, Floats]]:
        """Index and values of the next samples of each stream."""
        new, pieces = self._signals.take(end), []
        for it in LAYOUTS:
            first, rows = new[it.of]
            skip = -first % it.every
            values = it.values(rows[skip :: it.every]).astype(np.float32)
            pieces.append(((first + skip) // it.every + np.arange(len(values)), values))
        return pieces


@dataclass(frozen=True, slots=True, eq=False)
class BodyTruth:
    """The true state of a simulated subject's body. Times in s after the first sample of the EEG."""

    beats: Floats
    """(n,), s."""
    blinks: Floats
    """(n, 2), s: when the lids cover the pupil, and when they no longer do."""
    pupil: Floats
    """(n,), mm, at `GAZE_SFREQ`: mean of both; NaN in blinks."""

    def heart_rate(self, t: float, over_s: float = 10.0) -> float:
        """Mean heart rate (1/min) of the `over_s` before `t`."""
        within = self.beats[(self.beats > t - over_s) & (self.beats <= t)]
        return float(60 * (len(within) - 1) / (within[-1] - within[0]))


def true_body(person: VirtualPerson, seconds: float) -> BodyTruth:
    """The truth of the first `seconds` of a subject whose EEG and other signals have not been taken."""
    signals = VirtualSignals(person)
    (_, eyes), (_, body), _ = signals.take(round(seconds * person.sfreq))
    edges = np.flatnonzero(np.diff(np.isnan(eyes[:, 2]), prepend=False, append=False)) / GAZE_SFREQ
    return BodyTruth(beats_of(body), edges.reshape(-1, 2), eyes[:, 2])
