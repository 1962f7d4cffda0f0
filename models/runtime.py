"""Inference: probabilities and attention from normalised features."""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Callable, Collection, Sequence

import numpy as np
import torch

from realtime_mood.entropy import Population
from realtime_mood.errors import ConfigError, ProfileError
from realtime_mood.montage import locate
from realtime_mood.profile import Profile
from realtime_mood.types import Array, Features, Readout, StreamInfo

from .card import Trust
from .checkpoint import Weights, golden_input
from .personal import PersonalHead, described
from .reader import Batch, ReaderOutput

Head = Callable[[Batch, ReaderOutput], torch.Tensor]
"""Computes a readout's probabilities (B, n_labels) from the network's input and output."""

log = logging.getLogger(__name__)

# With more threads, beside acquisition and a window on two cores, inference stalls for seconds.
torch.set_num_threads(1)


def choose_device(asked: str = "auto") -> torch.device:
    """The device; ``auto`` is CUDA where available. Raises `ConfigError` for a device this machine lacks."""
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if asked not in ("cpu", "cuda"):
        raise ConfigError(f"device {asked!r}", "unknown", "use auto, cpu or cuda")
    if asked == "cuda" and not torch.cuda.is_available():
        do = "use cpu, or install a CUDA build of torch"
        raise ConfigError("device 'cuda'", "torch sees no CUDA device here", do)
    return torch.device(asked)


class Inference:
    """A loaded network on its `device`; after a failure of the device it runs on the CPU.

    There is one per run, so that a rebuilt pipeline does not return to a device that has failed. `failures` counts
    them, and `notes` tells the user about them.
    """

    def __init__(self, weights: Weights, device: torch.device) -> None:
        self.card, self.device = weights.card, device
        self._on_cpu = weights.reader  # nothing can be copied back from a device that has failed
        self._reader = weights.reader
        self._one_at_a_time = threading.Lock()
        self.failures, self.notes = 0, ()  # type: int, tuple[str, ...]
        golden = golden_input(weights.reader.config)
        try:
            self._reader = weights.reader if device.type == "cpu" else copy.deepcopy(weights.reader).to(device)
        except RuntimeError as error:
            self._fall_back(error)
        for name, readout in self.card.readouts.items():
            self(golden, pretrained_head(name, readout.own_baseline))  # warm-up: the first pass is slow

    def __call__(self, batch: Batch, head: Head) -> tuple[torch.Tensor, torch.Tensor]:
        """Probabilities by `head`, and attention (B, C, K), on the CPU."""
        if self.device.type != "cpu":
            with self._one_at_a_time:
                try:
                    return self._infer(batch, head)
                except RuntimeError as error:  # any failure of a device: no memory, unplugged, reset
                    self._fall_back(error)
        return self._infer(batch, head)

    @torch.inference_mode()
    def _infer(self, batch: Batch, head: Head) -> tuple[torch.Tensor, torch.Tensor]:
        batch = batch.to(self.device)
        out = self._reader(batch)
        return head(batch, out).cpu(), out.attention.cpu()

    def _fall_back(self, error: RuntimeError) -> None:
        first = str(error).strip().splitlines()[0][:120]
        self.failures += 1
        self.notes = (f"{self.device.type} failed ({first}): the network now runs on the CPU",)
        log.warning("%s failed", self.device, exc_info=error)
        self._reader, self.device = self._on_cpu, torch.device("cpu")


def pretrained_head(name: str, trust: Trust) -> Head:
    """The head of a readout of the weights."""
    return lambda _, out: (out.scores[name] / trust.temperature).softmax(-1)


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

    order = torch.tensor([info.ch_names.index(name) for name in profile.own_channels])

    def head(batch: Batch, out: ReaderOutput) -> torch.Tensor:
        logits = classifier(described(out, batch, own.base, order).cpu().double().numpy())
        return (torch.from_numpy(logits) / own.temperature).softmax(-1).float()

    return head


class ReaderNetwork:
    """One readout on one montage: of loaded weights, or a personal classifier based on them.

    `readout` is one of the weights, or the profile's personal classifier. With a `profile`, features are normalised by
    its baseline; other thresholds apply without. Raises `ConfigError` where there is no such readout, and
    `ProfileError` where the personal classifier does not fit.
    """

    def __init__(self, inference: Inference, readout: str, info: StreamInfo, profile: Profile | None = None) -> None:
        card, own = inference.card, profile.own if profile else None
        self._ignored: tuple[str, ...] = ()
        self._not_shown: tuple[str, ...] = ()
        known = {**card.readouts, **({own.name: None} if own else {})}
        if readout not in known:
            found = f"weights {card.name!r} have {', '.join(known)}"
            raise ConfigError(f"readout {readout!r}", found, "choose one of those")
        self._inference, self._positions = inference, torch.as_tensor(locate(info.ch_names))[None]
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
        self.least_confidence, self._head = trust.least_confidence, pretrained_head(readout, trust)

    @property
    def population(self) -> Population:
        """Initial statistics of a subject without a profile."""
        return Population(np.array(self._card.population_mean), np.array(self._card.population_sd))

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on failures of the device, on what the readout was not shown to do, and on unused features."""
        return self._inference.notes + self._not_shown + self._ignored

    def __call__(self, features: Features) -> tuple[tuple[float, ...], Array]:
        """Probabilities of the labels, and attention (n_chans, n_bands)."""
        return self.many([features])[0]

    def many(self, features: Sequence[Features]) -> list[tuple[tuple[float, ...], Array]]:
        """The same for each of `features`, in one forward pass."""
        rows = [(it.de, it.patches, it.quality.good, ~it.step_mask, ~it.patch_mask) for it in features]
        de, patches, chans, steps, kept = (torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True))
        positions = self._positions.expand(len(rows), -1, -1)
        batch = Batch(de, patches, positions, chans, steps, kept, self._eye(features))
        probs, attention = self._inference(batch, self._head)
        return [(tuple(p), a) for p, a in zip(probs.tolist(), attention.numpy(), strict=True)]

    def _eye(self, features: Sequence[Features]) -> torch.Tensor | None:
        """Eye-movement features (B, n_eye), NaN where there are none; None where there are none at all."""
        card, some = self._inference.card, next((it.eye for it in features if it.eye is not None), None)
        if some is not None and not card.eye_trained:
            self._ignored = (f"eye-movement features are not used: weights {card.name!r} were trained without any",)
        if some is None or not card.eye_trained:
            return None
        nothing = np.full_like(some, np.nan)
        return torch.from_numpy(np.stack([nothing if it.eye is None else it.eye for it in features]))


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
