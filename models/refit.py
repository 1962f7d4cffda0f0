"""Fits again what weights call unsure and unfamiliar; the network, its temperatures and its golden pair stay.

Real subjects are scored by networks of the same recipe that were trained without them; simulated ones are new, so that
the network itself has never seen them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from realtime_mood.entropy import Population
from realtime_mood.errors import ConfigError
from realtime_mood.files import write_whole

from .card import Card, ReadoutCard, find, read_file, with_file
from .checkpoint import Weights, load_weights
from .crossfit import FitOptions, LabelledReadout, Log, Scored, fit_one, splits_of, tune, writing
from .datasets.person import Person
from .datasets.virtual import LAST_SEED, difficulty_of
from .evaluation.figures import Scores
from .executor import Executor
from .familiarity_fit import with_familiarity
from .onnx_runtime import FILE as ONNX
from .ship import N_FOLDS, gather
from .subject_sampler import SubjectSampler
from .train import TrainingRecipe, scores

KEPT = ("population_mean", "population_sd")


def refit(weights: str, data: Path, out: Path, n_virtual: int, executor: Executor, log: Log, seed: int = 0) -> Card:
    """Write the weights to `out` with new thresholds, and return their card.

    Parameters
    ----------
    weights : str
        Of the shipped readouts, by name or folder.
    data : Path
        The folder of EEGMAT.
    out : Path
        May be the folder of the weights.
    n_virtual : int
        Number of new simulated subjects, beside half as many in whom states have no effect.
    executor : Executor
        Trains the networks of the folds.
    log : callable
        Receives lines of progress.
    seed : int
        Of the folds.

    Raises
    ------
    ConfigError
        The weights have other readouts.
    """
    torch.set_num_threads(1)
    loaded, folder = load_weights(weights), find(weights)
    seeds = new_seeds(loaded.card, n_virtual)
    readouts = gather(data, seeds, loaded.card.spec, log)
    if set(readouts) != set(loaded.card.readouts):
        found = f"its readouts are {', '.join(loaded.card.readouts)}"
        raise ConfigError(f"new thresholds of {weights}", found, "train those weights again")
    scored = {
        "effort": scored_by_folds(readouts["effort"], loaded.card, folder, executor, seed),
        "emotion3": scored_by_itself(loaded, readouts["emotion3"]),
    }
    heads, figures = {}, {}
    for name, readout in readouts.items():
        heads[name], figures[name] = refitted(loaded.card, name, readout, scored[name], seed)
        log(f"{name}: {figures[name]}")
    training = loaded.card.training
    for name, of_readout in figures.items():
        training["figures"][name]["unfamiliar"] = of_readout.pop("unfamiliar")
    training["thresholds"] = {"simulated_seeds": seeds, "figures": figures}
    card = loaded.card.model_copy(update={"readouts": heads, "training": training})
    blobs = {name: read_file(folder, name, card, weights) for name in card.sha256}
    if ONNX in blobs:
        blobs[ONNX] = described(blobs[ONNX], card)
        card = with_file(card, ONNX, blobs[ONNX])
    with writing(out):
        for name, blob in {**blobs, "config.json": card.to_json()}.items():
            write_whole(out / name, blob)
    load_weights(str(out))
    log(f"saved {out}")
    return card


def new_seeds(card: Card, n: int) -> list[int]:
    """Seeds of `n` simulated subjects that were not in training, and of half as many in whom states have no effect."""
    trained = [int(name.split("-")[1]) for name in card.training["records_sha256"] if name.startswith("virtual-")]
    first = max(trained, default=-1) + 1
    later = (seed for seed in range(first + n, LAST_SEED) if difficulty_of(seed) == "none")
    return [*range(first, first + n), *islice(later, n // 2)]


def refitted(
    card: Card, name: str, readout: LabelledReadout, scored: Mapping[bool, Mapping[int, Scores]], seed: int
) -> tuple[ReadoutCard, dict[str, Any]]:
    """One readout with new thresholds for its old temperatures; and figures on the subjects they were chosen on."""
    old = card.readouts[name]
    temperatures = {True: old.own_baseline.temperature, False: old.no_baseline.temperature}
    new, figures = tune(readout, scored, temperatures)
    new = new.model_copy(update={key: getattr(old, key) for key in KEPT})
    splits = splits_of(len(readout.subjects), N_FOLDS, seed)
    new, figures["unfamiliar"] = with_familiarity(new, readout.subjects, card.spec, splits, seed)
    return new, figures


def scored_by_itself(weights: Weights, readout: LabelledReadout) -> dict[bool, dict[int, Scores]]:
    """Scores of subjects that the network was not trained on."""
    (name,) = (name for name, head in weights.card.readouts.items() if head.evidence == readout.evidence)
    sampler = sampler_of(weights.card, name, readout.subjects)
    return {
        frozen: {
            i: Scores(*scores(weights.reader, name, sampler, i, frozen=frozen)) for i in range(len(readout.subjects))
        }
        for frozen in (True, False)
    }


def scored_by_folds(
    readout: LabelledReadout, card: Card, folder: Path, executor: Executor, seed: int
) -> dict[bool, dict[int, Scores]]:
    """Scores of held-out subjects by networks that were trained on the others, from the same encoder."""
    recipe = TrainingRecipe()
    options = FitOptions(card.spec, replace(recipe, batches={"effort": recipe.batches["effort"]}), seed, folder)
    left = [{"effort": split.left} for split in splits_of(len(readout.subjects), N_FOLDS, seed)]
    found: Scored = {"effort": {True: {}, False: {}}}
    for _, (_, of_fold) in executor.run(fit_one, left, ({"effort": readout}, options)):
        for frozen, rows in of_fold["effort"].items():
            found["effort"][frozen] |= rows
    return found["effort"]


def sampler_of(card: Card, name: str, subjects: Sequence[Person]) -> SubjectSampler:
    """Subjects as the network sees them."""
    head = card.readouts[name]
    pop = Population(np.array(head.population_mean), np.array(head.population_sd))
    return SubjectSampler(subjects, pop, card.spec)


def described(blob: bytes, card: Card) -> bytes:
    """An ``.onnx`` file with the metadata of the card."""
    import onnx

    from .sharing.onnx_file import metadata

    model = onnx.load_from_string(blob)
    onnx.helper.set_model_props(model, metadata(card))
    described_blob: bytes = model.SerializeToString()
    return described_blob
