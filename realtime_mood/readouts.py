"""What is known of a readout fitted to one person, and of how it was judged."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict

from .types import Readout


def places_of(readout: Readout) -> np.ndarray | None:
    """Valence and arousal of each label: (n_labels, 2); None where the readout does not speak of them."""
    at = np.array(readout.coordinates, float).reshape(-1, 2)
    return at if len(at) == len(readout.labels) and np.ptp(at, axis=0).max(initial=0.0) > 1e-6 else None


class Verdict(BaseModel):
    """What a person's own readout was worth on blocks that it was not fitted on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    balanced_accuracy: float
    interval: tuple[float, float]
    """95 %, over blocks."""
    chance: float
    p: float
    """How often blocks with shuffled labels do as well."""
    ece: float
    """Expected calibration error of its held-out confidence."""
    time_only: float
    """Balanced accuracy of a classifier that is told nothing but the time."""
    blocks: tuple[int, ...]
    """Of each label."""
    seconds: int
    confusion: tuple[tuple[float, ...], ...]
    """Share of each label's seconds (rows) that was taken for each label."""
    passed: bool
    text: str
    """What speaks against it; empty when it passed."""
    advice: tuple[str, ...] = ()


class OwnReadout(BaseModel):
    """A person's own readout: what it says and what it needs. Its numbers lie in a safetensors file beside."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    labels: tuple[str, ...]
    coordinates: tuple[tuple[float, float], ...]
    base: str
    """Other people's readout that it started from; empty when there was none."""
    weights: str
    weights_sha256: str
    """Of the network it stands on: no other will do."""
    head_sha256: str
    temperature: float
    least_confidence: float
    verdict: Verdict
    ch_names: tuple[str, ...] | None = None
    """The electrodes it was fitted on, in the order of its numbers; None in older files: the profile's order."""
