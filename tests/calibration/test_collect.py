"""Steps and ratings of a calibration session are read from its markers, whatever other programs send."""

from __future__ import annotations

from realtime_mood.calibration.collect import FOREVER, StepSpan, spans
from realtime_mood.types import Marker


def told(*lines):
    return spans([Marker(i, text) for i, text in lines])


def test_only_what_was_gone_through_to_its_end_counts():
    found, answers, repeated = told(
        (0, "rest/1/1/begin/open"), (99, "rest/1/1/end"), (100, "washout/1/1/begin"), (120, "washout/1/1/end"),
        (120, "block/1/1/begin/joy"), (150, "block/1/1/cancelled/poor signal"), (180, "block/1/2/begin/joy"),
        (279, "block/1/2/end"), (281, "report/1/1/begin"), (290, "report/1/1/answer/0.50,-0.25"),
        (300, "block/2/1/begin/gloom"),
    )  # fmt: skip
    assert found == [StepSpan("rest", 1, "open", 0, 100), StepSpan("block", 1, "joy", 180, 280)]
    assert answers == {1: (0.5, -0.25)}
    assert repeated == ["block 1: poor signal"]


def test_a_block_begins_when_its_cue_was_on_the_screen():
    found, *_ = told((10, "block/1/1/begin/joy"), (14, "block/1/1/shown"), (89, "block/1/1/end"))
    assert found == [StepSpan("block", 1, "joy", 14, 90)]


def test_a_rest_that_the_recording_ends_in_counts_as_far_as_it_goes():
    assert told((5, "rest/1/1/begin/open"))[0] == [StepSpan("rest", 1, "open", 5, FOREVER + 1)]
    assert told((5, "rest/1/1/begin/open"), (70, "stop"))[0] == [StepSpan("rest", 1, "open", 5, 71)]


def test_other_people_s_markers_are_none_of_ours():
    found, *_ = told((1, "key 3"), (2, "block"), (3, "block/x/1/begin/joy"), (4, "positive"), (5, "rest/1"))
    assert found == []
    lines = (1, "rest/1/1/begin/open"), (5, "stop"), (9, "rest/1/1/end"), (10, "rest/2/1/begin/open")
    found, answers, _ = told(*lines, (12, "report/1/1/answer/yes,no"))
    assert [(step.first, step.end) for step in found] == [(1, 10), (10, FOREVER + 1)]
    assert answers == {}
