"""The model card: what the weights in a folder read, on what evidence, and the hashes of their files; without torch.

``config.json`` holds it. Programs that run an exported network by other means (ONNX) need this module alone.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import SerializerFunctionWrapHandler, ValidationError, model_serializer

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import WeightsError
from realtime_mood.files import Strict
from realtime_mood.profile import digest
from realtime_mood.readout import HeldOutResult, Readout

from .familiarity import Gaussian, TrainingSignals

DEFAULT = "reader-5"
EARLIER = {"reader-4": "reader-5"}
"""Names that recordings and profiles may have: the network is the same, the card has changed."""
WEIGHTS = Path(str(files("realtime_mood.models"))) / "weights"
FORMAT = 2
GOLDEN_TOLERANCE = 1e-4  # in probability; far more than between machines, devices or runtimes
FIX = "take the weights from the release again, or pass others with --weights"


class _Growing(Strict):
    """A part of the card with fields that older cards lack: what is None is not written, so their digest stays."""

    @model_serializer(mode="wrap")
    def _known(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in serialise(self).items() if value is not None}


class Trust(_Growing):
    """Calibration of a readout's confidence, and of what is familiar to it, determined on held-out subjects."""

    temperature: float  # divisor of the scores that makes confidence equal accuracy
    least_confidence: float  # below it, a reading is `unsure`
    features: Gaussian | None = None  # of the training subjects; None: unfamiliarity is not measured


class ReadoutCard(_Growing):
    """One head of the network, with its calibration and validation."""

    labels: tuple[str, ...]
    coordinates: tuple[tuple[float, float], ...]
    evidence: str
    population_mean: tuple[float, ...]
    population_sd: tuple[float, ...]
    eye_mean: tuple[float, ...] | None = None  # of eye movements, where training had any
    eye_sd: tuple[float, ...] | None = None
    own_baseline: Trust
    no_baseline: Trust
    device: TrainingSignals | None = None  # signals of the training subjects; None: unfamiliarity is not measured

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
    def digest(self) -> str:
        """SHA-256 of its content, whatever the formatting of the file."""
        return digest(self.model_dump(mode="json"))

    def to_json(self) -> bytes:
        """The content of ``config.json``."""
        return (json.dumps({"digest": self.digest, **self.model_dump(mode="json")}, indent=1) + "\n").encode()

    @property
    def eye_trained(self) -> bool:
        """Whether training had eye-movement features; old cards without the entry had none."""
        return self.training.get("eye_trained") is True

    @property
    def hashes(self) -> tuple[str, ...]:
        """SHA-256 of the network's file, and of earlier files with the same outputs: profiles of these stay valid."""
        return (self.sha256["model.safetensors"], *self.training.get("same_outputs", ()))


def shipped() -> list[str]:
    """The names of the weights that come with the program."""
    return sorted(path.parent.name for path in WEIGHTS.glob("*/config.json"))


def find(name_or_path: str) -> Path:
    """The folder of shipped weights of that name, or at that path; raises `WeightsError`."""
    path = Path(name_or_path)
    if path.is_dir():
        return path
    found = WEIGHTS / EARLIER.get(name_or_path, name_or_path)
    if (found / "config.json").is_file():
        return found
    names = ", ".join(shipped()) or "none"
    raise WeightsError(f"weights {name_or_path!r}", f"no such folder; shipped are {names}", FIX)


def read_card(folder: Path, asked: str) -> Card:
    """The card in a folder of weights; raises `WeightsError`, which names what was `asked` for, where it is invalid."""
    try:
        body = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        stored = body.pop("digest", None)
        if body.get("format") != FORMAT:
            raise WeightsError(asked, f"config.json is of format {body.get('format')}, this program's is {FORMAT}", FIX)
        card = Card.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        raise WeightsError(asked, f"config.json, {'.'.join(map(str, first['loc']))}: {first['msg']}", FIX) from None
    except (OSError, ValueError, AttributeError) as error:
        raise WeightsError(asked, f"unreadable: {error}", FIX) from None
    if stored != card.digest:
        raise WeightsError(asked, "config.json was altered after training", FIX)
    return card


def read_file(folder: Path, name: str, card: Card, asked: str) -> bytes:
    """A file that the card has the hash of; raises `WeightsError` where it is missing or altered."""
    try:
        blob = (folder / name).read_bytes()
    except OSError as error:
        raise WeightsError(asked, f"unreadable: {error}", FIX) from None
    if hashlib.sha256(blob).hexdigest() != card.sha256.get(name):
        raise WeightsError(asked, f"{name} was altered after training", FIX)
    return blob


def check_golden(asked: str, readout: str, off: float) -> None:
    """Raise `WeightsError` where the network's probabilities are `off` its golden pair by more than the tolerance."""
    if not off <= GOLDEN_TOLERANCE:
        raise WeightsError(asked, f"{readout} is {off:.2g} away from its golden pair on this machine", FIX)


def with_file(card: Card, name: str, blob: bytes) -> Card:
    """The card of the same weights with one more file."""
    return card.model_copy(update={"sha256": {**card.sha256, name: hashlib.sha256(blob).hexdigest()}})
