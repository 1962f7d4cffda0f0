"""Turns features into a reading: the subject's normaliser, the network, and the reasons to abstain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from .baseline import BaselineWatch
from .contracts import BatchNetwork, Network
from .corrections import Corrections
from .drift import Drift
from .dsp.spec import FeatureSpec
from .entropy import Population, Statistics
from .labelling import Correctable, CorrectionBudget
from .profile import Normaliser, Profile
from .types import Abstained, Array, Estimate, Features, Reading, Readout, StreamInfo, Why, Window

Item = tuple[Features, Window, Why | None]
Measured = tuple[Why | None, float]
Result = tuple[tuple[float, ...], Array]

LEAST_CHANNELS = 4  # no network here was trained on fewer
NO_READOUT = Readout("none", ("none",), ((0.0, 0.0),), "none")


@runtime_checkable
class Measuring(Protocol):
    """A network that measures how unlike its training its input is."""

    def unfamiliarity(self, features: Features, normal: Features) -> float:
        """Above 1 there is no estimate; NaN where it is not measured. `normal` are the `features`, normalised."""


class MoodEstimator:
    """The `Estimator` used live, offline and in replay, with DE steps of `step_s` seconds.

    `watch` is that of the subject's baseline, where there is a profile.
    """

    def __init__(
        self,
        info: StreamInfo,
        network: Network,
        normaliser: Normaliser,
        step_s: float,
        watch: BaselineWatch | None = None,
    ) -> None:
        self._watch = watch
        self._budget = CorrectionBudget(network, network.readout.labels) if isinstance(network, Correctable) else None
        self._network, self._normaliser, self._step_s, self._sfreq = network, normaliser, step_s, info.sfreq
        self.readout, self.batches = network.readout, isinstance(network, BatchNetwork)
        self.normal: Features | None = None
        self._standing: Why | None = None
        if info.n_chans < LEAST_CHANNELS:
            self._standing = Why.MONTAGE
        elif network.readout.evidence == "virtual" and not info.virtual:
            self._standing = Why.UNCALIBRATED  # a head trained on simulated subjects is not valid for a real one

    @property
    def notes(self) -> tuple[str, ...]:
        return self._network.notes

    def learn(self, features: Features, end: int) -> Statistics:
        """Update the statistics with the step that ends at sample `end`, if one does; return them."""
        before = self._normaliser.last
        statistics = self._normaliser(features, end, self._step_s)
        if self._watch and self._normaliser.last > before:
            good = None if features.step_mask[-1] else features.quality.good
            self._watch.take_in(features.de[-1].astype(np.float64), good)
        return statistics

    @property
    def drift(self) -> Drift | None:
        """How the signal compares with the subject's baseline; None without a profile."""
        return self._watch.drift if self._watch else None

    @property
    def profile(self) -> Profile | None:
        """The subject's profile, with the baseline and the classifier as changed in this run; None without one."""
        return self._watch.kept(self.corrections, self._network) if self._watch else None

    @property
    def corrections(self) -> Corrections | None:
        """The user's corrections; None before the first, and where the network cannot be corrected."""
        return self._budget.state if self._budget else None

    def correct(self, label: str, items: Sequence[tuple[Features, Window]], time: float) -> None:
        """Label windows, one for each second; what counts then is used for windows after `time` (s)."""
        if self._budget:
            # eye movements are recorded with readings alone, so a correction must not depend on them
            given = [] if self._standing else [(features, replace(window, eye=None)) for features, window in items]
            usable = [_standardised(*item) for item in given]
            self._budget.request(label, usable, time)

    @property
    def eye_population(self) -> Population | None:
        """As in `Learner`."""
        population: Population | None = getattr(self._network, "population", None)  # a simple network has none
        return population.eye if population else None

    def renew(self, what: str) -> None:
        """Carry out a `BaselineRequest`."""
        if self._watch and (statistics := self._watch.request(what)):
            self._normaliser.restart(statistics)

    def state(self) -> dict[str, Any]:
        """As in `Learner`."""
        watch = self._watch.state() if self._watch else None
        corrections = self._budget.stored() if self._budget else None
        return {"normaliser": self._normaliser.state(), "watch": watch, "corrections": corrections}

    def restore(self, state: Mapping[str, Any]) -> None:
        """As in `Learner`."""
        self._normaliser.restore(state["normaliser"])
        if self._watch and state["watch"]:
            self._watch.restore(state["watch"])
        if self._budget and state.get("corrections"):  # older recordings do not have them
            self._budget.restore(state["corrections"])

    def take_over(self, other: MoodEstimator) -> None:
        """Go on with the baseline that `other` had."""
        if other.corrections:
            self._network, self._budget = other._network, other._budget
        if other._watch:
            self._watch = other._watch
            self._normaliser.restart(self._watch.statistics)

    def __call__(self, features: Features, window: Window, why: Why | None) -> Reading:
        """One reading; `why` is the pipeline's reason to abstain, if it has one."""
        self.normal = normal = _standardised(features, window)
        measured = why, _ = self._measured(features, normal, why)
        return self._reading(normal, window, measured, None if why else self._network(normal))

    def many(self, items: Sequence[Item]) -> list[Reading]:
        """A reading for each of `items`, the network's part computed together."""
        assert isinstance(self._network, BatchNetwork)
        normal = [_standardised(features, window) for features, window, _ in items]
        measured = [self._measured(it, n, why) for (it, _, why), n in zip(items, normal, strict=True)]
        asked = [it for it, (why, _) in zip(normal, measured, strict=True) if why is None]
        results = iter(self._network.many(asked) if asked else ())
        self.normal = normal[-1]
        return [
            self._reading(it, window, found, None if found[0] else next(results))
            for it, (_, window, _), found in zip(normal, items, measured, strict=True)
        ]

    def _measured(self, features: Features, normal: Features, why: Why | None) -> Measured:
        """The reason to abstain, and the unfamiliarity; NaN where there is another reason."""
        if (why := why or self._standing) or not isinstance(self._network, Measuring):
            return why, math.nan
        unfamiliarity = self._network.unfamiliarity(features, normal)
        return Why.UNFAMILIAR if unfamiliarity > 1 else None, unfamiliarity

    def _reading(self, features: Features, window: Window, measured: Measured, result: Result | None) -> Reading:
        """The reading of what the network computed; None where it was not asked."""
        calibrated, (why, unfamiliarity) = self._normaliser.frozen, measured
        first = max(0, window.end - round(len(features.de) * self._step_s * self._sfreq))
        probs = None
        if result is not None:
            probs, attention = result
            if (confidence := max(probs)) >= self._network.least_confidence:
                return Estimate(
                    self.readout, probs, confidence, attention, features.quality, features.coverage, calibrated,
                    first, window.end, features.t_last, features.time, window.drift,
                    window.corrections, unfamiliarity, window.eye,
                )  # fmt: skip
            why = Why.UNSURE
        assert why is not None
        return Abstained(
            why, first, window.end, features.t_last, self.readout, probs, features.quality, features.coverage,
            calibrated, features.time, window.drift, window.corrections, unfamiliarity, window.eye,
        )  # fmt: skip


def _standardised(features: Features, window: Window) -> Features:
    """In standard deviations of the subject, by the statistics at that time."""
    assert window.statistics is not None  # every window that our pipeline makes has them
    z, patches = window.statistics.standardise(features.de, features.patches, features.step_mask)
    eye = window.eye.features if window.eye else None
    return replace(features, de=z, patches=patches, eye=eye)


class SignalOnly:
    """The `Estimator` without a network: its readings have signal quality, and never an estimate."""

    readout = NO_READOUT
    notes: tuple[str, ...] = ()
    normal = None

    def __init__(self, spec: FeatureSpec, sfreq: float) -> None:
        self._context = round(spec.n_steps * spec.step_s * sfreq)

    def __call__(self, features: Features, window: Window, why: Why | None) -> Reading:
        first = max(0, window.end - self._context)
        return Abstained(
            why or Why.UNCALIBRATED, first, window.end, features.t_last, NO_READOUT, None, features.quality,
            features.coverage, time=features.time,
        )  # fmt: skip
