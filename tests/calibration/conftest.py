"""A screen that is not there, and calibration sessions of a simulated subject twenty times as fast."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before anything imports Qt

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from realtime_mood.calibration.director import OnEvent
from realtime_mood.calibration.protocol import BlockPlan
from realtime_mood.calibration.session import CalibrationSession
from realtime_mood.cli.config import RunConfig

URL = "synthetic://?sfreq=128&n_chans=8&speed=20"


@pytest.fixture
def make_session(tmp_path: Path) -> Callable[..., CalibrationSession]:
    """Makes a session of a plan; the newest one is ``make_session.made``."""

    def make(
        plan: BlockPlan, url: str = URL, held: bool = True, listeners: Sequence[OnEvent] = ()
    ) -> CalibrationSession:
        settings, path = RunConfig(source=url), tmp_path / "session.xdf"
        make.made = CalibrationSession(settings, plan, path, held=held, listeners=listeners)  # type: ignore[attr-defined]
        return make.made  # type: ignore[attr-defined]

    return make
