"""Turns DE sequences, raw patches and eye features of any montage into class scores and spatial attention.

The network of [1]_, generalised: tokens are per channel and carry their electrode's position, so one set of weights
serves any montage. Nothing here knows where its inputs come from.

* `RawEncoder`: raw patches, one token per channel and patch, a plain transformer.
* `InterlinkedRound`: spatial attention within each band, then temporal attention across bands, over DE tokens.
* `GatedFusion`: raw, early DE, late DE and eye features, weighed per sample.

Dimensions: B batch, S steps, C channels, K bands, P patches, L patch samples, D width of a token.
``keep`` masks are True where something is there to be looked at.

References
----------
.. [1] Dong, Chen, Shen, Ng, Qian, Wang (2024), "Multi-modal Mood Reader: Pre-trained Model Empowers Cross-Subject
   Emotion Recognition", arXiv:2405.19373.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class ReaderConfig:
    """Everything that fixes the shape of the network."""

    patch_len: int = 128
    n_patches: int = 4
    n_steps: int = 10
    n_bands: int = 5
    n_eye: int = 33
    readouts: dict[str, int] = field(default_factory=lambda: {"effort": 2, "emotion3": 3})
    dim: int = 64  # width of everything that is fused
    band_dim: int = 16  # width of a DE token of one band
    heads: int = 4  # of the raw branch
    space_heads: int = 4  # within a band; bands are heads of a kind already
    time_heads: int = 4
    raw_dim: int = 64  # width of a raw token
    raw_depth: int = 2
    rounds: int = 2
    dropout: float = 0.3
    head_dropout: float = 0.5


@dataclass
class Batch:
    """Inputs of one forward pass; every tensor starts with B."""

    de: Tensor  # (B, S, C, K), z-scored
    patches: Tensor  # (B, C, P, L), in baseline rms
    positions: Tensor  # (B, C, 3), unit vectors
    keep_chans: Tensor  # (B, C) bool
    keep_steps: Tensor  # (B, S) bool
    keep_patches: Tensor  # (B, P) bool
    eye: Tensor | None = None  # (B, n_eye)

    def to(self, device: torch.device) -> Batch:
        """The same on `device`."""
        return Batch(*(None if x is None else x.to(device) for x in vars(self).values()))  # type: ignore[arg-type]


@dataclass
class Output:
    """What a forward pass gives."""

    scores: dict[str, Tensor]  # readout -> (B, n_labels) logits
    attention: Tensor | None  # (B, C, K), sums to 1 over C; None while training, where nobody looks at it
    gates: Tensor  # (B, 4): how much raw, early DE, late DE and eye weighed


def position_features(positions: Tensor) -> Tensor:
    """Sines and cosines of one and two times the coordinates: (…, 3) to (…, 12)."""
    angles = torch.cat((positions, 2 * positions), dim=-1)
    return torch.cat((angles.sin(), angles.cos()), dim=-1)


def mean_over(x: Tensor, keep: Tensor) -> Tensor:
    """Mean of x (B, N, D) over the N that `keep` (B, N) marks; zero where it marks none."""
    weight = keep.to(x.dtype)[..., None]
    return (x * weight).sum(1) / weight.sum(1).clamp(min=1)


class Attention(nn.Module):
    """Multi-head self-attention that never looks at masked keys."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def _split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        N, T, D = x.shape
        q, k, v = self.qkv(x).view(N, T, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4)
        return q, k, v  # each (N, H, T, D/H)

    @staticmethod
    def _bias(keep: Tensor, like: Tensor) -> Tensor:
        return torch.zeros_like(keep, dtype=like.dtype).masked_fill(~keep, -1e4)[:, None, None]  # (N, 1, 1, T)

    def forward(self, x: Tensor, keep: Tensor) -> Tensor:
        """X (N, T, D), keep (N, T) -> (N, T, D)."""
        q, k, v = self._split(x)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=self._bias(keep, x))
        return self.out(y.transpose(1, 2).reshape(x.shape))

    def weights(self, x: Tensor, keep: Tensor) -> Tensor:
        """How much each key received, averaged over heads and the queries that are there: (N, T), sums to 1."""
        q, k, _ = self._split(x)
        share = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5 + self._bias(keep, x)).softmax(-1).mean(1)  # (N, T, T)
        return mean_over(share, keep)


class Block(nn.Module):
    """A pre-norm transformer layer."""

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.attend = nn.LayerNorm(dim), Attention(dim, heads)
        self.norm2, self.mlp = (
            nn.LayerNorm(dim),
            nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim)),
        )
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, keep: Tensor) -> Tensor:
        """X (N, T, D), keep (N, T) -> (N, T, D)."""
        x = x + self.drop(self.attend(self.norm1(x), keep))
        return x + self.drop(self.mlp(self.norm2(x)))


class RawEncoder(nn.Module):
    """Raw patches to tokens: (B, C, P, L) to (B, C·P, D). The part that masked pre-training owns."""

    def __init__(self, c: ReaderConfig) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(c.patch_len, 2 * c.raw_dim), nn.GELU(), nn.Linear(2 * c.raw_dim, c.raw_dim))
        self.place = nn.Linear(12, c.raw_dim)
        self.time = nn.Parameter(torch.randn(c.n_patches, c.raw_dim) * 0.02)
        self.blocks = nn.ModuleList(Block(c.raw_dim, c.heads, 2 * c.raw_dim, c.dropout) for _ in range(c.raw_depth))
        self.norm = nn.LayerNorm(c.raw_dim)

    def tokens(self, patches: Tensor, positions: Tensor) -> Tensor:
        """One token per channel and patch, knowing where and when it is: (B, C·P, D)."""
        x = self.embed(patches) + self.place(position_features(positions))[:, :, None] + self.time
        return x.flatten(1, 2)

    def forward(self, tokens: Tensor, keep: Tensor) -> Tensor:
        """Tokens that have seen each other: (B, T, D), keep (B, T)."""
        for block in self.blocks:
            tokens = block(tokens, keep)
        return self.norm(tokens)


class InterlinkedRound(nn.Module):
    """Spatial attention band by band, then temporal attention channel by channel over all bands."""

    def __init__(self, c: ReaderConfig) -> None:
        super().__init__()
        self.space = Block(c.band_dim, c.space_heads, 2 * c.band_dim, c.dropout)
        self.time = Block(c.n_bands * c.band_dim, c.time_heads, 96, c.dropout)

    def forward(self, x: Tensor, keep_chans: Tensor, keep_steps: Tensor) -> Tensor:
        """X (B, S, C, K, D) -> the same shape."""
        B, S, C, K, D = x.shape
        bands = x.permute(0, 1, 3, 2, 4).reshape(B * S * K, C, D)
        bands = self.space(bands, keep_chans.repeat_interleave(S * K, 0))
        x = bands.view(B, S, K, C, D).permute(0, 3, 1, 2, 4).reshape(B * C, S, K * D)
        x = self.time(x, keep_steps.repeat_interleave(C, 0))
        return x.view(B, C, S, K, D).transpose(1, 2)

    def attention(self, x: Tensor, keep_chans: Tensor, keep_steps: Tensor) -> Tensor:
        """Share of spatial attention each channel receives in each band, over the steps that are there: (B, C, K)."""
        B, S, C, K, D = x.shape
        bands = x.permute(0, 3, 1, 2, 4).reshape(B * K * S, C, D)
        share = self.space.attend.weights(self.space.norm1(bands), keep_chans.repeat_interleave(K * S, 0))
        share = mean_over(share.view(B * K, S, C), keep_steps.repeat_interleave(K, 0))
        return share.view(B, K, C).transpose(1, 2)


class GatedFusion(nn.Module):
    """Levels (B, M, D) to one vector, each level weighed by how telling it looks; absent levels weigh nothing."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.gate = nn.Sequential(nn.Linear(dim, dim // 2), nn.Tanh(), nn.Linear(dim // 2, 1))

    def forward(self, levels: Tensor, keep: Tensor) -> tuple[Tensor, Tensor]:
        """Fused (B, D) and gates (B, M)."""
        levels = self.norm(levels)
        gates = self.gate(levels)[..., 0].masked_fill(~keep, -1e4).softmax(-1)
        return (gates[..., None] * levels).sum(1), gates


class MoodReader(nn.Module):
    """The whole network."""

    def __init__(self, config: ReaderConfig) -> None:
        super().__init__()
        c = self.config = config
        width = c.n_bands * c.band_dim
        self.raw = RawEncoder(c)
        self.raw_out = nn.Linear(c.raw_dim, c.dim) if c.raw_dim != c.dim else nn.Identity()
        self.de_embed = nn.Parameter(torch.randn(c.n_bands, c.band_dim) * 0.5)
        self.de_place = nn.Linear(12, width)
        self.de_band = nn.Parameter(torch.randn(c.n_bands, c.band_dim) * 0.02)
        self.de_time = nn.Parameter(torch.randn(c.n_steps, 1, c.n_bands, c.band_dim) * 0.02)
        self.rounds = nn.ModuleList(InterlinkedRound(c) for _ in range(c.rounds))
        self.early, self.late = nn.Linear(width, c.dim), nn.Linear(width, c.dim)
        self.eye = nn.Sequential(nn.Linear(c.n_eye, c.dim), nn.GELU(), nn.Linear(c.dim, c.dim))
        self.fuse = GatedFusion(c.dim)
        self.drop = nn.Dropout(c.head_dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(c.dim, n) for name, n in c.readouts.items()})

    def forward(self, batch: Batch, keep_levels: Tensor | None = None) -> Output:
        """Score a batch. `keep_levels` (B, 4) hides levels, so that training teaches each to stand alone."""
        B, _, C, _ = batch.de.shape
        tokens = (batch.keep_chans[:, :, None] & batch.keep_patches[:, None]).flatten(1)  # (B, C·P)
        raw = self.raw_out(mean_over(self.raw(self.raw.tokens(batch.patches, batch.positions), tokens), tokens))

        place = self.de_place(position_features(batch.positions)).view(B, 1, C, *self.de_band.shape)
        x = batch.de[..., None] * self.de_embed + place + self.de_band + self.de_time  # (B, S, C, K, D)
        grid = (batch.keep_steps[:, :, None] & batch.keep_chans[:, None]).flatten(1)  # (B, S·C)
        pooled, attention = [], None
        for i, link in enumerate(self.rounds):
            if i == len(self.rounds) - 1 and not self.training:
                attention = link.attention(x, batch.keep_chans, batch.keep_steps)  # type: ignore[operator]
            x = link(x, batch.keep_chans, batch.keep_steps)
            pooled.append(mean_over(x.flatten(3).flatten(1, 2), grid))

        eye = torch.zeros_like(raw) if batch.eye is None else self.eye(batch.eye)
        levels = torch.stack((raw, self.early(pooled[0]), self.late(pooled[-1]), eye), 1)  # (B, 4, D)
        keep = levels.new_ones(levels.shape[:2], dtype=torch.bool)
        keep[:, 3] = batch.eye is not None
        fused, gates = self.fuse(levels, keep if keep_levels is None else keep & keep_levels)
        fused = self.drop(fused)
        return Output({name: head(fused) for name, head in self.heads.items()}, attention, gates)
