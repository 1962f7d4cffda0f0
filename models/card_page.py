"""The model card in words: on whom a readout was shown, what may be claimed, and the licence of the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from realtime_mood.readout import HeldOutResult

from .card import Card

PURPOSE = (
    "Not for diagnosis or treatment, and not for judging people at work or in school, where the EU AI Act forbids "
    "emotion inference. For research, art and self-observation, with consent."
)


SHIPPED = {
    "effort": "in subjects of EEGMAT with a minute of their own rest, it tells a recording of mental arithmetic from "
    "earlier rest; not that it reads effort: rest always came first, and the distance from that minute alone, or "
    "electrodes over muscles and eyes, do as well",
}
"""What may be claimed of readouts of the weights that come with the program (docs/evaluation.md)."""
OURS = "reader-"
"""Names of these weights begin so."""
SEEN_STIMULI = "not for stimuli that the training subjects did not see"
NOT_TESTED = (
    SEEN_STIMULI,
    "not that it reads the brain: training compares with no muscles and eyes, `evaluate` does",
)
"""Limits of every readout that `train --dataset` made."""


def not_felt(labels_mean: str) -> list[str]:
    """The limit of labels that are not the subjects' own reports."""
    return [] if "felt" in labels_mean else ["not what subjects felt: a label says " + labels_mean]


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
        f"what may be claimed: {may_be_claimed(name, found, [*not_felt(about['labels_mean']), *NOT_TESTED])}",
        "licence of the data: none, they were simulated"
        if found.virtual
        else f"licence of the data: {about['licence']}; read it before you pass these weights on",
    ]


def lines_of(card: Card, name: str) -> list[str]:
    """What is known of a readout: training, figures, what may be claimed, licence; details begin with two spaces."""
    if card.held_out(name):
        return [*claims(card.training, name), familiarity(card, name)]
    source, virtual = card.training.get("sources", {}).get(name, "unknown"), card.readouts[name].evidence == "virtual"
    may, licence = "no more than these figures", f"as its source states: {source}"
    if virtual:
        may, licence = "nothing about real people: the data were simulated", "none: the data were simulated"
    elif card.name.startswith(OURS):
        may = SHIPPED.get(name, may)
    return [
        f"trained on {'simulated' if virtual else 'real'} subjects: {source}",
        f"figures of {card.training.get('figures_are_of', 'unknown protocol')}:",
        *_figures(card.training.get("figures", {}).get(name, {})),
        f"what may be claimed: {may}",
        f"licence of the data: {licence}",
        familiarity(card, name),
    ]


def familiarity(card: Card, name: str) -> str:
    """Whether a readout knows which signals are unlike those of its training, and how often it is wrong about that."""
    device, shares = card.readouts[name].device, card.training.get("figures", {}).get(name, {}).get("unfamiliar")
    if device is None or not shares:
        return "unfamiliar signals: not measured; these weights estimate whatever they are given"
    words = ", ".join(f"{100 * share:.1f} % ({key})" for key, share in shares.items())
    sites = len(device.sites.names)
    return f"unfamiliar signals get no estimate: of readings of held-out subjects {words}; {sites} sites are known"


def _figures(found: Mapping[str, object]) -> Iterator[str]:
    for key, value in found.items():
        if key == "unfamiliar":
            continue  # see `familiarity`
        words = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, Mapping) else value
        yield f"  {'subjects' if key == 'people' else key}: {words}".replace("_", " ")


def page(card: Card) -> str:
    """The text of ``README.md``."""
    parts = [f"# {card.name}", "Weights of the Mood Reader, made by `train --dataset`."]
    for name, head in card.readouts.items():
        lines = "\n".join(f"- {line}" for line in lines_of(card, name))
        parts.append(f"## `{name}`: {' / '.join(head.labels)}\n\n{lines}")
    return "\n\n".join([*parts, PURPOSE]) + "\n"
