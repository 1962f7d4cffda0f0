"""Fuzz targets for counters, clocks, descriptions and markers of recordings and streams."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.fuzz_texts import Target
from realtime_mood.sources.boards.catalogue import cycles_of
from realtime_mood.sources.marker_words import texts_of
from realtime_mood.sources.recordings.placing import indices, played_once
from realtime_mood.sources.timing.counter import PackageCounter, learn
from tests.integration import broken_off, recordings, tables

SFREQ = 250.0
BOARDS = ("cyton", "ganglion", "muse_2", "")
MARKERS = (
    b"Markers\neyes closed\n1\n2.5",
    "annotations\n-1\n0\n2.5\nAugen geöffnet".encode("latin-1"),
    b"Events\n\xff\xfe\x00\nnan\ninf",
)


def _counts(content: bytes) -> str:
    """Rows ``count,stamp`` of a file, and the same live: whatever they say, each sample has one place."""
    rows = np.array([_pair(line) for line in content.decode("latin-1").splitlines()[:2000]] or [(0.0, 0.0)])
    counter, stamps = rows.T
    for board in BOARDS:
        for stamped in (stamps, None):
            at, _ = indices(len(rows), SFREQ, stamped, counter, cycles_of(board))
            assert len(at) == len(rows)
            assert at.min() == 0
            kept = played_once(at)[0]
            assert (np.diff(kept) > 0).all()
    known = np.nan_to_num(counter, nan=0.0, posinf=0.0, neginf=0.0)
    lost = PackageCounter(learn(known[:64]), SFREQ, learning=True).feed(known, stamps)
    assert len(lost) == len(rows)
    assert (lost >= -1).all()
    return "played"


def _pair(line: str) -> tuple[float, float]:
    cells = [*line.split(","), "", ""]
    return _number(cells[0]), _number(cells[1])


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


@cache
def _counted() -> tuple[bytes, ...]:
    index = np.r_[0:150, 190:400]
    clocks = [1.7e9 + index / SFREQ, 3600.0 * (index >= 300) + index / SFREQ]
    columns = [(index % 256, clocks[0]), (index // 2 % 100, clocks[1]), (np.r_[88:238, 0:210], clocks[0])]
    return tuple("".join(f"{c},{t:.3f}\n" for c, t in zip(*pair, strict=True)).encode() for pair in columns)


def _marker_rows(content: bytes) -> str:
    kind, *values = content.split(b"\n")[:50]
    labels = [value.decode("latin-1") for value in values]
    for row in (values, labels, [_number(label) for label in labels]):
        assert all(text.strip() for text in texts_of(row, kind.decode("latin-1"), labels))
    return "played"


@cache
def _streams() -> tuple[bytes, ...]:
    """XDF files: two streams of one name, one without a rate, markers in two channels."""
    rows, stamps = recordings.counting(1.0, SFREQ).astype("<f4"), 10.0 + np.arange(250) / SFREQ

    def stream(number: int, sfreq: float, **more: str) -> bytes:
        head = recordings.xdf_header(number, "EEG", "EEG", 4, sfreq, "float32", recordings.XDF_DESC, **more)
        return head + recordings.xdf_samples(number, rows, stamps)

    marks = recordings.xdf_header(2, "keys", "Markers", 2, 0.0, "int32")
    marks += recordings.xdf_samples(2, np.array([[1, 7], [2, 0]], "<i4"), [10.2, 99.0])
    return (b"XDF:" + stream(1, SFREQ) + marks, b"XDF:" + stream(1, SFREQ, source_id="a") + marks)


def _described(play: Callable[..., str]) -> Callable[[bytes], str]:
    """Plays an XDF file whose stream describes itself so."""
    rows, stamps = recordings.counting(1.0, SFREQ).astype("<f4"), 10.0 + np.arange(250) / SFREQ

    def use(content: bytes) -> str:
        head = b"<info><name>EEG</name><type>EEG</type><channel_count>4</channel_count><nominal_srate>250"
        head += b"</nominal_srate><channel_format>float32</channel_format><desc>" + content + b"</desc></info>"
        return play("a.xdf", b"XDF:" + recordings.xdf_chunk(2, head, 1) + recordings.xdf_samples(1, rows, stamps))

    return use


def _text(table: str) -> Callable[[], tuple[bytes, ...]]:
    return lambda: (table.encode(),)


def _gdf() -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        path = Path(folder) / "a.gdf"
        signal = recordings.counting(3.0, SFREQ) % 1000
        broken_off.write_gdf(path, broken_off.edf_channels(signal, 250), 3, [(300, 32766), (500, 769)])
        return (path.read_bytes(),)


def metadata(play: Callable[..., str]) -> dict[str, Target]:
    """The targets; `play` plays what would stand in a file of that name, with that query in its URL."""
    emotiv = tables.emotiv(tables.signal(300, 14), 128.0, np.r_[0:100, 160:360])
    channels = "channels=Fp1,Fp2,C3,C4,P7,P8,O1,O2"
    return {
        "counter and clock": Target(_counted, _counts),
        "markers": Target(lambda: MARKERS, _marker_rows),
        "XDF streams": Target(_streams, lambda content: play("a.xdf", content)),
        "XDF description": Target(_text(recordings.XDF_DESC), _described(play)),
        "gdf with a break": Target(cache(_gdf), lambda content: play("a.gdf", content)),
        "EmotivPRO table": Target(_text(emotiv), lambda content: play("a.csv", content)),
        "Unicorn table": Target(
            _text(tables.unicorn(tables.signal(300, 8), np.arange(300))),
            lambda content: play("a.csv", content, f"speed=max&{channels}"),
        ),
    }
