"""Methods that see the order of the trials and no signal: what they reach, the order of playing gives away."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...datasets.person import Person
from ..baselines import Scorer, Setting, fitted_logits, logistic_regression
from ..contexts import MOST_NUMBERS, Contexts, View

MOST_PLACES, MOST_LABELS = 40, 9


class _TrialMethod:
    """Logistic regression on features of the trials' order."""

    any_montage = True
    depends: Sequence[object] = ()
    settings: Sequence[Setting] = ({"C": 1.0},)
    features: Callable[[Contexts], np.ndarray]

    def fit(self, subjects: Sequence[Person], view: View, setting: Setting, seed: int) -> Scorer:
        x, y = view.features(subjects, MOST_NUMBERS // (MOST_PLACES + 4), self.features)
        logits = fitted_logits(logistic_regression(setting["C"]), x, y, len(view.labels))
        return lambda c: logits(self.features(c))


class PositionControl(_TrialMethod):
    """The label from the place of the trial in its session: a smooth function of it, and each place by itself."""

    name, title = "position", "position in the session (control)"

    @staticmethod
    def features(c: Contexts) -> np.ndarray:
        p = c.person
        assert p.trial is not None
        place = np.array([t.position for t in p.trials])[p.trial[c.at]]
        share = place / max(1, max(t.position for t in p.trials))
        return np.column_stack([share[:, None] ** np.arange(1, 5), place[:, None] == np.arange(MOST_PLACES)])


class NeighbourControl(_TrialMethod):
    """The label from the true label of the trial before it in the same session."""

    name, title = "neighbour", "label of the trial before (control)"

    @staticmethod
    def features(c: Contexts) -> np.ndarray:
        p = c.person
        assert p.trial is not None
        by_trial = label_by_trial(p)
        before = np.array([
            by_trial[i - 1] if i and p.trials[i - 1].session == t.session else -1 for i, t in enumerate(p.trials)
        ])  # fmt: skip
        return before[p.trial[c.at]][:, None] == np.arange(-1, MOST_LABELS)


WITHOUT_SIGNAL = (PositionControl(), NeighbourControl())


def label_by_trial(p: Person) -> np.ndarray:
    """(n_trials,) int: the label of each trial's seconds; -1 where it has none."""
    assert p.trial is not None
    return np.array([p.label[p.trial == i].max(initial=-1) for i in range(len(p.trials))])
