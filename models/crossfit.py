"""Training of weights by one recipe: a network a fold, tuned on its held-out subjects, and a last one on all of them.

On held-out subjects, temperatures and the confidence thresholds of unsure readings are chosen, and the figures in
``config.json`` measured. The network that is saved was trained on all subjects, and takes over these choices.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import MoodError
from realtime_mood.files import write_whole

from .card import ReadoutCard, Trust
from .datasets.person import Person, population
from .evaluation.figures import (
    Scores,
    calibration_bins,
    expected_calibration_error,
    kept,
    of_person,
    temperature,
    thresholds,
)  # fmt: skip
from .evaluation.splits import Split, plan
from .executor import Executor
from .inputs import RawToken
from .pretraining.encoder import load_encoder
from .progress import Progress
from .reader import MoodReader, ReaderConfig
from .train import Task, TrainingRecipe, fit, scores

COVERED = 0.85  # of the readings of held-out subjects; the least confident are unsure, and some are unfamiliar
ROOM_BYTES = 20_000_000  # weights are smaller
LEAST_LABELS = 2  # of a subject, without which nothing can be confused
Log = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class LabelledReadout:
    """A readout to be trained: its labels, and the subjects it is trained on."""

    labels: tuple[str, ...]
    coordinates: tuple[tuple[float, float], ...]
    """(valence, arousal) of each label; empty where they have none."""
    evidence: str
    """``"real"`` or ``"virtual"``: see `Readout`."""
    subjects: Sequence[Person]
    without_effect: frozenset[str] = frozenset()
    """Names of simulated subjects in whom states have no effect: what is estimated of them is chance."""


@dataclass(frozen=True)
class FitOptions:
    """How networks are trained."""

    spec: FeatureSpec
    recipe: TrainingRecipe
    seed: int
    encoder: Path | None = None
    """Of a pre-trained raw encoder to begin with (see `load_encoder`)."""
    raw_token: RawToken = "patch"


Readouts = Mapping[str, LabelledReadout]
LeftOut = Mapping[str, Sequence[int]]
"""Numbers of subjects, by readout."""
Scored = dict[str, dict[bool, dict[int, Scores]]]
"""Scores of held-out subjects: by readout, by whether on their own baseline, by number of the subject."""


def splits_of(n_subjects: int, n_folds: int, seed: int) -> list[Split]:
    """Groups of subjects that are left out in turn."""
    return [fold.split for fold in plan(n_subjects, "groups", n_folds, 1, seed)]


def cross_fit(
    readouts: Readouts, options: FitOptions, n_folds: int, accelerator: Accelerator, executor: Executor, log: Log
) -> tuple[MoodReader, Scored]:
    """The network trained on all subjects, and what those of the folds make of their held-out subjects.

    Parameters
    ----------
    readouts : mapping of str to LabelledReadout
    options : FitOptions
    n_folds : int
    accelerator : Accelerator
        Where it is a GPU, or there are several processes, networks are trained one after the other on all of it.
    executor : Executor
        Trains them otherwise: they do not need each other.
    log : callable
        Receives lines of progress.
    """
    splits = {name: splits_of(len(readout.subjects), n_folds, options.seed) for name, readout in readouts.items()}
    left: list[LeftOut] = [{name: of[k].left for name, of in splits.items()} for k in range(n_folds)]
    left.append(dict.fromkeys(readouts, ()))
    common, final = (readouts, options), n_folds
    if accelerator.num_processes > 1 or accelerator.device.type != "cpu":
        found = {k: fit_one(common, each, accelerator, log) for k, each in enumerate(left)}
    else:
        found, progress = {}, Progress(len(left), "networks", log, every_s=0)
        for k, fitted in executor.run(fit_one, left, common):
            found[k] = fitted
            progress.step()
    scored: Scored = {name: {True: {}, False: {}} for name in readouts}
    for _, of_fold in found.values():
        for name, by_baseline in of_fold.items():
            for frozen, rows in by_baseline.items():
                scored[name][frozen] |= rows
    return found[final][0], scored


def fit_one(
    common: tuple[Readouts, FitOptions],
    left: LeftOut,
    accelerator: Accelerator | None = None,
    log: Log = lambda _: None,
) -> tuple[MoodReader, Scored]:  # fmt: skip
    """Fit one network to the subjects who are not `left` out, and score those who are."""
    readouts, options = common
    torch.set_num_threads(1)
    kept = {name: [p for i, p in enumerate(r.subjects) if i not in left[name]] for name, r in readouts.items()}
    tasks = [Task.of(name, readouts[name].labels, own, options.spec) for name, own in kept.items()]
    recent: dict[str, list[float]] = {task.name: [] for task in tasks}

    def report(step: int, losses: dict[str, float]) -> None:
        for name, loss in losses.items():
            recent[name] = [*recent[name][-49:], loss]
        if step % 50 == 49:
            log(json.dumps({"step": step + 1, **{name: round(float(np.mean(x)), 4) for name, x in recent.items()}}))

    config = ReaderConfig(readouts={task.name: len(task.labels) for task in tasks}, raw_token=options.raw_token)
    try:
        reader = fit(config, tasks, options.recipe, options.seed, report, options.encoder, accelerator)
    except ArithmeticError as error:
        do = "use fewer --steps, or look for what is wrong in the data"
        raise MoodError("train a network", str(error), do) from None
    found: Scored = {}
    for task in tasks:
        numbers = left[task.name]
        tested = [readouts[task.name].subjects[i] for i in numbers]
        sampler = Task.of(task.name, task.labels, tested, options.spec, task.population).sampler
        found[task.name] = {
            frozen: {i: Scores(*scores(reader, task.name, sampler, k, frozen=frozen)) for k, i in enumerate(numbers)}
            for frozen in (True, False)
        }
    return reader, found


# -- tuning -------------------------------------------------------------------------------------------------------


def tune(readout: LabelledReadout, scored: Mapping[bool, Mapping[int, Scores]]) -> tuple[ReadoutCard, dict[str, Any]]:
    """Calibration of a readout's confidence with and without a baseline, and the figures for the card."""
    trust, figures = {}, {}
    for frozen, rows in scored.items():
        known = {i: s for i, s in rows.items() if len(np.unique(s.labels)) >= LEAST_LABELS}
        usable = list(known.values())
        t = temperature(usable)
        least = round(thresholds(usable, t, (COVERED,))[COVERED], 4)
        trust[frozen] = Trust(temperature=round(t, 4), least_confidence=least)
        name = "own baseline" if frozen else "no baseline"
        figures[name] = _figures(usable, t)
        if no_effect := [s for i, s in known.items() if readout.subjects[i].name in readout.without_effect]:
            figures[f"no effect, {name}"] = by_chance(no_effect, t, least)
    pop = population(readout.subjects)
    card = ReadoutCard(
        labels=readout.labels,
        coordinates=readout.coordinates,
        evidence=readout.evidence,
        population_mean=pop.mean.tolist(),
        population_sd=pop.sd.tolist(),
        eye_mean=pop.eye.mean.tolist() if pop.eye else None,
        eye_sd=pop.eye.sd.tolist() if pop.eye else None,
        own_baseline=trust[True],
        no_baseline=trust[False],
    )
    return card, {"people": len(scored[True]), **figures}


def by_chance(scores: Sequence[Scores], temperature: float, least: float) -> dict[str, float]:
    """How much of subjects without an effect is answered, and how much of that is right: as much as chance is best."""
    seconds, answered, right = np.sum([kept(s, temperature, least) for s in scores], axis=(0, 2))
    return {"answered": round(float(answered / seconds), 3), "right": round(float(right / answered), 3)}


def _figures(rows: Sequence[Scores], t: float) -> dict[str, float]:
    """Means over subjects, and the calibration error of all their seconds together."""
    each = [of_person(s, t) for s in rows]
    found = {key: round(float(np.mean([row[key] for row in each])), 3) for key in ("balanced_accuracy", "auc")}
    bins = np.sum([calibration_bins(s, t) for s in rows], axis=0)
    return found | {"ece": round(float(expected_calibration_error(bins)), 3)}


# -- saving -------------------------------------------------------------------------------------------------------


@contextmanager
def room_in(out: Path, accelerator: Accelerator) -> Iterator[None]:
    """Takes the room that weights need before anything is computed, and gives it back at the end."""
    room = out / "room.part"
    if not accelerator.is_main_process:
        yield
        return
    with writing(out):
        write_whole(room, bytes(ROOM_BYTES))
    try:
        yield
    finally:
        room.unlink(missing_ok=True)


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Names what to do where weights cannot be written."""
    try:
        yield
    except OSError as error:
        do = f"free {ROOM_BYTES // 1_000_000} MB there, or choose another --out"
        raise MoodError(f"weights in {out}", str(error.strerror or error), do) from None


def about_encoder(path: Path) -> dict[str, Any]:
    """What the card of weights says of the encoder they began with: all of its own card but the list of subjects."""
    _, card = load_encoder(path)
    return {key: value for key, value in card.items() if key not in ("people", "held_out_people")}
