"""Cross-validation splits in which no choice depends on the tested subjects.

Subjects are divided into groups. Each outer split leaves one group out, or with ``loso`` one subject. Every choice
(settings, temperature, threshold of unsure) is made on subjects of other groups, scored by models that saw neither them
nor the subjects to be tested: a *pair* split leaves two groups out, and its scores of one group serve the choices for
the other. Pairs form a ring, so that each group has the same number of partners and each pair is fitted once for both.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from realtime_mood.errors import ConfigError

from ..datasets.person import Person

PROTOCOLS = ("groups", "loso", "subject-clip", "literature", "open-eeg-bench")


@dataclass(frozen=True)
class Split:
    """Training and held-out subjects, as indices."""

    name: str
    train: tuple[int, ...]
    left: tuple[int, ...]
    clips: tuple[tuple[str, ...], ...] = ()
    """Groups of stimuli: each is scored by a model that saw neither the held-out subjects nor these stimuli."""


@dataclass(frozen=True)
class Fold:
    """One outer split, and the inner splits that its choices are based on."""

    split: Split
    inner: tuple[tuple[Split, tuple[int, ...]], ...]
    """Pair splits, with those of their held-out subjects that may be used: never the fold's own."""


def plan(
    n_people: int,
    protocol: str,
    n_folds: int,
    n_inner: int,
    seed: int,
    clips: tuple[tuple[str, ...], ...] = (),
    together: Sequence[Collection[int]] = (),
) -> list[Fold]:
    """Outer folds with their inner splits.

    Parameters
    ----------
    n_people : int
    protocol : {"groups", "loso", "subject-clip", "literature"}
        ``subject-clip`` leaves out groups of subjects, and with them one group of `clips` after the other;
        ``literature`` leaves out one subject.
    n_folds : int
        Groups of subjects.
    n_inner : int
        Other groups on which the choices for a group are made, at least.
    seed : int
        Random seed of the groups.
    clips : tuple of tuple of str
        Groups of stimuli.
    together : sequence of collections of int
        Subjects that may be the same person: they stay on one side of every split.
    """
    if protocol not in PROTOCOLS:
        raise ConfigError(f"protocol {protocol!r}", "unknown", f"use {' or '.join(PROTOCOLS)}")
    if n_folds < 3:
        raise ConfigError(f"{n_folds} groups of subjects", "no group is left for fitting",
                          "use at least --folds 3")  # fmt: skip
    if n_people < n_folds:
        raise ConfigError(f"{n_folds} groups of subjects", f"{n_people} subjects", "add subjects, or use fewer --folds")
    if not 1 <= n_inner < n_folds:
        raise ConfigError(f"{n_inner} inner groups", f"{n_folds - 1} other groups", "choose --inner between")
    groups = _groups(n_people, n_folds, seed, together)
    partners = _ring(n_folds, n_inner)
    folds = []
    for k, group in enumerate(groups):
        inner = tuple((_pair(groups, n_people, k, j), groups[j]) for j in partners[k])
        if protocol in ("groups", "subject-clip"):
            split = _leaving(n_people, group, f"group {k}")
            folds.append(Fold(replace(split, clips=clips) if protocol == "subject-clip" else split, inner))
        else:
            mine = {i: next((tuple(sorted(t)) for t in together if i in t), (i,)) for i in group}
            folds += [
                Fold(_leaving(n_people, left, f"person {left[0]}"), inner) for left in dict.fromkeys(mine.values())
            ]
    return folds


def _groups(n_people: int, n_folds: int, seed: int, together: Sequence[Collection[int]]) -> list[tuple[int, ...]]:
    """Random groups of subjects, about equally large; those that belong `together` are in the same."""
    order = np.random.default_rng(seed).permutation(n_people)
    groups = [[int(i) for i in part] for part in np.array_split(order, n_folds)]
    for same in together:
        first = min(same)
        for group in groups:
            group[:] = [i for i in group if i == first or i not in same]
        next(group for group in groups if first in group).extend(sorted(set(same) - {first}))
    if empty := sum(not group for group in groups):
        raise ConfigError(
            f"{n_folds} groups of subjects", f"{empty} are empty when the same recordings are kept together",
            "use fewer --folds, or leave the copies out",
        )  # fmt: skip
    return [tuple(sorted(group)) for group in groups]


def _leaving(n_people: int, left: Sequence[int], name: str) -> Split:
    return Split(name, tuple(i for i in range(n_people) if i not in left), tuple(left))


def _pair(groups: Sequence[tuple[int, ...]], n_people: int, k: int, j: int) -> Split:
    a, b = sorted((k, j))
    return _leaving(n_people, groups[a] + groups[b], f"groups {a} and {b}")


def _ring(n: int, degree: int) -> list[list[int]]:
    """For each of `n` groups its partners: the nearest on a ring, `degree` of them (or one more)."""
    reach = (degree + 1) // 2
    return [sorted({(k + d) % n for d in range(-reach, reach + 1)} - {k}) for k in range(n)]


def same_person(name: str) -> str:
    """Key of a subject's name: the seed of a simulated one, the number in EEGMAT, else its letters."""
    if seed := re.match(r"virtual[-_ ](?:person[-_ ])?(\d+)", name, flags=re.IGNORECASE):
        return f"virtual-{int(seed[1])}"
    if subject := re.match(r"eegmat.*?-(?:subject)?(\d+)$", name, flags=re.IGNORECASE):
        return f"eegmat-{int(subject[1])}"
    return name.casefold()


def check_apart(
    people: Sequence[Person],
    folds: Iterable[Fold],
    seen: Mapping[str, Iterable[str]] | None = None,
    records: Mapping[str, Iterable[str]] | None = None,
) -> None:
    """Check that no subject is on both sides of a split, by name (seeds included) and by signal.

    Parameters
    ----------
    people : sequence of Person
    folds : iterable of Fold
    seen : mapping of str to str, optional
        All subjects an encoder was pre-trained on: name, and SHA-256 of their records.
    records : mapping of str to str, optional
        SHA-256 of the whole records behind subjects, by name: a subject may be made of parts of them.

    Raises
    ------
    ConfigError
    """
    records = records or {}
    keys = {
        "name": [{same_person(p.name)} for p in people],
        "signal": [{p.sha256, *records.get(p.name, ())} for p in people],
    }
    for what, of in keys.items():

        def known(who: Iterable[int], of: Sequence[set[str]] = of) -> set[str]:
            return set().union(*(of[i] for i in who))

        for fold in folds:
            tested = known(fold.split.left)
            for split in (fold.split, *(split for split, _ in fold.inner)):
                if both := known(split.train) & known(split.left):
                    _refuse(what, both, f"{split.name} has them on both sides")
            for split, chosen_on in fold.inner:
                if both := tested & known((*split.train, *chosen_on)):
                    _refuse(what, both, f"{fold.split.name} is tested on subjects that its choices were based on")
        theirs = {same_person(name) for name in seen or {}}
        theirs |= {sha for hashes in (seen or {}).values() for sha in hashes}
        if both := known(range(len(people))) & theirs:
            _refuse(what, both, "the encoder was pre-trained on them")


def _refuse(what: str, both: set[str], found: str) -> None:
    some = ", ".join(sorted(both)[:5])
    raise ConfigError(
        f"test subjects that were not used before (by {what}: {some})", found,
        "leave the copies out, or pre-train without the subjects to be tested",
    )  # fmt: skip
