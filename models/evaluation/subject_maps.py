"""Maps of one held-out subject by label, electrode and band: attention, integrated gradients, DE contrasts.

Integrated gradients [1]_ divide the change of a label's score, from the subject's baseline to a context, among the
values of DE: the baseline is zero in standard deviations, and so the natural point of reference. Their sum is that
change (completeness), as long as raw patches and eye movements are held still.

References
----------
.. [1] Sundararajan, Taly, Yan (2017), "Axiomatic attribution for deep networks", ICML, arXiv:1703.01365.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from ..datasets.guards import mean_there
from ..reader import Batch, MoodReader
from .contexts import Contexts
from .figures import Scores
from .mood_reader import READOUT, batch

MOST_CONTEXTS = 24  # of each label, evenly spread: neighbouring ones are similar
PATH = 12  # points at which gradients are taken between the baseline and a context


@dataclass(frozen=True, eq=False)
class TrialMeans:
    """DE of each trial of a subject, in standard deviations of the baseline."""

    means: np.ndarray  # (n_trials, n_chans, n_bands), NaN for electrodes that were never good
    labels: np.ndarray  # (n_trials,) int

    def contrasts(self, n_labels: int, rng: np.random.Generator | None = None) -> np.ndarray:
        """Each label against the mean of the others, (n_labels, n_chans, n_bands); NaN for a label that is missing.

        With `rng`, labels are permuted by trial.
        """
        labels = self.labels if rng is None else rng.permutation(self.labels)
        known = [mean_there(self.means[labels == y]) for y in range(n_labels)]
        return np.stack([known[y] - mean_there(np.stack([*known[:y], *known[y + 1 :]])) for y in range(n_labels)])

    @property
    def in_order(self) -> bool:
        """Whether all trials of a label come before those of the next one, so that labels and time are the same."""
        return int(np.count_nonzero(np.diff(self.labels))) < len(np.unique(self.labels))


@dataclass(frozen=True, eq=False)
class SubjectMaps:
    """Maps of one subject, each (n_labels, n_chans, n_bands); NaN for labels that the subject lacks."""

    name: str
    attention: np.ndarray
    """Times an equal share among the good electrodes, minus one."""
    gradients: np.ndarray
    """Integrated gradients of the label's score, less the mean score."""
    trials: TrialMeans
    scores: Scores
    incompleteness: float
    """Largest difference of a sum of integrated gradients from the change of the score, relative to the spread."""


def maps_of(reader: MoodReader, logits: np.ndarray, c: Contexts, n_labels: int) -> SubjectMaps:
    """All maps of the subject of `c` by a network that was not trained on it; `logits` (n, n_labels) are its own."""
    attention, gradients, errors = [], [], [0.0]
    for y in range(n_labels):
        rows = np.flatnonzero(c.labels == y)
        if not len(rows):
            attention.append(np.full((len(c.chans), len(c.spec.bands)), np.nan))
            gradients.append(attention[-1])
            continue
        rows = rows[np.unique(np.linspace(0, len(rows) - 1, MOST_CONTEXTS).round().astype(int))]
        b = batch(c, rows)
        b = b if reader.eye_trained else replace(b, eye=None)
        attention.append(_attention(reader, b))
        found, error = integrated_gradients(reader, b, y)
        gradients.append(found)
        errors.append(error)
    return SubjectMaps(
        c.person.name, np.stack(attention), np.stack(gradients), trials_of(c), Scores(logits, c.labels), max(errors)
    )


@torch.inference_mode()
def _attention(reader: MoodReader, b: Batch) -> np.ndarray:
    share = reader(b).attention
    assert share is not None
    good = b.keep_chans[:, :, None].numpy()
    times = share.numpy() * good.sum(axis=1, keepdims=True) - 1
    return mean_there(np.where(good, times, np.nan))


def integrated_gradients(reader: MoodReader, b: Batch, y: int) -> tuple[np.ndarray, float]:
    """Contribution of DE to the score of label `y` over the mean score, summed over steps, averaged over contexts.

    Returns it as (n_chans, n_bands), and by how much sums of it miss the change of the score, relative to its spread.
    """

    def score(de: torch.Tensor) -> torch.Tensor:
        scores = reader(replace(b, de=de)).scores[READOUT]
        return scores[:, y] - scores.mean(1)

    total = torch.zeros_like(b.de)
    for k in range(PATH):
        de = (b.de * ((k + 0.5) / PATH)).requires_grad_()
        total += torch.autograd.grad(score(de).sum(), de)[0]
    contribution = (total / PATH * b.de).sum(1)  # (n, n_chans, n_bands)
    with torch.inference_mode():
        change = score(b.de) - score(torch.zeros_like(b.de))
    missed = float((contribution.sum((1, 2)) - change).abs().mean() / change.abs().mean().clamp(min=1e-6))
    return contribution.mean(0).numpy(), missed


def trials_of(c: Contexts) -> TrialMeans:
    """Mean DE of the trials; where a data set has none, of the stretches of one label within a piece of signal."""
    p = c.person
    unit = p.trial if p.trials and p.trial is not None else _stretches(p.piece, p.label)
    unit, values = unit[c.at], np.where(c.good[:, :, None], c.de[:, -1], np.nan)
    every = [(unit == i) & (c.labels == y) for i, y in sorted(set(zip(unit.tolist(), c.labels.tolist(), strict=True)))]
    return TrialMeans(
        np.stack([mean_there(values[one]) for one in every]), np.array([c.labels[one][0] for one in every])
    )


def _stretches(piece: np.ndarray, label: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum((np.diff(piece) != 0) | (np.diff(label) != 0))])
