"""Eye movements for each window of the EEG, standardised as in training, while the tracker is good.

See docs/decisions/0036-eyes-live.md.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from ..dsp.eye import RATES_HZ, STEP_S, WINDOW_S, eye_features
from ..entropy import CLIP_SD, Population, Statistics
from ..modalities import EyeInput, EyeState
from ..profile import Normaliser
from ..types import Window
from .track import GazeTrack

LAG_S = 0.25  # samples up to so long before the end of a window are used: they arrive later than the EEG
RECENT_S, LEAST_SHARE = 1.8, 0.5  # an eye must be seen for half of this time; so it is missed after 0.9 s
LEAST_S = 2.0  # seen in the window of the features; less says nothing about movements
BRIDGED = 2.5  # samples may be so many intervals apart and still be neighbours
LEAST_SD = 1e-6  # of a feature that never changed in training
KEPT = 512  # windows whose input is remembered


class EyeWatch:
    """Makes the `EyeInput` of each window, in order; asked again for a window, it gives the same.

    Parameters
    ----------
    population : Population
        Mean and SD (33,) of the features of the subjects of training: where the statistics of this run start.
    sfreq : float
        Rate of the EEG (Hz).
    """

    def __init__(self, population: Population, sfreq: float) -> None:
        sd = np.maximum(population.sd, LEAST_SD)
        start = Statistics(np.asarray(population.mean)[None], sd[None])
        self._sfreq, self._normaliser = sfreq, Normaliser(start, sfreq, frozen=False)
        self._step = 0  # number of the newest one in the statistics
        self._known: OrderedDict[int, EyeInput] = OrderedDict()

    def __call__(self, window: Window, track: GazeTrack) -> EyeInput:
        """The eye movements up to the end of `window`."""
        if (known := self._known.get(window.end)) is not None:
            return known
        found = self._known[window.end] = self._input(window, track)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return found

    def _input(self, window: Window, track: GazeTrack) -> EyeInput:
        times, samples, until = track.up_to(window, self._sfreq, LAG_S, WINDOW_S)
        rate = track.info.sfreq or rate_of(times)
        if not len(times) or until - times[-1] > RECENT_S * LEAST_SHARE:
            return EyeInput(EyeState.LOST)
        if not RATES_HZ[0] <= rate <= RATES_HZ[1]:
            return EyeInput(EyeState.UNSEEN)
        rows = regular(times, samples, rate, until)
        seen = np.isfinite(rows).all(axis=1)
        if seen.sum() < LEAST_S * rate:
            return EyeInput(EyeState.STARTING if until - times[0] < 2 * LEAST_S else EyeState.UNSEEN)
        if seen[-round(RECENT_S * rate) :].sum() < LEAST_SHARE * round(RECENT_S * rate):
            return EyeInput(EyeState.UNSEEN)
        return EyeInput(EyeState.USED, self._standardised(eye_features(rows, rate), window.end))

    def _standardised(self, features: np.ndarray, end: int) -> np.ndarray:
        """In standard deviations of the run so far, which it joins if it ends with a step."""
        step = round(end / self._sfreq / STEP_S)
        if step > self._step and abs(end - step * STEP_S * self._sfreq) < 1:
            self._step = step
            self._normaliser.take_in(features.astype(np.float64)[None], np.ones((1, 1), bool), STEP_S)
        statistics = self._normaliser.statistics
        z = (features - statistics.mean[0]) / np.maximum(statistics.sd[0], LEAST_SD)
        return np.clip(z, -CLIP_SD, CLIP_SD).astype(np.float32)


def rate_of(times: np.ndarray) -> float:
    """Rate (Hz) of an irregular stream, from its newest samples; 0 where there are too few."""
    apart = np.diff(times[-2000:])
    apart = apart[apart > 0]
    return float(round(1 / np.median(apart))) if len(apart) >= 10 else 0.0


def regular(times: np.ndarray, samples: np.ndarray, rate: float, until: float) -> np.ndarray:
    """Samples (n_times, 3) on a grid of `rate` (Hz) that goes through the newest of them; NaN where none is near.

    Between neighbours values are interpolated, so that a stream which is regular stays as it is. The time from the
    newest sample up to `until` is filled with NaN: nothing was seen then.
    """
    n = max(1, round((times[-1] - times[0]) * rate) + 1)
    grid = times[-1] - np.arange(n - 1, -1, -1) / rate
    right = np.clip(np.searchsorted(times, grid - 1e-6), 1, len(times) - 1) if len(times) > 1 else np.zeros(n, int)
    left = np.maximum(right - 1, 0)
    apart = times[right] - times[left]
    share = np.clip((grid - times[left]) / np.where(apart > 0, apart, 1.0), 0, 1)[:, None]
    share = np.where(np.abs(share - np.round(share)) < 1e-3, np.round(share), share)
    near = np.where(share > 0.5, samples[right], samples[left])  # NaN in one neighbour is not in the other
    rows = np.where((share == 0) | (share == 1), near, samples[left] * (1 - share) + samples[right] * share)
    rows[(apart > BRIDGED / rate) & (share[:, 0] > 0) & (share[:, 0] < 1)] = np.nan
    silent = int((until - times[-1]) * rate)
    return np.concatenate([rows, np.full((silent, samples.shape[1]), np.nan)]) if silent else rows
