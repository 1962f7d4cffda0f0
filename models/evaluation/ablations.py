"""Takes the Mood Reader apart: what is each of its parts worth?

Every variant is fitted anew on the training people of each fold, by the recipe as it is and with nothing chosen, and
compared with the whole reader person by person. Normalisers and channel sets need no fits of their own: tracks and
channel sets of `evaluate` compare those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import report
from .compare import Runner, compare
from .mood_reader import ReaderMethod
from .splits import Fold

TENTH = 0.1
RAW, DE = (True, False, False, False), (False, True, True, False)


def variants(whole: ReaderMethod, other_encoder: Path | None) -> list[ReaderMethod]:
    """The reader without something, or with something else.

    Parameters
    ----------
    whole : ReaderMethod
    other_encoder : Path, optional
        Of an encoder that was pre-trained in another way.
    """
    steps = [setting["steps"] for setting in whole.settings]

    def reader(name: str, title: str, encoder: Path | None = whole.encoder, **changed: Any) -> ReaderMethod:
        config = replace(whole.config, positions=changed.pop("positions", True))
        return ReaderMethod(whole.recipe, config, steps, encoder, name=name, title=title, **changed)

    found = [reader("tenth", "a tenth of the labels", label_share=TENTH)]
    if whole.encoder:
        found.append(reader("tenth-scratch", "a tenth of the labels, encoder not pre-trained", None, label_share=TENTH))
        found.append(reader("scratch", "encoder not pre-trained", None))
    found += [
        reader("de", "DE branch alone", levels=DE),
        reader("raw", "raw branch alone", levels=RAW),
        reader("blind", "not told where electrodes are", positions=False),
    ]
    if other_encoder:
        found.append(reader("other", f"another encoder, {other_encoder.name}", other_encoder))
    return found


def ablations(
    runner: Runner,
    whole: ReaderMethod,
    folds: Sequence[Fold],
    other_encoder: Path | None,
    seed: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Fit all variants; their figures by channel set, and lines that tell them."""
    say("ablations")
    methods = [whole, *variants(whole, other_encoder)]
    titles = {m.name: m.title for m in methods}
    found = report.summary(compare(runner, methods, folds, choose=False), seed)
    lines = []
    for channels, by_method in found.items():
        for name, m in by_method.items():
            if name != report.READER:
                of, minus = "whole reader − it", m["reader_minus_this"]["auc"]
                if name == "tenth-scratch":
                    m["tenth_minus_this"] = report.difference(by_method["tenth"]["people"], m["people"], seed)
                    of, minus = "pre-trained − it", m["tenth_minus_this"]["auc"]
                lines.append(
                    f"{titles[name]}, {channels} channels: AUC {m['auc']['mean']:.3f} {m['auc']['interval']}, "
                    f"{of} {minus['mean']:+.3f} {minus['interval']}"
                )
    return {"lines": lines, "titles": titles, "results": found}
