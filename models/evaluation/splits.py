"""Cross-validation splits in which no choice depends on the tested subjects.

Subjects are divided into groups. Each outer split leaves one group out, or with ``loso`` one subject. Every choice
(setting, temperature, threshold of `unsure`) is made on subjects of other groups, scored by models fitted neither to
them nor to the tested subjects: a *pair* split leaves two groups out, and its scores of one group serve the choices for
the other. Pairs form a ring, so that each group has the same number of partners and each pair is fitted once for both.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from realtime_mood.errors import ConfigError

from ..datasets.person import Person

PROTOCOLS = ("groups", "loso", "subject-clip", "sessions", "literature", "open-eeg-bench")


@dataclass(frozen=True)
class Split:
    """Training and held-out subjects, as indices."""

    name: str
    train: tuple[int, ...]
    left: tuple[int, ...]
    clips: tuple[tuple[str, ...], ...] = ()
    """Groups of stimuli, each scored by a model fitted neither to the held-out subjects nor to these stimuli."""

    @classmethod
    def without(cls, left: tuple[int, ...], name: str, n_subjects: int) -> Split:
        """The split that leaves these of `n_subjects` out."""
        return cls(name, tuple(i for i in range(n_subjects) if i not in left), left)


@dataclass(frozen=True)
class Fold:
    """One outer split, and the inner splits that its choices are based on."""

    split: Split
    inner: tuple[tuple[Split, tuple[int, ...]], ...]
    """Pair splits, each with the held-out subjects that are not the fold's own."""


def check_plan(protocol: str, n_folds: int) -> None:
    """Raise `ConfigError` where no subjects can be divided like this."""
    if protocol not in PROTOCOLS:
        raise ConfigError(f"protocol {protocol!r}", "unknown", f"use {' or '.join(PROTOCOLS)}")
    if n_folds < 3:
        raise ConfigError(f"{n_folds} groups of subjects", "no group is left for fitting", "use at least --folds 3")


def plan(
    n_subjects: int, protocol: str, n_folds: int, n_inner: int, seed: int, clips: tuple[tuple[str, ...], ...] = (),
    together: Sequence[Collection[int]] = (),
) -> list[Fold]:  # fmt: skip
    """Outer folds with their inner splits; `ConfigError` where the subjects cannot be divided like this.

    The protocol ``literature`` divides as ``loso`` (see `literature`). The protocol ``subject-clip`` leaves out groups
    of subjects (`n_folds` of them), and in addition each group of stimuli of `clips` in turn. `n_inner` is the minimum
    number of other groups on which the choices for a group are made, `seed` the random seed of the groups, and
    `together` subjects that may be the same person, to be kept on one side of every split.
    """
    check_plan(protocol, n_folds)
    if n_subjects < n_folds:
        raise ConfigError(f"{n_folds} groups", f"{n_subjects} subjects", "add subjects, or use fewer --folds")
    if not 1 <= n_inner < n_folds:
        raise ConfigError(f"{n_inner} inner groups", f"{n_folds - 1} other groups", "choose --inner between")
    groups = _groups(n_subjects, n_folds, seed, together)
    without = partial(Split.without, n_subjects=n_subjects)

    def pair(k: int, j: int) -> Split:
        a, b = sorted((k, j))
        return without(groups[a] + groups[b], f"groups {a} and {b}")

    reach = (n_inner + 1) // 2  # partners are the nearest groups on a ring, `n_inner` of them or one more
    folds = []
    for k, group in enumerate(groups):
        partners = sorted({(k + d) % n_folds for d in range(-reach, reach + 1)} - {k})
        inner = tuple((pair(k, j), groups[j]) for j in partners)
        if protocol in ("groups", "subject-clip"):
            split = replace(without(group, f"group {k}"), clips=clips if protocol == "subject-clip" else ())
            folds.append(Fold(split, inner))
        else:
            left = dict.fromkeys(next((tuple(sorted(t)) for t in together if i in t), (i,)) for i in group)
            folds += [Fold(without(subjects, f"person {subjects[0]}"), inner) for subjects in left]
    return folds


def _groups(n_subjects: int, n_folds: int, seed: int, together: Sequence[Collection[int]]) -> list[tuple[int, ...]]:
    """Random groups of subjects of about equal size; subjects that belong `together` are in the same group."""
    order = np.random.default_rng(seed).permutation(n_subjects)
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


def same_person(name: str) -> str:
    """Key of a subject's name: the seed of a simulated one, the number in EEGMAT, else the name in one spelling.

    Files, archives and readers of a set write it in upper or lower case, with spaces, underscores or hyphens.
    """
    if seed := re.match(r"virtual[-_ ](?:person[-_ ])?(\d+)", name, flags=re.IGNORECASE):
        return f"virtual-{int(seed[1])}"
    if subject := re.match(r"eegmat.*?-(?:subject)?(\d+)$", name, flags=re.IGNORECASE):
        return f"eegmat-{int(subject[1])}"
    return re.sub(r"[ _]+", "-", name.strip()).casefold()


def check_apart(
    subjects: Sequence[Person],
    folds: Iterable[Fold],
    seen: Mapping[str, Iterable[str]] | None = None,
    records: Mapping[str, Iterable[str]] | None = None,
) -> None:
    """Check that no subject is on both sides of a split, by name (seeds included) and by signal; else `ConfigError`.

    `seen` has all subjects an encoder was pre-trained on, name to SHA-256 of their records; `records` the SHA-256 of
    the whole records that subjects are parts of, by name.
    """
    seen, records = seen or {}, records or {}
    names = [{same_person(p.name)} for p in subjects]
    signals = [{p.sha256, *records.get(p.name, ())} for p in subjects]
    _check_apart("name", names, folds, {same_person(name) for name in seen})
    _check_apart("signal", signals, folds, {sha for hashes in seen.values() for sha in hashes})


def _check_apart(kind: str, keys: Sequence[set[str]], folds: Iterable[Fold], pretrained: set[str]) -> None:
    def refuse_common(a: Iterable[int], b: set[str], found: str) -> None:
        if both := keys_of(a) & b:
            raise ConfigError(
                f"test subjects that were not used before (by {kind}: {', '.join(sorted(both)[:5])})", found,
                "leave the copies out, or pre-train without the subjects to be tested",
            )  # fmt: skip

    def keys_of(subjects: Iterable[int]) -> set[str]:
        return set().union(*(keys[i] for i in subjects))

    for fold in folds:
        for split in (fold.split, *(split for split, _ in fold.inner)):
            refuse_common(split.train, keys_of(split.left), f"{split.name} has them on both sides")
        for split, chosen_on in fold.inner:
            found = f"{fold.split.name} is tested on subjects that its choices were based on"
            refuse_common((*split.train, *chosen_on), keys_of(fold.split.left), found)
    refuse_common(range(len(keys)), pretrained, "the encoder was pre-trained on them")
