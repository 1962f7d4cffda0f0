"""Turns a recorded sitting into a profile: the baseline, and a readout of the person's own where it proves itself.

The network stays as it is. Of a recording, weights and options there is one profile, whoever asks and when.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from realtime_mood.cli.config import RunConfig
from realtime_mood.entropy import Population
from realtime_mood.errors import ProfileError
from realtime_mood.models.checkpoint import Weights, load_weights
from realtime_mood.models.personal import Parts, fit_head
from realtime_mood.models.sampling import SubjectSampler
from realtime_mood.models.subject_features import describe_subject
from realtime_mood.profile import PersonalReadout, Profile

from .collect import CalibrationRecording, collect
from .verdict import LEAST_BLOCKS, HeldOut, judge

Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class CalibrationResult:
    """A profile, and what its page shows of how it came about."""

    profile: Profile
    sat: CalibrationRecording
    weights: tuple[str, str]
    """Name and SHA-256 of the network that looked."""
    held: HeldOut | None = None
    """None for a protocol that is all rest."""
    attention: np.ndarray | None = None
    """(n_labels, n_chans, n_bands): where the network looked in the blocks of each label."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the network makes of every labelled second."""

    x: np.ndarray
    """(n, F): see `realtime_mood.models.personal.described`."""
    attention: np.ndarray
    """(n, n_chans, n_bands)."""
    second: np.ndarray
    """(n,): which of the person's seconds."""


def fit(path: Path, settings: RunConfig, progress: Progress = lambda *_: None) -> CalibrationResult:
    """The profile of the sitting recorded at `path`.

    Raises
    ------
    ProfileError
        Too little usable rest, or too few blocks.
    ConfigError, SourceNotFound, StreamMismatch, WeightsError
        No recording of a calibration, or no weights.
    """
    weights = load_weights(settings.weights)
    progress("reading the recording", 0.0)
    sat = collect(path, weights.card.spec, settings.notches)
    return fit_sat(sat, weights, settings, progress)


def fit_sat(
    sat: CalibrationRecording, weights: Weights, settings: RunConfig, progress: Progress = lambda *_: None
) -> CalibrationResult:
    """The same from a sitting that was read already."""
    spec, protocol, person = weights.card.spec, sat.protocol, sat.person
    wanted = None if settings.readout == "auto" else settings.readout
    baseline = person.profile(spec).model_copy(update={"readout": wanted})
    of = weights.card.name, weights.card.sha256["model.safetensors"]
    if not protocol.cues:
        return CalibrationResult(baseline, sat, of)
    base = protocol.readout if _same_labels(weights, protocol.readout, protocol.labels) else ""
    progress("asking the network", 0.1)
    seen = see(sat, weights, base, settings.device)
    block, of_block = _blocks(sat, seen)
    progress("holding out blocks", 0.3)
    parts = Parts.of(weights.reader.config, person.info.n_chans, base)
    fit_to = partial(fit_head, parts=parts, n_labels=len(protocol.labels))
    verdict, held = judge(
        seen.x, sat.at[seen.second], block, of_block, fit_to, protocol.labels,
        lambda done: progress("shuffling blocks", 0.3 + 0.65 * done),
    )  # fmt: skip
    y = of_block[block]
    attention = np.stack([seen.attention[y == k].mean(axis=0) for k in range(len(protocol.labels))])
    if not verdict.passed:
        return CalibrationResult(baseline.model_copy(update={"refused": verdict}), sat, of, held, attention)
    head = fit_to(seen.x, y).to_bytes()
    own = PersonalReadout(
        name=protocol.readout or protocol.name, labels=protocol.labels,
        coordinates=tuple(cue.coordinates for cue in protocol.cues), base=base, weights=of[0], weights_sha256=of[1],
        head_sha256=hashlib.sha256(head).hexdigest(),
        temperature=held.temperature, least_confidence=held.least_confidence, verdict=verdict,
        ch_names=person.info.ch_names,
    )  # fmt: skip
    return CalibrationResult(baseline.model_copy(update={"own": own, "head": head}), sat, of, held, attention)


def refreshed(older: Profile, today: CalibrationResult) -> CalibrationResult:
    """An older profile's own readout on today's rest: people and caps differ from one day to the next.

    The cap has the same electrodes, in any order: the readout's numbers keep the order they were fitted in.

    Raises
    ------
    ProfileError
        Of another montage, of another kind of stream, or with other features.
    """
    new = today.profile
    same = set(older.ch_names) == set(new.ch_names) and older.virtual == new.virtual and older.spec == new.spec
    if not same:
        raise ProfileError(
            "refresh a profile", "today's electrodes, features or kind of stream are others than then",
            "wear the same cap, or calibrate anew",
        )  # fmt: skip
    own = older.own and older.own.model_copy(update={"ch_names": older.own_channels})
    kept = {"own": own, "head": older.head, "refused": older.refused, "readout": older.readout}
    return replace(today, profile=new.model_copy(update=kept))


def see(sat: CalibrationRecording, weights: Weights, base: str, device: str) -> Seen:
    """Let the network look at every labelled second, each block by itself, on the person's own baseline."""
    card = weights.card.readouts[base] if base else next(iter(weights.card.readouts.values()))
    population = Population(np.array(card.population_mean), np.array(card.population_sd))
    who = SubjectSampler([sat.person], population, weights.card.spec)
    second = who.seconds[True][0]
    if not len(second):
        raise ProfileError("a readout of your own", "no usable second in any block", "mend electrodes and sit again")
    return Seen(*describe_subject(weights.reader, who, base, device), second)


def _blocks(sat: CalibrationRecording, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
    """Each second's block, from 0 in the order they came, and each block's label.

    Raises
    ------
    ProfileError
        Too few blocks of a label.
    """
    _, block = np.unique(sat.person.piece[seen.second], return_inverse=True)
    label = sat.person.label[seen.second]
    of_block = np.array([label[block == b][0] for b in range(block.max() + 1)])
    counts = np.bincount(of_block, minlength=len(sat.protocol.labels))
    if counts.min() < LEAST_BLOCKS:
        found = ", ".join(f"{n} of {name}" for name, n in zip(sat.protocol.labels, counts, strict=True))
        raise ProfileError(
            f"{LEAST_BLOCKS} usable blocks of each label", f"{found}",
            "go through the protocol to its end; for the rest alone use --protocol baseline",
        )  # fmt: skip
    return block, of_block


def _same_labels(weights: Weights, readout: str, labels: tuple[str, ...]) -> bool:
    return readout in weights.card.readouts and weights.card.readouts[readout].labels == labels
