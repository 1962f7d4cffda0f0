"""Fits a profile to a recorded calibration session: the baseline, and a personal classifier where it passes validation.

The network is not changed. The same recording, weights and options always give the same profile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from realtime_mood.cli.config import RunConfig
from realtime_mood.drift import CLIP_SD
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population
from realtime_mood.errors import ProfileError
from realtime_mood.language import N_
from realtime_mood.models.building import load_inference
from realtime_mood.models.inputs import ReaderConfig
from realtime_mood.models.network import Inference
from realtime_mood.models.personal import LabelledSeconds, Parts, fit_head
from realtime_mood.models.subject_sampler import SubjectSampler, describe_subject
from realtime_mood.profile import PersonalReadout, Profile

from .collect import CalibrationRecording, collect
from .verdict import LEAST_BLOCKS, HeldOut, judge

LEAST_SD = 1e-3  # nats
LEAST_STATE = 10  # seconds of a state, for its mean
Progress = Callable[[str, float], None]
"""Called with what is being done, and the share of the fit that is completed, 0 to 1."""


@dataclass(frozen=True, eq=False)
class CalibrationResult:
    """A profile, and what its page shows about the fit."""

    profile: Profile
    recording: CalibrationRecording
    weights: tuple[str, str]  # name and SHA-256 of the network that was used
    held: HeldOut | None = None  # None for a protocol without blocks
    attention: np.ndarray | None = None
    """(n_labels, n_chans, n_bands): mean attention of the network in the blocks of each label."""


@dataclass(frozen=True, eq=False)
class BlockFeatures:
    """Output of the network for every labelled second."""

    x: np.ndarray  # (n, F): see `realtime_mood.models.personal.described`
    attention: np.ndarray  # (n, n_chans, n_bands)
    second: np.ndarray  # (n,): index of each second in the recording's `Person`


def fit(path: Path, settings: RunConfig, progress: Progress = lambda *_: None) -> CalibrationResult:
    """Fit a profile to a recorded calibration session; `progress` is called as a `Progress`.

    Raises `ProfileError` for too little usable rest or too few blocks, the errors of `collect` for the file, and
    `WeightsError` where there are no weights.
    """
    weights = load_inference(settings.weights, settings.device, settings.runtime)
    progress(N_("reading the recording"), 0.0)
    recording = collect(path, spec_of(weights, settings), settings.notches)
    return fit_recording(recording, weights, settings, progress)


def spec_of(weights: Inference, settings: RunConfig) -> FeatureSpec:
    """The features of these weights, with the repair that runs with the profile will have."""
    return weights.card.spec.model_copy(update={"repair": settings.repair})


def fit_recording(
    recording: CalibrationRecording, weights: Inference, settings: RunConfig, progress: Progress = lambda *_: None
) -> CalibrationResult:
    """Fit a profile to a calibration recording that was read already; see `fit`."""
    spec, protocol, person = spec_of(weights, settings), recording.protocol, recording.person
    wanted = None if settings.readout == "auto" else settings.readout
    baseline = person.profile(spec).model_copy(update={"readout": wanted})
    baseline = baseline.model_copy(update={"states": states_of(recording, baseline)})
    of = weights.card.name, weights.card.sha256["model.safetensors"]
    if not protocol.cues:
        return CalibrationResult(baseline, recording, of)
    same_labels = [name for name, card in weights.card.readouts.items() if card.labels == protocol.labels]
    base = protocol.readout if protocol.readout in same_labels else ""
    progress(N_("running the network"), 0.1)
    features = block_features(recording, weights, base)
    block, of_block = _blocks(recording, features)
    progress(N_("cross-validation"), 0.3)
    parts = Parts.of(ReaderConfig(**weights.card.reader), person.info.n_chans, base)
    fit_to = partial(fit_head, parts=parts, n_labels=len(protocol.labels))
    verdict, held = judge(
        features.x, recording.at[features.second], block, of_block, fit_to, protocol.labels,
        lambda done: progress(N_("permutation test"), 0.3 + 0.65 * done),
    )  # fmt: skip
    y = of_block[block]
    attention = np.stack([features.attention[y == k].mean(axis=0) for k in range(len(protocol.labels))])
    if not verdict.passed:
        return CalibrationResult(baseline.model_copy(update={"refused": verdict}), recording, of, held, attention)
    head = fit_to(features.x, y).to_bytes(LabelledSeconds(features.x, y, block))
    own = PersonalReadout(
        name=protocol.readout or protocol.name, labels=protocol.labels,
        coordinates=tuple(cue.coordinates for cue in protocol.cues), base=base, weights=of[0], weights_sha256=of[1],
        head_sha256=hashlib.sha256(head).hexdigest(),
        temperature=held.temperature, least_confidence=held.least_confidence, verdict=verdict,
        ch_names=person.info.ch_names,
    )  # fmt: skip
    return CalibrationResult(baseline.model_copy(update={"own": own, "head": head}), recording, of, held, attention)


def refreshed(older: Profile, today: CalibrationResult) -> CalibrationResult:
    """An older profile's personal classifier on today's baseline, since signals and caps differ between days.

    The cap must have the same electrodes, in any order: the readout keeps the order in which it was fitted. Raises
    `ProfileError` where the montage, the kind of stream or the features differ.
    """
    new = today.profile
    if set(older.ch_names) != set(new.ch_names) or older.virtual != new.virtual or older.spec != new.spec:
        raise ProfileError(
            "refresh a profile", "the electrodes, the features or the kind of stream differ from today's",
            "use the same cap, or calibrate again",
        )  # fmt: skip
    own = older.own and older.own.model_copy(update={"ch_names": older.own_channels})
    order = [older.ch_names.index(name) for name in new.ch_names]
    states = tuple(tuple(state[i] for i in order) for state in older.states or ()) + (new.states or ())
    kept: dict[str, object] = {name: getattr(older, name) for name in ("head", "refused", "readout", "history")}
    kept |= {"own": own, "states": states or None}
    return replace(today, profile=new.model_copy(update=kept))


def states_of(recording: CalibrationRecording, baseline: Profile) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """(n_states, n_chans, n_bands): the mean of each rest and each label, in SD from the baseline.

    A baseline is usually the mean of rest with open and with closed eyes, and either alone is no drift. An electrode
    that was never good in a state stays at the baseline there.
    """
    person, found = recording.person, []
    rests = [person.rest & (person.piece == piece) for piece in np.unique(person.piece[person.rest])]
    labels = [person.label == label for label in range(len(recording.protocol.labels))]
    z = (person.de - np.array(baseline.mean)) / np.maximum(np.array(baseline.sd), LEAST_SD)
    for state in (it for it in (*rests, *labels) if it.sum() >= LEAST_STATE):
        good = (person.good & (person.there & state)[:, None])[:, :, None]
        found.append((np.clip(z, -CLIP_SD, CLIP_SD) * good).sum(axis=0) / np.maximum(good.sum(axis=0), 1))
    return tuple(tuple(map(tuple, mean.round(3).tolist())) for mean in found)


def block_features(recording: CalibrationRecording, weights: Inference, base: str) -> BlockFeatures:
    """Run the network on every labelled second, block by block, on the subject's own baseline."""
    card = weights.card.readouts[base] if base else next(iter(weights.card.readouts.values()))
    population = Population(np.array(card.population_mean), np.array(card.population_sd))
    subject = SubjectSampler([recording.person], population, weights.card.spec)
    second = subject.seconds[True][0]
    if not len(second):
        do = "improve the electrodes and repeat"
        raise ProfileError("a personal classifier", "no usable second in any block", do)
    return BlockFeatures(*describe_subject(weights, subject, base), second)


def _blocks(recording: CalibrationRecording, features: BlockFeatures) -> tuple[np.ndarray, np.ndarray]:
    """Each second's block, in order of time, and the label of each block; `ProfileError` if a label has too few."""
    _, block = np.unique(recording.person.piece[features.second], return_inverse=True)
    label = recording.person.label[features.second]
    of_block = np.array([label[block == b][0] for b in range(block.max() + 1)])
    counts = np.bincount(of_block, minlength=len(recording.protocol.labels))
    if counts.min() < LEAST_BLOCKS:
        found = ", ".join(f"{n} of {name}" for name, n in zip(recording.protocol.labels, counts, strict=True))
        raise ProfileError(
            f"{LEAST_BLOCKS} usable blocks of each label", found,
            "complete the protocol, or use --protocol baseline for a baseline alone",
        )  # fmt: skip
    return block, of_block
