"""Weights travel in a folder that says what they are, and as ONNX with the same output."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import app
from realtime_mood import language
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import MoodError, WeightsError
from realtime_mood.models.card import ReadoutCard, Trust
from realtime_mood.models.checkpoint import Weights, golden_input, load_weights, save_weights
from realtime_mood.models.onnx_runtime import session_of
from realtime_mood.models.reader import Batch, MoodReader, ReaderConfig
from realtime_mood.models.sharing import folder as sharing
from realtime_mood.models.sharing import onnx_file
from realtime_mood.models.sharing.folder import export_weights

SMALL = {"dim": 16, "band_dim": 8, "raw_dim": 16, "raw_depth": 1, "rounds": 1}
TRUST = Trust(temperature=1.3, least_confidence=0.55)
HEAD = ReadoutCard(
    labels=("low", "high"), coordinates=(), evidence="real", population_mean=(2.5,) * 5, population_sd=(0.3,) * 5,
    own_baseline=TRUST, no_baseline=TRUST,
)  # fmt: skip
INTERVAL = {"mean": 0.2, "interval": [0.1, 0.3]}
TRAINING = {
    "figures": {"valence": {"people": 20}},
    "data_sets": {
        "valence": {
            "title": "Planted", "paper": "Planted et al. (2026)", "labels_mean": "what was felt", "protocol": "5 folds",
            "licence": "CC-BY-NC 4.0", "controls": {
                "position": {"title": "Position", "balanced_accuracy": INTERVAL, "reader_minus_this": INTERVAL}},
            "held_out": {
                "data_set": "Planted", "n_subjects": 20, "virtual": False, "accuracy": 0.71, "low": 0.66, "high": 0.76,
                "chance": 0.5, "above_chance": True, "above_controls": True},
        }
    },
}  # fmt: skip


def made(folder: Path, *, eye: bool = False) -> Path:
    torch.manual_seed(0)
    reader = MoodReader(ReaderConfig(readouts={"valence": 2}, **SMALL))
    reader.eye_trained = eye
    save_weights(folder, reader, FeatureSpec(), {"valence": HEAD}, TRAINING)
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return made(tmp_path_factory.mktemp("weights") / "mine")


@pytest.fixture(scope="module")
def shared(weights, tmp_path_factory):
    """An exported folder with ONNX, and what was said."""
    pytest.importorskip("onnxruntime")
    lines: list[str] = []
    out = tmp_path_factory.mktemp("shared") / "out"
    export_weights(str(weights), out, onnx=True, say=lines.append)
    return out, lines


def test_a_colleague_loads_the_same_network(weights, shared):
    out, lines = shared
    ours, theirs = load_weights(str(weights)), load_weights(str(out))
    onnx = {"model.onnx": hashlib.sha256((out / "model.onnx").read_bytes()).hexdigest()}
    assert ours.card.model_copy(update={"sha256": {**ours.card.sha256, **onnx}}) == theirs.card
    assert all(torch.equal(a, theirs.reader.state_dict()[name]) for name, a in ours.reader.state_dict().items())
    files = ["card.md", "config.json", "golden.safetensors", "model.onnx", "model.safetensors"]
    assert sorted(path.name for path in out.iterdir()) == files
    assert lines[-1].startswith(f"saved {out}: {', '.join(files)}")
    assert lines[-3:-1] == [
        "valence: licence of the data of Planted: CC-BY-NC 4.0",
        "model.onnx: opset 18, equal to torch on the golden pair and on montages of 4 to 62 channels",
    ]


def test_the_page_says_what_a_colleague_has_to_know(shared):
    text = (shared[0] / "card.md").read_text()
    for part in (
        "Readout `valence`: low / high", "20 subjects of Planted", "0.71 (95 % CI 0.66 to 0.76), chance 0.50",
        "protocol: 5 folds", "what may be claimed: it reads valence of unseen subjects",
        "licence of the data: CC-BY-NC 4.0", 'weights="DIR"', "torch ", "opset 18", "at 99 Hz or more", "EU AI Act",
    ):  # fmt: skip
        assert part in text
    sums = dict(re.findall(r"^    ([0-9a-f]{64})  (\S+)$", text, re.MULTILINE))
    for path in shared[0].iterdir():
        if path.name != "card.md":
            assert sums[hashlib.sha256(path.read_bytes()).hexdigest()] == path.name


def test_the_page_is_english_whatever_the_language(weights, shared, tmp_path):
    language.use("de")
    try:
        export_weights(str(weights), tmp_path / "out", say=lambda _: None)
        assert language.current() == "de"
    finally:
        language.use("en")
    german, english = ((folder / "card.md").read_text() for folder in (tmp_path / "out", shared[0]))
    assert german.partition("## Licence")[0] == english.partition("## Licence")[0]


def test_what_belongs_to_a_subject_stays(weights, tmp_path, capfd):
    mine = made(tmp_path / "w")
    (mine / "me.json").write_text("{}")
    (mine / "me.safetensors").write_bytes(b"")
    assert app.command(["export", "--weights", str(mine), "--out", str(tmp_path / "out")]) == 0
    assert "left out: me.json, me.safetensors (profiles" in capfd.readouterr().out
    assert not (tmp_path / "out" / "me.json").exists()
    assert app.command(["export", "--weights", str(mine / "me.json"), "--out", str(tmp_path / "other")]) == 2
    assert "it is a file, not weights; profiles" in capfd.readouterr().err


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_nothing_is_overwritten_and_nothing_is_left_half_written(weights, tmp_path, monkeypatch):
    full, file = tmp_path / "full", tmp_path / "file"
    (full / "inner").mkdir(parents=True)
    file.write_text("")
    with pytest.raises(MoodError, match="the folder is not empty · choose a new folder"):
        export_weights(str(weights), full)
    with pytest.raises(MoodError, match="there is a file"):
        export_weights(str(weights), file)
    (tmp_path / "empty").mkdir()
    export_weights(str(weights), tmp_path / "empty", say=lambda _: None)
    before = left(tmp_path)
    assert before == ["empty", "file", "full"]

    def no_space(path, blob):
        if path.name == "model.safetensors":
            raise OSError(28, "No space left on device")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(blob)

    monkeypatch.setattr(sharing, "write_whole", no_space)
    with pytest.raises(MoodError, match="No space left on device"):
        export_weights(str(weights), tmp_path / "new")
    assert left(tmp_path) == before


def test_altered_weights_are_not_passed_on(weights, tmp_path):
    mine = made(tmp_path / "w")
    (mine / "config.json").write_text((mine / "config.json").read_text().replace("CC-BY-NC 4.0", "CC0"))
    with pytest.raises(WeightsError, match="altered"):
        export_weights(str(mine), tmp_path / "out")
    assert left(tmp_path) == ["w"]


# -- ONNX ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def session(shared):
    return session_of((shared[0] / "model.onnx").read_bytes())


def run(session, weights: Weights, batch: Batch) -> dict[str, np.ndarray]:
    names = [each.name for each in session.get_inputs()]
    given = [x.numpy() for x in onnx_file.tensors(batch, weights.card)]
    outputs = session.run(None, dict(zip(names, given, strict=True)))
    return dict(zip((each.name for each in session.get_outputs()), outputs, strict=True))


def test_onnx_gives_the_golden_pair_and_says_whose_it_is(shared, session):
    from safetensors.torch import load_file

    weights = load_weights(str(shared[0]))
    scores = run(session, weights, golden_input(weights.reader.config))["scores_valence"]
    probs = torch.softmax(torch.from_numpy(scores) / TRUST.temperature, -1)
    torch.testing.assert_close(probs, load_file(shared[0] / "golden.safetensors")["valence"], atol=1e-4, rtol=0)
    props = session.get_modelmeta().custom_metadata_map
    assert props["model_sha256"] == weights.card.sha256["model.safetensors"]
    assert json.loads(props["readouts"])["valence"]["labels"] == ["low", "high"]
    assert FeatureSpec.model_validate_json(props["spec"]) == weights.card.spec
    assert [each.name for each in session.get_inputs()] == list(onnx_file.INPUTS)[:-1]  # no eye was trained


@pytest.mark.parametrize("n_chans", [4, 8, 19, 62])
def test_onnx_is_equal_on_any_montage(shared, session, n_chans):
    weights = load_weights(str(shared[0]))
    for n in (1, 3):
        batch = onnx_file.example(weights, n, n_chans)
        with torch.inference_mode():
            expected, found = weights.reader(batch), run(session, weights, batch)
        np.testing.assert_allclose(found["scores_valence"], expected.scores["valence"], atol=1e-4)
        np.testing.assert_allclose(found["attention"], expected.attention, atol=1e-5)
        np.testing.assert_allclose(found["levels"], expected.levels[:, :3], atol=1e-4)


def test_onnx_with_an_eye_and_without(tmp_path):
    weights = load_weights(str(made(tmp_path / "eye", eye=True)))
    session = session_of(onnx_file.to_onnx(weights))
    batch = onnx_file.example(weights, 3, 8)
    assert batch.eye_seen.tolist() == [False, True, True]
    found = run(session, weights, batch)["scores_valence"]
    with torch.inference_mode():
        np.testing.assert_allclose(found, weights.reader(batch).scores["valence"], atol=1e-4)
        batch.eye = None
        blind = weights.reader(batch).scores["valence"]
    np.testing.assert_allclose(found[0], blind[0], atol=1e-4)
    assert np.abs(found[1:] - blind[1:].numpy()).max() > 1e-3
    np.testing.assert_allclose(run(session, weights, batch)["scores_valence"], blind, atol=1e-4)


def test_linear_layers_multiply_and_add_in_one_operation(shared):
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(shared[0] / "model.onnx").graph
    stored = {each.name for each in graph.initializer}
    assert not [node.name for node in graph.node if node.op_type == "MatMul" and node.input[1] in stored]
    linear = [m for m in load_weights(str(shared[0])).reader.modules() if type(m) is torch.nn.Linear]
    assert sum(node.op_type == "Gemm" for node in graph.node) == len(linear)  # and the network itself is as it was


def test_another_network_as_onnx_is_refused(shared):
    weights, blob = load_weights(str(shared[0])), (shared[0] / "model.onnx").read_bytes()
    onnx_file.check(weights, blob)
    weights.reader.heads["valence"].bias.data += 0.01
    with pytest.raises(WeightsError, match=r"values 0\.01 away from torch's"):
        onnx_file.check(weights, blob)


def test_the_program_of_the_documentation_runs(shared, capsys):
    text = (Path(__file__).parents[2] / "docs" / "sharing.md").read_text()
    (code,) = re.findall(r"```python\n(import json.*?)```", text, re.DOTALL)
    code = (
        code.replace("for-anna", str(shared[0]))
        .replace("emotion3", "valence")
        .replace("neutral:12", "neutral:9&sfreq=128")
    )
    exec(compile(code, "sharing.md", "exec"), {})
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("9.0 {'low': ")
