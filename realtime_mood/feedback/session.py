"""State of a feedback session: blocks in stream time, the baseline, and the feedback at each moment.

A pure state machine of samples and readings, without clock, thread or screen, so a recorded session can be replayed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..body.measure import BodyReading
from ..contracts import Condition
from .measures import RATE_HZ, Sample
from .plan import READOUT, Block, FeedbackPlan, Measure
from .rules import Rule

LEAST_BASELINE_S = 10.0  # least valid signal for a baseline
SHOWN_SD = 2.5  # z-score at the ends of the display


@dataclass(frozen=True, slots=True)
class FeedbackSample:
    """Feedback at one moment."""

    index: int  # end of the data that were used (sample)
    block: int  # index of the block, from 0
    kind: str
    z: float  # the subject's own z-score; NaN where it is invalid or there is no baseline yet
    shown: float  # the z-score that is fed back; NaN where there is no feedback
    level: float  # 0 to 1, for a bar or a circle; 0.5 (neutral) where there is no feedback
    threshold: float
    reward: bool
    why: str  # why there is no feedback; empty when there is

    @property
    def valid(self) -> bool:
        return not self.why


class Baseline:
    """Mean and standard deviation of the measures over the valid moments of the baseline, updated online [1]_.

    References
    ----------
    .. [1] Welford, B. P. (1962). Note on a method for calculating corrected sums of squares and products.
       Technometrics 4(3), 419-420.
    """

    def __init__(self, n_measures: int) -> None:
        self._n, self._mean, self._squares = 0, np.zeros(n_measures), np.zeros(n_measures)

    def add(self, values: tuple[float, ...]) -> None:
        if all(map(math.isfinite, values)):
            self._n += 1
            off = np.array(values) - self._mean
            self._mean = self._mean + off / self._n
            self._squares = self._squares + off * (np.array(values) - self._mean)

    @property
    def seconds(self) -> float:
        return self._n / RATE_HZ

    def z(self, values: tuple[float, ...]) -> np.ndarray:
        """Z-score of each value."""
        return (np.array(values) - self._mean) / np.maximum(np.sqrt(self._squares / self._n), 1e-6)


class FeedbackSession:
    """A session of a plan.

    `on_event` is called with the text and the sample of each event: blocks that begin and end, rewards.
    """

    def __init__(
        self,
        plan: FeedbackPlan,
        sfreq: float,
        condition: Condition,
        on_event: Callable[[str, int], object] = lambda *_: None,
    ) -> None:
        self.plan, self._sfreq, self._condition, self._on_event = plan, sfreq, condition, on_event
        self._weights = np.array([measure.weight for measure in plan.measures])
        self._slow: dict[str, tuple[float, str]] = {}
        self._body: dict[str, tuple[float, str]] = {}
        self._baseline, self._rule = Baseline(len(plan.measures)), Rule(plan.reward, RATE_HZ)
        self._block, self._began = 0, -1
        self.rewards = self.invalid = self.fed = 0
        """Numbers of rewards, of moments without valid feedback, and of moments with feedback."""
        self.is_over = False

    @property
    def block(self) -> Block:
        return self.plan.blocks[min(self._block, len(self.plan.blocks) - 1)]

    @property
    def fed_s(self) -> float:
        """Seconds with feedback."""
        return self.fed / RATE_HZ

    @property
    def invalid_s(self) -> float:
        """Seconds of feedback blocks without valid feedback."""
        return self.invalid / RATE_HZ

    def elapsed_s(self, index: int) -> float:
        """Elapsed time of the block at sample `index` (s)."""
        return max(0.0, (index - self._began) / self._sfreq) if self._began >= 0 else 0.0

    def use_reading(self, values: dict[str, float], why: str) -> None:
        """Keep the newest reading of the network: values by name, and why there is no estimate."""
        self._slow = {name: (value, why) for name, value in values.items()}

    def use_body(self, reading: BodyReading) -> None:
        """Keep the newest measures of the body."""
        self._body = {it.name: (it.number, it.why) for it in reading.measures}

    def step(self, sample: Sample) -> FeedbackSample | None:
        """Feedback for one sample; None once the session is over."""
        self._move(sample.index)
        if self.is_over:
            return None
        values, why = self._values(sample)
        kind = self.block.kind
        if kind == "baseline" and not why:
            self._baseline.add(values)
        if not why and self._baseline.seconds < LEAST_BASELINE_S:
            why = "no baseline yet"
        z = math.nan if why else float(self._weights @ self._baseline.z(values) / np.abs(self._weights).sum())
        at = sample.index, self._block, kind, z
        if kind != "feedback":
            return FeedbackSample(*at, math.nan, 0.5, math.nan, False, why or "no feedback")
        shown = math.nan if why else self._condition(z)
        if not why and not math.isfinite(shown):
            why = "no feedback"
        decision = self._rule.step(shown, valid=not why)
        self.invalid, self.fed = self.invalid + bool(why), self.fed + (not why)
        if decision.reward:
            self.rewards += 1
            self._on_event("reward", sample.index)
        sign = 1 if self.plan.reward.direction == "up" else -1
        level = 0.5 if why else float(np.clip(0.5 + sign * shown / (2 * SHOWN_SD), 0, 1))
        return FeedbackSample(*at, shown, level, decision.threshold, decision.reward, why)

    def _values(self, sample: Sample) -> tuple[tuple[float, ...], str]:
        """Fast and slow measures in the order of the plan, and why some are missing."""
        fast, values, why = iter(sample.values), [], sample.why
        for measure in self.plan.measures:
            if measure.is_fast:
                values.append(next(fast))
                continue
            value, reason = self._slow_value(measure)
            values.append(value)
            if reason or not math.isfinite(value):
                why = why or reason or "no estimate"
        return tuple(values), why

    def _slow_value(self, measure: Measure) -> tuple[float, str]:
        """The newest value of the network or of the body, and why there is none."""
        if measure.kind == READOUT:
            names = measure.label, f"p_{measure.label}"
            return next((self._slow[name] for name in names if name in self._slow), (math.nan, "no reading yet"))
        value, why = self._body.get(measure.kind, (math.nan, "no stream gives it"))
        return value, f"{measure.kind.replace('_', ' ')}: {why}" if why else ""

    def _move(self, index: int) -> None:
        """Go to the block of this sample; a baseline lasts until it has enough valid signal."""
        if self._began < 0:
            self._enter(index)
        while not self.is_over and index - self._began > self.block.seconds * self._sfreq:
            if self.block.kind == "baseline" and self._baseline.seconds < LEAST_BASELINE_S:
                return
            self._on_event(f"feedback/{self._block}/end", index)
            self._block += 1
            if self._block == len(self.plan.blocks):
                self.is_over = True
            else:
                self._enter(index)

    def _enter(self, index: int) -> None:
        self._began = index
        self._on_event(f"feedback/{self._block}/begin/{self.block.kind}", index)
