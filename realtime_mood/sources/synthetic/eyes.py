"""Gaze and pupil of a simulated subject, which follow the same states as the EEG.

Fixations of random duration alternate with saccades, whose duration grows with their amplitude [1]_; lids close in the
blinks that are in the EEG. The planted effects (`EYE_EFFECTS`):

* positive and negative: the pupil widens with arousal, whatever the valence [2]_;
* positive: gaze scans faster and farther [3]_; negative: longer fixations, shorter saccades.

References
----------
.. [1] Bahill, Clark & Stark 1975, The main sequence, a tool for studying human eye movements, Math. Biosci. 24(3-4).
.. [2] Bradley, Miccoli, Escrig & Lang 2008, The pupil as a measure of emotional arousal and autonomic activation,
   Psychophysiology 45(4).
.. [3] Wadlinger & Isaacowitz 2006, Positive mood broadens visual attention to positive stimuli, Motiv. Emot. 30(1).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...dsp.filters import RunningMean
from ...types import Array
from .artefacts import own_blinks, own_rng
from .blocks import BlockSignal

EYE_SFREQ = 60.0
EYE_EFFECTS = {"positive": (0.45, -0.35, 0.45), "negative": (0.55, 0.40, -0.40)}
"""Pupil in mm, logarithm of the duration of fixations, logarithm of the amplitude of saccades."""
FIXATION_S, SACCADE_DEG = 0.28, 3.5  # typical
HIPPUS = ((0.7, 0.12), (15.0, 0.1))
"""(time constant s, SD in mm) of changes of the pupil that mean nothing."""
SCREEN_DEG = (14.0, 8.0)  # half its width and height
LID = 0.35  # of the size of a typical blink in the EEG: from there on the pupil is covered
NOISE_DEG, NOISE_MM = 0.04, 0.01


class VirtualEyes(BlockSignal):
    """Gaze x and y (degrees) and diameter of the pupil (mm); NaN in blinks.

    Parameters
    ----------
    subject : int
    state_at : callable
        The state at a time in seconds, which is asked for in ascending order.
    scale : float
        Strength of the states' effects, 0 for none.
    sfreq : float
        Hz. The same movements at any rate.
    """

    def __init__(self, subject: int, state_at: Callable[[float], str], scale: float, sfreq: float = EYE_SFREQ) -> None:
        super().__init__(3, sfreq)
        self.n, self._made, self._state_at = round(sfreq), 0, state_at
        traits = own_rng(subject, "eyes")
        self._effects = {state: scale * np.exp(0.2 * traits.standard_normal(3)) * sizes
                         for state, sizes in EYE_EFFECTS.items()}  # fmt: skip
        self._pupil_mm, self._usual = traits.uniform(3.0, 5.0), 0.15 * traits.standard_normal(2)
        self._response = RunningMean(traits.uniform(1.0, 2.0), self.sfreq, (3,))
        self._slow = [RunningMean(tau_s, self.sfreq, ()) for tau_s, _ in HIPPUS]
        self._blinks, self._peak = own_blinks(subject, self.sfreq, own_rng(subject, "body"))
        self._gaze, self._noise = own_rng(subject, "gaze"), own_rng(subject, "eye noise")
        self._path, self._at = np.empty((0, 2)), np.zeros(2)

    def block(self) -> Array:
        """The next second: (n, 3)."""
        states = [self._state_at((self._made + i) / self.sfreq) for i in range(self.n)]
        response = self._response(np.array([self._effects.get(state, np.zeros(3)) for state in states]))
        while len(self._path) < self.n:
            self._path = np.concatenate([self._path, self._glance(*(self._usual + response[len(self._path), 1:]))])
        gaze, self._path = self._path[: self.n], self._path[self.n :]
        noise = self._noise.standard_normal((3 + len(HIPPUS), self.n))
        pupil = self._pupil_mm + response[:, 0] + NOISE_MM * noise[2]
        for mean, (tau_s, sd), white in zip(self._slow, HIPPUS, noise[3:], strict=True):
            pupil += sd * np.sqrt(2 * tau_s * self.sfreq) * mean(white)
        rows = np.column_stack([gaze + NOISE_DEG * noise[:2].T, pupil]).astype(np.float32)
        rows[self._blinks.block(self.n) > LID * self._peak] = np.nan
        self._made += self.n
        return rows

    def _glance(self, longer: float, farther: float) -> np.ndarray:
        """A fixation and the saccade after it: (n, 2)."""
        seconds, amplitude = np.exp(self._gaze.standard_normal(2) * (0.45, 0.5) + (longer, farther))
        amplitude = min(SACCADE_DEG * amplitude, min(SCREEN_DEG))
        fixed = np.repeat(self._at[None], round(min(max(FIXATION_S * seconds, 0.1), 1.5) * self.sfreq), axis=0)
        angle = self._gaze.uniform(-np.pi, np.pi)
        target = self._at + amplitude * np.array([np.cos(angle), np.sin(angle)])
        if (np.abs(target) > SCREEN_DEG).any():  # back, then
            target = self._at - amplitude * self._at / np.linalg.norm(self._at)
        n = max(1, round((0.021 + 0.0022 * amplitude) * self.sfreq))
        part = (1 - np.cos(np.pi * np.arange(1, n + 1) / n)) / 2
        moved = self._at + part[:, None] * (target - self._at)
        self._at = target
        return np.concatenate([fixed, moved])
