"""Marker streams: words and numbers, at the time they were sent, from a stream that comes late and comes back."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import pylsl
import pytest
from waiting import until

from realtime_mood import clock
from realtime_mood.errors import ConfigError
from realtime_mood.sources.markers import LslMarkers


def sender(name: str, form: int = pylsl.cf_string, rate: float = 0.0) -> pylsl.StreamOutlet:
    return pylsl.StreamOutlet(pylsl.StreamInfo(name, "Markers", 1, rate, form, f"{name}-id"))


def heard_by(outlet: pylsl.StreamOutlet) -> Callable[[], bool]:
    return lambda: outlet.have_consumers()


def test_markers_are_told_with_their_time_and_the_stream_may_come_back() -> None:
    name, told = f"test-{uuid.uuid4().hex[:10]}", []
    markers = LslMarkers(f"lsl://{name}", lambda text, t: told.append((text, t)))
    markers.start()
    until(lambda: markers._thread.is_alive())
    regular = sender(name, pylsl.cf_float32, 100.0)  # not a marker stream, whatever its name
    outlet = sender(name)
    until(heard_by(outlet), 10)
    sent = clock.now()
    outlet.push_sample(["eyes closed"], pylsl.local_clock() - 0.5)
    until(lambda: told)
    assert told[0][0] == "eyes closed"
    assert told[0][1] == pytest.approx(sent - 0.5, abs=0.1)
    assert not regular.have_consumers()

    del outlet
    again = sender(name, pylsl.cf_int32)
    until(heard_by(again), 10)
    again.push_sample([7], time.time())  # on another clock: taken for just now
    until(lambda: len(told) == 2)
    assert told[1][0] == "7"
    assert 0 <= clock.now() - told[1][1] < 2.0
    began = clock.now()
    markers.close()
    markers.close()
    assert clock.now() - began < 1.0


def test_what_is_no_marker_stream_is_refused() -> None:
    with pytest.raises(ConfigError, match="lsl://NAME"):
        LslMarkers("playback://x.edf", print)
    with pytest.raises(ConfigError, match="nonsense"):
        LslMarkers("lsl://x?nonsense=1", print)
