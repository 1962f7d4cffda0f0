"""The network: class scores and spatial attention from DE sequences, raw patches and eye features of any montage.

That of [1]_, generalised: tokens are per channel and include their electrode's position, so one set of weights serves
any montage.

* `RawEncoder`: raw patches, one token per channel and patch, or per channel with its spectrum; a plain transformer.
* `BandTokens`: DE to one token per step, channel and band.
* `InterlinkedRound`: spatial attention within each band, then temporal attention across bands, over DE tokens.
* `AttentivePool`: weights of the channels in each band. Rolled back through the spatial attention of the rounds [2]_,
  they are the attention of a reading.
* `GatedFusion`: raw, early DE, late DE and eye features, weighted per sample.

Dimensions: B batch, S steps, C channels, K bands, P patches, L patch samples, D width of a token.
``keep`` masks are True for what is present.

References
----------
.. [1] Dong, Chen, Shen, Ng, Qian, Wang (2024), "Multi-modal Mood Reader: Pre-trained Model Empowers Cross-Subject
   Emotion Recognition", arXiv:2405.19373.
.. [2] Abnar, Zuidema (2020), "Quantifying Attention Flow in Transformers", arXiv:2005.00928.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from .inputs import Inputs, Outputs, ReaderConfig
from .layers import TransformerBlock, mean_over, position_features
from .spectra import N_BINS, N_REFERENCES, FrameSpectra


@dataclass
class Batch:
    """Inputs of one forward pass; every tensor starts with B."""

    de: Tensor  # (B, S, C, K), z-scored
    patches: Tensor  # (B, C, P, L), in baseline rms
    positions: Tensor  # (B, C, 3), unit vectors
    keep_chans: Tensor  # (B, C) bool
    keep_steps: Tensor  # (B, S) bool
    keep_patches: Tensor  # (B, P) bool
    eye: Tensor | None = None  # (B, n_eye), z-scored; NaN in samples without an eye

    @classmethod
    def of(cls, inputs: Inputs) -> Batch:
        """Of arrays."""
        return cls(*(None if x is None else torch.from_numpy(x) for x in vars(inputs).values()))  # type: ignore[arg-type]

    def numpy(self) -> Inputs:
        """As arrays."""
        return Inputs(*(None if x is None else x.cpu().numpy() for x in vars(self).values()))  # type: ignore[arg-type]

    def to(self, device: torch.device) -> Batch:
        """The same on `device`."""
        return self._each(lambda x: x.to(device))

    @property
    def eye_seen(self) -> Tensor:
        """(B,) bool: there are eye features."""
        if self.eye is None:
            return torch.zeros(len(self.de), dtype=torch.bool, device=self.de.device)
        return self.eye.isfinite().all(1)

    def share(self, i: int, n: int) -> Batch:
        """The `i`-th of `n` equal shares."""
        return self._each(lambda x: x[i::n])

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        return Batch(*(None if x is None else change(x) for x in vars(self).values()))  # type: ignore[arg-type]


@dataclass
class ReaderOutput:
    """Output of a forward pass."""

    scores: dict[str, Tensor]  # readout -> (B, n_labels) logits
    attention: Tensor | None  # (B, C, K), sums to 1 over C; None in training
    gates: Tensor  # (B, 4): weights of raw, early DE, late DE and eye
    levels: Tensor  # (B, 4, D): the four levels, normalised; features of personal classifiers

    def numpy(self) -> Outputs:
        """Of a network that is not in training, as arrays."""
        assert self.attention is not None
        scores = {name: each.cpu().numpy() for name, each in self.scores.items()}
        return Outputs(scores, self.attention.cpu().numpy(), self.levels.cpu().numpy())


class RawEncoder(nn.Module):
    """Raw patches to tokens: (B, C, P, L) to (B, C·P, D). This part can be pre-trained.

    With `raw_token` ``"spectrum"``, tokens are (B, C, D): the spectrum of all patches of a channel (see `spectra`).
    """

    def __init__(self, c: ReaderConfig) -> None:
        super().__init__()
        self.spectra = FrameSpectra(c.patch_len) if c.raw_token == "spectrum" else None
        width = N_REFERENCES * N_BINS if self.spectra else c.patch_len
        self.embed = nn.Sequential(nn.Linear(width, 2 * c.raw_dim), nn.GELU(), nn.Linear(2 * c.raw_dim, c.raw_dim))
        self.n_patches = c.n_patches
        self.place = nn.Linear(12, c.raw_dim)
        n_times = 1 if self.spectra else c.n_patches
        self.time = nn.Parameter(torch.randn(n_times, c.raw_dim) * 0.5)  # with 0.02, learning starts late
        self.blocks = nn.ModuleList(
            TransformerBlock(c.raw_dim, c.heads, 2 * c.raw_dim, c.dropout) for _ in range(c.raw_depth)
        )
        self.norm = nn.LayerNorm(c.raw_dim)

    def tokens(self, patches: Tensor, positions: Tensor) -> Tensor:
        """One token per channel and patch, with its position and time: (B, C·P, D)."""
        x = self.embed(patches) + self.place(position_features(positions))[:, :, None] + self.time
        return x.flatten(1, 2)

    def window(
        self, patches: Tensor, positions: Tensor, keep_chans: Tensor, keep_patches: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The tokens (B, T, D) of a window, and which of them are there (B, T)."""
        if self.n_patches != patches.shape[2]:  # patches that are not a second long
            patches = patches.flatten(2).unflatten(2, (self.n_patches, -1))
            keep_patches = keep_patches.unflatten(1, (self.n_patches, -1)).all(2)
        if self.spectra is None:
            return self.tokens(patches, positions), (keep_chans[:, :, None] & keep_patches[:, None]).flatten(1)
        keep = keep_chans & keep_patches.any(1, keepdim=True)
        return self.tokens(self.spectra(patches, keep, keep_patches)[:, :, None], positions), keep

    def forward(self, tokens: Tensor, keep: Tensor) -> Tensor:
        """Tokens (B, T, D), keep (B, T) -> (B, T, D)."""
        for block in self.blocks:
            tokens = block(tokens, keep)
        return self.norm(tokens)


class BandTokens(nn.Module):
    """DE of any montage to tokens: (B, S, C, K) to (B, S, C, K, D).

    A token has its value in standard deviations of rest and the distance from rest in either direction, both also of
    the context's mean, and its position, time and band. Distance matters beside direction, because the effect of effort
    on a band differs in sign between subjects.
    """

    def __init__(self, c: ReaderConfig) -> None:
        super().__init__()
        width = c.n_bands * c.band_dim
        self.value = nn.Parameter(torch.randn(c.n_bands, 4, c.band_dim) * 0.3)
        self.place = nn.Linear(12, width)
        self.band = nn.Parameter(torch.randn(c.n_bands, c.band_dim) * 0.02)
        self.time = nn.Parameter(torch.randn(c.n_steps, 1, c.n_bands, c.band_dim) * 0.02)
        self.mix = nn.Sequential(nn.Linear(width, 96), nn.GELU(), nn.Linear(96, width))

    def forward(self, batch: Batch, steps: Tensor) -> Tensor:
        """Tokens of some `steps` (indices); the mean is over all that are there."""
        B, _, C, K = batch.de.shape
        there = batch.keep_steps[:, :, None, None].to(batch.de.dtype)
        mean = (batch.de * there).sum(1, keepdim=True) / there.sum(1, keepdim=True).clamp(min=1)
        z, mean = batch.de[:, steps], mean.expand(-1, len(steps), -1, -1)
        x = torch.einsum("bsckf,kfd->bsckd", torch.stack((z, z.abs(), mean, mean.abs()), -1), self.value)
        x = x + self.place(position_features(batch.positions)).view(B, 1, C, K, -1) + self.band + self.time[steps]
        return x + self.mix(x.flatten(3)).view_as(x)


class InterlinkedRound(nn.Module):
    """Spatial attention band by band, then temporal attention channel by channel over all bands."""

    def __init__(self, c: ReaderConfig) -> None:
        super().__init__()
        self.space = TransformerBlock(c.band_dim, c.space_heads, 2 * c.band_dim, c.dropout)
        self.time = TransformerBlock(c.n_bands * c.band_dim, c.time_heads, 96, c.dropout)

    def forward(self, x: Tensor, keep_chans: Tensor, keep_steps: Tensor) -> tuple[Tensor, Tensor | None]:
        """X (B, S, C, K, D) -> the same shape, and except in training the spatial attention.

        That is of each band, averaged over the steps that are there: (B, K, C, C) [2]_.
        """
        B, S, C, K, D = x.shape
        bands = x.permute(0, 1, 3, 2, 4).reshape(B * S * K, C, D)
        bands, share = self.space.with_weights(bands, keep_chans.repeat_interleave(S * K, 0), weights=not self.training)
        x = bands.view(B, S, K, C, D).permute(0, 3, 1, 2, 4).reshape(B * C, S, K * D)
        x = self.time(x, keep_steps.repeat_interleave(C, 0)).view(B, C, S, K, D).transpose(1, 2)
        if share is None:
            return x, None
        share = mean_over(share.view(B, S, K * C * C), keep_steps).view(B, K, C, C)
        return x, (share + torch.eye(C, device=x.device)) / 2  # half for the residual connection


class AttentivePool(nn.Module):
    """Weighted mean over channels in each band, averaged over the steps that are there."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm, self.score = nn.LayerNorm(dim), nn.Linear(dim, 1)

    def forward(self, x: Tensor, keep_chans: Tensor, keep_steps: Tensor) -> tuple[Tensor, Tensor]:
        """X (B, S, C, K, D) to pooled (B, K·D) and the share of each channel in each band (B, K, C)."""
        B, _, C, K, _ = x.shape
        score = self.score(self.norm(x))[..., 0].masked_fill(~keep_chans[:, None, :, None], -1e4)  # (B, S, C, K)
        share = score.softmax(2)
        pooled = mean_over(torch.einsum("bsck,bsckd->bskd", share, x).flatten(2), keep_steps)
        return pooled, mean_over(share.flatten(2), keep_steps).view(B, C, K).transpose(1, 2)


class GatedFusion(nn.Module):
    """Levels (B, M, D) to their weighted mean (B, D); absent levels have weight zero."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.gate = nn.Sequential(nn.Linear(dim, dim // 2), nn.Tanh(), nn.Linear(dim // 2, 1))

    def forward(self, levels: Tensor, keep: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Fused (B, D), gates (B, M), and the normalised levels (B, M, D)."""
        levels = self.norm(levels)
        gates = self.gate(levels)[..., 0].masked_fill(~keep, -1e4).softmax(-1)
        return (gates[..., None] * levels).sum(1), gates, levels


class MoodReader(nn.Module):
    """The whole network."""

    def __init__(self, config: ReaderConfig) -> None:
        super().__init__()
        c = self.config = config
        self.eye_trained = False  # whether any batch had eye features; until then that branch has its initial weights
        width = c.n_bands * c.band_dim
        self.raw = RawEncoder(c)
        self.raw_out = nn.Linear(2 * c.raw_dim, c.dim)
        self.tokens = BandTokens(c)
        self.rounds = nn.ModuleList(InterlinkedRound(c) for _ in range(c.rounds))
        self.pool = AttentivePool(c.band_dim)
        self.early, self.late = nn.Linear(width, c.dim), nn.Linear(width, c.dim)
        eye = nn.Sequential(nn.Linear(c.n_eye, c.dim), nn.GELU(), nn.Linear(c.dim, c.dim)) if c.n_eye else None
        self.eye = eye
        self.fuse = GatedFusion(c.dim)
        self.drop = nn.Dropout(c.head_dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(c.dim, n) for name, n in c.readouts.items()})

    def forward(self, batch: Batch, keep_levels: Tensor | None = None, steps: Tensor | None = None) -> ReaderOutput:
        """Score a batch.

        `keep_levels` (B, 4) are the levels to fuse; training hides some, so that each level suffices alone. `steps`
        (n,) are the steps to use, all by default; training uses some, which is faster and no worse.
        """
        if not self.config.positions:
            batch = replace(batch, positions=torch.zeros_like(batch.positions))
        chans = batch.keep_chans
        steps = torch.arange(batch.de.shape[1], device=batch.de.device) if steps is None else steps
        there = batch.keep_steps[:, steps]
        x = self.tokens(batch, steps)  # (B, S, C, K, D)
        early = mean_over(x.flatten(3).flatten(1, 2), (there[:, :, None] & chans[:, None]).flatten(1))
        flows = []
        for link in self.rounds:
            x, flow = link(x, chans, there)
            flows.append(flow)
        late, share = self.pool(x, chans, there)

        raw = self.raw_out(self._raw(batch, None if keep_levels is None else keep_levels[:, 0]))
        eye = torch.zeros_like(raw) if batch.eye is None or self.eye is None else self.eye(batch.eye.nan_to_num())
        levels = torch.stack((raw, self.early(early), self.late(late), eye), 1)  # (B, 4, D)
        keep = levels.new_ones(levels.shape[:2], dtype=torch.bool)
        keep[:, 3] = batch.eye_seen if self.eye is not None else False
        fused, gates, levels = self.fuse(levels, keep if keep_levels is None else keep & keep_levels)
        fused = self.drop(fused)
        attention = None
        if not self.training:
            for flow in reversed(flows):
                share = (share[:, :, None] @ flow)[:, :, 0]
            attention = share.transpose(1, 2)
        return ReaderOutput({name: head(fused) for name, head in self.heads.items()}, attention, gates, levels)

    def _raw(self, batch: Batch, wanted: Tensor | None) -> Tensor:
        """Mean and spread of raw tokens, (B, 2·raw_dim); zero for samples that are not `wanted`."""
        given = (batch.patches, batch.positions, batch.keep_chans, batch.keep_patches)
        if wanted is None:
            return self._pooled(*given)
        pooled = self._pooled(*(x[wanted] for x in given))
        return pooled.new_zeros(len(batch.de), pooled.shape[1]).index_put((wanted.nonzero()[:, 0],), pooled)

    def _pooled(self, *given: Tensor) -> Tensor:
        tokens, there = self.raw.window(*given)
        tokens = self.raw(tokens, there)
        mean = mean_over(tokens, there)
        spread = mean_over((tokens - mean[:, None]).square(), there)
        return torch.cat((mean, (spread + 1e-5).sqrt()), 1)
