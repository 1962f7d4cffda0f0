"""The program as a process: interrupted at any moment it ends by itself, and the next start works."""

from __future__ import annotations

import json
import os
import signal
import uuid
from pathlib import Path

import pytest
import pyxdf
from forking import ForkedProcess, Start
from waiting import until

LIVE = "synthetic://?n_chans=8&subject=90004"


def first_reading(process: ForkedProcess) -> dict:
    assert process.stdout
    return next(line for line in map(json.loads, process.stdout) if line["kind"] != "body")


def written(path: Path, process: ForkedProcess) -> None:
    """Wait for the first bytes of a recording."""

    def there() -> bool:
        assert process.poll() is None
        return path.exists() and path.stat().st_size > 0

    until(there, 30)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_live_it_says_its_health_and_its_recording_is_whole(
    program: Start, tmp_path: Path, number: signal.Signals
) -> None:
    process = program("run", "--source", LIVE, "--view", "json", "--record", str(tmp_path / "a.xdf"), whole=True)
    assert first_reading(process)["state"] == "live"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    last = json.loads(out.splitlines()[-1])
    assert (process.returncode, err) == (0, "")
    assert (last["kind"], last["state"], last["fault"]) == ("health", "live", None)
    streams, _ = pyxdf.load_xdf(str(tmp_path / "a.xdf"))
    eeg = next(stream for stream in streams if stream["info"]["type"] == ["EEG"])
    assert len(eeg["time_stamps"]) == last["samples"]


def test_interrupted_while_connecting_it_leaves(program: Start) -> None:
    process = program(
        "run", "--source", f"lsl://nobody-{uuid.uuid4().hex}?timeout=500", "--view", "terminal", whole=True
    )
    assert process.stdout
    while "Connecting" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_after_a_kill_the_next_start_works_and_writes_beside_the_first(program: Start, tmp_path: Path) -> None:
    words = ("run", "--source", "brainflow://synthetic", "--view", "json", "--record", str(tmp_path / "a.xdf"))
    process = program(*words)
    written(tmp_path / "a.xdf", process)
    process.kill()
    process.wait()
    again = program(*words, "--seconds", "2", whole=True)
    out, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["recording"]["path"].endswith("a_2.xdf")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.xdf", "a_2.xdf"]


def test_the_window_closes_on_sigterm_while_streaming(program: Start, tmp_path: Path) -> None:
    pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)
    path = tmp_path / "a.xdf"
    offscreen = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    process = program("run", "--source", LIVE, "--view", "gui", "--record", path, env=offscreen, whole=True)
    written(path, process)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert pyxdf.load_xdf(str(path))[0]
