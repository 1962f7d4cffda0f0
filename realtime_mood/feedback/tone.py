"""Sound feedback: pitch, loudness or an ambient mixture that follows the level, with a chime at each reward."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy.signal import lfilter

SFREQ = 44_100
LOW_HZ, HIGH_HZ = 196.0, 392.0  # an octave: level 0 and 1
CHIME_HZ, CHIME_S = 784.0, 0.4
GLIDE_S, FADE_S = 0.06, 0.12
LOUDEST = 0.25  # of full scale

CHORD_HZ = (196.0, 246.9, 293.7, 392.0)  # of the ambient sound at level 1
SWELL_S = 7.0  # period of the noise of the ambient sound

Kind = Literal["pitch", "loudness", "ambient"]


class FeedbackTone:
    """A continuous sound, without clicks at the borders of its blocks: its pitch or loudness follows the level.

    The kind ``ambient`` changes from noise like that of the sea to a chord.
    """

    def __init__(self, kind: Kind = "pitch") -> None:
        self._kind = kind
        self._phase = 0.0
        self._at, self._sea, self._rng = 0, np.zeros(1), np.random.default_rng(0)
        self._level, self._gain = 0.5, 0.0
        self._chime_at = math.inf  # samples since it began

    def chime(self) -> None:
        """Play the chime of a reward."""
        self._chime_at = 0.0

    def block(self, level: float, neutral: bool, n: int) -> np.ndarray:
        """The next `n` samples: int16, mono."""
        steps = np.arange(1, n + 1)
        levels = level + (self._level - level) * np.exp(-steps / (GLIDE_S * SFREQ))
        goal = 0.0 if neutral else 1.0
        gains = goal + (self._gain - goal) * np.exp(-steps / (FADE_S * SFREQ))
        self._level, self._gain = float(levels[-1]), float(gains[-1])
        heights = levels if self._kind == "pitch" else np.full(n, 0.5)
        hz = LOW_HZ * (HIGH_HZ / LOW_HZ) ** heights
        phases = self._phase + np.cumsum(2 * np.pi * hz / SFREQ)
        self._phase = float(phases[-1] % (2 * np.pi))
        if self._kind == "ambient":
            wave = self._ambient(np.clip(levels, 0, 1), steps)
        else:
            loud = 1.0 if self._kind == "pitch" else np.clip(levels, 0, 1) ** 2
            wave = loud * (np.sin(phases) + 0.3 * np.sin(2 * phases)) / 1.3
        wave = gains * wave + self._chimed(steps)
        return np.round(np.clip(LOUDEST * wave, -1, 1) * 32767).astype(np.int16)

    def _ambient(self, levels: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Brown noise and a chord, cross-faded at constant power."""
        t = (self._at + steps) / SFREQ
        self._at += len(steps)
        noise, self._sea = lfilter([0.03], [1.0, -0.97], self._rng.normal(size=len(steps)), zi=self._sea)
        sea = noise * 2.5 * (0.7 + 0.3 * np.sin(2 * np.pi * t / SWELL_S))
        chord = sum(np.sin(2 * np.pi * hz * t) for hz in CHORD_HZ) / len(CHORD_HZ)
        return np.asarray(np.sqrt(1 - levels) * sea + np.sqrt(levels) * chord)

    def _chimed(self, steps: np.ndarray) -> np.ndarray:
        if not math.isfinite(self._chime_at):
            return np.zeros(len(steps))
        t = (self._chime_at + steps) / SFREQ
        self._chime_at = math.inf if t[-1] > CHIME_S else self._chime_at + len(steps)
        shape = np.clip(1 - t / CHIME_S, 0, 1) * np.minimum(1, t / 0.01)  # rises and falls smoothly, so as not to click
        return 0.6 * shape * np.sin(2 * np.pi * CHIME_HZ * t)
