"""The verbs of calibration, as somebody at a prompt has them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from realtime_mood.calibration import verdict
from realtime_mood.calibration.commands import CalibrationJob
from realtime_mood.errors import ProfileError
from realtime_mood.profile import Profile
from realtime_mood.recording.reader import open_recorded

PERSON = "synthetic://?subject=60003&sfreq=128&channels=F3,F4,C3,C4,P3,P4,O1,O2&difficulty=easy&speed={speed}"
SHORT = """
name = "short"
title = "Short"
about = "three moods in two minutes"
readout = "emotion3"
rounds = 3
block_s = 12
settle_s = 2
washout_s = 2

[[rest]]
seconds = 26
text = "rest"
"""
CUE = '[[cues]]\nlabel = "{0}"\ntext = "be {0}"\nvirtual = "{0}"\ncoordinates = [0.0, 0.0]\n'


@pytest.fixture(scope="module")
def protocol(tmp_path_factory):
    path = tmp_path_factory.mktemp("protocols") / "short.toml"
    path.write_text(SHORT + "\n".join(map(CUE.format, ("negative", "neutral", "positive"))))
    return str(path)


@pytest.fixture
def run(capfd, tmp_path, monkeypatch):
    import app

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(verdict, "SHUFFLES", 99)
    monkeypatch.setattr(verdict, "DRAWS", 200)

    def call(*words):
        capfd.readouterr()
        code = app.command([str(word) for word in words])
        return code, *capfd.readouterr()

    return call


def lines(out):
    return [json.loads(line) for line in out.splitlines()]


def test_a_dry_run_lists_what_would_be_done_and_how_long_it_takes(run, protocol):
    code, out, _ = run("calibrate", "--protocol", "emotion", "--dry-run", "--seed", 1)
    assert code == 0
    assert out.count("block ") == 12
    assert out.splitlines()[-1] == "6:06  end, plus the time for ratings"
    code, out, _ = run("calibrate", "--protocol", protocol, "--dry-run")
    assert "three moods" in out
    code, _, err = run("calibrate", "--protocol", "emotion", "--media", "nowhere", "--dry-run")
    assert code == 2
    assert "pictures, sounds or clips" in err


def test_from_a_protocol_to_a_profile_to_its_end(run, protocol, tmp_path):
    profile = tmp_path / "p.json"
    words = ("calibrate", "--source", PERSON.format(speed="max"), "--protocol", protocol, "--seed", 1, "--view", "json")
    code, out, err = run(*words, "--profile", profile)
    assert code == 0, err
    told = lines(out)
    assert {line["kind"] for line in told} == {"progress", "event", "fitting", "profile"}
    last = told[-1]
    assert last["virtual"] is True
    assert last["own"] == "emotion3"
    assert last["verdict"]["passed"]
    begun = [line["text"] for line in told if line["kind"] == "event" and "/begin/" in line["text"]]
    assert [text.split("/")[0] for text in begun] == ["rest"] + ["block"] * 9
    marks = [m.text for m in open_recorded(profile.with_suffix(".xdf")).markers()]
    assert [text for text in marks if "/begin/" in text] == begun
    assert sorted(path.name for path in tmp_path.glob("p.*")) == ["p.html", "p.json", "p.safetensors", "p.xdf"]

    code, out, _ = run("calibrate", "--from", profile.with_suffix(".xdf"), "--profile", tmp_path / "q.json")
    assert code == 0
    assert "Personal classifier emotion3: held-out balanced accuracy" in out
    one, other = Profile.load(profile), Profile.load(tmp_path / "q.json")
    assert one.model_dump(exclude={"made"}) == other.model_dump(exclude={"made"})
    assert one.head == other.head

    code, out, _ = run("profiles", "--in", tmp_path)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["p", "q"]
    assert "chance 0.33" in out
    code, out, _ = run("profiles", "p", "--in", tmp_path)
    assert "p.json, p.safetensors, p.xdf, p.html" in out
    code, out, _ = run("profiles", "q", "--in", tmp_path, "--delete", "--yes")
    assert code == 0
    assert not list(tmp_path.glob("q.*"))

    today = tmp_path / "today.json"
    rest = ("calibrate", "--source", PERSON.format(speed="max"), "--seconds", 40, "--profile", today)
    code, _, err = run(*rest, "--refresh", profile)
    assert code == 0, err
    assert Profile.load(today).own == one.own
    assert Profile.load(today).mean != one.mean


@pytest.mark.usefixtures("no_figures")
def test_without_a_place_the_profile_goes_to_the_user_s_own_folder(run, tmp_path):
    words = ("calibrate", "--source", PERSON.format(speed="max"), "--seconds", 30, "--view", "json")
    code, out, err = run(*words, "--participant", "P7")
    assert code == 0, err
    path = Path(lines(out)[-1]["path"])
    assert path.is_relative_to(tmp_path / "data")
    assert path.is_file()
    code, out, _ = run("profiles", "--view", "json")
    assert json.loads(out)["path"] == str(path)
    assert json.loads(out)["participant"] == "P7"
    assert run("forget", "--participant", "P7", "--yes")[0] == 0
    assert not list(path.parent.iterdir())


@pytest.mark.usefixtures("no_figures")
def test_a_headset_pulled_out_is_waited_for_and_the_block_done_anew(run, protocol, tmp_path):
    source = PERSON.format(speed="40") + "&faults=kill:3@45"
    code, out, err = run(
        "calibrate", "--source", source, "--protocol", protocol, "--view", "json", "--profile", tmp_path / "p.json"
    )
    assert code == 0, err
    events = [line["text"] for line in lines(out) if line["kind"] == "event"]
    [cancelled] = [text for text in events if "/cancelled/" in text]
    assert cancelled.endswith("samples lost")
    step = cancelled.rpartition("/1/")[0]
    assert f"{step}/2/end" in events
    assert lines(out)[-1]["verdict"]["blocks"] == [3, 3, 3]


@pytest.mark.skipif(sys.platform == "win32", reason="nothing can be killed like that there")
@pytest.mark.usefixtures("no_figures")
def test_after_a_kill_the_recording_gives_the_profile(program, run, protocol, tmp_path):
    """Killed while it fits, when the last block is over: nothing but the recording is left."""
    words = ["calibrate", "--source", PERSON.format(speed="max"), "--protocol", protocol, "--seed", "1"]
    killed = program(*words, "--view", "json", "--profile", tmp_path / "p.json")
    for line in killed.stdout:
        if json.loads(line)["kind"] == "fitting":
            killed.kill()
            break
    killed.wait()
    assert not (tmp_path / "p.json").exists()
    code, _, err = run("calibrate", "--from", tmp_path / "p.xdf", "--profile", tmp_path / "p.json")
    assert code == 0, err
    code, _, err = run(*words, "--view", "json", "--profile", tmp_path / "q.json")
    assert code == 0, err
    one, other = Profile.load(tmp_path / "p.json"), Profile.load(tmp_path / "q.json")
    assert one.model_dump(exclude={"made"}) == other.model_dump(exclude={"made"})


def test_a_page_of_somebody_else_is_not_replaced_and_nothing_is_begun(run, tmp_path):
    (tmp_path / "p.html").write_text("<p>mine</p>")
    words = ("calibrate", "--source", PERSON.format(speed="max"), "--seconds", 30, "--profile", tmp_path / "p.json")
    code, _, err = run(*words)
    assert code == 2
    assert err == f"error: a report at {tmp_path / 'p.html'} · that is another file · choose another name\n"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"p.html": "<p>mine</p>"}


MISTAKES = {
    "a recording that is none": (3, ["--from", "none.xdf"], "no such file"),
    "an older profile that is none": (5, ["--refresh", "none.json"], "no such file"),
    "refreshing by blocks": (2, ["--refresh", "{old}", "--protocol", "effort"], "baseline"),
    "an unknown view": (2, ["--view", "hologram"], "hologram"),
    "no such profile": (2, None, "no such profile"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_is_one_line_and_its_exit_code(kind, run, tmp_path, monkeypatch):
    import numpy as np

    from realtime_mood.dsp.spec import FeatureSpec
    from realtime_mood.types import StreamInfo

    monkeypatch.chdir(tmp_path)
    info = StreamInfo(("C3", "C4", "O1", "O2"), 128.0)
    old = Profile.from_steps(
        info, FeatureSpec(), np.random.default_rng(0).normal(3, 1, (40, 4, 5)), np.ones((40, 4), bool)
    )
    old.save(tmp_path / "old.json")
    expected, words, says = MISTAKES[kind]
    verb = ["profiles", "nobody"] if words is None else ["calibrate", *words]
    code, _, err = run(*(word.replace("{old}", "old.json") for word in verb))
    assert (code, len(err.strip().splitlines())) == (expected, 1), err
    assert says in err
    assert err.startswith("error: ")


def test_where_a_profile_cannot_be_written_its_recording_is_named():
    def keep(_fitted):
        raise OSError(28, "No space left on device")

    job = SimpleNamespace(fit=lambda *_: None, keep=keep, path=Path("me.json"))
    with pytest.raises(ProfileError, match=r"profile me.json · not written: No space left .* recording is me.xdf"):
        CalibrationJob._fit(job, Path("me.xdf"), SimpleNamespace(fitting=None))
