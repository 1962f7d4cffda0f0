"""Every verb's exit codes, and what it does to a standard output that is closed, full, cut off or lacks letters.

All go through the entry point of the program, each in a process of its own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from fast_plan import FAST_PLAN
from forking import PROGRAM, start

import app
from realtime_mood import errors
from realtime_mood.encryption import encrypt, make_key, read_key
from realtime_mood.sinks.csv_file import COLUMNS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such outputs there")
ROOT = Path(__file__).parents[2]
PERSON = "synthetic://?subject=90001&n_chans=8&speed=max"
CALIBRATE = ["calibrate", "--source", PERSON, "--view", "json", "--profile"]

GOOD = {
    "run": ["run", "--source", PERSON, "--seconds", "2", "--view", "json"],
    "run in a terminal": [
        "run",
        "--source",
        PERSON,
        "--seconds",
        "2",
        "--view",
        "terminal",
        "--record",
        "t.xdf",
        "--encrypt",
        "mood.key",
    ],
    "feedback": ["feedback", "--session", "fast.toml", "--source", PERSON, "--view", "json", "--lines", "fed"],
    "calibrate": [*CALIBRATE, "p.json", "--seconds", "30"],
    "calibrate in a terminal": [*CALIBRATE[:3], "--profile", "q.json", "--seconds", "30"],
    "profiles": ["profiles", "--in", "."],
    "profiles NAME": ["profiles", "kept.json", "--in", "."],
    "forget": ["forget", "--participant", "{somebody}", "--in", ".", "--yes"],
    "outlet": ["outlet", "--list"],
    "devices": ["devices", "--seconds", "0.1"],
    "replay": ["replay", "rec.xdf"],
    "recover": ["recover", "rec.xdf"],
    "report": ["report", "rec.xdf"],
    "seal": ["seal", "NEW", "--n", "4"],
    "unblind": ["unblind", "sealed.json", "{code}"],
    "export FILE": ["export", "rec.xdf", "--csv", "--out", "NEW"],
    "export": ["export", "--weights", "reader-5", "--out", "NEW"],
    "info": ["info"],
    "menu-entry": ["menu-entry"],
    "encrypt": ["encrypt", "{plain}", "--key", "mood.key"],
    "decrypt": ["decrypt", "{encrypted}", "--key", "mood.key"],
    "help": ["--help"],
}
BAD = {
    "run: an unknown option": (2, ["run", "--colour", "red"]),
    "run: no such file": (3, ["run", "--source", "playback://none.edf", "--view", "json"]),
    "run: a name too long": (3, ["run", "--source", f"playback://{'x' * 300}.edf", "--view", "json"]),
    "run: a name with NUL": (3, ["run", "--source", "playback://a%00b.edf", "--view", "json"]),
    "run: no key to encrypt with": (2, ["run", "--record", "n.xdf", "--encrypt", "fast.toml", "--view", "json"]),
    "run: a source that is lost": (4, ["run", "--source", "synthetic://?n_chans=4&faults=kill@0.5", "--give-up", "0.5",
                                      "--view", "json"]),
    "run: no such weights": (5, ["run", "--weights", "best", "--view", "json"]),
    "feedback: no such session": (2, ["feedback", "--session", "none", "--view", "json"]),
    "feedback: no such view": (2, ["feedback", "--view", "terminal"]),
    "feedback: no such file": (3, ["feedback", "--source", "playback://none.edf", "--view", "json", "--lines", "x"]),
    "calibrate: no such protocol": (2, ["calibrate", "--protocol", "tarot"]),
    "calibrate: no such file": (3, [*CALIBRATE[:1], "--source", "playback://none.edf", "--profile", "r.json"]),
    "calibrate: too little rest": (5, [*CALIBRATE, "r.json", "--seconds", "5"]),
    "profiles: none of that name": (2, ["profiles", "none", "--in", "."]),
    "profiles: nobody to ask": (2, ["profiles", "kept", "--in", ".", "--delete"]),
    "profiles: no such view": (2, ["profiles", "--view", "moon"]),
    "profiles: altered": (5, ["profiles", "altered.json"]),
    "doctor: no such scope": (2, ["doctor", "--lsl-scope", "moon"]),
    "forget: neither whom nor what": (2, ["forget"]),
    "forget: nobody to ask": (2, ["forget", "--participant", "{somebody}", "--in", "."]),
    "outlet: too slow": (2, ["outlet", "synthetic://?sfreq=60", "--name", "n"]),
    "outlet: no such scenario": (2, ["outlet", "--scenario", "moon"]),
    "outlet: a file and a scenario": (2, ["outlet", "synthetic://", "--scenario", "muse"]),
    "outlet: nothing to send": (2, ["outlet"]),
    "outlet: from before the first sample": (2, ["outlet", "none.edf", "--name", "n", "--start", "-1"]),
    "outlet: no name": (2, ["outlet", "synthetic://"]),
    "outlet: no such file": (3, ["outlet", "none.edf", "--name", "n"]),
    "outlet: nobody listens": (3, ["outlet", "synthetic://", "--name", "n", "--wait", "0.1"]),
    "devices: out of range": (2, ["devices", "--seconds", "0"]),
    "devices: no such view": (2, ["devices", "--view", "moon"]),
    "replay: it differs": (1, ["replay", "changed.xdf"]),
    "replay: no such file": (3, ["replay", "none.xdf"]),
    "replay: no such weights": (5, ["replay", "rec.xdf", "--weights", "best"]),
    "recover: a file is there": (2, ["recover", "cut.xdf", "--out", "rec.xdf"]),
    "recover: no such file": (3, ["recover", "none.xdf"]),
    "report: several, none of them there": (3, ["report", "none.xdf", "nor.xdf"]),
    "menu-entry: an unknown option": (2, ["menu-entry", "--colour"]),
    "report: no such file": (3, ["report", "none.xdf"]),
    "seal: a file is there": (2, ["seal", "sealed.json"]),
    "unblind: no such code": (2, ["unblind", "sealed.json", "AAAAA0"]),
    "pretrain: no such data": (2, ["pretrain", "--data", "none", "--out", "encoder"]),
    "train: no such data": (2, ["train", "--data", "none", "--out", "weights"]),
    "evaluate: no data": (2, ["evaluate", "--json", "f.json", "--data", "none"]),
    "interpret: no data": (2, ["interpret", "--out", "f.html", "--readout", "effort", "--data", "none"]),
    "export: a folder that is not empty": (2, ["export", "--weights", "reader-5", "--out", "."]),
    "export: no such weights": (5, ["export", "--weights", "best", "--out", "NEW"]),
    "info: no such weights": (5, ["info", "--weights", "best"]),
    "encrypt: neither key nor recipient": (2, ["encrypt", "rec.xdf"]),
    "encrypt: no such file": (3, ["encrypt", "none.xdf", "--key", "mood.key"]),
    "decrypt: a lost key": (2, ["decrypt", "{encrypted}", "--key", "lost.key"]),
    "decrypt: not encrypted": (3, ["decrypt", "rec.xdf", "--key", "mood.key"]),
    "no such verb": (2, ["dance"]),
}  # fmt: skip


SPOILT = {
    "closed": "import os, sys; os.close(1); sys.stdout = None",
    "cut off": "import os; reads, writes = os.pipe(); os.dup2(writes, 1); os.close(reads); os.close(writes)",
}


def somebody(folder: Path) -> str:
    """A participant of whom there is a table."""
    participant = uuid.uuid4().hex
    (folder / f"sub-{participant}_readings.csv").write_text(",".join(COLUMNS))
    return participant


def plain(folder: Path) -> Path:
    """A file to encrypt."""
    path = folder / f"{uuid.uuid4().hex}.json"
    path.write_text("{}")
    return path


def encrypted(folder: Path) -> str:
    """A file that the key of the folder decrypts."""
    return encrypt(plain(folder), (), read_key(folder / "mood.key")).path.name


@pytest.fixture(scope="module")
def call(tmp_path_factory, fork_server):
    """Run the program: words, what becomes of standard output, its encoding; exit code, output and errors."""
    folder, codes = tmp_path_factory.mktemp("verbs"), []
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    env |= {"XDG_DATA_HOME": str(folder), "QT_QPA_PLATFORM": ""}

    def ask(words, sink="", encoding="utf-8"):
        words = [codes.pop() if word == "{code}" else word for word in words]
        words = [encrypted(folder) if word == "{encrypted}" else word for word in words]
        words = [plain(folder).name if word == "{plain}" else word for word in words]
        words = [somebody(folder) if word == "{somebody}" else word for word in words]
        words = [f"{uuid.uuid4().hex}.json" if word == "NEW" else word for word in words]
        how = {"env": env, "cwd": folder, "encoding": encoding}
        how |= {"output": "/dev/full"} if sink == "full" else {}
        process = start(fork_server, *words, code=f"{SPOILT.get(sink, '')}\n{PROGRAM}", **how)
        out, err = process.communicate()
        return process.returncode, out, err

    (folder / "fast.toml").write_text(FAST_PLAN)
    make_key(folder / "mood.key")
    for words in ([*GOOD["run"], "--record", "rec.xdf"], [*CALIBRATE, "kept.json", "--seconds", "30"]):
        assert ask(words)[0] == 0
    codes += ask(["seal", "sealed.json", "--n", "40"])[1].split()
    whole = (folder / "rec.xdf").read_bytes()
    (folder / "changed.xdf").write_bytes(whole.replace(b'"why": "settling"', b'"why": "settled!"', 1))
    (folder / "cut.xdf").write_bytes(whole[: len(whole) // 2])
    profile = json.loads((folder / "kept.json").read_text())
    (folder / "altered.json").write_text(json.dumps(profile | {"seconds": 300.0}))
    return ask


def test_every_verb_is_tried():
    verbs = {it.name or it.callback.__name__.replace("_", "-") for it in app.cli.registered_commands}
    assert verbs - {words[0] for words in GOOD.values()} == {
        "doctor", "pretrain", "train", "evaluate", "interpret",
    }  # fmt: skip
    assert verbs <= {words[0] for _, words in BAD.values()}


LEAVING = "other computers can receive "  # LSL's own configuration, which tests have, is taken to allow it


@pytest.mark.parametrize("name", BAD)
def test_what_did_not_exits_with_its_code_and_one_line(call, name):
    expected, words = BAD[name]
    code, out, err = call(words)
    assert code == expected, err
    if code == 1:
        assert "differ" in out
    else:
        assert re.fullmatch(rf"({LEAVING}[^\n]+\n)?error: [^\n]+\n", err), err


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
@pytest.mark.parametrize("name", GOOD)
def test_what_went_well_exits_0_and_a_letter_that_the_encoding_lacks_is_replaced(call, name, encoding):
    if encoding == "cp1252" and "json" in GOOD[name]:
        encoding = "latin-1"
    code, out, err = call(GOOD[name], encoding=encoding)
    assert code == 0, err
    assert out
    assert "Traceback" not in err
    assert ("compared; t" in err and "is removed" in err) == ("--encrypt" in GOOD[name])
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


IN_TURN = """
import sys, app
for words in (["info"], ["run", "--seconds", "1", "--source", sys.argv.pop(), "--view", "terminal"]):
    sys.argv[1:] = words
    try:
        app.main()
    except SystemExit as ended:
        assert not ended.code
"""


def test_in_a_locale_that_knows_ascii_only_it_goes_on():
    told = os.environ | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    command = [sys.executable, "-c", IN_TURN, PERSON]
    done = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert b"effort" in done.stdout
    assert b"samples 256" in done.stdout


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


def test_a_view_whose_reader_ends_stops_the_run(program):
    going = program("run", "--source", "synthetic://?n_chans=4", "--view", "json", whole=True)
    json.loads(going.stdout.readline())
    going.stdout.close()
    assert going.wait(60) == 141
    assert going.stderr.read() == ""
