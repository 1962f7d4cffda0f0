"""Turns normalised features into probabilities and attention: the only bridge from tensors to readings."""

from __future__ import annotations

import numpy as np
import torch

from realtime_mood.errors import ConfigError
from realtime_mood.estimator import Population
from realtime_mood.montage import locate
from realtime_mood.types import Array, Features, StreamInfo

from .checkpoint import Weights, golden_input, probabilities
from .reader import Batch

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


class ReaderNetwork:
    """One readout of loaded weights on one montage.

    Parameters
    ----------
    weights : Weights
    readout : str
        Name of one of their readouts.
    info : StreamInfo
        Whose channels will come.
    device : torch.device
    """

    def __init__(self, weights: Weights, readout: str, info: StreamInfo, device: torch.device) -> None:
        if readout not in weights.card.readouts:
            known = ", ".join(weights.card.readouts)
            raise ConfigError(
                f"readout {readout!r}", f"weights {weights.card.name!r} have {known}", "choose one of those"
            )
        self._card = weights.card.readouts[readout]
        self.readout = self._card.readout(readout)
        self.least_confidence = self._card.least_confidence
        self._reader, self._device = weights.reader.to(device), device
        self._positions = torch.as_tensor(locate(info.ch_names), device=device)[None]
        self._answer(golden_input(weights.reader.config))  # the first pass is slow: let it not be a person's

    @property
    def population(self) -> Population:
        """Where a person without a profile starts."""
        return Population(np.array(self._card.population_mean), np.array(self._card.population_sd))

    def __call__(self, features: Features) -> tuple[tuple[float, ...], Array]:
        """Probabilities of the labels, and attention (n_chans, n_bands)."""
        one = [features.de, features.patches, features.quality.good, ~features.step_mask, ~features.patch_mask]
        de, patches, chans, steps, kept = (torch.tensor(a)[None] for a in one)
        eye = None if features.eye is None else torch.tensor(features.eye)[None]
        probs, attention = self._answer(Batch(de, patches, self._positions, chans, steps, kept, eye))
        return tuple(probs[0].tolist()), attention[0].numpy()

    @torch.inference_mode()
    def _answer(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        probs, attention = probabilities(self._reader, batch.to(self._device), self.readout.name, self._card)
        return probs.cpu(), attention.cpu()
