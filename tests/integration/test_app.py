"""The program as a shell runs it: the command line's contract, exit codes, and one line for every mistake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import pytest
from forking import PROGRAM
from waiting import until

import app

ROOT = Path(__file__).parents[2]
APP = [sys.executable, str(ROOT / "app.py")]
PERSON = "synthetic://?subject=90001&n_chans=8&speed=max&script=neutral:20,positive:20"


@pytest.fixture
def run(capfd):
    """The program in this process (a new one would load torch each time); its exit code, output and errors."""

    def call(*words):
        capfd.readouterr()
        code = app.command(words)
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def lines(run):
    """The JSON lines of a run that must succeed."""

    def call(*words):
        code, out, err = run(*words, "--view", "json")
        assert code == 0, err
        return [json.loads(line) for line in out.splitlines()]

    return call


@pytest.fixture
def whole(lines):
    return lines("run", "--source", PERSON)


def test_algebra_runs_in_one_thread_without_being_told():
    code = (
        "import app, scipy.linalg; from threadpoolctl import threadpool_info;"
        "print({pool['num_threads'] for pool in threadpool_info() if pool['user_api'] == 'blas'})"
    )
    told = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=told, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{1}"


def test_a_warning_from_any_thread_is_not_heard():
    code = (
        "import app, threading, warnings; thread = threading.Thread(target=warnings.warn, args=('edge artifacts',));"
        "app.command = lambda words: thread.start() or warnings.warn('here too') or 0; app.main()"
    )
    told = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=told, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_script_ends_with_its_health_and_a_reading_a_hop(whole):
    *readings, health = whole
    assert [round(r["t"] / 0.25) for r in readings] == list(range(1, 161))
    assert [r["end"] for r in readings] == [64 * k for k in range(1, 161)]
    assert health == health | {
        "kind": "health",
        "samples": 40 * 256,
        "lost": 0,
        "readings": 160,
        "skipped": 0,
        "fault": None,
    }
    assert all(r["virtual"] and r["readout"] == "emotion3" and not r["calibrated"] for r in readings)
    assert {r["why"] for r in readings[:31]} == {"settling"}
    estimates = [r for r in readings if r["kind"] == "estimate"]
    assert estimates
    for r in estimates:
        assert r["labels"] == ["negative", "neutral", "positive"]
        assert sum(r["probs"]) == pytest.approx(1, abs=1e-5)
        assert r["confidence"] == pytest.approx(max(r["probs"]), abs=1e-5)
        assert 0 <= r["quality"] <= 1
        assert 0 < r["coverage"] <= 1


def test_the_same_run_again_says_the_same(whole, lines):
    again = lines("run", "--source", PERSON)
    timeless = [[{k: v for k, v in r.items() if not k.endswith("_ms")} for r in rows] for rows in (whole, again)]
    assert timeless[0] == timeless[1]


def test_seconds_are_stream_time_to_the_sample(lines):
    *_, health = lines("run", "--source", PERSON, "--seconds", "9.1")
    assert health["samples"] == round(9.1 * 256)


def test_a_baseline_makes_the_readings_calibrated(tmp_path, lines, run):
    profile = str(tmp_path / "p.json")
    rest = PERSON.replace("neutral:20,positive:20", "rest:40")
    told = lines("calibrate", "--protocol", "baseline", "--source", rest, "--profile", profile)
    assert told[-1]["kind"] == "profile"
    assert told[-1]["virtual"] is True
    *readings, _ = lines("run", "--source", PERSON, "--profile", profile, "--seconds", "12")
    assert all(r["calibrated"] for r in readings)
    smaller = PERSON.replace("n_chans=8", "channels=Fp1,Fp2,Cz,Pz")
    code, _, err = run("run", "--source", smaller, "--profile", profile, "--view", "json")
    assert code == 5
    assert "made without Cz, Pz" in err


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    (folder / "empty.edf").touch()
    (folder / "noise.edf").write_bytes(np.random.default_rng(0).bytes(4000))
    (folder / "c.toml").write_text('colour = "red"\n')
    (folder / "p.json").write_text("{}")
    (folder / "w").mkdir()
    return folder


MISTAKES = {
    "no such stream": (3, ["run", "--source", "lsl://nobody-{uid}?timeout=0.3"], "nobody-"),
    "no such file": (3, ["run", "--source", "playback://none.edf"], "no such file"),
    "an empty file": (3, ["run", "--source", "playback://empty.edf"], "empty"),
    "noise for a file": (3, ["run", "--source", "playback://noise.edf"], "noise.edf"),
    "too slow for gamma": (2, ["run", "--source", "synthetic://?sfreq=60"], "sfreq"),
    "an unknown scheme": (2, ["run", "--source", "bluetooth://x"], "bluetooth"),
    "an unknown option of a source": (2, ["run", "--source", "synthetic://?colour=red"], "colour"),
    "an unknown state": (2, ["run", "--source", "synthetic://?script=joy:20"], "joy"),
    "an unknown electrode": (2, ["run", "--source", "synthetic://?channels=Fp1,Fp2,Xx,Cz"], "Xx"),
    "an unknown key in the config": (2, ["run", "--config", "c.toml"], "colour"),
    "no config": (2, ["run", "--config", "none.toml"], "none.toml"),
    "an unknown view": (2, ["run", "--view", "hologram"], "hologram"),
    "an unknown verb": (2, ["dance"], "dance"),
    "an unknown flag": (2, ["run", "--colour", "red"], "--colour"),
    "an unknown readout": (2, ["run", "--readout", "love", "--source", PERSON], "love"),
    "no such weights": (5, ["run", "--weights", "best"], "best"),
    "weights that are none": (5, ["run", "--weights", "w"], "unreadable"),
    "no such profile": (5, ["run", "--profile", "none.json"], "no such file"),
    "a profile that is none": (5, ["run", "--profile", "p.json"], "p.json"),
    "an unknown protocol": (2, ["calibrate", "--protocol", "tarot", "--profile", "x.json"], "tarot"),
    "playing nothing": (3, ["outlet", "none.edf", "--name", "n"], "no such file"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_is_one_line_its_exit_code_and_no_traceback(kind, files, run, monkeypatch):
    expected, words, says = MISTAKES[kind]
    monkeypatch.chdir(files)
    words = [word.replace("{uid}", uuid.uuid4().hex[:8]) for word in words]
    view = [] if words[0] != "run" or "--view" in words else ["--view", "json"]
    code, _, err = run(*words, *view)
    assert code == expected, err
    assert says in err
    assert len(err.strip().splitlines()) == 1, err
    assert err.startswith("error: ")


@pytest.mark.parametrize("keyboard", ["default_int_handler", "SIG_IGN"], ids=["before a terminal", "in the background"])
def test_interrupted_it_still_says_how_the_run_was(program, keyboard):
    """A shell that puts a program in the background has it ignore Ctrl-C; it can be ended all the same."""
    code = f"import signal; signal.signal(signal.SIGINT, signal.{keyboard}); {PROGRAM}"
    going = program("run", "--source", "synthetic://?subject=90001&n_chans=8", "--view", "json", code=code, whole=True)
    first = json.loads(going.stdout.readline())
    going.send_signal(signal.SIGTERM)
    rest = [json.loads(line) for line in going.stdout]
    until(lambda: going.poll() is not None)
    assert first["kind"] in ("abstained", "body")
    assert rest[-1]["kind"] == "health"
    assert rest[-1]["fault"] is None
    assert going.returncode == 0


def test_an_emotion_readout_is_silent_on_a_real_recording(data_dir, lines):
    url = f"playback://{data_dir}/device_files/edf_eegmat/Subject00_2.edf?speed=max"
    *readings, _ = lines("run", "--source", url, "--readout", "emotion3")
    whole = [r for r in readings if r["t"] < 60]  # then the file stands still on every channel
    assert {r["why"] for r in whole} == {"settling", "uncalibrated"}
    *readings, health = lines("run", "--source", url)
    assert {r["readout"] for r in readings} == {"effort"}
    assert health["readings"] == 248
    assert not any(r["virtual"] for r in readings)


def test_help_names_every_verb(run):
    code, out, _ = run("--help")
    assert code == 0
    for verb in ("run", "calibrate", "outlet", "train", "info"):
        assert verb in out
    assert "..." not in out.partition("Commands:")[2]  # what a verb does fits its line


def test_an_unexpected_fault_is_one_line_and_its_traceback_goes_to_the_log(run, monkeypatch, tmp_path):
    def broken(*_):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(app, "start_run", broken)
    monkeypatch.setattr("realtime_mood.files.user_log_path", lambda *_, **__: tmp_path)
    code, _, err = run("run")
    assert code == 1
    assert len(err.strip().splitlines()) == 1
    assert "ZeroDivisionError" in err
