"""Marker streams: words and numbers, at the time they were sent, from a stream that comes late and comes back."""

from __future__ import annotations

import ctypes
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pylsl
import pytest
from pylsl.lib import lib
from waiting import until

from realtime_mood import clock
from realtime_mood.errors import ConfigError
from realtime_mood.health import Vitals
from realtime_mood.run.auxiliary import AuxAcquisition
from realtime_mood.sources.lsl import aux_source
from realtime_mood.sources.lsl.aux_source import LslAux

Mark = Callable[[str, float], bool]


@contextmanager
def listening(url: str, mark: Mark | None = None) -> Iterator[tuple[list[str], Callable[[], tuple[str, ...]]]]:
    """The texts that are passed on, or go to `mark`, and the notes."""
    texts: list[str] = []
    vitals = Vitals(clock.now)
    source = LslAux(url, in_markers=True)
    aux = AuxAcquisition(source, 0, lambda *_: None, mark or (lambda text, t: not texts.append(text)), vitals)
    aux.start()
    try:
        yield texts, lambda: vitals.health.notes
    finally:
        began = clock.now()
        aux.close()
        aux.close()
        assert clock.now() - began < 1.0


def wide(name: str, kind: str, form: int, labels: Sequence[str], source_id: str = "w") -> pylsl.StreamOutlet:
    info = pylsl.StreamInfo(name, kind, len(labels), 0.0, form, source_id)
    channels = info.desc().append_child("channels")
    for label in labels:
        channels.append_child("channel").append_child_value("label", label)
    return pylsl.StreamOutlet(info)


def push_bytes(outlet: pylsl.StreamOutlet, *values: bytes) -> None:
    """A sample of text as programs send it that know no UTF-8."""
    lengths = (ctypes.c_uint32 * len(values))(*map(len, values))
    lib.lsl_push_sample_buf(outlet.obj, (ctypes.c_char_p * len(values))(*values), lengths)


def sender(name: str, form: int = pylsl.cf_string, rate: float = 0.0) -> pylsl.StreamOutlet:
    return pylsl.StreamOutlet(pylsl.StreamInfo(name, "Markers", 1, rate, form, f"{name}-id"))


def heard_by(outlet: pylsl.StreamOutlet) -> Callable[[], bool]:
    return lambda: outlet.have_consumers()


def test_markers_are_told_with_their_time_and_the_stream_may_come_back() -> None:
    name, told = f"test-{uuid.uuid4().hex[:10]}", []
    with listening(f"lsl://{name}", lambda text, t: not told.append((text, t))):
        regular = sender(name, pylsl.cf_float32, 100.0)  # not a marker stream, whatever its name
        outlet = sender(name)
        until(heard_by(outlet), 10)
        sent = clock.now()
        outlet.push_sample(["eyes closed"], pylsl.local_clock() - 0.5)
        until(lambda: told, 10)
        assert told[0][0] == "eyes closed"
        assert told[0][1] == pytest.approx(sent - 0.5, abs=0.1)
        assert not regular.have_consumers()

        del outlet
        again = sender(name, pylsl.cf_int32)
        until(heard_by(again), 10)
        again.push_sample([7], time.time())  # on another clock: taken for just now
        until(lambda: len(told) == 2, 10)
        assert told[1][0] == "7"
        assert 0 <= clock.now() - told[1][1] < 2.0


@pytest.mark.parametrize("url", ["playback://x.edf", "lsl://x?nonsense=1"])
def test_what_is_no_stream_of_the_network_is_refused(url: str) -> None:
    for in_markers in (True, False):
        with pytest.raises(ConfigError, match="nonsense" if "nonsense" in url else "lsl://NAME"):
            LslAux(url, in_markers=in_markers)
    with pytest.raises(ConfigError, match="any stream would do"):
        LslAux("lsl://")


def test_text_may_have_any_bytes_and_several_channels() -> None:
    name = f"test-{uuid.uuid4().hex[:10]}"
    outlet = wide(name, "Markers", pylsl.cf_string, ("what", "where"))
    sent = [
        (b"before", b"1"),
        ("für".encode("latin-1"), b""),
        ("grün ✓".encode(), b"x"),
        (b"caf\xc3", b"\xff\x00"),
        (b"", b""),
    ]
    with listening(f"lsl://{name}") as (texts, reports):
        until(heard_by(outlet), 10)
        for values in (*sent, (b"after", b"2")):
            push_bytes(outlet, *values)
        until(lambda: "after 2" in texts, 10)
    assert texts == ["before 1", "für", "grün ✓ x", "cafÃ ÿ", "after 2"]
    assert reports() == ()


@pytest.mark.parametrize(
    ("kind", "form", "rows", "says"),
    [
        ("Markers", pylsl.cf_int32, [[1, 7], [-2, 0]], ["1 7", "-2 0"]),
        ("Markers", pylsl.cf_int64, [[2**53 + 1, 1]], [f"{2**53 + 1} 1"]),
        ("Events", pylsl.cf_float32, [[1.0, 0.1], [2.5, np.nan]], ["1 0.1", "2.5 nan"]),
        ("annotations", pylsl.cf_double64, [[-1.0, 0.0], [0.0, 2.5]], ["eyes open", "eyes closed"]),
    ],
)
def test_numbers_of_any_format_and_annotations_are_passed_on(
    kind: str, form: int, rows: list[list[float]], says: list[str]
) -> None:
    name = f"test-{uuid.uuid4().hex[:10]}"
    outlet = wide(name, kind, form, ("eyes open", "eyes closed"))
    with listening("lsl://?source_id=w") as (texts, _):  # without a name: any stream of markers
        until(heard_by(outlet), 10)
        for row in rows:
            outlet.push_sample(row)
        until(lambda: len(texts) == len(says), 10)
    assert texts == says


def test_of_two_that_answer_one_is_kept_to_and_the_urls_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aux_source, "LOYAL_S", 1e9)
    name = f"test-{uuid.uuid4().hex[:10]}"
    outlets = {key: wide(name, "Markers", pylsl.cf_string, ("m",), key) for key in "ab"}
    with listening(f"lsl://{name}") as (texts, reports):
        until(reports, 10)
        assert "2 streams answer" in reports()[0]
        urls = re.findall(r"lsl://\S+", reports()[0].partition("choose one")[2])
        assert sorted(urls) == [f"lsl://{name}?source_id=a", f"lsl://{name}?source_id=b"]
        (kept,) = (key for key, outlet in outlets.items() if outlet.have_consumers())
        other = next(key for key in "ab" if key != kept)
        del outlets[kept]
        again = wide(name, "Markers", pylsl.cf_string, ("m",), kept)
        until(heard_by(again), 10)
        outlets[other].push_sample(["not this"])
        again.push_sample(["this"])
        until(lambda: texts, 10)
        assert texts == ["this"]
        assert not outlets[other].have_consumers()
        assert ["stream has ended" in note for note in reports()[1:]] == [True, False]
        assert "came back after" in reports()[2]


def test_another_stream_in_place_of_one_that_ended_is_reported() -> None:
    name = f"test-{uuid.uuid4().hex[:10]}"
    outlet = wide(name, "Markers", pylsl.cf_string, ("m",), "first run")
    with listening(f"lsl://{name}") as (texts, reports):
        until(heard_by(outlet), 10)
        outlet.push_sample(["there"])
        until(lambda: texts == ["there"], 10)
        del outlet
        outlet = wide(name, "Markers", pylsl.cf_string, ("m",), "second run")
        until(heard_by(outlet), 10)
        outlet.push_sample(["here"])
        until(lambda: texts == ["there", "here"], 10)
        assert "source_id second run" in reports()[-1]
        assert "another stream than before" in reports()[-1]


def test_markers_before_the_signal_are_counted() -> None:
    name = f"test-{uuid.uuid4().hex[:10]}"
    outlet, texts = sender(name), []
    with listening(f"lsl://{name}", lambda text, t: texts.append(text) or len(texts) > 2) as (_, reports):
        until(heard_by(outlet), 10)
        for text in "abcd":
            outlet.push_sample([text])
        until(lambda: texts == list("abcd"), 10)
        until(reports, 10)
        assert reports() == (f"lsl://{name}: 2 came before the signal and were left out",)
