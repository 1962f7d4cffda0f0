"""A classical baseline: logistic regression on covariances of the raw context in the tangent space [1]_ [2]_.

Covariances are recentred on the subject's own baseline where the track has one [3]_.

References
----------
.. [1] Barachant, Bonnet, Congedo, Jutten (2012), "Multiclass brain-computer interface classification by Riemannian
   geometry", IEEE Trans. Biomed. Eng. 59(4).
.. [2] Congedo, Barachant, Bhatia (2017), "Riemannian geometry for EEG-based brain-computer interfaces: a primer and a
   review", Brain-Computer Interfaces 4(3).
.. [3] Zanini, Congedo, Jutten, Said, Berthoumieu (2018), "Transfer learning: a Riemannian geometry framework with
   applications to brain-computer interfaces", IEEE Trans. Biomed. Eng. 65(5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from pyriemann.tangentspace import TangentSpace

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.profile import MEMORY_S, PRIOR_S

from ..datasets.mapped import release
from ..datasets.person import Person
from . import baselines
from .baselines import Scorer, Setting, fitted_logits, logistic_regression
from .contexts import MOST_NUMBERS, Contexts, View

SHRINKAGE = 0.05  # towards the mean variance: covariances are singular after an average reference or ICA
REST_EVERY_S = 5
AT_ONCE = MOST_NUMBERS // 8
"""Numbers in the features of the contexts that are scored together."""


class Riemannian:
    """Logistic regression on covariances of the raw context, in each band or over all, in the tangent space.

    Recentring: covariances C become R^-½ C R^-½ where R is the subject's mean over the baseline on ``c1`` and ``c5``,
    the mean over the training subjects on ``z``, the subject's mean over the scored contexts on ``t``, and on
    ``running`` a mean that starts at the training subjects' and adapts to the subject. Features are the logarithm of
    the result at the identity.
    """

    name, title = "riemann", "Riemannian tangent space"
    any_montage = False
    depends: Sequence[object] = (baselines,)
    settings: Sequence[Setting] = [{"bank": b, "C": c} for b in (False, True) for c in (1e-4, 1e-3, 1e-2, 1e-1)]

    def fit(self, subjects: Sequence[Person], view: View, setting: Setting, seed: int) -> Scorer:
        bank, prior = bool(setting["bank"]), None
        most = self.most_windows(len(view.ch_names), view.spec, setting)
        if view.track in ("z", "running"):
            means = [_mean(_covariances(c, bank)) for c in view.training(subjects, most)]
            prior = _mean(np.stack(means))
        x, y = view.features(subjects, most, lambda c: np.concatenate(list(_features(c, bank, prior))))
        logits = fitted_logits(logistic_regression(setting["C"]), x, y, len(view.labels))
        return lambda c: np.concatenate([logits(part) for part in _features(c, bank, prior)])

    @staticmethod
    def most_windows(n_chans: int, spec: FeatureSpec, setting: Setting) -> int:
        """How many windows it is fitted to at most."""
        return MOST_NUMBERS // _n_features(n_chans, spec, bool(setting["bank"]))


def _n_features(n_chans: int, spec: FeatureSpec, bank: bool) -> int:
    return (spec.n_bands if bank else 1) * n_chans * (n_chans + 1) // 2


def _features(c: Contexts, bank: bool, prior: np.ndarray | None) -> Iterator[np.ndarray]:
    """Features (m, n_features) of m contexts at a time: of all where they are few."""
    n_parts = -(-len(c) * _n_features(len(c.chans), c.spec, bank) // AT_ONCE)
    parts = [replace(c, at=at) for at in np.array_split(c.at, max(1, n_parts))]
    if prior is None:
        for part in parts:
            yield _tangent_at_rest(part, bank, parts)
    elif c.track == "z":
        for part in parts:
            yield _tangent(_covariances(part, bank), prior)
    else:
        means = _running(c, bank, prior)
        for part in parts:
            pairs = zip(_covariances(part, bank), means, strict=False)  # the later means are of the next part
            yield np.concatenate([_tangent(one[None], mean) for one, mean in pairs])


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


_kept: dict[tuple[object, ...], tuple[Person, np.ndarray]] = {}


def _keep(c: Contexts, bank: bool, kind: str, make: Callable[[], np.ndarray]) -> np.ndarray:
    """What does not depend on a fit: of the contexts used last, up to as much as the features of a fit."""
    key = (kind, id(c.person), c.track, c.chans.tobytes(), c.at.tobytes(), bank)
    if key not in _kept:
        made = make()
        if sum(x.size for _, x in _kept.values()) + made.size > MOST_NUMBERS:
            _kept.clear()
        _kept[key] = c.person, made  # a reference to the subject keeps its id from being reused
    return _kept[key][1]


def _covariances(c: Contexts, bank: bool) -> np.ndarray:
    """(n, n_bands, C, C); one band without a filter bank."""
    return _keep(c, bank, "covariances", lambda: _computed(c, bank))


def _computed(c: Contexts, bank: bool) -> np.ndarray:
    blocks = np.array_split(np.arange(len(c)), max(1, len(c) // 32))
    found = np.concatenate([_of(c.spec, bank, c.microvolts(rows), c.there[rows]) for rows in blocks])
    release(c.person.patches)
    return found


def _tangent_at_rest(c: Contexts, bank: bool, parts: Sequence[Contexts]) -> np.ndarray:
    """(n, n_features): recentred on the mean over the subject's baseline, or on ``t`` over the contexts.

    Where these are scored in several `parts`, one context of each so many is in the mean.
    """

    def make() -> np.ndarray:
        if c.track != "t":
            return _tangent(_computed(c, bank), _mean(_of_rest(c, bank)))
        covariances = _computed(c, bank)
        return _tangent(covariances, _reference(parts, bank) if len(parts) > 1 else _mean(covariances))

    return _keep(c, bank, "tangent", make)


def _reference(parts: Sequence[Contexts], bank: bool) -> np.ndarray:
    every = np.concatenate([part.at for part in parts])[:: len(parts)]
    return _mean(_covariances(replace(parts[0], at=every), bank))


def _of_rest(c: Contexts, bank: bool) -> np.ndarray:
    """Covariances of contexts of the baseline, one every `REST_EVERY_S`, that are half there, or as far as any is."""
    p = c.person
    rest = replace(c, at=np.flatnonzero(p.rest)[c.spec.n_steps - 1 :: REST_EVERY_S])
    share = rest.there.mean(axis=1)
    keep = np.flatnonzero(share >= min(0.5, share.max(initial=0)))
    return _of(c.spec, bank, rest.microvolts(keep), rest.there[keep])


def _running(c: Contexts, bank: bool, prior: np.ndarray) -> Iterator[np.ndarray]:
    """For each context, the mean (n_bands, C, C) of its piece up to its end."""
    p, spec, wanted, seconds, mean = c.person, c.spec, set(c.at.tolist()), PRIOR_S, prior
    every = replace(c, at=np.arange(len(p.label)))
    for t in range(len(p.label)):
        if t == 0 or p.piece[t] != p.piece[t - 1]:
            seconds, mean = PRIOR_S, prior
        if p.there[t]:
            last = every.microvolts([t])[..., -spec.patch_len :]
            seconds = min(seconds + spec.step_s, MEMORY_S)
            mean = mean + spec.step_s / seconds * (_of(spec, bank, last, np.ones((1, 1), bool))[0] - mean)
        if t in wanted:
            yield mean


def _of(spec: FeatureSpec, bank: bool, signal: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Covariance per band of signal (n, C, n_times): (n, n_bands, C, C), shrunk so that it is regular."""
    n = signal.shape[-1]
    spectrum = np.fft.rfft(signal * np.hanning(n).astype(np.float32), axis=-1)
    hz = np.fft.rfftfreq(n, 1 / spec.patch_sfreq)
    edges = list(spec.bands.values())
    edges = edges if bank else [(min(low for low, _ in edges), max(high for _, high in edges))]
    bands = [spectrum[..., (hz >= low) & (hz < high)] for low, high in edges]
    c = np.stack([(b @ b.conj().swapaxes(-1, -2)).real for b in bands], axis=1).astype(np.float64)
    c *= 2 / (n * np.sum(np.hanning(n) ** 2)) / there.mean(axis=1)[:, None, None, None]
    trace = np.trace(c, axis1=-2, axis2=-1)[..., None, None] / c.shape[-1] + 1e-6
    return (1 - SHRINKAGE) * c + SHRINKAGE * trace * np.eye(c.shape[-1])
