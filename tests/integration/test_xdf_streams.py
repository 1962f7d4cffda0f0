"""XDF files with several streams: which one is meant, at which rate it runs, and what its marker streams say."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pytest
from fakes import drain
from memory import peak_of
from recordings import XDF_DESC, counting, xdf_chunk, xdf_header, xdf_samples

from realtime_mood.auxiliary import Carrying
from realtime_mood.errors import SourceNotFound, StreamEnded, StreamMismatch
from realtime_mood.recording.reader import mapped
from realtime_mood.sources import open_source
from realtime_mood.sources.recordings import xdf_values
from realtime_mood.sources.recordings.xdf_chunks import find_chunks
from realtime_mood.sources.recordings.xdf_streams import load
from realtime_mood.sources.recordings.xdf_values import StreamValues, stamps_of
from realtime_mood.types import Chunk, StreamInfo

SFREQ, N = 256.0, 768
ROWS, STAMPS = counting(3.0, SFREQ).astype("<f4"), 10.0 + np.arange(N) / SFREQ


def play(url: str) -> tuple[StreamInfo, list[Chunk]]:
    stream = open_source(url).open()
    return stream.info, drain(stream)


def data(chunks: list[Chunk]) -> np.ndarray:
    return np.concatenate([chunk.data for chunk in chunks])


def markers(chunks: list[Chunk]) -> list[tuple[int, str]]:
    return [(marker.index, marker.text) for chunk in chunks for marker in chunk.markers]


def header(stream: int, **told: str) -> bytes:
    about = {
        "name": "android",
        "type": "EEG",
        "channel_count": "4",
        "nominal_srate": "256",
        "channel_format": "float32",
    }
    words = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in (about | told).items())
    return xdf_chunk(2, f"<info>{words}<desc>{XDF_DESC}</desc></info>".encode(), stream)


def texts(stream: int, stamps: Sequence[float], rows: Sequence[Sequence[bytes]]) -> bytes:
    """Samples of text, each told its length in one byte."""
    out = struct.pack("<BB", 1, len(rows))
    for stamp, row in zip(stamps, rows, strict=True):
        out += struct.pack("<Bd", 8, stamp) + b"".join(struct.pack("<BB", 1, len(raw)) + raw for raw in row)
    return xdf_chunk(3, out, stream)


@pytest.mark.parametrize(
    ("left", "right", "option"),
    [
        ({"source_id": "a"}, {"source_id": "b"}, "source_id=b"),
        ({"source_id": "a", "hostname": "h1"}, {"source_id": "a", "hostname": "h2"}, "host=h2"),
        ({"uid": "u1"}, {"uid": "u2"}, "number=2"),
        ({}, {}, "number=2"),
        ({"name": "one & two"}, {"name": "a/b?c=d"}, "stream=a/b%3Fc%3Dd"),
    ],
)
def test_namesakes_are_chosen_by_the_url_that_the_message_offers(
    tmp_path: Path, left: dict[str, str], right: dict[str, str], option: str
) -> None:
    samples = [xdf_samples(number, ROWS * number, STAMPS) for number in (1, 2)]
    (tmp_path / "a.xdf").write_bytes(b"XDF:" + header(1, **left) + header(2, **right) + b"".join(samples))
    with pytest.raises(SourceNotFound, match="2 streams answer") as error:
        play(f"playback://{tmp_path / 'a.xdf'}?speed=max")
    offered = re.findall(r"playback://\S+", error.value.do)
    assert offered[1] == f"playback://{tmp_path / 'a.xdf'}?speed=max&{option}"
    for number, url in enumerate(offered, 1):
        np.testing.assert_array_equal(data(play(url)[1]), ROWS * number)
    for key in ("uid", "number"):
        if (value := {"number": "2"} | right).get(key):
            _, chunks = play(f"playback://{tmp_path / 'a.xdf'}?speed=max&{key}={value[key]}")
            np.testing.assert_array_equal(data(chunks), ROWS * 2)
    with pytest.raises(SourceNotFound, match="with source_id=nobody"):
        play(f"playback://{tmp_path / 'a.xdf'}?source_id=nobody")


def test_the_eeg_is_meant_of_streams_that_share_a_source_id(tmp_path: Path) -> None:
    streams = header(1, type="ACC", source_id="a") + header(2, source_id="a")
    samples = xdf_samples(1, ROWS * 5, STAMPS) + xdf_samples(2, ROWS, STAMPS)
    (tmp_path / "a.xdf").write_bytes(b"XDF:" + streams + samples)
    np.testing.assert_array_equal(data(play(f"playback://{tmp_path / 'a.xdf'}?speed=max&source_id=a")[1]), ROWS)


@pytest.mark.parametrize("batch", [1, 8])
def test_eeg_without_a_rate_is_refused_with_the_measured_one_which_plays(tmp_path: Path, batch: int) -> None:
    stamps = STAMPS[np.arange(N) // batch * batch]  # a sender that stamps its packets, not its samples
    (tmp_path / "a.xdf").write_bytes(b"XDF:" + header(1, nominal_srate="0") + xdf_samples(1, ROWS, stamps))
    with pytest.raises(StreamMismatch, match="states no rate, by its stamps 256 Hz") as error:
        play(f"playback://{tmp_path / 'a.xdf'}?speed=max")
    (offered,) = re.findall(r"playback://\S+", error.value.do)
    info, chunks = play(offered)
    assert (info.sfreq, info.notes, sum(chunk.lost for chunk in chunks)) == (256.0, (), 0)
    np.testing.assert_array_equal(data(chunks), ROWS)


@pytest.mark.parametrize("batch", [1, 8])
def test_gaps_in_eeg_without_a_rate_are_counted(tmp_path: Path, batch: int) -> None:
    kept = np.r_[0:304, 400:N]
    stamps = STAMPS[kept // batch * batch + batch - 1]
    (tmp_path / "a.xdf").write_bytes(b"XDF:" + header(1, nominal_srate="0") + xdf_samples(1, ROWS[kept], stamps))
    _, chunks = play(f"playback://{tmp_path / 'a.xdf'}?speed=max&sfreq=256")
    assert [(chunk.first, chunk.lost) for chunk in chunks if chunk.lost] == [(400, 96)]
    np.testing.assert_array_equal(data(chunks), ROWS[kept])


def test_a_rate_that_the_stamps_contradict_is_played_as_asked_and_noted(tmp_path: Path) -> None:
    (tmp_path / "a.xdf").write_bytes(b"XDF:" + header(1) + xdf_samples(1, ROWS, STAMPS))
    info, chunks = play(f"playback://{tmp_path / 'a.xdf'}?speed=max&sfreq=200")
    assert info.sfreq == 200.0
    assert info.notes == ("played at 200 Hz as asked, by its stamps 256 Hz: no gap is counted",)
    np.testing.assert_array_equal(data(chunks), ROWS)


def test_options_of_streams_are_refused_for_other_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    with pytest.raises(StreamMismatch, match="number=2: only an XDF file"):
        play(f"playback://{tmp_path / 'a.csv'}?number=2")


NAMED = "<channels><channel><label>eyes open</label></channel><channel><label>eyes closed</label></channel></channels>"


@pytest.mark.parametrize(
    ("kind", "form", "rows", "says"),
    [
        ("Markers", "int32", [[1, 7], [2, 8]], ["1 7", "2 8"]),
        ("Markers", "int64", [[2**53 + 1, 0], [-1, 3]], [f"{2**53 + 1} 0", "-1 3"]),
        ("Events", "float32", [[1.0, 0.1], [np.nan, 2.5]], ["1 0.1", "nan 2.5"]),
        ("triggers", "double64", [[3.0, 1.25], [4.0, 1e6]], ["3 1.25", "4 1000000"]),
        ("annotations", "double64", [[-1.0, 0.0], [0.0, 2.5]], ["eyes open", "eyes closed"]),
        ("annotations", "double64", [[0.0, 0.0], [1.0, 0.5]], ["0 0", "eyes open", "eyes closed"]),
    ],
)
def test_numeric_markers_of_several_channels_are_played(
    tmp_path: Path, kind: str, form: str, rows: list[list[float]], says: list[str]
) -> None:
    dtype = {"int32": "<i4", "int64": "<i8", "float32": "<f4", "double64": "<f8"}[form]
    told = xdf_header(2, "mk", kind, 2, 0.0, form, NAMED) + xdf_samples(2, np.array(rows, dtype), STAMPS[[100, 200]])
    (tmp_path / "a.xdf").write_bytes(b"XDF:" + header(1) + xdf_samples(1, ROWS, STAMPS) + told)
    _, chunks = play(f"playback://{tmp_path / 'a.xdf'}?speed=max")
    assert [text for _, text in markers(chunks)] == says
    assert {index for index, _ in markers(chunks)} == {100, 200}


def test_text_markers_may_have_any_bytes_and_several_channels(tmp_path: Path) -> None:
    rows = [["für".encode("latin-1"), b"x"], ["grün ✓".encode(), b""], [b"caf\xc3", b"\xff\x00"], [b" ", b""]]
    told = xdf_header(2, "mk", "Markers", 2, 0.0, "string") + texts(2, STAMPS[[10, 20, 30, 40]], rows)
    (tmp_path / "a.xdf").write_bytes(b"XDF:" + header(1) + xdf_samples(1, ROWS, STAMPS) + told)
    info, chunks = play(f"playback://{tmp_path / 'a.xdf'}?speed=max")
    assert markers(chunks) == [(10, "für x"), (20, "grün ✓"), (30, "cafÃ ÿ")]
    assert info.notes == ()


def test_markers_before_or_after_the_signal_are_left_out_and_counted(tmp_path: Path) -> None:
    stamps = [
        STAMPS[0] - 5,
        STAMPS[0] - 0.4 / SFREQ,
        STAMPS[-1] + 0.4 / SFREQ,
        STAMPS[-1] + 0.6 / SFREQ,
        STAMPS[-1] + 9,
    ]
    told = xdf_header(2, "mk", "Markers", 1, 0.0, "string") + texts(2, stamps, [[b"%d" % k] for k in range(5)])
    (tmp_path / "a.xdf").write_bytes(b"XDF:" + header(1) + xdf_samples(1, ROWS, STAMPS) + told)
    info, chunks = play(f"playback://{tmp_path / 'a.xdf'}?speed=max")
    assert markers(chunks) == [(0, "1"), (N - 1, "2")]
    assert info.notes == ("3 markers before or after the signal left out",)


def test_samples_are_read_in_pieces_as_they_are_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any format, and where only the first sample of a chunk has a stamp."""
    monkeypatch.setattr(xdf_values, "PIECE_BYTES", 1)
    rng, parts = np.random.default_rng(0), [b"XDF:"]
    forms = {"int16": "<i2", "double64": "<f8", "string": "U"}
    parts += [xdf_header(k, form, "Other", 2, 100.0, form) for k, form in enumerate(forms, 1)]
    for at in range(20):
        for k, form in enumerate(forms.values(), 1):
            n, rows = int(rng.integers(1, 6)), b""
            for j in range(n):
                stamped = j == 0 or at % 2
                rows += struct.pack("<Bd", 8, at + j / 100) if stamped else b"\0"
                numbers = rng.integers(-99, 99, 2)
                words = [str(number).encode() for number in numbers]
                texts = b"".join(struct.pack("<BB", 1, len(word)) + word for word in words)
                rows += texts if form == "U" else numbers.astype(form).tobytes()
            parts.append(xdf_chunk(3, struct.pack("<BB", 1, n) + rows, k))
    path = tmp_path / "a.xdf"
    path.write_bytes(b"".join(parts))
    with mapped(path) as file:
        chunks = find_chunks(file)
        whole = load(file, chunks, list(chunks.streams.values()))
        for stream in chunks.streams.values():
            stamps, rows = stamps_of(file, chunks, stream)
            np.testing.assert_array_equal(stamps, whole[stream.number]["time_stamps"])
            values = StreamValues(path, file, chunks, stream)
            expected = np.array(whole[stream.number]["time_series"], object if stream.format == "string" else None)
            np.testing.assert_array_equal(np.concatenate(list(values.pieces())), expected)
            order = rng.permutation(len(rows))
            for first in (0, 7, 3, len(rows) - 2, len(rows)):
                np.testing.assert_array_equal(values.chosen(rows)[first : first + 9], expected[first : first + 9])
                np.testing.assert_array_equal(
                    values.chosen(order)[first : first + 9], expected[order[first : first + 9]]
                )


def test_a_long_stream_beside_the_eeg_is_not_in_memory(tmp_path: Path) -> None:
    path, wide = tmp_path / "a.xdf", np.zeros((200, 100), "<f8")
    headers = [
        xdf_header(1, "EEG", "EEG", 4, SFREQ, "float32", XDF_DESC),
        xdf_header(2, "m", "M", 100, 0.0, "double64"),
    ]
    parts = [xdf_samples(2, wide, 10 + k + np.arange(200) / 200) for k in range(60)]
    eeg = xdf_samples(1, np.tile(ROWS, (20, 1)), 10.0 + np.arange(20 * N) / SFREQ)
    path.write_bytes(b"".join([b"XDF:", *headers, eeg, *parts]))
    n_played = 0

    def play_all() -> None:
        nonlocal n_played
        stream = open_source(f"playback://{path}?speed=max").open()
        assert isinstance(stream, Carrying)
        with suppress(StreamEnded):
            while True:
                stream.read(1.0)
                n_played += sum(len(chunk) for _, chunk in stream.beside())

    assert peak_of(play_all) < 0.6 * path.stat().st_size
    assert n_played == 12_000
