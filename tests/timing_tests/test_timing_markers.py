"""Planted delays, jitter and losses of markers are measured; and real ones of another process are exact."""

from __future__ import annotations

import uuid

import numpy as np
import pylsl
import pytest
from waiting import until

from realtime_mood import clock
from realtime_mood.timing_tests.markers import Received, evaluate, listen_to, measure
from realtime_mood.timing_tests.page import problems, rows


def test_planted_errors_are_measured():
    rng = np.random.default_rng(0)
    sent = np.cumsum(rng.uniform(0.02, 0.08, 1000)).tolist()
    errors, delays = rng.normal(0.007, 0.002, 1000), rng.uniform(0.001, 0.004, 1000)
    told = zip(sent, errors, delays, strict=True)
    received = [Received(f"{k} {t!r}", 50 + t + e, 50 + t + d) for k, (t, e, d) in enumerate(told) if k % 100 != 7]
    test = evaluate(1000, [*received, received[3], Received("begin", 0, 0), Received("2000 1.0", 0, 0)], 50.0)
    assert (test.sent, test.lost, test.repeated) == (1000, 10, 1)
    assert test.stamps.median_ms == pytest.approx(7, abs=0.2)
    assert test.stamps.jitter_ms == pytest.approx(2 * 1.645 * 2, rel=0.1)
    assert test.arrivals.median_ms == pytest.approx(2.5, abs=0.1)
    assert test.arrivals.max_ms == pytest.approx(1.5, abs=0.1)
    assert len(problems(test)) == 3


def test_nothing_received_is_a_result_too():
    test = evaluate(10, [], 0.0)
    assert (test.lost, test.stamps, len(test.at)) == (10, None, 0)
    assert len(rows(test)) == 5
    assert problems(test) == ["10 of 10 markers were lost."]


def test_a_known_error_of_a_real_outlet_is_found():
    name = f"test-{uuid.uuid4().hex[:10]}"
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, "Markers", 1, 0.0, pylsl.cf_string, name))
    received = []
    markers = listen_to(f"lsl://{name}", lambda text, t: received.append(Received(text, t, clock.now())))
    markers.start()
    try:
        until(outlet.have_consumers, 10)
        for k in range(20):
            sent = pylsl.local_clock()
            outlet.push_sample([f"{k} {sent!r}"], sent - 0.03 + 0.001 * (k % 2))
        until(lambda: len(received) == 20, 10)
    finally:
        markers.close()
    test = evaluate(20, received, clock.offset_to(pylsl.local_clock))
    assert test.stamps.median_ms == pytest.approx(-29.5, abs=0.3)
    assert test.stamps.jitter_ms == pytest.approx(1.0, abs=0.3)
    assert test.lost == 0


def test_markers_of_another_process_arrive_with_their_time():
    test = measure(20, None)
    assert (test.lost, test.repeated) == (0, 0)
    assert abs(test.stamps.median_ms) < 1
    assert test.stamps.jitter_ms < 1
    assert test.arrivals.median_ms > 0
