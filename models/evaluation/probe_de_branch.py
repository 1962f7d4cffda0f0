"""The DE branch of the Mood Reader as a row of the probe suite: trained with the labels of each fold's other people.

No frozen features: it shows what the network reads of band powers alone, in the same folds. On tasks with a baseline
it sees what it sees in use (10 s of context, the subject's own rest); on others the DE of each session is standardised
without labels first. It is fitted with the recipe's steps, without choices. A rating is predicted as by `RatingReader`:
the expected value over thirds of the scale, whose mean ratings are those of the training subjects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec

from ..datasets.labels import RATING, label_of, labels_of
from ..datasets.person import NO_LABEL, Person
from ..datasets.sets import reader_of
from ..executor import Executor
from .ablations import DE
from .compare import Row, Runner, Study, compare
from .figures import auc, balanced_accuracy
from .mood_reader import ReaderMethod
from .probe_tasks import ProbeTask, Unit, standardised
from .rating_methods import RatingReader
from .ratings import by_trial, measures
from .splits import Fold

NAME, TITLE = "de-branch", "DE branch of the Mood Reader, trained"
Log = Callable[[str], None]


def as_person(unit: Unit, task: ProbeTask) -> Person:
    """The unit with its windows' classes by second: with its baseline as rest, or with standardised DE and no rest.

    The classes of a rating are thirds of its scale.
    """
    p, target = unit.person, unit.target
    if task.scale:
        info = reader_of(task.dataset).info
        thirds = [label_of(trial, task.scale + RATING, info, felt=True) for trial in p.trials]
        target = np.array(thirds)[unit.trial]
    label, is_reference = np.full(len(p.label), NO_LABEL), np.zeros(len(p.label), bool)
    label[unit.seconds(unit.ends)] = target.astype(int)[:, None]
    is_reference[unit.seconds(unit.reference)] = True
    if task.baseline:
        return replace(p, label=label, rest=is_reference, session=None)
    de = standardised(np.asarray(p.de, float), p.good, is_reference).reshape(p.de.shape)
    return replace(p, de=de, label=label, rest=np.zeros_like(is_reference), session=None)


def de_branch(
    task: ProbeTask, units: Sequence[Unit], folds: Sequence[Fold], labels: tuple[str, ...],
    sets: dict[str, tuple[str, ...]], share: float, seed: int, cache: Path | None, executor: Executor, log: Log,
    method: ReaderMethod | None = None,
) -> dict[str, list[dict[str, float | str]]]:  # fmt: skip
    """Measures of each subject, by set of electrodes; `method` is the reader that is fitted."""
    spec: FeatureSpec = units[0].spec
    people = [as_person(unit, task) for unit in units]
    names = people[0].info.ch_names
    common = tuple(name for name in names if all(name in p.info.ch_names for p in people))
    track = "c1" if task.baseline else "running"
    of_rating = labels_of(task.scale + RATING, reader_of(task.dataset).info) if task.scale else ()
    study = Study(people, of_rating or labels, spec, track, common, sets, seed)
    reader = method or ReaderMethod(name=NAME, title=TITLE, levels=DE, label_share=share)
    fitted = RatingReader(task.scale, reader) if task.scale else reader
    results = compare(Runner(study, cache, executor, log), [fitted], folds, choose=False)
    known = {p.name: p for p in people}
    return {channels: [_measures(task, known, row) for row in rows] for (_, channels), rows in results.items()}


def _measures(task: ProbeTask, people: Mapping[str, Person], row: Row) -> dict[str, float | str]:
    """Those of `probe_fit.scores_of_subject`."""
    about: dict[str, float | str] = {"person": row.person, "windows": len(row.scores.labels)}
    if task.scale:
        return about | measures(*by_trial(people[row.person], task.scale, row.scores))
    return about | {
        "balanced_accuracy": balanced_accuracy(row.scores),
        "auc": auc(row.scores.logits, row.scores.labels),
    }
