"""The result of pre-training: an encoder, and its card.

A folder holds ``encoder.safetensors`` and ``encoder.json``: the shape of the encoder, the settings of its features, and
the subjects it was trained and chosen on, with the hashes of their records. Weights whose training started from an
encoder and did not change it contain it, too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, WeightsError
from realtime_mood.models.card import find
from realtime_mood.models.checkpoint import load_weights
from realtime_mood.models.datasets.corpus import PreparedSession
from realtime_mood.models.reader import RawEncoder, ReaderConfig

from .state import write_whole

FORMAT = 1
SHAPE = ("raw_token", "patch_len", "n_patches", "raw_dim", "raw_depth", "heads")
"""Fields of ReaderConfig that an encoder depends on."""


def save_encoder(folder: Path, encoder: RawEncoder, config: ReaderConfig, about: dict[str, Any]) -> None:
    """Write both files to `folder`, with `about` in the card."""
    blob = save({key: value.detach().cpu().contiguous() for key, value in encoder.state_dict().items()})
    card = {"format": FORMAT, "sha256": hashlib.sha256(blob).hexdigest()}
    card |= {"config": {name: getattr(config, name) for name in SHAPE}} | about
    text = json.dumps(card, indent=1) + "\n"
    write_whole(folder / "encoder.safetensors", blob)
    write_whole(folder / "encoder.json", text.encode())


def load_encoder(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """State of a `RawEncoder`, for ``RawEncoder(ReaderConfig(**card["config"])).load_state_dict``, and its card.

    `path` is its folder, or the folder or name of weights that contain it. The card has ``config``, ``spec``,
    ``sha256``, and ``records_sha256`` (name → hashes) and ``virtual_seeds`` of all subjects it was trained or chosen
    on. Raises `WeightsError` where anything is missing, unreadable, altered or of another version.
    """
    asked, fix = f"encoder {path}", "make one: pretrain --data DIR --out DIR"
    if not (path / "encoder.json").is_file() and (weights := _weights_at(path)):
        return _of_weights(weights)
    try:
        card = json.loads((path / "encoder.json").read_text(encoding="utf-8"))
        blob = (path / "encoder.safetensors").read_bytes()
        version, digest, shape = card["format"], card["sha256"], card["config"]
    except FileNotFoundError as error:
        raise WeightsError(asked, f"no {Path(error.filename).name}", fix) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(asked, f"encoder.json cannot be read: {error}", fix) from None
    if version != FORMAT:
        raise WeightsError(asked, f"it is of format {version}, this program's is {FORMAT}", fix)
    if hashlib.sha256(blob).hexdigest() != digest:
        raise WeightsError(asked, "encoder.safetensors is not the one encoder.json is of", fix)
    try:
        state = load(blob)
        with torch.device("meta"):
            expected = RawEncoder(ReaderConfig(**shape)).state_dict()
    except (SafetensorError, TypeError) as error:
        raise WeightsError(asked, f"it cannot be read: {error}", fix) from None
    if {key: value.shape for key, value in state.items()} != {key: value.shape for key, value in expected.items()}:
        raise WeightsError(asked, "its weights have other shapes than its card says", fix)
    return state, card


def begun_with(config: ReaderConfig, card: Mapping[str, Any]) -> ReaderConfig:
    """`config` with the shape of the encoder that a card describes, which may be of none.

    Raises `ConfigError` where the raw branch is to have spectral tokens, and the encoder was trained on patches.
    """
    if card["config"] and config.raw_token != "patch" != card["config"].get("raw_token"):
        found = f"its tokens are a {config.raw_token}, the encoder was pre-trained on patches"
        raise ConfigError("a pre-trained encoder for the raw branch", found, "leave out one of the two options")
    return replace(config, **card["config"])


def _weights_at(path: Path) -> str | None:
    """The name of the weights at `path`, if there are any."""
    try:
        return str(path) if (find(str(path)) / "config.json").is_file() else None
    except WeightsError:
        return None


def _of_weights(name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The encoder in weights, if it is still the pre-trained one; further training has used other subjects."""
    weights = load_weights(name)
    card = weights.card.training.get("encoder") or {}
    state = {key: value.contiguous() for key, value in weights.reader.raw.state_dict().items()}
    if hashlib.sha256(save(state)).hexdigest() != card.get("sha256"):
        raise WeightsError(
            f"encoder of weights {name!r}", "training has changed it after pre-training",
            "pass the folder of an encoder",
        )  # fmt: skip
    return state, card


def describe(
    sessions: Sequence[PreparedSession], held_out: Sequence[PreparedSession], spec: FeatureSpec
) -> dict[str, Any]:
    """The part of the card about the subjects it was trained on, including those it was only chosen on."""
    everyone = [*sessions, *held_out]
    records: dict[str, list[str]] = {}
    datasets: dict[str, list[PreparedSession]] = {}
    for p in everyone:
        records.setdefault(p.job.subject, []).extend(p.records_sha256)
        datasets.setdefault(p.job.dataset, []).append(p)
    corpus = {
        name: {
            "people": len({p.job.subject for p in of_set}),
            "hours": round(sum(len(p.windows(spec.n_patches)[0]) * spec.patch_s / 3600 for p in of_set), 3),
            "licences": sorted({p.job.licence for p in of_set}),
        }
        for name, of_set in datasets.items()
    }
    return {
        "spec": spec.model_dump(mode="json"),
        "corpus": corpus,
        "people": sorted(records),
        "held_out_people": sorted({p.job.subject for p in held_out}),
        "virtual_seeds": sorted({int(p.job.pick) for p in everyone if p.job.kind == "virtual"}),
        "records_sha256": records,
    }
