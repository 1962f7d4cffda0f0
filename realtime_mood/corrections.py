"""Corrections by the user, "now I was …": limits, and what readings say about them.

A correction labels the last `SPAN_S` seconds. The labelled seconds become a block like those of a calibration, and a
corrected classifier counts only if it is better on blocks that it was not fitted to: `models.correcting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

SPAN_S = 10.0  # seconds before the request that a correction labels
LEAST_S = 5.0  # of them, with a usable signal
BUDGET = 12  # corrections in a run
APART_S = 20.0  # least time between two corrections


class CorrectionStatus(Enum):
    """What has become of the corrections so far."""

    WAITING = "waiting"  # too few to be tried
    NOT_BETTER = "not_better"  # tried on held-out blocks: the readout stays as it was
    COUNTS = "counts"  # the corrected classifier is in use
    TAKEN_BACK = "taken_back"  # it was in use, and is not any more


@dataclass(frozen=True, slots=True)
class Corrections:
    """The corrections of a run up to a reading."""

    made: int = 0
    status: CorrectionStatus = CorrectionStatus.WAITING
    label: str = ""  # of the last request
    refused: str = ""  # why the last request was not used: ``budget``, ``too_soon``, ``signal`` or ``label``
    gain: float = 0.0
    """Probability of the right label on held-out corrections, minus that of the readout as it was."""
    p: float = 1.0  # of a paired permutation test of that gain over blocks

    @property
    def left(self) -> int:
        """How many more may be made."""
        return BUDGET - self.made

    def as_dict(self) -> dict[str, object]:
        """The fields as in the JSON output."""
        return {
            "made": self.made,
            "left": self.left,
            "status": self.status.value,
            "label": self.label,
            "refused": self.refused or None,
            "gain": round(self.gain, 4),
            "p": round(self.p, 4),
        }
