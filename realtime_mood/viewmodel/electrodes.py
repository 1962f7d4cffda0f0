"""The signal quality of each electrode: its name, score, fault and colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, takewhile

import numpy as np

from ..dsp.quality import MEMORY_S
from ..dsp.reference import Derivation
from ..language import _
from ..types import Fault, Quality, Reading, StreamInfo
from .words import FAULT_WORDS

GOOD_SCORE = 0.7  # an electrode without a fault is fair below it
KEPT_S = 10.0  # how long what was known of electrodes is shown when they are not judged; filters settle in less


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


def known_quality(latest: Reading | None, readings: Sequence[Reading]) -> Quality | None:
    """The quality of the latest reading, or the last one before it while filters settle after a gap.

    Then faults from before the gap also stand until they can have appeared again. `readings` are in the order of time.
    None where no electrode has been judged within `KEPT_S`.
    """
    if latest is None:
        return None
    recent = takewhile(lambda it: it.t_last >= latest.t_last - KEPT_S, chain((latest,), reversed(readings)))
    judged, n_gaps = None, 0
    for reading in recent:
        if (quality := reading.quality) is None or not _is_judged(quality):
            n_gaps += 1
        elif judged is None:
            judged = quality
            if n_gaps:
                break
        elif n_gaps:
            return _with_faults(judged, quality)
        if not n_gaps and reading.t_last < latest.t_last - MEMORY_S:
            break
    return judged


def _with_faults(quality: Quality, before: Quality) -> Quality:
    """`quality` with the faults of `before` on electrodes that have none."""
    pairs = list(zip(quality.faults, before.faults, strict=True))
    stands = [now is None and then not in (None, Fault.EXCLUDED) for now, then in pairs]
    faults = tuple(then if stand else now for stand, (now, then) in zip(stands, pairs, strict=True))
    return Quality(np.where(stands, before.scores, quality.scores), faults)


def _is_judged(quality: Quality) -> bool:
    return bool(quality.scores.any()) or any(fault not in (None, Fault.EXCLUDED) for fault in quality.faults)


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


def lanes_of(electrodes: tuple[ElectrodeView, ...], derivation: Derivation | None) -> tuple[ElectrodeView, ...]:
    """One view for each derived signal: that of its electrode, or the worse one of its two."""
    if derivation is None or derivation.matrix.shape[1] != len(electrodes):
        return electrodes
    found = []
    for name, of in zip(derivation.names, derivation.of, strict=True):
        parts = [electrodes[i] for i in of]
        worst = next((e for e in parts if e.excluded), None) or next((e for e in parts if e.is_bad), parts[0])
        found.append(replace(worst, name=name))
    return tuple(found)
