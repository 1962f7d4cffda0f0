"""Training of the weights that come with the program: fit, tune on held-out subjects, save.

Six networks are trained by the same recipe. Five leave out a fifth of the subjects each; on these, temperatures and
the confidence thresholds of unsure readings are chosen, and the figures in ``config.json`` measured. The sixth is
trained on all subjects, and shipped with these choices. Subjects reserved for outside checks are in none of them.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from scipy.special import softmax

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.files import write_whole

from .checkpoint import ReadoutCard, Trust, save_weights
from .datasets import eegmat, virtual
from .datasets.person import Person, population
from .evaluation.cohorts import with_baseline
from .evaluation.figures import Scores, binned, expected_calibration_error, of_person, temperature, thresholds
from .pretraining.encoder import load_encoder
from .reader import MoodReader, ReaderConfig
from .spread import shared
from .train import Task, TrainingRecipe, fit, scores

LABELS = {"effort": eegmat.LABELS, "emotion3": virtual.LABELS}
COORDINATES = {"effort": ((0.1, -0.4), (-0.1, 0.4)), "emotion3": ((-0.7, 0.4), (0.0, -0.2), (0.7, 0.4))}
EVIDENCE = {"effort": "real", "emotion3": "virtual"}
N_FOLDS = 5
COVERED = 0.8  # of the readings of held-out subjects: the others, the least confident, are no estimates
ROOM_BYTES = 20_000_000  # weights are smaller
Log = Callable[[str], None]
People = Mapping[str, Sequence[Person]]  # by readout
LeftOut = Mapping[str, Sequence[int]]  # numbers of subjects, by readout


@dataclass(frozen=True, eq=False)
class FittedReadout:
    """A trained network, and what it makes of the held-out subjects: by readout, by whether on their own baseline."""

    reader: MoodReader
    scored: dict[str, dict[bool, list[Scores]]]


def ship(
    data: Path, out: Path, *, n_virtual: int, recipe: TrainingRecipe, seed: int, log: Log, encoder: Path | None = None
) -> None:
    """Train, tune and save to `out`; by itself, or in each of the processes of ``accelerate launch``.

    Parameters
    ----------
    data : Path
        The folder of EEGMAT's archive.
    out : Path
        The folder for the weights.
    n_virtual : int
        How many simulated subjects to train on.
    recipe : TrainingRecipe
    seed : int
    log : callable
    encoder : Path, optional
        Of a pre-trained raw encoder to begin with (see `load_encoder`).

    Raises
    ------
    ConfigError, MoodError
        No data, no room, batches that cannot be shared, or a loss that is no number.
    """
    with shared() as spread:
        torch.set_num_threads(1)
        _ship(data, out, n_virtual, _How(FeatureSpec(), recipe, seed, encoder), spread, log)


def _ship(data: Path, out: Path, n_virtual: int, how: _How, spread: Accelerator, log: Log) -> None:
    """The same, as one of the sharers."""
    main = spread.is_main_process  # the one that says and saves
    say = log if main else lambda _: None
    about, room = about_encoder(how.encoder) if how.encoder else None, out / "room.part"
    if main:  # the room that weights need is taken before anything is computed
        with _writing(out):
            write_whole(room, bytes(ROOM_BYTES))
    try:
        people = gather(data / "eegmat_dev24_125hz.npz", n_virtual, how.spec, say)
        *folds, final = _fits(people, how, spread, say)
    finally:
        if main:
            room.unlink(missing_ok=True)
    cards, figures = {}, {}
    for name, who in people.items():
        scored = {frozen: [s for fold in folds for s in fold.scored[name][frozen]] for frozen in (True, False)}
        cards[name], figures[name] = tune(name, who, scored)
        say(json.dumps({name: figures[name]}))
    training = {
        "recipe": asdict(how.recipe),
        "seed": how.seed,
        "figures": figures,
        "figures_are_of": f"held-out subjects, in {N_FOLDS} folds, of networks trained by the same recipe",
        "sources": {
            "effort": "EEGMAT without subjects 32-35 (doi 10.13026/C2JQ1P, ODC-By 1.0)",
            "emotion3": "virtual people",
        },
        "records_sha256": {p.name: p.sha256 for who in people.values() for p in who},
        "encoder": about,
    }
    if main:
        with _writing(out):
            save_weights(out, final.reader, how.spec, cards, training)
    say(f"saved {out}")


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MoodError(
            f"weights in {out}", f"{error.strerror or error}", f"free {ROOM_BYTES // 1_000_000} MB there, or choose"
            " another --out",
        ) from None  # fmt: skip


def gather(eegmat_path: Path, n_virtual: int, spec: FeatureSpec, log: Log) -> dict[str, list[Person]]:
    """All training subjects, by readout."""
    if not eegmat_path.is_file():
        raise ConfigError(
            f"training data {eegmat_path}", "no such file", "pass the folder with the EEGMAT archive as --data"
        )
    real = [p for p in eegmat.people(eegmat_path, spec) if p.name.removeprefix("eegmat-") not in eegmat.HELD_OUT]
    log(f"{len(real)} subjects of EEGMAT")
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        made = list(pool.map(virtual.one, range(n_virtual), [spec] * n_virtual, chunksize=10))
    made = list(with_baseline(made, spec))
    log(f"{len(made)} simulated subjects with a usable baseline, of {n_virtual}")
    return {"effort": real, "emotion3": made}


# -- fitting ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _How:
    spec: FeatureSpec
    recipe: TrainingRecipe
    seed: int
    encoder: Path | None


def _fits(people: People, how: _How, spread: Accelerator, log: Log) -> list[FittedReadout]:
    """One network a fold, and the last one on all subjects."""
    parts = {
        name: np.array_split(np.random.default_rng(how.seed).permutation(len(who)), N_FOLDS)
        for name, who in people.items()
    }
    left: list[LeftOut] = [{name: part[k].tolist() for name, part in parts.items()} for k in range(N_FOLDS)]
    left.append({name: [] for name in people})
    if spread.num_processes > 1 or spread.device.type != "cpu":
        return [_fit(people, each, how, spread, log) for each in left]
    # They do not need each other: here each takes a core.
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn"), _begin, (people,)) as pool:
        found = []
        for k, fitted in enumerate(pool.map(_fit_here, left, [how] * len(left))):
            log(f"{k + 1} of {len(left)} networks")
            found.append(fitted)
        return found


_people: People = {}


def _begin(people: People) -> None:
    global _people
    _people = people
    torch.set_num_threads(1)


def _fit_here(left: LeftOut, how: _How) -> FittedReadout:
    return _fit(_people, left, how, None, lambda _: None)


def _fit(people: People, left: LeftOut, how: _How, spread: Accelerator | None, log: Log) -> FittedReadout:
    """Fit one network to the subjects who are not `left` out, and score those who are."""
    kept = {name: [p for i, p in enumerate(who) if i not in left[name]] for name, who in people.items()}
    tasks = [Task.of(name, LABELS[name], who, how.spec) for name, who in kept.items()]
    recent: dict[str, list[float]] = {task.name: [] for task in tasks}

    def report(step: int, losses: dict[str, float]) -> None:
        for name, loss in losses.items():
            recent[name] = [*recent[name][-49:], loss]
        if step % 50 == 49:
            log(json.dumps({"step": step + 1, **{name: round(float(np.mean(x)), 4) for name, x in recent.items()}}))

    try:
        reader = fit(ReaderConfig(), tasks, how.recipe, how.seed, report, how.encoder, spread)
    except ArithmeticError as error:
        raise MoodError(
            "train a network", str(error), "use fewer --steps, or look for what is wrong in the data"
        ) from None
    found = {}
    for task in tasks:
        those = [people[task.name][i] for i in left[task.name]]
        who = Task.of(task.name, task.labels, those, how.spec, task.population).who
        found[task.name] = {
            frozen: [Scores(*scores(reader, task.name, who, i, frozen=frozen)) for i in range(len(those))]
            for frozen in (True, False)
        }
    return FittedReadout(reader, found)


# -- tuning -------------------------------------------------------------------------------------------------------


def tune(name: str, people: Sequence[Person], scored: Mapping[bool, Sequence[Scores]]) -> tuple[ReadoutCard, dict]:
    """Calibration of a readout's confidence with and without a baseline, and the figures for the card."""
    trust, figures = {}, {}
    for frozen, rows in scored.items():
        usable = [s for s in rows if len(np.unique(s.labels)) == len(LABELS[name])]
        t = temperature(usable)
        trust[frozen] = Trust(temperature=round(t, 4), least_confidence=round(thresholds(usable, t)[COVERED], 4))
        figures["own baseline" if frozen else "no baseline"] = _figures(usable, t)
    pop = population(people)
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
    even = [s.even() for s in rows]
    bins = [binned(softmax(s.logits / t, axis=1), s.labels) for s in even]
    return found | {"ece": round(float(expected_calibration_error(np.sum(bins, axis=0))), 3)}


def about_encoder(path: Path) -> dict[str, Any]:
    """What the card of weights says of the encoder they began with: all of its own card but the list of subjects."""
    _, card = load_encoder(path)
    return {key: value for key, value in card.items() if key not in ("people", "held_out_people")}
