"""A folder of labelled data becomes weights that run live and say on whom they were shown."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import planted_set
import pytest
import torch

import app
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError
from realtime_mood.models import crossfit, dataset_weights
from realtime_mood.models.card_page import claims, page
from realtime_mood.models.checkpoint import load_weights
from realtime_mood.models.crossfit import FitOptions, LabelledReadout, splits_of
from realtime_mood.models.dataset_weights import held_out, train_on
from realtime_mood.models.datasets.labels import READOUTS, coordinates_of
from realtime_mood.models.datasets.person import NO_LABEL
from realtime_mood.models.evaluation import labelled
from realtime_mood.models.evaluation.figures import Scores
from realtime_mood.models.evaluation.labelled import DatasetChoice, load_labelled
from realtime_mood.models.executor import SerialExecutor
from realtime_mood.models.network import ReaderNetwork
from realtime_mood.models.reader import ReaderConfig
from realtime_mood.models.runtime import TorchInference
from realtime_mood.models.train import TrainingRecipe
from realtime_mood.types import StreamInfo

SPEC = FeatureSpec()
QUICK = FitOptions(SPEC, TrainingRecipe(steps=16, batches={"effort": 12, "emotion3": 12}, lr=1e-2), 0)
SMALL = {"dim": 16, "band_dim": 8, "raw_dim": 16, "raw_depth": 1, "rounds": 1, "dropout": 0.1, "head_dropout": 0.1}


class PlantedReader:
    def __init__(self, n_subjects: int = 6, **how: bool) -> None:
        self.info, self.n_subjects, self.how = planted_set.info_of(), n_subjects, how

    def recordings(self, root):
        return [planted_set.recording(seed, **self.how) for seed in range(self.n_subjects)]


@pytest.fixture
def reads(monkeypatch):
    """Puts a reader in the place of all."""

    def put(reader: PlantedReader) -> None:
        for module in (labelled, dataset_weights):
            monkeypatch.setattr(module, "reader_of", lambda _: reader)

    put(PlantedReader())
    return put


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("prepared")


@pytest.fixture(scope="module")
def trained(cache, tmp_path_factory):
    """Weights with the readout valence, and what was printed."""
    out, lines = tmp_path_factory.mktemp("weights") / "planted", []
    with pytest.MonkeyPatch.context() as patch:
        for module in (labelled, dataset_weights):
            patch.setattr(module, "reader_of", lambda _: PlantedReader())
        patch.setattr(crossfit, "ReaderConfig", lambda **given: ReaderConfig(**given, **SMALL))
        train_on(DatasetChoice("planted", out, "valence", cache=cache), out, QUICK, SerialExecutor(), lines.append)
    return out, lines


def subjects_of(cache, reader, readout="emotion3"):
    choice = DatasetChoice("planted", cache, readout, cache=cache)
    return load_labelled(choice, "c1", SPEC, SerialExecutor(), lambda _: None)[0]


def test_the_weights_load_and_say_on_whom_they_were_shown(trained):
    out, lines = trained
    card = load_weights(str(out)).card
    shown = card.held_out("valence")
    assert (shown.data_set, shown.n_subjects, shown.virtual, shown.chance) == ("Planted", 6, True, 0.5)
    assert shown.low <= shown.accuracy <= shown.high
    assert shown.valid
    assert shown.accuracy > 0.7
    assert card.readouts["valence"].evidence == "virtual"
    assert card.readouts["valence"].labels == ("low", "high")
    about = card.training["data_sets"]["valence"]
    assert about["labels_mean"] == "what the stimulus was meant to evoke"
    assert set(about["controls"]) == {"position", "neighbour"}
    assert "6 of 6 networks" in lines
    text = (out / "README.md").read_text()
    assert text == page(card)
    for line in claims(card.training, "valence"):
        assert line in text
    assert "6 simulated subjects in the layout of Planted" in text
    assert "nothing about real people" in text
    assert "licence of the data: none, they were simulated" in text


def test_info_prints_what_the_card_says(trained, capfd):
    assert app.command(["info", "--weights", str(trained[0])]) == 0
    out = capfd.readouterr().out
    assert "valence: low / high" in out
    assert all(f"    {line}\n" in out for line in claims(load_weights(str(trained[0])).card.training, "valence"))


@pytest.mark.parametrize("readout", ["valence", "auto"])
def test_they_run_live_with_their_own_labels_and_know_a_signal_that_they_were_not_shown(trained, capfd, readout):
    source = "synthetic://?subject=90001&n_chans=8&speed=max&script=neutral:12,positive:6"
    words = ["run", "--source", source, "--weights", str(trained[0]), "--readout", readout, "--view", "json"]
    assert app.command(words) == 0
    *lines, _health = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert {line["readout"] for line in lines} == {"valence"}
    assert {tuple(line["labels"]) for line in lines} == {("low", "high")}
    assert {line["evidence"] for line in lines} == {"virtual"}
    measured = [line["unfamiliarity"] for line in lines if line["why"] != "settling"]
    assert len(measured) > 10
    assert min(measured) > 1
    assert {line["why"] for line in lines} == {"settling", "unfamiliar"}


@pytest.mark.parametrize("above_controls", [True, False])
def test_a_run_notes_what_was_not_shown(trained, above_controls):
    weights = load_weights(str(trained[0]))
    about = weights.card.training["data_sets"]["valence"]
    about = about | {"held_out": about["held_out"] | {"above_controls": above_controls}}
    card = weights.card.model_copy(update={"training": {"data_sets": {"valence": about}}})
    inference = TorchInference(replace(weights, card=card), torch.device("cpu"))
    notes = ReaderNetwork(inference, "valence", StreamInfo(planted_set.NAMES, 128.0)).notes
    text = "readout valence is not shown to work on held-out subjects of Planted"
    assert notes == (() if above_controls else (text,))


def test_a_small_set_has_three_folds_and_claims_nothing():
    assert [len(split.left) for split in splits_of(4, dataset_weights.FEW_FOLDS, 0)] == [2, 1, 1]


def shown_on(people, right: float, readout="emotion3"):
    """The outcome where a network is right in that share of seconds."""
    rng = np.random.default_rng(0)
    labels, scored = READOUTS[readout], {}
    for i, p in enumerate(people):
        y = p.label[p.label != NO_LABEL]
        guess = np.where(rng.random(len(y)) < right, y, rng.integers(len(labels), size=len(y)))
        scored[i] = Scores(5.0 * np.eye(len(labels))[guess], y)
    splits = splits_of(len(people), 3, 0)
    return held_out(LabelledReadout(labels, (), "real", people), scored, "Planted", splits, QUICK)


def test_what_the_order_of_trials_gives_away_is_not_claimed(cache, reads):
    found, controls = shown_on(subjects_of(cache, reads), 0.8)
    assert found.valid
    assert "not " not in found.figure()
    reads(PlantedReader(same_order=True))
    found, controls = shown_on(subjects_of(cache, reads), 0.8)
    assert controls["position"]["balanced_accuracy"]["mean"] > 0.9
    assert found.above_chance
    assert not found.above_controls
    assert not found.valid
    assert found.figure().endswith("not above what the order of trials gives away")


def test_neither_is_chance_nor_what_few_subjects_show(cache, reads):
    people = subjects_of(cache, reads)
    found, _ = shown_on(people, 0.0)
    assert not found.above_chance
    assert found.low < found.chance < found.high
    assert found.figure().endswith("not above chance")
    found, _ = shown_on(people[:5], 0.9)
    assert found.above_chance
    assert not found.valid
    assert "too few subjects" in found.figure()


def refused(tmp_path, cache, readout="emotion3") -> str:
    choice = DatasetChoice("planted", tmp_path, readout, cache=cache)
    with pytest.raises(ConfigError) as caught:
        train_on(choice, tmp_path / "out", QUICK, SerialExecutor(), lambda _: None)
    assert not list((tmp_path / "out").glob("*"))
    return str(caught.value)


def test_features_alone_make_no_live_weights(tmp_path, cache, reads, monkeypatch):
    reader = PlantedReader()
    reader.info = replace(reader.info, raw=False)
    reads(reader)
    assert "features only; live weights need signals in µV" in refused(tmp_path, cache)
    reader.info = replace(reader.info, smoothed=True)
    assert "features look ahead (LDS-smoothed over the whole trial): not available live" in refused(tmp_path, cache)
    reads(PlantedReader())
    found = [replace(p, raw=False) for p in subjects_of(cache, reads)]
    monkeypatch.setattr(dataset_weights, "load_labelled", lambda *_: (found, planted_set.info_of()))
    assert "evaluate --dataset planted" in refused(tmp_path, cache)


def test_too_few_subjects_and_labels_without_a_second_are_refused(tmp_path, cache, reads, monkeypatch):
    people = subjects_of(cache, reads)

    def load(found):
        monkeypatch.setattr(dataset_weights, "load_labelled", lambda *_: (found, planted_set.info_of()))

    load([people[0], replace(people[0], name="copy"), people[1]])
    assert "2 different subjects can be scored, 3 are needed" in refused(tmp_path, cache)
    load([replace(p, label=np.where(p.label == 1, NO_LABEL, p.label)) for p in people])
    assert "no subject has a second of neutral" in refused(tmp_path, cache)


def test_the_words_of_the_verb_are_checked(tmp_path, capfd):
    words = ["train", "--dataset", "nosuch", "--root", str(tmp_path), "--out", str(tmp_path / "w")]
    assert app.command(words) == 2
    assert "data set 'nosuch'" in capfd.readouterr().err
    assert app.command([*words, "--label", "thought"]) == 2
    assert "use stimulus or felt" in capfd.readouterr().err


@pytest.mark.parametrize("readout", READOUTS)
def test_every_readout_has_places_on_the_plane(readout):
    places = np.array(coordinates_of(readout, READOUTS[readout]))
    assert places.shape == (len(READOUTS[readout]), 2)
    assert np.abs(places).max() <= 1
    by_label = dict(zip(READOUTS[readout], places[:, 0], strict=True))
    positive = [v for label, v in by_label.items() if label in ("positive", "happy", "amusement", "high")]
    negative = [v for label, v in by_label.items() if label in ("negative", "sad", "fear", "disgust", "low")]
    assert readout in ("arousal", "effort") or min(positive) > max(negative)


def test_labels_of_a_set_that_nobody_placed_have_no_places():
    assert coordinates_of("somewhere", ("sad", "jealousy")) == ()
