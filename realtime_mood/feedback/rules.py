"""Turns a z-score into a threshold and rewards: pure state machines, told of time only by what they are given."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from .plan import Reward


@dataclass(frozen=True, slots=True)
class RewardDecision:
    """What a rule makes of one moment."""

    threshold: float
    above: bool
    reward: bool


class Rule:
    """A threshold that may move, and the holding that earns a reward. An invalid moment breaks the holding.

    Parameters
    ----------
    reward : Reward
    rate_hz : float
        Moments a second.
    """

    def __init__(self, reward: Reward, rate_hz: float) -> None:
        self._it, self._dt = reward, 1 / rate_hz
        self._sign = 1.0 if reward.direction == "up" else -1.0
        self._seen: deque[float] = deque(maxlen=round(reward.over_s * rate_hz))
        self._level = reward.z
        self._held_s = self._since_s = self._idle_s = 0.0
        self._since_s = reward.pause_s

    def step(self, z: float, valid: bool) -> RewardDecision:
        """One moment. Nothing invalid is ever rewarded, nor does it count as a failure."""
        if not valid or not np.isfinite(z):
            self._held_s = 0.0
            return RewardDecision(self._sign * self._level, False, False)
        towards = self._sign * z
        self._since_s += self._dt
        self._idle_s += self._dt
        if self._it.rule == "percentile":
            self._seen.append(towards)
            self._level = float(np.percentile(self._seen, self._it.percent))
        above = towards > self._level
        self._held_s = self._held_s + self._dt if above else 0.0
        reward = above and self._held_s > self._it.dwell_s and self._since_s > self._it.pause_s
        if reward:
            self._held_s = self._since_s = 0.0
        if self._it.rule == "staircase":
            self._move(reward)
        return RewardDecision(self._sign * self._level, above, reward)

    def _move(self, reward: bool) -> None:
        if reward:
            self._level += self._it.step
            self._idle_s = 0.0
        elif self._idle_s > self._it.patience_s:
            self._level -= self._it.step
            self._idle_s = 0.0
