"""What a calibration tells the network of: the same events in words and in numbers, at the time they happened."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import pylsl
import pytest
from waiting import until

from realtime_mood import clock
from realtime_mood.calibration.progress import CalibrationProgress
from realtime_mood.calibration.protocol import draw, load_protocol
from realtime_mood.sinks.lsl_markers import MarkerOutlet, code_of, meanings

LABELS = ("negative", "neutral", "positive")
SESSION = {
    "rest/1/1/begin/open": 11,
    "rest/1/1/shown": 40,
    "rest/1/1/end": 19,
    "rest/2/1/begin/closed": 12,
    "rest/2/1/cancelled/samples lost": 290,
    "washout/1/1/begin": 20,
    "washout/1/1/end": 29,
    "block/1/1/begin/positive": 103,
    "block/1/1/cancelled/hole": 290,
    "pause/the person": 90,
    "resume": 91,
    "block/1/2/begin/positive": 103,
    "block/1/2/shown": 40,
    "block/1/2/end": 203,
    "report/1/1/begin": 30,
    "report/1/1/answer/0.50,-0.20": 31,
    "block/2/1/begin/negative": 101,
    "block/2/1/end": 201,
    "stop": 99,
}


@contextmanager
def inlets(outlet: MarkerOutlet, name: str) -> Iterator[tuple[pylsl.StreamInlet, pylsl.StreamInlet]]:
    """Whoever listens to both streams."""
    opened = []
    for stream in (name, f"{name}-codes"):
        (found,) = pylsl.resolve_byprop("name", stream, timeout=10)
        opened.append(pylsl.StreamInlet(found, recover=False, processing_flags=pylsl.proc_clocksync))
        opened[-1].open_stream(timeout=10)
    until(lambda: all(one.have_consumers() for one in outlet._outlets), 10)
    try:
        yield opened[0], opened[1]
    finally:
        for inlet in opened:
            inlet.close_stream()


def test_events_are_told_in_words_and_in_numbers_at_their_time() -> None:
    name = f"test-{uuid.uuid4().hex[:10]}"
    outlet = MarkerOutlet(name, LABELS)
    with inlets(outlet, name) as (words, codes):
        began, to_ours = clock.now(), clock.offset_to(pylsl.local_clock)
        for i, text in enumerate(SESSION):
            outlet.send(text, began - 5 + 0.25 * i)
        for i, (text, code) in enumerate(SESSION.items()):
            said, at = words.pull_sample(timeout=5)
            number, at_too = codes.pull_sample(timeout=5)
            assert (said, number) == ([text], [code])
            assert at + to_ours == pytest.approx(began - 5 + 0.25 * i, abs=0.02)
            assert at_too == pytest.approx(at, abs=0.02)
        outlet.close()
        outlet.close()
        outlet.send("stop", clock.now())


def test_both_streams_say_what_the_codes_mean_and_have_an_identity_of_their_own_in_each_run() -> None:
    name = f"test-{uuid.uuid4().hex[:10]}"
    told = []
    for _ in range(2):
        outlet = MarkerOutlet(name, LABELS)
        with inlets(outlet, name) as pair:
            told.append([inlet.info(timeout=5) for inlet in pair])
        outlet.close()
    for first, again in zip(*told, strict=True):
        assert first.source_id() != again.source_id()
        assert "" not in (first.source_id(), again.source_id())
        assert (first.type(), first.nominal_srate(), first.channel_count()) == ("Markers", 0.0, 1)
        codes = ElementTree.fromstring(first.as_xml()).findall("desc/codes/code")
        assert {int(code.findtext("value", "")): code.findtext("meaning") for code in codes} == meanings(LABELS)
    words, codes = told[0]
    assert (words.channel_format(), codes.channel_format()) == (pylsl.cf_string, pylsl.cf_int32)
    assert words.source_id() != codes.source_id()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("block/7/1/begin/joy", 100),  # no label of this protocol
        ("block/7/1/end", 200),  # of a block nobody saw begin
        ("block/7/begin/positive", 1),
        ("block/seven/1/begin/positive", 1),
        ("rest/1/1/begin/ajar", 1),
        ("washout/1/1/answer/1", 1),
        ("pausing", 1),
        ("eyes closed", 1),
        ("", 1),
    ],
)
def test_what_is_in_no_table_is_no_event_of_ours(text: str, code: int) -> None:
    assert code_of(text, LABELS) == code


@pytest.mark.parametrize("name", ["baseline", "effort", "emotion"])
def test_every_event_of_a_sitting_has_a_code_that_is_explained(name: str) -> None:
    protocol = load_protocol(name)
    progress, running, seen = CalibrationProgress.of(draw(protocol, 1), 10.0), "", set()
    at, texts = 0, []
    while not progress.over:
        progress, events = progress.advance(at, at + 100)
        progress, answered = progress.answer(0.1, 0.2, at + 100)
        texts += [event.text for event in (*events, *answered)]
        at += 100
    for text in texts:
        running = text.rsplit("/", 1)[-1] if text.startswith("block") and "/begin/" in text else running
        seen.add(code_of(text, protocol.labels, running))
    assert seen <= set(meanings(protocol.labels)) - {1}
    assert len(seen) > len(protocol.labels)
