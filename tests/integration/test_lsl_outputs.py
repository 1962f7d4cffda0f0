"""Readings as LSL streams: stamps that rise, and an identity of their own for every outlet."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

import numpy as np
import pylsl
import pytest
from waiting import until

from realtime_mood import clock, liblsl
from realtime_mood.body.measure import BodyMeasure, BodyReading, invalid
from realtime_mood.feedback.receivers import LslFeedback
from realtime_mood.health import Emission, Health, State
from realtime_mood.sinks.lsl_readings import LslReadings
from realtime_mood.types import Estimate, Quality, Readout, StreamInfo

READOUT = Readout("effort", ("rest", "arithmetic"), (), "real")
READING = Estimate(
    READOUT, (0.3, 0.7), 0.7, np.full((1, 5), 1.0), Quality(np.ones(1), (None,)), 1.0, True, 0, 1000, 0.0
)


def emission(t_last: float) -> Emission:
    return Emission(replace(READING, t_last=t_last), StreamInfo(("Fz",), 100.0), State.LIVE, 12.0, 20.0)


def test_stamps_are_the_times_and_always_rise() -> None:
    stamps, to_ours = liblsl.Stamps(), clock.offset_to(pylsl.local_clock)
    told = [stamps(t) + to_ours for t in (10.0, 10.25, 10.25, 9.0, 10.5)]
    assert np.diff(told).min() > 0
    np.testing.assert_allclose(told, [10.0, 10.25, 10.25, 10.25, 10.5], atol=1e-3)


def test_readings_are_a_stream_without_a_regular_rate_stamped_with_their_windows_end() -> None:
    name = f"test-{uuid.uuid4().hex[:10]}"
    out, began = LslReadings(name), clock.now() - 1.0
    out.put(emission(began))
    (told,) = pylsl.resolve_byprop("name", name, timeout=10)
    assert (told.type(), told.nominal_srate()) == ("Emotion", 0.0)
    inlet = pylsl.StreamInlet(told, recover=False)
    inlet.open_stream(timeout=10)
    until(out.receivers)
    times = [began + 0.25, began + 0.5, began + 0.5, began + 0.1, began + 0.75]
    for t in times:
        out.put(emission(t))
    stamps = [inlet.pull_sample(timeout=10)[1] for _ in times]
    out.close(Health())
    assert np.diff(stamps).min() > 0
    to_ours = clock.offset_to(pylsl.local_clock)
    np.testing.assert_allclose(np.array(stamps) + to_ours - began, [0.25, 0.5, 0.5, 0.5, 0.75], atol=0.01)


def test_measures_of_the_body_are_a_stream_of_their_own() -> None:
    name = f"test-{uuid.uuid4().hex[:10]}"
    out, began = LslReadings(name), clock.now() - 1.0
    measures = BodyMeasure("heart_rate", 72.0, 0.9), invalid("movement", "flat")
    out.put_body(BodyReading(began, 3.0, measures, virtual=True))
    (found,) = pylsl.resolve_byprop("name", f"{name}-Body", timeout=10)
    assert (found.type(), found.nominal_srate()) == ("Body", 0.0)
    inlet = pylsl.StreamInlet(found, recover=False)
    inlet.open_stream(timeout=10)
    out.put_body(BodyReading(began + 0.5, 3.5, measures, virtual=True))
    row, stamp = inlet.pull_sample(timeout=10)
    assert inlet.info().get_channel_labels()[:2] == ["heart_rate", "rmssd"]
    assert inlet.info().get_channel_units()[0] == "1/min"
    assert inlet.info().desc().child("realtime_mood").child_value("virtual") == "1"
    assert (row[0], round(row[6], 3)) == (72.0, 0.9)
    assert np.isnan(row[1:6]).all()
    assert stamp + clock.offset_to(pylsl.local_clock) == pytest.approx(began + 0.5, abs=0.01)
    out.close(Health())


def test_a_receiver_that_recovers_never_goes_on_with_another_run() -> None:
    name = f"test-{uuid.uuid4().hex[:10]}"
    ours, other = LslReadings(name), LslReadings(name)
    ours.put(emission(clock.now()))
    (mine,) = pylsl.resolve_byprop("name", name, timeout=10)
    other.put(emission(clock.now()))
    found = []
    until(lambda: len(found) == 2 or found.extend(pylsl.resolve_byprop("name", name, 2, 1.0)[len(found) :]), 10)
    assert len({it.source_id() for it in found}) == 2
    inlet = pylsl.StreamInlet(mine, recover=True)
    inlet.open_stream(timeout=10)
    until(ours.receivers)
    ours.put(emission(clock.now()))
    until(lambda: inlet.pull_sample(timeout=0.1)[0] is not None, 10)
    ours.close(Health())
    deadline = time.monotonic() + 3.0
    while time.monotonic() < deadline:
        other.put(emission(clock.now()))
        assert inlet.pull_sample(timeout=0.1)[0] is None
    other.close(Health())


def test_feedback_keeps_the_names_it_was_given_in_the_next_run() -> None:
    name = f"test-{uuid.uuid4().hex[:10]}"
    out = LslFeedback(f"{name}-Feedback", f"{name}-Markers")
    for _ in range(2):
        out.start()
        (told,) = pylsl.resolve_byprop("name", f"{name}-Markers", timeout=10)
        assert told.type() == "Markers"
        out.shut()
