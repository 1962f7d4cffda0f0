"""An array and a Raw are read as the file would be that holds their samples."""

from __future__ import annotations

import sys
import warnings

import mne
import numpy as np
import pytest
from fakes import EIGHT, pink

import realtime_mood as rm
from realtime_mood.errors import ConfigError, StreamMismatch

SFREQ = 200.0


@pytest.fixture(scope="module")
def signal() -> np.ndarray:
    """(n_times, n_chans) µV."""
    return pink(2600, 8, seed=4).astype(np.float64)


def same(found: rm.ReadingTable, expected: rm.ReadingTable) -> None:
    assert len(found) == len(expected) > 40
    assert [repr(it) for it in found] == [repr(it) for it in expected]
    assert [it.probs for it in found] == [it.probs for it in expected]


@pytest.fixture(scope="module")
def edf(signal, tmp_path_factory):
    path = tmp_path_factory.mktemp("raw") / "subject.edf"
    info = mne.create_info(list(EIGHT), SFREQ, "eeg")
    raw = mne.io.RawArray(signal.T * 1e-6, info, verbose="ERROR")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mne.export.export_raw(path, raw, fmt="edf", verbose="ERROR")
    return path


def test_a_raw_is_read_as_its_file(edf):
    raw = mne.io.read_raw_edf(edf, verbose="ERROR")
    expected = rm.ReadingTable(rm.read(edf))
    same(rm.read_raw(raw), expected)
    same(rm.read_raw(raw.load_data(verbose="ERROR")), expected)
    values = raw.get_data()
    same(rm.read_array(values, SFREQ, raw.ch_names, "V"), expected)
    assert len(raw.ch_names) == 8  # it is left open, and as it was


def test_gaps_of_a_raw_are_gaps(signal):
    info = mne.create_info(list(EIGHT), SFREQ, "eeg")
    raw = mne.io.RawArray(signal.T * 1e-6, info, verbose="ERROR")
    raw.set_annotations(mne.Annotations([6.0], [1.0], ["BAD_ACQ_SKIP"]))
    gap = signal.copy()
    gap[1200:1400] = np.nan
    same(rm.read_raw(raw), rm.read_array(gap.T, SFREQ, EIGHT))
    assert rm.Why.GAP in {getattr(it, "why", None) for it in rm.read_raw(raw)}


def test_units_are_units(signal):
    same(rm.read_array(signal.T / 1e3, SFREQ, EIGHT, "mV"), rm.read_array(signal.T, SFREQ, EIGHT))


def test_a_table_has_a_row_for_each_reading(signal):
    table = rm.read_array(signal.T, SFREQ, EIGHT)
    rows, array, frame = table.to_dicts(), table.to_numpy(), table.to_data_frame()
    names = ["time", "status", "readout", "label", "confidence", "p_rest", "p_arithmetic", "quality", "coverage"]
    assert list(rows[0]) == list(array.dtype.names) == list(frame.columns) == [*names, "calibrated", "unfamiliarity"]
    assert array["time"].tolist() == [it.time for it in table] == frame["time"].tolist()
    assert array["status"][0] == "settling"
    assert np.isnan(array["confidence"][0])
    assert rows[-1]["status"] == ("estimate" if table[-1].label else table[-1].why.value)
    assert "effort" in repr(table)
    assert len(table[:3]) == 3
    empty = rm.ReadingTable([])
    assert (len(empty), empty.to_dicts(), empty.to_numpy().shape) == (0, [], (0,))


def test_without_pandas_it_says_what_there_is_instead(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigError, match="pip install pandas, or use to_numpy"):
        rm.ReadingTable([]).to_data_frame()


@pytest.mark.parametrize(
    ("array", "names", "unit", "words"),
    [
        (np.ones((8, 0)), EIGHT, "uV", r"shape is \(8, 0\)"),
        (np.ones((300, 8)), EIGHT, "uV", r"array\.T"),
        (np.ones(300), EIGHT, "uV", r"\(n_chans, n_times\)"),
        (np.ones((7, 300)), EIGHT, "uV", r"\(n_chans, n_times\)"),
        (np.full((8, 300), "x"), EIGHT, "uV", "real numbers"),
        (np.full((8, 300), np.nan), EIGHT, "uV", "no sample is finite"),
        (np.ones((8, 300)), EIGHT, "counts", "units='counts'"),
    ],
)
def test_arrays_of_another_shape_are_refused(array, names, unit, words):
    with pytest.raises(ConfigError, match=words):
        rm.read_array(array, SFREQ, names, unit)


def test_volts_taken_for_microvolts_are_refused(signal):
    with pytest.raises(StreamMismatch, match="EEG by"):
        rm.read_array(signal.T * 1e-6, SFREQ, EIGHT)
    with pytest.raises(StreamMismatch, match="no 10-05 name"):
        rm.read_array(signal.T, SFREQ, [f"X{k}" for k in range(8)])


def test_the_way_out_that_a_message_offers_works(signal):
    info = mne.create_info([*EIGHT[:-1], "X9"], SFREQ, "eeg")
    raw = mne.io.RawArray(signal.T, info, verbose="ERROR")  # µV taken for volts
    with pytest.raises(StreamMismatch, match="drop=X9"):
        rm.read_raw(raw)
    with pytest.raises(StreamMismatch, match="units=uV"):
        rm.read_raw(raw, drop=["X9"])
    with pytest.raises(StreamMismatch, match="drop=X9"):
        rm.read_array(signal.T, SFREQ, raw.ch_names)
    same(rm.read_raw(raw, drop=["X9"], units="uV"), rm.read_array(signal.T, SFREQ, raw.ch_names, drop=["X9"]))
    named = rm.read_raw(raw, channels=EIGHT, units="uV", reference="Cz")
    same(named, rm.read_array(signal.T, SFREQ, EIGHT, reference="Cz"))


def test_what_is_no_raw_is_refused():
    with pytest.raises(ConfigError, match="it is a ndarray"):
        rm.read_raw(np.zeros((8, 100)))
