"""Weights for one readout of a labelled data set: trained, shown on held-out subjects, and described in a card.

The networks are those of `cross_fit`. What they read of held-out subjects is compared with chance, and with what the
order of trials gives away without any signal (`WITHOUT_SIGNAL`), by 95 % confidence intervals of
the differences over subjects. The card and `README.md` say which exclude zero, and so what may be claimed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from realtime_mood.errors import ConfigError
from realtime_mood.files import write_whole
from realtime_mood.readout import HeldOutResult

from .card_page import claims, page
from .checkpoint import load_weights, save_weights
from .crossfit import FitOptions, LabelledReadout, Log, about_encoder, cross_fit, room_in, splits_of, tune, writing
from .datasets.guards import duplicate_groups
from .datasets.labels import coordinates_of, labels_of
from .datasets.page import BASELINES
from .datasets.person import Person, population
from .datasets.sets import reader_of
from .datasets.trials import DatasetInfo
from .evaluation.baselines import Method
from .evaluation.cohorts import common_channels
from .evaluation.contexts import View
from .evaluation.controls.order import WITHOUT_SIGNAL
from .evaluation.figures import Scores, draws, mean_with_interval, of_person
from .evaluation.labelled import LOOKS_AHEAD, DatasetChoice, load_labelled
from .evaluation.run import records_seen
from .evaluation.splits import Fold, Split, check_apart
from .executor import Executor
from .familiarity_fit import with_familiarity
from .spread import shared
from .train import TrainingRecipe

N_FOLDS, FEW_FOLDS = 5, 3
"""Groups of subjects that are left out in turn; where there are fewer than five subjects, three."""
TRACK = "c1"


def recipe_for(recipe: TrainingRecipe, readout: str) -> TrainingRecipe:
    """The recipe for one readout, with batches as large as those of the shipped readout of real subjects."""
    return replace(recipe, batches={readout: recipe.batches["effort"]})


def train_on(choice: DatasetChoice, out: Path, options: FitOptions, executor: Executor, log: Log) -> None:
    """Train a readout on all subjects of a data set that can be scored, and save it to the folder `out`.

    The recipe of `options` is for any readout (see `recipe_for`); `executor` prepares subjects and trains networks.
    Raises `ConfigError` where there is no such data set, readout or folder, the set has features only, there are too
    few subjects, or none has a label; and `MoodError` where there is no disk space, or a loss is no number.
    """
    with shared() as accelerator:
        say = log if accelerator.is_main_process else lambda _: None
        about = about_encoder(options.encoder) if options.encoder else None
        with room_in(out, accelerator):
            readout, info = _labelled(choice, options, executor, say)
            n_folds = N_FOLDS if len(readout.subjects) >= N_FOLDS else FEW_FOLDS
            splits = splits_of(len(readout.subjects), n_folds, options.seed)
            check_apart(readout.subjects, [Fold(split, ()) for split in splits], records_seen(options.encoder))
            options = replace(options, recipe=recipe_for(options.recipe, choice.readout))
            say(f"{len(readout.subjects)} subjects, {n_folds} folds, labels {', '.join(readout.labels)}")
            reader, scored = cross_fit({choice.readout: readout}, options, n_folds, accelerator, executor, say)
        if not accelerator.is_main_process:
            return
        card, figures = tune(readout, scored[choice.readout])
        card, figures["unfamiliar"] = with_familiarity(card, readout.subjects, options.spec, splits, options.seed)
        found, controls = held_out(
            readout, scored[choice.readout][True], info.title.partition(" (")[0], splits, options
        )
        training = {
            "recipe": asdict(options.recipe),
            "seed": options.seed,
            "figures": {choice.readout: figures},
            "figures_are_of": f"held-out subjects, in {n_folds} folds, of networks trained by the same recipe",
            "data_sets": {
                choice.readout: _about(choice, info, n_folds) | {"held_out": asdict(found), "controls": controls}
            },
            "records_sha256": {p.name: p.sha256 for p in readout.subjects},
            "encoder": about,
        }
        with writing(out):
            save_weights(out, reader, options.spec, {choice.readout: card}, training)
            write_whole(out / "README.md", page(load_weights(str(out)).card).encode())
        for line in [*claims(training, choice.readout), f"saved {out}"]:
            say(line)


# -- what can be trained on ---------------------------------------------------------------------------------------


def _labelled(
    choice: DatasetChoice, options: FitOptions, executor: Executor, say: Log
) -> tuple[LabelledReadout, DatasetInfo]:
    """The subjects that can be trained on, with the labels of the readout."""
    _refuse_features(choice, reader_of(choice.name).info, ())
    subjects, info = load_labelled(choice, TRACK, options.spec, executor, say)
    _refuse_features(choice, info, subjects)
    subjects, labels = _without_copies(subjects, say), labels_of(choice.readout, info)
    evidence = "virtual" if any(p.info.virtual for p in subjects) else "real"
    readout = LabelledReadout(labels, coordinates_of(choice.readout, labels), evidence, subjects)
    _check_enough(choice, readout)
    return readout, info


def _refuse_features(choice: DatasetChoice, info: DatasetInfo, subjects: Sequence[Person]) -> None:
    """A live stream has signal in µV; features that come with a set were computed and smoothed in ways of their own."""
    if not info.raw or any(not p.raw for p in subjects):
        ahead = f"; its {LOOKS_AHEAD}" if info.smoothed else ""
        raise ConfigError(
            f"live weights from {choice.name}", f"it has features only; live weights need signals in µV{ahead}",
            f"get the set's raw signals, or measure methods on its features: evaluate --dataset {choice.name}",
        )  # fmt: skip


def _without_copies(subjects: Sequence[Person], say: Log) -> list[Person]:
    """One of each group of duplicates: copies in training would make held-out subjects known ones."""
    left_out: set[str] = set()
    for group in duplicate_groups(subjects):
        first, *copies = sorted(group)
        say(f"left out as the same recording as {first}: {', '.join(copies)}")
        left_out.update(copies)
    return [p for p in subjects if p.name not in left_out]


def _check_enough(choice: DatasetChoice, readout: LabelledReadout) -> None:
    asked = f"readout {choice.readout!r} trained on {choice.name}"
    if len(readout.subjects) < FEW_FOLDS:
        raise ConfigError(
            asked, f"{len(readout.subjects)} different subjects can be scored, {FEW_FOLDS} are needed",
            "add subjects; the reasons for those left out are above",
        )  # fmt: skip
    there = np.unique(np.concatenate([p.label for p in readout.subjects]))
    if missing := [label for y, label in enumerate(readout.labels) if y not in there]:
        raise ConfigError(asked, f"no subject has a second of {', '.join(missing)}", "choose another readout")


# -- what it is worth ---------------------------------------------------------------------------------------------


def held_out(
    readout: LabelledReadout,
    scored: Mapping[int, Scores],
    title: str,
    splits: Sequence[Split],
    options: FitOptions,
) -> tuple[HeldOutResult, dict[str, Any]]:
    """The outcome on held-out subjects on their own baseline; and the controls, with what the network has more.

    Chance is one over the number of labels that a subject has: who always names one label reaches no more.

    Parameters
    ----------
    readout : LabelledReadout
    scored : mapping of int to Scores
        Of each subject by a network that has not seen it.
    title : str
        Name of the data set in words.
    splits : sequence of Split
        The folds that `scored` are from.
    options : FitOptions
    """
    numbers = sorted(scored)
    weights = draws(len(numbers), options.seed)
    reached = np.array([of_person(scored[i], 1.0)["balanced_accuracy"] for i in numbers])
    chance = np.array([1 / len(np.unique(scored[i].labels)) for i in numbers])
    controls: dict[str, Any] = {}
    for control in WITHOUT_SIGNAL:
        theirs = _scores_of_control(control, readout, splits, options)
        other = np.array([of_person(theirs[i], 1.0)["balanced_accuracy"] for i in numbers])
        controls[control.name] = {
            "title": control.title,
            "balanced_accuracy": mean_with_interval(other.tolist(), weights),
            "reader_minus_this": mean_with_interval((reached - other).tolist(), weights),
        }
    mean = mean_with_interval(reached.tolist(), weights)
    low, high = _interval(mean)
    return HeldOutResult(
        data_set=title, n_subjects=len(numbers), virtual=readout.evidence == "virtual",
        accuracy=round(float(reached.mean()), 4), low=low, high=high, chance=round(float(chance.mean()), 4),
        above_chance=_interval(mean_with_interval((reached - chance).tolist(), weights))[0] > 0,
        above_controls=all(_interval(control["reader_minus_this"])[0] > 0 for control in controls.values()),
    ), controls  # fmt: skip


def _interval(found: Mapping[str, Any]) -> tuple[float, float]:
    low, high = found["interval"]
    return float(low), float(high)


def _scores_of_control(
    control: Method,
    readout: LabelledReadout,
    splits: Sequence[Split],
    options: FitOptions,
) -> dict[int, Scores]:
    """Scores of the held-out subjects of each fold, by number."""
    subjects, found = readout.subjects, {}
    channels = common_channels(subjects, lambda _: None)
    for split in splits:
        train = [subjects[i] for i in split.train]
        view = View(readout.labels, options.spec, TRACK, channels, population(train))
        score = control.fit(train, view, control.settings[0], options.seed)
        for i in split.left:
            contexts = view.contexts(subjects[i])
            found[i] = Scores(score(contexts), contexts.labels)
    return found


# -- the card -----------------------------------------------------------------------------------------------------


def _about(choice: DatasetChoice, info: DatasetInfo, n_folds: int) -> dict[str, str]:
    return {
        "name": info.name,
        "title": info.title,
        "paper": info.paper,
        "licence": info.licence,
        "labels_mean": choice.meaning(info),
        "protocol": f"{n_folds} folds of held-out subjects, who saw the stimuli that the others saw; "
        f"the subject's own baseline ({BASELINES[info.baseline]}); causal",
    }
