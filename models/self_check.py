"""What `doctor` calls in a child process: weights are loaded and compared with their golden pair, the GPU is tried."""

from __future__ import annotations

from typing import Any


def by_onnx(weights: str) -> str:
    """The name of the weights; raises `WeightsError` where ONNX Runtime does not compute their golden pair."""
    from .onnx_runtime import OnnxInference

    return OnnxInference(weights).card.name


def by_torch(weights: str) -> dict[str, Any]:
    """The ``version`` of torch and of its ``cuda``, the name of the ``gpu``, and how the network ``failed`` on it.

    Raises `WeightsError` where torch does not compute the golden pair.
    """
    import torch

    from .checkpoint import load_weights
    from .runtime import TorchInference

    loaded = load_weights(weights)
    has_gpu = torch.cuda.is_available()
    notes = TorchInference(loaded, torch.device("cuda")).notes if has_gpu else ()
    gpu = torch.cuda.get_device_name() if has_gpu else ""
    return {"version": torch.__version__, "cuda": torch.version.cuda, "gpu": gpu, "failed": "; ".join(notes)}
