"""The signal quality of each electrode: its name, score, fault and colour."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..language import _
from ..types import Fault, Quality, StreamInfo
from .words import FAULT_WORDS

GOOD_SCORE = 0.7  # an electrode without a fault is fair below it


@dataclass(frozen=True, slots=True)
class ElectrodeView:
    """One channel's signal quality."""

    name: str
    score: float | None
    fault: str  # what is wrong, translated; empty if nothing is
    role: str
    kohm: float | None = None  # impedance (kΩ), if the device measures it
    excluded: bool = False  # left out by the operator

    @property
    def is_bad(self) -> bool:
        return self.role == "bad"


def electrodes_of(
    info: StreamInfo | None, quality: Quality | None, kohm: np.ndarray | None
) -> tuple[ElectrodeView, ...]:
    """The electrodes of a source; `kohm` (n_chans,) are their impedances (kΩ), NaN if unknown."""
    if info is None:
        return ()
    measured = [None] * info.n_chans if kohm is None else [float(k) if math.isfinite(k) else None for k in kohm]
    if quality is None or len(quality.scores) != info.n_chans:
        return tuple(ElectrodeView(name, None, "", "dim", k) for name, k in zip(info.ch_names, measured, strict=True))
    found = []
    for name, score, fault, k in zip(info.ch_names, quality.scores, quality.faults, measured, strict=True):
        out = fault is Fault.EXCLUDED
        role = "dim" if out else "bad" if fault else "ok" if score >= GOOD_SCORE else "warn"
        found.append(ElectrodeView(name, float(score), _(FAULT_WORDS[fault]) if fault else "", role, k, out))
    return tuple(found)
