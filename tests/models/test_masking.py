"""Masks hide what they say, leave equally many tokens visible, and never touch what is not usable."""

from __future__ import annotations

import pytest
import torch

from realtime_mood.models.masking import BLOCK_CM, GEOMETRIES, HEAD_CM, blocks, random_tokens
from realtime_mood.montage import SPREAD, locate

P = 4


def head(n_chans, batch=3):
    return torch.as_tensor(locate(SPREAD[:n_chans])).expand(batch, -1, -1)


def everything(n_chans, batch=3):
    return torch.ones(batch, n_chans, P, dtype=torch.bool)


def draw(name, usable, positions, seed=0, ratio=0.75):
    return GEOMETRIES[name](usable, positions, torch.Generator().manual_seed(seed), ratio)


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("n_chans", [4, 5, 19, 64])
def test_three_in_four_are_hidden_and_every_token_is_seen_or_asked(name, n_chans):
    visible, target = draw(name, everything(n_chans), head(n_chans))
    assert visible.shape == (3, n_chans * P // 4)
    seen = torch.zeros_like(target).scatter(1, visible, True)
    assert (seen ^ target).all()
    assert (visible.diff(dim=1) > 0).all()


@pytest.mark.parametrize("name", GEOMETRIES)
def test_bad_channels_are_neither_seen_nor_asked_and_samples_still_see_equally_many(name):
    usable = everything(12)
    usable[0, 3:6] = usable[1, 11] = False
    visible, target = draw(name, usable, head(12))
    assert visible.shape == (3, 9 * P // 4)
    assert usable.flatten(1).gather(1, visible).all()
    assert not (target & ~usable.flatten(1)).any()
    assert (target.sum(1) == usable.flatten(1).sum(1) - visible.shape[1]).all()


@pytest.mark.parametrize("name", ["random", "blocks"])
def test_they_are_functions_of_the_generator(name):
    first, again, other = (draw(name, everything(16), head(16), seed).target for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])


def test_random_tokens_fall_on_every_token_alike():
    usable = everything(8, batch=2000)
    share = random_tokens(usable, head(8, 2000), torch.Generator().manual_seed(0)).target.float().mean(0)
    assert (share - 0.75).abs().max() < 0.05


def test_a_block_is_everything_within_its_reach_for_two_patches():
    """Two groups of electrodes further apart than a block reaches: half of everything is one group, all of it."""
    front, back = [0.0, 1.0, 0.0], [0.0, -1.0, 0.0]
    positions = torch.tensor([front, back] * 4).expand(64, -1, -1)
    target = draw("blocks", everything(8, 64), positions, ratio=0.25).target.view(64, 8, P)
    hidden = target.float().mean(1)  # (B, P): half of the electrodes, at two patches in a row
    assert ((hidden == 0) | (hidden == 0.5)).all()
    assert (hidden.sum(1) == 1).all()
    first = hidden.argmax(1)
    assert (hidden.gather(1, first[:, None] + 1) == 0.5).all()
    assert ((target[:, 0::2].any(2) == target[:, :1].any(2)).all(1)).all()


def test_blocks_are_contiguous():
    """Whatever is hidden lies in a ball of hidden electrodes around some centre, as far out as itself."""
    positions, n = head(32, 16), 32
    target = blocks(everything(n, 16), positions, torch.Generator().manual_seed(3)).target.view(16, n, P)
    apart = torch.cdist(positions[0], positions[0]) * HEAD_CM
    for sample in target:
        for c, p in sample.nonzero().tolist():
            inside = apart <= apart[:, c : c + 1] + 1e-4  # (centre, channel): the ball out to this token
            possible = (apart[:, c] <= BLOCK_CM) & (sample[:, p] | ~inside).all(1)
            assert possible.any()


def test_blocks_leave_fewer_close_neighbours_in_sight():
    positions = head(32, 32)
    apart = torch.cdist(positions[0], positions[0]).fill_diagonal_(9)
    nearest = apart.argmin(1)
    seen = {}
    for name in GEOMETRIES:
        target = draw(name, everything(32, 32), positions).target.view(32, 32, P)
        seen[name] = float((~target[:, nearest])[target].float().mean())
    assert seen["blocks"] < 0.6 * seen["random"]
