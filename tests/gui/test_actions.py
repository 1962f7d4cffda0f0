"""What each button can do, told from where the run stands; and the keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime_mood.health import Health, State
from realtime_mood.viewmodel.actions import IN_SESSION, RUNNING, RunRequest, actions_of
from realtime_mood.viewmodel.shortcuts import MARK_KEYS, SHORTCUTS, table

WISH = RunRequest("synthetic://")


def of(state: State, request: RunRequest = WISH, **how):
    return actions_of(Health(state), request, **({"stopping": False} | how))


def test_nothing_runs():
    it = of(State.IDLE, can_calibrate=True)
    assert (it.run.text, it.run.enabled) == ("Start", True)
    assert (it.record.text, it.record.enabled) == ("Record", True)
    assert (it.report.enabled, it.report.why) == (False, "Record first: a report is made from a recording")
    assert it.calibrate.enabled
    assert (it.feedback.enabled, bool(it.feedback.why)) == (False, True)


@pytest.mark.parametrize("state", [State.CONNECTING, State.LIVE, State.STALLED, State.RECONNECTING])
def test_a_run_can_be_stopped_whatever_it_is_doing(state):
    assert of(state).run.text == "Stop"


def test_while_a_run_ends_nothing_else_can_begin():
    it = of(State.LIVE, stopping=True, can_calibrate=True, report=Path("a.xdf"))
    assert it.run.text == "Stopping"
    for action in (it.run, it.connect, it.calibrate, it.record, it.report):
        assert not action.enabled
        assert action.why == "Waiting for the run to end"


def test_a_feedback_session_is_ended_by_nothing_but_its_screen_and_stop():
    for state in State:
        it = of(state, can_calibrate=True, can_feed_back=True, report=Path("a.xdf"), in_session=True)
        for action in (it.connect, it.calibrate, it.record, it.feedback, it.report):
            assert (action.enabled, action.why) == (False, IN_SESSION)
        assert it.run.enabled == (state in RUNNING)
        assert it.run.why


def test_a_report_is_made_of_a_whole_recording():
    recording, whole = RunRequest("synthetic://", record=Path("folder")), Path("folder/a.xdf")
    assert of(State.LIVE, recording).record.text == "End recording"
    assert of(State.LIVE, recording, report=whole).report.why.startswith("End the recording first")
    assert of(State.IDLE, recording).record.text == "Cancel recording"
    assert of(State.LIVE, report=whole).report.enabled
    assert of(State.IDLE, recording, report=whole).report.enabled
    assert of(State.IDLE, report=whole, writing=True).report.why == "The report is being written"


def test_every_disabled_button_says_why():
    for state in State:
        for stopping in (False, True):
            it = of(state, stopping=stopping)
            for action in (it.run, it.connect, it.calibrate, it.record, it.feedback, it.report):
                assert action.enabled or action.why, (state, action)


def test_no_key_does_two_things():
    keys = [it.key for it in SHORTCUTS]
    assert len({*keys, *MARK_KEYS}) == len(keys) + len(MARK_KEYS)
    shown = [key for key, _ in table()]
    assert len({*shown}) == len(shown) == len(SHORTCUTS) + 3  # markers, corrections, and saving the profile
