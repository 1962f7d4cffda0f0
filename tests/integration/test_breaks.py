"""Breaks that files state, and channels of other rates: every sample at its index, every lost one counted."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mne
import numpy as np
import pytest
from broken_off import (
    edf_channels,
    write_cnt,
    write_discontinuous,
    write_edf_plus,
    write_gdf,
    write_mff,
    write_nihon_kohden,
    write_persyst,
    write_segments,
    write_set,
)
from recordings import CH_NAMES, counting
from test_recordings import data, indices, play

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import StreamMismatch
from realtime_mood.models.datasets.corpus import _stretches as stretches_of
from realtime_mood.models.datasets.recordings import PreparationJob
from realtime_mood.sources import open_source
from realtime_mood.sources.recordings.breaks import stated_breaks
from realtime_mood.sources.recordings.timeline import Break

SFREQ = 200
STORED = 30 * SFREQ
BREAK = 8 * SFREQ
"""The stored sample before which 15 s are missing."""
LOST = 15 * SFREQ
LATE = STORED - 100
"""The stored sample at which something happens, after the break."""
ASSUMED = SFREQ
"""Samples that a break of unknown length counts as."""


def write_two_stretches(path: Path, signal: np.ndarray) -> None:
    write_discontinuous(path, signal, SFREQ, BREAK // SFREQ)


def write_eeglab_boundary(path: Path, signal: np.ndarray) -> None:
    write_set(path, signal, SFREQ, [("boundary", BREAK + 0.5, LOST), ("late", LATE + 1.0, 1.0)])


def write_two_segments(path: Path, signal: np.ndarray) -> None:
    write_segments(path, signal, SFREQ, [(0, "20240131235950000000"), (BREAK, "20240201000013000000")])


def write_sample_times(path: Path, signal: np.ndarray) -> None:
    """Given again once without a break, a drift of 1 ms aside, and past midnight after it."""
    write_persyst(path, signal, SFREQ, [(0, 86380.0), (BREAK // 2, 86384.001), (BREAK, 86403.0), (3000, 86410.0)])


def write_after_midnight(path: Path, signal: np.ndarray) -> None:
    write_persyst(path, signal, SFREQ, [(0, 86380.0), (BREAK, 3.0)])


def write_two_blocks(path: Path, signal: np.ndarray) -> None:
    blocks = [(signal[:BREAK], bytes.fromhex("240131235950")), (signal[BREAK:], bytes.fromhex("240201000013"))]
    write_nihon_kohden(path, blocks, SFREQ)


def with_filler(signal: np.ndarray) -> np.ndarray:
    """The whole time, with zeros in the break, as FIF has it."""
    return np.concatenate((signal[:BREAK], np.zeros((LOST, 4)), signal[BREAK:]))


def write_skip(path: Path, signal: np.ndarray, first: int = 0) -> None:
    info = mne.create_info(CH_NAMES, SFREQ, "eeg")
    raw = mne.io.RawArray(with_filler(signal).T * 1e-6, info, first_samp=first, verbose="ERROR")
    onsets = [BREAK / SFREQ, (LATE + LOST) / SFREQ]
    raw.set_annotations(mne.Annotations(onsets, [LOST / SFREQ, 0.0], ["BAD_ACQ_SKIP", "late"]))
    raw.save(path, fmt="double", verbose="ERROR")


def write_skip_from_sample_1000(path: Path, signal: np.ndarray) -> None:
    write_skip(path, signal, first=1000)


def write_fif_of_eeglab(path: Path, signal: np.ndarray) -> None:
    write_eeglab_boundary(path.with_name("a.set"), signal)
    raw = mne.io.read_raw(path.with_name("a.set"), verbose="ERROR")
    raw.save(path, fmt="double", verbose="ERROR")


@dataclass(frozen=True)
class Stated:
    """A format that says how long its break is."""

    name: str
    write: Callable[[Path, np.ndarray], None]
    late: str = "late"
    within: float = 1e-3


STATED = [
    Stated("a.edf", write_two_stretches),
    Stated("a.bdf", write_two_stretches),
    Stated("a.set", write_eeglab_boundary),
    Stated("a.vhdr", write_two_segments, "Stimulus/S  1"),
    Stated("a.lay", write_sample_times),
    Stated("a.lay", write_after_midnight),
    Stated("a.eeg", write_two_blocks, "", within=0.06),
    Stated("a_raw.fif", write_skip),
    Stated("a_raw.fif", write_skip_from_sample_1000),
    Stated("b_raw.fif", write_fif_of_eeglab),
]


@pytest.mark.parametrize("stated", STATED, ids=lambda stated: f"{stated.name}-{stated.write.__name__}")
def test_a_stated_break_is_a_gap_of_its_length(tmp_path: Path, stated: Stated) -> None:
    signal = counting(30.0, SFREQ) % 1000
    stated.write(tmp_path / stated.name, signal)
    info, chunks = play(f"playback://{tmp_path / stated.name}")
    assert (info.ch_names, info.sfreq, info.notes) == (tuple(CH_NAMES), SFREQ, ())
    np.testing.assert_array_equal(indices(chunks), np.r_[0:BREAK, BREAK + LOST : STORED + LOST])
    np.testing.assert_allclose(data(chunks), signal, atol=stated.within)
    assert sum(chunk.lost for chunk in chunks) == LOST
    markers = {(m.index, m.text) for chunk in chunks for m in chunk.markers}
    assert not stated.late or (LATE + LOST, stated.late) in markers


def test_an_mff_file_pauses_for_as_long_as_its_epochs_say(tmp_path: Path) -> None:
    pytest.importorskip("mffpy", reason="mffpy is not installed: MNE reads .mff files with it")
    signal = counting(30.0, SFREQ) % 1000
    write_mff(tmp_path / "a.mff", [signal[:BREAK], signal[BREAK:]], SFREQ, LOST // SFREQ)
    _, chunks = play(f"playback://{tmp_path / 'a.mff'}?channels={','.join(CH_NAMES)}")
    np.testing.assert_array_equal(indices(chunks), np.r_[0:BREAK, BREAK + LOST : STORED + LOST])
    np.testing.assert_allclose(data(chunks), signal, atol=1e-3)


def write_two_joined(path: Path, signal: np.ndarray) -> None:
    info = mne.create_info(CH_NAMES, SFREQ, "eeg")
    parts = [mne.io.RawArray(part.T * 1e-6, info, verbose="ERROR") for part in (signal[:BREAK], signal[BREAK:])]
    mne.concatenate_raws(parts, verbose="ERROR").save(path, fmt="double", verbose="ERROR")


def write_segments_without_stamps(path: Path, signal: np.ndarray) -> None:
    write_segments(path, signal, SFREQ, [(0, "00000000000000000000"), (BREAK, "")])


def write_segment_set_back(path: Path, signal: np.ndarray) -> None:
    write_segments(path, signal, SFREQ, [(0, "20240201000013000000"), (BREAK, "20240131235950000000")])


def write_boundary_of_no_length(path: Path, signal: np.ndarray) -> None:
    write_set(path, signal, SFREQ, [("boundary", BREAK + 0.5, float("nan")), ("boundary", 0.5, 50.0)])


def write_boundary_99(path: Path, signal: np.ndarray) -> None:
    write_set(path, signal, SFREQ, [(-99, BREAK + 0.5, 0.0)])


def write_new_epoch(path: Path, signal: np.ndarray) -> None:
    status = np.full(STORED, 0x1000FF)
    status[0:3] |= 1 << 16
    status[BREAK : BREAK + 3] |= 1 << 16
    channels = [*edf_channels(signal, SFREQ), ("Status", status, SFREQ)]
    write_edf_plus(path, channels, [""] * 30, kind="", transducer="Triggers and Status")


def write_gdf_segment(path: Path, signal: np.ndarray) -> None:
    write_gdf(path, edf_channels(signal, SFREQ), 30, [(0, 32766), (BREAK, 32766), (LATE, 769)])


def write_cnt_discontinuity(path: Path, signal: np.ndarray) -> None:
    """A key, and the accepted and rejected stretches beside it, are no breaks."""
    write_cnt(path, signal, SFREQ, [(50, 3, 0), (600, 0, 12), (800, 0, 13), (BREAK, 0, 14)])


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.cnt", write_cnt_discontinuity),
        ("a_raw.fif", write_two_joined),
        ("a.vhdr", write_segments_without_stamps),
        ("a.vhdr", write_segment_set_back),
        ("a.set", write_boundary_of_no_length),
        ("a.set", write_boundary_99),
        ("a.bdf", write_new_epoch),
        ("a.gdf", write_gdf_segment),
    ],
)
def test_a_break_of_unknown_length_counts_as_a_second_and_is_noted(
    tmp_path: Path, name: str, write: Callable[[Path, np.ndarray], None]
) -> None:
    signal = counting(30.0, SFREQ) % 1000
    write(tmp_path / name, signal)
    info, chunks = play(f"playback://{tmp_path / name}")
    np.testing.assert_array_equal(indices(chunks), np.r_[0:BREAK, BREAK + ASSUMED : STORED + ASSUMED])
    np.testing.assert_allclose(data(chunks), signal, atol=1e-3)
    assert info.notes == ("1 break of unknown length: each counts as 1 s",)


def test_pauses_of_ant_files_are_breaks(tmp_path: Path) -> None:
    """As MNE annotates them; nothing but ANT's own programs writes such files."""
    (tmp_path / "a.cnt").write_bytes(b"RIFF")
    raw = mne.io.RawArray(np.zeros((4, STORED)), mne.create_info(CH_NAMES, SFREQ, "eeg"), verbose="ERROR")
    words = {"impedance": 0.0, "BAD_disconnection": 2.0, "Amplifier disconnected": 0.0, "Amplifier reconnected": 0.0}
    words |= {"__": 0.0}
    raw.set_annotations(mne.Annotations(np.arange(5, 30, 5), list(words.values()), list(words)))
    found = stated_breaks(tmp_path / "a.cnt", raw, SFREQ)
    unknown = [Break(at * SFREQ, None) for at in (5, 20, 25)]
    assert found == [unknown[0], Break(10 * SFREQ, 0, 2 * SFREQ), *unknown[1:]]


def test_a_boundary_near_the_end_keeps_its_length(tmp_path: Path) -> None:
    write_set(tmp_path / "a.set", counting(30.0, SFREQ) % 1000, SFREQ, [("boundary", STORED - 10 + 0.5, LOST)])
    _, chunks = play(f"playback://{tmp_path / 'a.set'}")
    assert sum(chunk.lost for chunk in chunks) == LOST


@pytest.mark.parametrize(
    ("begins", "record_s", "lost"),
    [
        ([f"{0.25 + i + (1.0025 if i > 4 else 0)}" for i in range(10)], 1.0, 200),  # half a sample more is none
        ([f"{i + (0.0051 if i > 4 else 0):.4f}" for i in range(10)], 1.0, 1),
        ([f"{i * 0.03:.1f}" for i in range(10)], 0.03, 0),  # written less exactly than a record is long
        ([f"{i * 1.001:.3f}" for i in range(10)], 1.0, 2),  # a slow clock: 9 ms in all
        (["0", "1", *(f"{i + 200_000}" for i in range(2, 10))], 1.0, 200_000 * SFREQ),  # the day after the next
        (["", "", *(f"{i}" for i in range(2, 10))], 1.0, 0),
        ([f"{i}" for i in range(5)] + [""] + [f"{i + 3}" for i in range(6, 10)], 1.0, 600),
    ],
)
def test_records_begin_when_they_say(tmp_path: Path, begins: list[str], record_s: float, lost: int) -> None:
    rate = round(record_s * SFREQ)
    signal = counting(10.0, SFREQ)
    write_edf_plus(tmp_path / "a.edf", edf_channels(signal, rate), begins, record_s=record_s)
    info, chunks = play(f"playback://{tmp_path / 'a.edf'}")
    assert sum(chunk.lost for chunk in chunks) == lost
    np.testing.assert_array_equal(data(chunks), signal[: 10 * rate])
    assert info.notes == ()


@pytest.mark.parametrize("begins", [["0", "1", "2", "2.5", "3.5"], ["0", "10", "20", "5", "6"]])
def test_records_that_overlap_or_go_back_are_refused(tmp_path: Path, begins: list[str]) -> None:
    channels = edf_channels(counting(5.0, SFREQ), SFREQ)
    write_edf_plus(tmp_path / "a.edf", channels, begins)
    with pytest.raises(StreamMismatch, match=r"record 3, at (2\.5|5) s") as said:
        open_source(f"playback://{tmp_path / 'a.edf'}").open()
    assert "EDFbrowser" in str(said.value)
    write_edf_plus(tmp_path / "b.edf", channels, begins, kind="+C")
    info, chunks = play(f"playback://{tmp_path / 'b.edf'}")
    assert sum(chunk.lost for chunk in chunks) == 0
    assert "continuous" in info.notes[0]


def test_annotations_of_a_discontinuous_file_keep_their_time_and_words(tmp_path: Path) -> None:
    begins = [f"{100.5 + i + (5 if i > 1 else 0)}" for i in range(4)]
    notes = [
        (0, b"+103\x14in the break\x14"),
        (1, "+100.5\x152\x14Grüße\x14zwei\x14".encode("latin-1")),
        (2, b"+108\x14after@@C3\x14"),
    ]
    write_edf_plus(tmp_path / "a.edf", edf_channels(counting(4.0, SFREQ), SFREQ), begins, notes=notes)
    _, chunks = play(f"playback://{tmp_path / 'a.edf'}")
    markers = [(m.index, m.text) for chunk in chunks for m in chunk.markers]
    assert markers == [(0, "Grüße"), (0, "zwei"), (500, "in the break"), (1500, "after")]
    _, chunks = play(f"playback://{tmp_path / 'a.edf'}?start=3")
    assert [(m.index, m.text) for chunk in chunks for m in chunk.markers] == [(900, "after")]


def test_breaks_that_a_continuous_file_states_are_kept_and_noted(tmp_path: Path) -> None:
    begins = ["0", "1", "4", "5"]
    write_edf_plus(tmp_path / "a.edf", edf_channels(counting(4.0, SFREQ), SFREQ), begins, kind="+C")
    info, chunks = play(f"playback://{tmp_path / 'a.edf'}")
    assert sum(chunk.lost for chunk in chunks) == 2 * SFREQ
    assert "continuous" in info.notes[0]


def test_training_pieces_end_at_a_break(tmp_path: Path) -> None:
    signal = counting(30.0, SFREQ) % 1000
    write_two_stretches(tmp_path / "a.edf", signal)
    write_two_joined(tmp_path / "b_raw.fif", signal)
    spec = FeatureSpec()
    for name in ("a.edf", "b_raw.fif"):
        session = PreparationJob("file", name, name, "a", "made", str(tmp_path / name)).read()
        stretches = [at for piece in session.pieces for at in stretches_of(piece, SFREQ, spec)]
        assert [at.stop - at.start for at in stretches] == [BREAK, STORED - BREAK]


def test_a_discontinuous_file_without_times_is_noted(tmp_path: Path) -> None:
    write_edf_plus(tmp_path / "a.edf", edf_channels(counting(4.0, SFREQ), SFREQ), [""] * 4)
    info, chunks = play(f"playback://{tmp_path / 'a.edf'}")
    assert sum(chunk.lost for chunk in chunks) == 0
    assert "discontinuous" in info.notes[0]


# -- channels of other rates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.edf", "a.bdf", "a.gdf"])
def test_a_faster_channel_that_is_not_read_changes_nothing(tmp_path: Path, name: str) -> None:
    signal, ecg = counting(12.0, SFREQ), np.arange(12 * 4 * SFREQ) % 1000
    channels = [*edf_channels(signal, SFREQ), ("ECG", ecg, 4 * SFREQ)]
    if name == "a.gdf":
        write_gdf(tmp_path / name, channels, 12)
    else:
        write_edf_plus(tmp_path / name, channels, [str(i) for i in range(12)], kind="+C")
    info, chunks = play(f"playback://{tmp_path / name}")
    assert (info.ch_names, info.sfreq) == (tuple(CH_NAMES), SFREQ)
    np.testing.assert_allclose(data(chunks), signal, atol=1e-3)


def test_dropping_the_faster_electrode_reads_the_others_as_they_are(tmp_path: Path) -> None:
    signal = counting(12.0, SFREQ)
    channels = [("O1", np.arange(12 * 2 * SFREQ) % 500, 2 * SFREQ), *edf_channels(signal, SFREQ)]
    write_edf_plus(tmp_path / "a.edf", channels, [str(i) for i in range(12)], kind="+C")
    with pytest.raises(StreamMismatch, match=r"several sampling rates.*O1 not the others' 200 Hz.*drop=O1"):
        open_source(f"playback://{tmp_path / 'a.edf'}").open()
    info, chunks = play(f"playback://{tmp_path / 'a.edf'}?drop=O1")
    assert (info.ch_names, info.sfreq) == (tuple(CH_NAMES), SFREQ)
    np.testing.assert_array_equal(data(chunks), signal)


def test_a_gdf_file_whose_eeg_stands_behind_a_faster_channel_is_refused(tmp_path: Path) -> None:
    channels = [("ECG", np.arange(12 * 4 * SFREQ) % 1000, 4 * SFREQ), *edf_channels(counting(12.0, SFREQ), SFREQ)]
    write_gdf(tmp_path / "a.gdf", channels, 12)
    with pytest.raises(StreamMismatch, match="convert it to EDF"):
        open_source(f"playback://{tmp_path / 'a.gdf'}").open()


def test_channels_of_one_name_are_read_as_they_are_called(tmp_path: Path) -> None:
    """MNE numbers them, in their order in the file."""
    signal, fast = counting(12.0, SFREQ), np.arange(12 * 4 * SFREQ) % 1000
    channels = [("X", fast, 4 * SFREQ), *edf_channels(signal, SFREQ), ("X", fast, 4 * SFREQ)]
    write_edf_plus(tmp_path / "a.edf", channels, [str(i) for i in range(12)], kind="+C")
    _, chunks = play(f"playback://{tmp_path / 'a.edf'}?drop=X-0,X-1")
    np.testing.assert_array_equal(data(chunks), signal)


@pytest.mark.filterwarnings("always")
def test_what_mne_warns_of_while_a_thread_reads_is_not_heard(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_edf_plus(tmp_path / "a.edf", edf_channels(counting(12.0, SFREQ), SFREQ), [str(i) for i in range(12)])
    read = mne.io.BaseRaw.__getitem__

    def warning(raw: mne.io.BaseRaw, item: object) -> object:
        mne.utils.warn("edge artifacts")
        np.float64(1e300).astype(np.float32)
        return read(raw, item)

    stream = open_source(f"playback://{tmp_path / 'a.edf'}?speed=max").open()
    monkeypatch.setattr(mne.io.BaseRaw, "__getitem__", warning)
    thread = threading.Thread(target=lambda: [stream.read(1.0) for _ in range(10)])
    thread.start()
    thread.join()
    stream.close()
    assert capfd.readouterr() == ("", "")


def test_a_date_changes_no_place(tmp_path: Path) -> None:
    """Annotations of a FIF file with a date count from it, others from the first sample."""
    info = mne.create_info(CH_NAMES, SFREQ, "eeg")
    signal = counting(4.0, SFREQ)
    for date in (None, datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)):
        raw = mne.io.RawArray(signal.T * 1e-6, info, first_samp=500, verbose="ERROR")
        raw.set_meas_date(date)
        raw.set_annotations(mne.Annotations([2.0], [0.0], ["a key"]))
        raw.save(tmp_path / "a_raw.fif", overwrite=True, verbose="ERROR")
        _, chunks = play(f"playback://{tmp_path / 'a_raw.fif'}")
        assert [(m.index, m.text) for chunk in chunks for m in chunk.markers] == [(400, "a key")]


def test_annotations_outside_the_signal_are_left_out_and_counted(tmp_path: Path) -> None:
    signal = counting(30.0, SFREQ) % 1000
    notes = [(0, f"{at:+g}\x14word\x14".encode()) for at in (-3, 2, 1000)]
    begins = [str(second) for second in range(30)]
    write_edf_plus(tmp_path / "a.edf", edf_channels(signal, SFREQ), begins, notes=notes, kind="+C")
    write_segments(tmp_path / "a.vhdr", signal, SFREQ, [])
    with (tmp_path / "a.vmrk").open("a") as f:
        f.write("Mk2=Comment,word,401,1,0\nMk3=Comment,word,90000,1,0\nMk4=Comment,word,-500,1,0\n")
    write_set(tmp_path / "a.set", signal, SFREQ, [("word", 401.0, 1.0), ("word", 90_000.0, 1.0)])
    for name, n in (("a.edf", 2), ("a.vhdr", 2), ("a.set", 1)):
        info, chunks = play(f"playback://{tmp_path / name}")
        assert info.notes == (f"{n} marker{'s' * (n > 1)} before or after the signal left out",)
        assert [m.index for chunk in chunks for m in chunk.markers if "word" in m.text] == [400]


def test_a_gdf_file_that_says_more_events_than_it_holds_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    signal = counting(30.0, SFREQ) % 1000
    write_gdf(tmp_path / "a.gdf", edf_channels(signal, SFREQ), 30, [(BREAK, 769)])
    whole = bytearray((tmp_path / "a.gdf").read_bytes())
    assert int.from_bytes(whole[-13:-10], "little") == 1  # a table of 14 bytes: mode, count, rate, the event
    whole[-13:-10] = b"\xff\xff\xff"
    (tmp_path / "a.gdf").write_bytes(whole)
    with pytest.raises(StreamMismatch, match="says 16777215 events and holds at most 1"):
        play(f"playback://{tmp_path / 'a.gdf'}")


@pytest.mark.parametrize("name", ["COUNTER", "EEG.Counter"])
@pytest.mark.parametrize("lost", [0, 1, 40])
def test_packages_missing_by_the_counter_in_an_edf_file_are_counted(tmp_path: Path, name: str, lost: int) -> None:
    """As Emotiv's programs write it: 0 to 128 beside the electrodes."""
    signal = counting(30.0, SFREQ) % 1000
    counter = (np.arange(STORED) + 12 + lost * (np.arange(STORED) >= BREAK)) % 129
    channels = [(name, counter, SFREQ), *edf_channels(signal, SFREQ)]
    write_edf_plus(tmp_path / "a.edf", channels, [str(second) for second in range(30)], kind="+C")
    info, chunks = play(f"playback://{tmp_path / 'a.edf'}")
    assert info.ch_names == tuple(CH_NAMES)
    np.testing.assert_array_equal(indices(chunks), np.r_[0:BREAK, BREAK + lost : STORED + lost])
    np.testing.assert_allclose(data(chunks), signal, atol=1e-3)


def test_a_channel_that_only_bears_the_name_of_a_counter_breaks_nothing(tmp_path: Path) -> None:
    signal = counting(30.0, SFREQ) % 1000
    trial = np.arange(STORED) // 300
    channels = [("COUNTER", trial, SFREQ), *edf_channels(signal, SFREQ)]
    write_edf_plus(tmp_path / "a.edf", channels, [str(second) for second in range(30)], kind="+C")
    assert sum(chunk.lost for chunk in play(f"playback://{tmp_path / 'a.edf'}")[1]) == 0
