"""Training of the weights that come with the program: fit, tune on held-out subjects, save.

Six networks are trained by the same recipe. Five leave out a fifth of the subjects each; on these, temperatures and
thresholds of `unsure` are chosen, and the figures in ``config.json`` measured. The sixth is trained on all subjects
and shipped with these choices. Subjects reserved for outside checks are in none of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.files import write_whole

from .checkpoint import ReadoutCard, Trust, save_weights
from .datasets import eegmat, virtual
from .datasets.person import Person, population
from .evaluation.cohorts import with_baseline
from .evaluation.figures import Scores, calibration_bins, expected_calibration_error, of_person, temperature, thresholds
from .executor import ProcessesExecutor
from .pretraining.encoder import load_encoder
from .reader import MoodReader, ReaderConfig
from .spread import shared
from .train import Task, TrainingRecipe, fit, scores

LABELS = {"effort": eegmat.LABELS, "emotion3": virtual.LABELS}
COORDINATES = {"effort": ((0.1, -0.4), (-0.1, 0.4)), "emotion3": ((-0.7, 0.4), (0.0, -0.2), (0.7, 0.4))}
EVIDENCE = {"effort": "real", "emotion3": "virtual"}
SOURCES = {
    "effort": "EEGMAT without subjects 32-35 (doi 10.13026/C2JQ1P, ODC-By 1.0)", "emotion3": "simulated subjects",
}  # fmt: skip
N_FOLDS = 5
COVERED = 0.8  # of the readings of held-out subjects; the others, the least confident, are `unsure`
ROOM_BYTES = 20_000_000  # weights are smaller
Log = Callable[[str], None]
Subjects = Mapping[str, Sequence[Person]]  # by readout
HeldOut = Mapping[str, Sequence[int]]  # indices of subjects, by readout


@dataclass(frozen=True)
class Training:
    """How each of the networks is trained."""

    spec: FeatureSpec
    recipe: TrainingRecipe
    seed: int
    encoder: Path | None


@dataclass(frozen=True, eq=False)
class FittedReadout:
    """A trained network, and its scores of held-out subjects: by readout, by whether on their own baseline."""

    reader: MoodReader
    scored: dict[str, dict[bool, list[Scores]]]


def ship(
    data: Path, out: Path, *, n_virtual: int, recipe: TrainingRecipe, seed: int, log: Log, encoder: Path | None = None
) -> None:
    """Train, tune and save to `out`; by itself, or in each of the processes of ``accelerate launch``.

    `data` is the folder of EEGMAT's archive, `n_virtual` the number of simulated subjects to train on, and `encoder` a
    pre-trained raw encoder to start from (see `load_encoder`). Raises `ConfigError` or `MoodError` where there are no
    data or no disk space, batches cannot be shared, or a loss is no number.
    """
    with shared() as accelerator:
        torch.set_num_threads(1)
        main, training = accelerator.is_main_process, Training(FeatureSpec(), recipe, seed, encoder)
        log = log if main else lambda _: None
        about, room = about_encoder(encoder) if encoder else None, out / "room.part"
        if main:  # reserve the space for the weights before anything is computed
            with _writing(out):
                write_whole(room, bytes(ROOM_BYTES))
        try:
            subjects = gather(data / "eegmat_dev24_125hz.npz", n_virtual, training.spec, log)
            *folds, final = _fits(subjects, training, accelerator, log)
        finally:
            if main:
                room.unlink(missing_ok=True)
        cards, figures = {}, {}
        for name, of_readout in subjects.items():
            scored = {frozen: [s for fold in folds for s in fold.scored[name][frozen]] for frozen in (True, False)}
            cards[name], figures[name] = tune(name, of_readout, scored)
            log(json.dumps({name: figures[name]}))
        card = {
            "recipe": asdict(recipe),
            "seed": seed,
            "figures": figures,
            "figures_are_of": f"held-out subjects, in {N_FOLDS} folds, of networks trained by the same recipe",
            "sources": SOURCES,
            "records_sha256": {p.name: p.sha256 for of_readout in subjects.values() for p in of_readout},
            "encoder": about,
        }
        if main:
            with _writing(out):
                save_weights(out, final.reader, training.spec, cards, card)
        log(f"saved {out}")


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        do = f"free {ROOM_BYTES // 1_000_000} MB there, or choose another --out"
        raise MoodError(f"weights in {out}", str(error.strerror or error), do) from None


def gather(eegmat_path: Path, n_virtual: int, spec: FeatureSpec, log: Log) -> dict[str, list[Person]]:
    """All training subjects, by readout."""
    if not eegmat_path.is_file():
        do = "pass the folder with the EEGMAT archive as --data"
        raise ConfigError(f"training data {eegmat_path}", "no such file", do)
    real = [p for p in eegmat.people(eegmat_path, spec) if p.name.removeprefix("eegmat-") not in eegmat.HELD_OUT]
    log(f"{len(real)} subjects of EEGMAT")
    made = dict(ProcessesExecutor(2).run(_virtual, range(n_virtual), spec))
    simulated = list(with_baseline((made[seed] for seed in range(n_virtual)), spec))
    log(f"{len(simulated)} simulated subjects with a usable baseline, of {n_virtual}")
    return {"effort": real, "emotion3": simulated}


def _virtual(spec: FeatureSpec, seed: int) -> Person:
    return virtual.one(seed, spec)


# -- fitting ------------------------------------------------------------------------------------------------------


def _fits(subjects: Subjects, training: Training, accelerator: Accelerator, log: Log) -> list[FittedReadout]:
    """One network per fold, and a last one fitted to all subjects."""
    parts = {
        name: np.array_split(np.random.default_rng(training.seed).permutation(len(of_readout)), N_FOLDS)
        for name, of_readout in subjects.items()
    }
    held_out: list[HeldOut] = [{name: part[k].tolist() for name, part in parts.items()} for k in range(N_FOLDS)]
    held_out.append({name: [] for name in subjects})
    if accelerator.num_processes > 1 or accelerator.device.type != "cpu":
        return [_fit(subjects, each, training, accelerator, log) for each in held_out]
    found: dict[int, FittedReadout] = {}
    for k, fitted in ProcessesExecutor(2).run(_fit_on_cpu, held_out, (subjects, training)):
        found[k] = fitted
        log(f"{len(found)} of {len(held_out)} networks")
    return [found[k] for k in range(len(held_out))]


def _fit_on_cpu(common: tuple[Subjects, Training], held_out: HeldOut) -> FittedReadout:
    torch.set_num_threads(1)
    subjects, training = common
    return _fit(subjects, held_out, training, None, lambda _: None)


def _fit(
    subjects: Subjects, held_out: HeldOut, training: Training, accelerator: Accelerator | None, log: Log
) -> FittedReadout:
    """Fit one network to the subjects that are not held out, and score those that are."""
    tasks = []
    for name, of_readout in subjects.items():
        kept = [p for i, p in enumerate(of_readout) if i not in held_out[name]]
        tasks.append(Task.of(name, LABELS[name], kept, training.spec))
    recent: dict[str, list[float]] = {task.name: [] for task in tasks}

    def report(step: int, losses: dict[str, float]) -> None:
        for name, loss in losses.items():
            recent[name] = [*recent[name][-49:], loss]
        if step % 50 == 49:
            log(json.dumps({"step": step + 1, **{name: round(float(np.mean(x)), 4) for name, x in recent.items()}}))

    try:
        reader = fit(ReaderConfig(), tasks, training.recipe, training.seed, report, training.encoder, accelerator)
    except ArithmeticError as error:
        do = "use fewer --steps, or look for what is wrong in the data"
        raise MoodError("train a network", str(error), do) from None
    scored = {}
    for task in tasks:
        tested = [subjects[task.name][i] for i in held_out[task.name]]
        sampler = Task.of(task.name, task.labels, tested, training.spec, task.population).sampler
        scored[task.name] = {
            frozen: [Scores(*scores(reader, task.name, sampler, i, frozen=frozen)) for i in range(len(tested))]
            for frozen in (True, False)
        }
    return FittedReadout(reader, scored)


# -- tuning -------------------------------------------------------------------------------------------------------


def tune(name: str, subjects: Sequence[Person], scored: Mapping[bool, Sequence[Scores]]) -> tuple[ReadoutCard, dict]:
    """Calibration of a readout's confidence with and without a baseline, and the figures for the card."""
    trust, figures = {}, {}
    for frozen, rows in scored.items():
        usable = [s for s in rows if len(np.unique(s.labels)) == len(LABELS[name])]
        t = temperature(usable)
        trust[frozen] = Trust(temperature=round(t, 4), least_confidence=round(thresholds(usable, t)[COVERED], 4))
        figures["own baseline" if frozen else "no baseline"] = _figures(usable, t)
    pop = population(subjects)
    card = ReadoutCard(
        labels=LABELS[name],
        coordinates=COORDINATES[name],
        evidence=EVIDENCE[name],
        population_mean=pop.mean.tolist(),
        population_sd=pop.sd.tolist(),
        own_baseline=trust[True],
        no_baseline=trust[False],
    )
    return card, {"people": len(scored[True]), **figures}


def _figures(rows: Sequence[Scores], t: float) -> dict[str, float]:
    """Means over subjects, and the calibration error of all their seconds together."""
    each = [of_person(s, t) for s in rows]
    found = {key: round(float(np.mean([row[key] for row in each])), 3) for key in ("balanced_accuracy", "auc")}
    bins = np.sum([calibration_bins(s, t) for s in rows], axis=0)
    return found | {"ece": round(float(expected_calibration_error(bins)), 3)}


def about_encoder(path: Path) -> dict[str, Any]:
    """The card of an encoder without its lists of subjects, for the card of weights that start from it."""
    _, card = load_encoder(path)
    return {key: value for key, value in card.items() if key not in ("people", "held_out_people")}
