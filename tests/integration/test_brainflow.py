"""BrainFlow boards, the real library: counted to the sample, and let go of whatever happens."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from waiting import until

from realtime_mood import clock
from realtime_mood.contracts import Returning
from realtime_mood.errors import ConfigError, SourceError, SourceLost, SourceNotFound, StreamEnded, StreamMismatch
from realtime_mood.sources import open_source
from realtime_mood.sources.boards import catalogue as boards
from realtime_mood.sources.boards.session import count_rows, library
from realtime_mood.sources.boards.source import BrainflowSource, BrainflowStream
from realtime_mood.types import Chunk

SFREQ = 250.0
Open = Callable[[str], BrainflowStream]


@pytest.fixture
def board() -> Iterator[Open]:
    """Opens a board that is closed whatever the test does."""
    opened: list[BrainflowStream] = []

    def open_(url: str) -> BrainflowStream:
        opened.append(open_source(url).open())  # type: ignore[arg-type]
        return opened[-1]

    yield open_
    for stream in opened:
        stream.close()


def table(name: str, index: np.ndarray, sfreq: float = SFREQ, speed: float = 1e3) -> np.ndarray:
    """What a board that counts to 255 would have sent of samples `index`: (n, n_columns), each channel its own line."""
    told = library().BoardShim.get_board_descr(int(boards.find(name, library().BoardIds, "")[1]))
    rows = np.zeros((len(index), told["num_rows"]))
    rows[:, told["package_num_channel"]] = index % 256
    rows[:, told["timestamp_channel"]] = 1.7e9 + index / sfreq / speed
    for k, column in enumerate(told["eeg_channels"]):
        rows[:, column] = index + 10_000 * k
    return rows


def write(path: Path, rows: np.ndarray) -> Path:
    np.savetxt(path, rows, fmt="%.6f", delimiter="\t")
    return path


def play(stream: BrainflowStream) -> list[Chunk]:
    """Every chunk until the end."""
    chunks: list[Chunk] = []
    until(lambda: _ended(stream, chunks), 20)
    return chunks


def _ended(stream: BrainflowStream, chunks: list[Chunk]) -> bool:
    try:
        chunk = stream.read(0.1)
    except StreamEnded:
        return True
    if chunk is not None:
        chunks.append(chunk)
    return False


def test_the_synthetic_board_streams_and_says_that_nobody_wears_it(board: Open) -> None:
    stream = board("brainflow://synthetic")
    assert isinstance(open_source("brainflow://synthetic"), Returning)
    assert stream.info.virtual
    assert stream.info.n_chans == 16
    assert stream.info.sfreq == SFREQ
    chunks: list[Chunk] = []
    until(lambda: (c := stream.read(0.1)) and (chunks.append(c), sum(map(len, chunks)) > 100)[1])
    assert [chunk.first for chunk in chunks] == [0, *(chunk.end for chunk in chunks[:-1])]
    assert -0.001 < clock.now() - chunks[-1].t_last < 1.0
    assert not chunks[0].impedances
    stream._session.board.insert_marker(4.0)
    until(lambda: (c := stream.read(0.1)) and [m.text for m in c.markers] == ["4"])


def test_a_board_that_is_open_is_not_taken_away(board: Open) -> None:
    stream = board("brainflow://synthetic")
    with pytest.raises(SourceNotFound, match="open already"):
        board("brainflow://synthetic")
    gc.collect()
    assert stream.alive(2.0)


def test_a_reading_thread_comes_back_at_once_when_the_board_is_closed(board: Open) -> None:
    stream = board("brainflow://synthetic")
    said: list[Exception] = []

    def read() -> None:
        try:
            while True:
                stream.read(60.0)
        except SourceError as error:
            said.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    until(lambda: stream._heard)
    stream.close()
    stream.close()
    thread.join(2.0)
    assert isinstance(said[0], SourceLost)


def test_a_board_is_free_again_after_every_way_out(board: Open) -> None:
    board("brainflow://synthetic").close()
    source = open_source("brainflow://synthetic")
    assert isinstance(source, BrainflowSource)
    stream = source.open()
    del stream  # garbage
    gc.collect()
    with pytest.raises(SourceNotFound):  # between prepared and streaming
        open_source("brainflow://playback?master_board=cyton&file=/nowhere").open()
    left = library().BoardShim(-1, library().BrainFlowInputParams())
    left.prepare_session()  # somebody's in this process who did not let go
    stream = source.open()
    assert stream.alive(2.0)
    info = stream.info
    stream.close()
    again = source.reopen(info)
    chunk = again.read(2.0)
    assert chunk is not None
    assert chunk.first == 0
    again.close()
    with pytest.raises(StreamMismatch, match="had 16"):
        BrainflowSource("synthetic", source.options.model_copy(update={"drop": ("Fz",)})).reopen(info)
    del left
    source.open().close()


def test_a_program_that_ends_or_dies_with_a_board_open_leaves_nothing_behind() -> None:
    code = (
        "from realtime_mood.sources import open_source; import os, signal, sys; "
        "s = open_source('brainflow://synthetic').open(); s.alive(2.0); "
        "os.kill(os.getpid(), signal.SIGKILL) if sys.argv[1] == 'die' else None"
    )
    for how, returned in (("die", -9), ("end", 0)):
        done = subprocess.run([sys.executable, "-W", "error", "-c", code, how], capture_output=True, timeout=30)
        assert (done.returncode, done.stdout, done.stderr) == (returned, b"", b"")


def test_every_sample_of_a_file_is_in_its_place_or_counted_as_lost(board: Open, tmp_path: Path) -> None:
    holes = [*range(100, 101), *range(200, 237), *range(400, 600)]
    index = np.delete(np.arange(1500), holes)
    rows = table("cyton", index)
    rows[50, 3] = np.nan
    rows[:, 5] = 0.0
    rows = np.insert(rows, 900, rows[899], axis=0)  # sent twice
    file = write(tmp_path / "planted.csv", rows)
    file.write_text(file.read_text() + "1\t2\t3\nno number at all\n\n")
    stream = board(f"brainflow://playback?file={file}&master_board=cyton")
    assert not stream.info.virtual
    assert stream.info.ch_names == ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2")
    chunks = play(stream)
    assert sum(chunk.lost for chunk in chunks) == len(holes)
    assert sum(map(len, chunks)) == len(index)
    for chunk in chunks:
        np.testing.assert_array_equal(chunk.data[:, 0], np.arange(chunk.first, chunk.end))
    whole = np.concatenate([chunk.data for chunk in chunks])
    assert np.flatnonzero(np.isnan(whole).any(axis=1)).tolist() == [50]
    assert not whole[:, 4].any()


def test_a_hole_of_more_than_a_cycle_is_told_by_time(board: Open, tmp_path: Path) -> None:
    index = np.delete(np.arange(650), np.arange(150, 450))
    file = write(tmp_path / "long.csv", table("cyton", index, speed=1.0))
    chunks = play(board(f"brainflow://playback?file={file}&master_board=cyton"))
    assert sum(chunk.lost for chunk in chunks) == 300
    for chunk in chunks:
        np.testing.assert_array_equal(chunk.data[:, 0], np.arange(chunk.first, chunk.end))


def test_impedances_of_a_ganglion_come_with_its_samples(board: Open, tmp_path: Path) -> None:
    rows = table("ganglion", np.arange(900), 200.0)
    rows[:, 0] = np.arange(900) // 2 % 100  # two samples a package
    measured = rows[:5].copy()
    measured[:, 0], measured[:, 1:8] = np.arange(201, 206), 0.0
    measured[:, 8:12] = 12_000.0, 0.0, 31_400.0, 250_000.0
    file = write(tmp_path / "ganglion.csv", np.vstack((rows[:100], measured, rows[100:])))
    with pytest.raises(StreamMismatch, match="channels="):
        board(f"brainflow://playback?file={file}&master_board=ganglion")
    stream = board(f"brainflow://playback?file={file}&master_board=ganglion&channels=Fp1,Fp2,O1,O2")
    chunks = play(stream)
    assert sum(map(len, chunks)) == 900
    assert not any(chunk.lost for chunk in chunks)
    (said,) = [it for chunk in chunks for it in chunk.impedances]
    np.testing.assert_array_equal(said.kohm, [12, np.nan, 31, 250])


def test_a_rate_that_is_not_as_announced_is_measured_and_said(board: Open, tmp_path: Path) -> None:
    rows = table("crown", np.arange(750))  # announced at 256 Hz
    rows[:, 0] = np.arange(750)
    rows[:, 10] = 1.7e9 + np.arange(750) / 250.0
    source = open_source(f"brainflow://playback?file={write(tmp_path / 'crown.csv', rows)}&master_board=crown")
    assert isinstance(source, BrainflowSource)
    stream = source.open()
    assert stream.info.sfreq == pytest.approx(250.0, abs=2.5)  # the player is no better on a busy computer
    (note,) = stream.info.notes
    assert "announces 256 Hz, sends 2" in note
    assert sum(map(len, play(stream))) == 750
    stream.close()
    again = source.reopen(stream.info)  # which has no time to measure
    assert again.info.sfreq == stream.info.sfreq
    again.close()


def test_a_board_that_is_no_longer_wanted_is_given_up_at_once() -> None:
    names = "Fp1,Fp2,C3,C4,P3,P4,O1,O2"  # this one waits three seconds for somebody to call
    source = open_source(f"brainflow://biolistener?ip_address=127.0.0.1&ip_port=51234&channels={names}")
    assert isinstance(source, BrainflowSource)
    said: list[Exception] = []

    def open_() -> None:
        try:
            source.open().close()
        except SourceError as error:
            said.append(error)

    thread = threading.Thread(target=open_)
    thread.start()
    until(lambda: "mood-brainflow-open" in [it.name for it in threading.enumerate()])
    source.cancel()
    thread.join(1.0)
    assert "cancelled" in str(said[0])
    until(lambda: "mood-brainflow-open" not in [it.name for it in threading.enumerate()], 10)


def test_a_streaming_board_is_heard_by_multicast(board: Open) -> None:
    code = (
        "from brainflow.board_shim import *; b = BoardShim(-1, BrainFlowInputParams()); b.disable_board_logger(); "
        "b.prepare_session(); b.add_streamer('streaming_board://225.1.1.1:6677'); b.start_stream(1000); input()"
    )
    sender = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        try:
            stream = board("brainflow://streaming?ip_address=225.1.1.1&ip_port=6677&master_board=synthetic")
        except SourceNotFound as error:
            pytest.skip(f"no multicast on this machine: {error}")
        if not stream.alive(5.0):
            pytest.skip("no multicast on this machine: nothing arrived within 5 s")
        assert stream.info.virtual
        chunks: list[Chunk] = []
        until(lambda: (c := stream.read(0.1)) and (chunks.append(c), sum(map(len, chunks)) > 300)[1])
        assert not any(chunk.lost for chunk in chunks)
        stream.close()  # the library listens on for seconds once the sender is silent
    finally:
        sender.kill()
        sender.communicate()


def test_every_board_is_known_by_its_name_however_it_is_spelt() -> None:
    ids = library().BoardIds
    known = boards.names(ids)
    assert set(boards.NEEDS) <= set(known)
    assert set(boards._CYCLES) <= set(known)
    assert set(boards.ALIASES.values()) <= set(known)
    for name, board in known.items():
        for spelt in (name, name.upper(), name.replace("_", "-"), name.replace("_", ""), board.name):
            assert boards.find(spelt, ids, "") == (name, board)
    assert boards.find("daisy", ids, "")[0] == "cyton_daisy"
    with pytest.raises(ConfigError, match="perhaps cyton"):
        boards.find("cytn", ids, "")


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        ("brainflow://cyton", ConfigError, "serial_port=…"),
        ("brainflow://cyton?serial_port=/dev/nowhere", SourceNotFound, "check cable, name"),
        ("brainflow://cyton?ip_port=70000", ConfigError, "65535"),
        ("brainflow://playback?file=/nowhere.csv&master_board=cyton", SourceNotFound, "No such file"),
        ("brainflow://playback?file=a.csv&master_board=streaming", ConfigError, "master_board"),
        ("brainflow://playback?file=a.csv", ConfigError, "master_board=…"),
        ("brainflow://callibri_emg", StreamMismatch, "no EEG"),
        ("brainflow://galea", StreamMismatch, "X1"),
    ],
)
def test_what_cannot_be_opened_says_why(url: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        open_source(url).open()


def test_a_file_of_another_board_or_with_a_long_pause_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "cyton.csv", table("cyton", np.arange(20)))
    with pytest.raises(StreamMismatch, match="24 columns"):
        open_source(f"brainflow://playback?file={file}&master_board=synthetic").open()
    rows = table("cyton", np.arange(20))
    rows[10:, 22] += 3600
    with pytest.raises(StreamMismatch, match="pause for 3600 s at line 11"):
        open_source(f"brainflow://playback?file={write(file, rows)}&master_board=cyton").open()


@given(content=st.lists(st.binary(max_size=60) | st.just(b"\t".join([b"1"] * 24)), max_size=20))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_breaks_the_count_of_its_rows(tmp_path: Path, content: list[bytes]) -> None:
    file = tmp_path / "fuzz.csv"
    file.write_bytes(b"\n".join(content))
    with suppress(StreamMismatch):
        assert count_rows(file, 24, 22, "fuzz") > 0


@given(
    key=st.sampled_from(["serial_port", "ip_port", "timeout", "config", "other_info", "channels", "nonsense"]),
    value=st.text(),
)
@settings(max_examples=25, deadline=None)
def test_no_option_breaks_a_board(key: str, value: str) -> None:
    with suppress(ConfigError, SourceError):
        open_source(f"brainflow://synthetic?{key}={value.replace('&', '')}").open().close()
