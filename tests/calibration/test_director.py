"""The director: what stands in the stream, sample by sample."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest

from realtime_mood.calibration.director import CalibrationDirector
from realtime_mood.calibration.progress import Mode
from realtime_mood.calibration.protocol import BlockPlan, Protocol, draw
from realtime_mood.calibration.session import CalibrationSession
from realtime_mood.cli.config import RunConfig
from realtime_mood.estimator import NO_READOUT
from realtime_mood.health import Health
from realtime_mood.types import Abstained, Chunk, Marker, StreamInfo, Why

INFO = StreamInfo(("C3", "C4", "O1", "O2"), 100.0)


@pytest.fixture
def plan() -> BlockPlan:
    rest = [{"seconds": 2, "text": "Rest."}, {"seconds": 1, "text": "Rest on."}]
    return draw(Protocol.model_validate({"name": "r", "title": "R", "about": "rest", "rest": rest}), seed=0)


def chunk(first: int, n: int = 50, lost: int = 0) -> Chunk:
    return Chunk(np.zeros((n, 4)), first, first / 100, lost)


def opened(plan: BlockPlan, **how) -> CalibrationDirector:
    director = CalibrationDirector(plan, **how)
    director.open(INFO)
    return director


def test_the_first_step_begins_with_the_first_sample(plan):
    director = opened(plan)
    assert director.direct(chunk(0)).markers == (Marker(0, "rest/1/1/begin/open"),)
    assert director.progress.left == 150


def test_held_it_moves_nothing_and_says_nothing(plan):
    heard = []
    director = opened(plan, on_event=lambda event, *_: heard.append(event.text), held=True)
    for first in range(0, 1000, 50):
        assert director.direct(chunk(first)).markers == ()
    assert director.held
    assert not director.progress.begun
    assert (director.progress.at, director.progress.left) == (0, 200)
    assert heard == []


def test_begin_counts_from_the_newest_sample(plan):
    director = opened(plan, held=True)
    director.direct(chunk(0))
    director.begin()
    assert not director.held
    assert director.direct(chunk(50)).markers == (Marker(50, "rest/1/1/begin/open"),)
    director.direct(chunk(100, 100))
    assert director.direct(chunk(200)).markers == (Marker(249, "rest/1/1/end"),)


def test_a_hole_before_the_first_step_spoils_nothing(plan):
    director = opened(plan, held=True)
    director.direct(chunk(0))
    director.direct(chunk(450, lost=400))
    director.begin()
    assert director.direct(chunk(600, lost=100)).markers == (Marker(600, "rest/1/1/begin/open"),)
    assert director.progress.attempt == 1


def test_one_may_stop_before_the_first_step(plan):
    director = opened(plan, held=True)
    director.direct(chunk(0))
    director.stop()
    assert director.progress.mode is Mode.STOPPED
    assert director.direct(chunk(50)).markers == (Marker(50, "stop"),)


def test_a_director_that_holds_nothing_is_not_kept_by_begin(plan):
    director = opened(plan)
    director.direct(chunk(0))
    director.begin()
    assert director.direct(chunk(50)).markers == ()
    assert director.progress.left == 100


def test_what_happened_after_the_last_chunk_is_told_once(plan):
    director = opened(plan)
    director.direct(chunk(0))
    director.stop()
    assert [event.text for event in director.undelivered()] == ["stop"]
    assert director.undelivered() == ()
    assert director.direct(chunk(50)).markers == ()


def test_an_event_keeps_its_time_while_a_chunk_arrives(plan):
    times, opened_one = [], []
    late = Chunk(np.zeros((50, 4)), 50, 7.0)  # as after a backlog: by its stamp, sample 0 was taken seconds later

    def follow(state):
        if opened_one and director.progress.mode is Mode.STOPPED:
            director.direct(opened_one.pop())

    director = opened(plan, follow=follow, on_event=lambda event, progress, t: times.append((event.text, t)))
    director.direct(chunk(0))
    opened_one.append(late)
    director.stop()
    assert not opened_one
    assert times[-1] == ("stop", pytest.approx(0.01))


def test_a_rest_of_minutes_with_too_much_poor_signal_is_repeated(tmp_path):
    rest = [{"seconds": 300, "text": "Rest."}]
    plan = draw(Protocol.model_validate({"name": "r", "title": "R", "about": "rest", "rest": rest}), seed=0)
    session, kept = CalibrationSession(RunConfig(), plan, tmp_path / "s.xdf"), deque(maxlen=240)
    session.engine = SimpleNamespace(readings=lambda: tuple(kept), health=Health(), latest=None)
    session.director.open(INFO)
    attempts = []
    for second in range(200):
        session.director.direct(chunk(100 * second, 100))
        why = Why.BAD_SIGNAL if second % 2 == 0 else Why.UNCALIBRATED
        kept.extend(Abstained(why, 0, 100 * second + end, second + end / 100, NO_READOUT) for end in (25, 50, 75, 100))
        attempts.append(session.look().progress.attempt)
    assert attempts.index(2) == 180  # with more than 90 s of it


def test_a_cue_shown_after_the_newest_sample_lands_in_the_next_chunk(plan):
    director = opened(plan)
    director.direct(chunk(0))
    director.shown(-7, "rest/1/1/shown")
    assert director.direct(chunk(50)).markers == (Marker(57, "rest/1/1/shown"),)
