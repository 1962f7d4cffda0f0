"""Every example runs as it stands, and prints what it is about."""

from __future__ import annotations

import csv
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from realtime_mood import plugins
from realtime_mood.doctor.commands import checks_of

EXAMPLES = Path(__file__).parents[2] / "examples"
RECEIVERS = "receive_"  # tests/integration/test_outputs.py runs them beside a sender
Run = Callable[..., list[str]]
SHORT = "synthetic://?script=neutral:6&n_chans=8&speed=max"


@pytest.fixture
def run(monkeypatch, capsys) -> Run:
    def run(name: str, *words: str) -> list[str]:
        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    return run


def test_first_reading(run):
    head, *lines = run("first_reading.py")
    assert "simulated 16 channels at 256 Hz" in head
    assert len(lines) == 64
    assert re.fullmatch(r"  0.25 s  no estimate: settling", lines[0])
    assert any(re.search(r"s  neutral +negative 0\.\d\d, neutral 0\.\d\d, positive 0\.\d\d$", line) for line in lines)


def test_own_source(run):
    lines = run("own_source.py")
    assert len(lines) == 64
    assert lines[-1].startswith("Abstained(16.00 s, effort: unfamiliar")


def test_own_sink(run):
    *lines, last = run("own_sink.py")
    assert last == f"lamp off after {len(lines)} of 48 readings"
    assert lines
    assert all(line.startswith("lamp: ") for line in lines)


def test_own_measure(run):
    try:
        lines = run("own_measure.py")
    finally:
        plugins.unregister("measures", "front_to_back")
    assert 7 <= len(lines) <= 11
    assert float(lines[-1].split()[-1]) < 0  # alpha is stronger at the back


def test_features_table(run, tmp_path):
    lines = run("features_table.py", SHORT, tmp_path / "features.csv")
    assert lines[0].split()[:2] == ["Fp1", "alpha"]
    with (tmp_path / "features.csv").open() as f:
        names, *rows = csv.reader(f)
    assert len(rows) == 6
    assert len(names) == 2 + 8 * 5
    assert names[:3] == ["time", "quality", "Fp1 delta"]
    assert float(rows[-1][1]) > 0.5
    assert rows[0][2] == ""  # the filters settle
    assert float(rows[-1][2]) > 0


def test_mne_raw(run):
    lines = run("mne_raw.py")
    assert lines[0].startswith("ReadingTable(80 readings, ")
    assert lines[-2].startswith("alpha [")


def test_closed_loop(run, tmp_path):
    lines = run("closed_loop.py", "synthetic://?script=neutral:13&n_chans=8&speed=max", tmp_path / "run.xdf")
    assert [line.split(":")[0].strip() for line in lines] == [f"{t}.00 s  trial {t // 4}" for t in (4, 8, 12)]
    from realtime_mood.recording.reader import open_recorded

    texts = [marker.text for marker in open_recorded(tmp_path / "run.xdf").markers()]
    assert [text.partition("/difficulty")[0] for text in texts if "trial" in text] == [f"trial/{k}" for k in (1, 2, 3)]


def test_own_classifier(run):
    (line,) = run("own_classifier.py")
    assert float(re.search(r"blocks (0\.\d\d|1\.00), chance", line)[1]) > 0.7


def test_cross_validate_with_scikit_learn(run):
    first, last = run("cross_validate_with_scikit_learn.py", "2", "2")
    assert first == "simulated subjects: 2, trials: 8"
    assert re.fullmatch(r"balanced accuracy on subjects left out: \d\.\d\d \(.*\), chance 0\.50", last)


def test_two_streams(run):
    *_, agree, lost = run("two_streams.py")
    assert lost == "lost samples: 0 0"
    both, same = map(int, re.findall(r"\d+", agree))
    assert 0 <= same <= both
    *_, agree, _ = run("two_streams.py", SHORT.replace(":6", ":12"), SHORT.replace(":6", ":12"))
    both, same = map(int, re.findall(r"\d+", agree))
    assert same == both > 0


def test_calibrate_and_read(run, tmp_path):
    lines = run("calibrate_and_read.py", "synthetic://?n_chans=8&speed=max", tmp_path / "me.json")
    assert "26 s of usable rest on 8 electrodes" in lines
    assert lines[-1].endswith("calibrated")
    assert (tmp_path / "me.json").is_file()


def test_every_example_is_short_indexed_and_tested():
    index, tests = (EXAMPLES / "README.md").read_text(), Path(__file__).read_text()
    for path in EXAMPLES.glob("*.py"):
        assert f"]({path.name})" in index, path.name
        assert path.name.startswith(RECEIVERS) or f'"{path.name}"' in tests, path.name
        assert len(path.read_text().splitlines()) < (110 if path.name == "lab_day.py" else 60), path.name


def test_lab_day(run, program, tmp_path, monkeypatch):
    """The commands of a day in a lab, in processes that are forked instead of started: that is all the difference."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    ended = {}

    def forked(words, **how):
        process = program(*words[3:])
        out, _err = process.communicate(100)
        ended[words[3]] = process.returncode, out
        return subprocess.CompletedProcess(words, process.returncode, out)

    monkeypatch.setattr(subprocess, "run", forked)
    (tmp_path / "day").mkdir()
    lines = run("lab_day.py", tmp_path / "day")
    assert [line.split("  ")[-1] for line in lines if " s  " in line][2:] == ["ok"] * 10
    assert int(lines[2].split()[0]) > 10  # findings; the line before is the examination's
    assert lines[-1] == "left of P07: nothing"
    code, out = ended["doctor"]
    told = json.loads(out)
    assert code == told["exit_code"]
    assert {one["check"] for one in told["findings"]} >= {check.name for check in checks_of("loopback")}
    assert not [one for one in told["findings"] if "the check failed" in one["found"]]
