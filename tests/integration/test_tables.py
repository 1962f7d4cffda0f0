"""Text tables as programs and spreadsheets write them: each cell where it belongs, or a refusal that names the line."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import EPOC, SITES, emotiv, muse_cells, openbci_old, signal, text_of, unicorn, with_commas

from realtime_mood.errors import StreamMismatch
from realtime_mood.plugins import read_options
from realtime_mood.sources.recordings import open_recording
from realtime_mood.sources.recordings.recording import PlaybackOptions
from realtime_mood.sources.recordings.signal_file import SignalFile

N = 800
Cells = list[list[str]]


def opened(path: Path, content: str | bytes, query: str = "") -> SignalFile:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    pairs = dict(it.split("=", 1) for it in query.split("&") if it)
    return open_recording(path, read_options(PlaybackOptions, "x", pairs), "x")


def data_of(recording: SignalFile) -> np.ndarray:
    return np.concatenate([recording.rows(first, end) for first, end in recording.runs])


def n_lost(recording: SignalFile) -> int:
    return recording.runs[-1][1] - sum(end - first for first, end in recording.runs)


def numbered(rows: Cells) -> Cells:
    return [[str(i - 1) if i else "", *row] for i, row in enumerate(rows)]


def named_by_r(rows: Cells) -> Cells:
    return [[f'"{i}"', *row] if i else row for i, row in enumerate(rows)]


def marked_from(at: int, name: str | None) -> Callable[[Cells], Cells]:
    """A column of markers that begins at a row; a 5 on the 300th."""

    def mark(rows: Cells) -> Cells:
        first = rows[0] if name is None else [*rows[0], name]
        return [first, *([*row, "5" if i == 300 else "0"] if i >= at else row for i, row in enumerate(rows[1:]))]

    return mark


def quoted(rows: Cells) -> Cells:
    return [[f'"{cell}"' for cell in row] for row in rows]


WAYS: dict[str, Callable[[Cells], str | bytes]] = {
    "as it is": text_of,
    "semicolons and decimal commas": lambda rows: text_of(with_commas(rows), ";"),
    "tabs": lambda rows: text_of(rows, "\t"),
    "tabs and decimal commas": lambda rows: text_of(with_commas(rows), "\t"),
    "semicolons and decimal points": lambda rows: text_of(rows, ";"),
    "quotes": lambda rows: text_of(quoted(rows)),
    "quotes around decimal commas": lambda rows: text_of(quoted(with_commas(rows))),
    "UTF-8 with its mark": lambda rows: b"\xef\xbb\xbf" + text_of(rows, end="\r\n").encode(),
    "UTF-16": lambda rows: text_of(rows, end="\r\n").encode("utf-16"),
    "UTF-16, high byte first": lambda rows: b"\xfe\xff" + text_of(rows).encode("utf-16-be"),
    "UTF-16 without its mark": lambda rows: text_of(rows, "\t").encode("utf-16-le"),
    "lines that end in a return": lambda rows: text_of(rows, end="\r"),
    "the index of pandas": lambda rows: text_of(numbered(rows)),
    "the named index of pandas": lambda rows: text_of([["Unnamed: 0", *rows[0]], *numbered(rows)[1:]]),
    "the row names of R": lambda rows: text_of(named_by_r(rows)),
    "a comma too many": lambda rows: text_of([[*row, ""] for row in rows]),
    "a comma too many below": lambda rows: text_of([rows[0], *([*row, ""] for row in rows[1:])]),
    "stamps in microseconds": lambda rows: text_of(
        [rows[0], *([row[0].replace(".", ""), *row[1:]] for row in rows[1:])]
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_however_a_spreadsheet_writes_a_table_it_holds_the_same_signal(tmp_path: Path, way: str) -> None:
    truth = signal(N, 4)
    recording = opened(tmp_path / "a.csv", WAYS[way](muse_cells(truth)))
    assert (recording.ch_names, recording.sfreq, recording.notes) == (SITES, 256.0, ())
    np.testing.assert_allclose(data_of(recording), truth, atol=1e-4)
    assert n_lost(recording) == 0


@pytest.mark.parametrize("name", ["Marker0", "stim", "", None])
@pytest.mark.parametrize("at", [0, 12, 200])
def test_a_marker_column_may_have_no_name_and_begin_late(tmp_path: Path, name: str | None, at: int) -> None:
    truth = signal(N, 4)
    recording = opened(tmp_path / "a.csv", text_of(marked_from(at, name)(muse_cells(truth))))
    np.testing.assert_allclose(data_of(recording), truth, atol=1e-4)
    assert [(m.index, m.text) for m in recording.markers()] == [(300, "5")]
    assert recording.notes == ()


def test_a_decimal_comma_that_makes_two_cells_of_one_is_refused_by_its_line(tmp_path: Path) -> None:
    rows = muse_cells(signal(N, 4))
    with pytest.raises(StreamMismatch, match=r"line 2 holds 12 cells, a row of muse-lsl 6.*decimal point"):
        opened(tmp_path / "a.csv", text_of([rows[0], *with_commas(rows[1:])]))
    old = openbci_old(signal(N, 8), 250.0, decimal=",").replace(", ", ",")
    with pytest.raises(StreamMismatch, match=r"line 7 holds 24 cells"):
        opened(tmp_path / "a.txt", old, "channels=Fp1,Fp2,C3,C4,P7,P8,O1,O2")


@pytest.mark.parametrize("first", ['"timestamps,TP9', '%OpenBCI Raw EEG Data\n0,"1.5,2'])
def test_a_first_row_whose_quote_never_closes_is_refused_in_words(tmp_path: Path, first: str) -> None:
    with pytest.raises(StreamMismatch):
        opened(tmp_path / "a.csv", first + "\n1,2,3\n")


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize(
    ("sfreq", "counts", "names"),
    [
        (200.0, 200, "Fp1,Fp2,O1,O2"),
        (250.0, 256, "Fp1,Fp2,C3,C4,P7,P8,O1,O2"),
        (125.0, 256, "Fp1,Fp2,C3,C4,P7,P8,O1,O2,F7,F8,F3,F4,T7,T8,P3,P4"),
    ],
)
def test_files_of_the_openbci_gui_before_v4(
    tmp_path: Path, sfreq: float, counts: int, names: str, decimal: str
) -> None:
    truth = signal(3 * N, names.count(",") + 1)
    text = openbci_old(truth, sfreq, decimal=decimal, counts=counts)
    recording = opened(tmp_path / "a.txt", text, f"channels={names}")
    assert (recording.ch_names, recording.sfreq, recording.notes) == (tuple(names.split(",")), sfreq, ())
    np.testing.assert_allclose(data_of(recording), truth, atol=1e-4)
    assert n_lost(recording) == 0
    with pytest.raises(StreamMismatch, match="name all"):
        opened(tmp_path / "a.txt", text)


def test_a_file_of_the_openbci_gui_v5_whose_names_gave_way_to_zeros(tmp_path: Path) -> None:
    truth = signal(N, 8)
    rows = [["0.0"] * 24]
    for i, row in enumerate(truth):
        rows.append([str(i % 256), *(f"{cell:.3f}" for cell in row), *["0.04"] * 3, *["0.0"] * 10])
        rows[-1] += [str(1_557_936_053_000 + 4 * i), f"12:00:{53 + i / 250:06.3f}"]
    head = "%OpenBCI Raw EEG Data\n%Number of channels = 8\n%Sample Rate = 250 Hz\n%Board = BoardCytonSerial\n"
    recording = opened(tmp_path / "a.txt", head + text_of(rows), "channels=Fp1,Fp2,C3,C4,P7,P8,O1,O2")
    np.testing.assert_allclose(data_of(recording), truth, atol=1e-4)
    assert (n_lost(recording), recording.notes) == (0, ())


@pytest.mark.parametrize(
    "first_line",
    [
        "",
        "title:S1,start timestamp:1618234567.123,stop timestamp:1618234607.1,headset type:EPOCX,channels:30,"
        "sampling rate:eeg_128;mot_32;pow_8,samples:5120,version:2.1\n",
    ],
)
def test_tables_of_emotivpro(tmp_path: Path, first_line: str) -> None:
    index = np.setdiff1d(np.arange(2 * N), np.arange(900, 905))
    truth = signal(2 * N, 14)[index]
    text = emotiv(truth, 128.0, index, first_line=first_line)
    recording = opened(tmp_path / "a.csv", text)
    assert (recording.ch_names, recording.sfreq) == (EPOC, 128.0)
    np.testing.assert_allclose(data_of(recording), truth + 4200, atol=1e-3)
    assert recording.runs == ((0, 900), (905, 2 * N))
    assert [(m.index, m.text) for m in recording.markers()] == [(700, "7")]


def test_rows_that_emotivpro_filled_in_are_not_looked_at(tmp_path: Path) -> None:
    text = re.sub(r"^(.*?,.*?,50),0,", r"\1,1,", emotiv(signal(N, 14), 128.0, np.arange(N)), flags=re.M)
    recording = opened(tmp_path / "a.csv", text)
    assert np.flatnonzero(np.isnan(data_of(recording)).all(axis=1)).tolist() == list(range(50, N, 128))
    assert "6 of 800 rows were filled in by EmotivPRO" in recording.notes[0]


def test_the_old_table_of_emotiv_has_its_names_in_the_first_line(tmp_path: Path) -> None:
    truth = signal(N, 14)
    head = "title: a, recorded: 21.11.17 16.17.43, timestamp started:2017-11-21T16:17:43-08:00, sampling:128, "
    head += f"subject:, labels:COUNTER INTERPOLATED {' '.join(EPOC)} RAW_CQ GYROX GYROY MARKER SYNC, chan:19\n"
    rows = [[str(i % 129), "0", *(f"{it + 4200:.3f}" for it in row), *"00000"] for i, row in enumerate(truth)]
    recording = opened(tmp_path / "a.csv", head + text_of(rows, ", "))
    assert (recording.ch_names, recording.sfreq) == (EPOC, 128.0)
    np.testing.assert_allclose(data_of(recording), truth + 4200, atol=1e-3)
    assert n_lost(recording) == 0


def test_tables_of_the_unicorn_suite(tmp_path: Path) -> None:
    index = np.setdiff1d(np.arange(2 * N), np.arange(900, 905))
    truth = signal(2 * N, 8)[index]
    recording = opened(tmp_path / "a.csv", unicorn(truth, index))
    assert recording.ch_names == ("Fz", "C3", "Cz", "C4", "Pz", "PO7", "Oz", "PO8")
    assert recording.sfreq == 250.0
    np.testing.assert_allclose(data_of(recording), truth, atol=1e-4)
    assert recording.runs == ((0, 900), (905, 2 * N))
    assert "channels= names others" in recording.notes[0]
    named = opened(tmp_path / "a.csv", unicorn(truth, index), "channels=Fp1,Fp2,C3,C4,P7,P8,O1,O2")
    assert named.ch_names == ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2")


@pytest.mark.parametrize("index", [False, True])
def test_a_brainflow_array_saved_by_pandas(tmp_path: Path, index: bool) -> None:
    truth = signal(N, 4)
    rows = np.zeros((N, 15))
    rows[:, 0], rows[:, 1:5], rows[:, 13] = np.arange(N) // 2 % 100, truth, 1.6e9 + np.arange(N) / 200
    cells = [[str(k) for k in range(15)], *([f"{it:.6f}" for it in row] for row in rows)]
    text = text_of(numbered(cells) if index else cells, "\t")
    recording = opened(tmp_path / "a.csv", text, "board=ganglion&channels=Fp1,Fp2,O1,O2")
    np.testing.assert_allclose(data_of(recording), truth, atol=1e-4)
    assert n_lost(recording) == 0


@pytest.mark.parametrize(("end", "at"), [("2024-03-31T03:00", 3600), ("2024-10-27T02:00", -3600)])
def test_summer_time_begins_and_ends_in_a_table_of_mind_monitor(tmp_path: Path, end: str, at: int) -> None:
    """As a spreadsheet with decimal commas saved it."""
    truth = signal(2 * N, 4)
    times = np.datetime64(end) - at * np.timedelta64(1, "s") * (np.arange(2 * N) < N)
    times = times + ((np.arange(2 * N) - N) * 1000 // 256).astype("timedelta64[ms]")
    rows = [
        [str(time).replace("T", " "), *(f"{it + 800:.3f}".replace(".", ",") for it in row), "1", ""]
        for time, row in zip(times, truth, strict=True)
    ]
    head = ["TimeStamp", *(f"RAW_{name}" for name in SITES), "HeadBandOn", "Elements"]
    recording = opened(tmp_path / "a.csv", text_of([head, *rows], ";"))
    assert recording.sfreq == 256.0
    np.testing.assert_allclose(data_of(recording), truth + 800, atol=1e-3)
    assert n_lost(recording) == 0
    assert "whole hours" in recording.notes[0]


def _less(cells: list[str], k: int) -> list[str]:
    return cells[:k] + cells[k + 1 :]


def _more(cells: list[str], k: int) -> list[str]:
    return [*cells[:k], "0", *cells[k:]]


def _split(cells: list[str], k: int) -> list[str]:
    return [*cells[:k], *cells[k].replace(".", ",").split(","), *cells[k + 1 :]]


def _word(cells: list[str], k: int) -> list[str]:
    return [*cells[:k], "x", *cells[k + 1 :]]


def _quote(cells: list[str], k: int) -> list[str]:
    return [*cells[:k], '"' + cells[k], *cells[k + 1 :]]


@given(
    st.sampled_from((_less, _more, _split, _word, _quote)),
    st.integers(0, 199),
    st.integers(0, 5),
    st.sampled_from([None, marked_from(0, "Marker0"), marked_from(0, None), marked_from(30, None)]),
)
@settings(max_examples=150, deadline=None)
def test_a_damaged_row_is_missing_and_shifts_nothing(
    damage: Callable[[list[str], int], list[str]], line: int, column: int, marked: Callable[[Cells], Cells] | None
) -> None:
    truth = signal(200, 4)
    rows = muse_cells(truth) if marked is None else marked(muse_cells(truth))
    rows[line + 1] = damage(rows[line + 1], column)
    with tempfile.TemporaryDirectory() as folder:
        recording = opened(Path(folder) / "a.csv", text_of(rows))
    found = data_of(recording)
    assert found.shape == truth.shape
    seen = np.isfinite(found)
    np.testing.assert_allclose(found[seen], truth[seen], atol=1e-4)
    assert seen[np.abs(np.arange(200) - line) > 1].all()  # a row between two damaged ones is not believed either
    if damage in (_less, _more, _split, _quote):
        assert not seen[line].any()
        assert re.search(f"line {line + 1}|{line + 2} is the first", recording.notes[0])
