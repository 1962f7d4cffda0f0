"""One row of each control in the table of a labelled data set, with what it would mean if it were above chance.

Changed subjects are scored by one linear method without choices: seconds a fit. The row of the same method on unchanged
subjects is what the others are compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ...datasets.mapped import on_disk
from ...datasets.person import Person
from .. import report
from ..baselines import Classical, Method
from ..compare import Runner, Study, compare
from ..splits import Fold
from .changed import MUSCLES_AND_EYES, first_and_last, permuted, without_gamma, without_signal
from .order import WITHOUT_SIGNAL

LINEAR = Classical("lda")
ABOVE = {
    "position": "the order of playing gives labels away",
    "neighbour": "the order of playing gives labels away",
    "permuted": "the evaluation leaks, and no figure of this table can be trusted",
    "clip_identity": "labels may be read from the stimulus itself; see --protocol subject-clip",
    "first_last": "time alone changes the signal; labels that go with time may be read from it",
    "distance": "any change from the baseline is enough, whatever its direction and place",
    "muscle": "muscles and eyes may be what is read",
    "without_gamma": "the result does not rest on gamma alone, where muscles are strongest",
    "linear": "as it should be; the other rows of LDA are compared with this one",
}
"""What each control means if it is above chance, in the order of the table."""
LEAST_ELECTRODES = 2
TableRow = dict[str, Any]
KEPT = ("balanced_accuracy", "trial_balanced_accuracy", "macro_f1", "auc", "chance", "above_chance", "people")


def control_rows(
    runner: Runner, folds: Sequence[Fold], result: Mapping[str, Any], log: Callable[[str], None]
) -> dict[str, TableRow]:
    """The rows of all controls, on the first of the channel sets.

    Parameters
    ----------
    runner : Runner
        Of the study that is reported.
    folds : sequence of Fold
    result : mapping
        ``results``, a `report.summary` with the methods `WITHOUT_SIGNAL`, and ``clip_identity``.
    log : callable
        Receives messages on progress.

    Returns
    -------
    dict
        By the names of `ABOVE`: ``title``, ``channels``, ``if_above_chance``, and the performance measures, or
        ``not_available`` with the reason.
    """
    study, results = runner.study, result["results"]
    channels, names = next(iter(study.channel_sets.items()))
    subjects = [without_signal(p) for p in study.subjects]
    light = replace(study, subjects=subjects, channel_sets={channels: names})
    rng, spec = np.random.default_rng(study.seed), study.spec

    def scored(changed: Study, method: Method = LINEAR, among: Sequence[Fold] = folds) -> TableRow:
        found = report.summary(compare(runner.on(changed), [method], among, choose=False), study.seed)
        return next(iter(found.values()))[method.name]

    def linear(title: str, change: Callable[[Person], Person], among: Sequence[Fold] = folds, **more: Any) -> TableRow:
        log(f"control: {title}")
        changed = replace(light, subjects=[change(p) for p in subjects], **more)
        return _row(f"{title}: {LINEAR.title}", channels, scored(changed, among=among))

    rows = {m.name: _row(m.title.partition(" (")[0], "", results[channels][m.name]) for m in WITHOUT_SIGNAL}
    distance = Classical("distance")
    of_distance = results[channels].get(distance.name) or scored(light, distance)
    rows["distance"] = _row(distance.title.partition(" (")[0], channels, of_distance)
    rows["permuted"] = linear("labels permuted by trial", lambda p: permuted(p, spec, rng))
    with _temporary(runner.folder) as folder:
        rows["without_gamma"] = linear("without gamma", lambda p: _stored(without_gamma(p, spec), folder))
    rows["linear"] = linear("nothing changed", lambda p: p) | {"title": f"nothing changed: {LINEAR.title} (comparison)"}
    known = [replace(fold, split=replace(fold.split, clips=())) for fold in folds]  # else a fit may lack one of both
    rows["first_last"] = linear(
        "first against last trials of a label", lambda p: first_and_last(p, spec), known, labels=("first", "last")
    )
    rows["muscle"] = _muscles_and_eyes(light, scored)
    rows["clip_identity"] = _clips(result["clip_identity"])
    return {name: rows[name] | {"if_above_chance": ABOVE[name]} for name in ABOVE}


def reading(result: Mapping[str, Any]) -> list[str]:
    """How the table is to be read, in words."""
    lines = ["each row has a mean over subjects and its 95 % CI; chance is one over the labels that a subject has"]
    first, *others = result["results"]
    if others:
        lines.append(
            f"controls that see a signal are computed for the first channel set only ({first}), not for "
            f"{', '.join(others)}; for controls of another set, put it first in --channels"
        )
    return lines


@contextmanager
def _temporary(beside: Path | None) -> Iterator[str]:
    """A folder for changed features: of a large corpus they would fill the memory of every process."""
    if beside is not None:
        beside.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=beside, ignore_cleanup_errors=True) as folder:
        yield folder


def _stored(p: Person, folder: str) -> Person:
    return replace(p, de=on_disk(p.de, folder))


def _row(title: str, channels: str, measures: Mapping[str, Any]) -> TableRow:
    return {"title": f"{title} (control)", "channels": channels} | {k: measures[k] for k in KEPT if k in measures}


def _muscles_and_eyes(light: Study, scored: Callable[[Study], TableRow]) -> TableRow:
    """Electrodes over muscles and eyes alone, where the montage has these and others."""
    chosen = tuple(name for name in MUSCLES_AND_EYES if name in light.ch_names)
    title = "muscles and eyes only"
    if len(chosen) < LEAST_ELECTRODES:
        found = f"{' '.join(chosen) or 'none'} of the montage is over forehead, jaw or ears"
    elif len(chosen) == len(light.ch_names):
        found = "every electrode of the montage is over forehead, jaw or ears: brain and muscles cannot be separated"
    else:
        changed = replace(light, channel_sets={f"{len(chosen)}": chosen})
        return _row(f"{title} ({' '.join(chosen)}): {LINEAR.title}", f"{len(chosen)}", scored(changed))
    return {"title": f"{title} (control)", "channels": "", "not_available": found, "electrodes": list(chosen)}


def _clips(found: Mapping[str, Any] | None) -> TableRow:
    title = "stimulus recognised among those of the same label (control)"
    if found is None:
        why = "no label has two stimuli that other subjects saw, too"
        return {"title": title, "channels": "", "not_available": why}
    accuracy = {"mean": found["accuracy"], "interval": found["interval"]}
    return {
        "title": title, "channels": "all", "trial_balanced_accuracy": accuracy, "chance": found["chance"],
        "above_chance": found["above"],
    }  # fmt: skip
