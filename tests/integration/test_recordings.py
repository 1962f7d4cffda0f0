"""Files as programs write them: every sample at its index, every lost one counted, every damage said."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from fakes import drain
from recordings import (
    CH_NAMES,
    GAPPY,
    NAMED,
    XDF_DESC,
    counting,
    write_mind_monitor,
    write_muse,
    write_openbci_v6,
    write_xdf,
    xdf_chunk,
    xdf_header,
    xdf_samples,
)

from realtime_mood import clock
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, MoodError, SourceNotFound, StreamMismatch
from realtime_mood.sources import open_source
from realtime_mood.types import Chunk, StreamInfo

EIGHT = "channels=Fp1,Fp2,C3,C4,P7,P8,O1,O2"
LOST = (range(401, 402), range(900, 912), range(1500, 2200))
"""One sample, a packet of a Muse, and more than a counter of one byte can tell."""


def play(url: str) -> tuple[StreamInfo, list[Chunk]]:
    stream = open_source(f"{url}&speed=max" if "?" in url else f"{url}?speed=max").open()
    chunks = drain(stream)
    assert all(after.first == before.end + after.lost for before, after in pairwise(chunks))
    return stream.info, chunks


def indices(chunks: list[Chunk]) -> np.ndarray:
    return np.concatenate([np.arange(chunk.first, chunk.end) for chunk in chunks])


def data(chunks: list[Chunk]) -> np.ndarray:
    return np.concatenate([chunk.data for chunk in chunks])


def gappy(sfreq: float) -> tuple[np.ndarray, np.ndarray]:
    """Signal less what was lost, and the index of each row."""
    truth = counting(20.0, sfreq)
    index = np.setdiff1d(np.arange(len(truth)), np.concatenate([list(hole) for hole in LOST]))
    return truth[index], index


@pytest.mark.parametrize("name", GAPPY)
def test_every_sample_is_at_its_index_and_every_lost_one_is_counted(tmp_path: Path, name: str) -> None:
    query, sfreq, said, write = GAPPY[name]
    rows, index = gappy(sfreq)
    write(tmp_path / name, rows, sfreq, index)
    info, chunks = play(f"playback://{tmp_path / name}?{query}")
    assert (info.ch_names, info.sfreq, info.virtual) == (tuple(CH_NAMES), sfreq, False)
    offset = {"mind_monitor.csv": 850, "openvibe.zip": 4200}.get(name, 0)
    np.testing.assert_array_equal(indices(chunks), index)
    np.testing.assert_allclose(data(chunks), rows + offset, atol=1e-3)
    assert sum(chunk.lost for chunk in chunks) == sum(len(hole) for hole in LOST)
    markers = {(m.index, m.text) for chunk in chunks for m in chunk.markers}
    assert not said or (700, said) in markers


@pytest.mark.parametrize("name", GAPPY)
def test_start_stop_and_loop_keep_to_the_recordings_time(tmp_path: Path, name: str) -> None:
    query, sfreq, _, write = GAPPY[name]
    rows, index = gappy(sfreq)
    write(tmp_path / name, rows, sfreq, index)
    start, stop = round(2 * sfreq), round(7 * sfreq)
    _, chunks = play(f"playback://{tmp_path / name}?{query}&start=2&stop=7")
    np.testing.assert_array_equal(indices(chunks), index[(index >= start) & (index < stop)] - start)
    stream = open_source(f"playback://{tmp_path / name}?{query}&start=2&stop=7&loop=1&speed=max").open()
    turns = [chunk for _ in range(3 * len(chunks)) if (chunk := stream.read(1.0))]
    stream.close()
    assert all(after.first == before.end + after.lost for before, after in pairwise(turns))
    assert turns[-1].end == 3 * (stop - start) - (stop - start - chunks[-1].end)


def test_a_hole_takes_its_time(tmp_path: Path) -> None:
    rows, index = counting(2.0, 256.0)[:300], np.r_[0:150, 356:506]
    write_xdf(tmp_path / "a.xdf", rows, 256.0, index)
    stream = open_source(f"playback://{tmp_path / 'a.xdf'}?speed=4").open()
    began = clock.now()
    chunks: list[Chunk] = []
    while not chunks or chunks[-1].end < 506:
        chunks += [chunk for chunk in [stream.read(0.02)] if chunk]
    stream.close()
    assert clock.now() - began >= 506 / 256 / 4 - 0.05
    assert sum(chunk.lost for chunk in chunks) == 206


@pytest.mark.parametrize(
    ("file", "query", "n_chans", "sfreq", "n_times", "lost"),
    [
        ("openbci_gui_txt/OpenBCI-sampleData-1-blinks-jawClench-alpha.txt", EIGHT, 8, 250, 22490, 0),
        ("openbci_gui_txt/OpenBCI_GUI-v6-blinks-jawClench-alpha.txt", EIGHT, 8, 250, 22490, 0),
        ("muse_lsl_csv/data_2017-02-04-15_45_13.csv", "", 4, 256, 30732, 0),
        ("eeglab_formats/testmusemonitor.csv", "", 4, 1, 26, 0),
        ("epoc_csv/articulators.zip", "", 14, 256, 160 * 256, 159 * 21 * 256),
        ("xdf/minimal.xdf", "channels=C3,Cz,C4", 3, 10, 9, 0),
        ("xdf/clock_resets.xdf", f"{EIGHT}&units=uV", 8, 92.96, 27815, 25448),
        ("xdf/empty_streams.xdf", "stream=Data stream: test stream 0 counter&channels=Cz", 1, 1, 10, 0),
    ],
)
def test_real_files(
    data_dir: Path,
    capfd: pytest.CaptureFixture[str],
    file: str,
    query: str,
    n_chans: int,
    sfreq: float,
    n_times: int,
    lost: int,
) -> None:
    info, chunks = play(f"playback://{data_dir / 'device_files' / file}?{query}")
    assert (info.n_chans, info.sfreq) == (n_chans, sfreq)
    assert data(chunks).shape == (n_times, n_chans)
    assert np.isfinite(data(chunks)).all()
    assert sum(chunk.lost for chunk in chunks) == lost
    assert capfd.readouterr() == ("", "")


def test_both_layouts_of_one_openbci_recording_give_the_same_signal(data_dir: Path) -> None:
    folder = data_dir / "device_files/openbci_gui_txt"
    both = [data(play(f"playback://{path}?{EIGHT}&stop=20")[1]) for path in sorted(folder.glob("*.txt"))]
    np.testing.assert_array_equal(*both)


def test_a_table_of_brainflow_is_the_openbci_file_without_its_header_and_last_column(
    data_dir: Path, tmp_path: Path
) -> None:
    gui = next((data_dir / "device_files/openbci_gui_txt").glob("*v6*"))
    rows = [line.split(",")[:-1] for line in gui.read_text().splitlines() if line[:1].isdigit()]
    (tmp_path / "a.csv").write_text("".join("\t".join(cell.strip() for cell in row) + "\n" for row in rows))
    with pytest.raises(StreamMismatch, match="board=cyton"):
        play(f"playback://{tmp_path / 'a.csv'}")
    with pytest.raises(StreamMismatch, match="board=ganglion writes 15"):
        play(f"playback://{tmp_path / 'a.csv'}?board=ganglion")
    with pytest.raises(ConfigError, match="cytom"):
        play(f"playback://{tmp_path / 'a.csv'}?board=cytom")
    _, chunks = play(f"playback://{tmp_path / 'a.csv'}?board=cyton&{EIGHT}")
    np.testing.assert_array_equal(data(chunks), data(play(f"playback://{gui}?{EIGHT}")[1]))


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("openbci_gui_txt/OpenBCI_GUI-v6-blinks-jawClench-alpha.txt", "name all 8 with channels="),
        ("xdf/minimal.xdf", "name all 3 with channels="),
        ("xdf/clock_resets.xdf?" + EIGHT, "units="),
        ("xdf/empty_streams.xdf", "stream=NAME"),
        ("fif_gdf_ssvep_exo/record-[2012.07.11-15.25.23]-eve.fif", "no raw EEG"),
        ("eeglab_formats/eeglab_chan32.locs", "no format"),
        ("edf_eegmat/subject-info.csv", "can be played"),
    ],
)
def test_what_cannot_be_played_as_it_is_says_what_to_do(data_dir: Path, file: str, says: str) -> None:
    with pytest.raises(MoodError, match=says) as raised:
        play(f"playback://{data_dir / 'device_files' / file}")
    assert raised.value.asked
    assert raised.value.found
    assert raised.value.do


def test_one_row_a_second_plays_as_that_and_the_note_says_what_to_set(tmp_path: Path) -> None:
    write_mind_monitor(tmp_path / "a.csv", counting(30.0, 256.0)[::256], 0.99, np.arange(30))
    info, _ = play(f"playback://{tmp_path / 'a.csv'}")
    assert info.sfreq == 1.0
    assert "Constant" in info.notes[0]
    with pytest.raises(StreamMismatch):
        FeatureSpec().check(info.sfreq)


def test_rows_out_of_order_and_rows_that_come_twice_create_and_lose_nothing(tmp_path: Path) -> None:
    truth = counting(10.0, 250.0)
    order = np.r_[0:50, 51, 50, 52:80, 79, 80:500, 490:500, 500:2500]
    write_openbci_v6(tmp_path / "a.txt", truth[order], 250.0, order)
    info, chunks = play(f"playback://{tmp_path / 'a.txt'}?{NAMED}")
    np.testing.assert_allclose(data(chunks), truth)
    assert info.notes == ("11 rows came twice and are played once",)


def test_stamps_that_run_backwards_create_and_lose_nothing(tmp_path: Path) -> None:
    truth = counting(20.0, 256.0)
    index = np.arange(len(truth))
    jitter = np.random.default_rng(3).normal(0, 0.008, len(truth) // 12 + 1).repeat(12)[: len(truth)]
    for name, stamps in {"jitter": index + 256 * jitter, "set back": index - 512.0 * (index > 2000)}.items():
        write_muse(tmp_path / f"{name}.csv", truth, 256.0, stamps)
        _, chunks = play(f"playback://{tmp_path / name}.csv")
        np.testing.assert_allclose(data(chunks), truth)
        np.testing.assert_array_equal(indices(chunks), index)


def test_torn_rows_are_missing_and_said(tmp_path: Path) -> None:
    truth = counting(10.0, 256.0)
    write_muse(tmp_path / "a.csv", truth, 256.0, np.arange(len(truth)))
    lines = (tmp_path / "a.csv").read_text().splitlines()
    lines[100], lines[200], lines[300] = lines[100][:20], lines[200].replace(",", ",x", 1), "\x00\xff,,"
    (tmp_path / "a.csv").write_text("\n".join(lines))
    info, chunks = play(f"playback://{tmp_path / 'a.csv'}")
    bad = np.flatnonzero(np.isnan(data(chunks)).any(axis=1))
    assert bad.tolist() == [99, 199, 299]
    assert "3 of 2560 rows" in info.notes[0]


def test_a_rate_other_than_announced_is_measured_and_said(tmp_path: Path) -> None:
    truth = counting(20.0, 250.0)
    write_xdf(tmp_path / "a.xdf", truth, 256.0, np.arange(len(truth)) * 256 / 250)
    info, chunks = play(f"playback://{tmp_path / 'a.xdf'}")
    assert info.sfreq == 250.0
    assert "announced at 256 Hz" in info.notes[0]
    assert sum(chunk.lost for chunk in chunks) == 0


def test_an_xdf_says_its_reference_units_and_who_wore_nothing(tmp_path: Path) -> None:
    truth = counting(5.0, 256.0)
    desc = XDF_DESC.replace("microvolts", "volts") + "<realtime_mood><virtual>1</virtual></realtime_mood>"
    write_xdf(tmp_path / "a.xdf", truth * 1e-6, 256.0, np.arange(len(truth)), desc)
    info, chunks = play(f"playback://{tmp_path / 'a.xdf'}")
    assert (info.reference, info.virtual) == ("Cz", True)
    np.testing.assert_allclose(data(chunks), truth, rtol=1e-4, atol=1e-4)


def test_our_own_counts_are_believed(tmp_path: Path) -> None:
    """Stamps that say nothing of the hole, and a stream of ours that does."""
    truth, index = counting(3.0, 256.0).astype("<f4"), np.r_[0:300, 350:818]
    ours = XDF_DESC + "<realtime_mood><virtual>0</virtual></realtime_mood>"
    stamps = 10.0 + np.arange(768) / 256
    counts = np.array([[0, 0, 0], [350, 50, 0]], "<i8")
    (tmp_path / "a.xdf").write_bytes(
        b"XDF:"
        + xdf_header(1, "x", "EEG", 4, 256.0, "float32", ours)
        + xdf_header(5, "gaps", "Gaps", 3, 0.0, "int64", "<realtime_mood><virtual>0</virtual></realtime_mood>")
        + xdf_samples(5, counts, stamps[[0, 300]])
        + xdf_samples(1, truth, stamps)
    )
    _, chunks = play(f"playback://{tmp_path / 'a.xdf'}")
    np.testing.assert_array_equal(indices(chunks), index)


def test_of_several_streams_one_must_be_named(tmp_path: Path) -> None:
    rows, stamps = counting(3.0, 256.0).astype("<f4"), 10.0 + np.arange(768) / 256
    parts = [b"XDF:"]
    for number, name in enumerate(("left", "right"), 1):
        parts += [
            xdf_header(number, name, "EEG", 4, 256.0, "float32", XDF_DESC),
            xdf_samples(number, rows * number, stamps),
        ]
    (tmp_path / "a.xdf").write_bytes(b"".join(parts))
    with pytest.raises(SourceNotFound, match=r"stream=left or .*stream=right"):
        play(f"playback://{tmp_path / 'a.xdf'}")
    _, chunks = play(f"playback://{tmp_path / 'a.xdf'}?stream=right")
    np.testing.assert_array_equal(data(chunks), rows * 2)


@pytest.mark.parametrize("cut", [0.3, 0.62, 0.95])
def test_a_damaged_xdf_plays_what_is_whole_at_the_right_time(tmp_path: Path, cut: float) -> None:
    truth = counting(20.0, 256.0)
    write_xdf(tmp_path / "a.xdf", truth, 256.0, np.arange(len(truth)))
    whole = (tmp_path / "a.xdf").read_bytes()
    at = round(cut * len(whole))
    for name, damaged in {"short": whole[:at], "holed": whole[:at] + b"\xff" * 1000 + whole[at + 1000 :]}.items():
        (tmp_path / f"{name}.xdf").write_bytes(damaged)
        info, chunks = play(f"playback://{tmp_path / name}.xdf")
        np.testing.assert_allclose(data(chunks), truth[indices(chunks)])
        assert len(indices(chunks)) > 0.9 * cut * len(truth)
        assert "damaged" in info.notes[0]


@pytest.mark.parametrize("n", [2**31, 2**40, 10**6])
def test_an_xdf_that_claims_too_much_is_not_believed(tmp_path: Path, n: int) -> None:
    rows, stamps = counting(3.0, 256.0).astype("<f4"), 10.0 + np.arange(768) / 256
    head = b"XDF:" + xdf_header(1, "x", "EEG", 4, 256.0, "float32", XDF_DESC)
    bomb = xdf_chunk(3, struct.pack("<BQ", 8, n) + bytes(50), 1)
    (tmp_path / "a.xdf").write_bytes(head + bomb + xdf_samples(1, rows, stamps))
    info, chunks = play(f"playback://{tmp_path / 'a.xdf'}")
    np.testing.assert_array_equal(data(chunks), rows)
    assert "damaged" in info.notes[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("only.xdf", b"XDF:"),
        ("noise.xdf", b"XDF:" + bytes(range(256)) * 20),
        ("bomb.xdf", b"XDF:" + xdf_chunk(2, b"<!DOCTYPE x [<!ENTITY a 'aaa'>]><info>&a;</info>", 1)),
        ("words.csv", b"Dear reader,\nthis is a letter\n"),
        ("empty.csv", b"\n\n%\n"),
        ("header.csv", b"timestamps,TP9,AF7\n"),
        ("one.txt", b"%OpenBCI Raw EEG Data\n%Sample Rate = 250 Hz\n%Number of channels = 2\n0, 1.0, 2.0, 3\n"),
        ("rate.txt", b"%OpenBCI Raw EEG Data\n%Sample Rate = many Hz\n0, 1.0, 2.0, 3\n"),
        ("line.csv", b"1" * 100_000),
        ("many.vhdr", b"[Common Infos]\nNumberOfChannels=308335411\n"),
        ("no.zip", b"PK\x03\x04 and then nothing"),
    ],
)
def test_what_is_no_recording_is_refused_in_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MoodError) as raised:
        play(f"playback://{tmp_path / name}?channels=Cz,C3")
    assert "\n" not in str(raised.value)
    assert raised.value.do
