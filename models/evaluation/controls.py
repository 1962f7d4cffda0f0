"""Controls: results where there is no effect, and with a source of information removed.

* labels permuted by block within each subject, and the first against the last block of one condition: chance;
* without gamma: its DE is replaced by beta's, and the raw signal ends at gamma's lower edge;
* `sustained`: a state held for ten minutes must not fade as the normaliser adapts.

Channels over muscles and eyes alone are the channel set ``muscle`` of `evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count, islice
from typing import Any

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec

from ..datasets.person import NO_LABEL, Person
from ..datasets.virtual import SETTLE_S
from . import report
from .baselines import Method, Scorer
from .cohorts import FIRST_SEED, virtual_person, with_baseline
from .compare import Runner, compare
from .contexts import View, scored_seconds
from .splits import Fold

HOLD_S = 600
N_HOLDING = 18


def blocks(p: Person, spec: FeatureSpec) -> list[np.ndarray]:
    """The scored seconds of a subject, split where the label or the piece changes or seconds are left out."""
    at = scored_seconds(p, spec)
    cut = (np.diff(at) > 1) | (np.diff(p.label[at]) != 0) | (np.diff(p.piece[at]) != 0)
    return np.split(at, np.flatnonzero(cut) + 1)


def permuted(p: Person, spec: FeatureSpec, rng: np.random.Generator) -> Person:
    """The subject with the labels of its blocks permuted."""
    found, label = blocks(p, spec), np.full_like(p.label, NO_LABEL)
    for block, y in zip(found, rng.permutation([p.label[block[0]] for block in found]), strict=True):
        label[block] = y
    return replace(p, label=label)


def first_and_last(p: Person, spec: FeatureSpec) -> Person:
    """Label 0 in the first and 1 in the last block of the first condition, or in the halves of a single block."""
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
    runner: Runner, methods: Sequence[Method], folds: Sequence[Fold], log: Callable[[str], None]
) -> dict[str, Any]:
    """Run all controls with middle settings; return their results and lines of text."""
    study, spec = runner.study, runner.study.spec
    rng = np.random.default_rng(study.seed)
    compared = [m for m in methods if m.name != "majority"]
    kinds: dict[str, tuple[list[Person], tuple[str, ...]]] = {
        "permuted labels": ([permuted(p, spec, rng) for p in study.subjects], study.labels),
        "first against last": ([first_and_last(p, spec) for p in study.subjects], ("first", "last")),
        "without gamma": ([without_gamma(p, spec) for p in study.subjects], study.labels),
    }
    out: dict[str, Any] = {}
    lines = []
    for kind, (subjects, labels) in kinds.items():
        log(f"control: {kind}")
        changed = replace(study, subjects=subjects, labels=labels)
        out[kind] = report.summary(compare(runner.on(changed), compared, folds, choose=False), study.seed)
        lines += [
            f"{kind}, {channels} channels, {name}: AUC {m['auc']['mean']:.3f} {m['auc']['interval']}"
            for channels, by_method in out[kind].items()
            for name, m in by_method.items()
        ]
    reader = next((m for m in methods if m.name == report.READER), None)
    if reader is not None and study.subjects[0].info.virtual:
        log("control: a state held for ten minutes")
        score, out["sustained"] = runner.scorer(reader, folds[0].split), {}
        view = study.view([study.subjects[i] for i in folds[0].split.train], study.ch_names)
        for track in ("running", "drifting"):
            m = out["sustained"][track] = sustained(score, replace(view, track=track))
            lines.append(
                f"a state held for ten minutes, {track} statistics: accuracy {m['first_two']:.3f} in the first two, "
                f"{m['last_two']:.3f} in the last two minutes"
            )
    return {"lines": lines, **out}


def sustained(score: Scorer, view: View, n_subjects: int = N_HOLDING, hold_s: int = HOLD_S) -> dict[str, Any]:
    """Accuracy in the first and last two minutes of a state held, with the statistics of the view's track.

    Each of the simulated subjects, which training has not seen, holds one state after a minute of rest.
    """
    made = (
        virtual_person(FIRST_SEED + 10_000 + i, 60, view.spec, (view.labels[i % len(view.labels)], hold_s))
        for i in count()
    )
    minutes: list[list[float]] = []
    for p in islice(with_baseline(made, view.spec), n_subjects):
        c = view.contexts(p)
        hit = score(c).argmax(axis=1) == c.labels
        minutes.append([float(hit[(c.at >= a) & (c.at < a + 60)].mean()) for a in range(60, 60 + hold_s, 60)])
    by_minute = np.mean(minutes, axis=0)
    first, last = float(by_minute[:2].mean()), float(by_minute[-2:].mean())
    return {
        "people": n_subjects, "settle_s": SETTLE_S, "by_minute": by_minute.round(3).tolist(),
        "first_two": round(first, 4), "last_two": round(last, 4), "lost": round(first - last, 4),
    }  # fmt: skip
