"""Eye movements: gaze and pupil samples to 33 features a step, over the last seconds.

The features are those of SEED-V, in its order of groups [1]_ [2]_; the order within a group is not published, here it
is that of `FEATURES`. Fixations and saccades are told apart by velocity (I-VT [3]_), with the threshold, the window of
the velocity and the shortest fixation of [4]_. A blink is a stretch without a pupil, of `BLINK_S`, between samples
with one. Saccades and blinks that are not whole within the window do not count.

References
----------
.. [1] Lu, Zheng, Li, Lu (2015), "Combining eye movements and EEG to enhance emotion recognition", IJCAI.
.. [2] Liu, Qiu, Zheng, Lu (2022), "Comparing recognition performance and robustness of multimodal deep learning models
   for multimodal emotion recognition", IEEE Trans. Cogn. Dev. Syst. 14(2): SEED-V.
.. [3] Salvucci, Goldberg (2000), "Identifying fixations and saccades in eye-tracking protocols", ETRA.
.. [4] Olsen (2012), "The Tobii I-VT fixation filter", Tobii Technology.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..errors import StreamMismatch
from ..types import Array

WINDOW_S, STEP_S = 10.0, 1.0
RATES_HZ = (30.0, 1000.0)
SACCADE_DEG_PER_S = 30.0
VELOCITY_S = 0.02  # displacement over this time: the difference of two samples is mostly noise at high rates
LEAST_FIXATION_S = 0.06
BLINK_S = (0.05, 1.0)  # shorter is a lost sample, longer a lost eye
LEAST_SEEN_S = 0.5  # in the window; with less there are no features
PUPIL_HZ = ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 1.0))
POWER_FLOOR = 1e-6  # mm²: a constant pupil has a very low entropy, not minus infinity
FEATURES = (
    *(f"pupil {what} {axis}" for what in ("mean", "sd", *(f"DE {low:g}-{high:g} Hz" for low, high in PUPIL_HZ))
      for axis in "xy"),
    "dispersion mean x", "dispersion mean y", "dispersion sd x", "dispersion sd y",
    "fixation duration mean", "fixation duration sd", "blink duration mean", "blink duration sd",
    "saccade duration mean", "saccade duration sd", "saccade amplitude mean", "saccade amplitude sd",
    "blink rate", "fixation rate", "fixation duration max", "fixation dispersion total", "fixation dispersion max",
    "saccade rate", "saccade mean duration", "saccade mean amplitude", "saccade mean latency",
)  # fmt: skip
"""Pupil in mm and nats, dispersion (largest minus smallest gaze of a fixation) and amplitude in degrees, durations in
s, rates in 1/s of the time in which an eye was seen; latency is the time from one saccade to the next. Durations,
dispersions and amplitudes of no event are 0."""
SEED_IV = tuple(i for i, name in enumerate(FEATURES) if not name.startswith("blink duration"))
"""Indices of the 31 features that SEED-IV has."""


@dataclass(frozen=True, slots=True, eq=False)
class EyeStep:
    """Eye movements in the window that ends with a step."""

    end: int
    """The sample after the window's last."""
    features: Array
    """(33,) float32, as `FEATURES`: all NaN where an eye was seen for less than `LEAST_SEEN_S`."""
    quality: float
    """Share of the window's samples in which an eye was seen."""


class EyeExtractor:
    """Makes an `EyeStep` of each step of one stream of eye samples; the same however the stream is cut.

    Parameters
    ----------
    sfreq : float
        Hz, from 30 to 1000.
    step_s : float
        Steps end at multiples of it, counted from the first sample.
    window_s : float
        Length of the window that ends with a step; at the beginning, it is what there is.

    Raises
    ------
    StreamMismatch
        The rate is too low for saccades, or higher than that of any tracker.
    """

    def __init__(self, sfreq: float, step_s: float = STEP_S, window_s: float = WINDOW_S) -> None:
        low, high = RATES_HZ
        if not low <= sfreq <= high:
            asked = f"eye movements at {low:g} to {high:g} Hz"
            raise StreamMismatch(asked, f"the tracker has {sfreq:g} Hz", "choose another rate at the tracker")
        self._sfreq, self._step_s, self._window_s = sfreq, step_s, window_s
        self._rows, self._first, self._k = np.empty((0, 3)), 0, 1

    def push(self, samples: np.ndarray) -> list[EyeStep]:
        """The steps that the next samples complete.

        Parameters
        ----------
        samples : (n_times, 3) or (n_times, 4)
            Gaze x and y in degrees, and the pupil's diameter in mm, or its width and height; NaN, or 0 for the
            pupil, where the tracker saw none or a sample was lost.
        """
        if len(samples) == 0:
            return []
        fresh = np.asarray(samples, np.float64)
        self._rows = np.concatenate([self._rows, fresh]) if len(self._rows) else fresh
        steps = []
        longest = round(self._window_s * self._sfreq)
        while (end := round(self._k * self._step_s * self._sfreq)) <= self._first + len(self._rows):
            window = self._rows[max(0, end - longest - self._first) : end - self._first]
            seen = _seen(window)
            steps.append(EyeStep(end, eye_features(window, self._sfreq, self._window_s), float(seen.mean())))
            self._k += 1
        old = max(0, len(self._rows) - longest)
        self._rows, self._first = self._rows[old:], self._first + old
        return steps


def by_step(
    samples: np.ndarray, sfreq: float, step_s: float = STEP_S, window_s: float = WINDOW_S
) -> tuple[np.ndarray, np.ndarray]:
    """Features (n_steps, 33) float32 and quality (n_steps,) of a whole recording, as `EyeExtractor` gives them live."""
    steps = EyeExtractor(sfreq, step_s, window_s).push(samples)
    features = np.array([s.features for s in steps], np.float32).reshape(-1, len(FEATURES))
    return features, np.array([s.quality for s in steps])


def eye_features(window: np.ndarray, sfreq: float, window_s: float = WINDOW_S) -> Array:
    """The 33 `FEATURES` of a window of samples (see `EyeExtractor.push`), float32.

    `window_s` is the length of a full window, on whose frequencies the spectrum of the pupil is taken.
    """
    seen = _seen(window)
    seconds = seen.sum() / sfreq
    if seconds < LEAST_SEEN_S:
        return np.full(len(FEATURES), np.nan, np.float32)
    gaze = np.where(seen[:, None], window[:, :2], np.nan)
    saccades, fixations = _events(gaze, sfreq)
    spreads = np.array([np.ptp(gaze[a:b], axis=0) for a, b in fixations]).reshape(-1, 2)
    fixed_s = np.array([b - a for a, b in fixations]) / sfreq
    closed_s = _blinks(window, sfreq)
    moved_s = np.array([s.stop - s.start for s in saccades]) / sfreq
    degrees = np.array([s.degrees for s in saccades])
    apart = [later.start - s.stop for s, later in pairwise(saccades)
             if seen[s.stop : later.start].all()]  # fmt: skip
    (duration, _), (amplitude, _), (latency, _) = map(_mean_sd, (moved_s, degrees, np.array(apart) / sfreq))
    sums = spreads.sum(axis=1)
    values = [
        *_pupil(window, seen, sfreq, window_s),
        *np.transpose([_mean_sd(spreads[:, 0]), _mean_sd(spreads[:, 1])]).ravel(),
        *_mean_sd(fixed_s), *_mean_sd(closed_s), *_mean_sd(moved_s), *_mean_sd(degrees),
        len(closed_s) / seconds, len(fixations) / seconds, fixed_s.max(initial=0), sums.sum(), sums.max(initial=0),
        len(saccades) / seconds, duration, amplitude, latency,
    ]  # fmt: skip
    return np.array(values, np.float32)


def _seen(window: np.ndarray) -> np.ndarray:
    return np.asarray(np.isfinite(window).all(axis=1) & ~_closed(window))


def _closed(window: np.ndarray) -> np.ndarray:
    return np.asarray(~(window[:, 2:] > 0).all(axis=1))  # NaN is not greater


def _mean_sd(values: np.ndarray) -> tuple[float, float]:
    return (float(values.mean()), float(values.std())) if len(values) else (0.0, 0.0)


def _runs(there: np.ndarray) -> list[tuple[int, int]]:
    """Start and stop of each stretch of True."""
    edges = np.flatnonzero(np.diff(there, prepend=False, append=False))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _blinks(window: np.ndarray, sfreq: float) -> np.ndarray:
    """Durations of whole blinks (s)."""
    runs = [(b - a) / sfreq for a, b in _runs(_closed(window)) if a > 0 and b < len(window)]
    return np.array([s for s in runs if BLINK_S[0] <= s <= BLINK_S[1]])


@dataclass(frozen=True, slots=True)
class _Saccade:
    start: int
    stop: int
    degrees: float


def _events(gaze: np.ndarray, sfreq: float) -> tuple[Sequence[_Saccade], list[tuple[int, int]]]:
    """Whole saccades, and start and stop of fixations, of gaze (n_times, 2) with NaN where it is unknown [3]_."""
    lag = max(1, round(VELOCITY_S * sfreq))
    half = lag // 2  # a velocity belongs to the middle of its displacement
    speed = np.full(len(gaze), np.nan)
    speed[lag - half : len(gaze) - half] = np.hypot(*(gaze[lag:] - gaze[:-lag]).T) * sfreq / lag
    known = np.isfinite(speed)
    moving, saccades = known & (np.nan_to_num(speed) >= SACCADE_DEG_PER_S), []
    for a, b in _runs(moving):
        if known[a - 1] and b < len(gaze) and known[b]:
            whole = gaze[b + half] - gaze[a - 1 + half - lag]  # with what is slow at its beginning and end
            saccades.append(_Saccade(a, b, float(np.hypot(*whole))))
    fixations = [(a, b) for a, b in _runs(known & ~moving) if (b - a) / sfreq >= LEAST_FIXATION_S]
    return saccades, fixations


def _pupil(window: np.ndarray, seen: np.ndarray, sfreq: float, window_s: float) -> np.ndarray:
    """Mean, SD and DE by band of the diameter, each for x and y: (12,); where it is unknown it is interpolated."""
    diameter, at = window[:, [2, -1]], np.flatnonzero(seen)
    filled = np.stack([np.interp(np.arange(len(window)), at, d[at]) for d in diameter.T], axis=1)
    n_full = round(window_s * sfreq)
    taper = np.hanning(len(window) + 2)[1:-1, None]
    spectrum = np.fft.rfft((filled - filled.mean(axis=0)) * taper, n_full, axis=0)
    power = 2 * np.abs(spectrum) ** 2 / (n_full * np.sum(taper**2))
    hz = np.fft.rfftfreq(n_full, 1 / sfreq)
    by_band = np.array([power[(hz >= low) & (hz < high) & (hz > 0)].sum(axis=0) for low, high in PUPIL_HZ])
    entropy = 0.5 * np.log(2 * np.pi * np.e * (by_band + POWER_FLOOR))
    return np.concatenate([diameter[at].mean(axis=0), diameter[at].std(axis=0), *entropy])
