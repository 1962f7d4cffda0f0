"""Every verb's exit codes, and what it does to a standard output that is closed, full, cut off or lacks letters.

All go through the entry point of the program, each in a process of its own that is forked from one which has imported
everything: that takes a tenth of the time.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest

import app
from realtime_mood import errors

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
ROOT = Path(__file__).parents[2]
SERVER = """
import io, json, os, sys
import app, realtime_mood.models.building
for line in sys.stdin:
    words, sink, encoding = json.loads(line)
    if not (child := os.fork()):
        sys.stdin = open(os.devnull)
        for descriptor, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
        if sink == "full":
            os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
        elif sink == "cut off":
            ends = os.pipe()
            os.dup2(ends[1], 1)
            os.close(ends[0])
        elif sink == "closed":
            os.close(1)
        sys.stdout = None if sink == "closed" else io.TextIOWrapper(open(1, "wb", closefd=False), encoding)
        sys.argv = ["realtime-mood", *words]
        try:
            app.main()
        except SystemExit as done:
            if not sink:
                os._exit(done.code)
            raise
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
PERSON = "synthetic://?subject=90001&n_chans=8&speed=max"
PLAN = """
name = "fast"
title = "Fast"
about = "a"
consent = "You agree to this"
debrief = "This was it"
measures = [{kind = "band", electrodes = ["O1", "O2"]}]
blocks = [{kind = "baseline", seconds = 14}, {kind = "feedback", seconds = 2}]
"""
CALIBRATE = ["calibrate", "--source", PERSON, "--view", "json", "--profile"]

GOOD = {
    "run": ["run", "--source", PERSON, "--seconds", "2", "--view", "json"],
    "run in a terminal": ["run", "--source", PERSON, "--seconds", "2", "--view", "terminal"],
    "feedback": ["feedback", "--session", "fast.toml", "--source", PERSON, "--view", "json", "--lines", "fed"],
    "calibrate": [*CALIBRATE, "p.json", "--seconds", "30"],
    "calibrate in a terminal": [*CALIBRATE[:3], "--profile", "q.json", "--seconds", "30"],
    "profiles": ["profiles", "--in", "."],
    "profiles NAME": ["profiles", "kept.json", "--in", "."],
    "devices": ["devices", "--seconds", "0.1"],
    "replay": ["replay", "rec.xdf"],
    "recover": ["recover", "rec.xdf"],
    "report": ["report", "rec.xdf"],
    "seal": ["seal", "NEW", "--n", "4"],
    "unblind": ["unblind", "sealed.json", "{code}"],
    "export": ["export", "--weights", "reader-4", "--out", "NEW"],
    "info": ["info"],
    "help": ["--help"],
}
BAD = {
    "run: an unknown option": (2, ["run", "--colour", "red"]),
    "run: no such file": (3, ["run", "--source", "playback://none.edf", "--view", "json"]),
    "run: a name too long": (3, ["run", "--source", f"playback://{'x' * 300}.edf", "--view", "json"]),
    "run: a name with NUL": (3, ["run", "--source", "playback://a%00b.edf", "--view", "json"]),
    "run: a source that is lost": (4, ["run", "--source", "synthetic://?n_chans=4&faults=kill@0.5", "--give-up", "0.5",
                                      "--view", "json"]),
    "run: no such weights": (5, ["run", "--weights", "best", "--view", "json"]),
    "feedback: no such session": (2, ["feedback", "--session", "none", "--view", "json"]),
    "feedback: no such file": (3, ["feedback", "--source", "playback://none.edf", "--view", "json", "--lines", "x"]),
    "calibrate: no such protocol": (2, ["calibrate", "--protocol", "tarot"]),
    "calibrate: no such file": (3, [*CALIBRATE[:1], "--source", "playback://none.edf", "--profile", "r.json"]),
    "calibrate: too little rest": (5, [*CALIBRATE, "r.json", "--seconds", "5"]),
    "profiles: none of that name": (2, ["profiles", "none", "--in", "."]),
    "profiles: nobody to ask": (2, ["profiles", "kept", "--in", ".", "--delete"]),
    "profiles: altered": (5, ["profiles", "altered.json"]),
    "outlet: too slow": (2, ["outlet", "synthetic://?sfreq=60", "--name", "n"]),
    "outlet: no such file": (3, ["outlet", "none.edf", "--name", "n"]),
    "outlet: nobody listens": (3, ["outlet", "synthetic://", "--name", "n", "--wait", "0.1"]),
    "devices: out of range": (2, ["devices", "--seconds", "0"]),
    "replay: it differs": (1, ["replay", "changed.xdf"]),
    "replay: no such file": (3, ["replay", "none.xdf"]),
    "replay: no such weights": (5, ["replay", "rec.xdf", "--weights", "best"]),
    "recover: a file is there": (2, ["recover", "cut.xdf", "--out", "rec.xdf"]),
    "recover: no such file": (3, ["recover", "none.xdf"]),
    "report: several recordings": (2, ["report", "rec.xdf", "cut.xdf"]),
    "report: no such file": (3, ["report", "none.xdf"]),
    "seal: a file is there": (2, ["seal", "sealed.json"]),
    "unblind: no such code": (2, ["unblind", "sealed.json", "AAAAA0"]),
    "pretrain: no such data": (2, ["pretrain", "--data", "none", "--out", "encoder"]),
    "train: no such data": (2, ["train", "--data", "none", "--out", "weights"]),
    "evaluate: no data": (2, ["evaluate", "--json", "f.json", "--data", "none"]),
    "interpret: no data": (2, ["interpret", "--out", "f.html", "--readout", "effort", "--data", "none"]),
    "export: a folder that is not empty": (2, ["export", "--weights", "reader-4", "--out", "."]),
    "export: no such weights": (5, ["export", "--weights", "best", "--out", "NEW"]),
    "info: no such weights": (5, ["info", "--weights", "best"]),
    "no such verb": (2, ["dance"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """Run the program: words, what becomes of standard output, its encoding; exit code, output and errors."""
    folder = tmp_path_factory.mktemp("verbs")
    told = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    told |= {"PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(folder), "QT_QPA_PLATFORM": ""}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", SERVER], cwd=folder, env=told, text=True, **pipes) as server:

        def ask(words, sink="", encoding="utf-8"):
            if "{code}" in words:
                words = [codes.pop() if word == "{code}" else word for word in words]
            words = [f"{uuid.uuid4().hex}.json" if word == "NEW" else word for word in words]
            server.stdin.write(json.dumps((words, sink, encoding)) + "\n")
            server.stdin.flush()
            code = int(server.stdout.readline())
            return code, (folder / "out").read_bytes().decode(encoding), (folder / "err").read_text()

        (folder / "fast.toml").write_text(PLAN)
        codes = []
        for words in ([*GOOD["run"], "--record", "rec.xdf"], [*CALIBRATE, "kept.json", "--seconds", "30"]):
            assert ask(words)[0] == 0
        codes += ask(["seal", "sealed.json", "--n", "40"])[1].split()
        whole = (folder / "rec.xdf").read_bytes()
        (folder / "changed.xdf").write_bytes(whole.replace(b'"why": "settling"', b'"why": "settled!"', 1))
        (folder / "cut.xdf").write_bytes(whole[: len(whole) // 2])
        profile = json.loads((folder / "kept.json").read_text())
        (folder / "altered.json").write_text(json.dumps(profile | {"seconds": 300.0}))
        yield ask
        server.stdin.close()


def test_every_verb_is_tried():
    verbs = {it.name or it.callback.__name__ for it in app.cli.registered_commands}
    assert verbs - {words[0] for words in GOOD.values()} == {"outlet", "pretrain", "train", "evaluate", "interpret"}
    assert verbs <= {words[0] for _, words in BAD.values()}


@pytest.mark.parametrize("name", BAD)
def test_what_did_not_exits_with_its_code_and_one_line(call, name):
    expected, words = BAD[name]
    code, out, err = call(words)
    assert code == expected, err
    if code == 1:
        assert "differ" in out
    else:
        assert re.fullmatch(r"error: [^\n]+\n", err), err


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
@pytest.mark.parametrize("name", GOOD)
def test_what_went_well_exits_0_and_a_letter_that_the_encoding_lacks_is_replaced(call, name, encoding):
    if encoding == "cp1252" and "json" in GOOD[name]:
        encoding = "latin-1"
    code, out, err = call(GOOD[name], encoding=encoding)
    assert code == 0, err
    assert out
    assert "Traceback" not in err
    if "json" in GOOD[name]:  # escaped instead: nothing is lost
        assert [json.loads(line) for line in out.splitlines()]


SINKS = {"full": (6, "No space left"), "closed": (6, "it is closed"), "cut off": (141, "")}


@pytest.mark.parametrize(("name", "sink"), [(name, [*SINKS][k % 3]) for k, name in enumerate(GOOD)])
def test_an_output_that_cannot_be_written_ends_it_in_words_or_quietly(call, sink, name):
    expected, says = SINKS[sink]
    code, _, err = call(GOOD[name], sink)
    assert code == expected, err
    assert "Traceback" not in err
    said = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(said) == bool(says)
    assert all("standard output" in line and says in line for line in said)


@pytest.mark.parametrize("words", [["info"], ["run", "--seconds", "1", "--source", PERSON, "--view", "terminal"]])
def test_in_a_locale_that_knows_ascii_only_it_goes_on(words):
    told = os.environ | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    command = [sys.executable, str(ROOT / "app.py"), *words]
    done = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert done.stdout.isascii()


def test_the_guide_has_every_code():
    kinds = [it for it in vars(errors).values() if isinstance(it, type) and issubclass(it, errors.MoodError)]
    codes = {0, 1, app.INTERRUPTED, *(it.exit_code for it in kinds)}
    table = (ROOT / "docs" / "guide.md").read_text().partition("## Exit codes")[2]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)} == codes


def test_interrupted_before_its_result_a_verb_says_so(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "start_run", interrupted)
    assert app.command(["run"]) == app.INTERRUPTED == 130


def test_a_view_whose_reader_ends_stops_the_run():
    words = [sys.executable, str(ROOT / "app.py"), "run", "--source", "synthetic://?n_chans=4", "--view", "json"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as going:
        too_long = threading.Timer(60, going.kill)
        too_long.start()
        json.loads(going.stdout.readline())
        going.stdout.close()
        code, err = going.wait(), going.stderr.read()
        too_long.cancel()
    assert (code, err) == (141, "")
