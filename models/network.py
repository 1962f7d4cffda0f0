"""One readout of loaded weights on one montage: a `Network` by torch or by ONNX Runtime; without torch."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import numpy as np
from scipy.special import softmax

from realtime_mood.corrections import Corrections
from realtime_mood.entropy import Population
from realtime_mood.errors import ConfigError, ProfileError
from realtime_mood.montage import locate
from realtime_mood.profile import Profile
from realtime_mood.types import Array, Features, Readout, StreamInfo

from .card import Card
from .correcting import Correction, Corrector
from .familiarity import Familiarity
from .inputs import Inputs, Outputs, ReaderConfig
from .personal import LabelledSeconds, Parts, PersonalHead, described

Head = Callable[[Inputs, Outputs], np.ndarray]
"""Computes a readout's probabilities (B, n_labels), or anything else, from the network's input and output."""
Result = tuple[np.ndarray, np.ndarray]


class Inference(Protocol):
    """Loaded weights that run: by torch (`runtime`) or by ONNX Runtime (`onnx_runtime`)."""

    card: Card
    notes: tuple[str, ...]

    @property
    def runs_on(self) -> str:
        """The kind of device: ``cpu`` or ``cuda``."""

    def __call__(self, inputs: Inputs, head: Head) -> Result:
        """What `head` computes, and attention (B, C, K)."""


def inputs_of(features: Sequence[Features], positions: np.ndarray, *, eye: bool) -> Inputs:
    """Windows of one montage with `positions` (C, 3) as input; `eye`: with eye features, where any has them."""
    rows = [(it.de, it.patches, it.quality.good, ~it.step_mask, ~it.patch_mask) for it in features]
    de, patches, chans, steps, kept = (np.stack(part) for part in zip(*rows, strict=True))
    some = next((it.eye for it in features if it.eye is not None), None) if eye else None
    eyes = None
    if some is not None:
        eyes = np.stack([np.full_like(some, np.nan) if it.eye is None else it.eye for it in features])
    return Inputs(de, patches, np.repeat(positions[None], len(rows), axis=0), chans, steps, kept, eyes)


@dataclass(frozen=True)
class PretrainedHead:
    """The head of a readout of the weights."""

    name: str
    temperature: float

    def __call__(self, inputs: Inputs, out: Outputs) -> np.ndarray:
        """Probabilities (B, n_labels)."""
        return softmax(out.scores[self.name] / np.float32(self.temperature), axis=-1)


def personal_head(profile: Profile, info: StreamInfo) -> Head:
    """The head of a personal classifier, on a stream with the profile's electrodes in any order.

    Raises `ProfileError` where its weights are invalid.
    """
    own = profile.own
    assert own is not None
    asked = f"readout {own.name!r} of the profile"
    try:
        classifier = PersonalHead.from_bytes(profile.head or b"")
    except Exception as error:  # safetensors has its own error type for other files
        raise ProfileError(asked, f"unreadable: {error}", "calibrate again") from None
    if classifier.weight.shape[1] != len(own.labels):
        raise ProfileError(asked, "its weights are another readout's", "calibrate again")

    order = [info.ch_names.index(name) for name in profile.own_channels]

    def head(inputs: Inputs, out: Outputs) -> np.ndarray:
        logits = classifier(described(out, inputs, own.base, order))
        return softmax(logits / own.temperature, axis=-1).astype(np.float32)

    return head


class ReaderNetwork:
    """One readout on one montage: of loaded weights, or a personal classifier based on them; it can be corrected.

    `readout` is one of the weights, or the profile's personal classifier. With a `profile`, features are normalised by
    its baseline; other thresholds apply without. Raises `ConfigError` where there is no such readout, and
    `ProfileError` where the personal classifier does not fit.
    """

    def __init__(self, inference: Inference, readout: str, info: StreamInfo, profile: Profile | None = None) -> None:
        card, own = inference.card, profile.own if profile else None
        self._asked, self._info, self._profile = readout, info, profile
        self._corrector: Corrector | None = None
        # from which time (s) on, and by which head; None: its own
        self._corrected: list[tuple[float, Head | None]] = []
        self._ignored: tuple[str, ...] = ()
        self._familiarity: Familiarity | None = None  # a calibration by labels makes the subject's own signal familiar
        self._not_shown: tuple[str, ...] = ()
        known = {**card.readouts, **({own.name: None} if own else {})}
        if readout not in known:
            found = f"weights {card.name!r} have {', '.join(known)}"
            raise ConfigError(f"readout {readout!r}", found, "choose one of those")
        self._inference, self._positions = inference, np.asarray(locate(info.ch_names), np.float32)
        if own and profile and readout == own.name:
            check_own(profile, card.hashes, info)
            self._card = card.readouts[own.base] if own.base else next(iter(card.readouts.values()))
            self.readout = Readout(own.name, own.labels, own.coordinates, "own")
            self.least_confidence, self._head = own.least_confidence, personal_head(profile, info)
            return
        self._card = card.readouts[readout]
        self.readout = card.readout(readout)
        if (shown := self.readout.held_out) is not None and not shown.valid:
            self._not_shown = (f"readout {readout} is not shown to work on held-out subjects of {shown.data_set}",)
        trust = self._card.trust(calibrated=profile is not None)
        self.least_confidence, self._head = trust.least_confidence, PretrainedHead(readout, trust.temperature)
        if self._card.device and trust.features:
            self._familiarity = Familiarity(self._card.device, trust.features, self._positions)

    @property
    def population(self) -> Population:
        """Initial statistics of a subject without a profile; those of eye movements where the readout uses them."""
        card, eye = self._card, None
        uses_eyes = self._inference.card.eye_trained and self.readout.evidence != "own"
        if uses_eyes and card.eye_mean and card.eye_sd:
            eye = Population(np.array(card.eye_mean), np.array(card.eye_sd))
        return Population(np.array(card.population_mean), np.array(card.population_sd), eye)

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on failures of the device, on what the readout was not shown to do, and on unused features."""
        return self._inference.notes + self._not_shown + self._ignored

    def unfamiliarity(self, features: Features, normal: Features) -> float:
        """How unlike the readout's training the window is: above 1 there is no estimate; NaN where not measured.

        It is not where the subject's labels, by calibration or by corrections that count, made the classifier.
        """
        if self._familiarity is None or self._head_at(features.time) is not self._head:
            return math.nan
        return self._familiarity(features, normal)

    def __call__(self, features: Features) -> tuple[tuple[float, ...], Array]:
        """Probabilities of the labels, and attention (n_chans, n_bands)."""
        return self.many([features])[0]

    def many(self, features: Sequence[Features]) -> list[tuple[tuple[float, ...], Array]]:
        """The same for each of `features`, in one forward pass."""
        card = self._inference.card
        if not card.eye_trained and any(it.eye is not None for it in features):
            self._ignored = (f"eye-movement features are not used: weights {card.name!r} were trained without any",)
        found: list[tuple[tuple[float, ...], Array]] = []
        for head, group in groupby(features, lambda it: self._head_at(it.time)):
            inputs = inputs_of(list(group), self._positions, eye=card.eye_trained)
            probs, attention = self._inference(inputs, head)
            found += [(tuple(p), a) for p, a in zip(probs.tolist(), attention, strict=True)]
        return found

    def _head_at(self, time: float) -> Head:
        """The head for the window that ends at `time` (s): windows of one batch may have different ones."""
        for since, head in reversed(self._corrected):
            if time > since:
                return head or self._head
        return self._head

    def correct(self, label: str, features: Sequence[Features], time: float) -> Corrections:
        """As `labelling.Correctable`: the classifier is refitted, and counts if it is better on held-out blocks."""
        if self._corrector is None:
            self._corrector = corrector_of(self._inference.card, self._asked, self._info, self._profile)
        corrector, inputs = self._corrector, inputs_of(features, self._positions, eye=self._inference.card.eye_trained)
        x, _ = self._inference(inputs, corrector.describe)
        found = corrector.add(Correction(x, self.readout.labels.index(label), time))
        self._corrected.append((time, corrector.head))
        return found

    def corrections(self) -> list[Any]:
        """As `labelling.Correctable`."""
        return self._corrector.stored() if self._corrector else []

    def restore(self, corrections: Sequence[Any]) -> None:
        """As `labelling.Correctable`: fits the classifier to the same seconds again."""
        corrector = corrector_of(self._inference.card, self._asked, self._info, self._profile)
        self._corrector, self._corrected = corrector, []
        for it in corrections:
            correction = Correction.restored(it, corrector.parts.n_features, corrector.n_labels)
            corrector.add(correction)
            self._corrected.append((correction.time, corrector.head))

    def kept(self, profile: Profile) -> Profile:
        """The profile with the corrected classifier, where there is one that counts and it has a personal one."""
        corrector, own = self._corrector, profile.own
        if own is None or corrector is None or corrector.counts is None or own.name != self._asked:
            return profile
        head = corrector.to_bytes()
        own = own.model_copy(update={"head_sha256": hashlib.sha256(head).hexdigest()})
        return profile.model_copy(update={"own": own, "head": head})


def corrector_of(card: Card, readout: str, info: StreamInfo, profile: Profile | None) -> Corrector:
    """What tries corrections of a readout on a stream."""
    own = profile.own if profile and profile.own and profile.own.name == readout else None
    base = own.base if own else readout
    parts = Parts.of(ReaderConfig(**card.reader), info.n_chans, base)
    if own and profile:
        order = [info.ch_names.index(name) for name in profile.own_channels]
        blob = profile.head or b""
        present, temperature = PersonalHead.from_bytes(blob), own.temperature
        return Corrector(parts, len(own.labels), present, temperature, LabelledSeconds.from_bytes(blob), base, order)
    temperature = card.readouts[readout].trust(calibrated=profile is not None).temperature
    return Corrector(parts, parts.base, lambda x: x[:, -parts.base :], temperature, base=base)


def check_own(profile: Profile, weights_sha256: Collection[str], info: StreamInfo) -> None:
    """Raise `ProfileError` where the personal classifier was validated with other weights or electrodes."""
    own = profile.own
    assert own is not None
    asked = f"readout {own.name!r} of the profile"
    if own.weights_sha256 not in weights_sha256:
        raise ProfileError(
            asked, f"it was fitted with other weights, {own.weights}",
            f"add --weights {own.weights}, or calibrate again with --from RECORDING",
        )  # fmt: skip
    if set(profile.own_channels) != set(info.ch_names):
        left_out = ", ".join(name for name in profile.own_channels if name not in info.ch_names)
        raise ProfileError(
            asked, f"it was validated with {left_out}, which this stream lacks",
            "calibrate again on these electrodes",
        )  # fmt: skip
