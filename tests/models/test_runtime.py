"""The network on a device that is there, is not, or goes away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fakes import INFO, FakeSource, Keep, cut, pink
from waiting import until

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Statistics
from realtime_mood.estimator import MoodEstimator
from realtime_mood.models.checkpoint import load_weights
from realtime_mood.models.network import ReaderNetwork
from realtime_mood.models.reader import MoodReader, ReaderConfig
from realtime_mood.models.runtime import TorchInference
from realtime_mood.pipeline import Pipeline
from realtime_mood.profile import Normaliser
from realtime_mood.run.engine import Engine, State
from realtime_mood.types import Estimate, Features, Quality

NOWHERE = torch.device("meta")  # takes tensors and gives none back: a device whose results never come


@pytest.fixture(scope="module")
def weights():
    """Those of the release, but without a measure of what is unfamiliar: noise would never reach the device."""
    loaded = load_weights()
    heads = {name: head.model_copy(update={"device": None}) for name, head in loaded.card.readouts.items()}
    return replace(loaded, card=loaded.card.model_copy(update={"readouts": heads}))


def run(inference):
    def build(info):
        network = ReaderNetwork(inference, "effort", info)
        start = Statistics.of_population(network.population.mean, network.population.sd, info.n_chans)
        normaliser = Normaliser(start, info.sfreq, frozen=False)
        return Pipeline(info, FeatureSpec(), MoodEstimator(info, network, normaliser, 1.0))

    keep = Keep()
    engine = Engine(FakeSource(cut(pink(round(20 * INFO.sfreq), 8), [100])), build, [keep])
    engine.start()
    until(engine.done.is_set, 20)
    engine.stop()
    assert engine.health.state is State.ENDED
    return engine.health, [e.reading for e in keep.items]


@pytest.mark.parametrize("trained", [False, True])
def test_eye_features_count_for_weights_that_were_trained_with_them_alone(weights, trained):
    card = weights.card.model_copy(update={"training": {"eye_trained": trained}})
    torch.manual_seed(0)
    reader = MoodReader(ReaderConfig()).eval() if trained else weights.reader
    inference = TorchInference(replace(weights, reader=reader, card=card), torch.device("cpu"))
    network = ReaderNetwork(inference, "effort", INFO)
    rng = np.random.default_rng(0)
    de, patches, eye = (rng.normal(size=n).astype(np.float32) for n in ((10, 8, 5), (8, 4, 128), 33))
    quality = Quality(np.ones(8, np.float32), (None,) * 8)
    without = Features(de, patches, np.zeros(10, bool), np.zeros(4, bool), quality, 1.0, 0.0)
    expected, _ = network(without)
    assert network.notes == ()
    found, _ = network(replace(without, eye=eye))
    assert (found != expected) is trained
    assert (network.notes == ()) is trained
    assert trained or "eye-movement features are not used: weights 'reader-5'" in network.notes[0]


def test_a_batch_gives_what_each_window_gives_alone(weights):
    network, rng = ReaderNetwork(TorchInference(weights, torch.device("cpu")), "effort", INFO), np.random.default_rng(0)
    good = Quality(np.ones(8, np.float32), (None,) * 8)
    features = [
        Features(
            rng.normal(size=(10, 8, 5)).astype(np.float32), rng.normal(size=(8, 4, 128)).astype(np.float32),
            np.arange(10) < k, np.arange(4) < k - 1, good.without(frozenset({k})), 1.0, 0.0,
        )
        for k in range(4)
    ]  # fmt: skip
    for one, (probs, attention) in zip(features, network.many(features), strict=True):
        alone = network(one)
        np.testing.assert_allclose(probs, alone[0], rtol=0, atol=1e-5)
        np.testing.assert_allclose(attention, alone[1], rtol=0, atol=1e-5)


def test_a_device_that_fails_at_once_leaves_the_cpu(weights):
    inference = TorchInference(weights, NOWHERE)
    assert inference.device.type == "cpu"
    assert inference.failures == 1


def test_a_device_that_fails_in_mid_run_costs_no_reading_and_is_said(weights, monkeypatch):
    there, calls = TorchInference._infer, []

    def lost_at_the_fifth(self, *asked):
        if self.device == NOWHERE:
            calls.append(self)
            if len(calls) >= 5:
                raise RuntimeError("CUDA error: an illegal memory access was encountered\nfurther lines")
            self.device, self._reader = torch.device("cpu"), self._on_cpu
            try:
                return there(self, *asked)
            finally:
                self.device = NOWHERE
        return there(self, *asked)

    _, on_cpu = run(TorchInference(weights, torch.device("cpu")))
    monkeypatch.setattr(TorchInference, "_infer", lost_at_the_fifth)
    inference = TorchInference(weights, NOWHERE)
    health, readings = run(inference)
    assert (len(calls), inference.failures, inference.device.type) == (5, 1, "cpu")
    assert health.notes == (
        "meta failed (CUDA error: an illegal memory access was encountered): the network now runs on the CPU",
    )
    assert health.skipped == 0
    assert [type(r) for r in readings] == [type(r) for r in on_cpu]
    assert [r.probs for r in readings if isinstance(r, Estimate)] == [
        r.probs for r in on_cpu if isinstance(r, Estimate)
    ]
    assert sum(r.probs is not None for r in readings) > 20


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_cuda_reads_what_the_cpu_reads(weights):
    (_, here), (_, there) = (run(TorchInference(weights, torch.device(kind))) for kind in ("cpu", "cuda"))
    for a, b in zip(here, there, strict=True):
        if a.probs is not None:
            np.testing.assert_allclose(a.probs, b.probs, atol=1e-5)
