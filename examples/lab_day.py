"""A lab's day: examine the computer, calibrate, record, give feedback, report, share as BIDS, and forget.

Usage: python lab_day.py [FOLDER]

Each step is a command of the program, on a simulated subject. With a headset, replace SOURCE by its URL (`devices`
lists them), and leave out the last step.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bids_validator import BIDSValidator

SOURCE = "synthetic://?subject=7&n_chans=8&speed=max"
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
    done = subprocess.run([*program, *words], stdout=subprocess.PIPE, text=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout


def step(title: str, *words: object, good: tuple[int, ...] = (0,)) -> str:
    """Run one command; return what it printed, or end the day with its error."""
    code, printed = command(*map(str, words))
    print(f"{title:<28}{'ok' if code == 0 else f'exit code {code}'}", flush=True)
    if code not in good:
        sys.exit(f"{' '.join(map(str, words))} failed")
    return printed


def main(folder: Path) -> None:
    profile, plan, lines = folder / f"{ID}.json", folder / "short.toml", folder / f"sub-{ID}_short.jsonl"
    plan.write_text(PLAN, encoding="utf-8")
    # exit code 1 is a warning, and 2 may concern a window that this script does not need
    found = json.loads(step("examine the computer", "doctor", "--json", good=(0, 1, 2)))
    print(f"  {len(found['findings'])} findings")
    step("calibrate", "calibrate", "--source", SOURCE, "--profile", profile, "--seconds", 30, "--view", "json")
    ids = ["--participant", ID, "--session", 1]
    run = ["run", "--source", SOURCE, "--profile", profile, "--seconds", 20, "--view", "json"]
    last = step("read and record", *run, "--record", folder, *ids).splitlines()[-1]
    recording = Path(json.loads(last)["recording"]["path"])
    step("read it again, identically", "replay", recording)
    step("neurofeedback", "feedback", "--session", plan, "--source", SOURCE, "--view", "json", "--lines", lines)
    step("report of the session", "report", recording)
    study_page = Path(step("report of the study", "report", folder).strip())
    step("share", "export", recording, "--bids", folder / "study", "--participant", ID)
    files = [path for path in (folder / "study").rglob("*") if path.is_file() and "derivatives" not in path.parts]
    wrong = [path.name for path in files if not BIDSValidator().is_bids(f"/{path.relative_to(folder / 'study')}")]
    print(f"{'validate':<28}{wrong or 'ok'}")
    study_page.unlink()  # it may be about others too: write it again without this participant
    step("forget the participant", "forget", "--participant", ID, "--in", folder, "--yes")
    left = sorted(path.name for path in folder.rglob(f"*{ID}*") if path.is_file())
    print(f"left of {ID}: {', '.join(left) or 'nothing'}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
