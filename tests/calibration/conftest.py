"""A screen that is not there, and sittings on a virtual person twenty times as fast."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before anything imports Qt

from collections.abc import Callable
from pathlib import Path

import pytest

from calibration.plan import Plan
from calibration.session import Session
from realtime_mood.config import RunConfig

URL = "synthetic://?sfreq=128&n_chans=8&speed=20"


@pytest.fixture
def make_session(tmp_path: Path) -> Callable[..., Session]:
    """Makes a session of a plan; the newest one is ``make_session.made``."""

    def make(plan: Plan, url: str = URL, held: bool = True) -> Session:
        make.made = Session(RunConfig(source=url), plan, tmp_path / "sitting.xdf", held=held)  # type: ignore[attr-defined]
        return make.made  # type: ignore[attr-defined]

    return make
