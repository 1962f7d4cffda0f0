"""Test of whether a signal has moved away from the subject's baseline for good, and its result as readings carry it.

The test is a two-sided cumulative sum [1]_ of the mean of each band over electrodes, and of each electrode over bands,
in standard deviations from the baseline. Differential entropy of successive seconds is correlated, so the sums are of
the means of blocks of ten usable seconds, which hardly are. Each block counts by at most `MOST_SD`, so that a state of
two minutes, however strong, reaches less than half of the threshold, and what returns to the baseline is forgotten as
fast. What the states of the subject's own calibration do is allowed for, however long they last.

The constants were chosen on real rest; false alarms and delays: docs/decisions/0029-drift-and-corrections.md.

References
----------
.. [1] Page (1954), Continuous inspection schemes, Biometrika 41(1–2), 100–115, doi 10.1093/biomet/41.1-2.100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

BLOCK_S = 10.0  # usable seconds of a block
ALLOWANCE_SD = 0.6  # a mean over electrodes this far from the baseline is not counted as drift
MINUTE_SD = 0.2  # added for the error of a baseline of one minute; less for a longer one
ELECTRODE_SD = 0.3  # added for single electrodes, whose means vary more
MOST_SD = 0.5  # by which one block raises a sum
THRESHOLD_SD = 15.0  # 30 such blocks: five minutes
CLIP_SD = 4.0  # of one second: one burst of muscle must not count as minutes of drift


class DriftStatus(Enum):
    """How the signal compares with the baseline, and where its renewal stands."""

    STEADY = "steady"
    MOVED = "moved"  # the alarm; it lasts until the baseline is renewed
    RESTING = "resting"  # seconds of rest for a new baseline are being collected
    READY = "ready"  # a new baseline is ready to be used or not


@dataclass(frozen=True, slots=True)
class Drift:
    """The state of the subject's baseline at a reading. Values are in standard deviations of that baseline."""

    status: DriftStatus = DriftStatus.STEADY
    moved: bool = False
    """Whether there was an alarm since the baseline was made or renewed: true also during the rest after it."""
    what: str = ""
    """Band or electrode that had moved most when the alarm began."""
    change_sd: float = 0.0
    """By how much it had moved: its mean since the change began."""
    rest_s: float = 0.0
    """Usable seconds of rest that were collected."""
    bands_sd: tuple[tuple[str, float], ...] = ()
    """Each band, and by how much the new baseline differs from the present one in it, as a mean over electrodes."""
    renewed: int = 0
    """How many times the baseline was renewed in this run."""
    failed: bool = False
    """Whether the last rest had too few usable seconds."""

    def as_dict(self) -> dict[str, object]:
        """The fields as in the JSON output."""
        return {
            "status": self.status.value,
            "moved": self.moved,
            "what": self.what or None,
            "change_sd": round(self.change_sd, 3),
            "rest_s": self.rest_s,
            "bands_sd": dict(self.bands_sd) or None,
            "renewed": self.renewed,
            "failed": self.failed,
        }


class DriftTest:
    """Cumulative sums over one run, second by second.

    Parameters
    ----------
    bands, ch_names : sequence of str
        Names of the bands and the electrodes.
    baseline_s : float
        Length of the baseline (s).
    states : (n_states, n_chans, n_bands) array, optional
        Mean of each state that the subject's calibration showed, in standard deviations from the baseline: what lies
        between these and the baseline is no drift.
    step_s : float
        Length of a "second" (s).
    """

    def __init__(
        self,
        bands: Sequence[str],
        ch_names: Sequence[str],
        baseline_s: float,
        states: np.ndarray | None = None,
        step_s: float = 1.0,
    ) -> None:
        self._names = (*bands, *ch_names)
        self._n_steps = max(1, round(BLOCK_S / step_s))
        extra = np.repeat([0.0, ELECTRODE_SD], [len(bands), len(ch_names)])
        allowance = ALLOWANCE_SD + MINUTE_SD * np.sqrt(60 / max(baseline_s, 1.0)) + extra
        means = np.zeros((1, len(self._names)))
        if states is not None and len(states):
            means = np.concatenate([states.mean(axis=1), states.mean(axis=2)], axis=1)
        self._allowed = np.stack([np.maximum(means.max(axis=0), 0), np.maximum(-means.min(axis=0), 0)]) + allowance
        self._sums = np.zeros((2, len(self._names)))  # above and below the baseline
        self._since = np.zeros((2, len(self._names)))  # sum of the blocks since each sum was zero
        self._n_since = np.zeros((2, len(self._names)))  # and their number
        self._block: list[tuple[np.ndarray, np.ndarray]] = []

    def state(self) -> dict[str, object]:
        """What it has summed up, as JSON values."""
        block = [(z.tolist(), good.tolist()) for z, good in self._block]
        sums = self._sums.tolist(), self._since.tolist(), self._n_since.tolist()
        return {"sums": sums, "block": block}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from the `state` of another test of the same baseline."""
        self._sums, self._since, self._n_since = (np.array(rows, float) for rows in state["sums"])
        self._block = [(np.array(z, float), np.array(good, bool)) for z, good in state["block"]]

    @property
    def level(self) -> float:
        """The largest sum as a share of the threshold: the alarm begins at 1."""
        return float(self._sums.max() / THRESHOLD_SD)

    def take_in(self, z: np.ndarray, good: np.ndarray) -> bool:
        """Take in one second, `z` (n_chans, n_bands), of the electrodes where `good` (n_chans,) is true.

        True when it completes a block with which a sum reaches the threshold.
        """
        if not good.any():
            return False
        self._block.append((np.clip(z, -CLIP_SD, CLIP_SD), good))
        if len(self._block) < self._n_steps:
            return False
        all_z, all_good = (np.stack(rows) for rows in zip(*self._block, strict=True))
        self._block = []
        self._add(all_z, all_good)
        return self.level >= 1

    def _add(self, z: np.ndarray, good: np.ndarray) -> None:
        """One block: z (n_steps, n_chans, n_bands), good (n_steps, n_chans)."""
        weight = good[:, :, None].astype(float)
        of_bands = (z * weight).sum(axis=(0, 1)) / weight.sum()
        usable = good.mean(axis=0) >= 0.5
        of_electrodes = (z.mean(axis=2) * good).sum(axis=0) / np.maximum(good.sum(axis=0), 1)
        mean = np.concatenate([of_bands, of_electrodes])
        counts = np.concatenate([np.ones(len(of_bands), bool), usable])
        signed = np.stack([mean, -mean])
        sums = np.maximum(0, self._sums + np.minimum(signed - self._allowed, MOST_SD))
        self._sums = np.where(counts, sums, self._sums)
        begun = self._sums > 0
        self._since = np.where(begun, self._since + np.where(counts, signed, 0), 0)
        self._n_since = np.where(begun, self._n_since + counts, 0)

    def largest(self) -> tuple[str, float]:
        """What has moved most, and its mean (SD) since the change began: the estimate that belongs to the sum."""
        sign, at = np.unravel_index(int(self._sums.argmax()), self._sums.shape)
        mean = self._since[sign, at] / max(self._n_since[sign, at], 1)
        return self._names[at], float(mean if sign == 0 else -mean)
