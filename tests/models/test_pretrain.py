"""Masked pre-training finds planted structure, sees only what is visible, and loses nothing when it is stopped."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from launching import two_processes
from pretraining_people import TINY, eeg, write_archive
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from realtime_mood import files
from realtime_mood.dsp.spec import BANDS, FeatureSpec
from realtime_mood.errors import ConfigError, MoodError, WeightsError
from realtime_mood.models.datasets.recordings import find
from realtime_mood.models.masking import random_tokens
from realtime_mood.models.pretrain import nothing, pretrain
from realtime_mood.models.pretraining.encoder import load_encoder
from realtime_mood.models.pretraining.objective import MaskedModelling, Spectrum, normalised
from realtime_mood.models.pretraining.recipe import PretrainingRecipe
from realtime_mood.models.reader import RawEncoder, ReaderConfig
from realtime_mood.montage import SPREAD, locate

L = 128


def tiny_model(seed=0, spectrum=0.2, **changes):
    torch.manual_seed(seed)
    recipe = PretrainingRecipe(raw_dim=32, raw_depth=1, decoder_dim=32, spectrum=spectrum, **changes)
    return MaskedModelling(recipe, FeatureSpec())


def some_batch(n_chans=8, batch=4):
    generator = torch.Generator().manual_seed(0)
    patches = torch.randn(batch, n_chans, 4, L, generator=generator)
    positions = torch.as_tensor(locate(SPREAD[:n_chans])).expand(batch, -1, -1)
    usable = torch.ones(batch, n_chans, 4, dtype=torch.bool)
    usable[:, -1] = False
    return patches, positions, random_tokens(usable, positions, generator)


# -- the objective ----------------------------------------------------------------------------------------------


def test_only_visible_tokens_reach_the_encoder():
    model = tiny_model()
    patches, positions, mask = some_batch()
    before = model.latent(patches, positions, mask.visible)
    hidden = torch.ones(4, 32, dtype=torch.bool).scatter(1, mask.visible, False)
    altered = patches.flatten(1, 2).masked_fill(hidden[..., None], 1e6).view_as(patches)
    assert torch.equal(model.latent(altered, positions, mask.visible), before)
    altered = patches.flatten(1, 2).scatter(1, mask.visible[:, :1, None].expand(-1, -1, L), 3.0).view_as(patches)
    assert not torch.allclose(model.latent(altered, positions, mask.visible), before)


def test_the_latent_is_what_the_mood_readers_encoder_makes_of_those_tokens():
    model = tiny_model()
    patches, positions, mask = some_batch()
    tokens = model.encoder.tokens(patches, positions)
    picked = tokens.gather(1, mask.visible[..., None].expand(-1, -1, tokens.shape[-1]))
    same = model.encoder(picked, torch.ones(picked.shape[:2], dtype=torch.bool))
    assert torch.allclose(model.latent(patches, positions, mask.visible), same, atol=1e-5)


def test_the_loss_is_of_hidden_usable_tokens_only():
    model = tiny_model()
    patches, positions, mask = some_batch()
    loss = model(patches, positions, *mask).total
    spoilt = patches.clone()
    spoilt[:, -1] = 50.0  # a bad channel
    assert torch.equal(model(spoilt, positions, *mask).total, loss)
    hidden = patches.flatten(1, 2).clone()
    hidden[mask.target] = torch.randn(int(mask.target.sum()), L)
    assert not torch.isclose(model(hidden.view_as(patches), positions, *mask).total, loss)


def test_targets_are_normalised_by_patch_and_robust():
    patches = torch.randn(5, L) * torch.tensor([[0.2], [1.0], [8.0], [1.0], [0.0]]) + 3
    patches[3, 2] = 1e4
    found = normalised(patches)
    assert torch.allclose(found[:3].mean(-1), torch.zeros(3), atol=1e-5)
    assert torch.allclose(found[:3].std(-1), torch.ones(3), atol=1e-4)
    assert found.abs().max() <= 5
    assert (found[4] == 0).all()


def test_the_bands_power_is_asked_in_nats_of_amplitude():
    spectrum = Spectrum(BANDS, 128, 128.0)
    t = torch.arange(128) / 128
    sine = torch.sin(2 * torch.pi * 10 * t + 0.3)
    once, twice = spectrum(sine), spectrum(2 * sine + 7)
    assert once.argmax() == list(BANDS).index("alpha")
    assert once[2].item() == pytest.approx(0.5 * np.log(0.5), abs=0.01)
    assert (twice - once)[2].item() == pytest.approx(np.log(2), abs=0.01)


def planted(n, seed):
    """Four pairs of electrodes; the two of a pair sit at one place and say the same."""
    generator = torch.Generator().manual_seed(seed)
    signal = torch.randn(n, 4, 4, 4, generator=generator).repeat_interleave(L // 4, -1)  # slow enough to learn quickly
    place = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]]).repeat(2, 1).expand(n, -1, -1)
    usable = torch.ones(n, 8, 4, dtype=torch.bool)
    return torch.cat((signal, signal), 1), place, random_tokens(usable, place, generator, 0.5)


def test_a_copy_next_door_is_found_by_its_position():
    """Half the hidden tokens have their copy in sight: at best half the loss of predicting nothing is left."""
    torch.set_num_threads(1)
    model = tiny_model(spectrum=0.0)
    optimiser = torch.optim.AdamW(model.parameters(), 4e-3)
    for step in range(200):
        patches, place, mask = planted(32, step)
        loss = model(patches, place, *mask).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    patches, place, mask = planted(256, 10**6)
    with torch.no_grad():
        by_place = model(patches, place, *mask).total
        elsewhere = model(patches, place[:, [0, 1, 2, 3, 1, 2, 3, 0]], *mask).total
    assert by_place < 0.65 * nothing(patches.flatten(1, 2), mask.target)
    assert elsewhere > nothing(patches.flatten(1, 2), mask.target)


# -- runs -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Six people, one virtual, prepared once."""
    folder = tmp_path_factory.mktemp("made")
    write_archive(folder / "made_128hz.npz", {f"{i}": [eeg(i, seconds=12)] for i in range(6)})
    return folder


@pytest.fixture
def run(made, tmp_path):
    """Pre-train on them; returns the rows of the curves."""

    def go(recipe=TINY, name="run", log=lambda text: None, **options):
        jobs, _ = find([str(made / "made_128hz.npz")])
        pretrain(jobs, tmp_path / name, recipe, cache=made / "cache", log=log, **options)
        return [json.loads(line) for line in (tmp_path / name / "curves.jsonl").read_text().splitlines()]

    return go


def test_a_run_leaves_an_encoder_that_says_whom_it_has_met(run, tmp_path):
    rows = run()
    assert [row["step"] for row in rows] == [0, 3, 6]
    assert rows[-1]["held_out"] < rows[0]["held_out"]
    state, card = load_encoder(tmp_path / "run")
    RawEncoder(ReaderConfig(**card["config"])).load_state_dict(state)
    assert card["people"] == [f"made-{i}" for i in range(6)]
    assert len(card["held_out_people"]) == 2
    assert {name: len(hashes) for name, hashes in card["records_sha256"].items()} == dict.fromkeys(card["people"], 1)
    assert card["virtual_seeds"] == []
    assert card["corpus"]["made"]["people"] == 6
    assert card["corpus"]["made"]["licences"] == ["CC0-1.0"]
    assert FeatureSpec(**card["spec"]) == FeatureSpec()
    assert card["recipe"]["raw_dim"] == TINY.raw_dim
    assert (tmp_path / "run" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(run, tmp_path):
    straight = run(name="straight")

    def stop_at_three(text):
        if '"step": 3,' in text:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(name="stopped", log=stop_at_three)
    stopped = run(name="stopped", resume=True)
    assert [timeless(row) for row in stopped] == [timeless(row) for row in straight]
    one, two = (load_file(tmp_path / name / "last.safetensors") for name in ("straight", "stopped"))
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert load_encoder(tmp_path / "stopped")[1]["sha256"] == load_encoder(tmp_path / "straight")[1]["sha256"]


def test_blocks_and_a_loss_without_the_bands_train_too(run):
    rows = run(replace(TINY, geometry="blocks", spectrum=0.0, steps=3))
    assert rows[-1]["held_out_spectrum"] == 0
    assert rows[-1]["held_out"] == rows[-1]["held_out_patch"] < rows[0]["held_out"]


def timeless(row):
    return {key: value for key, value in row.items() if key != "minutes"}


def test_a_run_stops_when_held_out_people_are_rebuilt_no_better(run, tmp_path):
    rows = run(replace(TINY, lr=0.05, steps=60, patience=2, every=2))
    best = min(rows, key=lambda row: row["held_out"])
    assert 0 < best["step"] == rows[-1]["step"] - 4 < 56
    assert load_encoder(tmp_path / "run")[1]["steps"] == best["step"]


def test_a_run_that_never_gets_better_leaves_no_encoder_and_says_so(run, tmp_path):
    with pytest.raises(MoodError, match="held-out loss has not improved"):
        run(replace(TINY, lr=5.0, steps=60, patience=2, every=2))
    assert not (tmp_path / "run" / "encoder.json").exists()


def test_the_learning_rate_rises_then_falls():
    rates = [TINY.rate(share) for share in np.linspace(0, 1, 101)]
    assert max(rates) == pytest.approx(TINY.lr)
    assert rates.index(max(rates)) == 4
    assert rates[-1] == pytest.approx(TINY.lr / 100)
    assert all(a > b for a, b in pairwise(rates[4:]))


def test_two_processes_get_the_loss_of_one(program, run, made, tmp_path):
    alone = run(name="alone")
    imports = (
        "from pathlib import Path; from pretraining_people import TINY;"
        "from realtime_mood.models.datasets.recordings import find; from realtime_mood.models.pretrain import pretrain"
    )
    script = (
        "made, out = map(Path, sys.argv[1:]);"
        "pretrain(find([str(made / 'made_128hz.npz')])[0], out, TINY, cache=made / 'cache')"
    )
    said = two_processes(program, tmp_path, imports, script, made, tmp_path / "two")
    assert "2 processes" in said[0]
    assert said[1] == ""
    two = [json.loads(line) for line in (tmp_path / "two" / "curves.jsonl").read_text().splitlines()]
    for a, b in zip(alone, two, strict=True):
        assert timeless(b) == pytest.approx(timeless(a), rel=1e-4)


# -- what can go wrong ------------------------------------------------------------------------------------------


def test_a_loss_that_is_no_number_stops_with_step_and_learning_rate(run, tmp_path, monkeypatch):
    real = MaskedModelling.latent
    monkeypatch.setattr(MaskedModelling, "latent", lambda self, *a: real(self, *a) * broken[0])
    broken = [1.0]

    def spoil(text):
        if '"step": 3,' in text:
            broken[0] = float("nan")

    with pytest.raises(MoodError, match=r"loss is nan.* step 3, learning rate 0\.000\d"):
        run(log=spoil)
    assert load_encoder(tmp_path / "run")[1]["steps"] == 3
    broken[0] = 1.0
    assert run(resume=True)[-1]["step"] == 6


def test_a_disk_that_fills_up_leaves_the_last_good_checkpoint(run, tmp_path, monkeypatch):
    def fill(text):
        if '"step": 6,' in text:
            monkeypatch.setattr(
                files.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device"))
            )

    recipe = replace(TINY, steps=9)
    with pytest.raises(MoodError, match=r"No space left on device.*still the one before.*--resume"):
        run(recipe, log=fill)
    monkeypatch.undo()
    assert not list((tmp_path / "run").glob("*.part"))
    with safe_open(tmp_path / "run" / "last.safetensors", "pt") as f:
        assert json.loads(f.metadata()["course"])["step"] == 3
    load_encoder(tmp_path / "run")
    assert [row["step"] for row in run(recipe, resume=True)] == [0, 3, 6, 9]


def rewrite(path, **about):
    with safe_open(path, "pt") as f:
        old = f.metadata()
    save_file(load_file(path), path, old | about)


SPOILT = {
    "of another version": (lambda p: rewrite(p, format="0"), TINY, "format 0, this program's is 1"),
    "of other settings": (lambda p: None, replace(TINY, raw_depth=2), "other settings or on other recordings"),
    "on other masks": (lambda p: None, replace(TINY, geometry="blocks"), "other settings or on other recordings"),
    "cut short": (lambda p: p.write_bytes(p.read_bytes()[:100]), TINY, "unreadable"),
    "gone": (lambda p: p.unlink(), TINY, "no such file"),
}


@pytest.fixture(scope="module")
def begun(made, tmp_path_factory):
    out = tmp_path_factory.mktemp("begun") / "run"
    jobs, _ = find([str(made / "made_128hz.npz")])
    pretrain(jobs, out, replace(TINY, steps=3), cache=made / "cache", log=lambda _: None)
    return out


@pytest.mark.parametrize("kind", SPOILT)
def test_a_checkpoint_of_something_else_is_refused(made, begun, tmp_path, kind):
    spoil, recipe, says = SPOILT[kind]
    out = tmp_path / "copy"
    out.mkdir()
    (out / "last.safetensors").write_bytes((begun / "last.safetensors").read_bytes())
    spoil(out / "last.safetensors")
    jobs, _ = find([str(made / "made_128hz.npz")])
    with pytest.raises(WeightsError, match=says):
        pretrain(jobs, out, recipe, cache=made / "cache", log=lambda _: None, resume=True)


def test_a_folder_that_holds_a_run_is_not_begun_anew(made, begun):
    with pytest.raises(ConfigError, match="--resume"):
        pretrain([], begun, TINY)


def change_card(folder, **about):
    card = json.loads((folder / "encoder.json").read_text())
    (folder / "encoder.json").write_text(json.dumps(card | about))


BROKEN = {
    "another version": (lambda f: change_card(f, format=0), "format 0"),
    "other weights": (lambda f: save_file({"a": torch.zeros(1)}, f / "encoder.safetensors"), "is not the one"),
    "another shape": (lambda f: change_card(f, config={"raw_dim": 20}), "other shapes"),
    "no card": (lambda f: (f / "encoder.json").unlink(), "no encoder.json"),
    "no json": (lambda f: (f / "encoder.json").write_text("{"), "cannot be read"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_encoder_that_is_not_what_its_card_says_is_refused(begun, tmp_path, kind):
    spoil, says = BROKEN[kind]
    for name in ("encoder.json", "encoder.safetensors"):
        (tmp_path / name).write_bytes((begun / name).read_bytes())
    load_encoder(tmp_path)
    spoil(tmp_path)
    with pytest.raises(WeightsError, match=says):
        load_encoder(tmp_path)


@pytest.mark.parametrize("wrong", [{"raw_dim": 30}, {"geometry": "stripes"}, {"steps": 0}, {"lr": float("nan")}])
def test_settings_that_cannot_be_are_refused_before_anything_is_read(tmp_path, wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        pretrain([], tmp_path, replace(TINY, **wrong))
