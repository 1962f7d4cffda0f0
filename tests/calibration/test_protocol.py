"""The state machine, told nothing but samples and wishes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_plan import TWO

from realtime_mood.calibration.progress import GAP_LEAD_S, MOST_ATTEMPTS, CalibrationProgress, Mode
from realtime_mood.calibration.protocol import LEAD_S, Protocol, draw

FS = 100.0
PLAN = draw(Protocol.model_validate(TWO), 0)
ASKS = draw(Protocol.model_validate(TWO | {"self_report": True}), 0)


def run(progress, cuts):
    """Advance to each of `cuts`, from 0."""
    events, first = [], 0
    for end in cuts:
        progress, more = progress.advance(first, end)
        events, first = events + list(more), end
    return progress, events


def to(progress, kind, number, first=0):
    """Go on, a sample at a time, until a step has begun; the progress and the next sample."""
    at = first
    while not (progress.begun and progress.step.kind == kind and progress.step.number == number):
        progress, _ = progress.advance(at, at + 1)
        at += 1
    return progress, at


def test_a_plan_without_mishaps_is_gone_through_to_the_sample():
    progress, events = run(CalibrationProgress.of(PLAN, FS), [20_000])
    assert progress.mode is Mode.DONE
    assert progress.fraction == 1
    at = 0
    for step in PLAN.steps:
        begin, end = events.pop(0), events.pop(0)
        assert begin.text.startswith(f"{step.kind}/{step.number}/1/begin")
        assert end.text == f"{step.kind}/{step.number}/1/end"
        assert (begin.index, end.index) == (at, at + step.seconds * FS - 1)
        at = end.index + 1
    assert not events


@given(st.lists(st.integers(1, 9_000), max_size=40))
def test_cutting_the_stream_otherwise_changes_nothing(cuts):
    whole = run(CalibrationProgress.of(PLAN, FS), [9_000])
    pieces = run(CalibrationProgress.of(PLAN, FS), [*sorted(set(cuts) - {9_000}), 9_000])
    assert pieces == whole


def test_a_hole_has_the_step_done_anew_and_a_bridged_one_does_not():
    progress, at = to(CalibrationProgress.of(PLAN, FS), "block", 2)
    progress, events = progress.advance(at + 25, at + 50, lost=25)
    assert not events
    assert progress.attempt == 1
    lost, left = 300, progress.left
    progress, events = progress.advance(at + 350, at + 360, lost=lost)
    assert [e.text for e in events] == ["block/2/1/cancelled/samples lost"]
    assert (progress.begun, progress.attempt, progress.lead) == (False, 2, GAP_LEAD_S * FS - 10)
    progress, events = progress.advance(at + 360, at + 360 + round(GAP_LEAD_S * FS))
    assert [e.text for e in events] == [f"block/2/2/begin/{progress.step.label}"]
    assert progress.left == 8 * FS - 10 > left - 300


def test_a_step_is_given_up_after_some_tries():
    progress, at = to(CalibrationProgress.of(PLAN, FS), "block", 1)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert progress.attempt == attempt
        progress, _ = progress.invalidate("poor signal", at)
        if attempt < MOST_ATTEMPTS:
            progress, at = to(progress, "block", 1, at)
    assert [PLAN.steps[at].kind for at in progress.skipped] == ["block"]
    assert (progress.step.kind, progress.step.number) == ("washout", 2)


def test_a_pause_stands_still_and_is_no_try_the_less():
    progress, at = to(CalibrationProgress.of(PLAN, FS), "block", 1)
    for _ in range(MOST_ATTEMPTS + 2):
        progress, events = progress.pause("a sip of water", at)
        assert events[-1].text == "pause/a sip of water"
        still, none = progress.advance(at, at + 5000)
        assert (still, none) == (progress, ())
        progress, _ = progress.resume(at + 5000)
        assert progress.lead == LEAD_S * FS
        progress, at = to(progress, "block", 1, at + 5000)
    assert progress.attempt == 1


def test_a_washout_goes_on_after_a_pause():
    progress, at = to(CalibrationProgress.of(PLAN, FS), "washout", 2)
    left = progress.left
    progress, _ = progress.pause("paused", at)
    progress, _ = progress.resume(at)
    assert progress.left == left
    assert progress.begun


def test_a_report_waits_for_its_answer_however_long():
    progress, at = to(CalibrationProgress.of(ASKS, FS), "report", 1)
    progress, events = progress.advance(at, at + 100_000)
    assert not events
    progress, events = progress.answer(0.5, -0.25, at + 100_000)
    assert events[0].text == "report/1/1/answer/0.50,-0.25"
    assert progress.step.kind == "washout"
    progress, at = to(progress, "report", 2, at + 100_000)
    _, events = progress.answer(None, None, at)
    assert events[0].text == "report/2/1/answer/none"


def test_stopping_is_final():
    progress, at = to(CalibrationProgress.of(PLAN, FS), "block", 1)
    progress, events = progress.stop(at)
    assert events[-1].text == "stop"
    assert progress.over
    assert progress.step is None
    for same, none in (
        progress.advance(at, at + 10),
        progress.resume(at),
        progress.stop(at),
        progress.invalidate("x", at),
    ):
        assert (same, none) == (progress, ())


def test_a_pause_in_the_last_try_begins_that_try_anew():
    progress, at = to(CalibrationProgress.of(PLAN, FS), "block", 1)
    for _ in range(MOST_ATTEMPTS - 1):
        progress, _ = progress.invalidate("poor", at)
        progress, at = to(progress, "block", 1, at)
    progress, events = progress.pause("paused", at)
    assert [event.text for event in events] == [f"block/1/{MOST_ATTEMPTS}/cancelled/paused", "pause/paused"]
    progress, _ = progress.resume(at)
    assert progress.left == round(progress.step.seconds * FS)
    assert not progress.begun
    assert not progress.skipped


@given(
    st.lists(st.sampled_from(["on", "hole", "pause", "resume", "spoil", "answer"]), max_size=200), st.integers(20, 900)
)
def test_whatever_happens_what_ended_had_begun_and_the_plan_comes_to_its_end(wishes, n):
    progress, at, begun, ended, cancelled = CalibrationProgress.of(ASKS, FS), 0, [], [], []
    for wish in [*wishes, *["resume", "answer", "on"] * 3000]:
        if progress.over:
            break
        match wish:
            case "hole":
                progress, events = progress.advance(at + 100, at + 100 + n, lost=100)
                at += 100 + n
            case "pause":
                progress, events = progress.pause("paused", at)
            case "resume":
                progress, events = progress.resume(at)
            case "spoil":
                progress, events = progress.invalidate("poor", at)
            case "answer":
                progress, events = progress.answer(0.0, 0.0, at)
            case _:
                progress, events = progress.advance(at, at + n)
                at += n
        for event in events:
            key = "/".join(event.text.split("/")[:3])
            into = {"begin": begun, "end": ended, "cancelled": cancelled}
            for word, row in into.items():
                if f"/{word}" in event.text:
                    row.append((key, event.index))
    assert progress.mode is Mode.DONE
    starts = {}
    for key, index in begun:
        starts[key] = index
    blocks = {s.number for s in ASKS.steps if s.kind == "block"}
    done = {key for key, _ in ended if key.startswith("block")}
    assert len(done) + len(progress.skipped) >= len(blocks)
    for key, index in ended:
        step = next(s for s in ASKS.steps if key.startswith(f"{s.kind}/{s.number}/"))
        if step.counts:  # of a whole step there is every sample, one after the other
            assert index - starts[key] == pytest.approx(step.seconds * FS, abs=25)
