"""Pulse wave, skin conductance and respiration of a simulated subject, which follow the same states as the EEG.

A pulse wave is two bell curves a heart beat [1]_; the heart speeds up with each breath in. The planted effects
(`BODY_EFFECTS`), in logarithms, all in the usual direction of arousal [2]_: positive and negative states have a faster
heart, less variability, faster breathing and more frequent skin conductance responses [3]_ than neutral, rest the
opposite.

References
----------
.. [1] Tang, Chen, Ward & Elgendi 2020, Synthetic photoplethysmogram generation using two Gaussian functions, Sci. Rep.
   10: 13883.
.. [2] Kreibig 2010, Autonomic nervous system activity in emotion: a review, Biol. Psychol. 84(3).
.. [3] Bradley, Codispoti, Cuthbert & Lang 2001, Emotion and motivation I: defensive and appetitive reactions in
   picture processing, Emotion 1(3).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...dsp.filters import RunningMean
from ...types import Array
from .artefacts import own_rng
from .blocks import BlockSignal

BODY_SFREQ = 64.0
BODY_EFFECTS = {
    "positive": (0.15, -0.6, 0.25, 2.0),
    "negative": (0.20, -1.2, 0.40, 3.0),
    "rest": (-0.08, 0.5, -0.20, -1.0),
}
"""Logarithm of heart rate, its variability, rate of breathing, and frequency of skin conductance responses."""
CONTROLS = 8  # times a second at which the state is asked for
WAVES = ((1.0, -1.6, 0.55), (0.45, 0.4, 1.1))
"""(size, phase, width) of the systolic and the diastolic part of a pulse wave; phases in rad, from -π to π."""
RESPONSE_S = (0.7, 3.0)  # time constants of rise and fall of a skin conductance response (s)
RESPONSE_UNIT = 299.0  # makes a response of that shape as high as the impulse that causes it
PPG, SKIN, BREATH, TURNS = range(4)


class VirtualBody(BlockSignal):
    """Pulse wave (no unit), skin conductance (µS), respiration (no unit) and heart beats so far, at 64 Hz.

    A beat counts from its systolic peak on; between two beats their number rises evenly in phase.

    Parameters
    ----------
    subject : int
    state_at : callable
        The state at a time in seconds, which is asked for in ascending order.
    scale : float
        Strength of the states' effects, 0 for none.
    """

    def __init__(self, subject: int, state_at: Callable[[float], str], scale: float) -> None:
        super().__init__(4, BODY_SFREQ)
        self.n, self._made, self._state_at = round(BODY_SFREQ), 0, state_at
        traits = own_rng(subject, "autonomic")
        self._effects = {state: scale * np.exp(0.2 * traits.standard_normal(4)) * sizes
                         for state, sizes in BODY_EFFECTS.items()}  # fmt: skip
        self._response = RunningMean(traits.uniform(1.5, 3.0), BODY_SFREQ, (4,))
        self._heart_hz, self._breath_hz = traits.uniform(58, 78) / 60, traits.uniform(12, 17) / 60
        self._sway, self._wander = traits.uniform(0.02, 0.05), 0.02
        self._skin_us, self._per_s = traits.uniform(2.0, 8.0), traits.uniform(2.0, 4.0) / 60
        self._phases = traits.uniform(-np.pi, np.pi, 2)  # of heart and breath
        self._slow = [RunningMean(tau_s, BODY_SFREQ, ()) for tau_s in (1.5, 60.0)]
        self._rise, self._fall = (RunningMean(tau_s, BODY_SFREQ, ()) for tau_s in RESPONSE_S)
        self._noise, self._sweat = own_rng(subject, "body noise"), own_rng(subject, "sweat")

    def block(self) -> Array:
        """The next second: (64, 4)."""
        moments = self._made + np.arange(0, self.n, self.n // CONTROLS)
        states = [self._effects.get(self._state_at(at / BODY_SFREQ), np.zeros(4)) for at in moments]
        heart, spread, breathing, sweating = self._response(np.repeat(states, self.n // CONTROLS, axis=0)).T
        white = self._noise.standard_normal((4, self.n))
        breath = self._turned(1, self._breath_hz * np.exp(breathing))
        wander = np.sqrt(2 * 1.5 * BODY_SFREQ) * self._slow[0](white[0])
        variation = np.exp(spread) * (self._sway * np.cos(breath) + self._wander * wander)
        beats = self._turned(0, self._heart_hz * np.exp(heart) * (1 + np.clip(variation, -0.4, 0.4)))
        self._made += self.n
        return np.column_stack([
            _pulse(beats) * (1 + 0.1 * np.cos(breath)) + 0.1 * np.sin(breath) + 0.01 * white[2],
            self._skin(sweating, white[1]),
            np.sin(breath) + 0.2 * np.sin(2 * breath + 0.5) + 0.02 * white[3],
            (beats - WAVES[0][1]) / (2 * np.pi),
        ])  # fmt: skip

    def _turned(self, which: int, hz: np.ndarray) -> np.ndarray:
        """Phase (rad) of heart or breath, which goes on at `hz`."""
        phase = self._phases[which] + np.cumsum(2 * np.pi * hz / BODY_SFREQ)
        self._phases[which] = phase[-1]
        return phase

    def _skin(self, sweating: np.ndarray, white: np.ndarray) -> np.ndarray:
        """Skin conductance (µS): a level that changes slowly, and responses."""
        begins = self._sweat.random(self.n) < self._per_s * np.exp(sweating) / BODY_SFREQ
        sizes = np.exp(0.5 * self._sweat.standard_normal(self.n) - 1.2)
        level = 0.3 * np.sqrt(2 * 60.0 * BODY_SFREQ) * self._slow[1](white)
        return np.maximum(self._skin_us + level, 0.2) + self._fall(self._rise(RESPONSE_UNIT * begins * sizes))


def beats_of(rows: np.ndarray) -> np.ndarray:
    """When the heart beats (s), from the first samples of a `VirtualBody`: (n_beats,)."""
    turns = rows[:, TURNS]
    whole = np.floor(turns)
    after = np.flatnonzero(np.diff(whole) > 0) + 1
    return np.asarray((after - 1 + (whole[after] - turns[after - 1]) / np.diff(turns)[after - 1]) / BODY_SFREQ)


def _pulse(phase: np.ndarray) -> np.ndarray:
    """The pulse wave at a phase of the heart (rad)."""
    within = (phase + np.pi) % (2 * np.pi) - np.pi
    return np.asarray(sum(size * np.exp(-0.5 * ((within - at) / width) ** 2) for size, at, width in WAVES))
