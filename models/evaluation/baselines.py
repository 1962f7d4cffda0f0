"""Classical baseline methods, on the same seconds, context, channels and statistics as the Mood Reader.

* `Classical`: logistic regression, LDA with shrinkage [1]_ or a support vector machine (rbf) on DE averaged
  over the context;
* `Riemannian`: logistic regression in the tangent space of the context's covariances [2]_ [3]_, recentred on the
  subject's own baseline where the track has one [4]_;
* `Majority`: the most frequent label of the training subjects.

References
----------
.. [1] Blankertz et al. (2011), "Single-trial analysis and classification of ERP components: a tutorial", NeuroImage
   56(2).
.. [2] Barachant, Bonnet, Congedo, Jutten (2012), "Multiclass brain-computer interface classification by Riemannian
   geometry", IEEE Trans. Biomed. Eng. 59(4).
.. [3] Congedo, Barachant, Bhatia (2017), "Riemannian geometry for EEG-based brain-computer interfaces: a primer and a
   review", Brain-Computer Interfaces 4(3).
.. [4] Zanini, Congedo, Jutten, Said, Berthoumieu (2018), "Transfer learning: a Riemannian geometry framework with
   applications to brain-computer interfaces", IEEE Trans. Biomed. Eng. 65(5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from pyriemann.tangentspace import TangentSpace
from sklearn.base import ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from realtime_mood.errors import ConfigError
from realtime_mood.profile import MEMORY_S, PRIOR_S

from ..datasets.person import Person
from .contexts import Contexts, View

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

    A label that is not in `y` is never chosen.
    """
    model = make_pipeline(StandardScaler(), model).fit(x, y)

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
        contexts = map(view.contexts, subjects)  # one at a time: they are larger than their features
        x, y = map(np.concatenate, zip(*((self._features(c), c.labels) for c in contexts), strict=True))
        n_labels = len(view.labels)
        logits = fitted_logits(self._model(setting, x.shape[1], n_labels), x, y, n_labels)
        return lambda contexts: logits(self._features(contexts))

    def _features(self, c: Contexts) -> np.ndarray:
        """(n, n_features) float."""
        if self.name != "distance":
            return c.mean_de
        return np.sqrt(np.square(c.mean_de.reshape(len(c), len(c.chans), -1)).mean(axis=1))


SHRINKAGE = 0.05  # towards the mean variance: covariances are singular after an average reference or ICA
REST_EVERY_S = 5


class Riemannian:
    """Logistic regression on covariances of the raw context, in each band or over all, in the tangent space.

    Recentring: covariances C become R^-½ C R^-½ where R is the subject's mean over the baseline on ``c1`` and ``c5``,
    the mean over the training subjects on ``z``, the subject's mean over the scored contexts on ``t``, and on
    ``running`` a mean that starts at the training subjects' and adapts to the subject. Features are the logarithm of
    the result at the identity.
    """

    name, title = "riemann", "Riemannian tangent space"
    any_montage = False
    depends: Sequence[object] = ()
    settings: Sequence[Setting] = [{"bank": b, "C": c} for b in (False, True) for c in (1e-4, 1e-3, 1e-2, 1e-1)]

    def fit(self, subjects: Sequence[Person], view: View, setting: Setting, seed: int) -> Scorer:
        contexts = [view.contexts(p) for p in subjects]
        bank, prior = bool(setting["bank"]), None
        if view.track in ("z", "running"):
            prior = _mean(np.stack([_mean(_covariances(c, bank).of_contexts) for c in contexts]))
        x = np.concatenate([self._features(c, bank, prior) for c in contexts])
        y = np.concatenate([c.labels for c in contexts])
        logits = fitted_logits(logistic_regression(setting["C"]), x, y, len(view.labels))
        return lambda c: logits(self._features(c, bank, prior))

    @staticmethod
    def _features(c: Contexts, bank: bool, prior: np.ndarray | None) -> np.ndarray:
        """(n, n_features) float."""
        covariances = _covariances(c, bank)
        if prior is None:
            return covariances.tangent_at_rest
        if c.track == "z":
            return _tangent(covariances.of_contexts, prior)
        means = zip(covariances.of_contexts, covariances.running(prior), strict=True)
        return np.concatenate([_tangent(one[None], mean) for one, mean in means])


def _mean(c: np.ndarray) -> np.ndarray:
    """Riemannian mean over the first axis: (n, n_bands, C, C) to (n_bands, C, C)."""
    return np.stack([TangentSpace().fit(band).reference_ for band in c.swapaxes(0, 1)])


def _tangent(c: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Vectors (n, n_bands·C(C+1)/2) float32 of c (n, n_bands, C, C) in the tangent space at `at` (n_bands, C, C)."""
    vectors = []
    for k, reference in enumerate(at):
        space = TangentSpace()
        space.reference_ = reference
        vectors.append(space.transform(c[:, k]).astype(np.float32))  # thousands of features: half the time and memory
    return np.concatenate(vectors, axis=1)


class _Covariances:
    """Covariances of one subject's contexts, and of the baseline before them."""

    def __init__(self, c: Contexts, bank: bool) -> None:
        self._c, self._bank = c, bank

    @cached_property
    def of_contexts(self) -> np.ndarray:
        """(n, n_bands, C, C); one band without a filter bank."""
        return np.concatenate(list(self._parts()))

    def _parts(self) -> Iterator[np.ndarray]:
        """The same, 32 contexts at a time."""
        for rows in np.array_split(np.arange(len(self._c)), max(1, len(self._c) // 32)):
            yield self._of(self._c.microvolts(rows), self._c.there[rows])

    @cached_property
    def tangent_at_rest(self) -> np.ndarray:
        """(n, n_features): recentred on the mean over the subject's baseline, or on ``t`` over the contexts."""
        at = _mean(self.of_contexts if self._c.track == "t" else self._of_rest())
        return np.concatenate([_tangent(part, at) for part in self._parts()])

    def _of_rest(self) -> np.ndarray:
        """The same of contexts of the baseline, one every `REST_EVERY_S`, that are half there, or as far as any is."""
        c, p = self._c, self._c.person
        ends = np.flatnonzero(p.rest)[c.spec.n_steps - 1 :: REST_EVERY_S]
        rest = Contexts(p, c.spec, c.track, c.chans, ends, c.mean, c.sd)
        share = rest.there.mean(axis=1)
        keep = np.flatnonzero(share >= min(0.5, share.max(initial=0)))
        return self._of(rest.microvolts(keep), rest.there[keep])

    def running(self, prior: np.ndarray) -> np.ndarray:
        """(n, n_bands, C, C): the mean of each context's piece up to the context's end."""
        c, p, means, seconds, mean = self._c, self._c.person, {}, PRIOR_S, prior
        every = Contexts(p, c.spec, c.track, c.chans, np.arange(len(p.label)), c.mean, c.sd)
        for t in range(len(p.label)):
            if t == 0 or p.piece[t] != p.piece[t - 1]:
                seconds, mean = PRIOR_S, prior
            if p.there[t]:
                last = every.microvolts([t])[..., -c.spec.patch_len :]
                seconds = min(seconds + c.spec.step_s, MEMORY_S)
                mean = mean + c.spec.step_s / seconds * (self._of(last, np.ones((1, 1), bool))[0] - mean)
            means[t] = mean
        return np.stack([means[int(t)] for t in c.at])

    def _of(self, signal: np.ndarray, there: np.ndarray) -> np.ndarray:
        """Covariance per band of signal (n, C, n_times): (n, n_bands, C, C), shrunk so that it is regular."""
        spec, n = self._c.spec, signal.shape[-1]
        spectrum = np.fft.rfft(signal * np.hanning(n).astype(np.float32), axis=-1)
        hz = np.fft.rfftfreq(n, 1 / spec.patch_sfreq)
        edges = list(spec.bands.values())
        edges = edges if self._bank else [(min(low for low, _ in edges), max(high for _, high in edges))]
        bands = [spectrum[..., (hz >= low) & (hz < high)] for low, high in edges]
        c = np.stack([(b @ b.conj().swapaxes(-1, -2)).real for b in bands], axis=1).astype(np.float64)
        c *= 2 / (n * np.sum(np.hanning(n) ** 2)) / there.mean(axis=1)[:, None, None, None]
        trace = np.trace(c, axis1=-2, axis2=-1)[..., None, None] / c.shape[-1] + 1e-6
        return (1 - SHRINKAGE) * c + SHRINKAGE * trace * np.eye(c.shape[-1])


_cache: dict[tuple[int, str, bytes, bool], tuple[Person, _Covariances]] = {}


def _covariances(c: Contexts, bank: bool) -> _Covariances:
    """The covariances of a subject on these channels, which are the same for all fits."""
    key = (id(c.person), c.track, c.chans.tobytes(), bank)
    if key not in _cache:
        if len(_cache) > 400:
            _cache.clear()
        _cache[key] = (c.person, _Covariances(c, bank))  # a reference to the subject keeps its id from being reused
    return _cache[key][1]
