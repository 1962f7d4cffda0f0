"""Simulated subjects to evaluate on, and the channels that subjects share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, ProfileError
from realtime_mood.sources.synthetic.person import VirtualPerson
from realtime_mood.types import StreamInfo

from ..datasets import virtual
from ..datasets.person import Person, person, signal_sha256
from ..datasets.recordings import find
from ..executor import Executor
from ..pretraining.encoder import load_encoder
from .contexts import BASELINE_S, scored_seconds
from .splits import same_person

TEN_TWENTY = (
    "Fp1", "Fp2", "F3", "F4", "F7", "F8", "T7", "T8", "C3", "C4", "P7", "P8", "P3", "P4", "O1", "O2", "Fz", "Cz", "Pz",
)  # fmt: skip
CHANNEL_SETS = {
    "19": TEN_TWENTY,
    "8": ("F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2"),
    "4": ("Fp1", "Fp2", "T7", "T8"),
    "muscle": ("Fp1", "Fp2", "F7", "F8", "T7", "T8"),
}
DATASETS = {"effort": "eegmat", "emotion3": "virtual"}
"""The data set of each readout of the shipped weights, where none is named."""
WITH_EYES = "virtual-eyes"
"""The simulated subjects of ``virtual`` with an eye tracker."""
VIRTUAL = ("virtual", WITH_EYES)
FIRST_SEED = 50_000  # simulated subjects of evaluation; those below 10,000 are for training and pre-training


def load(
    readout: str, dataset: str, track: str, n: int, spec: FeatureSpec, executor: Executor
) -> tuple[list[Person], tuple[str, ...]]:
    """`n` simulated subjects, with an eye tracker if `dataset` is `WITH_EYES`, and their labels.

    Raises `ConfigError` for a readout that they do not have, or where a subject occurs twice.
    """
    if readout != "emotion3":
        raise ConfigError(f"readout {readout!r} on {dataset!r}", "it has other labels", "use emotion3")
    subjects = _virtual(n, (BASELINE_S[track], spec, dataset == WITH_EYES), executor)
    check_subjects(subjects, virtual.LABELS, track, spec)
    return subjects, virtual.LABELS


def records_behind(subjects: Sequence[Person], data: Path | None) -> dict[str, list[str]]:
    """SHA-256 of the whole records of an archive that subjects are parts of, by subject."""
    records: dict[str, list[str]] = {}
    if subjects[0].name.startswith("eegmat-") and data:
        archives = sorted(data.glob("eegmat*.npz")) if data.is_dir() else [data]
        names = {same_person(p.name): p.name for p in reversed(subjects)}
        for job in (job for path in archives for job in find([str(path)], with_eegmat=True)[0]):
            key = same_person(job.subject)
            records.setdefault(names.get(key, key), []).extend(signal_sha256(piece) for piece in job.read().pieces)
    return records


def records_seen(encoder: Path | None) -> dict[str, list[str]]:
    """All subjects an encoder was pre-trained on: name, and SHA-256 of their records."""
    if encoder is None:
        return {}
    try:
        card = load_encoder(encoder)[1]
        records = {str(name): [str(sha) for sha in hashes] for name, hashes in card["records_sha256"].items()}
        return {f"virtual-{int(seed)}": [] for seed in card["virtual_seeds"]} | records
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"encoder {encoder}", f"the list of its training subjects cannot be read: {error}", "pre-train it again"
        ) from None


def _virtual(n: int, common: tuple[int, FeatureSpec, bool], executor: Executor) -> list[Person]:
    made = dict(executor.run(_virtual_person, range(FIRST_SEED, FIRST_SEED + n), common))
    return list(with_baseline((made[i] for i in range(n)), common[1]))


def _virtual_person(common: tuple[int, FeatureSpec, bool], seed: int) -> Person:
    baseline_s, spec, eyes = common
    return virtual_person(seed, baseline_s, spec, eyes=eyes)


def with_baseline(subjects: Iterable[Person], spec: FeatureSpec) -> Iterator[Person]:
    """Subjects whose rest is sufficient for a profile: simulated electrodes can fail like real ones."""
    for p in subjects:
        with contextlib.suppress(ProfileError):
            p.profile(spec)
            yield p


def virtual_person(
    seed: int, baseline_s: int, spec: FeatureSpec, hold: tuple[str, int] | None = None, *, eyes: bool = False
) -> Person:
    """A simulated subject of the 10-20 montage: rest, then the three states in random order, twice.

    There are `baseline_s` seconds of rest. `hold` is one state and its duration (s) instead of the three.
    """
    rng = np.random.default_rng([3, seed])
    states = [(str(s), 30) for _ in range(2) for s in rng.permutation(virtual.LABELS)] if hold is None else [hold]
    script, labels = virtual.labelled_script([("rest", baseline_s), *states])
    who = VirtualPerson(seed, TEN_TWENTY, virtual.SFREQ, script, "medium")
    signal, seen = who.signal(len(labels)), [virtual.eyes_of(who, len(labels))] if eyes else []
    info = StreamInfo(TEN_TWENTY, virtual.SFREQ, name=f"virtual person {seed}", virtual=True)
    return person(f"virtual-{seed}", info, [signal], [labels], slice(0, baseline_s), spec, seen)


def check_subjects(subjects: Sequence[Person], labels: tuple[str, ...], track: str, spec: FeatureSpec) -> None:
    """Raise `ConfigError` for a subject that occurs twice, lacks a label, or has too short a baseline."""
    for kind, keys in (("name", [same_person(p.name) for p in subjects]), ("signal", [p.sha256 for p in subjects])):
        if copies := {p.name for p, key in zip(subjects, keys, strict=True) if keys.count(key) > 1}:
            found = f"more than once: {', '.join(sorted(copies))}"
            raise ConfigError(f"every subject once (by {kind})", found, "leave the copies out")
    for p in subjects:
        rest_s = int(p.rest.sum())
        if rest_s < BASELINE_S[track]:
            raise ConfigError(
                f"track {track!r}: {BASELINE_S[track]} s of rest from all subjects", f"{p.name} has {rest_s} s",
                "use a track with a shorter baseline, c1 or z",
            )  # fmt: skip
        scored = p.label[scored_seconds(p, spec)]
        if missing := [name for y, name in enumerate(labels) if y not in scored]:
            raise ConfigError(
                f"seconds of {' and '.join(labels)} from all subjects", f"{p.name} has none of {', '.join(missing)}",
                "leave that subject out",
            )  # fmt: skip


def common_channels(subjects: Sequence[Person], log: Callable[[str], None]) -> tuple[str, ...]:
    """Channels that all subjects have, in the first subject's order; reports differing montages."""
    common = tuple(name for name in subjects[0].info.ch_names if all(name in p.info.ch_names for p in subjects))
    if not common:
        raise ConfigError("channels that all subjects have", "none", "evaluate subjects of like montages together")
    if any(len(p.info.ch_names) > len(common) for p in subjects):
        log(f"montages differ: the {len(common)} channels that all subjects have are used: {' '.join(common)}")
    return common


def channel_sets(asked: str, common: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """The channel sets behind ``"19,8,4"``, ``"all"`` or ``"Fp1,Fp2,T7,T8"``.

    Raises `ConfigError` for a set that is unknown, or has channels that not all subjects have.
    """
    known = {**CHANNEL_SETS, "all": common}
    parts = [part.strip() for part in asked.split(",") if part.strip()]
    sets = {part: known[part] for part in parts if part in known}
    if names := tuple(part for part in parts if part not in known):
        if any(name.isdigit() for name in names):
            raise ConfigError(
                f"channels {asked!r}", f"no set of {', '.join(names)}", f"use {', '.join(known)} or names"
            )
        sets[f"{len(names)} of yours"] = names
    for name, chans in sets.items():
        if missing := [c for c in chans if c not in common]:
            raise ConfigError(
                f"channel set {name!r}", f"some subjects lack {', '.join(missing)}", f"choose among {' '.join(common)}"
            )
        if len(set(chans)) < len(chans):
            raise ConfigError(f"channel set {name!r}", "a channel is named twice", "name each once")
    if not sets:
        raise ConfigError(f"channels {asked!r}", "none named", f"use {', '.join(known)} or names")
    return sets
