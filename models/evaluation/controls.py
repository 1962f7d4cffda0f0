"""Controls: results where there is no effect, and with a source of information removed.

* labels permuted by block within each subject: chance;
* first against last block of one condition: chance;
* channels of muscles and eyes only: the channel set ``muscle``, among the others of any run;
* without gamma: its DE is beta's again, and the raw signal ends at gamma's lower edge;
* `sustained`: a state held for ten minutes must not fade as the normaliser adapts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count, islice
from typing import Any

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec

from ..datasets.person import NO_LABEL, Person, population
from ..datasets.virtual import SETTLE_S
from . import report
from .baselines import Method, Scorer
from .cohorts import FIRST_SEED, virtual_person, with_baseline
from .compare import Runner, Study, compare
from .contexts import Contexts, View, scored_seconds
from .splits import Fold

HOLD_S = 600
HOLDERS = 18


def blocks(p: Person, spec: FeatureSpec) -> list[np.ndarray]:
    """The scored seconds of a subject, cut where the label or the piece of signal changes or seconds are left out."""
    at = scored_seconds(p, spec)
    cut = (np.diff(at) > 1) | (np.diff(p.label[at]) != 0) | (np.diff(p.piece[at]) != 0)
    return np.split(at, np.flatnonzero(cut) + 1)


def permuted(p: Person, spec: FeatureSpec, rng: np.random.Generator) -> Person:
    """The subject with the labels of its blocks permuted."""
    found = blocks(p, spec)
    old = [p.label[block[0]] for block in found]
    label = np.full_like(p.label, NO_LABEL)
    for block, y in zip(found, rng.permutation(old), strict=True):
        label[block] = y
    return replace(p, label=label)


def first_and_last(p: Person, spec: FeatureSpec) -> Person:
    """Label 0 in the first and 1 in the last block of the first condition; where it has but one, in its halves."""
    found = [block for block in blocks(p, spec) if p.label[block[0]] == 0]
    first, last = (found[0], found[-1]) if len(found) > 1 else np.array_split(found[0], 2)
    label = np.full_like(p.label, NO_LABEL)
    label[first], label[last] = 0, 1
    return replace(p, label=label)


def without_gamma(p: Person, spec: FeatureSpec) -> Person:
    """The subject without the highest band."""
    de = p.de.copy()
    de[..., -1] = de[..., -2]
    spectrum = np.fft.rfft(p.patches.astype(np.float32), axis=-1)
    top = list(spec.bands.values())[-1][0]
    spectrum[..., np.fft.rfftfreq(spec.patch_len, 1 / spec.patch_sfreq) >= top] = 0
    return replace(p, de=de, patches=np.fft.irfft(spectrum, spec.patch_len, axis=-1).astype(np.float16))


def controls(
    runner: Runner, methods: Sequence[Method], folds: Sequence[Fold], seed: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Run all controls with middle settings; return their results and lines of text."""
    study, spec = runner.study, runner.study.spec
    rng = np.random.default_rng(seed)
    compared = [m for m in methods if m.name != "majority"]
    kinds: dict[str, tuple[list[Person], tuple[str, ...]]] = {
        "permuted labels": ([permuted(p, spec, rng) for p in study.people], study.labels),
        "first against last": ([first_and_last(p, spec) for p in study.people], ("first", "last")),
        "without gamma": ([without_gamma(p, spec) for p in study.people], study.labels),
    }
    out: dict[str, Any] = {}
    lines = []
    for kind, (people, labels) in kinds.items():
        say(f"control: {kind}")
        changed = replace(study, people=people, labels=labels)
        found = report.summary(compare(runner.on(changed), compared, folds, choose=False), seed)
        out[kind] = found
        for channels, by_method in found.items():
            for name, m in by_method.items():
                auc = m["auc"]
                lines.append(f"{kind}, {channels} channels, {name}: AUC {auc['mean']:.3f} {auc['interval']}")
    reader = next((m for m in methods if m.name == report.READER), None)
    if reader is not None and study.people[0].info.virtual:
        say("control: a state held for ten minutes")
        out["sustained"] = _sustained(study, runner, reader, folds[0])
        lines += [
            f"a state held for ten minutes, {track} statistics: accuracy {m['first_two']:.3f} in the first two, "
            f"{m['last_two']:.3f} in the last two minutes"
            for track, m in out["sustained"].items()
        ]
    return {"lines": lines, **out}


def _sustained(study: Study, runner: Runner, reader: Method, fold: Fold) -> dict[str, Any]:
    train = [study.people[i] for i in fold.split.train]
    score = runner.scorer(reader, fold.split)
    pop = population(train)
    return {
        track: sustained(score, View(study.labels, study.spec, track, study.ch_names, pop))
        for track in ("running", "drifting")
    }


def sustained(score: Scorer, view: View, n_people: int = HOLDERS, hold_s: int = HOLD_S) -> dict[str, Any]:
    """Accuracy in the first and last two minutes of a state held, with the statistics of the view's track.

    New simulated subjects; each holds one state, in turn, after a minute of rest.
    """
    made = (
        virtual_person(FIRST_SEED + 10_000 + i, 60, view.spec, (view.labels[i % len(view.labels)], hold_s))
        for i in count()
    )
    minutes: list[list[float]] = []
    for p in islice(with_baseline(made, view.spec), n_people):
        c: Contexts = view.contexts(p)
        hit = score(c).argmax(axis=1) == c.labels
        minutes.append([float(hit[(c.at >= a) & (c.at < a + 60)].mean()) for a in range(60, 60 + hold_s, 60)])
    by_minute = np.mean(minutes, axis=0)
    first, last = float(by_minute[:2].mean()), float(by_minute[-2:].mean())
    return {
        "people": n_people, "settle_s": SETTLE_S, "by_minute": by_minute.round(3).tolist(),
        "first_two": round(first, 4), "last_two": round(last, 4), "lost": round(first - last, 4),
    }  # fmt: skip
