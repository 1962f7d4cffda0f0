"""The methods that `evaluate` compares, by their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..inputs import RawToken
from ..reader import ReaderConfig
from .baselines import Classical, Majority, Method, names_asked
from .eegnet import EEGNetMethod
from .mood_reader import ReaderMethod
from .riemannian import Riemannian


def methods_of(asked: str, steps: Sequence[int], encoder: Path | None, raw_token: RawToken = "patch") -> list[Method]:
    """The methods of ``"lr,reader"`` or ``"all"``."""
    reader = ReaderMethod(config=ReaderConfig(raw_token=raw_token), steps=steps, encoder=encoder)
    classical = map(Classical, ("distance", "lr", "lda", "svm"))
    known: list[Method] = [Majority(), *classical, Riemannian(), EEGNetMethod(), reader]
    by_name = {m.name: m for m in known}
    return [by_name[name] for name in names_asked(asked, list(by_name))]
