"""The example package is installed, without a network, and runs as one of ours does; one that is broken is named."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from forking import PROGRAM, Start

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the package is installed into."""
    pytest.importorskip("setuptools", reason="the package is built with setuptools")
    copy, target = tmp_path_factory.mktemp("package") / "plugin", tmp_path_factory.mktemp("installed")
    shutil.copytree(ROOT / "examples" / "plugin", copy)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "--no-index",
         "--disable-pip-version-check", "--target", str(target), str(copy)],
        check=True, timeout=100,
    )  # fmt: skip
    return target


Run = Callable[..., "subprocess.CompletedProcess[str]"]
IMPORT_AGAIN = """
import sys
sys.path.insert(1, {!r})
for name in [name for name in sys.modules if name.partition(".")[0] in ("app", "realtime_mood")]:
    del sys.modules[name]  # the program was imported before the package was installed
"""
PYTEST = "import pytest; sys.exit(pytest.main(sys.argv[1:]))"


@pytest.fixture
def run(program: Start) -> Run:
    """Run the program, or other code, with what is installed in a folder."""

    def run(folder: Path, *words: str, code: str = PROGRAM) -> subprocess.CompletedProcess[str]:
        process = program(*words, code=IMPORT_AGAIN.format(str(folder)) + code)
        out, err = process.communicate(100)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    return run


def test_it_is_listed_and_runs_from_end_to_end(run, installed, tmp_path):
    listed = run(installed, "devices", "--seconds", "0.1").stdout
    assert "Sine headset · 8 channels · 200 Hz: sine://\n" in listed
    assert "Installed: sine://." in " ".join(run(installed, "run", "--help").stdout.split())
    lamp, table = tmp_path / "lamp.txt", tmp_path / "a.xdf"
    done = run(
        installed, "run", "--view", "json", "--seconds", "3", "--source", "sine://?hz=12",
        "--sink", f"lamp://{lamp}", "--record", str(table),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *readings, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert (last["samples"], last["lost"], last["faults"]) == (600, 0, 0)
    assert last["outputs"][0]["sent"] == len(readings) == 12
    assert lamp.read_text() == "0.25 off: settling\n"
    assert table.stat().st_size > 600 * 8 * 4


def test_its_own_tests_pass(run, installed, tmp_path):
    tests = shutil.copytree(ROOT / "examples" / "plugin" / "tests", tmp_path / "tests")
    done = run(installed, "-q", "-p", "no:cacheprovider", "--rootdir", str(tests), str(tests), code=PYTEST)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_one_that_cannot_be_imported_costs_the_others_nothing(run, installed, tmp_path):
    broken = shutil.copytree(installed, tmp_path / "broken")
    (broken / "mood_lamp" / "sink.py").write_text("import no_such_library\n")
    (broken / "mood_lamp" / "source.py").write_text("raise OSError('no driver')\n")
    done = run(
        broken, "run", "--view", "json", "--seconds", "3", "--source", "synthetic://?speed=max&n_chans=8",
        "--sink", "lamp://x", "--record", str(tmp_path / "a.xdf"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["samples"] == 768
    assert "sink 'lamp' of mood-lamp · mood_lamp.sink:Lamp cannot be imported" in last["notes"][-1]
    assert "no_such_library" in last["notes"][-1]
    listed = run(broken, "devices", "--seconds", "0.1").stdout
    assert "sine (mood-lamp): source 'sine' of mood-lamp · mood_lamp.source:SineHeadset cannot be imported" in listed
    refused = run(broken, "run", "--view", "json", "--source", "sine://")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "OSError: no driver · update or remove mood-lamp" in refused.stderr
