"""What a readout is: its labels, where they lie on the valence-arousal plane, and on whom it was shown to work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .language import N_, _

LEAST_SUBJECTS = 6
"""Fewer held-out subjects, all above chance, have a p value of .05 and more (two-sided sign test)."""


@dataclass(frozen=True, slots=True)
class HeldOutResult:
    """How well a readout that was trained on a data set reads subjects of that set whom it has not seen."""

    data_set: str
    n_subjects: int
    virtual: bool
    """The data set was simulated."""
    accuracy: float
    """Balanced accuracy, mean over subjects."""
    low: float
    """Lower end of its 95 % confidence interval."""
    high: float
    chance: float
    above_chance: bool
    """The interval of the distance from chance excludes zero."""
    above_controls: bool
    """So do those of the distances from what the order of trials gives away."""

    @property
    def valid(self) -> bool:
        """Whether it may be claimed that it works on subjects like these."""
        return self.above_chance and self.above_controls and self.n_subjects >= LEAST_SUBJECTS

    def subjects(self) -> str:
        """On whom it was shown, in words, translated."""
        about = {"n": self.n_subjects, "data_set": self.data_set}
        if self.virtual:
            return _("{n} simulated subjects in the layout of {data_set}", **about)
        return _("{n} subjects of {data_set}", **about)

    def figure(self) -> str:
        """The figure and what may be claimed, translated."""
        values = {"accuracy": self.accuracy, "low": self.low, "high": self.high, "chance": self.chance}
        text = _(
            "balanced accuracy on held-out subjects {accuracy:.2f} (95 % CI {low:.2f} to {high:.2f}), "
            "chance {chance:.2f}",
            **values,
        )
        return text if self.valid else f"{text}; {_(self.why_not)}"

    @property
    def why_not(self) -> str:
        """Why nothing may be claimed, not translated; empty where something may."""
        if self.n_subjects < LEAST_SUBJECTS:
            return N_("too few subjects to claim anything")
        if not self.above_chance:
            return N_("not above chance")
        return "" if self.above_controls else N_("not above what the order of trials gives away")


@dataclass(frozen=True, slots=True)
class Readout:
    """Labels and scales that one head of the network predicts."""

    name: str
    labels: tuple[str, ...]
    coordinates: tuple[tuple[float, float], ...]
    """(valence, arousal) of each label, both in [-1, 1]."""
    evidence: str
    """Data it was trained and validated on: ``"real"``, ``"virtual"`` (simulated) or ``"own"`` (the subject's own)."""
    held_out: HeldOutResult | None = None
    """On whom it was shown to work, where its weights were trained on a data set."""


def places_of(readout: Readout) -> np.ndarray | None:
    """Valence and arousal of each label: (n_labels, 2); None where the readout has none."""
    at = np.array(readout.coordinates, float).reshape(-1, 2)
    return at if len(at) == len(readout.labels) and np.ptp(at, axis=0).max(initial=0.0) > 1e-6 else None
