"""Feedback conditions of a study: contingent, inverse, sham, yoked or none. Each maps a z-score to the one fed back."""

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


def contingent(z: float) -> float:
    """Feedback of the subject's own z-score."""
    return z


class Sham:
    """Sham feedback: first-order autoregressive noise of unit variance with the same smoothing as the measure."""

    def __init__(self, smoothing_s: float, rate_hz: float, seed: int) -> None:
        self._keep = math.exp(-1 / (max(smoothing_s, 1.0) * rate_hz))
        self._rng = np.random.default_rng(seed)
        self._z = float(self._rng.normal())

    def __call__(self, z: float) -> float:
        self._z = self._keep * self._z + math.sqrt(1 - self._keep**2) * float(self._rng.normal())
        return self._z


class Yoked:
    """Yoked feedback: the z-scores that were fed back in another session, repeated from its beginning at its end."""

    def __init__(self, series: Sequence[float]) -> None:
        self._series, self._k = [value for value in series if math.isfinite(value)], 0
        if not self._series:
            raise ConfigError("a session to yoke to", "it holds no feedback", "use another session")

    def __call__(self, z: float) -> float:
        value = self._series[self._k % len(self._series)]
        self._k += 1
        return value


class Blinded:
    """A condition whose name must not be revealed, not even in the log of an error."""

    def __init__(self, sealed: Condition) -> None:
        self._sealed = sealed

    def __call__(self, z: float) -> float:
        try:
            return self._sealed(z)
        except Exception:
            raise RuntimeError("the condition of a blinded session failed") from None


def condition(name: str, *, smoothing_s: float, rate_hz: float, seed: int, yoke: Path | None = None) -> Condition:
    """Create a condition by name; `ConfigError` if it is unknown, or there is no session to yoke to."""
    if name == "yoked":
        return yoked_to(yoke, "the condition yoked")
    made: dict[str, Condition] = {
        "contingent": contingent, "inverse": lambda z: -z, "none": lambda z: math.nan,
        "sham": Sham(smoothing_s, rate_hz, seed),
    }  # fmt: skip
    if name not in made:
        raise ConfigError(f"condition {name!r}", "unknown", f"known are {', '.join(NAMES)}")
    return made[name]


def yoked_to(path: Path | None, asked: str) -> Yoked:
    """Feedback from the record of another session; raises `ConfigError` where that cannot be used."""
    if path is None:
        raise ConfigError(asked, "no session to yoke to", "give one with --yoke FILE.jsonl")
    return Yoked(shown_in(path))


def shown_in(path: Path) -> list[float]:
    """The z-scores that were fed back in a session, from its JSON lines; `ConfigError` if the file has none."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        return [float(line["shown"]) for line in lines if line.get("kind") == "feedback" and line["shown"] is not None]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        asked = f"a session to yoke to: {path}"
        raise ConfigError(asked, f"cannot be used: {error}", "use the .jsonl file that --lines wrote") from None
