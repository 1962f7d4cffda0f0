"""Comparison of methods that predict ratings: correlation, concordance and error of each held-out subject's trials.

All choices are made on other subjects, by mean squared error. Measures are of the trials of one subject, never pooled
over subjects: Pearson's r, the concordance correlation coefficient [1]_, which is lowered by a wrong level or spread,
and the mean absolute error in units of the scale. Correlation and concordance of a constant prediction are 0. Intervals
are over subjects; what r a linear prediction reaches by chance is in a row of its own (`rating_chance`).

References
----------
.. [1] Lin (1989), "A concordance correlation coefficient to evaluate reproducibility", Biometrics 45(1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from realtime_mood.errors import ConfigError

from ..datasets.person import Person
from . import figures, report
from .baselines import Method
from .compare import Choices, EvaluationJob, Logits, Runner, Study, compare, scores_of, simplest
from .figures import Scores, text_of
from .rating_chance import permuted_r
from .rating_methods import WITHOUT_SIGNAL, ratings_of
from .splits import Fold

MEASURES = ("r", "ccc", "mae")
CONTROL, LINEAR = "mean", "ridge"
CHANCE = "ridge regression, ratings permuted (control)"
READ = [
    "measures are of the trials within each subject; a row has their mean over subjects and its 95 % CI",
    "errors are in units of the scale; correlation and concordance of a constant prediction are 0",
]
READ_CHANCE = (
    "ratings permuted: 95 % of {n} permutations within subjects are in the brackets; an r of ridge regression in there "
    "is chance, whatever its own interval"
)
SAME_ORDER = (
    "all subjects were given the stimuli in the same order: an r of the control “position in the session” may be that "
    "of the stimuli, and is no trend over time"
)
HEADS = ("channels", "method", "Pearson r", "CCC", "mean absolute error", "error − mean rating's")


def check(protocol: str, track: str, *, further: bool) -> None:
    """`ConfigError` for options that ratings do not have."""
    asked = "a rating as readout"
    if track == "l":
        raise ConfigError(f"{asked} on track 'l'", "the personal classifier knows classes", "use track c1")
    if protocol not in ("groups", "loso", "subject-clip"):
        raise ConfigError(f"{asked} with protocol {protocol!r}", "it compares classes", "use groups or loso")
    if further:
        raise ConfigError(
            f"{asked} with --controls, --ablations or --attention", "these compare classes", "leave them out"
        )


def by_trial(p: Person, scale: str, scores: Scores) -> tuple[np.ndarray, np.ndarray]:
    """Ratings and predictions of the trials of a held-out subject."""
    assert scores.trials is not None
    trials, first = np.unique(scores.trials, return_index=True)
    return ratings_of(p, trials, scale), scores.logits[first, 0]


def measures(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """The `MEASURES` of one subject's trials."""
    covariance = np.mean((truth - truth.mean()) * (predicted - predicted.mean()))
    spread, both = truth.std() * predicted.std(), truth.var() + predicted.var()
    distance = (truth.mean() - predicted.mean()) ** 2
    return {
        "r": float(covariance / spread) if spread > 1e-9 else 0.0,
        "ccc": float(2 * covariance / (both + distance)) if both + distance > 0 else 0.0,
        "mae": float(np.abs(truth - predicted).mean()),
    }


def result_of(runner: Runner, scale: str, methods: Sequence[Method], folds: Sequence[Fold]) -> dict[str, Any]:
    """The results of all methods by `compare_ratings`, their titles, and what warns of them."""
    results, titles = compare_ratings(runner, scale, methods, folds), {m.name: m.title for m in methods}
    chance = chance_of(runner, scale, results, folds)
    lines = [*READ, *(READ_CHANCE.format(n=m["permutations"]) for m in list(chance.values())[:1])]
    found = [*warnings(results, titles, chance), *([SAME_ORDER] if same_order(runner.study.subjects) else [])]
    return {"methods": titles, "results": results, "chance": chance, "warnings": found, "ratings": {"lines": lines}}


def chance_of(runner: Runner, scale: str, results: Mapping[str, Any], folds: Sequence[Fold]) -> dict[str, Any]:
    """The r of ridge regression on permuted ratings, by channel set: mean, and what 95 % of the permutations reach.

    The setting is the one that most folds chose. Empty where ridge regression is not among the methods.
    """
    found: dict[str, Any] = {}
    for channels, methods in results.items():
        if LINEAR in methods:
            chosen = Counter(tuple(row["setting"].items()) for row in methods[LINEAR]["people"]).most_common(1)[0][0]
            r = permuted_r(runner.study, runner.study.channel_sets[channels], scale, dict(chosen), folds)
            found[channels] = {
                "mean": round(float(r.mean()), 4), "interval": figures.interval(r), "permutations": len(r),
            }  # fmt: skip
    return found


def same_order(subjects: Sequence[Person]) -> bool:
    """Whether all subjects were given the same stimuli in the same order, in each session."""
    return len({tuple((t.session, t.position, t.stimulus) for t in p.trials) for p in subjects}) == 1


def compare_ratings(runner: Runner, scale: str, methods: Sequence[Method], folds: Sequence[Fold]) -> dict[str, Any]:
    """The `MEASURES` of all methods, by channel set and method, with intervals and differences over subjects."""
    study = runner.study
    by_name = {p.name: p for p in study.subjects}
    out: dict[str, Any] = {}
    for (method, channels), rows in compare(runner, methods, folds, best=partial(_best, scale)).items():
        subjects: list[dict[str, Any]] = []
        for row in rows:
            truth, predicted = by_trial(by_name[row.person], scale, row.scores)
            found = {key: round(value, 4) for key, value in measures(truth, predicted).items()}
            subjects.append(
                {"person": row.person, "fold": row.fold, "setting": dict(row.setting), "trials": len(truth), **found}
            )
        weights = figures.draws(len(subjects), study.seed)
        m: dict[str, Any] = {k: figures.mean_with_interval([s[k] for s in subjects], weights) for k in MEASURES}
        out.setdefault(channels, {})[method] = m | {"people": subjects}
    for of_channels in out.values():
        for m in of_channels.values():
            people = m["people"]
            weights = figures.draws(len(people), study.seed)
            m["less"] = {
                name: figures.paired_difference(people, of_channels[name]["people"], "mae", weights)
                for name in WITHOUT_SIGNAL
            }
    return out


def _best(
    scale: str, study: Study, method: Method, sets: tuple[str, ...], name: str, fold: Fold,
    inner: Mapping[str, Logits],
) -> Choices:  # fmt: skip
    """The setting of the smallest squared error on the fold's inner subjects, in the form of a classifier's choices."""
    tried = []
    for setting in method.settings:
        errors = []
        for split, subjects in fold.inner:
            logits = inner[EvaluationJob(method, split, setting, sets).key(study)]
            for i, scores in scores_of(study, name, subjects, logits).items():
                truth, predicted = by_trial(study.subjects[i], scale, scores)
                errors.append(float(np.mean((truth - predicted) ** 2)))
        tried.append(errors)
    return method.settings[simplest(-np.array(tried))], 1.0, {}


# -- the text ---------------------------------------------------------------------------------------------------------


def warnings(
    results: Mapping[str, Any], titles: Mapping[str, str], chance: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """Methods that see a signal and are not above chance, or not better than a control that sees none."""
    for channels, methods in results.items():
        for name, m in methods.items():
            if name in WITHOUT_SIGNAL:
                continue
            title = f"{titles[name]} ({channels} channels)"
            if not m["r"]["interval"][0] > 0:
                yield f"{title}: Pearson r {text_of(m['r'])} is not above zero"
            if name == LINEAR and chance:
                yield from _beside_chance(title, m["r"]["mean"], chance[channels])
            if above := [c for c in WITHOUT_SIGNAL if not m["less"][c]["interval"][1] < 0]:
                than = ", ".join(
                    f"“{titles[c].removesuffix(' (control)')}” ({text_of(m['less'][c], '+')})" for c in above
                )
                yield f"{title}: its error is not below that of {than}"


def _beside_chance(title: str, r: float, chance: Mapping[str, Any]) -> Iterator[str]:
    low, high = chance["interval"]
    of = f"{title}: Pearson r {r:.3f} is {{}} what permuted ratings give, {low:.3f} to {high:.3f}"
    if r < low:
        yield of.format("below") + (
            ", as happens where the relation of signal and rating differs between subjects and cancels: each model is "
            "then fitted to the opposite of the subject left out. Nothing is predicted, neither so nor in reverse"
        )
    elif r <= high:
        yield of.format("within")


def rows(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The rows below `HEADS`."""
    by_method = [
        (
            channels,
            result["methods"][name],
            *(text_of(m[k]) for k in MEASURES),
            text_of(m["less"][CONTROL], "+"),
        )
        for channels, methods in result["results"].items()
        for name, m in sorted(methods.items(), key=lambda item: item[1]["mae"]["mean"])
    ]
    chance = [(channels, CHANCE, text_of(r), "", "", "") for channels, r in result.get("chance", {}).items()]
    return by_method + chance


def print_result(result: Mapping[str, Any], console: Console) -> None:
    """Print the table and what is below it."""
    shown = Table(title=report.title(result["about"]), title_justify="left")
    for k, head in enumerate(HEADS):
        shown.add_column(head, no_wrap=k > 1)
    for row in rows(result):
        shown.add_row(*row)
    console.print(shown)
    report.print_sections(result, console)


def markdown(result: Mapping[str, Any]) -> str:
    """The same as a page."""
    return report.page(result, [HEADS, *rows(result)])
