"""Turns what is fed back into what a person sees of it: a size, words, and whether there is anything. No toolkit."""

from __future__ import annotations

from dataclasses import dataclass

from ..health import Feedback

GLOW_S = 0.5  # how long a reward can be seen; two are never closer than that
FOLLOW_S = 0.08  # time constant of the eye's glide to where the level is: it adds to the delay, so it is short
OLD_S = 1.0


@dataclass(frozen=True, slots=True)
class FeedbackFrame:
    """What is on the screen."""

    size: float
    """0 to 1, of the circle."""
    neutral: bool
    """Nothing is fed back: told apart from failure by its dashes and its words."""
    glow: float
    """0 to 1: a reward that fades."""
    cue: str
    words: str
    rewards: str
    left: str
    virtual: bool


def shown(it: Feedback | None, before: FeedbackFrame | None, now: float, rewarded: float, dt: float) -> FeedbackFrame:
    """What to paint at `now` (s).

    Parameters
    ----------
    it : Feedback, optional
    before : FeedbackFrame, optional
        What was painted last, from which the size glides.
    now : float
    rewarded : float
        When the last reward came.
    dt : float
        Since what was painted last (s).
    """
    if it is None:
        return FeedbackFrame(0.5, True, 0.0, "", "One moment: the signal is settling", "", "", False)
    feeding = it.kind == "feedback"
    neutral = not (feeding and it.valid) or now - it.t > OLD_S
    target = 0.5 if neutral else it.level
    size = target if before is None else before.size + (target - before.size) * min(1.0, dt / FOLLOW_S)
    glow = max(0.0, 1 - (now - rewarded) / GLOW_S) if feeding and not neutral else 0.0
    words = "One moment: the signal is being seen to" if feeding and neutral else ""
    minutes, seconds = divmod(round(it.left_s), 60)
    rewards = f"{it.rewards}" if feeding else ""
    return FeedbackFrame(size, neutral, glow, it.text, words, rewards, f"{minutes}:{seconds:02d}", it.virtual)
