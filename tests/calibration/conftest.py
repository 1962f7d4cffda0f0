"""A screen that is not there, and a protocol that is soon over."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before anything imports Qt

from collections.abc import Callable
from pathlib import Path

import pytest

from calibration.plan import Plan, Protocol, draw
from calibration.session import Session
from realtime_mood.config import RunConfig

URL = "synthetic://?sfreq=128&n_chans=8&speed=20"
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


def tiny(**changes: object) -> Plan:
    """A plan of `TINY`, with changes."""
    return draw(Protocol.model_validate(TINY | changes), seed=1)


@pytest.fixture
def make_session(tmp_path: Path) -> Callable[..., Session]:
    """Makes a session of a plan; the newest one is ``make_session.made``."""

    def make(plan: Plan, url: str = URL, held: bool = True) -> Session:
        make.made = Session(RunConfig(source=url), plan, tmp_path / "sitting.xdf", held=held)  # type: ignore[attr-defined]
        return make.made  # type: ignore[attr-defined]

    return make
