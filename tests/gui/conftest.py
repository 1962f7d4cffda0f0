"""A screen that is not there."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before anything imports Qt

import pytest

from realtime_mood.types import StreamInfo


@pytest.fixture
def info() -> StreamInfo:
    return StreamInfo(("Fp1", "Fp2", "C3", "C4", "O1", "O2"), 128.0, "planted", virtual=True)
