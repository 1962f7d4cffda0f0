"""Selection of EEG channels by a source's labels: their 10-05 names and their reference."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from ..errors import ConfigError, StreamMismatch
from ..montage import REFERENCES, canonical_name, derivation, electrode, label_words
from .units import UNSTATED, is_other_quantity
from .url import SKIP, CommonOptions, pasted

EARS = {"A1", "A2", "M1", "M2"}  # reference sites: where they are recorded, they are not EEG channels

_NOT_BRAIN = re.compile(
    r"\d*([A-Z]?EOG|ECG|EKG|[LR]?EMG|GSR|EDA|RESP|BREATH|PLETH|S[AP]O2|PPG|OXI|SATUR|PULSE|HEART|D?TRIG|TRG|STATUS|STI"
    r"|MARK|EVENT|ANNOT|ACC|GYR|MAG|QUAT|TEMP|AUX|BATT|COUNT|TIME|SYNC|REF|GND|GROUND|CMS|DRL|PHOT|LIGHT|INTERPOL"
    r"|HARDWARE|IMPED|QUALIT|CONTACT|PACKET|INDEX|VALID|THOR|ABD|CHEST|NASAL|AIRFLOW|FLOW|SNOR|SOUND|[CLR]?CHIN"
    r"|[LR]?(LEG|ARM)|TIBIA|POSITION|PLM|EFFORT|PRESSURE"
    r"|([HV]EO[LRUD]?|[LSI]O[12]|[LR]?[HV]?EYE|LOC|ROC|POS|HR|PR|OX|AIR|(ET)?CO2|DC\d*|DIG|DIN\d*|CQ|EQ|POW|MOT"
    r"|DELTA|THETA|ALPHA|BETA|GAMMA)$)"
)
"""Words of labels that are not EEG, by their beginning or as a whole."""
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SOCKET = re.compile(r"[A-H]\d{1,2}")
SHOWN = 12  # number of labels shown in a message


class ChannelChoice(NamedTuple):
    """The channels to read from a source."""

    columns: list[int]
    ch_names: tuple[str, ...]
    reference: str  # from ``reference=``, the source, or the labels of its channels; ``"unknown"`` where none states it
    notes: tuple[str, ...]


def choose_channels(
    labels: Sequence[str],
    is_eeg: Sequence[bool],
    options: CommonOptions,
    asked: str,
    *,
    reference: str = "",
    units: Sequence[str] = (),
) -> ChannelChoice:
    """Choose the columns to keep, their names and their reference.

    Channels of another type, ears, and channels that are clearly not EEG by label or unit are left out. A label that
    could be EEG but is not in the 10-05 system is never guessed, and a derivation (``F3-C3``) is not an electrode.

    `labels` and `units` are as the source writes them, ``""`` where it states none; `is_eeg` is True for channels of
    type EEG or without a type; `reference` is the source's for the whole stream; `asked` is the source, for messages.
    Of the `options`, ``channels=`` names unlabelled channels in order (``-`` leaves one out), or picks from labelled
    ones; ``drop=`` leaves out; ``reference=`` overrides. Raises `ConfigError` where ``channels=`` contains a word that
    is not an electrode name, or one twice; `StreamMismatch` where the labels do not identify the electrodes.
    """
    found = _Labels(labels, options, asked)
    dropped, notes = found.dropped()
    other = [is_other_quantity(unit) for unit in units] or [False] * len(labels)
    eeg = [i for i, typed in enumerate(is_eeg) if typed and i not in dropped and not other[i]]
    brain = [i for i in eeg if found.may_be_brain(i)]
    if options.channels:
        untyped = eeg or [i for i in range(len(labels)) if i not in dropped]
        columns, names, renamed = found.asked_for(untyped, brain)
    else:
        columns, names, renamed = *found.known(brain), []
    if not columns:
        problem = f"no EEG channel among {_listed(labels)}"
        raise StreamMismatch(asked, problem, "choose another source, or give channels=…")
    found.check_each_once(columns, names)
    beside = [i for i, typed in enumerate(is_eeg) if typed and i not in dropped and i not in columns]
    if doubtful := [labels[i] for i in beside if not options.channels and found.names_electrode(i)]:
        notes.append(f"left out as not EEG: {_listed(doubtful)}")
    against, odd = found.reference(columns, reference)
    return ChannelChoice(columns, tuple(names), against, (*notes, *renamed, *odd))


def check_count(
    channels: Sequence[tuple[str, str, str]], n_chans: int, options: CommonOptions, asked: str
) -> list[tuple[str, str, str]]:
    """The (label, unit, type) of each of `n_chans` channels; ``""`` where the source describes none.

    Raises `StreamMismatch` where it describes another number of channels than it sends, and ``channels=`` does not name
    them all: labels cannot be assigned to columns.
    """
    if len(channels) == n_chans:
        return list(channels)
    if channels and len(options.channels) != n_chans:
        found = (
            f"it describes {len(channels)} channels and sends {n_chans}: {_listed([name for name, _, _ in channels])}"
        )
        raise StreamMismatch(asked, found, _name_all(n_chans))
    units = {unit for label, unit, _ in channels if electrode(label)}
    return [("", units.pop() if len(units) == 1 else "", "")] * n_chans


class _Labels:
    """The labels of one source, interpreted with its options."""

    def __init__(self, labels: Sequence[str], options: CommonOptions, asked: str) -> None:
        self._labels, self._options, self._asked = labels, options, asked
        # In caps whose sockets are numbered A1, A2, A3, …, these are not ears, and C3 or F4 are not those electrodes.
        self._sockets = {label for label in labels if _SOCKET.fullmatch(label)} if "A3" in labels else set[str]()
        known = [None if label in self._sockets else electrode(label, options.reference or "") for label in labels]
        self._names = [found.name if found else "" for found in known]
        self._references = [found.reference if found else "" for found in known]

    def dropped(self) -> tuple[set[int], list[str]]:
        """The columns that ``drop=`` leaves out, and notes."""
        columns = {word: self._columns_of(word) for word in self._options.drop}
        absent = ",".join(word for word, found in columns.items() if not found)
        if absent and self._options.drop_must_exist:
            problem = f"drop={absent}: its channels are {_listed(self._labels)}"
            raise StreamMismatch(self._asked, problem, "drop= one of those")
        return set(chain(*columns.values())), [f"drop={absent}: it has no such channel"] if absent else []

    def _columns_of(self, word: str) -> list[int]:
        """The columns with that label; where there is none, with that electrode."""
        exact = [i for i, label in enumerate(self._labels) if label.strip().lower() == word.lower()]
        return exact or [i for i, name in enumerate(self._names) if name and name == canonical_name(word)]

    def may_be_brain(self, i: int) -> bool:
        """Whether a channel of type EEG, or without a type, is neither an ear nor clearly something else."""
        name, label = self._names[i], self._labels[i]
        return name not in EARS if name else label in self._sockets or not _is_other(label)

    def names_electrode(self, i: int) -> bool:
        """Whether a label names an electrode of the brain, alone or among other words (``"Pz EOG"``)."""
        names = {self._names[i]} if self._names[i] else set(map(canonical_name, label_words(self._labels[i])))
        return bool(names - EARS - {None})

    def asked_for(self, eeg: list[int], brain: list[int]) -> tuple[list[int], list[str], list[str]]:
        """Columns and names by ``channels=``, which names unlabelled channels or picks from labelled ones."""
        words, asked = self._options.channels, self._asked
        names = ["" if word == SKIP else canonical_name(word) for word in words]
        wrong = [word for word, name in zip(words, names, strict=True) if name is None]
        wanted = [name for name in names if name]
        if wrong or not wanted or len(set(wanted)) < len(wanted):
            raise ConfigError(asked, f"channels={','.join(wrong or words)}", "give 10-05 names, each once")
        where = {name: [i for i in eeg if self._names[i] == name] for name in wanted}
        if SKIP not in words and all(where.values()):
            return list(chain(*where.values())), [name for name, columns in where.items() for _ in columns], []
        for columns in (eeg, brain):
            if len(columns) == len(words):
                named = [(i, name) for i, name in zip(columns, names, strict=True) if name]
                return [i for i, _ in named], wanted, self._renamed(named)
        found = f"channels= gives {len(words)} names, the source has {len(eeg)}: {self._shown(eeg)}"
        raise StreamMismatch(asked, found, f"give one name for each of them, {SKIP} for one to leave out")

    def _shown(self, columns: list[int]) -> str:
        return _listed([self._labels[i] for i in columns])

    def _renamed(self, named: list[tuple[int, str]]) -> list[str]:
        """Notes where ``channels=`` contradicts the labels."""
        labels = [(self._labels[i], self._names[i] not in ("", name), name) for i, name in named]
        others = [f"{label} as {name}" for label, is_other, name in labels if is_other or derivation(label)]
        return [f"channels= reads {_listed(others)}"] if others else []

    def known(self, brain: list[int]) -> tuple[list[int], list[str]]:
        """The electrodes among `brain`; raises `StreamMismatch` where one of them is not an electrode."""
        unknown = [i for i in brain if not self._names[i]]
        if not unknown:
            return brain, [self._names[i] for i in brain]
        derived = [pair for i in unknown if (pair := derivation(self._labels[i]))]
        what = "are derivations, not electrodes" if len(derived) == len(unknown) else "have no 10-05 name"
        problem = f"{len(unknown)} of {len(brain)} EEG channels {what}: {self._shown(unknown)}"
        raise StreamMismatch(self._asked, problem, self._way_out(brain, unknown, derived))

    def _way_out(self, brain: list[int], unknown: list[int], derived: list[tuple[str, str]]) -> str:
        """Options that make the rest playable, for the message."""
        names = [self._names[i] for i in brain if self._names[i]]
        labels = [self._labels[i].strip() for i in unknown]
        once = len(set(names)) == len(names)
        if names and (once or all(labels)):
            drop, pick = pasted("drop", [*self._options.drop, *dict.fromkeys(labels)]), pasted("channels", names)
            by_drop = all(labels) and (len(labels) <= SHOWN or len(drop) <= len(pick) or not once)
            play = f"leave them out with {drop}" if by_drop else f"play the others with {pick}"
            return f"{play}, or name all {len(brain)} with channels=…"
        firsts, seconds = [first for first, _ in derived], {second for _, second in derived}
        if len(firsts) < len(unknown) or EARS.issuperset(firsts):
            return _name_all(len(brain))
        if len(seconds) == 1 and len(set(firsts)) == len(firsts) > 1:
            return f"if {seconds.pop()} is the reference of all, give {pasted('reference', [derived[0][1]])}"
        each = [SKIP if name in EARS or name in firsts[:k] else name for k, name in enumerate(firsts)]
        return f"to read each as its first electrode anyway, give {pasted('channels', each)}"

    def check_each_once(self, columns: list[int], names: list[str]) -> None:
        """Raise `StreamMismatch` where two columns are one electrode."""
        twice = {name for name, n in Counter(names).items() if n > 1}
        if not twice:
            return
        same = [self._labels[i] for i, name in zip(columns, names, strict=True) if name in twice]
        more = [self._labels[i] for k, i in enumerate(columns) if names[k] in names[:k]]
        if len(set(same)) == len(same):
            do = f"leave all but one out with {pasted('drop', [*self._options.drop, *more])}"
        else:
            do = _name_all("channels")
        raise StreamMismatch(self._asked, f"{_listed(same)} are the same electrode", do)

    def reference(self, columns: list[int], stated: str) -> tuple[str, list[str]]:
        """The reference of the chosen columns, and notes."""
        if self._options.reference:
            return self._options.reference, []
        stated = "" if stated.strip().lower() in UNSTATED else stated.strip()
        found = sorted({self._references[i] for i in columns})
        named = "/".join(filter(None, found))
        notes = []
        if len(found) > 1:
            notes.append(f"its channels have different references: {', '.join(name or 'unstated' for name in found)}")
        if stated and not {"", stated.upper(), "REF"}.issuperset(found):
            notes.append(f"its reference is {stated}, by its channels {named}")
        return stated or named or "unknown", notes


def _is_other(label: str) -> bool:
    """Whether a label that is not an electrode is clearly not EEG."""
    name, *rest = [word.upper() for word in label_words(label)] or [""]
    if name in ("E1", "E2") and rest and set(rest) <= EARS:  # the eyes of sleep recordings
        return True
    for text in (label, _HUMPS.sub(" ", label)):  # HardwareMarker is two words, SpO2 is one
        first, *rest = [word.upper() for word in label_words(text)] or [""]
        if any(_NOT_BRAIN.match(word) for word in (first, *(word for word in rest if word not in REFERENCES))):
            return True
    return False


def _name_all(channels: int | str) -> str:
    return f"name all {channels} with channels=…, in order, {SKIP} for one to leave out"


def _listed(labels: Sequence[str]) -> str:
    shown = [label or "(no label)" for label in labels]
    return ", ".join(shown[:SHOWN]) + (f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else "")
