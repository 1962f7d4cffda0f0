"""The check of a network: what it says, on every kind of features, however the stream was cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any

import numpy as np

from ..contracts import Network
from ..dsp.spec import FeatureSpec
from ..entropy import Population, Statistics
from ..estimator import MoodEstimator
from ..pipeline import Pipeline
from ..profile import Normaliser
from ..types import Features, Readout, StreamInfo, Why
from .parts import INFO, cut, pink
from .waiting import Violation, no_threads_left, require, within

CALL_S, HANG_S = 0.25, 5.0
"""How long an answer may take typically, for readings come that often; and at most, on a busy machine."""
SECONDS = 12.0
EVIDENCE = ("real", "virtual", "own")
POPULATION = Population(np.full(5, 2.5), np.full(5, 0.3))


def check_network(
    make: Callable[[StreamInfo], Network],
    *,
    infos: Sequence[StreamInfo] = (INFO,),
    spec: FeatureSpec = FeatureSpec(),  # noqa: B008 - frozen
) -> None:
    """Check a network against `contracts.Network`; raise `Violation` where it differs.

    Parameters
    ----------
    make : callable
        Makes the network for a stream.
    infos : sequence of StreamInfo
        Streams to check it on.
    spec : FeatureSpec
        The features that it asks for.
    """
    with no_threads_left("the network"):
        for info in infos:
            network = make(info)
            _promises(network)
            _answers(network, info, spec)
            _cutting(make, info, spec)


def _promises(network: Network) -> None:
    readout = getattr(network, "readout", None)
    if not isinstance(readout, Readout):
        raise Violation("network.readout", f"a {type(readout).__name__}", "give it a Readout")
    labels, places = readout.labels, readout.coordinates
    require(1 < len(labels) == len(set(labels)), "labels, two or more", f"{labels}", "name each once")
    right = len(places) in (0, len(labels)) and all(-1 <= x <= 1 for place in places for x in place)
    require(right, "a (valence, arousal) in [-1, 1] for each label, or none", f"{places}", "give as many as labels")
    require(readout.evidence in EVIDENCE, f"evidence of {', '.join(EVIDENCE)}", f"{readout.evidence!r}", "say which")
    least = network.least_confidence
    require(0 <= least <= 1, "least_confidence from 0 to 1", f"{least}", "say below what it is unsure")
    _notes(network)
    population: Any = getattr(network, "population", POPULATION)
    right = np.shape(population.mean) == np.shape(population.sd) and bool(np.all(np.asarray(population.sd) > 0))
    require(right, "population.mean and .sd (n_bands,)", f"{population}", "of the features it was trained on")


def _notes(network: Network) -> None:
    right = isinstance(network.notes, tuple) and all(isinstance(note, str) for note in network.notes)
    require(right, "notes, a tuple of texts", f"{network.notes!r}", "return () where there is nothing to say")


def _pipeline(network: Network, info: StreamInfo, spec: FeatureSpec) -> tuple[Pipeline, MoodEstimator]:
    population = getattr(network, "population", POPULATION)
    start = Statistics.of_population(population.mean, population.sd, info.n_chans)
    virtual = replace(info, virtual=network.readout.evidence == "virtual")
    estimator = MoodEstimator(virtual, network, Normaliser(start, info.sfreq, frozen=False), spec.step_s)
    return Pipeline(virtual, spec, estimator, ()), estimator


def _answers(network: Network, info: StreamInfo, spec: FeatureSpec) -> None:
    """Call it on features as they come, with steps and patches missing, and with poor electrodes."""
    pipeline, estimator = _pipeline(network, info, spec)
    signal = pink(round((spec.context_s + SECONDS) * info.sfreq), info.n_chans)
    windows = [window for chunk in cut(signal, (50,), info.sfreq) for window in pipeline.push(chunk)]
    estimator(pipeline.features(windows[-1]), windows[-1], Why.STALE)  # standardises, and does not ask the network
    whole = estimator.normal
    assert whole is not None
    took: list[float] = []
    half = np.arange(len(whole.step_mask)) % 2 == 0
    for what, features in {
        "features": whole,
        "features with every second step missing": replace(whole, step_mask=half),
        "features without patches": replace(whole, patch_mask=np.ones_like(whole.patch_mask)),
        "features with a poor electrode": replace(whole, quality=whole.quality.without(frozenset({0}))),
    }.items():
        frozen, asked = _frozen(features), f"probabilities from {what}"
        answers = [within(HANG_S, asked, partial(network, frozen), took=took) for _ in range(2)]
        one, two = (_distribution(asked, answer, network.readout, frozen) for answer in answers)
        same = one[0] == two[0] and np.array_equal(one[1], two[1])
        require(same, f"{asked}, twice", f"{one[0]} and then {two[0]}", "draw nothing and remember nothing")
    _notes(network)
    typical = float(np.median(took))
    found = f"it takes {1e3 * typical:.0f} ms"
    require(typical < CALL_S, f"an answer within {1e3 * CALL_S:.0f} ms", found, "readings come four a second")


def _frozen(features: Features) -> Features:
    """The same with arrays that cannot be written to."""
    values = {it.name: getattr(features, it.name) for it in fields(features)}
    arrays = {name: value.copy() for name, value in values.items() if isinstance(value, np.ndarray)}
    for array in arrays.values():
        array.flags.writeable = False
    return replace(features, **arrays)  # type: ignore[arg-type]


def _distribution(
    asked: str, answer: object, readout: Readout, features: Features
) -> tuple[tuple[float, ...], np.ndarray]:
    if not (isinstance(answer, tuple) and len(answer) == 2 and [np.ndim(it) for it in answer] == [1, 2]):
        raise Violation(asked, f"{answer!r}", "return a tuple of (probabilities, attention)")
    probs, attention = answer
    n_labels = len(readout.labels)
    require(len(probs) == n_labels, asked, f"{len(probs)} for {n_labels} labels", "give one for each label")
    right = all(math.isfinite(p) and 0 <= p <= 1 for p in probs) and abs(sum(probs) - 1) < 1e-3
    require(right, asked, f"{tuple(probs)}", "from 0 to 1, with the sum 1")
    shape = features.de.shape[1:]
    require(np.shape(attention) == shape, f"attention {shape}", f"{np.shape(attention)}", "(n_chans, n_bands)")
    attention = np.asarray(attention)
    sums = attention.sum(axis=0)
    right = np.allclose(sums, 1, atol=1e-3) and bool((attention >= -1e-6).all())
    require(right, "attention whose columns have the sum 1", f"sums {sums}", "share it among electrodes, per band")
    return tuple(probs), attention


def _cutting(make: Callable[[StreamInfo], Network], info: StreamInfo, spec: FeatureSpec) -> None:
    """The same signal gives the same readings, however it is cut into chunks."""
    signal = pink(round((spec.context_s + 4) * info.sfreq), info.n_chans, seed=1)
    found = []
    for sizes in ((len(signal),), (1, 0, 33, 7, 250), (64,)):
        pipeline, _ = _pipeline(make(info), info, spec)
        windows = [window for chunk in cut(signal, sizes, info.sfreq) for window in pipeline.push(chunk)]
        found.append([getattr(pipeline.read(window), "probs", None) for window in windows[-12:]])
    same = found[0] == found[1] == found[2]
    require(same, "the same readings however the stream is cut", "they differ", "keep no state between calls")
