"""The controls with every method: ``evaluate --controls``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .. import report
from ..baselines import Method
from ..compare import Runner, compare
from ..splits import Fold
from .changed import first_and_last, permuted, without_gamma
from .order import WITHOUT_SIGNAL
from .sustained import sustained


def controls(
    runner: Runner, methods: Sequence[Method], folds: Sequence[Fold], log: Callable[[str], None]
) -> dict[str, Any]:
    """Run all controls with middle settings; return their results and lines of text."""
    study, spec = runner.study, runner.study.spec
    rng = np.random.default_rng(study.seed)
    not_compared = {"majority", *(m.name for m in WITHOUT_SIGNAL)}
    compared = [m for m in methods if m.name not in not_compared]
    in_time = [first_and_last(p, spec) for p in study.subjects]
    kinds = {
        "permuted labels": replace(study, subjects=[permuted(p, spec, rng) for p in study.subjects]),
        "first against last": replace(study, subjects=in_time, labels=("first", "last")),
        "without gamma": replace(study, subjects=[without_gamma(p, spec) for p in study.subjects]),
    }
    if len(study.labels) == 2:  # the second label is the score of "last"
        kinds[f"later taken for {study.labels[1]}"] = replace(study, tested=in_time)
    out: dict[str, Any] = {}
    lines = []
    for kind, changed in kinds.items():
        log(f"control: {kind}")
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
