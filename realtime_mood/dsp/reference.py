"""Derivations: signals against another reference, made of the electrodes of a montage by a matrix.

They are for display and for measures; the network always gets the signal against the reference of its training data.

References
----------
1. B. Hjorth 1975, An on-line transformation of EEG scalp potentials into orthogonal source derivations,
   Electroencephalogr. Clin. Neurophysiol. 39:526-530: an electrode less the mean of the nearest around it, weighted by
   1 / distance.
2. J. N. Acharya et al. 2016, American Clinical Neurophysiology Society Guideline 3, J. Clin. Neurophysiol. 33:312-316:
   longitudinal bipolar montage.
3. M. Junghöfer et al. 1999, The polar average reference effect, Clin. Neurophysiol. 110:1149-1155: the average of few
   electrodes, which do not cover the head, is biased.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from ..errors import ConfigError
from ..montage import label_words, locate

Reference = Literal["recorded", "average", "ears", "bipolar", "laplacian"]
RECORDED: Reference = "recorded"
BETWEEN = "–"  # the two electrodes in the name of a bipolar derivation
LEAST_AVERAGED = 8  # fewer electrodes do not cover a head
EARS = (("A1", "A2"), ("M1", "M2"), ("TP9", "TP10"))  # TP9 and TP10 lie over the mastoids
LINKED = ({"LE"}, {"CLE"}, {"AA"}, {"LINKED"}, {"A1A2"}, {"M1M2"}, {"LM"}, {"A1", "A2"}, {"M1", "M2"})
"""Words of a stated reference that is the linked ears or mastoids."""
CHAINS = (
    "Fp1 F7 T7 P7 O1", "Fp1 F3 C3 P3 O1", "Fz Cz Pz", "Fp2 F4 C4 P4 O2", "Fp2 F8 T8 P8 O2",
)  # fmt: skip
NEIGHBOURS, MOST_NEIGHBOURS = 4, 6  # more than four, where these do not surround the electrode
ALIKE = 1.05  # neighbours whose distances differ by less than this factor count together, so that left and right agree
FARTHEST = 1.1  # angle to a neighbour, seen from the centre of the head (rad): a little more than to the next of 10-20
WIDEST = np.radians(150)  # between two neighbours, seen from the electrode: beyond it, one side has none


class Derivation(NamedTuple):
    """How to make signals (n_out,) of electrodes (n_chans,): ``matrix @ electrodes``."""

    names: tuple[str, ...]
    matrix: np.ndarray  # (n_out, n_chans)
    of: tuple[tuple[int, ...], ...]  # the electrodes that each is named after
    against: tuple[str, ...] = ()  # the electrodes that are the reference, where these are the same for all

    def __call__(self, data: np.ndarray) -> np.ndarray:
        """Signals (n_times, n_out) of `data` (n_times, n_chans); NaN where an electrode that they rest on is NaN."""
        unknown = np.isnan(data)
        made = np.where(unknown, 0, data) @ self.matrix.T
        if unknown.any():
            made[(unknown.astype(np.float32) @ (self.matrix.T != 0)) > 0] = np.nan
        return np.asarray(made)


def derive(kind: Reference, ch_names: Sequence[str], reference: str = "", left_out: Collection[str] = ()) -> Derivation:
    """The derivation of a montage; raises `ConfigError` where it has not the electrodes for it.

    `reference` is that of the recording. Electrodes `left_out` are neither averaged nor neighbours; their own signals
    are there all the same.
    """
    usable = np.array([name not in left_out for name in ch_names], bool)
    match kind:
        case "average":
            return _average(ch_names, usable)
        case "ears":
            return _ears(ch_names, reference, left_out)
        case "bipolar":
            return _bipolar(ch_names)
        case "laplacian":
            return _laplacian(ch_names, usable)
    return _each(ch_names, np.eye(len(ch_names)))


def rows_of(names: Sequence[str], kind: Reference, ch_names: Sequence[str], reference: str = "") -> np.ndarray:
    """Weights (n_names, n_chans) of the signal of each electrode, or of each difference (``"F3–C3"``), among `names`.

    Raises `ConfigError` where the montage cannot give one; all electrodes named are there.
    """
    made = derive(kind, ch_names, reference)
    at = {name: i for i, name in enumerate(ch_names)}
    rows = np.zeros((len(names), len(ch_names)))
    for row, name in zip(rows, names, strict=True):
        first, _, second = name.partition(BETWEEN)
        if second:
            row[at[first]], row[at[second]] = 1, -1
        elif name in made.names:
            row[:] = made.matrix[made.names.index(name)]
        else:
            raise ConfigError(f"{kind} of {name}", "it has no neighbours on all sides", "use another electrode")
    return rows


def _each(ch_names: Sequence[str], matrix: np.ndarray, against: tuple[str, ...] = ()) -> Derivation:
    return Derivation(tuple(ch_names), matrix, tuple((i,) for i in range(len(ch_names))), against)


def _average(ch_names: Sequence[str], usable: np.ndarray) -> Derivation:
    if usable.sum() < LEAST_AVERAGED:
        found = f"{usable.sum()} electrodes, whose mean is no reference: it is much of each"
        raise ConfigError("average reference", found, f"use {LEAST_AVERAGED} or more, or the reference as recorded")
    return _each(ch_names, np.eye(len(ch_names)) - usable / usable.sum())


def _ears(ch_names: Sequence[str], reference: str, left_out: Collection[str]) -> Derivation:
    if {word.upper() for word in label_words(reference)} in LINKED:
        return _each(ch_names, np.eye(len(ch_names)), (reference,))
    there = set(ch_names) - set(left_out)
    pair = next((pair for pair in EARS if there.issuperset(pair)), None)
    if pair is None:
        found = "neither A1 and A2, M1 and M2, nor TP9 and TP10 are there"
        raise ConfigError("linked ears", found, "add them with channels=, or use the average")
    return _each(ch_names, np.eye(len(ch_names)) - np.isin(ch_names, pair) / 2, pair)


def _bipolar(ch_names: Sequence[str]) -> Derivation:
    at = {name: i for i, name in enumerate(ch_names)}
    pairs = [(at[a], at[b]) for chain in CHAINS for a, b in pairwise(chain.split()) if a in at and b in at]
    if not pairs:
        found = "no two electrodes that follow each other from front to back"
        raise ConfigError("bipolar derivations", found, "use the reference as recorded")
    matrix = np.zeros((len(pairs), len(ch_names)))
    for row, (first, second) in zip(matrix, pairs, strict=True):
        row[first], row[second] = 1, -1
    return Derivation(tuple(f"{ch_names[i]}{BETWEEN}{ch_names[j]}" for i, j in pairs), matrix, tuple(pairs))


def _laplacian(ch_names: Sequence[str], usable: np.ndarray) -> Derivation:
    where = locate(ch_names).astype(np.float64)
    angles = np.arccos(np.clip(where @ where.T, -1, 1))
    rows, kept = [], []
    for i, name in enumerate(ch_names):
        near = _neighbours(i, where, angles[i], usable)
        if not near:
            continue
        row = np.zeros(len(ch_names))
        row[near] = -1 / angles[i, near]
        row /= -row.sum()
        row[i] = 1
        rows.append(row)
        kept.append((name, i))
    if not rows:
        found = "no electrode has neighbours on all sides"
        raise ConfigError("Laplacian", found, "use a cap with more electrodes, or the average")
    return Derivation(tuple(name for name, _ in kept), np.array(rows), tuple((i,) for _, i in kept))


def _neighbours(i: int, where: np.ndarray, angles: np.ndarray, usable: np.ndarray) -> list[int]:
    """The nearest electrodes that surround electrode `i`; none where one side has none."""
    at = where[i]
    right = np.cross(at, np.eye(3)[np.argmin(np.abs(at))])  # two axes of the plane that touches the head there
    direction = np.arctan2(where @ np.cross(at, right), where @ right)
    near = [j for j in np.argsort(angles, kind="stable").tolist() if j != i and usable[j] and angles[j] <= FARTHEST]
    for n in range(NEIGHBOURS, min(len(near), MOST_NEIGHBOURS) + 1):
        around = np.sort(direction[near[:n]])
        surrounded = np.diff(around, append=around[0] + 2 * np.pi).max() <= WIDEST
        if surrounded and (n == len(near) or angles[near[n]] > ALIKE * angles[near[n - 1]]):
            return near[:n]
    return []
