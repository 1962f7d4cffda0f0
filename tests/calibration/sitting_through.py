"""Calibration sessions for tests: the real engine and recorder, a simulated subject or planted samples, at speed."""

from __future__ import annotations

from pathlib import Path

from realtime_mood.calibration.protocol import BlockPlan, Protocol, draw, load_protocol
from realtime_mood.calibration.session import CalibrationSession
from realtime_mood.cli.config import RunConfig, resolve
from realtime_mood.contracts import Source

EIGHT = "F3,F4,C3,C4,P3,P4,O1,O2"


def person(subject: int = 60_003, difficulty: str = "medium", more: str = "") -> RunConfig:
    """A simulated subject that follows every cue."""
    url = f"synthetic://?subject={subject}&sfreq=128&channels={EIGHT}&difficulty={difficulty}&speed=max{more}"
    return resolve({"source": url})


def short(name: str = "emotion", **changes: object) -> Protocol:
    """A protocol that came with the program, made shorter."""
    return load_protocol(name).model_copy(update={"block_s": 14.0, "rounds": 3, "washout_s": 3.0, **changes})


def sit(settings: RunConfig, plan: BlockPlan, path: Path, source: Source | None = None) -> CalibrationSession:
    """Go through a plan; the session, over and stopped."""
    session = CalibrationSession(settings, plan, path, source=source)
    session.start()
    session.wait()
    session.stop()
    return session


def baseline(path: Path, source: Source, seconds: float = 60.0) -> CalibrationSession:
    """Sit through nothing but rest."""
    return sit(resolve({"source": "synthetic://"}), draw(load_protocol("baseline"), 0, rest_s=seconds), path, source)
