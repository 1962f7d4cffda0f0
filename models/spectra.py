"""Spectral tokens of the raw branch (``raw_token="spectrum"``): log power in bins of 1 Hz instead of samples.

What frequency a rhythm has is hidden from an embedding of samples by the rhythm's phase, which differs in each patch.
Power is estimated by Welch's method [1]_: frames of one patch, Hann windows, half of a frame apart, averaged. It is
that of the signal under its own reference and under the average of the electrodes that are there: what all electrodes
share, a reference far away among it, hides what a few of them have.

Everything is computed from the patches of a window: nothing else must be measured live, and no statistics of the
subject are needed but the baseline rms that patches are scaled by. The Fourier transform is a matrix product, which
every runtime has.

References
----------
.. [1] Welch (1967), "The use of fast Fourier transform for the estimation of power spectra", IEEE Transactions on Audio
   and Electroacoustics 15(2).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .personal import BINS

N_REFERENCES = 2  # as recorded, and the average of the electrodes
N_BINS = BINS.stop - BINS.start
MOST_SD = 8.0  # standardised power is clipped here
LEAST_POWER = 1e-6  # in squared baseline rms
FLAT_BIN = 10  # where the flattened spectrum of 1/f² noise equals its power


class FrameSpectra(nn.Module):
    """Log power of patches of `patch_len` samples, made flat for a background of 1/f²: a shape for every electrode."""

    basis: Tensor
    gain: Tensor

    def __init__(self, patch_len: int) -> None:
        super().__init__()
        bins, time = torch.arange(BINS.start, BINS.stop), torch.arange(patch_len)
        angle = 2 * torch.pi * bins * time[:, None] / patch_len
        window = torch.hann_window(patch_len, periodic=True)
        basis = torch.cat((angle.cos(), angle.sin()), 1) * window[:, None]
        gain = 2 / (patch_len * window.square().sum()) * (bins / FLAT_BIN).square()
        self.register_buffer("basis", basis, persistent=False)
        self.register_buffer("gain", gain, persistent=False)
        self.standardised = BinStatistics(N_REFERENCES * N_BINS)

    def forward(self, patches: Tensor, keep_chans: Tensor, keep_patches: Tensor) -> Tensor:
        """Patches (B, C, P, L), kept channels (B, C) and patches (B, P) -> (B, C, N_REFERENCES·N_BINS), standardised.

        A frame counts where the patches that it is cut from are kept.
        """
        halves = patches.unflatten(-1, (2, -1)).flatten(2, 3)  # (B, C, 2P, L/2)
        frames = torch.cat((halves[:, :, :-1], halves[:, :, 1:]), -1)
        there = keep_patches.repeat_interleave(2, 1)
        there = (there[:, :-1] & there[:, 1:]).to(patches.dtype)[:, None, :, None]
        waves = frames @ self.basis  # (B, C, 2P-1, 2·N_BINS)
        weight = keep_chans.to(patches.dtype)[:, :, None, None]
        average = (waves * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp(min=1)
        found = []
        for each in (waves, waves - average):
            cosine, sine = each.chunk(2, -1)
            power = ((cosine.square() + sine.square()) * there).sum(2) / there.sum(2).clamp(min=1)
            found.append((power * self.gain + LEAST_POWER).log())
        return self.standardised(torch.cat(found, -1), keep_chans)


class BinStatistics(nn.Module):
    """Mean and standard deviation of each feature over the tokens of training, which every token is standardised by.

    They are the average of the first batches, and then follow slowly. Training is several times faster with them.
    """

    LEAST_GAIN = 0.01
    LEAST_SD = 1e-3

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("sd", torch.ones(width))
        self.register_buffer("n_batches", torch.tensor(0))

    mean: Tensor
    sd: Tensor
    n_batches: Tensor

    def forward(self, x: Tensor, keep: Tensor) -> Tensor:
        """X (B, C, F), keep (B, C) -> the same, standardised and clipped; in training, take in what is kept."""
        if self.training and int(keep.sum()) > 1:
            self._take_in(x[keep])
        return ((x - self.mean) / self.sd).clamp(-MOST_SD, MOST_SD)

    @torch.no_grad()
    def _take_in(self, tokens: Tensor) -> None:
        sd, mean = torch.std_mean(tokens, 0)
        self.n_batches += 1
        gain = max(1 / int(self.n_batches), self.LEAST_GAIN)
        self.mean += gain * (mean - self.mean)
        self.sd += gain * (sd.clamp(min=self.LEAST_SD) - self.sd)
