"""Turns chunks into windows and windows into readings, with no threads, clocks or devices: the same online and offline.

``[p.read(w) for c in chunks for w in p.push(c)]`` is the whole of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .dsp.features import Extractor
from .dsp.filters import Filters
from .dsp.holes import Bridge
from .dsp.slicer import Slicer
from .dsp.spec import FeatureSpec
from .ring import RingBuffer
from .types import Chunk, Features, Reading, Readout, StreamInfo, Why, Window

NOTCH_HZ = (50.0, 60.0)  # no band reaches 48 Hz, so taking out both costs nothing and needs no country
MEMORY_S = 60.0


class Estimator(Protocol):
    """What turns features into a reading. `why` is set when there must be no estimate."""

    @property
    def readout(self) -> Readout: ...

    def __call__(self, features: Features, window: Window, why: Why | None) -> Reading: ...


class Pipeline:
    """One stream's path from chunks to readings.

    Parameters
    ----------
    info : StreamInfo
    spec : FeatureSpec
    estimator : Estimator
    notch_hz : sequence of float
        Line frequencies to take out.
    """

    def __init__(
        self, info: StreamInfo, spec: FeatureSpec, estimator: Estimator, notch_hz: Sequence[float] = NOTCH_HZ
    ) -> None:
        spec.check(info.sfreq)
        self.info, self.spec, self._estimator = info, spec, estimator
        self._bridge = Bridge(info.n_chans, round(spec.max_hole_s * info.sfreq))
        self._slicer = Slicer(info, spec, Filters(spec, info.sfreq, info.n_chans, notch_hz), MEMORY_S)
        self._extract = Extractor(spec, info.sfreq)

    @property
    def readout(self) -> Readout:
        """What its readings can say."""
        return self._estimator.readout

    @property
    def clean(self) -> RingBuffer:
        """The filtered signal of the last minute."""
        return self._slicer.clean

    def push(self, chunk: Chunk) -> list[Window]:
        """Filter and slice. Cheap, exact, never skipped."""
        windows: list[Window] = []
        for run in self._bridge(chunk):
            t_first = chunk.t_last - (chunk.end - 1 - run.first) / self.info.sfreq
            windows += self._slicer(run, t_first)
        return windows

    def read(self, window: Window) -> Reading:
        """Features, profile, network. Dear: the engine may skip it for a stale window."""
        features = self.features(window)
        return self._estimator(features, window, self._reason(window, features))

    def features(self, window: Window) -> Features:
        """Only the features; for training and calibration."""
        return self._extract(window)

    def _reason(self, window: Window, features: Features) -> Why | None:
        """Why there can be no estimate from this window, whatever the network would say; None when there can."""
        spec, sfreq = self.spec, self.info.sfreq
        context = round(spec.context_s * sfreq)
        if window.broken and window.end - window.broken < context:
            return Why.GAP
        if window.end - window.settled < context:
            return Why.SETTLING
        steps = min(spec.n_steps, int((window.end - window.settled) / sfreq / spec.step_s))
        masked = int(features.step_mask[-steps:].sum() + features.patch_mask.sum())
        if masked > spec.max_masked * (steps + spec.n_patches):
            return Why.GAP
        good = int(features.quality.good.sum())
        return Why.BAD_SIGNAL if good < max(2, self.info.n_chans / 2) else None
