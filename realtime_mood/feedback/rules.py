"""Reward rules: threshold, percentile and staircase, as a pure state machine on z-scores at a constant rate."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from .plan import Reward


@dataclass(frozen=True, slots=True)
class RewardDecision:
    """Result of a rule at one moment."""

    threshold: float
    above: bool
    reward: bool


class Rule:
    """An adaptive threshold, and the dwell time that earns a reward, at `rate_hz` moments per second."""

    def __init__(self, reward: Reward, rate_hz: float) -> None:
        self._reward, self._dt = reward, 1 / rate_hz
        self._sign = 1.0 if reward.direction == "up" else -1.0
        self._seen: deque[float] = deque(maxlen=round(reward.over_s * rate_hz))
        self._level = reward.z
        self._held_s, self._since_s, self._idle_s = 0.0, reward.pause_s, 0.0

    def step(self, z: float, valid: bool) -> RewardDecision:
        """Process one moment. An invalid one resets the dwell time, and does not count as a failure."""
        if not valid or not np.isfinite(z):
            self._held_s = 0.0
            return RewardDecision(self._sign * self._level, False, False)
        towards = self._sign * z
        self._since_s += self._dt
        self._idle_s += self._dt
        if self._reward.rule == "percentile":
            self._seen.append(towards)
            self._level = float(np.percentile(self._seen, self._reward.percent))
        above = towards > self._level
        self._held_s = self._held_s + self._dt if above else 0.0
        reward = above and self._held_s > self._reward.dwell_s and self._since_s > self._reward.pause_s
        if reward:
            self._held_s = self._since_s = 0.0
        if self._reward.rule == "staircase":
            self._move(reward)
        return RewardDecision(self._sign * self._level, above, reward)

    def _move(self, reward: bool) -> None:
        if reward:
            self._level += self._reward.step
            self._idle_s = 0.0
        elif self._idle_s > self._reward.patience_s:
            self._level -= self._reward.step
            self._idle_s = 0.0
