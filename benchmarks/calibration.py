"""Value of calibration, by seconds of rest and by labelled blocks: writes docs/calibration.md.

``python -m benchmarks.calibration --data FOLDER --out docs/calibration.md`` (some forty minutes on two cores). What is
measured is kept in a JSON file beside, part by part: a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from realtime_mood.models.checkpoint import DEFAULT, find
from realtime_mood.models.evaluation.figures import draws, mean_with_interval

from . import calibration_blocks as blocks
from . import calibration_rest as rest

DIFFICULTIES = ("easy", "medium", "hard")
PAGE = Path(__file__).with_name("calibration_page.md")
PEOPLE, REFUSALS, MEDIUM = 12, 100, 24


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("docs/calibration.md"))
    parser.add_argument("--cache", type=Path, default=Path("calibration-study.json"))
    asked = parser.parse_args()
    encoder = str(find(DEFAULT))
    jobs: dict[str, Callable[[], object]] = {
        "lights": lambda: blocks.light_gains(asked.data),
        "medium": lambda: both(partial(blocks.verdict_of, difficulty="medium", shuffled=False), seeds(MEDIUM, 0)),
        "rest": lambda: rest.study(asked.data, encoder, ""),
        "blocks": lambda: {d: both(partial(blocks.gains, difficulty=d), seeds(PEOPLE, 1000)) for d in DIFFICULTIES},
        "nothing": lambda: both(partial(blocks.verdict_of, difficulty="none", shuffled=False), seeds(REFUSALS, 2000)),
        "shuffled": lambda: both(partial(blocks.verdict_of, difficulty="medium", shuffled=True), seeds(REFUSALS, 3000)),
        "euclid": lambda: rest.study(asked.data, encoder, "euclid", (60,)),
        "riemann": lambda: rest.study(asked.data, encoder, "riemann", (60,)),
    }
    found = json.loads(asked.cache.read_text()) if asked.cache.is_file() else {}
    for name, job in jobs.items():
        if name not in found:
            print(f"{name}...", flush=True)
            found[name] = json.loads(json.dumps(job()))
            asked.cache.write_text(json.dumps(found))
    asked.out.write_text(page(found))


def seeds(n: int, after: int) -> range:
    """Seeds of virtual people nobody was trained on."""
    return range(blocks.FIRST_SEED + after, blocks.FIRST_SEED + after + n)


def both(work: Callable[[int], object], of: Sequence[int]) -> list[object]:
    """One person after the other, on both cores; nobody where the rest makes no baseline."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        return [it for it in pool.map(_or_none, repeat(work), of) if it is not None]


def _or_none(work: Callable[[int], object], seed: int) -> object:
    from realtime_mood.errors import ProfileError

    try:
        return work(seed)
    except ProfileError:
        return None


# -- the page ---------------------------------------------------------------------------------------------------


def page(found: dict) -> str:
    """The whole page, from its text and what was measured."""
    medium = [v["balanced_accuracy"] for v in found["medium"]]
    told = {
        "rest": rest_table(found["rest"]), "c1_z": c1_against_z(found["rest"]), "aligned": aligned_table(found),
        "blocks": blocks_table(found["blocks"]), "lights": lights_table(found["lights"]),
        "medium": shown(medium), "medium_n": str(len(medium)),
        "medium_passed": str(sum(v["passed"] for v in found["medium"])),
        "medium_ece": f"{np.mean([v['ece'] for v in found['medium']]):.3f}".lstrip("0"),
        "nothing": refused(found["nothing"]), "shuffled": refused(found["shuffled"]),
    }  # fmt: skip
    text = PAGE.read_text(encoding="utf-8")
    for key, value in told.items():
        text = text.replace("{" + key + "}", value)
    return text


def shown(values: Sequence[float]) -> str:
    """Mean and 95 % interval over people."""
    return "{} [{}, {}]".format(*map(_short, _mean_low_high(values)))


def _mean_low_high(values: Sequence[float]) -> list[float]:
    found = mean_with_interval(values, draws(len(values), 0))
    return [found["mean"], *(found["interval"] or (np.nan, np.nan))]


def _short(x: float) -> str:
    return f"{x:.3f}".replace("0.", ".", 1)


def _signed(values: Sequence[float]) -> str:
    return "{:+.3f} [{:+.3f}, {:+.3f}]".format(*_mean_low_high(values)).replace("0.", ".")


def _by_person(rows: list, method: str, seconds: int, channels: str, figure: str) -> np.ndarray:
    kept = {who: f[figure] for m, s, c, who, f in rows if (m, s, c) == (method, seconds, channels)}
    return np.array([kept[who] for who in sorted(kept)])


def rest_table(rows: list) -> str:
    """Accuracy by seconds of rest."""
    lines = [
        "| electrodes | seconds | reader, balanced accuracy | reader, AUC | logistic regression | SVM |",
        "|---|---|---|---|---|---|",
    ]
    for channels in rest.SETS:
        for s in rest.SECONDS:
            of = partial(_by_person, rows, seconds=s, channels=channels)
            cells = [shown(of(method=m, figure=f)) for m, f in (("reader", "balanced_accuracy"), ("reader", "auc"))]
            cells += [shown(of(method=m, figure="balanced_accuracy")) for m in ("lr", "svm")]
            lines.append(f"| {channels} | {s} | {' | '.join(cells)} |")
    return "\n".join(lines)


def c1_against_z(rows: list) -> str:
    """What sixty seconds are worth against none, person by person."""
    lines = ["| electrodes | balanced accuracy, 60 s − 0 s | AUC, 60 s − 0 s |", "|---|---|---|"]
    for channels in rest.SETS:
        gain = [
            _signed(_by_person(rows, "reader", 60, channels, f) - _by_person(rows, "reader", 0, channels, f))
            for f in ("balanced_accuracy", "auc")
        ]
        lines.append(f"| {channels} | {gain[0]} | {gain[1]} |")
    return "\n".join(lines)


def aligned_table(found: dict) -> str:
    """The normaliser alone against the signal aligned first, at a minute of rest."""
    titles = {"rest": "normaliser alone", "euclid": "Euclidean alignment, then normaliser",
              "riemann": "Riemannian alignment, then normaliser"}  # fmt: skip
    lines = [
        "| electrodes | | reader, AUC | − normaliser alone | SVM, AUC | logistic regression, AUC |",
        "|---|---|---|---|---|---|",
    ]
    for channels in rest.SETS:
        alone = _by_person(found["rest"], "reader", 60, channels, "auc")
        for key, title in titles.items():
            mine = [_by_person(found[key], m, 60, channels, "auc") for m in ("reader", "svm", "lr")]
            off = "" if key == "rest" else _signed(mine[0] - alone)
            lines.append(f"| {channels} | {title} | {shown(mine[0])} | {off} | {shown(mine[1])} | {shown(mine[2])} |")
    return "\n".join(lines)


def blocks_table(found: dict) -> str:
    """Accuracy by labelled blocks, virtual people."""
    lines = [
        "| difficulty | electrodes | " + " | ".join(f"{n} blocks" for n in blocks.BLOCKS) + " | 4 − 0 |",
        "|---" * 9 + "|",
    ]
    for difficulty, people in found.items():
        for channels in ("32", "8", "4"):
            values = {n: np.array([p[channels][str(n)] for p in people]) for n in blocks.BLOCKS}
            cells = " | ".join(_short(values[n].mean()) for n in blocks.BLOCKS)
            lines.append(f"| {difficulty} | {channels} | {cells} | {_signed(values[4] - values[0])} |")
    return "\n".join(lines)


def lights_table(found: dict) -> str:
    """Accuracy by labelled blocks, people who looked at lights."""
    lines = [
        "| electrodes | blocks of a label | own blocks only | − chance | "
        "starting from other subjects | − other subjects |",
        "|---|---|---|---|---|---|",
    ]
    for channels, by in found.items():
        theirs = np.array(list(by["others"]["0"].values()))
        for n in map(str, blocks.BLOCKS):
            alone, others = (np.array(list(by[name][n].values())) for name in ("alone", "others"))
            own = ["–", "–"] if n == "0" else [shown(alone), _signed(alone - 0.25)]
            gain = "–" if n == "0" else _signed(others - theirs)
            lines.append(f"| {channels} | {n} | {own[0]} | {own[1]} | {shown(others)} | {gain} |")
    return "\n".join(lines)


def refused(found: list) -> str:
    """How many of how many were refused."""
    return f"{sum(not v['passed'] for v in found)} of {len(found)}"


if __name__ == "__main__":
    main()
