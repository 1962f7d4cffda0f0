"""Electrode quality: faults and a score for each channel, at each hop, with hysteresis against flicker.

Evidence is a level for each fault and channel: 1 is the threshold; below `CLEAR` the fault counts as absent.
Thresholds are for scalp EEG in µV; each is a named constant with its reason.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache, reduce

import numpy as np

from ..types import Fault, Mask, Quality

FLAT_UV = 0.2  # rms of the high-passed second; amplifier noise alone is larger
RAILED_SHARE = 0.1  # of samples that are exactly at the second's extremes
RAILED_SPAN_UV = 50.0  # coarse quantisation alone does not span this much
HUGE_UV = 1000.0  # rms of the high-passed second; no brain does this, an electrode off the skin does
SWING_UV = 150.0  # rms below the highest band; blinks stay under it, a loose electrode does not
LINE_UV = 40.0  # rms at 50 or 60 Hz
LINE_RATIO = 3.0  # times the rms of all bands of the network
MUSCLE_UV = 15.0  # rms in the highest band; brain gamma is some 1–2 µV
DECORRELATED = 0.3  # highest |r| with any other electrode; in real caps it is above 0.39 in 99.9 %
ENOUGH_NEIGHBOURS = 16  # with fewer, electrodes are so far apart that some share no signal with another
BAD_KOHM = 750.0  # acceptable for dry electrodes with current amplifiers
FAIR_KOHM = 50.0  # poor for wet electrodes: it lowers the score and masks nothing
CLEAR = 0.7  # of a threshold
MEMORY_S = 1.5  # a fault appears when present in most of this, and goes when absent in all of it

SCORES = {  # in order of precedence where two are equally strong
    Fault.FLAT: 0.0, Fault.LINE: 0.2, Fault.RAILED: 0.0,
    Fault.MUSCLE: 0.3, Fault.DECORRELATED: 0.3, Fault.IMPEDANCE: 0.3,
}  # fmt: skip
FAULTS = tuple(SCORES)
DEAD = [FAULTS.index(Fault.FLAT), FAULTS.index(Fault.RAILED)]  # no EEG in it: masked at once


@dataclass(frozen=True, slots=True, eq=False)
class Hop:
    """Evidence about the electrodes at the end of a hop."""

    raw: np.ndarray  # (n_times, n_chans) float32, µV: up to the last second, unfiltered
    n_new: int  # how many of its rows belong to this hop
    clean: np.ndarray  # (n_valid, n_chans), µV: this hop filtered, received and settled samples only
    band_rms: np.ndarray  # (n_chans, n_bands), µV: over the last second
    jumped: Mask  # (n_chans,): True where the offset had a step within this hop
    kohm: np.ndarray  # (n_chans,), kΩ: the impedances at its end; NaN where unknown


class ElectrodeQuality:
    """Judges every electrode at the end of each hop, on a fixed grid: chunk sizes and skipped windows have no effect.

    Electrodes are compared with one another over the last `context_s` seconds.
    """

    def __init__(self, n_chans: int, sfreq: float, hop_s: float, context_s: float) -> None:
        self._n_chans, self._sfreq = n_chans, sfreq
        self._n_second, self._n_memory, self._n_context = (max(1, round(s / hop_s)) for s in (1.0, MEMORY_S, context_s))
        self.restart()

    def restart(self) -> None:
        """Reset, as after a long gap."""
        n = self._n_chans
        self._squares: deque[tuple[np.ndarray, int]] = deque(maxlen=self._n_second)
        self._levels = deque([np.zeros((len(FAULTS), n))] * self._n_memory, maxlen=self._n_memory)
        self._standing = np.zeros((len(FAULTS), n), bool)
        self._still = deque([np.zeros(n, bool)], maxlen=self._n_second)
        self._n_hops = 0  # that were compared with one another; the next three hold the newest, in any order
        self._products = np.zeros((self._n_context, n, n))
        self._powers, self._fit = np.zeros((self._n_context, n)), np.zeros((self._n_context, n))

    def __call__(self, hop: Hop) -> tuple[Quality, Mask]:
        """The quality from the end of `hop` on, and (n_chans,) which channels had no usable signal during it."""
        self._squares.append((np.square(hop.clean).sum(axis=0), len(hop.clean)))
        sums, counts = zip(*self._squares, strict=True)
        if not (n_valid := sum(counts)):  # still settling: nothing to judge yet, and such windows are not read
            none = np.zeros(self._n_chans, bool)
            return Quality(np.zeros(self._n_chans, np.float32), (None,) * self._n_chans), none
        rms = np.sqrt(sum(sums) / n_valid)
        woke = hop.jumped & self._still[-1]  # the jump back from flat is still part of that
        self._still.append(_constant(hop.raw[-hop.n_new :]) | woke)
        levels = np.zeros((len(FAULTS), self._n_chans))
        line, swing = line_rms(hop.raw, self._sfreq), np.sqrt(np.square(hop.band_rms[:, :-1]).sum(axis=1))
        levels[:4] = self._single(hop, rms, line, swing)
        dead = np.asarray((levels[DEAD] >= 1).any(axis=0))
        if self._n_chans >= ENOUGH_NEIGHBOURS:
            levels[4] = self._decorrelation(hop.clean, np.asarray((levels[:4] < CLEAR).all(axis=0)))
        kohm = np.where(np.isnan(hop.kohm), 0.0, hop.kohm)
        levels[5] = kohm / BAD_KOHM
        self._levels.append(levels)
        badness = _largest(levels[3], line / LINE_UV, swing / SWING_UV, kohm / (2 * FAIR_KOHM))
        return self._quality(1 - 0.5 * np.minimum(badness, 1) ** 2), dead

    def _single(self, hop: Hop, rms: np.ndarray, line: np.ndarray, swing: np.ndarray) -> tuple[np.ndarray, ...]:
        """Levels, (n_chans,) each, of the four faults that a channel shows without regard to others."""
        still, lately, muscle = self._still[-1], np.any(self._still, axis=0), hop.band_rms[:, -1]
        flat = np.where(still, np.inf, FLAT_UV / np.maximum(rms, 1e-6))
        loud = np.minimum(line / LINE_UV, line / (LINE_RATIO * np.maximum(np.hypot(swing, muscle), 1e-6)))
        top, bottom = hop.raw.max(axis=0), hop.raw.min(axis=0)
        at_rail = np.maximum(_counts(hop.raw == top), _counts(hop.raw == bottom)) / len(hop.raw) / RAILED_SHARE
        at_rail[(top.astype(np.float64) - bottom <= RAILED_SPAN_UV) | lately] = 0.0
        return flat, loud, _largest(at_rail, rms / HUGE_UV, swing / SWING_UV, hop.jumped & ~still), muscle / MUSCLE_UV

    def _quality(self, soft: np.ndarray) -> Quality:
        past, scores = np.stack(self._levels), soft.astype(np.float32)
        strong = past >= 1
        if not (strong.any() or self._standing.any()):
            return Quality(scores, (None,) * self._n_chans)
        appears = strong.sum(axis=0) > self._n_memory / 2
        appears[DEAD] |= strong[-1, DEAD]
        self._standing = (self._standing | appears) & ~(past < CLEAR).all(axis=0)
        strongest = np.where(self._standing, past.max(axis=0), -1.0).argmax(axis=0)
        faults: list[Fault | None] = [None] * self._n_chans
        for c in np.flatnonzero(self._standing.any(axis=0)).tolist():
            fault = faults[c] = FAULTS[strongest[c]]
            scores[c] = min(scores[c], SCORES[fault])
        return Quality(scores, tuple(faults))

    def _decorrelation(self, clean: np.ndarray, fit: Mask) -> np.ndarray:
        """Level (n_chans,) of decorrelation, over the hops in which both channels of a pair had no other fault."""
        kept, i = clean if fit.all() else clean * fit, self._n_hops % self._n_context
        np.matmul(kept.T, kept, out=self._products[i])
        self._powers[i], self._fit[i] = self._products[i].diagonal(), fit
        self._n_hops += 1
        powers = self._fit.T @ self._powers  # [c, d]: power of d while c was fit
        r = np.abs(self._products.sum(axis=0)) / np.sqrt(np.maximum(powers * powers.T, 1e-12))
        np.fill_diagonal(r, 0)
        enough = self._fit.sum(axis=0) >= self._n_second
        return np.where(enough, np.minimum(DECORRELATED / np.maximum(r.max(axis=1), 1e-6), 1.5), 0.0)


def _largest(*levels: np.ndarray) -> np.ndarray:
    return reduce(np.maximum, levels)


def _constant(rows: np.ndarray) -> Mask:
    """Which columns have the same value in all rows."""
    found = rows[0] == rows[-1]
    if found.any():
        found[found] = (rows[:, found] == rows[0, found]).all(axis=0)
    return found


def _counts(which: Mask) -> np.ndarray:
    """How many rows of each column are true."""
    return which.view(np.uint8).sum(axis=0, dtype=np.uint16 if len(which) < 2**16 else np.uint32)


def line_rms(raw: np.ndarray, sfreq: float) -> np.ndarray:
    """Rms (n_chans,) of `raw` (n_times, n_chans) within 2 Hz of 50 or 60 Hz, whichever is larger."""
    waves, n_waves = _line_waves(len(raw), sfreq)
    power = np.square(waves @ raw.astype(np.float64))
    return np.sqrt(np.maximum(power[:n_waves].sum(axis=0), power[n_waves:].sum(axis=0)))


@lru_cache(4)
def _line_waves(n: int, sfreq: float) -> tuple[np.ndarray, int]:
    """Waves (n_waves, n): the squares of `n` samples' projections on them sum up to power near 50, then near 60 Hz.

    They are rows of the Fourier transform with a Hann window, of samples without their mean. Also the number of the
    former: as many as the window resolves.
    """
    window, freqs = np.hanning(n + 1)[:-1], np.fft.rfftfreq(n, 1 / sfreq)
    found = []
    for hz in (50.0, 60.0):
        angles = 2 * np.pi * np.outer(freqs[np.abs(freqs - hz) <= 2] / sfreq, np.arange(n))
        found.append(np.concatenate([np.cos(angles), np.sin(angles)]))
    waves = np.concatenate(found) * window * np.sqrt(2 / (n * np.square(window).sum()))
    return waves - waves.mean(axis=1, keepdims=True), len(found[0])
