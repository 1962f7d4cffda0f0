"""Masked brain-signal modelling: reconstruct masked tokens of EEG from the visible ones.

The objective has the encoder that the Mood Reader uses later, and a light decoder that is discarded. The encoder gets
visible tokens only. Targets are samples, each token normalised and clipped, under a Huber loss, so that artefacts,
which have most of the variance, do not dominate the loss; and log power, which that normalisation discards. Log power
can also be asked of visible tokens, and under two references.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.models.layers import TransformerBlock, position_features
from realtime_mood.models.masking import Mask
from realtime_mood.models.reader import RawEncoder

from .recipe import PretrainingRecipe

CLIP_SD = 5.0  # of a normalised target
LEAST_SD = 0.05  # in baseline rms: flatter patches are not amplified
LEAST_POWER = 1e-4  # in squared baseline rms, of a band; of a bin of 1 Hz a hundredth
TIME_SD = 0.5  # of the initial embeddings of time in the decoder, as in the encoder


class Losses(NamedTuple):
    """Means over the hidden tokens; log power of visible ones is in the total only."""

    total: Tensor
    patch: Tensor
    spectrum: Tensor


class Spectrum(nn.Module):
    """Log power in each band (Hz): (…, n·L) to (…, K), in nats of amplitude like differential entropy.

    Power is the mean over frames of `frame_len` samples, L.
    """

    window: Tensor
    in_band: Tensor

    def __init__(
        self, bands: Mapping[str, tuple[float, float]], frame_len: int, sfreq: float, least: float = LEAST_POWER
    ) -> None:
        super().__init__()
        self.least = least
        freqs = torch.fft.rfftfreq(frame_len, 1 / sfreq)
        window = torch.hann_window(frame_len, periodic=True)
        power = 2 / (frame_len * window.square().sum())  # of a bin, so that the bins sum to the mean square
        edges = [((freqs >= low) & (freqs < high)).float() * power for low, high in bands.values()]
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("in_band", torch.stack(edges, 1), persistent=False)

    @classmethod
    def of(cls, spec: FeatureSpec, *, bins: bool) -> Spectrum:
        """Of the bands of `spec`, or in `bins` of 1 Hz over their range."""
        if not bins:
            return cls(spec.bands, spec.patch_len, spec.patch_sfreq)
        edges = [round(edge) for band in spec.bands.values() for edge in band]
        each = {f"{hz} Hz": (hz, hz + 1) for hz in range(min(edges), max(edges))}
        return cls(each, spec.patch_len, spec.patch_sfreq, LEAST_POWER / 100)

    def forward(self, x: Tensor) -> Tensor:
        frames = x.unflatten(-1, (-1, len(self.window)))
        centred = frames - frames.mean(-1, keepdim=True)
        bins = torch.fft.rfft(centred * self.window).abs().square().mean(-2)
        return 0.5 * (bins @ self.in_band + self.least).log()


class MaskedModelling(nn.Module):
    """The encoder, the decoder and the loss of a recipe, on features of a specification."""

    def __init__(self, recipe: PretrainingRecipe, spec: FeatureSpec) -> None:
        super().__init__()
        r, dim = recipe, recipe.decoder_dim
        config, self.recipe, self.spec = r.reader(), recipe, spec
        self.encoder = RawEncoder(config)
        self.bands = Spectrum.of(spec, bins=r.bins)
        self.narrow = nn.Linear(config.raw_dim, dim)
        self.hidden = nn.Parameter(torch.randn(dim) * 0.02)
        self.place = nn.Linear(12, dim)
        self.time = nn.Parameter(torch.randn(r.n_times, dim) * TIME_SD)
        self.block = TransformerBlock(dim, 4, 4 * dim, 0.0)
        self.norm = nn.LayerNorm(dim)
        self.to_patch = nn.Linear(dim, config.patch_len) if r.waveform else None
        self.to_bands = nn.Linear(dim, (1 + r.average) * self.bands.in_band.shape[1]) if r.spectrum else None

    def latent(self, patches: Tensor, positions: Tensor, visible: Tensor) -> Tensor:
        """Output (B, V, D) of the encoder for the visible tokens (B, V) of patches (B, C, P, L).

        Equal to selecting the visible ones of ``encoder.window``, but at a quarter of the cost.
        """
        T, encoder, keep = self.recipe.n_times, self.encoder, torch.ones_like(visible, dtype=torch.bool)
        x = self.tokens_of(patches)
        seen = x.gather(1, visible[..., None].expand(-1, -1, x.shape[-1]))
        if encoder.spectra is not None:
            seen = encoder.spectra(seen.unflatten(-1, patches.shape[2:]), keep, keep.new_ones(patches.shape[::2]))
        where = positions.gather(1, (visible // T)[..., None].expand(-1, -1, 3))
        tokens = encoder.embed(seen) + encoder.place(position_features(where)) + encoder.time[visible % T]
        return encoder(tokens, keep)

    def tokens_of(self, patches: Tensor) -> Tensor:
        """Samples of the tokens, (B, C·T, samples), of patches (B, C, P, L)."""
        return patches.flatten(2).unflatten(2, (self.recipe.n_times, -1)).flatten(1, 2)

    @property
    def n_frames(self) -> int:
        """Frames that each log power that is asked for is the mean over."""
        return self.spec.n_patches // self.recipe.n_times

    def decode(self, latent: Tensor, positions: Tensor, mask: Mask) -> Tensor:
        """Output (B, C·T, dim) of the decoder."""
        place = (self.place(position_features(positions))[:, :, None] + self.time).flatten(1, 2)  # (B, C·T, dim)
        at = mask.visible[..., None].expand(-1, -1, place.shape[-1])
        grid = self.hidden.expand_as(place).scatter(1, at, self.narrow(latent)) + place
        return self.norm(self.block(grid, mask.target.scatter(1, mask.visible, True)))

    def references(self, patches: Tensor) -> list[Tensor]:
        """Patches (B, C, P, L) under each reference whose log power is asked for."""
        return [patches, patches - patches.mean(1, keepdim=True)][: 1 + self.recipe.average]

    def power(self, patches: Tensor, mask: Mask) -> tuple[Tensor, Tensor]:
        """Log power (N, K) of the N tokens that are asked for it, and which these are: (B, C·T) bool."""
        asked = mask.target.scatter(1, mask.visible, True) if self.recipe.own else mask.target
        of_each = [self.bands(self.tokens_of(x)[asked]) for x in self.references(patches)]
        return torch.cat(of_each, -1), asked

    def forward(self, patches: Tensor, positions: Tensor, visible: Tensor, target: Tensor) -> Losses:
        """Losses on a batch: `patches` (B, C, P, L) in baseline rms, `positions` (B, C, 3) as unit vectors.

        `visible` and `target` are those of a `Mask`.
        """
        mask, weights = Mask(visible, target), self.recipe
        latent = self.latent(patches, positions, visible)
        rebuilt = self.decode(latent, positions, mask)
        patch = spectrum = power = rebuilt.new_zeros(())
        if self.to_patch is not None:
            patch = F.huber_loss(self.to_patch(rebuilt[target]), normalised(self.tokens_of(patches)[target]))
        if self.to_bands is not None:
            truth, asked = self.power(patches, mask)
            errors = F.huber_loss(self.to_bands(rebuilt[asked]), truth, reduction="none").mean(-1)
            power, spectrum = errors.mean(), errors[target[asked]].mean()
        total = weights.waveform * patch + weights.spectrum * power
        return Losses(total, patch.detach(), spectrum.detach())


def normalised(patches: Tensor) -> Tensor:
    """Each patch (…, L) with mean 0 and standard deviation 1, clipped."""
    centred = patches - patches.mean(-1, keepdim=True)
    return (centred / centred.std(-1, keepdim=True).clamp(min=LEAST_SD)).clamp(-CLIP_SD, CLIP_SD)
