"""Weights on disk: saving and loading a trained network with hashes and a golden pair.

A folder holds ``model.safetensors`` (weights), ``config.json`` (everything else that a run depends on, with hashes),
``golden.safetensors`` (the network's output for `golden_input`) and ``README.md`` (the model card).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import WeightsError
from realtime_mood.files import Strict, write_whole
from realtime_mood.profile import digest
from realtime_mood.readout import HeldOutResult, Readout

from .reader import Batch, MoodReader, ReaderConfig

DEFAULT = "reader-4"
FORMAT = 2
GOLDEN_TOLERANCE = 1e-4  # in probability; far more than between machines or devices
FIX = "take the weights from the release again, or pass others with --weights"


class Trust(Strict):
    """Calibration of a readout's confidence, determined on held-out subjects."""

    temperature: float  # divisor of the scores that makes confidence equal accuracy
    least_confidence: float  # below it, a reading is `unsure`


class ReadoutCard(Strict):
    """One head of the network, with its calibration and validation."""

    labels: tuple[str, ...]
    coordinates: tuple[tuple[float, float], ...]
    evidence: str
    population_mean: tuple[float, ...]
    population_sd: tuple[float, ...]
    own_baseline: Trust
    no_baseline: Trust

    def trust(self, *, calibrated: bool) -> Trust:
        """With the subject's own baseline, or without."""
        return self.own_baseline if calibrated else self.no_baseline


class Card(Strict):
    """``config.json``."""

    format: int = FORMAT
    name: str
    reader: dict
    spec: FeatureSpec
    readouts: dict[str, ReadoutCard]
    training: dict  # recipe, figures on held-out subjects, and the hashes of every training record
    sha256: dict[str, str]

    def readout(self, name: str) -> Readout:
        """Labels and scales of one of `readouts`, and on whom it was shown where it was trained on a data set."""
        head = self.readouts[name]
        return Readout(name, head.labels, head.coordinates, head.evidence, self.held_out(name))

    def held_out(self, name: str) -> HeldOutResult | None:
        """The outcome of `train --dataset` on held-out subjects; None for other readouts."""
        found = self.training.get("data_sets", {}).get(name)
        return HeldOutResult(**found["held_out"]) if found else None

    @property
    def eye_trained(self) -> bool:
        """Whether training had eye-movement features; old cards without the entry had none."""
        return self.training.get("eye_trained") is True


@dataclass(frozen=True, eq=False)
class Weights:
    """A loaded and checked network."""

    reader: MoodReader
    card: Card


def golden_input(config: ReaderConfig) -> Batch:
    """A fixed batch with an unusual montage, missing steps and a bad channel."""
    rng = np.random.default_rng(0)
    shape = {"de": (2, config.n_steps, 7, config.n_bands), "patches": (2, 7, config.n_patches, config.patch_len)}
    de, patches = (torch.as_tensor(rng.normal(size=s), dtype=torch.float32) for s in shape.values())
    positions = torch.nn.functional.normalize(torch.as_tensor(rng.normal(size=(2, 7, 3)), dtype=torch.float32), dim=-1)
    chans, steps = torch.ones(2, 7, dtype=torch.bool), torch.ones(2, config.n_steps, dtype=torch.bool)
    chans[1, 3] = steps[1, :4] = False
    return Batch(de, patches, positions, chans, steps, torch.ones(2, config.n_patches, dtype=torch.bool))


@torch.inference_mode()
def _golden(reader: MoodReader, readouts: dict[str, ReadoutCard]) -> dict[str, torch.Tensor]:
    scores = reader(golden_input(reader.config)).scores
    temperatures = {name: card.own_baseline.temperature for name, card in readouts.items()}
    return {name: (scores[name] / t).softmax(-1).contiguous() for name, t in temperatures.items()}


def save_weights(
    folder: Path, reader: MoodReader, spec: FeatureSpec, readouts: dict[str, ReadoutCard], training: dict
) -> None:
    """Write a network to `folder`; raises `OSError` when there is no space, and leaves no file incomplete."""
    reader = reader.eval()
    blobs = {"model.safetensors": save(reader.state_dict()), "golden.safetensors": save(_golden(reader, readouts))}
    for name, blob in blobs.items():
        write_whole(folder / name, blob)
    card = Card(
        name=folder.name,
        reader=asdict(reader.config),
        spec=spec,
        readouts=readouts,
        training={**training, "eye_trained": reader.eye_trained},
        sha256={name: hashlib.sha256(blob).hexdigest() for name, blob in blobs.items()},
    )
    body = card.model_dump(mode="json")
    write_whole(folder / "config.json", (json.dumps({"digest": digest(body), **body}, indent=1) + "\n").encode())


def find(name_or_path: str) -> Path:
    """The folder of shipped weights of that name, or at that path; raises `WeightsError`."""
    path = Path(name_or_path)
    if path.is_dir():
        return path
    shipped = Path(str(files("realtime_mood.models"))) / "weights"
    if (shipped / name_or_path / "config.json").is_file():
        return shipped / name_or_path
    names = ", ".join(sorted(p.parent.name for p in shipped.glob("*/config.json"))) or "none"
    raise WeightsError(f"weights {name_or_path!r}", f"no such folder; shipped are {names}", FIX)


def load_weights(name_or_path: str = DEFAULT) -> Weights:
    """Load a network, check every hash, and check that it reproduces its golden pair.

    Raises `WeightsError` where anything is missing, unreadable or altered, or the output differs.
    """
    folder = find(name_or_path)
    asked = f"weights {name_or_path!r}"
    try:
        body = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        stored = body.pop("digest", None)
        if body.get("format") != FORMAT:
            raise WeightsError(asked, f"config.json is of format {body.get('format')}, this program's is {FORMAT}", FIX)
        card = Card.model_validate(body)
        blobs = {name: (folder / name).read_bytes() for name in ("model.safetensors", "golden.safetensors")}
    except ValidationError as error:
        first = error.errors()[0]
        raise WeightsError(asked, f"config.json, {'.'.join(map(str, first['loc']))}: {first['msg']}", FIX) from None
    except (OSError, ValueError, AttributeError) as error:
        raise WeightsError(asked, f"unreadable: {error}", FIX) from None
    if stored != digest(card.model_dump(mode="json")):
        raise WeightsError(asked, "config.json was altered after training", FIX)
    for name, blob in blobs.items():
        if hashlib.sha256(blob).hexdigest() != card.sha256.get(name):
            raise WeightsError(asked, f"{name} was altered after training", FIX)
    try:
        reader = MoodReader(ReaderConfig(**card.reader)).eval()
        reader.load_state_dict(load(blobs["model.safetensors"]), strict=True)
        reader.eye_trained = card.eye_trained
        golden = load(blobs["golden.safetensors"])
    except (RuntimeError, TypeError, SafetensorError) as error:
        raise WeightsError(asked, f"they do not fit the network: {str(error).splitlines()[0]}", FIX) from None
    for name, probs in _golden(reader, card.readouts).items():
        off = float((probs - golden[name]).abs().max())
        if not off <= GOLDEN_TOLERANCE:
            raise WeightsError(asked, f"{name} is {off:.2g} away from its golden pair on this machine", FIX)
    return Weights(reader, card)
