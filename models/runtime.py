"""Turns normalised features into probabilities and attention: the only bridge from tensors to readings."""

from __future__ import annotations

import copy
import logging

import numpy as np
import torch

from realtime_mood.errors import ConfigError
from realtime_mood.estimator import Population
from realtime_mood.montage import locate
from realtime_mood.types import Array, Features, StreamInfo

from .checkpoint import Trust, Weights, golden_input, probabilities
from .reader import Batch

log = logging.getLogger(__name__)

# A second thread beside acquisition and a window on two cores stalls inference for seconds.
torch.set_num_threads(1)


def choose_device(asked: str = "auto") -> torch.device:
    """``auto`` takes CUDA where there is one; raises `ConfigError` for a device this machine has not."""
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if asked not in ("cpu", "cuda"):
        raise ConfigError(f"device {asked!r}", "unknown", "use auto, cpu or cuda")
    if asked == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "device 'cuda'", "torch sees no CUDA device here", "use cpu, or install a CUDA build of torch"
        )
    return torch.device(asked)


class Inference:
    """A loaded network where it runs: on the device asked for, and on the CPU for good once that has failed.

    One is made for a whole run, so that a pipeline that is made anew does not go back to a device that is gone.

    Parameters
    ----------
    weights : Weights
    device : torch.device

    Attributes
    ----------
    device : torch.device
        Where it runs now.
    failures : int
        How often a device has failed it.
    notes : tuple of str
        What to tell the person about that.
    """

    def __init__(self, weights: Weights, device: torch.device) -> None:
        self.card, self.device = weights.card, device
        self._on_cpu = weights.reader  # nothing can be copied back from a device that has failed
        self._reader = weights.reader
        self.failures, self.notes = 0, ()  # type: int, tuple[str, ...]
        golden = golden_input(weights.reader.config)
        try:
            self._reader = weights.reader if device.type == "cpu" else copy.deepcopy(weights.reader).to(device)
        except RuntimeError as error:
            self._fall_back(error)
        for name, readout in self.card.readouts.items():
            self(golden, name, readout.own_baseline)  # the first pass is slow: let it not be a person's

    def __call__(self, batch: Batch, readout: str, trust: Trust) -> tuple[torch.Tensor, torch.Tensor]:
        """Probabilities (B, n_labels) and attention (B, C, K), on the CPU."""
        if self.device.type != "cpu":
            try:
                return self._answer(batch, readout, trust)
            except RuntimeError as error:  # whatever goes wrong on a device is one: no memory, unplugged, reset
                self._fall_back(error)
        return self._answer(batch, readout, trust)

    @torch.inference_mode()
    def _answer(self, batch: Batch, readout: str, trust: Trust) -> tuple[torch.Tensor, torch.Tensor]:
        probs, attention = probabilities(self._reader, batch.to(self.device), readout, trust)
        return probs.cpu(), attention.cpu()

    def _fall_back(self, error: RuntimeError) -> None:
        first = str(error).strip().splitlines()[0][:120]
        self.failures += 1
        self.notes = (f"{self.device.type} failed ({first}): the network runs on the CPU from here",)
        log.warning("%s failed", self.device, exc_info=error)
        self._reader, self.device = self._on_cpu, torch.device("cpu")


class ReaderNetwork:
    """One readout of loaded weights on one montage.

    Parameters
    ----------
    inference : Inference
    readout : str
        Name of one of its weights' readouts.
    info : StreamInfo
        Whose channels will come.
    calibrated : bool
        Whether features will be normalised on the person's own baseline: without it less can be believed.
    """

    def __init__(self, inference: Inference, readout: str, info: StreamInfo, *, calibrated: bool) -> None:
        card = inference.card
        if readout not in card.readouts:
            known = ", ".join(card.readouts)
            raise ConfigError(f"readout {readout!r}", f"weights {card.name!r} have {known}", "choose one of those")
        self._inference, self._card = inference, card.readouts[readout]
        self.readout = self._card.readout(readout)
        self._trust = self._card.trust(calibrated=calibrated)
        self.least_confidence = self._trust.least_confidence
        self._positions = torch.as_tensor(locate(info.ch_names))[None]

    @property
    def population(self) -> Population:
        """Where a person without a profile starts."""
        return Population(np.array(self._card.population_mean), np.array(self._card.population_sd))

    @property
    def notes(self) -> tuple[str, ...]:
        """What went wrong with the device."""
        return self._inference.notes

    def __call__(self, features: Features) -> tuple[tuple[float, ...], Array]:
        """Probabilities of the labels, and attention (n_chans, n_bands)."""
        one = [features.de, features.patches, features.quality.good, ~features.step_mask, ~features.patch_mask]
        de, patches, chans, steps, kept = (torch.tensor(a)[None] for a in one)
        eye = None if features.eye is None else torch.tensor(features.eye)[None]
        batch = Batch(de, patches, self._positions, chans, steps, kept, eye)
        probs, attention = self._inference(batch, self.readout.name, self._trust)
        return tuple(probs[0].tolist()), attention[0].numpy()
