"""Converts channel labels of files and devices into 10-05 electrode names, and those into positions on the head.

Positions are unit vectors from the centre of the sphere that best fits the template head of MNE's 10-05
montage (BSD-3-Clause): x to the right ear, y to the nose, z up. Stored in ``montage.csv`` so that neither
live use nor the network needs MNE.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

# Names that mean the same electrode. CB1/CB2 (SEED's cap) have no 10-05 position and are placed at PO9/PO10.
ALIASES = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8", "CB1": "PO9", "CB2": "PO10"}

# Thirty-two sites in an order in which every prefix is a sensible montage, then the rest of a 64-channel cap.
SPREAD = [
    "Fp1", "Fp2", "T7", "T8", "F3", "F4", "O1", "O2", "C3", "C4", "P3", "P4", "F7", "F8", "P7", "P8", "Fz", "Cz", "Pz",
    "Oz", "FC5", "FC6", "CP5", "CP6", "FC1", "FC2", "CP1", "CP2", "AF3", "AF4", "PO3", "PO4", "AF7", "AF8", "FT7",
    "FT8", "TP7", "TP8", "PO7", "PO8", "F5", "F6", "C5", "C6", "P5", "P6", "F1", "F2", "C1", "C2", "P1", "P2", "FC3",
    "FC4", "CP3", "CP4", "FCz", "CPz", "POz", "Fpz", "AFz", "FT9", "FT10", "Iz",
]  # fmt: skip

# What may stand before an electrode's name (POL: Nihon Kohden) and after it without changing what is meant.
_BEFORE = {"EEG", "E", "POL"}
_AFTER = {"EEG", "UV", "\N{MICRO SIGN}V".upper()}

REFERENCES = frozenset(
    "REF REF1 REF2 REFERENCE VREF AVGREF LE LER CLE AA AR AVG AV AVE AVR AVERAGE CAR CMS COMMON COM G2 ORG NOSE NZ"  # noqa: SIM905
    " A1 A2 A1A2 M1 M2 M1M2 LM LINKED EAR EARS MASTOID MASTOIDS".split()
)
"""Words that name a reference where they follow an electrode; any other electrode there makes it a derivation.

LE, CLE, Mitsar's AA: linked ears; LM: linked mastoids; AR, AV, CAR: the average; CMS: BioSemi's; G2: Micromed's;
ORG: Nihon Kohden's.
"""

_SEPARATORS = re.compile(r"[\s_:;,./\\|()\[\]+=–—−-]+")
_RUNNING_NUMBER = re.compile(r"-\d{1,2}$")  # MNE's, where a file holds one name twice


class Electrode(NamedTuple):
    """Name in the 10-05 system, and reference (``""`` where there is none), as read from a channel's label."""

    name: str
    reference: str


@cache
def positions() -> dict[str, tuple[float, float, float]]:
    """Every known electrode name and its unit vector."""
    with files("realtime_mood").joinpath("montage.csv").open() as f:
        return {row["name"]: (float(row["x"]), float(row["y"]), float(row["z"])) for row in csv.DictReader(f)}


@cache
def _by_lower_name() -> dict[str, str]:
    return {name.lower(): name for name in positions()} | {old.lower(): new for old, new in ALIASES.items()}


def label_words(label: str) -> list[str]:
    """The words of a label, without uninformative ones around a name (``"EEG Fp1-REF"`` → ``Fp1``, ``REF``)."""
    words = [word for word in _SEPARATORS.split(_RUNNING_NUMBER.sub("", label.strip())) if word]
    while len(words) > 1 and words[0].upper() in _BEFORE:
        words = words[1:]
    while len(words) > 1 and words[-1].upper() in _AFTER:
        words = words[:-1]
    return words


def electrode(label: str, reference: str = "") -> Electrode | None:
    """The electrode behind a label such as ``"EEG Fp1-REF"``, ``"T3"``, ``"Fc5."``, ``"C3-A2"``; None if unknown.

    `reference` counts as one beside those of `REFERENCES`: ``"F3-Cz"`` is F3 where it is ``"Cz"``.
    """
    name, *rest = label_words(label) or [""]
    site = _by_lower_name().get(name.lower())
    if len(rest) == 3 and rest[-1] == "2":  # (A1+A2)/2
        rest = rest[:-1]
    against = [word.upper() for word in rest]
    if site is None or not set(against) <= REFERENCES | {word.upper() for word in label_words(reference)}:
        return None
    between = "+" if all(word.lower() in _by_lower_name() for word in against) else " "
    return Electrode(site, between.join(against))


def derivation(label: str) -> tuple[str, str] | None:
    """The two electrodes whose difference a channel is (``"F3-C3"``), or None."""
    names = [_by_lower_name().get(word.lower()) for word in label_words(label)]
    first, second = names if len(names) == 2 else (None, None)
    return (first, second) if first and second and electrode(label) is None else None


def canonical_name(label: str) -> str | None:
    """The 10-05 name behind `label` (``"EEG Fp1-REF"`` → ``"Fp1"``, ``"T3"`` → ``"T7"``), or None."""
    found = electrode(label)
    return found.name if found else None


def locate(ch_names: Sequence[str]) -> np.ndarray:
    """Unit vectors of electrodes: (n_chans, 3). Raises `KeyError` for a name that is not in the 10-05 system."""
    return np.array([positions()[name] for name in ch_names], np.float32).reshape(-1, 3)
