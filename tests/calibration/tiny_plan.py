"""A protocol that is soon over, and has a bit of everything."""

from __future__ import annotations

from realtime_mood.calibration.protocol import BlockPlan, Protocol, draw

TINY = {
    "name": "tiny",
    "title": "Tiny",
    "about": "soon over",
    "consent": "You may stop at any moment.",
    "rounds": 2,
    "block_s": 5,
    "settle_s": 1,
    "washout_s": 2,
    "self_report": True,
    "rest": [{"seconds": 6, "text": "Close your eyes.", "eyes": "closed"}],
    "cues": [
        {"label": "calm", "text": "Be calm.", "virtual": "neutral", "coordinates": [0.2, -0.5]},
        {"label": "busy", "text": "Count.", "virtual": "negative", "coordinates": [-0.2, 0.5]},
    ],
}


def tiny(**changes: object) -> BlockPlan:
    """A plan of `TINY`, with changes."""
    return draw(Protocol.model_validate(TINY | changes), seed=1)
