"""The DE branch of the Mood Reader as a row of the probe suite: trained with the labels of each fold's other people.

No frozen features: it shows what the network reads of band powers alone, in the same folds. On tasks with a baseline
it sees what it sees in use (10 s of context, the subject's own rest); on others the DE of each session is standardised
without labels first. It is fitted with the recipe's steps, without choices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec

from ..datasets.person import NO_LABEL, Person
from ..executor import Executor
from .ablations import DE
from .compare import Runner, Study, compare
from .figures import auc, balanced_accuracy
from .mood_reader import ReaderMethod
from .probe_tasks import ProbeTask, Unit, standardised
from .splits import Fold

NAME, TITLE = "de-branch", "DE branch of the Mood Reader, trained"
Log = Callable[[str], None]


def as_person(unit: Unit, *, baseline: bool) -> Person:
    """The unit with its windows' labels by second: with its baseline as rest, or with standardised DE and no rest."""
    p = unit.person
    label, is_reference = np.full(len(p.label), NO_LABEL), np.zeros(len(p.label), bool)
    label[unit.seconds(unit.ends)] = unit.target.astype(int)[:, None]
    is_reference[unit.seconds(unit.reference)] = True
    if baseline:
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
    people = [as_person(unit, baseline=task.baseline) for unit in units]
    names = people[0].info.ch_names
    common = tuple(name for name in names if all(name in p.info.ch_names for p in people))
    track = "c1" if task.baseline else "running"
    study = Study(people, labels, spec, track, common, sets, seed)
    method = method or ReaderMethod(name=NAME, title=TITLE, levels=DE, label_share=share)
    results = compare(Runner(study, cache, executor, log), [method], folds, choose=False)
    return {
        channels: [
            {
                "person": row.person,
                "balanced_accuracy": balanced_accuracy(row.scores),
                "auc": auc(row.scores.logits, row.scores.labels),
                "windows": len(row.scores.labels),
            }
            for row in rows
        ]
        for (_, channels), rows in results.items()
    }
