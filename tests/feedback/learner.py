"""A simulated subject that learns: its alpha wanders, and drifts towards whatever was rewarded."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, sosfilt

from realtime_mood.feedback.conditions import condition
from realtime_mood.feedback.measures import RATE_HZ, FastMeasures
from realtime_mood.feedback.plan import FeedbackPlan
from realtime_mood.feedback.session import FeedbackSample, FeedbackSession
from realtime_mood.types import Chunk, StreamInfo

INFO = StreamInfo(("P3", "P4", "O1", "O2"), 128.0, "learner", virtual=True)
CHUNK_S = 0.125


class Learner:
    """Alpha of amplitude exp(state + wandering); a reward pulls the state to where the wandering was just then."""

    def __init__(self, seed: int, rate: float = 0.12) -> None:
        self.state, self._rate = 0.0, rate
        self._rng = np.random.default_rng(seed)
        self._sos = butter(2, (8, 14), "bandpass", fs=INFO.sfreq, output="sos")
        self._filter = np.zeros((len(self._sos), 2, INFO.n_chans))
        self._wander = 0.0
        self._lately = 0.0
        self._end = 0

    def chunk(self) -> Chunk:
        """Their next eighth of a second."""
        n = round(CHUNK_S * INFO.sfreq)
        keep = np.exp(-CHUNK_S / 1.5)
        self._wander = keep * self._wander + np.sqrt(1 - keep**2) * 0.5 * self._rng.normal()
        self._lately += 0.3 * (self._wander - self._lately)  # what they can tell of it at the time of a reward
        alpha, self._filter = sosfilt(self._sos, self._rng.normal(0, 20, (n, INFO.n_chans)), axis=0, zi=self._filter)
        data = np.exp(self.state + self._wander) * alpha + self._rng.normal(0, 4, (n, INFO.n_chans))
        self._end += n
        return Chunk(data.astype(np.float32), self._end - n, self._end / INFO.sfreq)

    def feel(self, fed: FeedbackSample | None) -> None:
        """A reward pulls them towards what they were doing."""
        if fed is not None and fed.reward:
            self.state = float(np.clip(self.state + self._rate * self._lately, -1.5, 1.5))


def learn(plan: FeedbackPlan, name: str, seed: int) -> tuple[float, FeedbackSession]:
    """Where a learner's state ends under a condition, and the session."""
    learner, measures = Learner(seed), FastMeasures(plan.measures, INFO, ())
    session = FeedbackSession(plan, INFO.sfreq, condition(name, smoothing_s=0.5, rate_hz=RATE_HZ, seed=seed))
    while not session.is_over:
        for sample in measures.push(learner.chunk()):
            learner.feel(session.step(sample))
    return learner.state, session
