"""Turns a person's z-score into the one that is fed back: their own, or what a study compares it with."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from ..contracts import Condition
from ..errors import ConfigError

Name = Literal["contingent", "inverse", "sham", "yoked", "none"]
NAMES: tuple[str, ...] = get_args(Name)


class Contingent:
    """Their own."""

    def __call__(self, z: float) -> float:
        return z


class Inverse:
    """Their own, the other way round."""

    def __call__(self, z: float) -> float:
        return -z


class Silent:
    """No feedback."""

    def __call__(self, z: float) -> float:
        return math.nan


class Sham:
    """Noise that wanders like a z-score: a first-order process of the same smoothing and unit variance.

    Parameters
    ----------
    smoothing_s : float
    rate_hz : float
    seed : int
    """

    def __init__(self, smoothing_s: float, rate_hz: float, seed: int) -> None:
        self._keep = math.exp(-1 / (max(smoothing_s, 1.0) * rate_hz))
        self._rng = np.random.default_rng(seed)
        self._z = float(self._rng.normal())

    def __call__(self, z: float) -> float:
        self._z = self._keep * self._z + math.sqrt(1 - self._keep**2) * float(self._rng.normal())
        return self._z


class Yoked:
    """What somebody else was fed back, from a session of theirs; from its beginning again when it is over."""

    def __init__(self, series: Sequence[float]) -> None:
        self._series, self._k = [value for value in series if math.isfinite(value)], 0
        if not self._series:
            raise ConfigError("a session to yoke to", "nothing was fed back in it", "choose another one")

    def __call__(self, z: float) -> float:
        value = self._series[self._k % len(self._series)]
        self._k += 1
        return value


class Blinded:
    """A condition whose name must not show, not even in a log of its failure."""

    def __init__(self, sealed: Condition) -> None:
        self._sealed = sealed

    def __call__(self, z: float) -> float:
        try:
            return self._sealed(z)
        except Exception:
            raise RuntimeError("the condition of a blinded session failed") from None


def condition(name: str, *, smoothing_s: float, rate_hz: float, seed: int, yoke: Path | None = None) -> Condition:
    """The condition of that name.

    Raises
    ------
    ConfigError
        There is none of that name, or nothing to yoke to.
    """
    if name == "yoked":
        return yoked_to(yoke, "the condition yoked")
    made: dict[str, Condition] = {
        "contingent": Contingent(), "inverse": Inverse(), "none": Silent(), "sham": Sham(smoothing_s, rate_hz, seed),
    }  # fmt: skip
    if name not in made:
        raise ConfigError(f"condition {name!r}", "unknown", f"known are {', '.join(NAMES)}")
    return made[name]


def yoked_to(path: Path | None, asked: str) -> Yoked:
    """Feedback from the lines of another session; raises `ConfigError` when there is none, or none in it."""
    if path is None:
        raise ConfigError(asked, "no session to yoke to", "give one with --yoke FILE.jsonl")
    return Yoked(shown_in(path))


def shown_in(path: Path) -> list[float]:
    """What was fed back in a session, from its JSON lines.

    Raises
    ------
    ConfigError
        The file cannot be read as such.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        return [float(line["shown"]) for line in lines if line.get("kind") == "feedback" and line["shown"] is not None]
    except (OSError, ValueError, KeyError, TypeError) as error:
        asked = f"a session to yoke to: {path}"
        raise ConfigError(asked, f"cannot be used: {error}", "give a session's lines") from None
