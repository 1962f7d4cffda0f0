"""Masked brain-signal modelling: reconstruct masked patches of EEG from the visible ones.

The objective has the encoder that the Mood Reader uses later, and a light decoder that is discarded. The encoder gets
visible tokens only. Targets are patches, each normalised and clipped, under a Huber loss, so that artefacts, which have
most of the variance, do not dominate the loss. Normalising discards the signal's strength, which emotion reading needs:
the power of each band is predicted too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime_mood.models.layers import TransformerBlock, position_features
from realtime_mood.models.masking import Mask
from realtime_mood.models.reader import RawEncoder, ReaderConfig

CLIP_SD = 5.0  # of a normalised target
LEAST_SD = 0.05  # in baseline rms: flatter patches are not amplified
LEAST_POWER = 1e-4  # in squared baseline rms
TIME_SD = 0.5  # of the initial embeddings of time in the decoder, as in the encoder


class Losses(NamedTuple):
    """Means over the hidden tokens."""

    total: Tensor
    patch: Tensor
    spectrum: Tensor


class Spectrum(nn.Module):
    """Log power of patches in each band (Hz): (…, L) to (…, K), in nats of amplitude like differential entropy."""

    window: Tensor
    in_band: Tensor

    def __init__(self, bands: Mapping[str, tuple[float, float]], patch_len: int, sfreq: float) -> None:
        super().__init__()
        freqs = torch.fft.rfftfreq(patch_len, 1 / sfreq)
        window = torch.hann_window(patch_len, periodic=True)
        power = 2 / (patch_len * window.square().sum())  # of a bin, so that the bins sum to the mean square
        edges = [((freqs >= low) & (freqs < high)).float() * power for low, high in bands.values()]
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("in_band", torch.stack(edges, 1), persistent=False)

    def forward(self, patches: Tensor) -> Tensor:
        centred = patches - patches.mean(-1, keepdim=True)
        bins = torch.fft.rfft(centred * self.window).abs().square()
        return 0.5 * (bins @ self.in_band + LEAST_POWER).log()


class MaskedModelling(nn.Module):
    """The encoder of `config`, a decoder and the loss.

    The power of `bands` (low, high in Hz) is predicted from patches at `sfreq` (Hz), with the weight `spectrum` in the
    loss; 0 leaves it out. `dim` is the width of the decoder's single layer, a multiple of 4, its heads.
    """

    def __init__(
        self, config: ReaderConfig, bands: Mapping[str, tuple[float, float]], sfreq: float, *, dim: int, spectrum: float
    ) -> None:
        super().__init__()
        self.weight = spectrum
        self.encoder = RawEncoder(config)
        self.bands = Spectrum(bands, config.patch_len, sfreq)
        self.narrow = nn.Linear(config.raw_dim, dim)
        self.hidden = nn.Parameter(torch.randn(dim) * 0.02)
        self.place = nn.Linear(12, dim)
        self.time = nn.Parameter(torch.randn(config.n_patches, dim) * TIME_SD)
        self.block = TransformerBlock(dim, 4, 4 * dim, 0.0)
        self.norm = nn.LayerNorm(dim)
        self.to_patch = nn.Linear(dim, config.patch_len)
        self.to_bands = nn.Linear(dim, len(bands)) if spectrum else None

    def latent(self, patches: Tensor, positions: Tensor, visible: Tensor) -> Tensor:
        """Output (B, V, D) of the encoder for the visible tokens (B, V) of patches (B, C, P, L).

        Equal to selecting the visible ones of ``encoder.tokens``, but at a quarter of the cost.
        """
        P, encoder = patches.shape[2], self.encoder
        seen = patches.flatten(1, 2).gather(1, visible[..., None].expand(-1, -1, patches.shape[-1]))
        where = positions.gather(1, (visible // P)[..., None].expand(-1, -1, 3))
        tokens = encoder.embed(seen) + encoder.place(position_features(where)) + encoder.time[visible % P]
        return encoder(tokens, torch.ones_like(visible, dtype=torch.bool))

    def decode(self, latent: Tensor, positions: Tensor, mask: Mask) -> Tensor:
        """Output (N, dim) of the decoder for the N targets in the batch."""
        place = (self.place(position_features(positions))[:, :, None] + self.time).flatten(1, 2)  # (B, C·P, dim)
        at = mask.visible[..., None].expand(-1, -1, place.shape[-1])
        grid = self.hidden.expand_as(place).scatter(1, at, self.narrow(latent)) + place
        keep = mask.target.scatter(1, mask.visible, True)
        return self.norm(self.block(grid, keep)[mask.target])

    def forward(self, patches: Tensor, positions: Tensor, visible: Tensor, target: Tensor) -> Losses:
        """Losses on a batch: `patches` (B, C, P, L) in baseline rms, `positions` (B, C, 3) as unit vectors.

        `visible` and `target` are the tensors of a `Mask`.
        """
        mask = Mask(visible, target)
        rebuilt = self.decode(self.latent(patches, positions, visible), positions, mask)
        truth = patches.flatten(1, 2)[target]
        patch = F.huber_loss(self.to_patch(rebuilt), normalised(truth))
        if self.to_bands is None:
            return Losses(patch, patch.detach(), torch.zeros_like(patch))
        spectrum = F.huber_loss(self.to_bands(rebuilt), self.bands(truth))
        return Losses(patch + self.weight * spectrum, patch.detach(), spectrum.detach())


def normalised(patches: Tensor) -> Tensor:
    """Each patch (…, L) with mean 0 and standard deviation 1, clipped."""
    centred = patches - patches.mean(-1, keepdim=True)
    return (centred / centred.std(-1, keepdim=True).clamp(min=LEAST_SD)).clamp(-CLIP_SD, CLIP_SD)
