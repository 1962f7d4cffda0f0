"""The shipped weights by ONNX Runtime: the same readings as by torch, and torch is never imported."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import INFO
from safetensors.torch import load_file

import app
import realtime_mood as rm
from realtime_mood.cli.config import resolve
from realtime_mood.errors import ConfigError, WeightsError
from realtime_mood.models import onnx_runtime
from realtime_mood.models.building import PipelineBuilder, choose_runtime, load_inference
from realtime_mood.models.card import DEFAULT, find, with_file
from realtime_mood.models.checkpoint import golden_input, load_weights
from realtime_mood.models.network import PretrainedHead, ReaderNetwork
from realtime_mood.models.onnx_runtime import OnnxInference
from realtime_mood.models.personal import Parts, PersonalHead
from realtime_mood.models.runtime import TorchInference
from realtime_mood.profile import PersonalReadout, Profile, ValidationResult
from realtime_mood.types import Features, Quality

ROOT = Path(__file__).parents[2]
URL = "synthetic://?n_chans=8&speed=max&subject=90001"


@pytest.fixture(scope="module")
def both():
    return OnnxInference(), TorchInference(load_weights(), torch.device("cpu"))


def features(n: int) -> list[Features]:
    """`n` windows of 8 electrodes: one electrode bad, the first steps and patches missing."""
    rng, good = np.random.default_rng(1), Quality(np.ones(8, np.float32), (None,) * 8)
    shapes = (10, 8, 5), (8, 4, 128)
    return [
        Features(
            *(rng.normal(size=shape).astype(np.float32) for shape in shapes), np.arange(10) < k, np.arange(4) < k - 1,
            good.without(frozenset({k})), 1.0, 0.0,
        )
        for k in range(n)
    ]  # fmt: skip


def test_the_shipped_weights_give_the_golden_pair(both):
    onnx, _ = both
    golden, inputs = load_file(find(DEFAULT) / "golden.safetensors"), golden_input(onnx.config).numpy()
    for name, readout in onnx.card.readouts.items():
        probs, attention = onnx(inputs, PretrainedHead(name, readout.own_baseline.temperature))
        np.testing.assert_allclose(probs, golden[name], rtol=0, atol=1e-4)
        np.testing.assert_allclose(attention.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("readout", ["effort", "emotion3"])
def test_readings_are_those_of_torch_alone_and_in_batches(both, readout):
    onnx, by_torch = (ReaderNetwork(inference, readout, INFO) for inference in both)
    assert onnx.readout == by_torch.readout
    some = features(4)
    for one, batched, expected in zip(map(onnx, some), onnx.many(some), map(by_torch, some), strict=True):
        for probs, attention in (one, batched):
            np.testing.assert_allclose(probs, expected[0], rtol=0, atol=1e-5)
            np.testing.assert_allclose(attention, expected[1], rtol=0, atol=1e-5)


def personal(card) -> Profile:
    """A profile with a planted classifier of two labels, on the electrodes in another order."""
    names, rng = INFO.ch_names[::-1], np.random.default_rng(2)
    n = len(Parts.of(OnnxInference().config, 8, "effort").scale)
    planted = rng.normal(0, 0.1, n), np.ones(n), rng.normal(0, 0.1, (n, 2)), np.array([0.1, -0.1])
    head = PersonalHead(*planted).to_bytes()
    verdict = ValidationResult(
        balanced_accuracy=0.8, interval=(0.7, 0.9), chance=0.5, p=0.01, ece=0.05, time_only=0.5, blocks=(4, 4),
        seconds=80, confusion=((1.0, 0.0), (0.0, 1.0)), passed=True, text="",
    )  # fmt: skip
    own = PersonalReadout(
        name="mine", labels=("a", "b"), coordinates=(), base="effort", weights=card.name,
        weights_sha256=card.hashes[0], head_sha256=hashlib.sha256(head).hexdigest(), temperature=1.5,
        least_confidence=0.6, verdict=verdict, ch_names=names,
    )  # fmt: skip
    mean, sd = np.full((8, 5), 2.0).tolist(), np.full((8, 5), 0.5).tolist()
    return Profile(
        ch_names=names, reference="", virtual=False, readout=None, spec=card.spec, mean=mean, sd=sd, seconds=60.0,
        made="2026", own=own, head=head,
    )  # fmt: skip


def test_a_personal_classifier_reads_the_same(both):
    profile = personal(both[0].card)
    onnx, by_torch = (ReaderNetwork(inference, "mine", INFO, profile) for inference in both)
    found, expected = (np.array([probs for probs, _ in network.many(features(4))]) for network in (onnx, by_torch))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert np.ptp(found) > 0.1
    some = features(1)[0]
    assert math.isnan(onnx.unfamiliarity(some, some))  # the classifier was fitted to this subject's own signal


def test_what_is_unfamiliar_is_so_by_either_runtime(both):
    some = features(4)
    for readout in ("effort", "emotion3"):
        onnx, by_torch = (ReaderNetwork(inference, readout, INFO) for inference in both)
        measured = [onnx.unfamiliarity(it, it) for it in some]
        assert measured == [by_torch.unfamiliarity(it, it) for it in some]
        assert min(measured) > 1  # noise in place of levels in nats
    muse = replace(INFO, ch_names=("TP9", "AF7", "AF8", "TP10", "FT9", "FT10", "F9", "F10"))
    assert min(ReaderNetwork(both[0], "effort", muse).unfamiliarity(it, it) for it in some) >= 2


def test_a_simulated_subject_is_familiar_to_the_shipped_readout_of_simulated_ones():
    readings = list(rm.read(f"{URL}&script=neutral:12", runtime="onnx"))
    measured = [it.unfamiliarity for it in readings if math.isfinite(it.unfamiliarity)]
    assert len(measured) > 10
    assert np.mean(np.array(measured) <= 1) >= 0.8


def without_torch(code: str) -> subprocess.CompletedProcess:
    """Run `code` in a process in which torch is not installed."""
    block = (
        "import sys\n"
        "from importlib.machinery import PathFinder\n"
        "class WithoutTorch(PathFinder):\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, *where):\n"
        "        return None if name.partition('.')[0] == 'torch' else super().find_spec(name, *where)\n"
        "    @classmethod\n"
        "    def find_distributions(cls, context):\n"
        "        return () if context.name == 'torch' else super().find_distributions(context)\n"
        "sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutTorch\n"
    )
    return subprocess.run([sys.executable, "-c", block + code], cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_where_torch_is_not_installed_it_runs_and_calibrates(tmp_path):
    profile, run = str(tmp_path / "me.json"), ["run", "--view", "json", "--source", URL, "--seconds", "13"]
    calibrate = ["calibrate", "--source", URL, "--seconds", "30", "--profile", profile, "--view", "json"]
    done = without_torch(
        f"import app; assert [app.command(words) for words in {[run, calibrate, ['info']]}] == [0, 0, 0]\n"
        "import realtime_mood.gui.window, realtime_mood.calibration.view.window\n"
        "sys.exit(app.command(['run', '--runtime', 'torch', '--view', 'json']))"
    )
    found, do = "the package torch is not installed", "pip install 'realtime-mood[torch]', or use --runtime onnx"
    assert done.stderr == f"error: runtime 'torch' · {found} · {do}\n"
    assert done.returncode == 2
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert "estimate" in {line["kind"] for line in lines}
    assert Profile.load(tmp_path / "me.json").seconds >= 20


def test_the_runtime_is_a_choice_that_is_recorded():
    assert choose_runtime() == "torch"
    for asked in ("auto", "torch", "onnx"):
        builder = PipelineBuilder(resolve({"runtime": asked}))
        assert builder.about()["runtime"] == asked
        used = [builder(replace(INFO, paced=paced))._estimator._network._inference for paced in (True, False)]
        live = OnnxInference if asked == "onnx" else TorchInference
        assert [type(it) for it in used] == [live, TorchInference if asked == "torch" else OnnxInference]
    with pytest.raises(ConfigError, match="option 'runtime' · 'tensorrt'"):
        resolve({"runtime": "tensorrt"})
    with pytest.raises(ConfigError, match="ONNX Runtime runs on the CPU here · use cpu, or --runtime torch"):
        load_inference(DEFAULT, "cuda", "onnx")


def test_a_recording_replays_by_the_runtime_that_made_it(tmp_path, capsys):
    words = ["run", "--source", URL, "--seconds", "12", "--view", "json", "--runtime", "onnx"]
    assert app.command([*words, "--record", str(tmp_path / "a.xdf")]) == 0
    assert app.command(["replay", str(tmp_path / "a.xdf")]) == 0
    assert "48 readings are identical" in capsys.readouterr().out


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(find(DEFAULT), tmp_path / "w")
    return tmp_path / "w"


def test_an_altered_file_is_refused(folder):
    blob = bytearray((folder / "model.onnx").read_bytes())
    blob[len(blob) // 2] ^= 1
    (folder / "model.onnx").write_bytes(blob)
    with pytest.raises(WeightsError, match=r"model\.onnx was altered after training"):
        OnnxInference(str(folder))
    card = with_file(load_weights(str(folder)).card, "model.onnx", b"no network")
    (folder / "model.onnx").write_bytes(b"no network")
    (folder / "config.json").write_bytes(card.to_json())
    with pytest.raises(WeightsError, match="unreadable"):
        OnnxInference(str(folder))


def test_another_network_than_that_of_the_weights_is_refused(folder, monkeypatch):
    monkeypatch.setattr(onnx_runtime, "softmax", lambda x, axis: np.roll(x, 1))
    with pytest.raises(WeightsError, match="away from its golden pair"):
        OnnxInference(str(folder))


def test_weights_without_the_file_say_what_to_do(folder):
    card = load_weights(str(folder)).card
    left = {name: value for name, value in card.sha256.items() if name != "model.onnx"}
    (folder / "config.json").write_bytes(card.model_copy(update={"sha256": left}).to_json())
    with pytest.raises(WeightsError, match=r"they have no model.onnx · install torch.*export --onnx"):
        OnnxInference(str(folder))
