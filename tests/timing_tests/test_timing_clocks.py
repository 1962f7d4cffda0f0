"""Offset, drift and steps of a planted clock are measured within the stated uncertainty."""

from __future__ import annotations

import numpy as np
import pytest
from planted_stimuli import marker_times, write_stimuli

from realtime_mood.errors import SourceNotFound, StreamMismatch
from realtime_mood.timing_tests.clocks import ClockOffset, evaluate, measure, sampled
from realtime_mood.timing_tests.page import lines, problems


def clock(n=120, ppm=0.0, scatter=5e-5, steps=(), seed=0, round_trip=4e-4):
    """A clock that runs `ppm` fast, asked every 5 s, each answer returned twice."""
    rng = np.random.default_rng(seed)
    t = 5.0 * np.arange(n)
    offset = 12.5 - 1e-6 * ppm * t + rng.normal(0, scatter, n) + sum(size * (t >= at) for at, size in steps)
    trips = round_trip * rng.uniform(0.8, 1.5, n)
    return [ClockOffset(*one) for one in zip(t, offset, trips, strict=True) for _ in range(2)]


@pytest.mark.parametrize("ppm", [-200.0, -3.0, 0.0, 45.0])
def test_the_drift_is_within_its_interval(ppm):
    inside = 0
    for seed in range(40):
        test = evaluate("x", clock(ppm=ppm, seed=seed))
        assert test.n == 120
        assert test.drift_ppm == pytest.approx(ppm, abs=0.2)
        inside += test.drift_ci[0] <= ppm <= test.drift_ci[1]
    assert inside >= 34  # of 40, at 95 %
    assert test.scatter_ms == pytest.approx(0.05, rel=0.3)
    assert not test.steps


def test_a_clock_that_is_set_keeps_its_drift():
    test = evaluate("x", clock(ppm=80, steps=[(200, 0.03), (400, -0.005)]))
    assert test.drift_ppm == pytest.approx(80, abs=0.5)
    (first, second) = test.steps
    assert first == (200, pytest.approx(30, abs=0.1))
    assert second == (400, pytest.approx(-5, abs=0.1))
    assert len(problems(test)) == 2


def test_one_wrong_measurement_is_no_step():
    points = clock()
    points[60:62] = [points[60]._replace(offset=points[60].offset + 0.05)] * 2
    assert not evaluate("x", points).steps
    slow = [one._replace(offset=one.offset + 0.02, round_trip=0.04) if k % 10 == 0 else one
            for k, one in enumerate(clock()[::2])]  # fmt: skip
    test = evaluate("x", slow)
    assert test.n == 108
    assert test.scatter_ms < 0.1


def test_a_slow_network_and_a_defect_clock_are_named():
    text = "\n".join(problems(evaluate("x", clock(ppm=400, round_trip=0.02))))
    assert "round trip takes" in text
    assert "drifts by +400 ppm" in text


def test_our_own_clock_has_no_drift_and_too_few_measurements_are_refused():
    same = evaluate("x", [ClockOffset(float(k), 0.0, 1e-4) for k in range(10)])
    assert (same.drift_ppm, same.offset_ms, same.steps) == (0, 0, ())
    assert any("The timing is good" in line for line in lines(same))
    with pytest.raises(StreamMismatch, match=r"2 measurements .* 4 are needed .* --seconds"):
        evaluate("x", [ClockOffset(0, 1), ClockOffset(1, 2)])


def test_the_offset_is_asked_for_as_long_as_wanted():
    waited = []
    points = sampled(lambda: ClockOffset(float(len(waited)), 0.0), 3.0, waited.append)
    assert [point.t for point in points] == [0, 1, 2, 3, 4, 5, 6]


def test_the_offsets_of_a_recording_are_read_by_stream(tmp_path):
    path = write_stimuli(tmp_path / "a.xdf", np.zeros(60_000), 100.0, marker_times(5), drift=5e-5)
    test = measure(f"{path}?stream=words", 1)
    assert test.drift_ppm == pytest.approx(50, abs=0.01)
    assert test.seconds == pytest.approx(600, abs=0.01)
    with pytest.raises(SourceNotFound, match="2 streams could have clock offsets"):
        measure(str(path), 1)
    with pytest.raises(StreamMismatch, match="no clock"):
        measure("synthetic://", 1)
    (tmp_path / "b.edf").write_bytes(b"0       ")
    with pytest.raises(StreamMismatch, match="not begin as an XDF"):
        measure(str(tmp_path / "b.edf"), 1)


def test_a_clock_that_was_reset_in_a_recording_is_one_step(data_dir):
    test = measure(f"{data_dir}/device_files/xdf/clock_resets.xdf?stream=BioSemi", 1)
    assert 0 < test.seconds < 3600
    assert len(test.steps) == 1
    assert 0 < test.steps[0][0] < test.seconds
    assert abs(test.drift_ppm) < 20
