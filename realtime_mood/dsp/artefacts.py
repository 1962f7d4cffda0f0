"""Artefacts of many electrodes at once, recognised hop by hop in the filtered EEG, and windows without them."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..reasons import ARTEFACTS, Why
from ..types import Marker, Mask, Window
from .quality import MUSCLE_UV
from .repair import frontal, shared
from .spec import FeatureSpec

MUSCLE_SHARE = 1 / 3  # of the electrodes, and at least two: temporal muscles reach so many
LASTING_S, LASTING_SHARE = 10.0, 0.75  # what is loud for so much of so long is a fault of the electrode
BLINK_UV = 50.0  # peak of a blink at the forehead; the high-pass filter shrinks rapid ones
BLINK_FOOT_UV = 25.0  # where it begins and ends
BLINK_S = (0.06, 0.6)  # how long it lasts there; half a wave of alpha is shorter
RAPID_BLINKS, RAPID_S = 3, 1.1  # so many within so long are rapid blinking; spontaneous ones are further apart


MOVEMENT = "movement: "  # prefix of a marker that gives the first sample of a shaken part, and the one after its last


class ShakenSamples(NamedTuple):
    """Samples ``[first, stop)`` in which head or headset were shaken."""

    after: int
    """Windows that end after this sample are read without them; they were not known before."""
    first: int
    stop: int

    @classmethod
    def of(cls, marker: Marker) -> ShakenSamples | None:
        """Those of a marker; None where its text is another."""
        found = re.fullmatch(rf"{MOVEMENT}(\d{{1,15}}) (\d{{1,15}})", marker.text)
        first, stop = (int(found[1]), int(found[2])) if found else (0, 0)
        return cls(marker.index, first, stop) if first < stop else None


class EegArtefacts:
    """Names what was in each hop beside EEG: muscle activity on many electrodes, or rapid blinking.

    Used on a fixed grid of hops, so that the result does not depend on how the stream is cut.
    """

    def __init__(self, ch_names: Sequence[str], sfreq: float, hop_s: float) -> None:
        self._frontal, self._sfreq = frontal(ch_names), sfreq
        self._n_chans, self._n_muscle = len(ch_names), max(2, round(MUSCLE_SHARE * len(ch_names)))
        self._n_hops = round(LASTING_S / hop_s)
        self.restart()

    def restart(self) -> None:
        """Reset, as after a long gap."""
        self._loud = deque([np.zeros(self._n_chans, bool)] * self._n_hops, maxlen=self._n_hops)  # of the newest hops
        self._is_burst = False  # the hop before held muscle activity
        self._ends: deque[int] = deque(maxlen=RAPID_BLINKS)  # of the newest blinks, in samples
        self._now = 0  # number of samples so far
        self._began: tuple[int, float] | None = None  # where a blink has begun, and its peak so far (µV)

    def __call__(self, clean: np.ndarray, muscle_rms: np.ndarray, dead: Mask) -> Why | None:
        """What is in a hop beside EEG; None where nothing is.

        Parameters
        ----------
        clean : (n_valid, n_chans), µV
            The hop, filtered: received and settled samples only.
        muscle_rms : (n_chans,), µV
            In the highest band.
        dead : (n_chans,) bool
            Electrodes without a signal.
        """
        self._loud.append(loud := (muscle_rms > MUSCLE_UV) & ~dead)
        was_burst, self._is_burst = self._is_burst, False
        if loud.sum() >= self._n_muscle:
            lasting = np.sum(self._loud, axis=0) >= LASTING_SHARE * self._n_hops
            self._is_burst = bool((loud & ~lasting).sum() >= self._n_muscle)
        if self._frontal and len(clean):
            self._find_blinks(shared(clean[:, self._frontal]))
        if self._is_burst or was_burst:  # the filters ring for part of a hop
            return Why.MUSCLE
        oldest = self._ends[0] if len(self._ends) == RAPID_BLINKS else -np.inf
        return Why.BLINKS if self._now - oldest <= RAPID_S * self._sfreq else None

    def _find_blinks(self, eye: np.ndarray) -> None:
        """Note the ends of blinks in the signal of the eyes (n_valid,), µV."""
        least, most = (s * self._sfreq for s in BLINK_S)
        high = self._began is not None or (eye > BLINK_FOOT_UV).any()
        for at, level in enumerate(eye.tolist() if high else (), self._now):
            if level > BLINK_FOOT_UV:
                began, peak = self._began or (at, level)
                self._began = began, max(peak, level)
            elif self._began:
                began, peak = self._began
                if peak >= BLINK_UV and least <= at - began <= most:
                    self._ends.append(at)
                self._began = None
        self._now += len(eye)


def with_shaken(codes: np.ndarray, bounds: np.ndarray, end: int, shaken: Iterable[ShakenSamples]) -> np.ndarray:
    """`codes` (n_hops,) of a window that ends at sample `end`, and what is known of movement by then.

    `bounds` (n_hops + 1,) are the samples between its hops.
    """
    code = 1 + ARTEFACTS.index(Why.MOVEMENT)
    for it in shaken:
        if it.after < end:
            codes = np.where((bounds[:-1] < it.stop) & (bounds[1:] > it.first), np.int8(code), codes)
    return codes


def bounds_of(window: Window, spec: FeatureSpec, sfreq: float) -> np.ndarray:
    """The samples between the hops of a window, (n_hops + 1,)."""
    last, n_hops = round(window.end / sfreq / spec.hop_s), len(window.counts)
    return np.array([spec.grid(k, sfreq) for k in range(last - n_hops, last + 1)])


def without_artefacts(window: Window, codes: np.ndarray, bounds: np.ndarray) -> Window:
    """`window` as if the hops with an artefact had not been received.

    `codes` (n_hops,) are 0, or 1 + the index in `ARTEFACTS` of what is in a hop; `bounds` are the samples between them.
    """
    marked, valid, data = codes > 0, window.valid.copy(), window.data.copy()
    for j in np.flatnonzero(marked).tolist():
        start, stop = np.maximum(0, bounds[j : j + 2] - window.first)
        valid[start:stop] = False
        data[:, start:stop] = 0
    return replace(
        window, data=data, valid=valid, power=np.where(marked[:, None, None], 0.0, window.power),
        counts=np.where(marked, 0, window.counts), artefacts=codes,
    )  # fmt: skip


def commonest(codes: np.ndarray) -> Why | None:
    """The artefact that is in most hops; None where there is none."""
    counts = np.bincount(codes[codes > 0], minlength=2)[1:]
    return ARTEFACTS[int(counts.argmax())] if counts.any() else None
