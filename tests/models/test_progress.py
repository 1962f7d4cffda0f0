"""How far long work is, and how long it may still take."""

from __future__ import annotations

from realtime_mood.models import progress
from realtime_mood.models.progress import Progress, minutes, remaining


def test_progress_is_said_with_the_time_that_is_left(monkeypatch):
    now, said = [0.0], []
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    steps = Progress(3, "networks", said.append, every_s=60)
    for t in (200.0, 210.0, 600.0):
        now[0] = t
        steps.step()
    assert said == ["1 of 3 networks · about 7 min left", "3 of 3 networks"]


def test_kinds_that_have_not_run_yet_are_named():
    assert remaining({"a": 4, "b": 2}, {"a": [50.0, 70.0]}, 2) == "about 2 min left, then b (time not known yet)"
    assert remaining({"a": 1, "b": 0}, {"a": [1.0], "b": [90.0]}, 1) == "less than a minute left"
    assert minutes(59) == "less than a minute"
