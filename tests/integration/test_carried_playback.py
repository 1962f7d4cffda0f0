"""What a file holds beside its EEG is played and recorded again with the same values, at the same times."""

from __future__ import annotations

import math
import struct
from collections import defaultdict
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import edfio
import mne
import numpy as np
import pytest
import pyxdf
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import CH_NAMES, XDF_DESC, counting, xdf_chunk, xdf_header, xdf_samples, xdf_words
from tables import openbci_old

from realtime_mood.auxiliary import AuxChunk, AuxInfo, Carrying
from realtime_mood.contracts import Stream
from realtime_mood.errors import StreamEnded
from realtime_mood.health import Health
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.xdf_session import NAMES
from realtime_mood.sources import open_source
from realtime_mood.sources.playback import PlaybackStream
from realtime_mood.sources.recordings.recording import PlaybackOptions, Rows
from realtime_mood.sources.recordings.tracks import StampedTrack, channel_groups
from realtime_mood.sources.recordings.xdf import OWN

SFREQ = 250.0
SECONDS = 4.0


class Played(NamedTuple):
    """All that a source sent."""

    data: np.ndarray  # (n_times, n_chans), µV
    stamps: np.ndarray  # (n_times,), as the recorder stamps unpaced sources
    infos: dict[str, AuxInfo]
    values: dict[str, np.ndarray]
    sent: dict[str, np.ndarray]


def play(stream: Stream, recorder: Recorder | None = None) -> Played:
    """Play to the end, and record it, where there is a recorder."""
    assert isinstance(stream, Carrying)
    data, infos, chunks, ends = [], dict[str, AuxInfo](), defaultdict[str, list[AuxChunk]](list), []
    with closing(stream), suppress(StreamEnded):
        if recorder:
            recorder.open(stream.info)
        while True:
            if (chunk := stream.read(1.0)) is not None:
                data.append(chunk.data)
                ends.append((chunk.end, chunk.t_last))
                if recorder:
                    recorder.take(chunk)
            for info, aux in stream.beside():
                infos[info.name] = info
                chunks[info.name].append(aux)
                if recorder:
                    recorder.take_aux(info, aux)
    if recorder:
        recorder.close(Health())
    n = sum(map(len, data))
    stamps = ends[0][1] + (np.arange(n) - (ends[0][0] - 1)) / stream.info.sfreq
    for parts in chunks.values():
        assert not len(parts[0])
        assert [part.first for part in parts] == [0, *(part.end for part in parts[:-1])]
    values = {name: np.concatenate([part.values for part in parts]) for name, parts in chunks.items()}
    sent = {name: np.concatenate([part.sent for part in parts]) for name, parts in chunks.items()}
    return Played(np.concatenate(data), stamps, infos, values, sent)


def write_lab_recording(path: Path) -> None:
    """EEG, pulse, gaze, text and markers of four clocks: one drifts, and all show an event at 1, 2 and 3 s."""
    clocks = {1: (5000.0, 0.0), 2: (1e6, 2e-4), 3: (50.0, 0.0), 4: (7.0, 0.0), 5: (0.0, 0.0)}  # shift (s), drift
    gaze_desc = "<channels><channel><label>x</label><unit>deg</unit></channel></channels><maker>a &amp; b</maker>"
    parts = [b"XDF:", xdf_chunk(1, b"<info><version>1.0</version></info>")]
    parts += [
        xdf_header(1, "headset", "EEG", 4, SFREQ, "float32", XDF_DESC),
        xdf_header(2, "pulse", "PPG", 1, 64.0, "int32", source_id="p7"),
        xdf_header(3, "gaze", "Gaze", 1, 0.0, "double64", gaze_desc),
        xdf_header(4, "speech", "Words", 2, 0.0, "string"),
        xdf_header(5, "task", "Markers", 1, 0.0, "string"),
        xdf_header(6, "never", "EDA", 1, 4.0, "float32"),
    ]

    def at(stream: int, times: np.ndarray) -> np.ndarray:
        shift, drift = clocks[stream]
        return 9000.0 + times * (1 + drift) - shift

    for stream, (shift, drift) in clocks.items():
        for t in np.arange(0.0, SECONDS, 0.5):
            parts.append(xdf_chunk(4, struct.pack("<dd", at(stream, t), shift - drift * t), stream))
    times = np.arange(round(SECONDS * SFREQ)) / SFREQ
    eeg = counting(SECONDS, SFREQ).astype("<f4")
    parts.append(xdf_samples(1, eeg, at(1, times)))
    times = np.arange(-32, 64 * int(SECONDS)) / 64.0  # it began before the EEG
    parts.append(xdf_samples(2, np.round(times * 64).astype("<i4")[:, None], at(2, times)))
    times = np.sort(np.r_[np.random.default_rng(1).uniform(0, SECONDS, 300), 1.0, 2.0, 3.0])
    parts.append(xdf_samples(3, times.astype("<f8")[:, None], at(3, times)))
    for k in (1.0, 2.0, 3.0):
        words = b"".join(struct.pack("<BB", 1, len(text)) + text for text in (b"said", "ä".encode()))
        parts.append(xdf_chunk(3, struct.pack("<BBBd", 1, 1, 8, at(4, np.array(k))) + words, 4))
        parts.append(xdf_words(5, float(at(5, np.array(k))), f"event {k:g}"))
    path.write_bytes(b"".join(parts))


def streams_of(path: Path, *, dejittered: bool) -> dict[str, tuple[np.ndarray, Any, dict[str, Any]]]:
    """Stamps from the EEG's first on (s), samples and header of each stream, by name."""
    streams, _ = pyxdf.load_xdf(path, dejitter_timestamps=dejittered)
    (begin,) = (it["time_stamps"][0] for it in streams if it["info"]["type"] == ["EEG"])
    names = ["EEG" if it["info"]["type"] == ["EEG"] else it["info"]["name"][0] for it in streams]
    parts = [(np.asarray(it["time_stamps"]) - begin, it["time_series"], it["info"]) for it in streams]
    return dict(zip(names, parts, strict=True))


@pytest.mark.parametrize("speed", ["max", "20"])
def test_a_recording_of_a_played_recording_is_the_same(tmp_path: Path, speed: str) -> None:
    paths = [tmp_path / f"{k}.xdf" for k in range(3)]
    write_lab_recording(paths[0])
    for before, after in pairwise(paths):
        play(open_source(f"playback://{before}?speed={speed}").open(), Recorder(after))
    for dejittered in (False, True):
        first, *others = (streams_of(path, dejittered=dejittered) for path in paths)
        for again in others:
            assert len(again["EEG"][0]) == SECONDS * SFREQ
            assert again.keys() - first.keys() == {"markers", "readings", "quality", "gaps"}  # ours, once
            for name in ("pulse", "gaze", "speech", "task"):
                stamps, values, header = first[name]
                inside = stamps > -0.002  # what came before the EEG is left out
                np.testing.assert_allclose(again[name][0], stamps[inside], atol=1e-3)
                assert np.array_equal(np.array(again[name][1], object), np.array(values, object)[inside])
                for key in ("type", "channel_format", "nominal_srate", "source_id"):
                    assert str(again[name][2][key][0] or "") == str(header[key][0] or "") if key in header else True
            for name, row in (("gaze", 1.0), ("speech", "said"), ("task", "event 1"), ("pulse", 64)):
                at = next(k for k, sample in enumerate(again[name][1]) if sample[0] == row)
                assert abs(again[name][0][at] - 1.0) < 0.002
            assert again["gaze"][2]["desc"][0]["maker"] == ["a & b"]
            assert [sample[0] for sample in again["markers"][1]] == ["event 1", "event 2", "event 3"]
            assert not len(again["never"][0])


def test_no_stream_of_our_own_recorder_is_carried() -> None:
    assert set(OWN) == set(NAMES[2:])  # after the EEG


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 900), st.integers(1, 400), st.booleans(), st.sampled_from([1.0, 7.0, np.inf]), st.integers(40, 300)
)
def test_what_is_beside_the_samples_keeps_their_time(start: int, n: int, loop: bool, speed: float, lost: int) -> None:
    index = np.delete(np.arange(1500), np.arange(500, 500 + lost))
    times = np.arange(0.0, 6.0, 0.01)
    track = StampedTrack(AuxInfo("#t", "t", "T", ("a",), ("",)), lambda: (times, times[:, None]))
    data = np.column_stack([index] * 4).astype(float)
    file = Rows(data, index, CH_NAMES, SFREQ, markers=[], tracks=[track])
    options = PlaybackOptions(start=start / SFREQ, stop=(start + n) / SFREQ, loop=loop, speed=speed)
    if not any(start <= k < start + n for k in index):
        return
    stream = PlaybackStream(file, options, "playback://x", "x")
    stream._t0 = -1e4  # everything is due
    eeg, beside = [], []
    with suppress(StreamEnded):
        while sum(map(len, eeg)) < 2.5 * n:
            eeg.append(stream.read(0.0))
            for _, aux in stream.beside():
                counts = range(aux.first, aux.end)
                beside += zip(aux.sent.tolist(), aux.values[:, 0].tolist(), counts, strict=True)
    place = {chunk.first + k: value for chunk in eeg for k, value in enumerate(chunk.data[:, 0].tolist())}
    origin = eeg[0].t_last - (eeg[0].end - 1) / SFREQ if np.isfinite(speed) else stream._stamp0
    assert [count for _, _, count in beside] == list(range(len(beside)))
    for sent, taken, _ in beside:
        at = (sent - origin) * SFREQ  # the sample of the stream it belongs to
        nearest = math.floor(at + 0.5001)
        if (near := place.get(nearest)) is not None:
            assert abs(near - taken * SFREQ - (nearest - at)) < 1e-3
    if not loop:
        expected = [t for t in times if start - 0.5 <= t * SFREQ < min(start + n, 1500) - 0.5]
        inside = [t for t in expected if t * SFREQ < max(k for k in index if k < start + n) + 0.5]
        np.testing.assert_allclose([taken for _, taken, _ in beside], inside)


def test_channels_of_the_body_are_played_at_their_own_rate(tmp_path: Path) -> None:
    data, whole = counting(4.0, 256.0), (-32768, 32767)

    def signal(values: np.ndarray, rate: float, label: str, unit: str) -> edfio.EdfSignal:
        return edfio.EdfSignal(
            values, rate, label=label, physical_dimension=unit, physical_range=whole, digital_range=whole
        )

    signals = [signal(column, 256.0, name, "uV") for name, column in zip(CH_NAMES, data.T, strict=True)]
    signals += [signal(np.arange(4 * 512.0), 512.0, "ECG EKG", "mV"), signal(np.arange(4 * 32.0), 32.0, "Resp", "kPa")]
    signals += [signal(np.arange(4 * 256.0), 256.0, "EOG left", "uV"), signal(data[:, 1], 256.0, "Counter", "")]
    edfio.Edf(signals).write(tmp_path / "a.edf")
    played = play(open_source(f"playback://{tmp_path / 'a.edf'}?speed=max&start=1").open())
    np.testing.assert_array_equal(played.data[:, 0], np.arange(256, 1024))
    assert {(it.type, it.sfreq, it.ch_names, it.units) for it in played.infos.values()} == {
        ("ECG", 512.0, ("ECG EKG",), ("mV",)),
        ("Respiration", 32.0, ("Resp",), ("kPa",)),
        ("EOG", 256.0, ("EOG left",), ("uV",)),
    }
    for name, info in played.infos.items():
        late = (played.sent[name] - played.stamps[0] + 1.0) * info.sfreq - played.values[name][:, 0]
        np.testing.assert_allclose(late, 0, atol=1e-3)
        assert len(late) >= 3 * info.sfreq - 1


def test_typed_channels_of_a_file_with_a_break_keep_the_time_of_the_eeg(tmp_path: Path) -> None:
    values = np.column_stack((counting(6.0, SFREQ) * 1e-6, np.arange(1500) * 1e-6))
    info = mne.create_info([*CH_NAMES, "b1"], SFREQ, ["eeg"] * 4 + ["ecg"])
    raw = mne.io.RawArray(values.T, info, verbose="ERROR")
    raw.set_annotations(mne.Annotations([2.0], [1.0], ["BAD_ACQ_SKIP"]))
    raw.save(tmp_path / "a_raw.fif", fmt="double", verbose="ERROR")
    played = play(open_source(f"playback://{tmp_path / 'a_raw.fif'}?speed=max").open())
    np.testing.assert_allclose(played.values["ecg"][:, 0] * 1e6, played.data[:, 0], atol=1e-3)
    assert played.infos["ecg"].units == ("V",)


def test_tables_bring_the_columns_that_their_program_names(tmp_path: Path) -> None:
    names = ("Accelerometer_X", "Gyro_X", "Battery", "AUX_RIGHT", "HSI_TP9", "Delta_AF7", "PPG_IR", "HeadBandOn")
    groups = channel_groups(dict(enumerate(names)), {}, {})
    assert {group.name: group.ch_names for group in groups} == {
        "accelerometer": ("Accelerometer_X",), "gyroscope": ("Gyro_X",), "battery": ("Battery",),
        "analog": ("AUX_RIGHT",), "ppg": ("PPG_IR",),
    }  # fmt: skip
    data = counting(2.0, SFREQ)
    (tmp_path / "a.txt").write_text(openbci_old(data, SFREQ))
    url = f"playback://{tmp_path / 'a.txt'}?speed=max&channels={','.join(CH_NAMES)}"
    played = play(open_source(url).open())
    assert played.infos["accelerometer"].units == ("g",) * 3
    assert len(played.values["accelerometer"]) == len(data)
    np.testing.assert_allclose(played.sent["accelerometer"], played.stamps)
