"""A network as ONNX: one file that runs without torch, compared with torch before anyone receives it.

The inputs are those of `Batch`, with any number of samples and channels; ``eye`` is there only where the network was
trained with eye movements, and is NaN in samples without. The outputs are the logits of each readout
(``scores_NAME``), the attention, and the levels that personal classifiers are based on. Labels, temperatures and
population statistics are in the file's metadata.

Why torch's older exporter writes it: docs/decisions/0024-onnx-by-tracing.md.
"""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from realtime_mood import __version__
from realtime_mood.errors import WeightsError

from ..card import GOLDEN_TOLERANCE, Card
from ..checkpoint import Weights, golden_input
from ..onnx_runtime import session_of
from ..personal import LEVELS
from ..reader import Batch, MoodReader, ReaderConfig
from .page import OPSET

B, C = "batch", "channels"
INPUTS = {
    "de": {0: B, 2: C}, "patches": {0: B, 1: C}, "positions": {0: B, 1: C}, "keep_chans": {0: B, 1: C},
    "keep_steps": {0: B}, "keep_patches": {0: B}, "eye": {0: B},
}  # fmt: skip
"""Names of the inputs in the order of `Batch`, with the dimensions that may have any length."""
NOT_IN_METADATA: Any = {"coordinates": True, "device": True, "own_baseline": {"features"}, "no_baseline": {"features"}}
"""Parts of a readout's card that only our program uses."""
CHECKED = ((1, 4), (3, 8), (2, 19), (1, 62))
"""Samples and channels that are compared beside the golden pair."""


class _FlatLinear(nn.Linear):
    """A linear layer whose input is one matrix, so that ONNX Runtime multiplies and adds in one operation."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, -2)).reshape(*x.shape[:-1], self.out_features)


def _flattened(reader: MoodReader) -> MoodReader:
    """A copy with the same results, in which every linear layer is flat."""
    flat = copy.deepcopy(reader).eval()
    for module in flat.modules():
        if type(module) is nn.Linear:
            module.__class__ = _FlatLinear
    return flat


class _Graph(nn.Module):
    """The network as a function of tensors."""

    def __init__(self, reader: MoodReader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        out = self.reader(Batch(*inputs))
        assert out.attention is not None
        return *out.scores.values(), out.attention, out.levels[:, :LEVELS]


def to_onnx(weights: Weights) -> bytes:
    """The content of an ``.onnx`` file.

    Raises
    ------
    ModuleNotFoundError
        The packages of the extra ``export`` are not installed.
    WeightsError
        What ONNX Runtime computes differs from torch by more than `GOLDEN_TOLERANCE`.
    """
    import onnx

    args = tensors(golden_input(weights.reader.config), weights.card)
    names = list(INPUTS)[: len(args)]
    outputs = [*(f"scores_{name}" for name in weights.reader.config.readouts), "attention", "levels"]
    axes = {name: INPUTS[name] for name in names}
    axes |= {name: {0: B} for name in outputs} | {"attention": {0: B, 1: C}}
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on the exporter's successor, and on a length that never changes
        file = Path(folder) / "model.onnx"
        torch.onnx.export(
            _Graph(_flattened(weights.reader)), args, file, input_names=names, output_names=outputs, dynamic_axes=axes,
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip
        model = onnx.load(file)
    onnx.helper.set_model_props(model, metadata(weights.card))
    blob: bytes = model.SerializeToString()
    check(weights, blob)
    return blob


def check(weights: Weights, blob: bytes) -> None:
    """Raise `WeightsError` where the file computes something else than the network."""
    if not (off := difference(weights, blob)) <= GOLDEN_TOLERANCE:
        found = f"ONNX Runtime computes values {off:.2g} away from torch's"
        raise WeightsError(f"weights {weights.card.name!r} as ONNX", found, "try other versions of torch and onnx")


def tensors(batch: Batch, card: Card) -> tuple[Tensor, ...]:
    """The inputs of the file: a batch, with an unknown eye where it has none and the network wants one."""
    *eeg, eye = vars(batch).values()
    if not card.eye_trained:
        return tuple(eeg)
    nothing = torch.full((len(batch.de), ReaderConfig(**card.reader).n_eye), torch.nan)
    return *eeg, nothing if eye is None else eye


def metadata(card: Card) -> dict[str, str]:
    """What is needed beside the graph to use it, and which weights it was made of; the card has its hash."""
    readouts = {name: head.model_dump(mode="json", exclude=NOT_IN_METADATA) for name, head in card.readouts.items()}
    return {
        "name": card.name, "model_sha256": card.sha256["model.safetensors"],
        "realtime_mood": __version__, "readouts": json.dumps(readouts),
        "spec": json.dumps(card.spec.model_dump(mode="json")),
    }  # fmt: skip


@torch.inference_mode()
def difference(weights: Weights, blob: bytes) -> float:
    """The largest difference between the outputs of torch and of ONNX Runtime, over several montages."""
    session = session_of(blob)
    names = [each.name for each in session.get_inputs()]
    graph, most = _Graph(weights.reader.eval()), 0.0
    batches = [golden_input(weights.reader.config), *(example(weights, *shape) for shape in CHECKED)]
    for batch in batches:
        given = [x.numpy() for x in tensors(batch, weights.card)]
        found = session.run(None, dict(zip(names, given, strict=True)))
        inputs = [x for x in vars(batch).values() if x is not None]  # without an eye, torch is given none
        for one, other in zip(found, graph(*inputs), strict=True):
            off = float(np.abs(one - other.numpy()).max())
            most = max(most, off if np.isfinite(off) else np.inf)
    return most


def example(weights: Weights, n: int, n_chans: int) -> Batch:
    """A random batch with bad channels and missing steps; of several samples, the first has no eye."""
    c, some = weights.reader.config, torch.Generator().manual_seed(100 * n + n_chans)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=some)

    def mostly(*shape: int) -> Tensor:
        return torch.cat((torch.ones(n, 1), torch.rand(shape, generator=some)), 1) > 0.2

    positions = nn.functional.normalize(normal(n, n_chans, 3), dim=-1)
    eye = normal(n, c.n_eye) if weights.card.eye_trained and n > 1 else None
    if eye is not None:
        eye[0] = torch.nan
    return Batch(
        normal(n, c.n_steps, n_chans, c.n_bands), normal(n, n_chans, c.n_patches, c.patch_len), positions,
        mostly(n, n_chans - 1), mostly(n, c.n_steps - 1), mostly(n, c.n_patches - 1), eye,
    )  # fmt: skip
