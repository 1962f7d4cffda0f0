"""Turns the labels a source gives into the EEG channels to keep and their 10-05 names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ..errors import ConfigError, StreamMismatch
from ..montage import canonical_name
from .url import CommonOptions

EARS = {"A1", "A2", "M1", "M2"}
"""Reference sites: where they are recorded, they are no brain channel."""

_NOT_BRAIN = re.compile(
    r"(?<![A-Z])([HVLR]?EOG|ECG|EKG|EMG|GSR|EDA|RESP|PLETH|SPO2|PPG|TRIG|STATUS|STI|MARK|EVENT|ANNOT|ACC|GYRO"
    r"|MAG|TEMP|AUX|BATT|COUNT|TIME|REF|GND|CMS|DRL|PHOTO|LIGHT)"
)


def choose_channels(
    labels: Sequence[str], is_eeg: Sequence[bool], options: CommonOptions, asked: str
) -> tuple[list[int], tuple[str, ...]]:
    """Which columns to keep, and what they are called.

    Channels of another type, ears, and what is plainly no EEG by its label are left out without a word. A label that
    could be EEG but is not in the 10-05 system is never guessed at.

    Parameters
    ----------
    labels : sequence of str
        What the source calls its channels; ``""`` where it does not.
    is_eeg : sequence of bool
        Whether the source types them as EEG, or not at all.
    options : CommonOptions
        ``channels=`` names unlabelled channels in order, or picks from labelled ones; ``drop=`` leaves out.
    asked : str
        The source, for messages.

    Returns
    -------
    columns : list of int
    ch_names : tuple of str

    Raises
    ------
    ConfigError
        ``channels=`` holds a word that is no electrode name, or one twice.
    StreamMismatch
        The labels do not say which electrodes these are.
    """
    absent = [word for word in options.drop if not any(_is(label, word) for label in labels)]
    if absent:
        raise StreamMismatch(
            asked, f"drop={','.join(absent)}: its channels are {_listed(labels)}", "drop= one of those"
        )
    eeg = [i for i, typed in enumerate(is_eeg) if typed and not any(_is(labels[i], word) for word in options.drop)]
    # Caps that count their sockets A1, A2, A3, … have no ears there.
    numbered = {"A1", "A2"} if "A3" in labels else set()
    brain = [i for i in eeg if labels[i] in numbered or _may_be_brain(labels[i])]
    columns, names = (
        _asked_for(labels, eeg, brain, options, asked) if options.channels else _known(labels, brain, asked)
    )
    if not columns:
        raise StreamMismatch(
            asked, f"no EEG channel among {_listed(labels)}", "choose another source, or say channels=…"
        )
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        same = [labels[i] for i, name in zip(columns, names, strict=True) if name in twice]
        raise StreamMismatch(asked, f"{_listed(same)} are the same electrode", "leave all but one out with drop=")
    return columns, tuple(names)


def _asked_for(
    labels: Sequence[str], eeg: list[int], brain: list[int], options: CommonOptions, asked: str
) -> tuple[list[int], list[str]]:
    """Names for channels that have none, or a choice among those that have."""
    names = [canonical_name(word) for word in options.channels]
    wrong = [word for word, name in zip(options.channels, names, strict=True) if name is None]
    if wrong or len(set(names)) < len(names):
        raise ConfigError(asked, f"channels={','.join(wrong or options.channels)}", "give 10-05 names, each once")
    wanted = [name for name in names if name]
    where = {canonical_name(labels[i]): i for i in reversed(eeg)}
    if all(name in where for name in wanted):
        return [where[name] for name in wanted], wanted
    for columns in (eeg, brain):
        if len(columns) == len(wanted):
            return columns, wanted
    raise StreamMismatch(
        asked,
        f"channels= gives {len(wanted)} names, the source has {len(eeg)}: {_listed([labels[i] for i in eeg])}",
        "give one name for each of them, or drop= some",
    )


def _known(labels: Sequence[str], brain: list[int], asked: str) -> tuple[list[int], list[str]]:
    names = [canonical_name(labels[i]) for i in brain]
    names = [None if name in EARS else name for name in names]
    unknown = [labels[i] or "(no label)" for i, name in zip(brain, names, strict=True) if name is None]
    if unknown:
        raise StreamMismatch(
            asked,
            f"{len(unknown)} of {len(brain)} EEG channels have no 10-05 name: {_listed(unknown)}",
            f"leave them out with drop=, or name all {len(brain)} with channels=",
        )
    return brain, [name for name in names if name]


def _may_be_brain(label: str) -> bool:
    name = canonical_name(label)
    return name not in EARS if name else not _NOT_BRAIN.search(label.upper())


def _is(label: str, word: str) -> bool:
    name = canonical_name(word)
    return label.strip().lower() == word.lower() or (name is not None and canonical_name(label) == name)


def _listed(labels: Sequence[str]) -> str:
    shown = [label or "(no label)" for label in labels]
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")
