"""The noise floor is that of chi-squared noise, and the share explained is 0 for a flat line and 1 for the truth."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from pretraining_people import TINY, eeg, write_archive
from scipy.special import polygamma
from torch.nn import functional as F

from realtime_mood.dsp.spec import BANDS, FeatureSpec
from realtime_mood.errors import ConfigError
from realtime_mood.models.datasets.recordings import find
from realtime_mood.models.pretrain import pretrain
from realtime_mood.models.pretraining.explained import (
    Bounds,
    bounds,
    halves,
    noise_dof,
    noise_floor,
    quadratic_forms,
    spread_of_halves,
)  # fmt: skip
from realtime_mood.models.pretraining.frozen import FrozenEncoder
from realtime_mood.models.pretraining.objective import Losses, MaskedModelling, Spectrum
from realtime_mood.models.reader import RawEncoder

SPECTRUM = Spectrum(BANDS, 128, 128.0)


@pytest.fixture(scope="module")
def white():
    return torch.randn(64, 16, 4, 128, generator=torch.Generator().manual_seed(0))


def test_the_noise_of_log_power_is_that_of_chi_squared(white):
    """Of white noise all of the variance is noise, and the degrees of freedom follow from the window."""
    variance = 4 * SPECTRUM(white).var((0, 1, 2)).numpy()  # of log power, twice that of amplitude
    known = np.array([1 / float(q.square().sum()) for q in quadratic_forms(SPECTRUM.window, SPECTRUM.in_band)])
    assert np.allclose(polygamma(1, known / 2), variance, rtol=0.2)
    found = noise_dof(spread_of_halves(white, SPECTRUM), SPECTRUM)
    share = polygamma(1, found / 2) / variance
    assert (share < 1.02).all()
    assert (share > 0.8).all()


def test_the_floor_is_the_huber_loss_of_the_true_power(white):
    """Power that is known, and changes from window to window and slowly within them."""
    generator = torch.Generator().manual_seed(1)
    log = 0.5 * torch.randn(64, 16, 1, 1, generator=generator) + 0.1 * torch.linspace(-1, 1, 4)[:, None]
    patches, target = white * log.exp(), torch.ones(64, 64, dtype=torch.bool)
    model = MaskedModelling(TINY, FeatureSpec())
    found = bounds([(patches, target, target[:, :0].long(), target)], model)
    truth = SPECTRUM(patches)
    best = log + (truth - log).mean((0, 1, 2))
    loss = float(F.huber_loss(best.expand_as(truth), truth))
    explained = found.explained(Losses(torch.tensor(0.0), torch.tensor(found.null_patch), torch.tensor(loss)), TINY)
    assert 0.9 < explained["spectrum"] < 1.02
    assert found.floor_spectrum == pytest.approx(loss, rel=0.2)


def test_a_flat_prediction_explains_nothing_and_the_floor_everything():
    limits = Bounds(0.4, 0.1, 0.04)
    flat = Losses(torch.tensor(0.42), torch.tensor(0.4), torch.tensor(0.1))
    assert limits.explained(flat, TINY) == pytest.approx({"total": 0, "patch": 0, "spectrum": 0}, abs=1e-6)
    floor = Losses(torch.tensor(0.0), torch.tensor(0.0), torch.tensor(0.04))
    assert limits.explained(floor, TINY) == pytest.approx({"total": 1, "patch": 1, "spectrum": 1}, abs=1e-6)
    assert set(limits.explained(floor, replace(TINY, spectrum=0.0))) == {"total", "patch"}
    assert limits.explained(floor, replace(TINY, waveform=0.0)) == pytest.approx({"total": 1, "spectrum": 1}, abs=1e-6)


def test_more_degrees_of_freedom_leave_less_noise():
    floors = [noise_floor(np.array([dof])) for dof in (2.0, 8.0, 32.0)]
    assert floors == sorted(floors, reverse=True)
    assert floors[2] == pytest.approx(polygamma(1, 16.0) / 8, rel=0.02)
    assert not (halves(128)[0] * halves(128)[1]).any()


# -- in pre-training -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explained")
    for k, name in enumerate(("muse_128hz.npz", "cap_128hz.npz")):
        write_archive(folder / name, {f"{i}": [eeg(10 * k + i)] for i in range(5)})
    return folder


def test_pretraining_states_the_shares_of_each_data_set_and_a_frozen_encoder_is_evaluated(made, tmp_path):
    jobs, lines = find([str(made)])[0], []
    last = pretrain(jobs, tmp_path / "a", TINY, cache=tmp_path / "cache", log=lines.append)
    shares = json.loads((tmp_path / "a" / "explained.json").read_text())
    assert set(shares) == {"muse", "cap"}
    assert {"people", "total", "patch", "spectrum"} == set(shares["cap"])
    assert json.loads((tmp_path / "a" / "encoder.json").read_text())["explained"] == shares
    assert {"explained_real_total", "explained_real_patch", "explained_real_spectrum"} <= set(last)
    assert sum(line.startswith("explained of what can be explained, ") for line in lines) == 2

    with pytest.raises(ConfigError, match="it was trained on all of --data"):
        pretrain(jobs, tmp_path / "b", TINY, cache=tmp_path / "cache", frozen=str(tmp_path / "a"))
    pretrain(jobs, tmp_path / "c", TINY, cache=tmp_path / "cache", frozen="untrained", log=lines.append)
    assert (tmp_path / "c" / "explained.json").is_file()
    assert not (tmp_path / "c" / "encoder.json").exists()


def test_a_frozen_encoder_is_given_and_keeps_its_weights():
    config = TINY.reader()
    state = RawEncoder(config).state_dict()
    card = {"sha256": "x", "config": {"raw_dim": 16, "raw_depth": 1, "heads": 4, "patch_len": 128}}
    frozen, encoder = FrozenEncoder("mine", state, card), RawEncoder(config)
    frozen.put_into(encoder)
    assert all(torch.equal(value, state[key]) for key, value in encoder.state_dict().items())
    assert not any(p.requires_grad for p in encoder.parameters())
    assert frozen.shaped(TINY).raw_dim == 16
    assert FeatureSpec().patch_len == 128
