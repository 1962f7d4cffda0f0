"""Classical baseline methods, on the same seconds, context, channels and statistics as the Mood Reader.

* `Classical`: logistic regression, LDA with shrinkage [1]_ or a support vector machine (rbf) on DE averaged
  over the context;
* `Majority`: the most frequent label of the training subjects.

References
----------
.. [1] Blankertz et al. (2011), "Single-trial analysis and classification of ERP components: a tutorial", NeuroImage
   56(2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError

from ..datasets.person import Person
from .contexts import MOST_NUMBERS, Contexts, View, every_nth, n_scored

if TYPE_CHECKING:
    from .compare import Study
    from .splits import Fold

LEAST_LOGIT = -50.0
Setting = Mapping[str, Any]
Scorer = Callable[[Contexts], np.ndarray]  # logits (n, n_labels) of one subject's contexts


class Method(Protocol):
    """Something that can be fitted to subjects and then scores others."""

    name: str
    title: str
    settings: Sequence[Setting]  # one is chosen on subjects held out of fitting; the simplest first
    any_montage: bool  # one fit, on all channels, serves every montage and track

    @property
    def depends(self) -> Sequence[object]:
        """What its fits depend on beyond subjects, setting and seed: modules and settings."""
        ...

    def fit(self, subjects: Sequence[Person], view: View, setting: Setting, seed: int) -> Scorer:
        """Fit to the labelled seconds of `subjects`."""
        ...


def names_asked(asked: str, known: Sequence[str], *, of: str = "", offered: Sequence[str] = ()) -> list[str]:
    """The names of ``"lr,reader"``, each once, or for ``"all"`` all that are known.

    Raises `ConfigError` where one is unknown, which shows those `offered` (by default, the known ones).
    """
    names = list(known) if asked == "all" else [part.strip() for part in asked.split(",") if part.strip()]
    if unknown := [name for name in names if name not in known]:
        do = f"use all, or some of {', '.join(offered or known)}"
        raise ConfigError(f"methods {asked!r}", f"no {', '.join(unknown)}{of}", do)
    return list(dict.fromkeys(names))


def fitted_logits(
    model: ClassifierMixin, x: np.ndarray, y: np.ndarray, n_labels: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Fit on standardised features; returns a function from features to logits (n, n_labels).

    A label that is not in `y` is never chosen. `x` is overwritten, as a copy could take hundreds of MB.
    """
    scaler = StandardScaler(copy=False)
    model.fit(scaler.fit_transform(x), y)
    model = make_pipeline(scaler.set_params(copy=True), model)

    def logits(x: np.ndarray) -> np.ndarray:
        if hasattr(model, "predict_log_proba"):
            found = np.maximum(model.predict_log_proba(x), LEAST_LOGIT)
        else:
            margin = model.decision_function(x)
            found = np.stack([np.zeros_like(margin), margin], axis=1) if margin.ndim == 1 else margin
        every = np.full((len(x), n_labels), LEAST_LOGIT)
        every[:, np.unique(y)] = found
        return every

    return logits


def logistic_regression(c: float) -> LogisticRegression:
    return LogisticRegression(C=c, class_weight="balanced", max_iter=2000)


def fitted_to_some(methods: Sequence[Method], study: Study, folds: Sequence[Fold]) -> Iterator[str]:
    """A sentence on each method that is fitted to some of the training windows only, because there are too many."""
    train = [study.subjects[i] for i in max((fold.split.train for fold in folds), key=len)]
    n = n_scored(train, study.spec)
    for method, (channels, names) in product(methods, study.channel_sets.items()):
        if most_windows := getattr(method, "most_windows", None):
            most = min(most_windows(len(names), study.spec, setting) for setting in method.settings)
            if (step := every_nth(n, most)) > 1:
                yield (
                    f"{method.title}, {channels} channels: fitted to one in {step} of the {n:,} windows of "
                    "training subjects, evenly spaced, to limit memory"
                )


class Majority:
    """The most frequent label of the training subjects, for every subject."""

    name, title = "majority", "majority"
    settings: Sequence[Setting] = ({},)
    any_montage = True
    depends: Sequence[object] = ()

    def fit(self, subjects: Sequence[Person], view: View, setting: Setting, seed: int) -> Scorer:
        y = np.concatenate([view.contexts(p).labels for p in subjects])
        logits = np.log(np.maximum(np.bincount(y, minlength=len(view.labels)) / len(y), 1e-6))
        return lambda contexts: np.tile(logits, (len(contexts), 1))


class Classical:
    """A scikit-learn classifier (lr, lda, svm, distance) on z-scored DE averaged over the context.

    ``distance`` is a control: logistic regression on the distance of each band from the statistics, whatever the
    direction and the place. On tracks with a baseline it shows how much of a result is distance from it.
    """

    any_montage = False
    depends: Sequence[object] = ()

    def __init__(self, name: str) -> None:
        self.name = name
        self.title: str
        self.settings: Sequence[Setting]
        self.title, self.settings = {  # type: ignore[assignment]
            "lr": ("logistic regression", [{"C": c} for c in (5e-4, 5e-3, 5e-2, 0.5)]),
            "lda": ("LDA", [{"shrinkage": s} for s in (0.9, 0.5, 0.1, "auto")]),
            "distance": ("distance from baseline (control)", [{"C": c} for c in (5e-3, 0.5)]),
            "svm": ("SVM (rbf)", [{"C": c, "width": w} for c in (0.1, 1.0, 10.0) for w in (0.1, 1.0)]),
        }[name]

    def _model(self, setting: Setting, n_features: int, n_labels: int) -> ClassifierMixin:
        if self.name in ("lr", "distance"):
            return logistic_regression(setting["C"])
        if self.name == "lda":
            even = [1 / n_labels] * n_labels
            return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=setting["shrinkage"], priors=even)
        return SVC(C=setting["C"], gamma=setting["width"] / n_features, class_weight="balanced")

    def fit(self, subjects: Sequence[Person], view: View, setting: Setting, seed: int) -> Scorer:
        x, y = view.features(subjects, self.most_windows(len(view.ch_names), view.spec, setting), self._features)
        n_labels = len(view.labels)
        logits = fitted_logits(self._model(setting, x.shape[1], n_labels), x, y, n_labels)
        return lambda contexts: logits(self._features(contexts))

    def most_windows(self, n_chans: int, spec: FeatureSpec, setting: Setting) -> int:
        """How many windows it is fitted to at most."""
        return MOST_NUMBERS // (spec.n_bands * (1 if self.name == "distance" else n_chans))

    def _features(self, c: Contexts) -> np.ndarray:
        """(n, n_features) float."""
        if self.name != "distance":
            return c.mean_de
        return np.sqrt(np.square(c.mean_de.reshape(len(c), len(c.chans), -1)).mean(axis=1))
