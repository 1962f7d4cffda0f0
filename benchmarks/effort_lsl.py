"""The `effort` readout over LSL on the four subjects of EEGMAT that were kept out of training.

Each: the first minute of rest makes the baseline; then the rest of rest, and the arithmetic, are read in real time.
``python -m benchmarks.effort_lsl --data FOLDER`` (some four minutes).
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from benchmarks.rig import outlet, run_json, table, write_fif
from realtime_mood.models.datasets.sets.eegmat import HELD_OUT, READER
from realtime_mood.montage import canonical_name

FOLDER = Path(os.environ.get("REALTIME_MOOD_DATA", Path(__file__).parents[2] / "shared" / "data"))


def files(data: Path, folder: Path) -> dict[str, dict[str, tuple[Path, int]]]:
    """Each person's two recordings, and how many samples they have."""
    found: dict[str, dict[str, tuple[Path, int]]] = {}
    with np.load(data / "eegmat_dev24_125hz.npz") as archive:
        meta = json.loads(str(archive["meta"]))
        names = tuple(canonical_name(c) for c in meta["channels"])
        for entry in map(json.loads, archive["index"]):
            if f"eegmat-{entry['subject']}" in HELD_OUT:
                signal = archive[entry["key"]].T * meta["uV_per_lsb"]
                path = write_fif(folder / f"{entry['record']}_raw.fif", signal, names, meta["fs"])
                found.setdefault(entry["subject"], {})[entry["label"]] = path, len(signal)
    return found


def play(path: Path, words: list[str], *more: str) -> list[dict]:
    name = f"effort-{uuid.uuid4().hex[:8]}"
    with outlet(path, name, *more) as player:
        lines = run_json(words[0], "--source", f"lsl://{name}?timeout=20", *words[1:])
        player.wait(30)
    return lines


def person(recordings: dict[str, tuple[Path, int]], folder: Path) -> dict:
    profile = str(folder / f"{uuid.uuid4()}.json")
    (rest, n_rest), (task, n_task) = recordings["rest"], recordings["arithmetic"]
    play(rest, ["calibrate", "--protocol", "baseline", "--profile", profile, "--seconds", "60"], "--stop", "60")
    expected = [n_rest - 60 * 125, n_task]
    words = [["run", "--profile", profile, "--seconds", str(n / 125)] for n in expected]  # to the last sample
    runs = [play(rest, words[0], "--start", "60"), play(task, words[1])]
    health = [lines[-1] for lines in runs]
    probs = [[x["probs"][1] for x in lines[:-1] if x["probs"] and x["t"] >= READER.info.settle_s] for lines in runs]
    n = min(map(len, probs))
    y, p = np.repeat([0, 1], n), np.concatenate([probs[0][:n], probs[1][:n]])
    return {
        "auc": roc_auc_score(y, p),
        "balanced accuracy": balanced_accuracy_score(y, p > 0.5),
        "samples missing": sum(expected) - sum(h["samples"] for h in health),
        "lost": sum(h["lost"] for h in health),
        "readings": [h["readings"] for h in health],
        "one each 0.25 s": all(len(lines) - 1 == int(n / 125 / 0.25) for lines, n in zip(runs, expected, strict=True)),
        "skipped": sum(h["skipped"] for h in health),
        "latency p95 ms": max(h["latency_ms"]["p95"] for h in health),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=FOLDER)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(len(HELD_OUT)) as pool:
        people = files(asked.data, Path(folder))
        found = dict(zip(people, pool.map(lambda r: person(r, Path(folder)), people.values()), strict=True))
    rows = [[name, *(f"{v:.3f}" if isinstance(v, float) else v for v in r.values())] for name, r in found.items()]
    means = [f"{np.mean([r[key] for r in found.values()]):.3f}" for key in ("auc", "balanced accuracy")]
    print(table(["person", *next(iter(found.values()))], [*rows, ["mean", *means, "", "", "", "", "", ""]]))


if __name__ == "__main__":
    main()
