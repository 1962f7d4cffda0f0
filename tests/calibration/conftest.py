"""A screen that is not there, and sittings on a virtual person twenty times as fast."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before anything imports Qt

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from calibration.director import Hear
from calibration.protocol import Plan
from calibration.session import Session
from realtime_mood.cli.config import RunConfig

URL = "synthetic://?sfreq=128&n_chans=8&speed=20"


@pytest.fixture
def make_session(tmp_path: Path) -> Callable[..., Session]:
    """Makes a session of a plan; the newest one is ``make_session.made``."""

    def make(plan: Plan, url: str = URL, held: bool = True, hear: Sequence[Hear] = ()) -> Session:
        settings, path = RunConfig(source=url), tmp_path / "sitting.xdf"
        make.made = Session(settings, plan, path, held=held, hear=hear)  # type: ignore[attr-defined]
        return make.made  # type: ignore[attr-defined]

    return make
