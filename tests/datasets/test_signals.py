"""Stretches of signal around trials: what is read, where breaks fall, and files that are not what was listed."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_mood.errors import MoodError
from realtime_mood.models.datasets.fixtures.files import played, write_edf, write_set
from realtime_mood.models.datasets.signals import RawSignal, head_of, stretches
from realtime_mood.models.datasets.trials import Span, Trial
from realtime_mood.sources.recordings.recording import Rows
from realtime_mood.types import Marker, StreamInfo

NAMES = ("Fp1", "C3", "O2")
INFO = StreamInfo(NAMES, 100.0)


@pytest.fixture(scope="module")
def signal() -> np.ndarray:
    x = played(9820, NAMES, 100.0, [("neutral", 40.0)])
    return x - x[0]


def test_trials_far_apart_are_read_one_by_one_and_near_ones_together():
    near, far = [Span(20, 30), Span(35, 50)], Span(200, 210)
    assert stretches([far, *near], 300.0, 10.0) == [(10.0, 50, tuple(near)), (190.0, 210, (far,))]
    assert stretches([Span(3, 9)], 8.5, 10.0) == [(0.0, 8.5, (Span(3, 9),))]
    assert stretches([], 8.5, 10.0) == []


def test_the_signal_of_a_trial_has_what_went_before(tmp_path, signal):
    path = tmp_path / "a.edf"
    write_edf(path, signal, NAMES, 100.0)
    source = RawSignal(path, reference="Cz")
    info, length, _ = source.info("a set")
    assert (info.ch_names, info.reference, info.virtual, length) == (NAMES, "Cz", True, 40.0)
    (segment,) = source.segments(info, [Span(22.0, 30.0, Trial(0, "x"))], lead_s=10.0)
    assert segment.signal.shape == (1800, 3)
    assert (segment.spans[0].start, segment.spans[0].stop) == (10.0, 18.0)
    np.testing.assert_allclose(segment.signal, signal[1200:3000], atol=0.1)


def test_events_count_stored_samples_where_a_file_has_breaks(monkeypatch, tmp_path, signal):
    """As EEGLAB's, whose events know nothing of what was cut out at a boundary."""
    index = np.r_[0:1000, 1500:4500]
    marks = [Marker(900, "a"), Marker(1200, "lost"), Marker(1600, "b")]
    monkeypatch.setattr(RawSignal, "open", lambda self: Rows(signal, index, NAMES, 100.0, markers=marks))
    assert RawSignal(tmp_path).info("a set")[1] == 40.0, "the length counts stored samples too"
    assert RawSignal(tmp_path).markers() == [(9.0, "a"), (10.0, "lost"), (11.0, "b")]
    spans = [Span(8.0, 10.0), Span(9.0, 11.0), Span(10.0, 12.0)]
    (segment,) = RawSignal(tmp_path).segments(INFO, spans)
    assert [(s.start, s.stop) for s in segment.spans] == [(8.0, 10.0), (9.0, 16.0), (15.0, 17.0)]
    np.testing.assert_array_equal(segment.signal[1500:1700], signal[1000:1200])
    assert np.isnan(segment.signal[1000:1500]).all()


def test_a_file_with_other_electrodes_than_listed_is_refused(tmp_path, signal):
    write_edf(tmp_path / "a.edf", signal, NAMES, 100.0)
    with pytest.raises(MoodError, match=r"3 channels at 100 Hz; 3 at 200 expected"):
        list(RawSignal(tmp_path / "a.edf").segments(StreamInfo(NAMES, 200.0), [Span(1, 2)]))


def test_a_missing_file_is_named(tmp_path):
    for call in (RawSignal(tmp_path / "a.edf").open, lambda: head_of(tmp_path / "a.set")):
        with pytest.raises(MoodError, match="its signal is not there"):
            call()


def test_a_table_of_one_column_an_electrode(tmp_path, signal):
    table = np.column_stack([np.arange(len(signal)), signal * 1e-3])
    np.savetxt(tmp_path / "a.csv", table, delimiter=";", header=";".join(("time", *NAMES)), comments="")
    source = RawSignal(tmp_path / "a.csv", units="mV", table_sfreq=100.0, delimiter=";")
    info, length, _ = source.info("a table")
    assert (info.ch_names, length) == (NAMES, 40.0)
    (segment,) = source.segments(info, [Span(0.0, float("inf"))])
    np.testing.assert_allclose(segment.signal, signal, atol=0.01)


@pytest.mark.parametrize("apart", [True, False])
def test_the_head_of_a_file_of_eeglab(tmp_path, signal, apart):
    places = {"Fp1": (-0.03, 0.08, 0.0), "C3": (-0.06, 0.0, 0.06)}
    write_set(tmp_path / "a.set", signal, NAMES, 100.0, places, apart=apart)
    head = head_of(tmp_path / "a.set")
    assert (head.labels, head.sfreq, head.length_s) == (NAMES, 100.0, 40.0)
    assert set(head.places) == set(places)
    assert np.allclose(head.places["C3"][0], -0.06, atol=0.03)
