"""Named numbers of a reading, with the same names and order in every output.

Units and meanings: docs/outputs.md, from `docs/site/meanings.py`.
"""

from __future__ import annotations

import math

import numpy as np

from ..health import Emission
from ..modalities import EYES
from ..readout import places_of
from ..types import Estimate, Readout


def names_of(readout: Readout) -> tuple[str, ...]:
    """The names of a readout's numbers, in their order."""
    labels = (f"p_{label}" for label in readout.labels)
    about = ("confidence", "quality", "sample_age_ms", "latency_ms", "unfamiliarity", "eyes")
    return ("valid", "valence", "arousal", *labels, *about)


def values_of(emission: Emission) -> dict[str, float]:
    """The numbers of a reading by name."""
    reading = emission.reading
    probs = reading.probs if isinstance(reading, Estimate) else (math.nan,) * len(reading.readout.labels)
    valid = all(map(math.isfinite, probs))  # a network's output may be NaN
    at = places_of(reading.readout)
    valence, arousal = (math.nan, math.nan) if at is None else (np.array(probs) @ at).tolist()
    numbers = (
        float(valid), valence, arousal, *probs,
        reading.confidence if isinstance(reading, Estimate) else math.nan,
        math.nan if reading.quality is None else reading.quality.overall,
        *(math.nan if ms is None else ms for ms in (emission.sample_age_ms, emission.latency_ms)),
        reading.unfamiliarity, float(EYES in reading.modalities),
    )  # fmt: skip
    return dict(zip(names_of(reading.readout), numbers, strict=True))
