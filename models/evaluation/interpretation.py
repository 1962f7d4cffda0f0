"""The command ``interpret``: maps by label and band over a data set, with statistics over subjects, on one page.

Attention and integrated gradients of each subject come from a network that was fitted without that subject. DE
contrasts need no network. What the page says is computed here, and is in the JSON file beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import rankdata

from realtime_mood.errors import ConfigError
from realtime_mood.files import write_whole
from realtime_mood.report import pages

from ..datasets.guards import mean_there
from ..datasets.labels import scale_of
from ..executor import SerialExecutor, open_executor
from ..progress import Progress
from . import interpretation_page
from .clusters import ALPHA, FORMING_P, LEAST_SUBJECTS, MOST_CM, Cluster, clusters_of, neighbours
from .compare import Runner, Study
from .figures import draws, mean_with_interval, of_person
from .mood_reader import FittedReader, ReaderMethod
from .run import Comparison, Options, prepare
from .splits import Split
from .subject_maps import SubjectMaps, maps_of

KINDS = ("de", "attention", "attention_contrast", "gradients")
PROTOCOLS = ("groups", "loso")
SHUFFLES = 20  # times that labels are permuted by trial
MARK = "interpretation"  # a key of our JSON files, by which they are recognised
Log = Callable[[str], None]


@dataclass(frozen=True)
class ClusterOptions:
    """How maps are tested over subjects."""

    n_permutations: int = 1000
    seed: int = 0


def interpret(options: Options, testing: ClusterOptions, arguments: Sequence[str], log: Log) -> None:
    """Write the page of a readout to ``options.out``, and all of its numbers to a JSON file beside it.

    Raises `ConfigError` for a wrong option, and where another file is at the place of the page or of the JSON file.
    """
    check(options, testing)
    page = pages.place(options.out, options.out, interpretation_page.GENERATOR)
    numbers = page.with_suffix(".json")
    if numbers.exists() and not _ours(numbers):
        raise ConfigError(f"numbers at {numbers}", "that is another file", "choose another name for the page")
    with open_executor(options.n_jobs, options.scheduler) as executor:
        c = prepare(replace(options, methods="reader", channels="all", n_inner=1), arguments, executor, log)
        assert c.reader is not None
        splits = [fold.split for fold in c.folds]
        found: dict[str, SubjectMaps] = {}
        common = c.runner.study, c.reader, c.cache
        progress = Progress(len(splits), "networks", log, every_s=0)
        for _, subjects in executor.run(of_split, splits, common):
            found |= {m.name: m for m in subjects}
            progress.step()
    study = c.runner.study
    log("statistics over subjects")
    result = about(c) | summary([found[p.name] for p in study.subjects], study, testing)
    pages.write(page, interpretation_page.page(result))
    try:
        write_whole(numbers, (json.dumps(result) + "\n").encode())
    except OSError as error:
        raise ConfigError(f"write {numbers}", str(error.strerror), "choose another place") from None
    log(f"wrote {page} and {numbers}")


def check(options: Options, testing: ClusterOptions) -> None:
    """Raise `ConfigError` where maps cannot be computed or tested as asked."""
    if options.protocol not in PROTOCOLS:
        asked = f"maps by protocol {options.protocol!r}"
        raise ConfigError(asked, "each subject must be held out once", f"use {' or '.join(PROTOCOLS)}")
    if scale_of(options.readout):
        raise ConfigError(f"maps of {options.readout}", "a rating has no labels to compare", "use valence or arousal")
    if options.track == "l":
        raise ConfigError("maps on track 'l'", "personal classifiers have no maps of their own", "use c1 or z")
    if testing.n_permutations < 1 / ALPHA:
        found = f"p cannot be below {ALPHA}"
        raise ConfigError(f"{testing.n_permutations} permutations", found, "use at least 100")


def _ours(path: Path) -> bool:
    try:
        return MARK in json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError):
        return False


def of_split(common: tuple[Study, ReaderMethod, Path], split: Split) -> list[SubjectMaps]:
    """The maps of the subjects that a split leaves out."""
    study, method, cache = common
    fitted = Runner(study, cache, SerialExecutor(), lambda _: None).scorer(method, split)
    assert isinstance(fitted, FittedReader)
    view = study.view([study.subjects[i] for i in split.train], study.ch_names)
    contexts = [view.contexts(study.subjects[i]) for i in split.left]
    return [maps_of(fitted.reader, fitted(c), c, len(study.labels)) for c in contexts]


def about(c: Comparison) -> dict[str, Any]:
    """What the maps are of, and what is needed to repeat them."""
    name = c.info.name if c.info else str(c.about["dataset"])  # not the path of a TOML file
    known = {key: getattr(c.info, key) if c.info else "" for key in ("title", "paper", "licence", "baseline")}
    return {MARK: 1, "about": {**c.about, **known, "dataset": name, "warnings": list(c.warnings)}}


# -- over subjects ------------------------------------------------------------------------------------------------


def summary(subjects: Sequence[SubjectMaps], study: Study, testing: ClusterOptions) -> dict[str, Any]:
    """All maps, tests and controls of a data set, ready for JSON.

    With fewer than `LEAST_SUBJECTS` there are no tests, because flipped signs of so few cannot reach p < .05.
    """
    names = list(study.ch_names)
    by_kind = maps_by_kind(subjects)
    tested, adjacency = len(subjects) >= LEAST_SUBJECTS, neighbours(names)
    maps: dict[str, Any] = {}
    for kind, values in by_kind.items():
        rows = rows_of(kind, study.labels)
        found: dict[str, Any] = {"rows": [study.labels[y] for y in rows]}
        if tested:
            t, clusters = clusters_of(values[:, rows], adjacency, testing.n_permutations, testing.seed)
            found |= {"t": _listed(t), "clusters": [_described(k, found["rows"], study) for k in clusters]}
        found["mean"] = _listed(mean_there(values)[rows])
        found["subjects"] = {m.name: _listed(value[rows]) for m, value in zip(subjects, values, strict=True)}
        maps[kind] = found
    neighbouring = {a: [names[j] for j in adjacency[[i]].indices if j != i] for i, a in enumerate(names)}
    return {
        "electrodes": names, "bands": {name: list(edges) for name, edges in study.spec.bands.items()},
        "statistics": {
            "done": tested, "subjects": len(subjects), "least_subjects": LEAST_SUBJECTS, "alpha": ALPHA,
            "permutations": min(testing.n_permutations, 2 ** (len(subjects) - 1)), "forming_p": FORMING_P,
            "most_cm": MOST_CM, "neighbours": neighbouring, "seed": testing.seed,
            "corrected_over": "electrodes, bands and labels of each kind of map",
        },
        "reader": accuracy(subjects, testing.seed),
        "maps": maps,
        "controls": controls(subjects, by_kind, study, testing, adjacency),
    }  # fmt: skip


def maps_by_kind(subjects: Sequence[SubjectMaps]) -> dict[str, np.ndarray]:
    """Maps of all subjects, (n_subjects, n_labels, n_chans, n_bands), by the names of `KINDS`."""
    attention = np.stack([m.attention for m in subjects])
    n_labels = attention.shape[1]
    others = [mean_there(np.delete(attention, y, 1).swapaxes(0, 1)) for y in range(n_labels)]
    return {
        "de": np.stack([m.trials.contrasts(n_labels) for m in subjects]),
        "attention": attention,
        "attention_contrast": attention - np.stack(others, axis=1),
        "gradients": np.stack([m.gradients for m in subjects]),
    }


def rows_of(kind: str, labels: Sequence[str]) -> list[int]:
    """The labels whose maps are shown and tested: of two labels, both contrasts are the same up to their sign."""
    return [1] if len(labels) == 2 and kind in ("de", "attention_contrast") else list(range(len(labels)))


def accuracy(subjects: Sequence[SubjectMaps], seed: int) -> dict[str, Any]:
    """How well the networks read the labels of their held-out subjects."""
    weights = draws(len(subjects), seed)
    reached = np.array([of_person(m.scores, 1.0)["balanced_accuracy"] for m in subjects])
    chance = np.array([1 / len(np.unique(m.scores.labels)) for m in subjects])
    return {
        "balanced_accuracy": mean_with_interval(reached.tolist(), weights),
        "chance": round(float(chance.mean()), 4),
        "above_chance": mean_with_interval((reached - chance).tolist(), weights),
    }


def _described(cluster: Cluster, rows: Sequence[str], study: Study) -> dict[str, Any]:
    return {
        "label": rows[cluster.row], "band": list(study.spec.bands)[cluster.band],
        "electrodes": [study.ch_names[i] for i in cluster.electrodes], "sign": 1 if cluster.mass > 0 else -1,
        "mass": round(cluster.mass, 3), "p": round(cluster.p, 4), "significant": cluster.significant,
    }  # fmt: skip


def _listed(values: np.ndarray) -> list[Any]:
    """Nested lists, with None for NaN."""
    if values.ndim > 1:
        return [_listed(part) for part in values]
    return [None if np.isnan(x) else round(x, 4) for x in values.tolist()]


# -- controls -----------------------------------------------------------------------------------------------------


def controls(
    subjects: Sequence[SubjectMaps], maps: Mapping[str, np.ndarray], study: Study, testing: ClusterOptions,
    adjacency: csr_array,
) -> dict[str, Any]:  # fmt: skip
    """What tells whether the maps can be believed, and whether attention says anything about the label."""
    weights = draws(len(subjects), testing.seed)
    size = {kind: np.abs(values) for kind, values in maps.items()} | {"attention": maps["attention"]}
    pairs = [("attention", "de"), ("attention_contrast", "de"), ("gradients", "de"), ("attention", "gradients")]
    found = {f"{a}, {b}": mean_with_interval(rank_correlations(size[a], size[b]).tolist(), weights) for a, b in pairs}
    similar, between = alike(maps["attention"])
    return {
        "permuted": permuted(subjects, study, testing, adjacency),
        "agreement": found,
        "attention_of_labels": {
            "correlation": mean_with_interval(similar.tolist(), weights),
            "between_labels": mean_with_interval(between.tolist(), weights),
        },
        "in_order": all(m.trials.in_order for m in subjects),
        "incompleteness": round(float(np.mean([m.incompleteness for m in subjects])), 4),
    }


def permuted(
    subjects: Sequence[SubjectMaps], study: Study, testing: ClusterOptions, adjacency: csr_array
) -> dict[str, Any] | None:
    """Smallest p of the test of DE contrasts with labels permuted by trial, `SHUFFLES` times; None without tests."""
    if len(subjects) < LEAST_SUBJECTS:
        return None
    rng, smallest = np.random.default_rng(testing.seed), []
    rows, n_labels = rows_of("de", study.labels), len(study.labels)
    for _ in range(SHUFFLES):
        values = np.stack([m.trials.contrasts(n_labels, rng)[rows] for m in subjects])
        _, clusters = clusters_of(values, adjacency, testing.n_permutations, testing.seed)
        smallest.append(min((k.p for k in clusters), default=1.0))
    return {
        "times": SHUFFLES,
        "found": sum(p < ALPHA for p in smallest),
        "smallest_p": [round(p, 4) for p in smallest],
    }


def rank_correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spearman's correlation over electrodes, averaged over labels and bands: (n_subjects,); zero where none is known.

    Both are (n_subjects, n_labels, n_chans, n_bands).
    """
    there = np.isfinite(a) & np.isfinite(b)
    x, y = (rankdata(np.where(there, values, np.nan), axis=2, nan_policy="omit") for values in (a, b))
    x, y = (np.nan_to_num(r - mean_there(np.moveaxis(r, 2, 0))[:, :, None]) for r in (x, y))
    scale = np.sqrt((x**2).sum(2) * (y**2).sum(2))
    rho = np.where(scale > 0, (x * y).sum(2) / np.where(scale > 0, scale, 1), np.nan)
    return np.nan_to_num(mean_there(rho.reshape(len(rho), -1).T))


def alike(attention: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How alike the attention maps of the labels are: correlation, and share of variance between labels, by subject.

    Attention is (n_subjects, n_labels, n_chans, n_bands), zero being an equal share; both results (n_subjects,).
    """
    similar, between = [], []
    for maps in attention:
        known = np.nan_to_num(maps[np.isfinite(maps).any(axis=(1, 2))].reshape(-1, maps[0].size))
        pairs = np.corrcoef(known)[np.triu_indices(len(known), 1)] if (known.std(axis=1) > 0).all() else np.ones(1)
        similar.append(float(pairs.mean()) if pairs.size else 1.0)
        total = float(np.mean(known**2))
        between.append(float(np.mean((known - known.mean(axis=0)) ** 2)) / total if total else 0.0)
    return np.array(similar), np.array(between)
