"""Accuracy of `emotion3` on new simulated subjects, once a state has settled.

``python -m benchmarks.virtual_people`` (seeds above 90,000; ``--over-lsl 2`` also records two of them without markers
and plays them from another process).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import uuid
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

import app
from benchmarks.rig import outlet, run_json, table, write_fif
from realtime_mood.cli.config import resolve
from realtime_mood.montage import SPREAD
from realtime_mood.sinks.jsonlines import as_dict
from realtime_mood.sources.synthetic.person import Script, VirtualPerson

SETTLED_S = 15.0
ODD = "F9,F10,AF5,AF6,FC5h,FC6h,C5,C6,T7,T8,CP3,CP4,P9,P10,PO5,PO6,Oz,FCz"


def script_of(seed: int, rounds: int = 2) -> str:
    rng = np.random.default_rng(seed)
    states = ["neutral", "positive", "negative"]
    blocks = [state for i in range(rounds) for state in (states if i == 0 else rng.permutation(states))]
    return ",".join(f"{state}:30" for state in blocks)


class Keep:
    def __init__(self):
        self.lines = []

    def put(self, emission):
        self.lines.append(as_dict(emission))

    def close(self, health):
        pass


def run_person(seed: int, montage: str, difficulty: str, script: str, profile: Path | None) -> list[dict]:
    url = f"synthetic://?subject={seed}&difficulty={difficulty}&script={script}&speed=max&{montage}"
    keep = Keep()
    engine = app.make_engine(resolve({"source": url, "profile": profile}), [keep])
    engine.start()
    engine.done.wait()
    engine.stop()
    return keep.lines


def calibrated(seed: int, montage: str, folder: Path) -> Path:
    from realtime_mood.calibration.fit import fit
    from realtime_mood.calibration.protocol import draw, load_protocol
    from realtime_mood.calibration.session import CalibrationSession

    path = folder / f"{uuid.uuid4()}.json"
    settings = resolve({"source": f"synthetic://?subject={seed}&script=rest:64&speed=max&{montage}"})
    session = CalibrationSession(settings, draw(load_protocol("baseline"), 0, rest_s=64), path.with_suffix(".xdf"))
    session.start()
    session.wait()
    session.stop()
    fit(session.recording, settings).profile.save(path)
    return path


def score(lines: list[dict], script: str) -> tuple[int, int, int]:
    """(right, estimates, settled readings)."""
    script_ = Script.parse(script)
    starts = np.cumsum([0, *(seconds for _, seconds in script_.steps)])
    right = estimates = settled = 0
    for line in lines:
        if line["kind"] not in ("estimate", "abstained") or line["t"] > starts[-1]:
            continue
        block = int(np.searchsorted(starts, line["t"] - 1e-6, side="right")) - 1
        if line["t"] - starts[block] < SETTLED_S:
            continue
        settled += 1
        if line["kind"] == "estimate":
            estimates += 1
            right += line["labels"][int(np.argmax(line["probs"]))] == script_.steps[block][0]
    return right, estimates, settled


def over_lsl(seed: int, folder: Path) -> list[dict]:
    """The person recorded, stripped of markers, and played from another process."""
    script, names = script_of(seed, 1), tuple(SPREAD[:32])
    person = VirtualPerson(seed, names, 256.0, Script.parse(script), "medium")
    path = write_fif(folder / f"p{seed}_raw.fif", person.signal(90), names, 256.0)
    name = f"virtual-{uuid.uuid4().hex[:8]}"
    with outlet(path, name, "--virtual") as player:
        lines = run_json("run", "--source", f"lsl://{name}?timeout=20", "--seconds", "90")
        player.wait(30)
    return lines


class Condition(NamedTuple):
    label: str
    montage: str = "n_chans=32"
    difficulty: str = "medium"
    baseline: bool = False
    script: str = ""  # one of the seed's own when empty


CONDITIONS = (
    Condition("32 channels, no baseline"),
    Condition("32 channels, own baseline", baseline=True),
    Condition("18 channels at odd sites, no baseline", f"channels={ODD}"),
    Condition("8 channels, no baseline", "n_chans=8"),
    Condition("64 channels at 500 Hz, no baseline", "n_chans=64&sfreq=500"),
    Condition("32 channels, no baseline, only the first minute", script="neutral:20,positive:20,negative:20"),
    Condition("no effect at all, no baseline", difficulty="none"),
    Condition("no effect at all, own baseline", difficulty="none", baseline=True),
)


def one(condition: Condition, seed: int) -> tuple[int, int, int]:
    script = condition.script or script_of(seed)
    with tempfile.TemporaryDirectory() as folder:
        profile = calibrated(seed, condition.montage, Path(folder)) if condition.baseline else None
        lines = run_person(seed, condition.montage, condition.difficulty, script, profile)
    return score(lines, script)


def row(label: str, results: list[tuple[int, int, int]]) -> list[object]:
    right, estimates, settled = np.array(results).sum(axis=0)
    below = sum(r < e / 2 for r, e, _ in results)
    shares = right / max(estimates, 1), 1 - estimates / settled, right / settled
    return [label, len(results), *(f"{share:.3f}" for share in shares), f"{below}/{len(results)}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--over-lsl", type=int, default=0)
    asked = parser.parse_args()
    seeds, rows = range(90_001, 90_001 + asked.people), []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        for condition in CONDITIONS:
            rows.append(row(condition.label, list(pool.map(one, [condition] * len(seeds), seeds))))
            print(*rows[-1], flush=True)
    if asked.over_lsl:
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(asked.over_lsl) as pool:
            played = list(pool.map(lambda s: over_lsl(s, Path(folder)), list(seeds)[: asked.over_lsl]))
        results = [score(p, script_of(s, 1)) for p, s in zip(played, seeds, strict=False)]
        rows.append(row("32 channels, recorded without markers, played over LSL", results))
    header = ["people", "n", "right of estimates", "abstained", "right of all settled", "people below .5"]
    print(table(header, rows))


if __name__ == "__main__":
    main()
