"""Layers of the network for any kind of tokens. ``keep`` masks are True for what is present."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def position_features(positions: Tensor) -> Tensor:
    """Sines and cosines of one and two times the coordinates: (…, 3) to (…, 12)."""
    angles = torch.cat((positions, 2 * positions), dim=-1)
    return torch.cat((angles.sin(), angles.cos()), dim=-1)


def mean_over(x: Tensor, keep: Tensor) -> Tensor:
    """Mean of x (B, N, D) over the N where `keep` (B, N); zero where there are none."""
    weight = keep.to(x.dtype)[..., None]
    return (x * weight).sum(1) / weight.sum(1).clamp(min=1)


class Attention(nn.Module):
    """Multi-head self-attention with masked keys."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def _split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind()
        return q, k, v  # each (N, H, T, D/H)

    @staticmethod
    def _bias(keep: Tensor, like: Tensor) -> Tensor:
        return torch.zeros_like(keep, dtype=like.dtype).masked_fill(~keep, -1e4)[:, None, None]  # (N, 1, 1, T)

    def forward(self, x: Tensor, keep: Tensor, *, weights: bool = False) -> tuple[Tensor, Tensor | None]:
        """X (N, T, D), keep (N, T) -> (N, T, D), and where asked for the weights.

        These are averaged over heads: (N, T queries, T keys), with the sum 1 over keys.
        """
        q, k, v = self._split(x)
        bias = self._bias(keep, x)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        share = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + bias).softmax(-1).mean(1) if weights else None
        return self.out(y.transpose(1, 2).reshape(x.shape)), share


class TransformerBlock(nn.Module):
    """A pre-norm transformer layer."""

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.attend, self.norm2 = nn.LayerNorm(dim), Attention(dim, heads), nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, keep: Tensor) -> Tensor:
        """X (N, T, D), keep (N, T) -> (N, T, D)."""
        return self.with_weights(x, keep, weights=False)[0]

    def with_weights(self, x: Tensor, keep: Tensor, *, weights: bool = True) -> tuple[Tensor, Tensor | None]:
        """The same, and the weights of the attention (N, T, T)."""
        y, share = self.attend(self.norm1(x), keep, weights=weights)
        x = x + self.drop(y)
        return x + self.drop(self.mlp(self.norm2(x))), share
