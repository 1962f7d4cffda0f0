"""Masks of raw tokens for masked brain-signal modelling.

A token is one patch of one channel, number ``channel · n_patches + patch``. Every sample of a batch has equally many
visible tokens, so that the encoder can be given only those.

References
----------
.. [1] Dong et al. (2024), "Multi-modal Mood Reader", arXiv:2405.19373: random tokens, about 75 %.
.. [2] Guetschel (2026), "What masking geometry works best for EEG foundation models?", arXiv:2609.33487: blocks of 9 cm
   and 2 patches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor

RATIO = 0.75  # share of the usable tokens that is hidden
HEAD_CM = 9.5  # radius of the head whose surface positions are unit vectors to
BLOCK_CM = 9.0
BLOCK_PATCHES = 2


class Mask(NamedTuple):
    """Visible and target tokens. Tokens in neither are of bad or absent channels."""

    visible: Tensor  # (B, V) int64, increasing
    target: Tensor  # (B, C·P) bool: hidden, to be reconstructed


Geometry = Callable[[Tensor, Tensor, Generator, float], Mask]


def random_tokens(usable: Tensor, positions: Tensor, generator: Generator, ratio: float = RATIO) -> Mask:
    """Hide tokens anywhere [1]_: `ratio` of the usable ones of the sample that has the fewest.

    `usable` (B, C, P) marks tokens of present and good channels; others are neither visible nor targets. `positions`
    (B, C, 3) are used by `blocks` only.
    """
    return _hide_first(torch.rand(usable.shape, generator=generator).flatten(1), usable.flatten(1), ratio)


def blocks(usable: Tensor, positions: Tensor, generator: Generator, ratio: float = RATIO) -> Mask:
    """Hide the neighbourhoods of random electrodes, for two patches at a time, until enough is hidden [2]_.

    Of the last block only the tokens nearest to its centre are hidden. Parameters as for `random_tokens`; positions are
    unit vectors.
    """
    B, C, P = usable.shape
    apart_cm = torch.cdist(positions, positions) * HEAD_CM  # (B, centre, channel)
    n_starts = max(1, P - BLOCK_PATCHES + 1)
    order = torch.rand(B, C * n_starts, generator=generator).argsort(1).argsort(1).view(B, C, n_starts, 1, 1)
    lag = torch.arange(P) - torch.arange(n_starts)[:, None]
    covers = (apart_cm <= BLOCK_CM)[:, :, None, :, None] & ((lag >= 0) & (lag < BLOCK_PATCHES))[None, None, :, None]
    # A token is hidden with the first block that covers it, from the block's centre outwards.
    when = order + apart_cm[:, :, None, :, None] / (2 * BLOCK_CM)
    when = torch.where(covers, when, torch.inf).flatten(1, 2).amin(1)  # (B, C, P)
    return _hide_first(when.flatten(1), usable.flatten(1), ratio)


def _hide_first(when: Tensor, usable: Tensor, ratio: float) -> Mask:
    """Hide usable tokens in the order of `when`, until equally many are visible in each sample."""
    n_visible = max(1, round((1 - ratio) * int(usable.sum(1).min())))
    last = torch.where(usable, when, -torch.inf).argsort(dim=1, descending=True, stable=True)
    visible = last[:, :n_visible].sort(1).values
    return Mask(visible, usable.scatter(1, visible, False))


GEOMETRIES: dict[str, Geometry] = {"random": random_tokens, "blocks": blocks}
