"""Recordings of many formats played as streams: the right channels, the right microvolts, each sample once."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
from fakes import drain
from recordings import WRITERS, counting, write_fif

from realtime_mood import clock
from realtime_mood.contracts import Stream
from realtime_mood.errors import SourceError, SourceNotFound, StreamMismatch
from realtime_mood.sources import open_source
from realtime_mood.sources.playback import PlaybackOptions, PlaybackSource
from realtime_mood.types import Chunk

SFREQ = 250.0


def play(url: str) -> tuple[Stream, list[Chunk]]:
    stream = open_source(url).open()
    return stream, drain(stream)


def joined(chunks: list[Chunk]) -> np.ndarray:
    assert [chunk.first for chunk in chunks] == [0, *(chunk.end for chunk in chunks[:-1])]
    return np.concatenate([chunk.data for chunk in chunks])


@pytest.mark.parametrize(
    ("file", "query", "n_chans", "sfreq", "n_times", "sd_uv"),
    [
        ("edf_eegmat/Subject00_2.edf", "", 19, 500, 31000, 12.6),
        ("eeglab_formats/eeglab_data.set", "", 30, 128, 30504, 22.4),
        ("eeglab_formats/test.edf", "", 16, 256, 15360, 7.5),
        ("eeglab_formats/test.bdf", "channels=Fp1,Fp2,F3,F4,C3,C4,P3,P4,O1,O2,F7,F8,T7,T8,P7,P8", 16, 256, 15360, 33.6),
        ("eeglab_formats/testbva.vhdr", "", 29, 200, 2112, 10.5),
        ("fif_gdf_ssvep_exo/record-[2012.07.11-15.25.23]_raw.fif", "units=mV", 8, 256, 59040, 7.64),
        ("fif_gdf_ssvep_exo/record-[2012.07.11-15.25.23].gdf", "units=mV", 8, 256, 59040, 7.64),
    ],
)
def test_real_recordings(
    data_dir: Path,
    capfd: pytest.CaptureFixture[str],
    file: str,
    query: str,
    n_chans: int,
    sfreq: float,
    n_times: int,
    sd_uv: float,
) -> None:
    stream, chunks = play(f"playback://{data_dir / 'device_files' / file}?speed=max&{query}")
    data = joined(chunks)
    assert data.shape == (n_times, n_chans)
    assert (stream.info.n_chans, stream.info.sfreq, stream.info.paced) == (n_chans, sfreq, False)
    assert np.median(data.std(axis=0)) == pytest.approx(sd_uv, rel=0.05)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", ["_raw.fif", ".gdf"])
def test_a_wrong_unit_is_found_and_named(data_dir: Path, suffix: str) -> None:
    file = data_dir / "device_files/fif_gdf_ssvep_exo" / f"record-[2012.07.11-15.25.23]{suffix}"
    with pytest.raises(StreamMismatch, match="units=mV"):
        PlaybackSource(str(file)).open()


def test_unnamed_channels_are_asked_for(data_dir: Path) -> None:
    with pytest.raises(StreamMismatch, match="channels="):
        PlaybackSource(str(data_dir / "device_files/eeglab_formats/test.bdf")).open()


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("speed", ["max", "40"])
def test_every_sample_once_and_in_order(tmp_path: Path, suffix: str, speed: str) -> None:
    path = tmp_path / f"counting{suffix}"
    WRITERS[suffix](path, truth := counting(12.0, SFREQ), SFREQ)
    _, chunks = play(f"playback://{path}?speed={speed}&start=1&stop=10.5")
    np.testing.assert_allclose(joined(chunks), truth[250:2625], atol=1e-3)


def test_a_loop_goes_round_with_indices_that_go_on(tmp_path: Path) -> None:
    write_fif(tmp_path / "a_raw.fif", truth := counting(3.1, SFREQ), SFREQ)
    stream = open_source(f"playback://{tmp_path / 'a_raw.fif'}?speed=max&loop=1").open()
    chunks = [chunk for _ in range(10) if (chunk := stream.read(1.0))]
    stream.close()
    data = joined(chunks)
    np.testing.assert_allclose(data, np.tile(truth, (4, 1))[: len(data)], atol=1e-3)
    assert len(data) > 2 * len(truth)


def test_pace_and_stamps_keep_to_the_schedule(tmp_path: Path) -> None:
    write_fif(tmp_path / "a_raw.fif", counting(4.0, SFREQ), SFREQ)
    began = clock.now()
    stream, chunks = play(f"playback://{tmp_path / 'a_raw.fif'}?speed=8")
    took = clock.now() - began
    assert 0.49 < took < 1.5
    assert stream.info.chunk_s == pytest.approx(0.04)
    ends, stamps = [chunk.end for chunk in chunks], [chunk.t_last for chunk in chunks]
    np.testing.assert_allclose(np.diff(stamps), np.diff(ends) / SFREQ / 8, atol=1e-6)


def test_nothing_is_handed_out_before_its_time_and_a_late_reader_gets_all(tmp_path: Path) -> None:
    write_fif(tmp_path / "a_raw.fif", counting(4.0, SFREQ), SFREQ)
    stream = PlaybackSource(str(tmp_path / "a_raw.fif")).open()
    assert stream.read(0.0) is None
    began = time.monotonic()
    first = stream.read(1.0)
    assert first is not None
    assert len(first) == 10
    assert time.monotonic() - began > 0.03
    until_s = first.t_last + 0.3
    while clock.now() < until_s:  # a reader that is busy elsewhere
        pass
    late = stream.read(0.0)
    stream.close()
    assert late is not None
    assert late.first == 10
    assert 60 <= len(late) <= 250


def test_annotations_become_markers_at_their_sample(tmp_path: Path) -> None:
    write_fif(tmp_path / "a_raw.fif", counting(5.0, SFREQ), SFREQ, notes=[(0.5, "before"), (2.0, "a"), (3.2, "b")])
    _, chunks = play(f"playback://{tmp_path / 'a_raw.fif'}?speed=max&start=1")
    found = [(marker.index, marker.text) for chunk in chunks for marker in chunk.markers]
    assert found == [(250, "a"), (550, "b")]
    assert all(chunk.first <= m.index < chunk.end for chunk in chunks for m in chunk.markers)


@pytest.mark.parametrize("suffix", ["_raw.fif", ".edf"])
def test_a_virtual_person_is_known_by_the_header(tmp_path: Path, suffix: str) -> None:
    for said in ("VIRTUAL PERSON 3", "a real one"):
        path = tmp_path / f"{len(said)}{suffix}"
        WRITERS[suffix](path, counting(3.0, SFREQ), SFREQ, said=said)
        stream = PlaybackSource(str(path)).open()
        stream.close()
        assert stream.info.virtual is said.startswith("VIRTUAL")


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("missing.edf", None, SourceNotFound),
        ("empty.edf", b"", StreamMismatch),
        ("short.edf", b"0       X", StreamMismatch),
        ("noise.edf", bytes(range(256)) * 40, StreamMismatch),
        ("noise.bdf", bytes(range(256)) * 40, StreamMismatch),
        ("noise.fif", bytes(range(256)) * 40, StreamMismatch),
        ("noise.set", bytes(range(256)) * 40, StreamMismatch),
        ("lonely.vhdr", b"Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\n", StreamMismatch),
        ("letter.txt", b"Dear reader", StreamMismatch),
    ],
)
def test_what_is_no_recording_is_said_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, content: bytes | None, error: type[SourceError]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error) as raised:
        open_source(f"playback://{tmp_path / name}").open()
    assert "\n" not in str(raised.value)
    assert raised.value.asked
    assert raised.value.found
    assert raised.value.do
    assert capfd.readouterr() == ("", "")


def test_a_file_cut_short_is_refused_or_played_as_far_as_it_goes(tmp_path: Path) -> None:
    for suffix, writer in WRITERS.items():
        path = tmp_path / f"whole{suffix}"
        writer(path, truth := counting(12.0, SFREQ), SFREQ)
        body = path.with_suffix(".eeg") if suffix == ".vhdr" else path
        body.write_bytes(body.read_bytes()[: body.stat().st_size * 2 // 3])
        try:
            _, chunks = play(f"playback://{path}?speed=max")
        except StreamMismatch:
            continue
        data = joined(chunks)
        assert 0 < len(data) < 0.7 * len(truth)
        np.testing.assert_allclose(data, truth[: len(data)], atol=1e-3)


def test_a_missing_companion_is_named(tmp_path: Path) -> None:
    WRITERS[".vhdr"](tmp_path / "a.vhdr", counting(3.0, SFREQ), SFREQ)
    (tmp_path / "a.eeg").unlink()
    with pytest.raises(SourceNotFound, match=r"a\.eeg"):
        PlaybackSource(str(tmp_path / "a.vhdr")).open()


def test_a_reader_that_chats_and_warns_is_not_heard(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_fif(tmp_path / "a_raw.fif", counting(3.0, SFREQ), SFREQ)
    read_raw = mne.io.read_raw

    def chatty(*args: Any, **options: Any) -> Any:
        print("Extracting parameters")
        warnings.warn("something unimportant", RuntimeWarning, stacklevel=1)
        return read_raw(*args, **options)

    monkeypatch.setattr(mne.io, "read_raw", chatty)
    play(f"playback://{tmp_path / 'a_raw.fif'}?speed=max")
    assert capfd.readouterr() == ("", "")


def test_start_beyond_the_end_is_refused(tmp_path: Path) -> None:
    write_fif(tmp_path / "a_raw.fif", counting(3.0, SFREQ), SFREQ)
    with pytest.raises(StreamMismatch, match="start=9"):
        PlaybackSource(str(tmp_path / "a_raw.fif"), PlaybackOptions(start=9.0)).open()
