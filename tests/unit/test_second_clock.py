"""Streams of a computer whose clock drifts and is set: coinciding events stay together in the recording."""

from __future__ import annotations

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pyxdf
from hypothesis import given
from hypothesis import strategies as st

from realtime_mood import clock, liblsl
from realtime_mood.auxiliary import STRING, AuxInfo
from realtime_mood.recording.xdf_session import XdfSession
from realtime_mood.sources.lsl.aux_stream import LslAuxStream
from realtime_mood.sources.lsl.sender_clock import ClockMeasurement, SenderClockWatch
from realtime_mood.sources.lsl.stream import Pull
from realtime_mood.types import StreamInfo

BEGIN_S, LASTS_S, TICK_S = 1000.0, 60.0, 0.1
STEP_AT_S = BEGIN_S + 31.37
DRIFT, OFFSET_S = 200e-6, -37.2
TOLERANCE_S = 0.002
NAMES = ("gaze", "text", "ours")


class SecondClock:
    """A clock that runs fast by `DRIFT`, and is set by `step` s once."""

    def __init__(self, step: float) -> None:
        self.step = step

    def __call__(self, t: np.ndarray | float) -> np.ndarray:
        t = np.asarray(t)
        return t * (1 + DRIFT) + OFFSET_S + np.where(t >= STEP_AT_S, self.step, 0.0)


class DistantInlet:
    """An inlet of a sender with such a clock; LSL measures it every 2 s, and takes 0.65 s for it."""

    def __init__(self, there: Callable[[Any], Any], sfreq: float, is_text: bool, time: list[float], seed: int) -> None:
        self.dtype, self.lost, self._there, self._time = object if is_text else np.float64, False, there, time
        self._noise = np.random.default_rng(seed)
        self._taken = BEGIN_S + np.arange(round(LASTS_S * (sfreq or 1.0))) / (sfreq or 1.0)
        self._arrives = self._taken + 0.001 + self._noise.uniform(0, 0.002, len(self._taken))
        self.correction = self.correct().correction

    def correct(self) -> ClockMeasurement:
        at = np.floor((self._time[0] - 0.65) / 2) * 2
        self.correction = float(at - self._there(at) + self._noise.uniform(-1e-4, 1e-4))
        return ClockMeasurement(float(self._there(at)), self.correction, 1e-4)

    def pull(self, timeout: float) -> Pull | None:
        n = int(np.searchsorted(self._arrives, self._time[0]))
        taken, self._taken, self._arrives = self._taken[:n], self._taken[n:], self._arrives[n:]
        if not n:
            return None
        rows = np.where(taken % 1 == 0, taken, 0.0)[:, None]
        texts = np.array([[b"%d" % row[0]] for row in rows], object)
        return Pull(texts if self.dtype is object else rows, self._there(taken), self._time[0])

    def close(self) -> None: ...


def recorded(step: float, monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, list[str]]:
    """Gaze and text of the second computer, gaze of ours, each with its events at whole seconds; and what was noted."""
    time, notes = [BEGIN_S], list[str]()
    monkeypatch.setattr(clock, "now", lambda: time[0])
    monkeypatch.setattr(liblsl, "pylsl", lambda: SimpleNamespace(local_clock=lambda: time[0]))
    session = XdfSession(StreamInfo(("C3",), 100.0, "planted"), {}, 0.0)
    there = SecondClock(step)
    parts, streams = [session.begin()], []
    for k, (name, sfreq, side) in enumerate(zip(NAMES, (50.0, 0.0, 50.0), (there, there, np.asarray), strict=True)):
        form = STRING if not sfreq else "double64"
        info = AuxInfo(f"lsl://{name}", name, "Gaze", ("event",), ("s",), sfreq, form)
        inlet = DistantInlet(side, sfreq, not sfreq, time, k)
        streams.append(LslAuxStream(inlet, info, sfreq, [], lambda silent: False, notes.append))  # type: ignore[arg-type]
    for now in np.arange(BEGIN_S, BEGIN_S + LASTS_S + 5, TICK_S):
        time[0] = now
        for stream in streams:
            while (chunk := stream.read(0.0)) is not None:
                parts.append(session.take_aux(stream.info, chunk))
    return b"".join([*parts, session.end()]), notes


@pytest.mark.parametrize("step", [0.03, 4.0, -0.03, -0.5, -40.0])
def test_events_of_a_computer_whose_clock_drifts_and_is_set_stay_together(
    step: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, notes = recorded(step, monkeypatch)
    monkeypatch.undo()
    assert notes == []
    for dejitter in (True, False):
        streams, _ = pyxdf.load_xdf(io.BytesIO(written), dejitter_timestamps=dejitter, verbose=False)
        events = {}
        for stream in streams:
            pairs = zip(stream["time_series"], stream["time_stamps"], strict=True)
            if stream["info"]["name"][0] in NAMES:
                events[stream["info"]["name"][0]] = [(float(row[0]), t) for row, t in pairs if float(row[0])]
        assert sorted(events) == sorted(NAMES)
        for found in events.values():
            taken, stamped = np.array(found).T
            np.testing.assert_array_equal(taken, BEGIN_S + np.arange(LASTS_S))
            np.testing.assert_allclose(stamped, taken, atol=TOLERANCE_S, rtol=0)


@given(
    st.lists(
        st.tuples(st.floats(0.5, 60), st.floats(-1, 1), st.sampled_from([0.0, 0.02, -0.5, 7.0, -90.0])), max_size=20
    ),
    st.floats(-DRIFT, DRIFT),
    st.floats(0, 0.005),
)
def test_the_followed_clock_has_no_steps_and_keeps_the_time(
    rounds: list[tuple[float, float, float]], drift: float, error: float
) -> None:
    watch, t, total = SenderClockWatch(ClockMeasurement(0.0, 0.0, error), 5.0), 0.0, 0.0
    for passed, off, step in rounds:
        t, total = t + passed, total + step
        there, before = t * (1 + drift) + total, watch.clock
        watch.measured(ClockMeasurement(there, t - there + off * error, error))
        assert watch.clock.at + watch.clock.offset == pytest.approx(t + 5.0 + off * error, abs=1e-6)
        allowed = 2 * error + 0.002 + 0.0012 * passed
        assert abs(watch.clock.offset - before.offset) <= allowed + (abs(step) if abs(step) <= 2 * allowed else 0.0)
