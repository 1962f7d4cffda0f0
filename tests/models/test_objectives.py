"""Every objective of pre-training trains, hides what it asks for, and leaves an encoder that the reader can use."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from pretraining_people import TINY, eeg, write_archive

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError
from realtime_mood.models.datasets.recordings import find
from realtime_mood.models.masking import random_tokens
from realtime_mood.models.pretrain import pretrain
from realtime_mood.models.pretraining.encoder import load_encoder
from realtime_mood.models.pretraining.frozen import FrozenEncoder
from realtime_mood.models.pretraining.objective import MaskedModelling
from realtime_mood.models.reader import RawEncoder, ReaderConfig
from realtime_mood.montage import SPREAD, locate


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Six subjects, prepared once."""
    folder = tmp_path_factory.mktemp("made")
    write_archive(folder / "made_128hz.npz", {f"{i}": [eeg(i, seconds=12)] for i in range(6)})
    return folder


def model_of(**changes):
    torch.manual_seed(0)
    return MaskedModelling(replace(TINY, **changes), FeatureSpec())


def batch():
    """Four windows of eight electrodes, and a mask of four patches."""
    generator = torch.Generator().manual_seed(0)
    patches = torch.randn(4, 8, 4, 128, generator=generator)
    positions = torch.as_tensor(locate(SPREAD[:8])).expand(4, -1, -1)
    usable = torch.ones(4, 8, 4, dtype=torch.bool)
    return patches, positions, random_tokens(usable, positions, generator)


POWER = {"waveform": 0.0, "spectrum": 1.0, "bins": True}
OBJECTIVES = {
    "spectral tokens": POWER | {"raw_token": "spectrum", "hidden": 0.5},
    "both references": POWER | {"raw_token": "spectrum", "hidden": 0.5, "own": True, "average": True},
    "patches of two seconds": {"n_patches": 2},
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_trains_and_its_encoder_is_what_its_card_says(made, tmp_path, name):
    recipe = replace(TINY, **OBJECTIVES[name])
    pretrain(find([str(made)])[0], tmp_path / "run", recipe, cache=made / "cache", log=lambda _: None)
    rows = [json.loads(line) for line in (tmp_path / "run" / "curves.jsonl").read_text().splitlines()]
    assert rows[-1]["held_out"] < rows[0]["held_out"]
    assert rows[-1]["explained_real_total"] < 1
    assert ("explained_real_patch" in rows[-1]) == bool(recipe.waveform)
    state, card = load_encoder(tmp_path / "run")
    encoder = RawEncoder(ReaderConfig(**card["config"], dropout=0.0)).eval()
    encoder.load_state_dict(state)
    tokens, keep = encoder.window(*batch()[:2], torch.ones(4, 8, dtype=torch.bool), torch.ones(4, 4).bool())
    assert tokens.shape == (4, 8 * recipe.n_times, TINY.raw_dim)
    assert keep.all()


def test_hidden_electrodes_do_not_reach_spectral_tokens_and_their_latent_is_the_readers():
    model = model_of(waveform=0.0, raw_token="spectrum", bins=True, hidden=0.5).eval()
    patches, positions, *_ = batch()
    visible = torch.tensor([[0, 2, 5]]).expand(4, -1)
    latent = model.latent(patches, positions, visible)
    altered = patches.clone()
    altered[:, [1, 3, 4, 6, 7]] = 9.0
    assert torch.equal(model.latent(altered, positions, visible), latent)
    keep = torch.zeros(4, 8, dtype=torch.bool).scatter(1, visible, True)
    tokens, keep = model.encoder.window(patches, positions, keep, torch.ones(4, 4).bool())
    assert torch.allclose(model.encoder(tokens, keep)[:, [0, 2, 5]], latent, atol=1e-4)


def test_a_recipe_of_spectral_tokens_asks_for_log_power_alone_and_is_that_of_a_frozen_encoder_of_them():
    recipe = TINY.of_tokens("spectrum")
    recipe.check()
    assert (recipe.waveform, recipe.raw_dim) == (0.0, TINY.raw_dim)
    assert TINY.of_tokens("patch") == TINY
    assert (TINY.of_tokens("patch", log_power=True).bins, TINY.bins) == (True, False)
    card = {"config": {"raw_token": "spectrum", "raw_dim": 16, "raw_depth": 1, "heads": 4}}
    assert FrozenEncoder("mine", {}, card).shaped(TINY) == recipe


@pytest.mark.parametrize("wrong", [{"waveform": 1.0}, {"waveform": 0.0, "hidden": 1.0}])
def test_spectral_tokens_refuse_what_they_do_not_have(wrong):
    with pytest.raises(ConfigError, match=r"spectral tokens|between 0 and 1"):
        replace(TINY, raw_token="spectrum", **wrong).check()
