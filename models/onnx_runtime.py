"""Inference by ONNX Runtime: weights that run without torch, on one thread of the CPU."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from safetensors.numpy import load
from scipy.special import softmax

from realtime_mood.errors import ConfigError, WeightsError

from .card import DEFAULT, FIX, Card, check_golden, find, read_card, read_file
from .inputs import Inputs, Outputs, ReaderConfig, golden_input
from .network import Head, Result

FILE = "model.onnx"


def choose_device(asked: str = "auto") -> None:
    """Raise `ConfigError` for a device that is not the CPU."""
    if asked == "cuda":
        raise ConfigError("device 'cuda'", "ONNX Runtime runs on the CPU here", "use cpu, or --runtime torch")


def session_of(blob: bytes) -> Any:
    """The network of an ``.onnx`` file, ready to run on one thread: more make acquisition and a window wait."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # from version 1.29 it writes an identity and reports runs to its makers
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # Windows has its own, which the variable does not turn off
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    return onnxruntime.InferenceSession(blob, options, providers=["CPUExecutionProvider"])


class OnnxInference:
    """The network of `model.onnx` in a folder of weights.

    Parameters
    ----------
    name_or_path : str
        Shipped weights by name, or a folder.

    Raises
    ------
    WeightsError
        A file is missing or altered, or the network does not reproduce its golden pair.
    ModuleNotFoundError
        ONNX Runtime is not installed.
    """

    notes: tuple[str, ...] = ()
    runs_on = "cpu"

    def __init__(self, name_or_path: str = DEFAULT) -> None:
        folder, asked = find(name_or_path), f"weights {name_or_path!r} by ONNX Runtime"
        self.card: Card = read_card(folder, asked)
        if FILE not in self.card.sha256:
            do = "install torch: pip install 'realtime-mood[torch]'; or, where it is installed: export --onnx"
            raise WeightsError(asked, f"they have no {FILE}", do)
        self.config = ReaderConfig(**self.card.reader)
        blob = read_file(folder, FILE, self.card, asked)
        try:
            self.session = session_of(blob)
            golden = load(read_file(folder, "golden.safetensors", self.card, asked))
        except ModuleNotFoundError:
            raise
        except Exception as error:  # ONNX Runtime and safetensors have their own
            raise WeightsError(asked, f"unreadable: {str(error).splitlines()[0][:120]}", FIX) from None
        self._check(asked, golden)

    def _check(self, asked: str, golden: dict[str, np.ndarray]) -> None:
        scores = self._outputs_of(golden_input(self.config)).scores
        for name, readout in self.card.readouts.items():
            probs = softmax(scores[name] / readout.own_baseline.temperature, axis=-1)
            check_golden(asked, name, float(np.abs(probs - golden[name]).max()))

    def __call__(self, inputs: Inputs, head: Head) -> Result:
        """What `head` computes, and attention (B, C, K). May be called from several threads at once."""
        out = self._outputs_of(inputs)
        return head(inputs, out), out.attention

    def _outputs_of(self, inputs: Inputs) -> Outputs:
        names = [each.name for each in self.session.get_inputs()]
        feed = {name: getattr(inputs, name) for name in names}
        if "eye" in feed and feed["eye"] is None:
            feed["eye"] = np.full((len(inputs.de), self.config.n_eye), np.nan, np.float32)
        outputs = [each.name for each in self.session.get_outputs()]
        found = dict(zip(outputs, self.session.run(None, feed), strict=True))
        scores = {name.removeprefix("scores_"): each for name, each in found.items() if name.startswith("scores_")}
        return Outputs(scores, found["attention"], found["levels"])
