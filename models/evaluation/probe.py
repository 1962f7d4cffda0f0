"""``evaluate --probe``: frozen features of encoders under a linear probe, on several data sets, in one table.

Each row of a task is fitted to people, or days, that are not scored; what was computed is in the cache, so that a run
that was stopped continues. Intervals are over people, and differences paired by them.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, MoodError, WeightsError
from realtime_mood.files import write_whole

from ..datasets.guards import duplicate_groups
from ..executor import Executor, open_executor
from . import figures, probe_features, probe_fit, probe_report, probe_tasks
from .baselines import names_asked
from .probe_de_branch import NAME as DE_BRANCH
from .probe_de_branch import TITLE as DE_BRANCH_TITLE
from .probe_de_branch import de_branch
from .probe_features import PLAIN_ROWS, ProbeFeatures, encoder_rows
from .probe_fit import ProbeData, probe, scores_of_subject
from .probe_foundation import FoundationFeatures
from .probe_tasks import TASKS, ProbeTask, Unit, chosen_channels, labels_for, load_people, standardised, units_of
from .sessions import folds_of
from .splits import Fold, plan, same_person
from .store import Store, digest

GROUPS, INNER = 6, 2
Log = Callable[[str], None]
Rows = list[dict[str, Any]]
"""Measures of each subject."""


@dataclass(frozen=True)
class ProbeOptions:
    """Options of `evaluate_probes`, explained at `models.commands.evaluate`."""

    out: Path
    data: Path | None = None
    tasks: str = "all"
    rows: str = "all"
    encoder: Path | None = None
    foundation: tuple[str, ...] = ()
    n_virtual: int = 24
    label_share: float = 1.0
    cache: Path | None = None
    n_jobs: int = 1
    seed: int = 0
    scheduler: str | None = None


@dataclass(frozen=True, eq=False)
class ProbeStudy:
    """What all rows of a task share; sent to each worker once."""

    task: ProbeTask
    units: Sequence[Unit]
    folds: Sequence[Fold]
    labels: tuple[str, ...]
    share: float
    seed: int
    sets: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def key(self, row: ProbeFeatures, channels: str) -> str:
        """Hash of everything the measures of a row depend on."""
        folds = [(fold.split.left, [(s.left, who) for s, who in fold.inner]) for fold in self.folds]
        return digest(
            row.name, row.depends, self.sets[channels], [unit.digest for unit in self.units], folds, self.labels,
            self.share, self.seed, probe_tasks, probe_features, probe_fit,
        )  # fmt: skip


def evaluate_probes(options: ProbeOptions, arguments: Sequence[str], log: Log, console: Console) -> None:
    """Probe all rows on all tasks, print the table, and write it and the figures.

    Raises
    ------
    ConfigError
        A task or row is unknown, an option is impossible, or no task has its data.
    """
    if not 0 < options.label_share <= 1:
        raise ConfigError(f"label share {options.label_share:g}", "not possible", "give more than 0, at most 1")
    tasks = _tasks(options.tasks)
    own, card = encoder_rows(options.encoder, options.seed)
    rows: list[ProbeFeatures] = list(PLAIN_ROWS.values())
    rows += [*own, *map(FoundationFeatures, options.foundation)]
    names = names_asked(options.rows, [*(row.name for row in rows), DE_BRANCH])
    cache = options.cache or options.out.with_suffix(".cache")
    result: dict[str, Any] = {
        "about": {
            "command": shlex.join(["python", "app.py", *arguments]), "seed": options.seed,
            "made": datetime.now(UTC).isoformat(timespec="seconds"), "label_share": options.label_share,
            "encoder_sha256": card.get("sha256"), "bootstrap": {"draws": figures.DRAWS, "over": "people"},
        },
        "rows": {row.name: row.title for row in rows if row.name in names} | {DE_BRANCH: DE_BRANCH_TITLE},
        "tasks": {},
    }  # fmt: skip
    with open_executor(options.n_jobs, options.scheduler) as executor:
        for task in tasks:
            try:
                study = _study(task, options, executor, log)
            except MoodError as error:
                log(f"{task.title}: not available: {error}")
                result["tasks"][task.name] = {"title": task.title, "absent": error.found or str(error)}
                continue
            found = _measured(study, [row for row in rows if row.name in names], Store(cache, log), executor, log)
            if DE_BRANCH in names:
                _add_de_branch(found, study, cache, executor, log)
            result["tasks"][task.name] = _summary(study, found, card)
            _write(options.out, result)
    if all("absent" in found for found in result["tasks"].values()):
        raise ConfigError("probes", "no data set of a task is there", "add --root DIR, where the sets are")
    _write(options.out, result)
    probe_report.print_table(result, console)
    log(f"wrote {options.out} and {options.out.with_suffix('.md')}")


def _tasks(asked: str) -> list[ProbeTask]:
    """Tasks by their own names or those of data sets."""
    words = [word.strip() for word in asked.split(",") if word.strip()]
    known = {name for task in TASKS.values() for name in (task.name, task.dataset)}
    if unknown := [word for word in words if word not in known | {"all"}]:
        raise ConfigError(f"probe task {unknown[0]!r}", "unknown", f"use all, or some of {', '.join(sorted(known))}")
    return [task for task in TASKS.values() if "all" in words or {task.name, task.dataset} & set(words)]


def _study(task: ProbeTask, options: ProbeOptions, executor: Executor, log: Log) -> ProbeStudy:
    spec = FeatureSpec()
    people = load_people(task, options.data, options.n_virtual, spec, executor, log)
    units = [unit for p in people for unit in units_of(task, p, spec)]
    if len({unit.subject for unit in units}) < 3:
        raise ConfigError(f"task {task.name}", f"{len(units)} subjects or days with windows", "three are needed")
    if task.by_session:
        numbers = [sum(u.subject == unit.subject for u in units[:i]) for i, unit in enumerate(units)]
        n_of = [sum(u.subject == unit.subject for u in units) for unit in units]
        folds = folds_of(list(zip(numbers, n_of, strict=True)), INNER)
    else:
        copies = duplicate_groups([u.person for u in units]) if units[0].person.trials else []
        together = [[i for i, u in enumerate(units) if u.name in group] for group in copies]
        n = min(GROUPS, len(units))
        folds = plan(len(units), "loso", n, min(INNER, n - 1), options.seed, (), together)
    sets = chosen_channels(task, units)
    log(f"{task.title}: {len(units)} subjects or days, {sum(len(u.ends) for u in units)} windows, {'; '.join(sets)}")
    return ProbeStudy(task, units, folds, labels_for(task), options.label_share, options.seed, sets)


def row_measures(study: ProbeStudy, job: tuple[ProbeFeatures, str]) -> Rows:
    """The measures of each held-out subject by a probe of one row on one set of electrodes."""
    row, channels = job
    data = []
    for unit in study.units:
        chans = np.array([unit.person.info.ch_names.index(name) for name in study.sets[channels]])
        ends = np.union1d(unit.ends, unit.reference)
        found, good = row(unit, ends, chans), unit.good(ends, chans)
        if found.shape[1] != len(chans):  # of all electrodes together
            good = np.asarray(good.any(axis=1, keepdims=True))
        x = standardised(found, good, np.isin(ends, unit.reference))[np.searchsorted(ends, unit.ends)]
        data.append(ProbeData(unit.name, unit.subject, x, unit.target, unit.trial))
    predicted = probe(data, study.folds, len(study.labels), study.share, study.seed)
    by_subject: dict[str, list[int]] = {}
    for i in sorted(predicted):
        by_subject.setdefault(data[i].subject, []).append(i)
    return [
        {"person": subject} | scores_of_subject([(data[i], predicted[i]) for i in own], len(study.labels))
        for subject, own in by_subject.items()
    ]


def _row_or_reason(study: ProbeStudy, job: tuple[ProbeFeatures, str]) -> Rows | str:
    """`row_measures`, or why an encoder cannot be used on these electrodes."""
    try:
        return row_measures(study, job)
    except WeightsError as error:
        return error.found


def _measured(
    study: ProbeStudy, rows: Sequence[ProbeFeatures], store: Store, executor: Executor, log: Log
) -> dict[str, dict[str, Rows]]:
    """Rows of each subject's measures by set of electrodes and name; those in the store are not computed again."""
    jobs = [(row, channels) for channels in study.sets for row in rows]
    keys = [study.key(*job) for job in jobs]
    todo = [i for i, key in enumerate(keys) if store.get(key) is None]
    failed: dict[str, str] = {}
    for n, (i, found) in enumerate(executor.run(_row_or_reason, [jobs[i] for i in todo], study), 1):
        row, channels = jobs[todo[i]]
        if isinstance(found, str):
            failed[keys[todo[i]]] = found
        else:
            store.put(keys[todo[i]], {name: np.array([r[name] for r in found]) for name in found[0]})
        log(f"{study.task.name}, {channels}: {row.title} ({n} of {len(todo)})")
    out: dict[str, dict[str, Rows]] = {channels: {} for channels in study.sets}
    for (row, channels), key in zip(jobs, keys, strict=True):
        if key in failed:
            out[channels][row.name] = [{"not_available": failed[key]}]
            continue
        columns = store.get(key) or {}
        names = list(columns)
        out[channels][row.name] = [
            dict(zip(names, values, strict=True)) for values in zip(*(columns[k].tolist() for k in names), strict=True)
        ]
    return out


def _add_de_branch(
    found: dict[str, dict[str, Rows]], study: ProbeStudy, cache: Path, executor: Executor, log: Log
) -> None:
    """Fit the DE branch in groups of people, or with days left out; one fit serves all sets of electrodes."""
    folds, n = study.folds, min(GROUPS, len(study.units))
    if not study.task.by_session:
        folds = plan(len(study.units), "groups", n, 1, study.seed)
    by_set = de_branch(study.task, study.units, folds, study.labels, study.sets, study.share, study.seed, cache,
                       executor, log)  # fmt: skip
    for channels, rows in by_set.items():
        found[channels][DE_BRANCH] = rows


def _summary(study: ProbeStudy, found: dict[str, dict[str, Rows]], card: dict[str, Any]) -> dict[str, Any]:
    """Means with intervals and paired differences, of all rows by set of electrodes."""
    seen = {same_person(name) for name in card.get("records_sha256", ())}
    subjects = sorted({unit.subject for unit in study.units})
    main = "balanced_accuracy" if study.labels else "r"
    sets: dict[str, Any] = {}
    for channels, by_row in found.items():
        sets[channels] = {}
        for name, rows in by_row.items():
            if "not_available" in rows[0]:
                sets[channels][name] = rows[0]
                continue
            rows = sorted(rows, key=lambda r: str(r["person"]))
            weights = figures.draws(len(rows), study.seed)
            keys = [key for key in rows[0] if key not in ("person", "windows")]
            m: dict[str, Any] = {k: figures.mean_with_interval([r[k] for r in rows], weights) for k in keys}
            for other in ("untrained", "bands"):
                if other in by_row and name != other:
                    against = sorted(by_row[other], key=lambda r: str(r["person"]))
                    m[f"minus_{other}"] = figures.paired_difference(rows, against, main, weights)
            sets[channels][name] = m | {"people": rows}
    return {
        "title": study.task.title, "measure": main, "chance": 1 / len(study.labels) if study.labels else 0.0,
        "people": len(subjects), "sets": sets,
        "seen_in_pretraining": sum(same_person(name) in seen for name in subjects),
    }  # fmt: skip


def _write(out: Path, result: dict[str, Any]) -> None:
    try:
        write_whole(out, (json.dumps(result, indent=1) + "\n").encode())
        write_whole(out.with_suffix(".md"), probe_report.markdown(result).encode())
    except OSError as error:
        raise ConfigError(
            f"write {out}", str(error.strerror), "free space and run again; the cache has it all"
        ) from None
