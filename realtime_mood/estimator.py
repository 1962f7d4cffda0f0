"""Turns features into a reading: the person's normaliser, the network, and the reasons not to answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .contracts import Network
from .entropy import Statistics
from .profile import Normaliser
from .types import Abstained, Estimate, Features, Reading, Readout, StreamInfo, Why, Window

LEAST_CHANNELS = 4  # no network here was trained on fewer


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """DE of the people a readout was trained on: where a person without a profile starts."""

    mean: np.ndarray
    """(n_bands,), nats."""
    sd: np.ndarray
    """(n_bands,), nats: from one second to the next within a person."""


class MoodEstimator:
    """The `Estimator` of live use, offline use and replay.

    Parameters
    ----------
    info : StreamInfo
    network : Network
    normaliser : Normaliser
        Holds the person's statistics; its `frozen` says whether they are the person's own.
    step_s : float
        Seconds a DE step.
    """

    def __init__(self, info: StreamInfo, network: Network, normaliser: Normaliser, step_s: float) -> None:
        self._network, self._normaliser, self._step_s, self._sfreq = network, normaliser, step_s, info.sfreq
        # A head trained on virtual people says nothing about a real one until that person's calibration has fitted it.
        self._standing: Why | None = None
        self.normal: Features | None = None
        if info.n_chans < LEAST_CHANNELS:
            self._standing = Why.MONTAGE
        elif network.readout.evidence == "virtual" and not info.virtual:
            self._standing = Why.UNCALIBRATED

    @property
    def readout(self) -> Readout:
        return self._network.readout

    @property
    def notes(self) -> tuple[str, ...]:
        return self._network.notes

    def learn(self, features: Features, end: int) -> Statistics:
        """Let the step that ends at sample `end`, if one does, move the statistics; return them."""
        return self._normaliser(features, end, self._step_s)

    def __call__(self, features: Features, window: Window, why: Why | None) -> Reading:
        """One reading; `why` is the pipeline's reason not to answer, if it has one."""
        calibrated = self._normaliser.frozen
        assert window.statistics is not None  # every window that a pipeline of ours has cut bears them
        z, patches = window.statistics.standardise(features.de, features.patches, features.step_mask)
        self.normal = normal = replace(features, de=z, patches=patches)
        first = max(0, window.end - round(len(features.de) * self._step_s * self._sfreq))
        why = why or self._standing
        if why is None:
            probs, attention = self._network(normal)
            confidence = max(probs)
            if confidence >= self._network.least_confidence:
                return Estimate(
                    self.readout, probs, confidence, attention, features.quality, features.coverage, calibrated,
                    first, window.end, features.t_last,
                )  # fmt: skip
            why = Why.UNSURE
        else:
            probs = None
        return Abstained(
            why, first, window.end, features.t_last, self.readout, probs, features.quality, features.coverage,
            calibrated,
        )  # fmt: skip
