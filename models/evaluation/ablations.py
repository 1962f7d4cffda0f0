"""Ablations of the Mood Reader: the contribution of each part.

Every variant is fitted on the training subjects of each fold, by the same recipe without choices, and compared with
the whole reader, paired by subject. Normalisers and channel sets are compared by the tracks and sets of `evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from . import report
from .compare import Runner, compare
from .mood_reader import ReaderMethod, variant
from .splits import Fold

TENTH = 0.1
RAW, DE = (True, False, False, False), (False, True, True, False)


def variants(whole: ReaderMethod, other_encoder: Path | None) -> list[ReaderMethod]:
    """Variants of the reader with one part removed, or with an encoder that was pre-trained in another way."""
    reader = partial(variant, whole)
    found = [reader("tenth", "a tenth of the labels", label_share=TENTH)]
    if whole.encoder:
        scratch = partial(reader, encoder=None)
        found += [
            scratch("tenth-scratch", "a tenth of the labels, encoder not pre-trained", label_share=TENTH),
            scratch("scratch", "encoder not pre-trained"),
        ]
    found += [
        reader("de", "DE branch alone", levels=DE),
        reader("raw", "raw branch alone", levels=RAW),
        reader("blind", "without electrode positions", config=replace(whole.config, positions=False)),
    ]
    if other_encoder:
        found.append(reader("other", f"another encoder, {other_encoder.name}", encoder=other_encoder))
    return found


def ablations(
    runner: Runner, whole: ReaderMethod, folds: Sequence[Fold], other_encoder: Path | None, log: Callable[[str], None]
) -> dict[str, Any]:
    """Fit all variants; return their results by channel set, and lines of text."""
    log("ablations")
    seed = runner.study.seed
    methods = [whole, *variants(whole, other_encoder)]
    titles = {m.name: m.title for m in methods}
    results = report.summary(compare(runner, methods, folds, choose=False), seed)
    lines = []
    for channels, by_method in results.items():
        for name, m in by_method.items():
            if name == report.READER:
                continue
            label, difference = "whole reader − this", m["reader_minus_this"]["auc"]
            if name == "tenth-scratch":
                m["tenth_minus_this"] = report.difference(by_method["tenth"]["people"], m["people"], seed)
                label, difference = "pre-trained − this", m["tenth_minus_this"]["auc"]
            lines.append(
                f"{titles[name]}, {channels} channels: AUC {m['auc']['mean']:.3f} {m['auc']['interval']}, "
                f"{label} {difference['mean']:+.3f} {difference['interval']}"
            )
    return {"lines": lines, "titles": titles, "results": results}
