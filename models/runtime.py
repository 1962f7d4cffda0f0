"""Inference by torch: probabilities and attention from normalised features, on the CPU or a CUDA device."""

from __future__ import annotations

import copy
import logging
import threading

import torch

from realtime_mood.errors import ConfigError

from .checkpoint import Weights, golden_input
from .inputs import Inputs
from .network import Head, PretrainedHead, Result
from .reader import Batch

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


class TorchInference:
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
        golden = golden_input(weights.reader.config).numpy()
        try:
            self._reader = weights.reader if device.type == "cpu" else copy.deepcopy(weights.reader).to(device)
        except RuntimeError as error:
            self._fall_back(error)
        for name, readout in self.card.readouts.items():
            self(golden, PretrainedHead(name, readout.own_baseline.temperature))  # warm-up: the first pass is slow

    @property
    def runs_on(self) -> str:
        """The kind of the device."""
        return self.device.type

    def __call__(self, inputs: Inputs, head: Head) -> Result:
        """What `head` computes, and attention (B, C, K)."""
        if self.device.type != "cpu":
            with self._one_at_a_time:
                try:
                    return self._infer(inputs, head)
                except RuntimeError as error:  # any failure of a device: no memory, unplugged, reset
                    self._fall_back(error)
        return self._infer(inputs, head)

    @torch.inference_mode()
    def _infer(self, inputs: Inputs, head: Head) -> Result:
        out = self._reader(Batch.of(inputs).to(self.device))
        if isinstance(head, PretrainedHead):  # SciPy's softmax has other last digits: recordings would not replay
            probs = (out.scores[head.name] / head.temperature).softmax(-1).cpu().numpy()
            return probs, out.attention.cpu().numpy()
        outputs = out.numpy()
        return head(inputs, outputs), outputs.attention

    def _fall_back(self, error: RuntimeError) -> None:
        first = str(error).strip().splitlines()[0][:120]
        self.failures += 1
        self.notes = (f"{self.device.type} failed ({first}): the network now runs on the CPU",)
        log.warning("%s failed", self.device, exc_info=error)
        self._reader, self.device = self._on_cpu, torch.device("cpu")
