"""A recording gives the same readings again, to the last digit, or says where it does not."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import EIGHT, INFO, FakeNetwork, FakeSource, cut, live, pink, pipeline
from waiting import until

from realtime_mood.errors import MoodError, SourceNotFound, StreamMismatch
from realtime_mood.health import Health
from realtime_mood.montage import positions
from realtime_mood.pipeline import LEARNS, Pipeline
from realtime_mood.recording.reader import open_recorded
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.replay import replay
from realtime_mood.recording.xdf_session import XdfSession
from realtime_mood.run.engine import Engine
from realtime_mood.sources import open_source
from realtime_mood.types import Chunk, Fault, Features, Impedance, Marker, StreamInfo

SIGNAL = pink(round(20 * INFO.sfreq), len(EIGHT))


class Telling(FakeNetwork):
    """Says something that depends on every feature."""

    def __call__(self, features: Features) -> tuple[tuple[float, ...], np.ndarray]:
        p = float(1 / (1 + np.exp(-1 - features.de[-1].astype(np.float64).mean() - features.patches.mean())))
        self.probs = (p, 1 - p)
        return super().__call__(features)


def telling(info: StreamInfo) -> Pipeline:
    return pipeline(info, Telling())


def chunks() -> list[Chunk]:
    """A stream with a short hole, a long one, a channel that cannot be read, and impedances."""
    signal = SIGNAL.copy()
    signal[900:910, 2] = np.nan
    whole, out, end = cut(signal, [17, 60, 23]), list[Chunk](), 0
    for c in whole:
        if not (400 <= c.first < 420 or 1500 <= c.first < 1700):
            out.append(replace(c, lost=c.first - end, impedances=(Impedance(c.first + 2, np.full(8, c.first % 50)),)))
            end = c.end
    return out


def recorded(tmp_path: Path, chunks: list[Chunk], info: StreamInfo = INFO) -> Path:
    recorder = Recorder(tmp_path / "a.xdf", {"weights": "w", "profile": {"mean": [1.25]}})
    engine = Engine(FakeSource(chunks, info), telling, [recorder])
    engine.start()
    until(engine.done.is_set, 60)
    engine.stop()
    return tmp_path / "a.xdf"


@pytest.mark.parametrize("paced", [False, True])
def test_the_same_readings_come_out(tmp_path: Path, paced: bool) -> None:
    came = live(chunks()) if paced else chunks()
    came = [replace(c, impedances=it.impedances) for c, it in zip(came, chunks(), strict=True)]
    path = recorded(tmp_path, came, replace(INFO, paced=paced, virtual=True, reference="Cz", notes=("odd",)))
    it = open_recorded(path)
    assert it.info == replace(INFO, paced=paced, virtual=True, reference="Cz", notes=("odd",))
    assert it.about == {"weights": "w", "profile": {"mean": [1.25]}}
    again = list(it.chunks())
    assert [(c.first, c.lost, len(c)) for c in again] == [(c.first, c.lost, len(c)) for c in came]
    for one, other in zip(again, came, strict=True):
        np.testing.assert_array_equal(one.data, other.data)
        assert [i.index for i in one.impedances] == [i.index for i in other.impedances]
    assert "estimate" in {said["kind"] for said in it.readings}
    made = replay(it, telling)
    assert made.identical
    least = 1 if paced else 40  # where it is paced, a loaded machine skips old windows
    assert made.compared == len(it.readings) - made.stale >= least
    assert "identical" in str(made)


def test_a_reading_that_failed_changes_no_other(tmp_path: Path) -> None:
    calls = []

    def failing() -> None:
        calls.append(0)
        if 4 <= len(calls) <= 9 or len(calls) == 20:
            raise RuntimeError("no memory")

    recorder = Recorder(tmp_path / "a.xdf", LEARNS)
    engine = Engine(FakeSource(cut(SIGNAL, [50])), lambda info: pipeline(info, Telling(trouble=failing)), [recorder])
    engine.start()
    until(engine.done.is_set, 60)
    engine.stop()
    assert engine.health.skipped == 7
    result = replay(open_recorded(tmp_path / "a.xdf"), telling)
    assert result.identical, str(result)
    assert result.compared == 80 - 7


@pytest.mark.parametrize("field", ["probs", "why", "faults", "confidence"])
def test_one_altered_reading_is_a_difference(tmp_path: Path, field: str) -> None:
    it = open_recorded(recorded(tmp_path, chunks()))
    altered = list(it.readings)
    at = next(i for i, said in enumerate(altered) if (said["kind"] == "abstained") == (field == "why"))
    altered[at] = altered[at] | {field: {"probs": [0.5, 0.5], "why": "gap?", "faults": {"C3": "flat"}}.get(field, 0.5)}
    made = replay(replace(it, readings=tuple(altered)), telling)
    assert (made.identical, made.different, made.first_difference.field) == (False, 1, field)
    assert str(made).startswith(f"1 of {made.compared} readings differ; at ")
    assert "older version" in str(made)  # this recording does not say how its statistics were learnt
    assert "older" not in str(replay(replace(it, readings=tuple(altered), about=LEARNS), telling))


def test_the_first_difference_is_named(tmp_path: Path) -> None:
    it = open_recorded(recorded(tmp_path, chunks()))

    def later(info: StreamInfo) -> Pipeline:
        p = telling(info)
        read = p.read
        p.read = lambda window: read(replace(window, power=window.power * (1 + 1e-5 * (window.end > 3600))))
        return p

    made = replay(it, later)
    assert not made.identical
    assert made.first_difference.field == "probs"
    assert made.first_difference.end == 3650
    assert 0 < made.largest < 1e-4
    assert "at 18.25 s (sample 3650) probs was" in str(made)


def test_readings_without_their_samples_are_missed(tmp_path: Path) -> None:
    recorder, kept = Recorder(tmp_path / "a.xdf", {}), cut(SIGNAL, [200])
    recorder.open(INFO)
    for chunk in kept[:2]:
        recorder.take(chunk)
    recorder.close(Health())
    made = replay(open_recorded(tmp_path / "a.xdf"), telling)
    assert (made.compared, made.identical) == (0, False)


def test_what_cannot_be_replayed_says_why(tmp_path: Path) -> None:
    (tmp_path / "empty.xdf").touch()
    (tmp_path / "other.xdf").write_bytes(b"XDF:" + bytes(100))
    (tmp_path / "text.xdf").write_text("hello there")
    with pytest.raises(SourceNotFound, match="no such file"):
        open_recorded(tmp_path / "none.xdf")
    for name in ("empty.xdf", "other.xdf", "text.xdf"):
        with pytest.raises(StreamMismatch):
            open_recorded(tmp_path / name)


def test_any_damage_is_survived(tmp_path: Path) -> None:
    whole = recorded(tmp_path, chunks()[:12]).read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "b.xdf"
    for _ in range(150):
        damaged = bytearray(whole[: rng.integers(1, len(whole) + 1)])
        for at in rng.integers(0, len(damaged), rng.integers(0, 4)):
            damaged[at] = rng.integers(0, 256)
        path.write_bytes(damaged)
        try:
            it = open_recorded(path)
            assert all(len(c) for c in it.chunks())
        except MoodError:
            pass


def test_markers_are_found_without_the_signal_in_memory(tmp_path: Path) -> None:
    info = replace(INFO, ch_names=tuple(list(positions())[:64]))
    it = XdfSession(info, {})
    parts = [it.begin()]
    for k in range(40):
        marks = (Marker(500 * k, f"m{k}"),)
        parts.append(it.take(Chunk(np.zeros((500, 64), np.float32), 500 * k, (500 * k + 499) / info.sfreq, 0, marks)))
    (tmp_path / "a.xdf").write_bytes(b"".join(parts) + it.end())
    found = open_recorded(tmp_path / "a.xdf")
    tracemalloc.start()
    assert [marker.index for marker in found.markers()] == list(range(0, 20_000, 500))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 4 * 20_000 / 2


def test_settings_of_another_form_are_damage(tmp_path: Path) -> None:
    path = recorded(tmp_path, chunks()[:12])
    whole, stored = path.read_bytes(), b'{"weights": "w", "profile": {"mean": [1.25]}}'
    assert whole.count(stored) == 1
    for wrong in (b"[1]", b"null", b'{"begun": 1}', b'{"begun": {"first": []}}', b'{"begun": {"first": Infinity}}'):
        path.write_bytes(whole.replace(stored, wrong.ljust(len(stored))))
        with pytest.raises(StreamMismatch, match="damaged"):
            open_recorded(path)


def test_an_electrode_that_was_left_out_is_left_out_again(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.xdf", {"weights": "w", "profile": None})
    engine = Engine(
        open_source("synthetic://?channels=Fp1,Fp2,C3,C4,O1,O2&sfreq=128&speed=15&script=rest:25"), telling, [recorder]
    )
    assert not engine.leave_out(["C3"])
    engine.start()
    until(lambda: len(engine.readings()) >= 40, 60)
    assert engine.leave_out(["C3", "O1"])
    until(lambda: engine.latest.quality.faults[2] is Fault.EXCLUDED, 60)
    assert [fault is Fault.EXCLUDED for fault in engine.latest.quality.faults] == [
        False,
        False,
        True,
        False,
        True,
        False,
    ]
    engine.leave_out([])
    until(engine.done.is_set, 60)
    engine.stop()
    assert Fault.EXCLUDED not in engine.latest.quality.faults
    result = replay(open_recorded(tmp_path / "a.xdf"), telling)
    assert result.identical, str(result)
    assert result.compared > 40  # as many had come before an electrode was left out
