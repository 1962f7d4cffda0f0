"""Weights come back as they were, or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import WeightsError
from realtime_mood.models.card import DEFAULT, EARLIER, ReadoutCard, Trust, find, read_card
from realtime_mood.models.checkpoint import load_weights, save_weights
from realtime_mood.models.datasets.sets.eegmat import HELD_OUT
from realtime_mood.models.datasets.virtual import LAST_SEED
from realtime_mood.models.evaluation.run import records_seen
from realtime_mood.models.pretraining.encoder import load_encoder
from realtime_mood.models.reader import MoodReader, ReaderConfig

CARD = ReadoutCard(
    labels=("rest", "arithmetic"), coordinates=((0.1, -0.4), (-0.1, 0.4)), evidence="real", population_mean=(2.5,) * 5,
    population_sd=(0.3,) * 5, own_baseline=Trust(temperature=1.3, least_confidence=0.55),
    no_baseline=Trust(temperature=2.0, least_confidence=0.7),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_weights(
        tmp_path / "w", MoodReader(ReaderConfig()), FeatureSpec(), {"effort": CARD}, {"figures": {"effort": {}}}
    )
    return tmp_path / "w"


def test_saved_and_loaded_they_are_the_same(folder):
    torch.manual_seed(0)
    before, loaded = MoodReader(ReaderConfig()).state_dict(), load_weights(str(folder))
    for name, tensor in loaded.reader.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert loaded.card.readouts == {"effort": CARD}
    assert loaded.card.spec == FeatureSpec()


@pytest.mark.parametrize("trained", [False, True])
def test_an_eye_branch_is_there_only_when_it_was_trained(tmp_path, trained):
    reader = MoodReader(ReaderConfig())
    reader.eye_trained = trained
    save_weights(tmp_path / "v", reader, FeatureSpec(), {"effort": CARD}, {"figures": {"effort": {}}})
    again = load_weights(str(tmp_path / "v"))
    assert again.card.training["eye_trained"] is again.card.eye_trained is again.reader.eye_trained is trained
    assert any(name.startswith("eye.") for name in load_file(tmp_path / "v" / "model.safetensors")) is trained
    assert (again.reader.eye is not None) is trained
    assert load_weights().reader.eye is None  # those of the release had no eye data


def test_the_encoder_that_weights_were_begun_with_can_be_had_from_them(folder):
    state, card = load_encoder(Path(DEFAULT))
    raw = load_weights().reader.raw.state_dict()
    assert set(state) == set(raw)
    assert all(torch.equal(state[name], raw[name]) for name in raw)
    assert not any(name.startswith("eegmat") for name in card["records_sha256"])
    assert set(records_seen(Path(DEFAULT))) >= set(card["records_sha256"])
    with pytest.raises(WeightsError, match="training has changed it"):
        load_encoder(folder)


def retrained(folder):
    """New weights under the old card: every hash of the files is made right again, only the golden pair knows."""
    import hashlib

    from realtime_mood.profile import digest

    tensors = load_file(folder / "model.safetensors")
    tensors["heads.effort.bias"] = tensors["heads.effort.bias"] + torch.tensor([1.0, -1.0])
    save_file(tensors, folder / "model.safetensors")
    body = json.loads((folder / "config.json").read_text())
    body.pop("digest")
    body["sha256"]["model.safetensors"] = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    (folder / "config.json").write_text(json.dumps({"digest": digest(body), **body}))


def flip(path):
    blob = bytearray(path.read_bytes())
    blob[len(blob) // 2] ^= 1
    path.write_bytes(blob)


def edit(folder):
    path = folder / "config.json"
    path.write_text(path.read_text().replace('"temperature": 1.3', '"temperature": 0.3'))


def older(folder):
    body = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(body | {"format": 1}))


SPOILT = {
    "of another version": (older, "config.json is of format 1, this program's is 2"),
    "a flipped bit": (lambda f: flip(f / "model.safetensors"), "model.safetensors was altered"),
    "a flipped golden bit": (lambda f: flip(f / "golden.safetensors"), "golden.safetensors was altered"),
    "an edited card": (edit, "config.json was altered"),
    "cut short": (lambda f: (f / "model.safetensors").write_bytes(b"123"), "altered"),
    "no file": (lambda f: (f / "model.safetensors").unlink(), "unreadable"),
    "no card": (lambda f: (f / "config.json").write_text("{"), "unreadable"),
    "a card of something else": (lambda f: (f / "config.json").write_text('{"a": 1}'), "config.json"),
    "other weights under the same card": (retrained, "golden pair"),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_altered_weights_are_refused_in_one_line(folder, kind):
    spoil, says = SPOILT[kind]
    spoil(folder)
    with pytest.raises(WeightsError, match=says) as caught:
        load_weights(str(folder))
    assert "\n" not in str(caught.value)


def test_unknown_weights_list_those_there_are():
    with pytest.raises(WeightsError, match=DEFAULT):
        load_weights("nobody's")


def test_weights_are_found_by_an_earlier_name():
    """Recordings and profiles name the weights that they were made with."""
    for earlier, name in EARLIER.items():
        assert find(earlier) == find(name)
        assert read_card(find(earlier), earlier).training["network_of"] == earlier


def test_the_shipped_weights_load_reproduce_their_golden_pair_and_stay_small():
    weights, folder = load_weights(), find(DEFAULT)
    assert set(weights.card.readouts) == {"effort", "emotion3"}
    assert weights.card.readouts["effort"].evidence == "real"
    assert weights.card.readouts["emotion3"].evidence == "virtual"
    assert sum(p.stat().st_size for p in folder.iterdir()) < 20e6
    assert (folder / "README.md").is_file()


def test_nobody_kept_for_checks_is_among_their_training_records():
    records = load_weights().card.training["records_sha256"]
    assert not set(HELD_OUT) & set(records)
    seeds = [int(name.split("-")[1]) for name in records if name.startswith("virtual-")]
    assert seeds
    assert max(seeds) <= LAST_SEED
    assert all(len(digest) == 64 for digest in records.values())


def test_a_copy_of_the_shipped_folder_loads_by_path(tmp_path):
    shutil.copytree(find(DEFAULT), tmp_path / "copy")
    assert load_weights(str(tmp_path / "copy")).card.name == DEFAULT
