"""Turns the names files and devices use into 10-05 electrode names, and those into positions on the head.

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

import numpy as np

# Names that mean the same electrode. CB1/CB2 (SEED's cap) have no 10-05 place of their own and sit at PO9/PO10.
ALIASES = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8", "CB1": "PO9", "CB2": "PO10"}

# Thirty-two sites in an order whose every prefix is a sensible headset, then the rest of a 64-channel cap.
SPREAD = [
    "Fp1",
    "Fp2",
    "T7",
    "T8",
    "F3",
    "F4",
    "O1",
    "O2",
    "C3",
    "C4",
    "P3",
    "P4",
    "F7",
    "F8",
    "P7",
    "P8",
    "Fz",
    "Cz",
    "Pz",
    "Oz",
    "FC5",
    "FC6",
    "CP5",
    "CP6",
    "FC1",
    "FC2",
    "CP1",
    "CP2",
    "AF3",
    "AF4",
    "PO3",
    "PO4",
    "AF7",
    "AF8",
    "FT7",
    "FT8",
    "TP7",
    "TP8",
    "PO7",
    "PO8",
    "F5",
    "F6",
    "C5",
    "C6",
    "P5",
    "P6",
    "F1",
    "F2",
    "C1",
    "C2",
    "P1",
    "P2",
    "FC3",
    "FC4",
    "CP3",
    "CP4",
    "FCz",
    "CPz",
    "POz",
    "Fpz",
    "AFz",
    "FT9",
    "FT10",
    "Iz",
]


@cache
def positions() -> dict[str, tuple[float, float, float]]:
    """Every known electrode name and its unit vector."""
    with files("realtime_mood").joinpath("montage.csv").open() as f:
        return {row["name"]: (float(row["x"]), float(row["y"]), float(row["z"])) for row in csv.DictReader(f)}


@cache
def _by_lower_name() -> dict[str, str]:
    return {name.lower(): name for name in positions()} | {old.lower(): new for old, new in ALIASES.items()}


def canonical_name(label: str) -> str | None:
    """The 10-05 name behind `label` (``"EEG Fp1-REF"`` → ``"Fp1"``, ``"T3"`` → ``"T7"``), or None."""
    bare = re.sub(r"^\s*(EEG|E)[\s_:-]+", "", label, flags=re.IGNORECASE)
    bare = re.split(r"[\s_-]+", bare.strip().strip("."))[0].strip(".")
    return _by_lower_name().get(bare.lower())


def locate(ch_names: Sequence[str]) -> np.ndarray:
    """Unit vectors of electrodes: (n_chans, 3).

    Raises
    ------
    KeyError
        For a name that is not in the 10-05 system.
    """
    return np.array([positions()[name] for name in ch_names], np.float32).reshape(-1, 3)
