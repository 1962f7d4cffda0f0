"""Weights on disk: saving and loading a trained network with hashes and a golden pair.

A folder holds ``model.safetensors`` (weights), ``config.json`` (everything else that a run depends on, with hashes),
``golden.safetensors`` (the network's output for `golden_input`) and ``README.md`` (the model card).
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import WeightsError
from realtime_mood.files import write_whole

from . import inputs
from .card import DEFAULT, FIX, Card, ReadoutCard, check_golden, find, read_card, read_file
from .reader import Batch, MoodReader, ReaderConfig


@dataclass(frozen=True, eq=False)
class Weights:
    """A loaded and checked network."""

    reader: MoodReader
    card: Card


def golden_input(config: ReaderConfig) -> Batch:
    """The input of the golden pair."""
    return Batch.of(inputs.golden_input(config))


@torch.inference_mode()
def _golden(reader: MoodReader, readouts: dict[str, ReadoutCard]) -> dict[str, torch.Tensor]:
    scores = reader(golden_input(reader.config)).scores
    temperatures = {name: card.own_baseline.temperature for name, card in readouts.items()}
    return {name: (scores[name] / t).softmax(-1).contiguous() for name, t in temperatures.items()}


def save_weights(
    folder: Path, reader: MoodReader, spec: FeatureSpec, readouts: dict[str, ReadoutCard], training: dict
) -> None:
    """Write a network to `folder`; raises `OSError` when there is no space, and leaves no file incomplete.

    A branch of eye movements that was not trained is left out.
    """
    reader, tensors, config = reader.eval(), reader.state_dict(), reader.config
    if not reader.eye_trained:
        tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("eye.")}
        config = replace(config, n_eye=0)
    blobs = {"model.safetensors": save(tensors), "golden.safetensors": save(_golden(reader, readouts))}
    for name, blob in blobs.items():
        write_whole(folder / name, blob)
    card = Card(
        name=folder.name,
        reader=asdict(config),
        spec=spec,
        readouts=readouts,
        training={**training, "eye_trained": reader.eye_trained},
        sha256={name: hashlib.sha256(blob).hexdigest() for name, blob in blobs.items()},
    )
    write_whole(folder / "config.json", card.to_json())


def load_weights(name_or_path: str = DEFAULT) -> Weights:
    """Load a network, check every hash, and check that it reproduces its golden pair.

    Raises `WeightsError` where anything is missing, unreadable or altered, or the output differs.
    """
    folder = find(name_or_path)
    asked = f"weights {name_or_path!r}"
    card = read_card(folder, asked)
    blobs = {name: read_file(folder, name, card, asked) for name in ("model.safetensors", "golden.safetensors")}
    try:
        reader = MoodReader(ReaderConfig(**card.reader)).eval()
        reader.load_state_dict(load(blobs["model.safetensors"]), strict=True)
        reader.eye_trained = card.eye_trained
        golden = load(blobs["golden.safetensors"])
    except (RuntimeError, TypeError, SafetensorError) as error:
        raise WeightsError(asked, f"they do not fit the network: {str(error).splitlines()[0]}", FIX) from None
    for name, probs in _golden(reader, card.readouts).items():
        check_golden(asked, name, float((probs - golden[name]).abs().max()))
    return Weights(reader, card)
