"""A lab's day: examine the computer, connect, calibrate, record, give feedback, report, share as BIDS, and forget.

Usage: python lab_day.py [FOLDER]

Each step is a command of the program on a simulated subject, and its time is printed. With a headset, replace SUBJECT
by its URL (`devices` lists them), and leave out the last step.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bids_validator import BIDSValidator

import realtime_mood as rm

SUBJECT = "synthetic://?subject=7&n_chans=8"
SOURCE = f"{SUBJECT}&speed=max"
ID = "P07"
PLAN = """
name = "short"
title = "A short session"
about = "Alpha power over the back of the head."
consent = "You agree to take part."
debrief = "Thank you."
measures = [{kind = "band", electrodes = ["O1", "O2"]}]
blocks = [{kind = "baseline", seconds = 14}, {kind = "feedback", seconds = 6}]
"""


def command(*words: str) -> tuple[int, str]:
    """Run the program; return its exit code and what it printed."""
    program = [sys.executable, "-c", "from realtime_mood.app import main; main()"]
    ended = subprocess.run([*program, *words], stdout=subprocess.PIPE, text=True, encoding="utf-8", check=False)
    return ended.returncode, ended.stdout


def step(title: str, *words: object, good: tuple[int, ...] = (0,)) -> str:
    """Run one command; return what it printed, or end the day with its error."""
    begun = time.perf_counter()
    code, printed = command(*map(str, words))
    done(title, begun, "ok" if code == 0 else f"exit code {code}")
    if code not in good:
        sys.exit(f"{' '.join(map(str, words))} failed")
    return printed


def done(title: str, begun: float, how: str = "ok") -> None:
    """Print a step and how long it took."""
    print(f"{title:<28}{time.perf_counter() - begun:5.1f} s  {how}", flush=True)


def record_in_mid_run(folder: Path, profile: Path) -> Path:
    """Read, begin to record at the first estimate, and go on for a while."""
    begun, recording, until_s = time.perf_counter(), None, 0.0
    with rm.read(f"{SUBJECT}&speed=20", profile=profile, seconds=60) as readings:
        for reading in readings:
            if recording is None and reading.label:
                recording, until_s = readings.record(folder, participant=ID, session="1"), reading.time + 8
            elif recording and reading.time > until_s:
                break
    if recording is None:
        sys.exit("there was no estimate within a minute")
    done("record in mid-run", begun)
    return recording


def main(folder: Path) -> None:
    profile, plan, lines = folder / f"{ID}.json", folder / "short.toml", folder / f"sub-{ID}_short.jsonl"
    plan.write_text(PLAN, encoding="utf-8")
    step(f"installed: version {rm.__version__}", "--help")
    # exit code 1 is a warning, and 2 may concern a window that this script does not need
    found = json.loads(step("examine the computer", "doctor", "--json", good=(0, 1, 2)))
    print(f"  {len(found['findings'])} findings")
    step("connect: what is there", "devices", "--seconds", 0.1, "--lsl-scope", "loopback")
    step("calibrate", "calibrate", "--source", SOURCE, "--profile", profile, "--seconds", 30, "--view", "json")
    recording = record_in_mid_run(folder, profile)
    step("read it again, identically", "replay", recording)
    step("neurofeedback", "feedback", "--session", plan, "--source", SOURCE, "--view", "json", "--lines", lines)
    step("report of the session", "report", recording)
    step("report of the study", "report", folder)
    step("share", "export", recording, "--bids", folder / "study")
    begun = time.perf_counter()
    files = [path for path in (folder / "study").rglob("*") if path.is_file() and "derivatives" not in path.parts]
    wrong = [path.name for path in files if not BIDSValidator().is_bids(f"/{path.relative_to(folder / 'study')}")]
    done("validate", begun, ", ".join(wrong) or "ok")
    step("forget the participant", "forget", "--participant", ID, "--in", folder, "--yes")
    left = sorted(path.name for path in folder.rglob(f"*{ID}*") if path.is_file())
    print(f"left of {ID}: {', '.join(left) or 'nothing'}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
