"""The model card in words: on whom a readout was shown, what may be claimed, and the licence of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from realtime_mood.readout import HeldOutResult

from .card import Card

PURPOSE = (
    "Not for diagnosis or treatment, and not for judging people at work or in school, where the EU AI Act forbids "
    "emotion inference. For research, art and self-observation, with consent."
)


def may_be_claimed(
    readout: str, found: HeldOutResult, limits: Sequence[str] = (), who: str = "unseen subjects of such recordings"
) -> str:
    """What may be claimed of a readout, in words.

    Parameters
    ----------
    readout : str
    found : HeldOutResult
        ``above_controls`` is of the order of trials.
    limits : sequence of str
        What may not be claimed although the readout is valid.
    who : str
        Who was tested.
    """
    if found.virtual:
        return "nothing about real people: the data set was simulated"
    if not found.valid:
        return f"nothing: {found.why_not}"
    may = f"it reads {readout} of {who} better than chance and than the order of trials"
    return "; ".join([may, *limits])


def claims(training: Mapping[str, Any], name: str) -> list[str]:
    """What the card says of a readout that was trained on a data set: on whom it was shown, and what may be claimed."""
    about = training["data_sets"][name]
    found = HeldOutResult(**about["held_out"])
    lines = [
        f"trained on {found.subjects()}; {about['paper']}",
        f"a label says {about['labels_mean']}",
        f"protocol: {about['protocol']}",
        f"{'SIMULATED · ' if found.virtual else ''}{found.figure()}",
    ]
    for control in about["controls"].values():
        less = control["reader_minus_this"]
        lines.append(
            f"{control['title']}: {control['balanced_accuracy']['mean']:.2f}; reader minus control {less['mean']:+.2f} "
            f"(95 % CI {less['interval'][0]:+.2f} to {less['interval'][1]:+.2f})"
        )
    return [
        *lines,
        f"what may be claimed: {may_be_claimed(name, found)}",
        f"licence of the data: {about['licence']}; read it before you pass these weights on",
    ]


def page(card: Card) -> str:
    """The text of ``README.md``."""
    parts = [f"# {card.name}", "Weights of the Mood Reader, made by `train --dataset`."]
    for name, head in card.readouts.items():
        lines = "\n".join(f"- {line}" for line in claims(card.training, name))
        parts.append(f"## `{name}`: {' / '.join(head.labels)}\n\n{lines}")
    return "\n\n".join([*parts, PURPOSE]) + "\n"
