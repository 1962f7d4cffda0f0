"""Checkpoint of a pre-training run: everything needed to resume it exactly, in one safetensors file.

It has no random state: batches and masks are functions of (seed, step), and nothing else is random.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from realtime_mood import files
from realtime_mood.errors import MoodError, WeightsError

FORMAT = 1
FIX = "start again in another folder, or resume with the original settings and recordings"


@dataclass
class TrainingState:
    """Progress of a run."""

    step: int = 0
    seconds: float = 0.0
    best: float = float("inf")
    best_step: int = 0
    poorer: int = 0  # consecutive checks without an improvement of the held-out loss


def write_whole(path: Path, blob: bytes) -> None:
    """`realtime_mood.files.write_whole`; raises `MoodError`, which explains how to resume, when there is no space."""
    try:
        files.write_whole(path, blob)
    except OSError as error:
        kept = f"{path.name} is still the one before" if path.is_file() else f"there is no {path.name} yet"
        do = "free some space and run again with --resume"
        raise MoodError(f"writing {path}", f"{error.strerror or error}; {kept}", do) from None


def save_state(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, state: TrainingState, digest: str
) -> None:
    """Write a checkpoint; `digest` is of all settings and data that must be the same when the run is resumed."""
    tensors = {f"model.{key}": value for key, value in model.state_dict().items()}
    for i, values in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{i}.{key}": torch.as_tensor(value) for key, value in values.items()}
    blob = save(
        {key: value.detach().cpu().contiguous() for key, value in tensors.items()},
        {"format": str(FORMAT), "digest": digest, "course": json.dumps(asdict(state))},
    )
    write_whole(path, blob)


def load_state(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, digest: str) -> TrainingState:
    """Restore model and optimiser, and return the progress; raises `WeightsError` for a file of another run."""
    asked = f"checkpoint {path}"
    try:
        with safe_open(path, "pt") as f:
            about = f.metadata() or {}
            tensors: dict[str, Tensor] = {key: f.get_tensor(key) for key in f.keys()}  # noqa: SIM118 - f is no dict
    except FileNotFoundError:
        raise WeightsError(asked, "no such file", "leave out --resume to begin a run") from None
    except (OSError, SafetensorError) as error:
        raise WeightsError(asked, f"unreadable: {error}", "start again in another folder") from None
    if about.get("format") != str(FORMAT):
        raise WeightsError(asked, f"it is of format {about.get('format')}, this program's is {FORMAT}", FIX)
    if about.get("digest") != digest:
        raise WeightsError(asked, "it was made with other settings or on other recordings", FIX)
    try:
        state = TrainingState(**json.loads(about["course"]))
        model.load_state_dict({k[len("model.") :]: v for k, v in tensors.items() if k.startswith("model.")})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(asked, f"it does not fit: {str(error).splitlines()[0]}", FIX) from None
    values: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser."):
            _, i, name = key.split(".")
            values.setdefault(int(i), {})[name] = value
    optimiser.load_state_dict(optimiser.state_dict() | {"state": values})
    return state
