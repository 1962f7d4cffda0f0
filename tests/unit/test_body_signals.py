"""The simulated subject's eyes, pulse, skin and motion: they follow the state, and the truth about them is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from fakes import pipeline
from scipy import signal
from waiting import until

from realtime_mood.auxiliary import AuxChunk, AuxInfo, Carrying
from realtime_mood.errors import SourceLost, StreamEnded
from realtime_mood.run.engine import Engine
from realtime_mood.sources import open_source
from realtime_mood.sources.synthetic.beside import VirtualSignals, true_body
from realtime_mood.sources.synthetic.body import SKIN, VirtualBody, beats_of
from realtime_mood.sources.synthetic.person import CuedScript, Script, VirtualPerson
from realtime_mood.types import Chunk

NAMES = ("Fp1", "Fp2", "T7", "T8")
URL = "synthetic://?sfreq=128&n_chans=4&speed=max&script="
Streams = dict[str, list[tuple[AuxInfo, AuxChunk]]]


def person(script: str, difficulty: str = "easy", subject: int = 3) -> VirtualPerson:
    return VirtualPerson(subject, NAMES, 128.0, Script.parse(script), difficulty)


def read(source) -> tuple[list[Chunk], Streams]:
    """Everything that a source sends until it ends, also where it is lost and returns."""
    stream, chunks, streams = source.open(), [], {}
    while True:
        try:
            chunks.append(stream.read(0.1))
        except StreamEnded:
            stream.close()
            return chunks, streams
        except SourceLost:
            stream = source.reopen(stream.info)
        for info, chunk in stream.beside():
            streams.setdefault(info.name, []).append((info, chunk))


def sent(streams: Streams, name: str) -> np.ndarray:
    return np.concatenate([chunk.sent for _, chunk in streams[name]])


def values(streams: Streams, name: str) -> np.ndarray:
    return np.concatenate([chunk.values for _, chunk in streams[name]])


def test_heart_and_skin_follow_the_state_as_much_as_the_effects_are_scaled() -> None:
    def change(scale: float) -> np.ndarray:
        found = []
        for subject in range(6):
            rows = VirtualBody(subject, lambda t: "negative" if t >= 120 else "neutral", scale).signal(240)
            beats, skin = beats_of(rows), rows[:, SKIN]
            calm, aroused = (np.diff(beats[(beats > t) & (beats < t + 100)]) for t in (10, 140))
            risen = [np.clip(np.diff(half[::16]), 0, None).sum() for half in np.split(skin, 2)]
            spread = [np.sqrt(np.mean(np.diff(intervals) ** 2)) for intervals in (calm, aroused)]
            found.append([60 / aroused.mean() - 60 / calm.mean(), np.log(spread[1] / spread[0]), risen[1] - risen[0]])
        return np.mean(found, axis=0)

    usual, none = change(0.41), change(0.0)
    assert 3 < usual[0] < 12
    assert usual[1] < -0.2
    assert usual[2] > 0.5
    assert (np.abs(none) < 0.5 * np.abs(usual)).all()


def test_the_pulse_has_its_peaks_at_the_true_beats_and_lids_close_at_the_true_blinks() -> None:
    source = open_source(f"{URL}neutral:30,negative:30&subject=5")
    truth = true_body(source.person(), 60)
    chunks, streams = read(source)
    begin = sent(streams, "gaze")[0]
    pulse = values(streams, "ppg")[:, 0]
    peaks, _ = signal.find_peaks(signal.savgol_filter(pulse, 7, 2), height=0.6, distance=25)
    nearest = np.abs(truth.beats[:, None] - (sent(streams, "ppg")[peaks] - begin)).min(axis=1)
    assert len(peaks) == pytest.approx(len(truth.beats), abs=1)
    assert np.percentile(nearest, 95) < 0.08
    closed = values(streams, "gaze")[:, 4] == 0
    assert len(truth.blinks) >= 5
    for closes, opens in truth.blinks:
        assert closed[round(closes * 120) : round(opens * 120)].all()
    assert closed.sum() == pytest.approx(120 * np.diff(truth.blinks).sum())
    frontal = np.concatenate([chunk.data for chunk in chunks])[:, :2].mean(axis=1)
    peak = [frontal[round(a * 128) : round(b * 128) + 1].max() for a, b in truth.blinks]
    assert np.median(peak) > np.median(frontal) + 60


def test_the_head_shakes_when_the_eeg_has_a_burst() -> None:
    bursts = person("rest:120").artefacts._bursts
    course = np.concatenate([np.sum([events.block(128) for events in bursts], axis=0) for _ in range(120)])
    moved = VirtualSignals(person("rest:120")).take(128 * 120)[2][1]
    shaking = np.abs(np.diff(moved[:, :3], axis=0)).sum(axis=1)
    at = (np.arange(len(shaking)) * 128 / 52).astype(int)
    assert shaking[course[at] > 1.5].mean() > 3 * shaking[course[at] == 0].mean()
    assert np.linalg.norm(moved[:, :3].mean(axis=0)) == pytest.approx(1, abs=0.05)


def test_streams_beside_the_eeg_are_described_and_can_be_left_out() -> None:
    source = open_source(f"{URL}neutral:3")
    stream = source.open()
    assert isinstance(stream, Carrying)
    assert stream.beside() == ()
    stream.read(0.1)
    first = {info.name: (info, chunk) for info, chunk in reversed(stream.beside())}
    assert [(info.kind, info.virtual, len(chunk)) for info, chunk in first.values()] == [
        ("motion", True, 0), ("breathing", True, 0), ("skin", True, 0), ("pulse", True, 0), ("eyes", True, 0),
    ]  # fmt: skip
    assert all(info.url == f"{source.name}#{name}" for name, (info, _) in first.items())
    without = open_source(f"{URL}neutral:3&body=0").open()
    without.read(0.1)
    assert without.beside() == ()


@pytest.mark.parametrize("faults", ["", "drop:0"])
def test_their_stamps_agree_with_those_of_the_eeg(faults: str) -> None:
    chunks, streams = read(open_source(f"{URL}neutral:5&faults={faults}"))
    eeg = chunks[0].t_last - (len(chunks[0]) - 1 - np.arange(5 * 128)) / 128
    for name, every in (("gaze", 128 / 120), ("eda", 32)):
        stamps = sent(streams, name)
        assert stamps == pytest.approx(eeg[0] + np.arange(len(stamps)) * every / 128, abs=1e-3)


def test_what_is_lost_with_the_eeg_is_lost_and_counted_beside_it() -> None:
    _, streams = read(open_source(f"{URL}neutral:20&faults=hole:2@5,kill:3@10"))
    _, clean = read(open_source(f"{URL}neutral:20"))
    ((info, chunk), *_), gaze = streams["gaze"], [chunk for _, chunk in streams["gaze"]]
    assert (info.sfreq, len(chunk)) == (120.0, 0)
    assert sum(chunk.lost for chunk in gaze) == 240
    whole = values(clean, "gaze")
    kept = [(0, 600), (840, 1200), (1560, 2400)]
    np.testing.assert_array_equal(values(streams, "gaze"), np.concatenate([whole[a:b] for a, b in kept]))
    counts = [(chunk.first, chunk.end) for chunk in gaze if not len(chunk)]
    assert counts == [(0, 0), (0, 0)]  # it counts from 0 when the headset has returned
    assert all(b.first == a.end + b.lost for a, b in pairwise(gaze) if len(b) and len(a))


def test_eyes_and_body_follow_a_state_that_is_set_on_the_way_and_do_not_change_when_it_is_set() -> None:
    def played(with_body: bool) -> tuple[np.ndarray, np.ndarray]:
        led = VirtualPerson(3, NAMES, 128.0, script := CuedScript("neutral"), "easy")
        signals, eeg = VirtualSignals(led), []
        for second in range(60):
            eeg.append(led.take(128))
            if second == 29:
                script.lead("negative")
            if with_body:
                signals.take(128 * (second + 1))
        return np.concatenate(eeg), np.asarray(script._changes[-1][0])

    (eeg, begins), (alone, same) = played(True), played(False)
    np.testing.assert_array_equal(eeg, alone)
    assert begins == same


def test_a_run_counts_and_measures_them() -> None:
    with Engine(open_source(f"{URL}neutral:6"), pipeline, []) as engine:
        until(engine.done.is_set)
    found = {it.name: (it.kind, it.samples, it.lost) for it in engine.health.streams}
    assert found == {
        "gaze": ("eyes", 720, 0), "ppg": ("pulse", 384, 0), "eda": ("skin", 24, 0),
        "respiration": ("breathing", 192, 0), "acceleration": ("motion", 312, 0),
    }  # fmt: skip
    assert {it.rate_hz for it in engine.health.streams} == {120.0, 64.0, 4.0, 32.0, 52.0}
