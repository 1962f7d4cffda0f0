"""The delay of a stimulus after its marker, from files of several formats, with missing and additional events."""

from __future__ import annotations

import mne
import numpy as np
import pytest
from planted_stimuli import beeps, light, marker_times, write_stimuli

from realtime_mood.errors import ConfigError, SourceNotFound, StreamMismatch
from realtime_mood.timing_tests.onsets import OnsetOptions, evaluate, read_trace
from realtime_mood.timing_tests.page import as_object, page, problems, rows
from realtime_mood.timing_tests.trace import Trace, sample_times

SFREQ, SECONDS, DELAY_S = 500.0, 60.0, 0.0235


@pytest.fixture(scope="module")
def planted():
    """Markers; the onset of each, with a jitter of 2 ms; one is missing, two are additional."""
    markers = marker_times(60, seed=2)
    onsets = markers + DELAY_S + np.random.default_rng(3).normal(0, 0.002, 60)
    return markers, onsets, np.sort(np.r_[np.delete(onsets, 20), markers[[5, 30]] + 0.3])


def check(test, planted):
    assert (test.markers, test.onsets, test.missed, test.extra, test.outside) == (60, 61, 1, 2, 0)
    assert test.delay.median_ms == pytest.approx(1e3 * DELAY_S, abs=1.0)
    true = np.delete(planted[1] - planted[0], 20)
    assert test.delay.jitter_ms == pytest.approx(1e3 * np.ptp(np.percentile(true, (5, 95))), abs=1.0)
    assert test.trend_ci[0] - 1 < 0 < test.trend_ci[1] + 1


@pytest.mark.parametrize("drift", [0.0, 2e-4])
def test_xdf_with_markers_of_a_clock_that_drifts(tmp_path, planted, drift):
    markers, _, seen = planted
    path = write_stimuli(tmp_path / "a.xdf", light(seen, SECONDS, SFREQ), SFREQ, markers, drift)
    for channel in ("Photo", "2"):
        check(evaluate(read_trace(str(path), channel, "", 1), OnsetOptions(), "a"), planted)
    only = evaluate(
        read_trace(f"playback://{path}?stream=aux", "photo", "words", 1), OnsetOptions(only="flash 1*"), "a"
    )
    assert only.markers == 11
    with pytest.raises(StreamMismatch, match=r"no channel is called 'Foto'; there are ECG, Photo"):
        read_trace(str(path), "Foto", "", 1)
    with pytest.raises(SourceNotFound, match="no stream is called 'keys'; there are 'words'"):
        read_trace(str(path), "Photo", "keys", 1)
    with pytest.raises(SourceNotFound, match=r"no marker like 'beep\*' among flash 0"):
        evaluate(read_trace(str(path), "Photo", "", 1), OnsetOptions(only="beep*"), "a")
    with pytest.raises(StreamMismatch, match=r"channel 'ECG' of a · its signal has no two distinct levels"):
        evaluate(read_trace(str(path), "ECG", "", 1), OnsetOptions(), "a")


def test_a_file_of_mne_with_annotations_and_a_trigger_channel(tmp_path, planted):
    markers, _, seen = planted
    codes = np.zeros(round(SECONDS * SFREQ))
    for at in markers:
        codes[round(at * SFREQ) : round(at * SFREQ) + 5] = 7
    info = mne.create_info(["Cz", "Photo", "STI"], SFREQ, ["eeg", "misc", "stim"], verbose="ERROR")
    raw = mne.io.RawArray([codes, light(seen, SECONDS, SFREQ), codes], info, first_samp=1000, verbose="ERROR")
    raw.set_annotations(mne.Annotations(markers, 0, "flash"), verbose="ERROR")
    raw.save(path := tmp_path / "a_raw.fif", verbose="ERROR")
    by_note = evaluate(read_trace(str(path), "Photo", "", 1), OnsetOptions(), "a")
    by_code = evaluate(read_trace(str(path), "Photo", "STI", 1), OnsetOptions(only="7"), "a")
    check(by_note, planted)
    check(by_code, planted)


def test_sound_and_an_electrode_of_a_played_table(tmp_path, planted):
    markers, _, seen = planted
    test = evaluate(Trace(np.arange(8000 * 60) / 8000, beeps(seen, 60, 8000.0), 8000.0,
                          tuple((at, "beep") for at in markers), "mic"), OnsetOptions(signal="sound"), "a")  # fmt: skip
    check(test, planted)
    noise = np.random.default_rng(0).normal(size=30_000)
    rows_of_file = np.c_[np.arange(30_000) / SFREQ, 100 * light(seen, SECONDS, SFREQ), 100 * noise]
    marks = np.zeros(30_000, int)
    marks[np.round(markers * SFREQ).astype(int)] = 1
    lines = [f"{t:.3f},{a:.3f},{b:.3f},{m}" for (t, a, b), m in zip(rows_of_file, marks, strict=True)]
    (path := tmp_path / "muse.csv").write_text("timestamps,TP9,AF7,Marker0\n" + "\n".join(lines))
    check(evaluate(read_trace(str(path), "TP9", "", 1), OnsetOptions(), "a"), planted)
    with pytest.raises(ConfigError, match="markers of its own"):
        read_trace(str(path), "TP9", "STI", 1)


def test_a_gap_hides_markers_that_are_then_not_missed(planted):
    markers, onsets, _ = planted
    times = np.arange(round(SECONDS * SFREQ)) / SFREQ
    values = light(onsets, SECONDS, SFREQ)
    kept = (times < markers[30] - 0.2) | (times > markers[31] + 0.2)
    trace = Trace(times[kept], values[kept], SFREQ, tuple((at, "x") for at in [0.01, *markers]), "Photo")
    test = evaluate(trace, OnsetOptions(), "a")
    assert (test.markers, test.missed, test.extra, test.outside) == (58, 0, 0, 3)


def test_samples_that_could_not_be_read_are_a_gap(tmp_path, planted):
    markers, onsets, _ = planted
    values = light(onsets, SECONDS, SFREQ)
    values[(np.arange(len(values)) / SFREQ > markers[30] - 0.2) & (np.arange(len(values)) / SFREQ < markers[31])] = (
        np.nan
    )
    trace = read_trace(str(write_stimuli(tmp_path / "a.xdf", values, SFREQ, markers)), "Photo", "", 1)
    for options in (OnsetOptions(), OnsetOptions(flicker_hz=60.0)):
        test = evaluate(trace, options, "a")
        assert (test.markers, test.missed, test.extra) == (58, 0, 0)


def test_two_clocks_that_drift_apart_and_regular_intervals_are_named():
    markers = 2.0 + 0.4 * np.arange(140)
    onsets = markers + 0.05 + 1e-4 * (markers - 30)
    trace = Trace(np.arange(60_000) / 1000, light(onsets, 60, 1000.0), 1000.0, tuple((at, "x") for at in markers), "P")
    test = evaluate(trace, OnsetOptions(), "a")
    assert test.trend_ms_per_min == pytest.approx(6.0, abs=0.2)
    text = " ".join(problems(test))
    assert "drift apart" in text
    assert "make the intervals irregular" in text


def test_a_result_is_shown_as_rows_json_and_a_page(planted):
    markers, _, seen = planted
    trace = Trace(np.arange(30_000) / SFREQ, light(seen, SECONDS, SFREQ), SFREQ, tuple((t, "x") for t in markers), "P")
    test = evaluate(trace, OnsetOptions(), "<a>")
    table = {row.what: row.value for row in rows(test)}
    assert (table["missed"], table["extra"]) == ("1", "2")
    found = as_object(test)
    assert found["delay"]["median_ms"] == pytest.approx(1e3 * DELAY_S, abs=1)
    assert not found["good"]
    text = page(test)
    assert "1 of 60 markers have no onset." in text
    assert text.count("<svg") == 2
    assert "<a>" not in text


def test_the_beginning_of_sound_is_all_that_can_be_asked_of_it():
    with pytest.raises(ConfigError, match="only the begin"):
        OnsetOptions(signal="sound", edge="fall")


def test_jitter_of_stamps_is_averaged_out_and_slow_drift_followed():
    rng = np.random.default_rng(0)
    index = np.arange(0, 150_000)
    true = 10 + index / 250 + 3e-3 * np.sin(index / 250 / 300)
    at = index[24::25]
    times = sample_times(index, at, true[at] + rng.normal(0, 4e-3, len(at)), 250.0)
    assert np.abs(times - true).max() < 2e-3
    assert np.median(np.abs(times - true)) < 4e-4
    lone = sample_times(np.arange(3), np.array([2]), np.array([5.0]), 100.0)
    assert lone == pytest.approx([4.98, 4.99, 5.0])


def test_a_source_without_an_end_is_read_for_the_time_asked_for():
    trace = read_trace("synthetic://?n_chans=4&speed=max", "Fp1", "", 3.0)
    assert 3 <= len(trace.values) / trace.sfreq < 5
