"""Methods that predict the rating of each trial from other subjects' trials: controls, linear and kernel regression.

* ``mean``, ``position`` and ``stimulus`` see no signal: the mean rating of the training subjects, a ridge regression on
  the place of the trial in its session, and the training subjects' mean rating of the same stimulus;
* ``ridge`` and ``svr`` (rbf kernel) see the mean DE of the trial;
* ``reader`` is the Mood Reader trained on thirds of the scale: the expected value over the thirds' mean ratings.

Ratings are scaled by nothing but the training subjects' trials, and predictions are kept within the scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from ..datasets.person import Person
from ..inputs import RawToken
from ..reader import ReaderConfig
from . import mood_reader
from .baselines import Method, Scorer, Setting, names_asked
from .contexts import Contexts, View
from .controls.order import PositionControl
from .mood_reader import ReaderMethod

WITHOUT_SIGNAL = ("mean", "position", "stimulus")
TITLES = {
    "mean": "mean rating (control)", "position": "position in the session (control)",
    "stimulus": "mean rating of the stimulus (control)", "ridge": "ridge regression", "svr": "SVR (rbf)",
    "reader": "Mood Reader, thirds of the scale",
}  # fmt: skip
SETTINGS: dict[str, Sequence[Setting]] = {
    "position": [{"alpha": 10.0}],
    "ridge": [{"alpha": a} for a in (1e5, 1e4, 1e3, 1e2)],
    "svr": [{"C": c, "width": w} for c in (0.03, 0.3, 3.0) for w in (0.1, 1.0)],
}


def rating_methods(
    asked: str, scale: str, steps: Sequence[int], encoder: Path | None, raw_token: RawToken = "patch"
) -> list[Method]:
    """The controls, and the methods of ``"ridge,svr"`` or ``"all"``.

    Raises
    ------
    ConfigError
        There is no such method for ratings.
    """
    offered = [name for name in TITLES if name not in WITHOUT_SIGNAL]
    names = names_asked(asked, list(TITLES), of=" for ratings", offered=offered)
    chosen = dict.fromkeys([*WITHOUT_SIGNAL, *names])
    reader = ReaderMethod(config=ReaderConfig(raw_token=raw_token), steps=steps, encoder=encoder)
    return [RatingReader(scale, reader) if name == "reader" else RatingMethod(name, scale) for name in chosen]


def ratings_of(p: Person, trials: np.ndarray, scale: str) -> np.ndarray:
    """The subject's ratings of some trials, by number."""
    return np.array([p.trials[int(k)].ratings[scale] for k in trials], float)


class RatingMethod:
    """A regressor on one row of features a trial."""

    def __init__(self, name: str, scale: str) -> None:
        self.name, self.title, self.scale = name, TITLES[name], scale
        self.settings: Sequence[Setting] = SETTINGS.get(name, ({},))
        self.any_montage = name in WITHOUT_SIGNAL

    @property
    def depends(self) -> Sequence[object]:
        """The scale that is predicted."""
        return (self.scale,)

    def fit(self, subjects: Sequence[Person], view: View, setting: Setting, seed: int) -> Scorer:
        """Fit to the ratings of all trials with scored seconds."""
        xs, ys = [], []
        for c in map(view.contexts, subjects):
            numbers, _, x = self.by_trial(c)
            xs.append(x)
            ys.append(ratings_of(c.person, numbers, self.scale))
        x, y = np.concatenate(xs), np.concatenate(ys)
        predict = _by_stimulus(x, y) if self.name == "stimulus" else regressor(self.name, setting).fit(x, y).predict

        def score(c: Contexts) -> np.ndarray:
            _, row, x = self.by_trial(c)
            return np.asarray(np.clip(predict(x), y.min(), y.max())[row, None])

        return score

    def by_trial(self, c: Contexts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Numbers of the trials, the row of each context's trial, and the input: features, or the stimulus."""
        numbers, row, x = c.by_trial(self._features(c))
        if self.name == "stimulus":
            x = np.array([c.person.trials[k].stimulus for k in numbers])
        return numbers, row, x

    def _features(self, c: Contexts) -> np.ndarray:
        """(n, n_features) float."""
        if self.name == "position":
            return PositionControl.features(c)
        return np.zeros((len(c), 1)) if self.name in WITHOUT_SIGNAL else c.mean_de


def regressor(name: str, setting: Setting) -> RegressorMixin:
    if name == "mean":
        return DummyRegressor()
    if name == "position":
        return Ridge(alpha=setting["alpha"])
    if name == "ridge":
        return make_pipeline(StandardScaler(), Ridge(alpha=setting["alpha"]))
    return make_pipeline(StandardScaler(), _ScaledSVR(setting["C"], setting["width"]))


class _ScaledSVR(TransformedTargetRegressor):
    """On ratings in standard deviations of the training trials; the kernel's width is relative to their number."""

    def __init__(self, C: float = 1.0, width: float = 1.0) -> None:
        super().__init__(transformer=StandardScaler())
        self.C, self.width = C, width

    def fit(self, x: np.ndarray, y: np.ndarray, **more: Any) -> _ScaledSVR:
        self.regressor = SVR(C=self.C, gamma=self.width / x.shape[1])
        super().fit(x, y, **more)
        return self


def _by_stimulus(stimuli: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Mean rating of each stimulus; of all trials where a stimulus is unknown."""
    means = {s: float(y[stimuli == s].mean()) for s in np.unique(stimuli)}
    return lambda asked: np.array([means.get(s, float(y.mean())) for s in asked])


class RatingReader:
    """The Mood Reader on thirds of the scale, which are the labels of the study."""

    any_montage = True
    name, title = "reader", TITLES["reader"]

    def __init__(self, scale: str, reader: ReaderMethod) -> None:
        self.scale, self.reader, self.settings = scale, reader, reader.settings

    @property
    def depends(self) -> Sequence[object]:
        """The scale, and what the network depends on."""
        return (self.scale, mood_reader, *self.reader.depends)

    def fit(self, subjects: Sequence[Person], view: View, setting: Setting, seed: int) -> Scorer:
        """Fit the network to the thirds, and take the mean rating of each from the training subjects."""
        ys, thirds = [], []
        for c in map(view.contexts, subjects):
            numbers, _, label = c.by_trial(c.labels[:, None].astype(float))
            ys.append(ratings_of(c.person, numbers, self.scale))
            thirds.append(label[:, 0].astype(int))
        y, third = np.concatenate(ys), np.concatenate(thirds)
        every = range(len(view.labels))
        means = np.array([y[third == k].mean() if (third == k).any() else y.mean() for k in every])
        logits = self.reader.fit(subjects, view, setting, seed)

        def score(c: Contexts) -> np.ndarray:
            _, row, probs = c.by_trial(softmax(logits(c), axis=1))
            return np.asarray((probs @ means)[row, None])

        return score
