"""Sessions of feedback as a person goes through them: the command, the loop on a real engine, the screen."""

from __future__ import annotations

import json
import math
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pyxdf
from fast_plan import FAST_PLAN
from pythonosc.osc_packet import OscPacket

import app
from realtime_mood import liblsl
from realtime_mood.errors import ConfigError
from realtime_mood.feedback import sealed
from realtime_mood.feedback.conditions import contingent
from realtime_mood.feedback.loop import WAITING, FeedbackLoop
from realtime_mood.feedback.plan import FeedbackPlan
from realtime_mood.feedback.receivers import LslFeedback, OscFeedback
from realtime_mood.guard import FAILURES
from realtime_mood.health import Feedback, Health, Output
from realtime_mood.recording.xdf_session import FEEDBACK_ROW
from realtime_mood.types import Chunk, Fault, Quality, StreamInfo
from realtime_mood.viewmodel.feedback import GLOW_S, shown

INFO = StreamInfo(("O1", "O2"), 128.0, virtual=True)


@pytest.fixture
def plan_file(tmp_path) -> Path:
    path = tmp_path / "fast.toml"
    path.write_text(FAST_PLAN.replace("seconds = 2}", "seconds = 20}"))
    return path


@pytest.fixture
def plan(plan_file) -> FeedbackPlan:
    from realtime_mood.feedback.plan import load_plan

    return load_plan(str(plan_file))


@pytest.fixture
def feedback(program):
    """Run a session: exit code, output and errors."""

    def run(*words):
        process = program("feedback", "--view", "json", *words)
        out, err = process.communicate()
        return process.returncode, out, err

    return run


# -- the command --------------------------------------------------------------------------------------------------


def test_a_blinded_session_from_its_code_to_its_record(feedback, tmp_path, plan_file):
    study, code = tmp_path / "study.json", ""
    (code,) = sealed.seal(study, ("inverse",), 1)
    words = ("--session", plan_file, "--source", "synthetic://?n_chans=8&speed=10&subject=5", "--sealed", study,
             "--code", code, "--lines", tmp_path / "a", "--record", tmp_path / "a.xdf",
             "--sink", f"csv://{tmp_path / 'readings.csv'}")  # fmt: skip
    exit_code, out, err = feedback(*words)
    assert exit_code == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    about = {"name": "fast", "consent": "You agree to this", "lag_s": 0.57, "reference": "recorded", "code": code}
    assert lines[0] == {"kind": "session", **about}
    assert lines[-1]["whole"]
    assert lines[-1]["debrief"] == "This was it"
    rewards = sum(line.get("reward", False) for line in lines if line["kind"] == "feedback")
    assert rewards == lines[-1]["rewards"] > 0
    assert all(line["virtual"] for line in lines if line["kind"] == "feedback")
    # Nobody who looks on can tell the condition; the record can, and is private.
    record = tmp_path / "a.jsonl"
    assert "inverse" not in out + err + record.read_text()
    assert b"inverse" not in (tmp_path / "a.xdf").read_bytes()
    assert record.stat().st_mode & 0o077 == 0
    fed = [json.loads(line) for line in record.read_text().splitlines()]
    both = np.array([(line["z"], line["shown"]) for line in fed if line.get("shown") is not None])
    np.testing.assert_allclose(both[:, 0], -both[:, 1])
    assert len((tmp_path / "readings.csv").read_text().splitlines()) > 1  # readings of the network go to any sink
    # Markers lie in the recording, and its readings can still be made again.
    streams, _ = pyxdf.load_xdf(str(tmp_path / "a.xdf"))
    texts = [text for it in streams if it["info"]["type"] == ["Markers"] for (text,) in it["time_series"]]
    assert texts.count("reward") == rewards
    assert "feedback/1/begin/feedback" in texts
    # So does everything that was fed back, but not whose it was.
    (kept,) = [it for it in streams if it["info"]["name"] == ["feedback"]]
    rows = kept["time_series"]
    labels = [it["label"][0] for it in kept["info"]["desc"][0]["channels"][0]["channel"]]
    assert labels == list(FEEDBACK_ROW)
    moments = [line for line in lines if line["kind"] == "feedback"]
    assert len(rows) == len(moments)
    np.testing.assert_allclose(rows[:, 0], [line["level"] for line in moments], atol=1e-4)
    assert rows[:, 3].sum() == rewards
    assert np.nanmax(rows[:, 6]) < 1000
    assert app.command(["replay", str(tmp_path / "a.xdf")]) == 0
    # A code serves once.
    again, out, err = feedback(*words)
    assert (again, out) == (2, "")
    assert "used or opened before" in err
    assert app.command(["unblind", str(study), code, "--who", "me"]) == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--session", "nowhere"), "no such session"),
        (("--code", "ABCDE"), "go together"),
        (("--condition", "magic"), "known are"),
        (("--condition", "yoked"), "--yoke"),
    ],
)
def test_what_cannot_be_done_is_said(words, says, capsys):
    assert app.command(["feedback", "--view", "json", *words]) == 2
    assert says in capsys.readouterr().err


def test_a_headset_without_the_electrodes_is_said(feedback, plan_file, tmp_path):
    (code,) = sealed.seal(tmp_path / "study.json", ("sham",), 1)
    words = ("--session", plan_file, "--source", "synthetic://?channels=Fz,Cz,Pz,C3", "--lines", tmp_path / "a")
    exit_code, _, err = feedback(*words, "--sealed", tmp_path / "study.json", "--code", code)
    assert exit_code == 3
    assert "has no O1, O2" in err
    sealed.check(tmp_path / "study.json", code)  # it has not been used up


# -- the loop -----------------------------------------------------------------------------------------------------


class Ear:
    """A receiver that keeps what it was given."""

    def __init__(self) -> None:
        self.heard: list[Feedback] = []
        self.output = Output("ear")

    def put(self, item: Feedback) -> None:
        self.heard.append(item)

    def tell(self, text: str, t: float) -> None: ...

    def close(self, health: Health) -> None: ...


def wait_until(what, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.005)


def play(loop: FeedbackLoop, seconds: float, first: int = 0, clock=lambda: 0.0) -> int:
    rng, end = np.random.default_rng(first), first + round(seconds * INFO.sfreq)
    for at in range(first, end, 16):
        loop.take(Chunk(rng.normal(0, 10, (16, 2)).astype(np.float32), at, clock() + (at + 16) / INFO.sfreq))
    return end


def test_silence_is_neutral_and_is_told_as_such(plan):
    ear = Ear()
    loop = FeedbackLoop(plan, contingent, [ear], notch=())
    loop.open(INFO)
    end = play(loop, 25)
    wait_until(lambda: ear.heard and ear.heard[-1].at > 24.9)
    assert ear.heard[-1].valid
    wait_until(lambda: ear.heard[-1].why == "no data")
    assert (ear.heard[-1].level, ear.heard[-1].reward) == (0.5, False)
    play(loop, 1, end)
    wait_until(lambda: ear.heard[-1].at > 25.9 and ear.heard[-1].valid)
    loop.close(Health())


def test_the_reference_of_the_measures_is_a_marker(plan):
    told = []
    loop = FeedbackLoop(plan.model_copy(update={"reference": "ears"}), contingent, notch=())
    loop.tell = lambda text, t: told.append(text)
    loop.open(replace(INFO, reference="A1+A2"))
    play(loop, 13)
    wait_until(lambda: loop.latest and loop.latest.at > 12.9)
    loop.close(Health())
    assert loop.fault is None
    assert told[:2] == ["feedback/reference/ears", "feedback/0/begin/baseline"]


def test_a_code_is_used_by_feedback_and_not_by_a_baseline(plan):
    used = []
    loop = FeedbackLoop(plan, contingent, notch=(), begins=lambda: used.append("code"))
    loop.open(INFO)
    end = play(loop, 13)
    wait_until(lambda: loop.latest and loop.latest.at > 12.9)
    assert used == []
    play(loop, 3, end)
    wait_until(lambda: loop.latest.kind == "feedback")
    assert used == ["code"]
    loop.close(Health())


def test_a_poor_electrode_freezes_it(plan):
    ear = Ear()
    loop = FeedbackLoop(plan, contingent, [ear], notch=())
    loop.open(INFO)
    end = play(loop, 20)
    wait_until(lambda: ear.heard and ear.heard[-1].at > 19.9)
    loop._fast.judge(Quality(np.ones(2), (None, Fault.MUSCLE)))
    play(loop, 1, end)
    wait_until(lambda: ear.heard[-1].why == "poor signal")
    assert not any(it.reward for it in ear.heard if it.why)
    loop.close(Health())


class Broken(Ear):
    """A receiver that fails: each time, or for a while."""

    def __init__(self, times: int = 10**9) -> None:
        super().__init__()
        self.left, self.closed, self.output = times, 0, Output("broken")

    def put(self, item: Feedback) -> None:
        self.left -= 1
        if self.left >= 0:
            raise BrokenPipeError("gone")
        super().put(item)

    def close(self, health: Health) -> None:
        self.closed += 1


def test_a_receiver_that_fails_is_closed_and_said_and_the_others_go_on(plan):
    ear, broken, hiccup, faults = Ear(), Broken(), Broken(2), []
    loop = FeedbackLoop(plan, contingent, [broken, hiccup, ear], notch=())
    loop.on_fault = faults.append
    for run in (1, 2):  # the same loop serves the next run
        broken.left, ear.heard, faults[:] = 10**9, [], []
        loop.open(INFO)
        play(loop, 20)
        wait_until(lambda: ear.heard and ear.heard[-1].at > 19.9)
        wait_until(lambda run=run: broken.closed == run)
        assert "broken failed: gone" in faults
        assert f"broken failed {FAILURES} times and was removed: gone" in faults
        assert hiccup.heard
        loop.close(Health())
        assert broken.closed == run
        assert hiccup.closed == run


def test_feedback_that_fails_is_neutral_said_and_goes_on(plan):
    ear, faults, fails = Ear(), [], [True]
    loop = FeedbackLoop(plan, contingent, [ear], notch=())
    loop.on_fault = faults.append
    loop.open(INFO)
    end = play(loop, 20)
    wait_until(lambda: ear.heard and ear.heard[-1].at > 19.9)
    push = loop._fast.push

    def fails_once(chunk: Chunk) -> list:
        if fails:
            fails.clear()
            raise FloatingPointError("broken")
        return push(chunk)

    loop._fast.push = fails_once
    play(loop, 1, end)
    wait_until(lambda: ear.heard[-1].at > 20.9 and ear.heard[-1].valid)
    assert faults == ["feedback failed and was started again: broken"]
    assert any(it.why == "feedback failed" and it.level == 0.5 for it in ear.heard)
    loop.close(Health())


def test_nothing_queues_without_bound_behind_a_receiver_that_hangs(plan, monkeypatch):
    monkeypatch.setattr("realtime_mood.feedback.loop.JOIN_S", 0.01)
    monkeypatch.setattr("realtime_mood.feedback.loop.CLOSE_S", 0.05)
    hang, ear = threading.Event(), Ear()
    ear.put = lambda item: hang.wait(20)
    loop = FeedbackLoop(plan, contingent, [ear], notch=())
    loop.open(INFO)
    row = np.zeros((1, 2), np.float32)
    for at in range(2 * WAITING):
        loop.take(Chunk(row, at, at / INFO.sfreq))
    assert len(loop._items) == WAITING
    (late,) = [it for it in loop.outputs if it.trouble]
    assert late.name == "feedback"
    assert late.dropped >= WAITING - 128
    loop.close(Health())
    loop.take(Chunk(row, 2 * WAITING, 0.0))
    assert loop.over.is_set()
    hang.set()


@pytest.mark.parametrize("error", [ConfigError("code ABCDE", "used already"), OSError(30, "Read-only file system")])
def test_without_its_code_nothing_is_fed_back(plan, error):
    def begins() -> None:
        raise error

    ear = Ear()
    loop = FeedbackLoop(plan, contingent, [ear], notch=(), begins=begins)
    loop.open(INFO)
    play(loop, 25)
    wait_until(loop.over.is_set)
    assert isinstance(loop.fault, ConfigError)
    loop.close(Health())
    assert not any(it.kind == "feedback" for it in ear.heard)


def test_lines_that_cannot_be_written_end_the_session_and_not_the_run(plan, tmp_path):
    loop = FeedbackLoop(plan, contingent, record=tmp_path / "there" / "a.jsonl", notch=())
    (tmp_path / "there").write_text("a file where the folder should be")
    loop.open(INFO)
    assert loop.over.is_set()
    assert "--lines" in str(loop.fault)
    loop.close(Health())


def test_osc_carries_the_level_and_nothing_of_the_condition():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inbox:
        inbox.bind(("127.0.0.1", 0))
        inbox.settimeout(5)
        out = OscFeedback(f"127.0.0.1:{inbox.getsockname()[1]}")
        out.put(Feedback(1.0, 1.0, 1, "feedback", "t", 0.75, True, True, "", 3, 9.0, True))
        packet = OscPacket(inbox.recv(4096))
        out.close(Health())
    told = {timed.message.address: timed.message.params[0] for timed in packet.messages}
    assert told == {
        "/realtime_mood/feedback/level": 0.75, "/realtime_mood/feedback/reward": 1,
        "/realtime_mood/feedback/valid": 1, "/realtime_mood/feedback/block": 1,
    }  # fmt: skip


def test_lsl_carries_levels_and_markers_in_words_and_numbers(plan):
    pylsl = liblsl.pylsl()
    out = LslFeedback("RealtimeMood-Feedback", "RealtimeMood-Markers")
    try:
        words, codes = (
            pylsl.StreamInlet(pylsl.resolve_byprop("name", name, timeout=10)[0])
            for name in ("RealtimeMood-Markers", "RealtimeMood-Markers-codes")
        )
        for inlet in (words, codes):
            inlet.open_stream(timeout=10)
        for text in ("feedback/0/begin/baseline", "reward", "feedback/0/end"):
            out.tell(text, 1.0)
        assert [words.pull_sample(timeout=5)[0][0] for _ in range(3)] == [
            "feedback/0/begin/baseline", "reward", "feedback/0/end",
        ]  # fmt: skip
        assert [codes.pull_sample(timeout=5)[0][0] for _ in range(3)] == [51, 60, 59]
        out.put(FED)
        levels = pylsl.StreamInlet(pylsl.resolve_byprop("name", "RealtimeMood-Feedback", timeout=10)[0])
        levels.open_stream(timeout=10)
        out.put(replace(FED, level=0.25))
        assert levels.pull_sample(timeout=5)[0] == pytest.approx([0.25, 0.0, 1.0, 1.0])
    finally:
        out.close(Health())


# -- what is seen -------------------------------------------------------------------------------------------------

FED = Feedback(100.0, 20.0, 1, "feedback", "Let it grow", 0.9, False, True, "", 3, 61.0, True)


def test_the_circle_glides_and_a_reward_glows_for_a_while():
    first = shown(FED, None, 100.0, -1e9, 0.016)
    assert (first.size, first.neutral, first.glow, first.left, first.rewards) == (0.9, False, 0.0, "1:01", "3")
    grown = shown(replace(FED, level=0.1), first, 100.0, 100.0, 0.016)
    assert 0.1 < grown.size < 0.9
    assert grown.glow == 1.0
    assert shown(FED, first, 100.0 + GLOW_S, 100.0, 0.016).glow == 0


def test_neutral_is_told_apart_from_failure():
    frozen = shown(replace(FED, valid=False, level=0.5, why="flat"), None, 100.0, 100.0, 0.016)
    assert frozen.neutral
    assert frozen.size == 0.5
    assert frozen.glow == 0
    assert frozen.words
    old = shown(FED, None, FED.t + 2, -1e9, 0.016)
    assert old.neutral
    low = shown(replace(FED, level=0.05), None, 100.0, -1e9, 0.016)
    assert not low.neutral
    assert low.words == ""
    assert math.isclose(shown(None, None, 0.0, 0.0, 0.0).size, 0.5)
