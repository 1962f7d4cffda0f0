"""What a reading rests on: the EEG, and eye movements where a tracker and weights trained with them are there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

EEG, EYES = "eeg", "eyes"


class EyeState(Enum):
    """Whether eye movements take part in a reading, and why not."""

    USED = "used"
    STARTING = "starting"  # too little was seen yet
    LOST = "lost"  # the tracker sends nothing
    UNSEEN = "unseen"  # it sends, but sees no eye: closed, out of range, or with too little confidence


@dataclass(frozen=True, slots=True, eq=False)
class EyeInput:
    """Eye movements up to the end of a window, for weights that were trained with them."""

    state: EyeState
    features: NDArray[np.float32] | None = None
    """(33,), as `dsp.eye.FEATURES`, in standard deviations of the run so far; None unless they are used."""


def modalities_of(eye: EyeInput | None) -> tuple[str, ...]:
    """Names of the signals that a reading with this input rests on."""
    return (EEG, EYES) if eye is not None and eye.state is EyeState.USED else (EEG,)
