"""EEG of a simulated subject, from a subject number, electrodes and a script of states.

Cortical patches under a spherical head carry a 1/f background and five band oscillators with waxing and waning
amplitude; a state multiplies the oscillators of the regions where the literature finds emotion. Eyes, muscles, the
mains and the electrodes are independent of it. The planted effects, in log amplitude (`EFFECTS`):

* positive: lateral-temporal beta and gamma up [1]_ [2]_; left-frontal alpha down, more left activity [3]_;
* neutral: parietal and occipital alpha up [2]_;
* negative: prefrontal gamma and parietal-occipital delta up [2]_; right-frontal alpha down [3]_.

References
----------
.. [1] Zheng & Lu 2015, Investigating critical frequency bands and channels for EEG-based emotion recognition with deep
   neural networks, IEEE Trans. Auton. Ment. Dev. 7(3).
.. [2] Zheng, Zhu & Lu 2019, Identifying stable patterns over time for emotion recognition from EEG, IEEE Trans. Affect.
   Comput. 10(3).
.. [3] Davidson 1992, Anterior cerebral asymmetry and the nature of emotion, Brain and Cognition 20(1).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
from scipy import signal

from ... import montage
from ...errors import ConfigError
from ...types import Array
from .artefacts import Artefacts, nearness, own_rng, unit_noise
from .blocks import BlockSignal
from .eyes import VirtualEyes
from .head import cortex, lead_field

STATES = ("neutral", "positive", "negative", "rest")
BANDS = {"delta": (1.2, 3.8), "theta": (4.2, 7.8), "alpha": (8.0, 14.0), "beta": (14.5, 30.0), "gamma": (31.5, 45.0)}
SCALP_UV = {"delta": 5.0, "theta": 3.2, "alpha": 4.0, "beta": 3.0, "gamma": 0.95}
"""Typical rms of each oscillator at the electrodes, beside the 1/f background's (µV, up to 45 Hz)."""
BACKGROUND_UV = 4.5

TEMPORAL, POSTERIOR = ("T7", "T8", "FT7", "FT8", "TP7", "TP8"), ("P3", "Pz", "P4", "PO3", "PO4", "O1", "Oz", "O2")
PREFRONTAL, LEFT, RIGHT = ("Fp1", "Fpz", "Fp2", "AF3", "AF4"), ("F3", "F5", "AF3"), ("F4", "F6", "AF4")
EFFECTS = {
    "positive": (("beta", TEMPORAL, 0.9), ("gamma", TEMPORAL, 1.0), ("alpha", LEFT, -0.8)),
    "neutral": (("alpha", POSTERIOR, 0.85),),
    "negative": (("gamma", PREFRONTAL, 1.0), ("delta", POSTERIOR, 0.9), ("alpha", RIGHT, -0.8)),
}
DIFFICULTY = {"easy": 0.72, "medium": 0.41, "hard": 0.18, "none": 0.0}

CONTROLS = 8  # times a block at which slowly changing gains are drawn; linear in between
WAXING = ((0.2, 0.5), (1.0, 0.1), (20.0, 0.04))
"""(time constant s, SD of log amplitude) of changing amplitudes. Mostly fast: a second says little about a state."""


@dataclass(frozen=True, slots=True)
class Script:
    """A sequence of states with durations; repeated if `loop` is set."""

    steps: tuple[tuple[str, float], ...] = (("neutral", 20.0), ("positive", 20.0), ("negative", 20.0))
    loop: bool = True

    @classmethod
    def parse(cls, text: str, loop: bool = False) -> Script:
        """Parse a script such as ``"neutral:20,positive:20"``; raises `ConfigError` for any other form."""
        steps = []
        for part in text.split(","):
            state, _, seconds = part.strip().partition(":")
            try:
                lasts_s = float(seconds)
            except ValueError:
                lasts_s = 0.0
            if state not in STATES or not 0.1 <= lasts_s < float("inf"):
                known = ", ".join(STATES)
                raise ConfigError(f"script {text!r}", f"{part!r}", f"write STATE:SECONDS,… with states {known}")
            steps.append((state, lasts_s))
        return cls(tuple(steps), loop)

    def n_samples(self, sfreq: float) -> int | None:
        """Samples until the script ends; None when it loops."""
        return None if self.loop else self._ends(sfreq)[-1]

    def _ends(self, sfreq: float) -> list[int]:
        # Where each step of the first round ends, in samples; the last is the length of a round.
        return [round(end_s * sfreq) for end_s in accumulate(lasts_s for _, lasts_s in self.steps)]

    def state_at(self, index: int, sfreq: float) -> str:
        """The state of sample `index`; after the end, the last one."""
        ends = self._ends(sfreq)
        step = bisect_right(ends, index % ends[-1] if self.loop else index)
        return self.steps[min(step, len(self.steps) - 1)][0]

    def begins(self, first: int, end: int, sfreq: float) -> list[int]:
        """The samples in ``[first, end)`` at which a step begins."""
        ends = self._ends(sfreq)
        starts, every = [0, *ends[:-1]], ends[-1]
        rounds = range(first // every, (end - 1) // every + 1) if self.loop else range(1)
        return [k * every + start for k in rounds for start in starts if first <= k * every + start < end]


class CuedScript:
    """A script whose states are set during the run."""

    def __init__(self, state: str) -> None:
        self._changes = [(0, state)]
        self._played = -1  # index of the last sample whose state was read: until there nothing can change

    def lead(self, state: str) -> None:
        """Set the state from the next generated sample on."""
        if state != self._changes[-1][1]:
            self._changes.append((self._played + 1, state))

    def n_samples(self, sfreq: float) -> int | None:
        """None: the end is not known."""
        return None

    def state_at(self, index: int, sfreq: float) -> str:
        """The state of sample `index`."""
        self._played = max(self._played, index)
        return self._changes[bisect_right(self._changes, index, key=lambda change: change[0]) - 1][1]

    def begins(self, first: int, end: int, sfreq: float) -> list[int]:
        """The samples in ``[first, end)`` at which a state begins."""
        return [index for index, _ in self._changes if first <= index < end]


def _turned(xyz: np.ndarray, rng: np.random.Generator, degrees: float) -> np.ndarray:
    # Unit vectors moved by a normal error of `degrees` in each of two directions (nearly).
    moved = xyz + np.deg2rad(degrees) * rng.standard_normal(xyz.shape)
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def _slope(exponent: float, sfreq: float) -> np.ndarray:
    # Power falling as 1/f^exponent above 0.5 Hz, from poles and zeros that take turns.
    corners = 0.5 * 4.0 ** np.arange(np.ceil(np.log(sfreq) / np.log(4.0)))
    poles, zeros = np.exp(-2 * np.pi * corners / sfreq), np.exp(-2 * np.pi * corners * 4.0 ** (exponent / 2) / sfreq)
    return unit_noise(signal.zpk2sos(zeros, poles, 1.0), sfreq)


class Brain:
    """Cortical signal of one subject at the true positions of the `electrodes`, (n_chans, 3), at `sfreq` Hz.

    `scale` is the strength of the states' effects.
    """

    def __init__(self, subject: int, electrodes: np.ndarray, sfreq: float, scale: float) -> None:
        rng = own_rng(subject, "traits")
        self.n = round(sfreq)
        self.alpha_hz = rng.uniform(8.6, 12.4)
        patches = cortex()
        skull = 1 / np.exp(rng.uniform(np.log(20), np.log(80)))
        usual = lead_field(montage.locate(montage.SPREAD), patches, skull)
        self._to_scalp = lead_field(electrodes, patches, skull).T / np.sqrt(np.mean(np.sum(usual**2, axis=1)))
        angles = np.arccos(np.clip(patches @ patches.T, -1, 1))
        smooth = np.linalg.cholesky(np.exp(-0.5 * (angles / 0.5) ** 2) + 0.05 * np.eye(len(patches))).T
        self._smooth = smooth / np.linalg.norm(smooth, axis=0)

        waxing = sum(sd**2 for _, sd in WAXING)  # what it adds to the log of the rms
        level = np.log([SCALP_UV[band] for band in BANDS]) - waxing
        level += 0.15 * rng.standard_normal(5) + 0.25 * rng.standard_normal()
        # Half the size of a medium effect: without a profile states can be read, with less certainty than with one.
        self._level = level[:, None] + 0.2 * rng.standard_normal((5, len(patches))) @ self._smooth
        back = nearness(patches, montage.locate(("O1", "Oz", "O2", "POz")), 0.6)
        self._level[2] += 1.3 * back - 0.4
        self._background = BACKGROUND_UV * np.exp(0.2 * rng.standard_normal())
        bands = {**BANDS, "alpha": (self.alpha_hz - 1.0, self.alpha_hz + 1.0)}
        filters = [signal.butter(2, edges, "bandpass", fs=sfreq, output="sos") for edges in bands.values()]
        self._filters = [*(unit_noise(sos, sfreq) for sos in filters), _slope(rng.uniform(1.2, 1.7), sfreq)]
        self._zi = [np.zeros((len(sos), len(patches), 2)) for sos in self._filters]
        self._effects = scale * self._draw_effects(own_rng(subject, "effects"), patches)
        self._step = 1 - np.exp(-2 / (rng.uniform(2.0, 5.0) * CONTROLS))

        self._noise, self._swing = own_rng(subject, "brain"), own_rng(subject, "waxing")
        self._wax = self._swing.standard_normal((len(WAXING), 5, len(patches)))
        self._response = np.zeros(len(EFFECTS))
        self._last = self._gain()
        at = np.arange(1, self.n + 1) / self.n * CONTROLS
        self._between = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(CONTROLS + 1)))

    @staticmethod
    def _draw_effects(rng: np.random.Generator, patches: np.ndarray) -> np.ndarray:
        # (n_states, n_bands, n_patches) of log amplitude, with this subject's strength and places.
        strength = 0.15 if rng.random() < 0.1 else np.exp(0.15 * rng.standard_normal())
        drawn = np.zeros((len(EFFECTS), len(BANDS), len(patches)))
        for k, effects in enumerate(EFFECTS.values()):
            for band, sites, size in effects:
                where = nearness(patches, _turned(montage.locate(sites), rng, 6.0), 0.35)
                drawn[k, list(BANDS).index(band)] += size * strength * np.exp(0.2 * rng.standard_normal()) * where
        return drawn

    def _gain(self) -> np.ndarray:
        swing = sum(sd * wax for (_, sd), wax in zip(WAXING, self._wax, strict=True)) @ self._smooth
        return np.exp(self._level + swing + np.tensordot(self._response, self._effects, 1))

    def planted(self, state: str) -> np.ndarray:
        """Effect of a state on each electrode's oscillators: (n_chans, n_bands), change of log rms."""
        power = self._to_scalp**2  # patches are uncorrelated: their powers add up
        effect = self._effects[list(EFFECTS).index(state)] if state in EFFECTS else 0.0
        with_effect, without = (np.log(np.exp(2 * (self._level + it)) @ power) for it in (effect, 0.0))
        return 0.5 * (with_effect - without).T

    def block(self, states: Sequence[str]) -> np.ndarray:
        """The next second, (n, n_chans) in µV, given the state at each of `CONTROLS` moments of it."""
        gains = [self._last]
        for state in states:
            fresh = self._swing.standard_normal(self._wax.shape)
            for wax, new, (tau_s, _) in zip(self._wax, fresh, WAXING, strict=True):
                keep = np.exp(-1 / (tau_s * CONTROLS))
                wax *= keep
                wax += np.sqrt(1 - keep**2) * new
            self._response += self._step * (np.array([state == name for name in EFFECTS]) - self._response)
            gains.append(self._gain())
        self._last = gains[-1]
        n_patches = self._to_scalp.shape[0]
        white = self._noise.standard_normal((len(self._filters), n_patches, self.n), np.float32)
        stages = zip(self._filters, white, self._zi, strict=True)
        filtered = [signal.sosfilt(sos, rows, zi=zi) for sos, rows, zi in stages]
        out, self._zi = ([part[k] for part in filtered] for k in range(2))
        patches = self._background * out[-1].T
        for k in range(len(BANDS)):
            patches += (self._between @ np.array([gain[k] for gain in gains])) * out[k].T
        return patches @ self._to_scalp


class VirtualPerson(BlockSignal):
    """A simulated subject: the signal is a pure function of the arguments and the sample index.

    `sfreq` is at least 100 Hz. `difficulty` (easy, medium, hard, none) scales the effect of the states, nothing else.
    """

    def __init__(
        self,
        subject: int,
        ch_names: Sequence[str],
        sfreq: float,
        script: Script | CuedScript | None = None,
        difficulty: str = "medium",
    ) -> None:
        super().__init__(len(ch_names), sfreq)
        self.subject, self.ch_names, self.script = subject, tuple(ch_names), script or Script()
        cap = own_rng(subject, "cap")  # the cap has slipped, and each electrode of it
        electrodes = _turned(montage.locate(ch_names) + np.deg2rad(2.5) * cap.standard_normal(3), cap, 2.0)
        self.brain = Brain(subject, electrodes, sfreq, DIFFICULTY[difficulty])
        self.artefacts = Artefacts(subject, electrodes, sfreq)
        self.scale, self._made = DIFFICULTY[difficulty], 0

    @cached_property
    def eyes(self) -> VirtualEyes:
        """Gaze and pupil of the same time, which are taken beside the EEG."""
        return VirtualEyes(self.subject, lambda time_s: self.state_at(int(time_s * self.sfreq)), self.scale)

    def state_at(self, index: int) -> str:
        """The true state of sample `index`."""
        return self.script.state_at(index, self.sfreq)

    def block(self) -> Array:
        """The next second: (``round(sfreq)``, n_chans), µV."""
        moments = self._made + (np.arange(1, CONTROLS + 1) * self.brain.n) // CONTROLS - 1
        brain = self.brain.block([self.state_at(int(i)) for i in moments])
        added, gain = self.artefacts.block()
        self._made += self.brain.n
        return (brain * gain + added).astype(np.float32)
