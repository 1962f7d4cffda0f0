"""Named numbers of a reading, with the same names and order in every output.

============== =============================================================================================
``valid``      1 for an estimate, else 0: then the other values of the estimate are NaN
``valence``    -1 to 1: mean valence of the labels, weighted by their probabilities; NaN where a readout has none
``arousal``    likewise
``p_LABEL``    the label's probability
``confidence`` of the network, 0 to 1
``quality``    of the electrodes, 0 to 1
``sample_age_ms`` emission minus the stamp of the newest sample
``latency_ms`` emission minus the arrival of the window's last sample; NaN without an estimate
``eyes``       1 where eye movements took part, 0 where the reading rests on the EEG alone
``unfamiliarity`` of the network's input; above 1 there is no estimate, NaN where it is not measured
============== =============================================================================================
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
