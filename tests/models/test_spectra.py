"""Spectral tokens: the rate of a rhythm whatever its phase, from trained weights to ONNX."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError
from realtime_mood.models.card import ReadoutCard, Trust
from realtime_mood.models.checkpoint import load_weights, save_weights
from realtime_mood.models.commands import evaluate, train
from realtime_mood.models.inputs import golden_input
from realtime_mood.models.personal import BINS
from realtime_mood.models.pretraining.encoder import begun_with
from realtime_mood.models.reader import Batch, MoodReader, ReaderConfig
from realtime_mood.models.spectra import N_BINS, FrameSpectra

CONFIG = ReaderConfig(
    readouts={"rate": 2}, raw_token="spectrum", dim=16, band_dim=8, raw_dim=16, raw_depth=1, rounds=1, dropout=0.0,
    head_dropout=0.0,
)  # fmt: skip
LEVEL = Trust(temperature=1.3, least_confidence=0.5)
HEAD = ReadoutCard(
    labels=("slow", "fast"), coordinates=(), evidence="real", population_mean=(2.5,) * 5, population_sd=(0.5,) * 5,
    own_baseline=LEVEL, no_baseline=LEVEL,
)  # fmt: skip
RAW_ALONE = torch.tensor([True, False, False, False])


def waves(hz: torch.Tensor, phase: torch.Tensor) -> torch.Tensor:
    """Sines of some rates (Hz) and phases, both (B, C), as patches (B, C, 4, 128)."""
    angle = 2 * torch.pi * hz[..., None] * torch.arange(512) / 128 + phase[..., None]
    return angle.sin().unflatten(-1, (4, 128))


def of_rates(seed: int, size: int = 24) -> tuple[Batch, torch.Tensor]:
    """Noise with 13 or 17 Hz of any phase on some electrodes; DE says nothing."""
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(size) % 2
    strength = 0.6 * (torch.rand(size, 6, 1, 1, generator=g) > 0.5)
    wave = waves((13.0 + 4 * y)[:, None].expand(-1, 6), 6.3 * torch.rand(size, 1, generator=g).expand(-1, 6))
    patches = torch.randn(size, 6, 4, 128, generator=g) + strength * wave
    positions = torch.nn.functional.normalize(torch.randn(1, 6, 3, generator=g), dim=-1).expand(size, -1, -1)
    yes = torch.ones(size, 6, dtype=torch.bool)
    there = (yes, torch.ones(size, 10, dtype=torch.bool), torch.ones(size, 4, dtype=torch.bool))
    return Batch(torch.randn(size, 10, 6, 5, generator=g), patches, positions, *there), y


@pytest.fixture(scope="module")
def reader() -> MoodReader:
    """Trained on two rates."""
    torch.manual_seed(0)
    reader = MoodReader(CONFIG).train()
    optimiser = torch.optim.AdamW(reader.parameters(), 1e-2)
    for step in range(30):
        b, y = of_rates(step)
        loss = torch.nn.functional.cross_entropy(reader(b, RAW_ALONE.expand(len(y), -1)).scores["rate"], y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return reader.eval()


@pytest.fixture(scope="module")
def folder(reader, tmp_path_factory):
    out = tmp_path_factory.mktemp("weights") / "rates"
    save_weights(out, reader, FeatureSpec(), {"rate": HEAD}, {"figures": {}})
    return out


def test_a_wave_is_in_its_bin_whatever_its_phase():
    spectra, yes = FrameSpectra(128).eval(), torch.ones(3, 5, dtype=torch.bool)
    hz = torch.tensor([[9.0], [13.0], [21.0]])
    found = [
        spectra(waves(hz.expand(-1, 5), phase.expand(3, 5)), yes, yes[:, :4]) for phase in torch.tensor([0.0, 1.0])
    ]
    torch.testing.assert_close(*(x[:, :, :N_BINS].amax(-1) for x in found), atol=1e-3, rtol=0)
    assert (found[0][:, :, :N_BINS].argmax(-1) + BINS.start == hz).all()


def test_what_all_electrodes_share_is_not_in_the_average_reference():
    g = torch.Generator().manual_seed(0)
    wave, yes = waves(torch.full((1, 6), 13.0), torch.zeros(1, 6)), torch.ones(1, 6, dtype=torch.bool)
    noise = torch.randn(1, 6, 4, 128, generator=g)
    at = 13 - BINS.start
    plain, shared = (FrameSpectra(128).eval()(x, yes, yes[:, :4]) for x in (noise, noise + wave))
    assert (shared[..., at] - plain[..., at]).min() > 1
    torch.testing.assert_close(shared[..., N_BINS:], plain[..., N_BINS:], atol=1e-3, rtol=0)


def test_rates_of_any_phase_are_told_apart(reader):
    b, y = of_rates(1000, 64)
    with torch.inference_mode():
        found = reader(b, RAW_ALONE.expand(64, -1)).scores["rate"].argmax(1)
    assert (found == y).float().mean() > 0.9


def test_a_batch_without_the_raw_branch_leaves_the_statistics_as_they_are():
    torch.manual_seed(0)
    reader = MoodReader(CONFIG).train()
    b, y = of_rates(0)
    reader(b, (~RAW_ALONE).expand(len(y), -1)).scores["rate"].sum().backward()
    assert int(reader.raw.spectra.standardised.n_batches) == 0


def test_weights_keep_their_token_and_run_as_onnx(reader, folder):
    weights = load_weights(str(folder))
    assert weights.card.reader["raw_token"] == "spectrum"
    assert all(torch.equal(x, reader.state_dict()[name]) for name, x in weights.reader.state_dict().items())
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("realtime_mood.models.onnx_runtime")
    from realtime_mood.models.sharing.onnx_file import difference, to_onnx

    blob = to_onnx(weights)  # compares with torch on masks and other montages
    session = runtime.session_of(blob)
    given = vars(golden_input(weights.reader.config))
    scores, *_ = session.run(None, {each.name: given[each.name] for each in session.get_inputs()})
    with torch.inference_mode():
        np.testing.assert_allclose(scores, weights.reader(Batch.of(golden_input(CONFIG))).scores["rate"], atol=1e-4)
    assert difference(weights, blob) < 1e-4


def test_an_encoder_of_patches_cannot_begin_them():
    card = {"config": {"raw_dim": 32}}
    assert begun_with(replace(CONFIG, raw_token="patch"), card).raw_dim == 32
    assert begun_with(CONFIG, {"config": {}}) == CONFIG
    with pytest.raises(ConfigError, match="pre-trained on patches"):
        begun_with(CONFIG, card)
    spectral = {"config": {"raw_dim": 32, "raw_token": "spectrum"}}
    assert begun_with(replace(CONFIG, raw_token="patch"), spectral).raw_token == "spectrum"


@pytest.mark.parametrize("command", [train, evaluate])
def test_an_unknown_token_is_refused(command, tmp_path):
    with pytest.raises(ConfigError, match="use patch or spectrum"):
        command(data=tmp_path, out=tmp_path / "out", raw_token="wavelet")
