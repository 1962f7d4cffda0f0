"""A file cut or damaged anywhere gives back every whole piece that is in it, and stays as it was."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import pyxdf
from fakes import EIGHT, INFO, cut, pink

from realtime_mood.errors import ConfigError, MoodError, StreamMismatch
from realtime_mood.health import Health
from realtime_mood.recording import xdf_write as xdf
from realtime_mood.recording.reader import open_recorded
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.recover import recover
from realtime_mood.sources.playback import PlaybackSource
from realtime_mood.types import Marker

SIGNAL = pink(round(25 * INFO.sfreq), len(EIGHT))
CHUNK = 100


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    recorder = Recorder(tmp_path / "a.xdf", {})
    recorder.open(INFO)
    for chunk in cut(SIGNAL, [CHUNK]):
        recorder.take(chunk)
    recorder.mark(Marker(4000, "late"), 20.0)
    recorder.close(Health())
    return (tmp_path / "a.xdf").read_bytes()


def rows(path: Path, caplog: pytest.LogCaptureFixture) -> tuple[np.ndarray, np.ndarray]:
    """Data and stamps of the EEG, opened without a word of complaint."""
    with caplog.at_level(logging.WARNING, "pyxdf"):
        streams, _ = pyxdf.load_xdf(path)
    assert not caplog.records
    assert all("footer" in stream for stream in streams if len(stream["time_stamps"]))
    eeg = next(stream for stream in streams if stream["info"]["type"] == ["EEG"])
    assert np.all(np.diff(eeg["time_stamps"]) > 0)
    return eeg["time_series"], eeg["time_stamps"]


def test_a_whole_file_needs_no_mending(tmp_path: Path, whole: bytes) -> None:
    made = recover(tmp_path / "a.xdf")
    assert made.path is None
    assert "fake: 5,000 samples, 25.0 s" in str(made)
    assert [path.name for path in tmp_path.iterdir()] == ["a.xdf"]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.77, 0.999])
def test_a_cut_file_keeps_all_but_the_piece_it_was_cut_in(
    tmp_path: Path, whole: bytes, caplog: pytest.LogCaptureFixture, share: float
) -> None:
    path = tmp_path / "b.xdf"
    path.write_bytes(whole[: round(share * len(whole))])
    made = recover(path)
    assert path.read_bytes() == whole[: round(share * len(whole))]
    assert made.path == tmp_path / "b_recovered.xdf"
    data, stamps = rows(made.path, caplog)
    assert len(data) >= share * len(whole) / (9 + 4 * 8) - 2 * CHUNK - 200
    np.testing.assert_array_equal(data, SIGNAL[: len(data)])
    np.testing.assert_allclose(stamps, np.arange(len(data)) / INFO.sfreq, atol=1e-6)
    assert recover(made.path).path is None
    assert recover(path).path == tmp_path / "b_recovered_2.xdf"


def test_damage_in_the_middle_costs_ten_seconds_at_most(
    tmp_path: Path, whole: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = bytearray(whole)
    damaged[len(whole) // 2 : len(whole) // 2 + 3000] = bytes(3000)
    (tmp_path / "b.xdf").write_bytes(damaged)
    made = recover(tmp_path / "b.xdf", tmp_path / "out.xdf")
    data, stamps = rows(made.path, caplog)
    there = np.round(stamps * INFO.sfreq).astype(int)
    np.testing.assert_array_equal(data, SIGNAL[there])
    assert 5000 - 10 * INFO.sfreq - 200 <= len(data) < 5000
    assert "bytes could not be read" in str(made)
    with pytest.raises(ConfigError, match="exists already"):
        recover(tmp_path / "b.xdf", tmp_path / "out.xdf")


def test_files_of_other_recorders_are_mended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Stamps only where a chunk begins, 16-bit numbers, text of two channels: as LabRecorder writes."""
    told = {"channel_count": "2", "nominal_srate": "10", "channel_format": "int16", "name": "eeg", "type": "EEG"}
    text = told | {"channel_format": "string", "nominal_srate": "0", "name": "words", "type": "Markers"}
    numbers = np.array([[1, -1], [2, -2], [3, -3]], "<i2")
    first = xdf.samples(1, np.array([5.0]), numbers[:1])[-13:]
    dense = b"\x01\x03" + first + b"".join(b"\x00" + row.tobytes() for row in numbers[1:])
    words = b"\x01\x01" + b"\x08" + np.float64(5.1).tobytes() + b"\x01\x02hi" + b"\x04\x02\x00\x00\x00yo"
    path = tmp_path / "lab.xdf"
    path.write_bytes(
        xdf.file_header()
        + b"".join(xdf.stream_header(n, it) + xdf.clock_offset(n, 5.0, 0.25) for n, it in ((1, told), (2, text)))
        + xdf.chunk(xdf.SAMPLES, dense, 1)
        + xdf.chunk(xdf.SAMPLES, words, 2)
        + xdf.chunk(xdf.SAMPLES, dense, 1)[:-3]
    )
    made = recover(path)
    assert [(it.name, it.n_samples, it.first) for it in made.streams] == [("eeg", 3, 5.0), ("words", 1, 5.1)]
    assert made.streams[0].last == pytest.approx(5.2)
    data, stamps = rows(made.path, caplog)
    np.testing.assert_array_equal(data, numbers)
    np.testing.assert_allclose(stamps, [5.25, 5.35, 5.45])


def test_what_holds_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.xdf").write_bytes(b"XDF:" + bytes(50))
    with pytest.raises(StreamMismatch, match="no stream"):
        recover(tmp_path / "b.xdf")


def test_an_encrypted_recording_is_named_so_and_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.xdf.age"
    path.write_bytes(sealed := b"age-encryption.org/v1\n-> X25519 \xff")
    for read in (recover, open_recorded, lambda path: PlaybackSource(str(path)).open()):
        with pytest.raises(StreamMismatch, match=r"encrypted .* decrypt .*a\.xdf\.age --key"):
            read(path)
    assert [it.read_bytes() for it in tmp_path.iterdir()] == [sealed]


def test_any_damage_is_survived(tmp_path: Path, whole: bytes) -> None:
    rng, path = np.random.default_rng(1), tmp_path / "b.xdf"
    short = whole[:20_000]
    for _ in range(200):
        damaged = bytearray(short[: rng.integers(1, len(short) + 1)])
        for at in rng.integers(0, len(damaged), rng.integers(0, 5)):
            damaged[at] = rng.integers(0, 256)
        path.write_bytes(damaged)
        try:
            made = recover(path, tmp_path / "out.xdf").path
            if made:
                assert recover(made).path is None
                pyxdf.load_xdf(made, synchronize_clocks=False, dejitter_timestamps=False)
                made.unlink()
        except MoodError:
            assert not (tmp_path / "out.xdf").exists()
