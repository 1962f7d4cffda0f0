"""Hyperparameters of pre-training."""

from __future__ import annotations

import math
from dataclasses import dataclass

from realtime_mood.errors import ConfigError
from realtime_mood.models.masking import GEOMETRIES
from realtime_mood.models.reader import ReaderConfig


@dataclass(frozen=True)
class PretrainingRecipe:
    """Hyperparameters of a run: shape of the encoder, schedule and loss."""

    raw_dim: int = 160
    raw_depth: int = 6
    heads: int = 4
    decoder_dim: int = 64
    geometry: str = "random"
    spectrum: float = 0.2  # weight of the bands' power in the loss
    batch: int = 64
    lr: float = 1e-3
    warmup: float = 0.04  # share of the run
    weight_decay: float = 0.05
    clip: float = 1.0
    held_out: float = 0.08  # share of the subjects
    seed: int = 0
    steps: int = 10_000
    minutes: float | None = None  # the schedule follows the one of the two budgets that ends first
    every: int = 200  # steps between validations, and between checkpoints
    patience: int = 20  # validations without improvement after which it stops

    BUDGET = ("steps", "minutes", "every", "patience")  # may differ when a run is resumed

    def check(self) -> None:
        """Raise `ConfigError` for an impossible value."""
        for name, valid, do in (
            ("raw_dim", self.raw_dim % self.heads == 0, f"a multiple of {self.heads}, the heads"),
            ("decoder_dim", self.decoder_dim % 4 == 0, "a multiple of 4, its heads"),
            ("geometry", self.geometry in GEOMETRIES, f"one of {', '.join(GEOMETRIES)}"),
            ("steps", self.steps > 0, "at least 1"),
            ("lr", 0 < self.lr < math.inf, "more than 0"),
            ("batch", self.batch >= 2, "at least 2"),
            ("held_out", 0 < self.held_out < 1, "between 0 and 1"),
        ):
            if not valid:
                raise ConfigError(f"{name} {getattr(self, name)}", "not possible", f"give {do}")

    def reader(self) -> ReaderConfig:
        """The configuration the encoder belongs to."""
        return ReaderConfig(raw_dim=self.raw_dim, raw_depth=self.raw_depth, heads=self.heads, dropout=0.0)

    def rate(self, share: float) -> float:
        """The learning rate after a `share` of the budget: a linear warm-up, then a cosine down to a hundredth."""
        if share < self.warmup:
            return self.lr * share / self.warmup
        down = 0.5 * (1 + math.cos(math.pi * min(1.0, (share - self.warmup) / (1 - self.warmup))))
        return self.lr * (0.01 + 0.99 * down)
