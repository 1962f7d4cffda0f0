"""What a feedback display shows at a moment: size, instruction, reward and remaining time."""

from __future__ import annotations

from dataclasses import dataclass

from ..health import Feedback
from ..language import _

GLOW_S = 0.5  # how long a reward is visible; two are never closer
FOLLOW_S = 0.08  # time constant of the display; short, because it adds to the delay
OLD_S = 1.0


@dataclass(frozen=True, slots=True)
class FeedbackFrame:
    """One frame of the display."""

    size: float  # 0 to 1: the size of the circle
    neutral: bool  # no feedback now; shown by dashes and a text, so that it is not taken for a low level
    glow: float  # 0 to 1: a reward that fades
    cue: str
    words: str
    rewards: str
    left: str
    virtual: bool


def shown(
    feedback: Feedback | None, before: FeedbackFrame | None, now: float, rewarded: float, dt: float
) -> FeedbackFrame:
    """The frame to paint at `now`, `dt` after the frame `before`; the last reward was at `rewarded` (s, our clock)."""
    if feedback is None:
        return FeedbackFrame(0.5, True, 0.0, "", _("Please wait – the signal is settling"), "", "", False)
    feeding = feedback.kind == "feedback"
    neutral = not (feeding and feedback.valid) or now - feedback.t > OLD_S
    target = 0.5 if neutral else feedback.level
    size = target if before is None else before.size + (target - before.size) * min(1.0, dt / FOLLOW_S)
    glow = 0.0 if neutral else max(0.0, 1 - (now - rewarded) / GLOW_S)
    words = _("Please wait – checking the signal") if feeding and neutral else ""
    minutes, seconds = divmod(round(feedback.left_s), 60)
    rewards = f"{feedback.rewards}" if feeding else ""
    return FeedbackFrame(
        size, neutral, glow, _(feedback.text), words, rewards, f"{minutes}:{seconds:02d}", feedback.virtual
    )
