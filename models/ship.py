"""Training of the weights that come with the program: fit, tune on held-out subjects, save.

The six networks are those of `cross_fit` with five folds. Subjects reserved for outside checks are in none of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from realtime_mood.dsp.spec import FeatureSpec

from .checkpoint import save_weights
from .crossfit import FitOptions, LabelledReadout, Log, about_encoder, cross_fit, room_in, splits_of, tune, writing
from .datasets import virtual
from .datasets.labels import COORDINATES, READOUTS
from .datasets.person import Person
from .datasets.sets.eegmat import HELD_OUT
from .evaluation.cohorts import with_baseline
from .evaluation.labelled import DatasetChoice, load_labelled
from .executor import ProcessesExecutor, SerialExecutor
from .familiarity_fit import with_familiarity
from .inputs import RawToken
from .spread import shared
from .train import TrainingRecipe

N_FOLDS = 5
SOURCES = {
    "effort": "EEGMAT without subjects 32-35 (doi 10.13026/C2JQ1P, ODC-By 1.0)",
    "emotion3": "simulated subjects",
}


def ship(
    data: Path, out: Path, *, n_virtual: int, recipe: TrainingRecipe, seed: int, log: Log, encoder: Path | None = None,
    raw_token: RawToken = "patch",
) -> None:  # fmt: skip
    """Train, tune and save to `out`; by itself, or in each of the processes of ``accelerate launch``.

    `data` is the folder of EEGMAT, `n_virtual` the number of simulated subjects to train on, and `encoder` a
    pre-trained raw encoder to start from (see `load_encoder`). Raises `ConfigError` or `MoodError` where there are no
    data or no disk space, batches cannot be shared, or a loss is no number.
    """
    options = FitOptions(FeatureSpec(), recipe, seed, encoder, raw_token)
    with shared() as accelerator:
        torch.set_num_threads(1)
        log = log if accelerator.is_main_process else lambda _: None
        about = about_encoder(encoder) if encoder else None
        with room_in(out, accelerator):
            readouts = gather(data, range(n_virtual), options.spec, log)
            reader, scored = cross_fit(readouts, options, N_FOLDS, accelerator, ProcessesExecutor(2), log)
        cards, figures = {}, {}
        for name, readout in readouts.items():
            card, figures[name] = tune(readout, scored[name])
            splits = splits_of(len(readout.subjects), N_FOLDS, seed)
            cards[name], figures[name]["unfamiliar"] = with_familiarity(
                card, readout.subjects, options.spec, splits, seed
            )
            log(json.dumps({name: figures[name]}))
        training = {
            "recipe": asdict(recipe),
            "seed": seed,
            "figures": figures,
            "figures_are_of": f"held-out subjects, in {N_FOLDS} folds, of networks trained by the same recipe",
            "sources": SOURCES,
            "records_sha256": {p.name: p.sha256 for readout in readouts.values() for p in readout.subjects},
            "encoder": about,
        }
        if accelerator.is_main_process:
            with writing(out):
                save_weights(out, reader, options.spec, cards, training)
        log(f"saved {out}")


def gather(data: Path, seeds: Sequence[int], spec: FeatureSpec, log: Log) -> dict[str, LabelledReadout]:
    """All training subjects, by readout; `seeds` are those of simulated ones."""
    every, _ = load_labelled(DatasetChoice("eegmat", data, "effort"), "c1", spec, SerialExecutor(), log)
    real = [p for p in every if p.name not in HELD_OUT]
    log(f"{len(real)} subjects of EEGMAT")
    made = dict(ProcessesExecutor(2).run(_virtual, seeds, spec))
    simulated = list(with_baseline((made[i] for i in range(len(seeds))), spec))
    log(f"{len(simulated)} simulated subjects with a usable baseline, of {len(seeds)}")
    return {
        "effort": LabelledReadout(READOUTS["effort"], COORDINATES["effort"], "real", real),
        "emotion3": simulated_readout(simulated),
    }


def simulated_readout(subjects: Sequence[Person]) -> LabelledReadout:
    """The readout of simulated subjects; in some of them states have no effect."""
    none = frozenset(p.name for p in subjects if p.name.endswith("-none"))
    return LabelledReadout(virtual.LABELS, COORDINATES["emotion3"], "virtual", subjects, none)


def _virtual(spec: FeatureSpec, seed: int) -> Person:
    return virtual.one(seed, spec)
