"""The network's promises, whatever its weights: any montage, masks that mask, attention that is a share."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from realtime_mood.errors import ConfigError
from realtime_mood.models.reader import Batch, MoodReader, ReaderConfig
from realtime_mood.models.runtime import choose_device

CONFIG = ReaderConfig()
YES = torch.bool


def batch(n_chans: int = 9, size: int = 3, seed: int = 0, eye: bool = False) -> Batch:
    g = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=g)

    positions = torch.nn.functional.normalize(normal(size, n_chans, 3), dim=-1)
    return Batch(
        normal(size, 10, n_chans, 5), normal(size, n_chans, 4, 128), positions, torch.ones(size, n_chans, dtype=YES),
        torch.ones(size, 10, dtype=YES), torch.ones(size, 4, dtype=YES), normal(size, 33) if eye else None,
    )  # fmt: skip


@pytest.fixture(scope="module", params=["patch", "spectrum"])
def reader(request) -> MoodReader:
    torch.manual_seed(0)
    return MoodReader(replace(CONFIG, raw_token=request.param)).eval()


def run(reader, b):
    with torch.inference_mode():
        return reader(b)


def same(a, b, atol=1e-5):
    for name in a.scores:
        torch.testing.assert_close(a.scores[name], b.scores[name], atol=atol, rtol=0)


@pytest.mark.parametrize("n_chans", [4, 8, 19, 32, 64])
def test_one_set_of_weights_serves_any_montage(reader, n_chans):
    out = run(reader, batch(n_chans))
    assert {name: tuple(s.shape) for name, s in out.scores.items()} == {"effort": (3, 2), "emotion3": (3, 3)}
    assert out.attention.shape == (3, n_chans, 5)
    torch.testing.assert_close(out.attention.sum(1), torch.ones(3, 5))


def test_the_order_of_channels_makes_no_difference_but_their_places_do(reader):
    b, order = batch(), torch.randperm(9, generator=torch.Generator().manual_seed(1))
    turned = replace(b, de=b.de[:, :, order], patches=b.patches[:, order], positions=b.positions[:, order])
    out, again = run(reader, b), run(reader, turned)
    same(out, again)
    torch.testing.assert_close(out.attention[:, order], again.attention)
    moved = run(reader, replace(b, positions=b.positions.flip(1)))
    assert (moved.scores["effort"] - out.scores["effort"]).abs().max() > 1e-3


@pytest.mark.parametrize("what", ["channel", "step", "patch"])
def test_what_is_masked_is_not_looked_at(reader, what):
    b = batch()
    if what == "channel":
        b.keep_chans[:, 2] = False
        spoilt = replace(b, de=b.de.clone(), patches=b.patches.clone())
        spoilt.de[:, :, 2] = spoilt.patches[:, 2] = 99
    elif what == "step":
        b.keep_steps[:, :4] = False
        spoilt = replace(b, de=b.de.clone())
        spoilt.de[:, :4] = 99
    else:
        b.keep_patches[:, 0] = False
        spoilt = replace(b, patches=b.patches.clone())
        spoilt.patches[:, :, 0] = 99
    out = run(reader, b)
    same(out, run(reader, spoilt))
    if what == "channel":
        assert out.attention[:, 2].abs().max() < 1e-6


def test_batching_changes_nothing_beyond_rounding(reader):
    b = batch(size=5)
    whole = run(reader, b)
    alone = [run(reader, Batch(*(None if x is None else x[i : i + 1] for x in vars(b).values()))) for i in range(5)]
    for name, scores in whole.scores.items():
        torch.testing.assert_close(scores, torch.cat([o.scores[name] for o in alone]), atol=1e-5, rtol=0)


def test_eye_features_count_when_they_are_there_and_only_then(reader):
    without, seen = run(reader, batch()), run(reader, batch(eye=True))
    assert (without.gates[:, 3] < 1e-6).all()
    assert (seen.gates[:, 3] > 1e-3).all()
    torch.testing.assert_close(seen.gates.sum(1), torch.ones(3))


@pytest.mark.parametrize("raw_token", ["patch", "spectrum"])
def test_every_part_learns(raw_token):
    torch.manual_seed(0)
    reader = MoodReader(replace(CONFIG, raw_token=raw_token)).train()
    out = reader(batch(eye=True))
    sum(s.square().sum() for s in out.scores.values()).backward()
    assert out.attention is None
    assert not [name for name, p in reader.named_parameters() if p.grad is None or not p.grad.abs().sum()]


def test_it_learns_a_planted_difference_on_electrodes_it_finds_by_place():
    torch.manual_seed(0)
    reader = MoodReader(replace(CONFIG, dropout=0.0, head_dropout=0.0)).train()
    optimiser = torch.optim.AdamW(reader.parameters(), 3e-3)
    right = 0.0
    for step in range(36):
        b, y = batch(8, 16, seed=step), torch.arange(16) % 2
        left = b.positions[:, :, 0] < 0
        b.de[:, :, :, 4] += 1.5 * torch.where(left, 1.0, -1.0)[:, None] * (2 * y[:, None, None] - 1)
        scores = reader(b).scores["effort"]
        loss = torch.nn.functional.cross_entropy(scores, y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        right = (scores.argmax(1) == y).float().mean().item()
    assert right > 0.9


def test_devices_are_a_choice():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(ConfigError):
        choose_device("abacus")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_cuda_agrees_with_the_cpu(reader):
    on_cpu = run(reader, batch())
    there = MoodReader(reader.config).eval().cuda()
    there.load_state_dict(reader.state_dict())
    out = run(there, batch().to(torch.device("cuda")))
    for name, scores in on_cpu.scores.items():
        torch.testing.assert_close(scores.softmax(-1), out.scores[name].softmax(-1).cpu(), atol=1e-5, rtol=0)
