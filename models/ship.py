"""Turns the training people into the weights that come with the program: fit, tune on people left out, fit again, save.

Two networks are trained by the same recipe. The first leaves people out, and on them the temperature and the
confidence below which a readout is unsure are chosen, and the figures of the card are measured. The second is trained
on everybody, and shipped with the first one's choices. Nobody kept for outside checks is in either.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize_scalar

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, ProfileError

from .checkpoint import ReadoutCard, save_weights
from .datasets import eegmat, virtual
from .datasets.person import Person
from .pretraining.encoder import load_encoder
from .reader import MoodReader, ReaderConfig
from .train import Recipe, Task, figures, fit, scores

COORDINATES = {
    "effort": ((0.1, -0.4), (-0.1, 0.4)),
    "emotion3": ((-0.7, 0.4), (0.0, -0.2), (0.7, 0.4)),
}
EVIDENCE = {"effort": "real", "emotion3": "virtual"}
LEFT_OUT = {"effort": 5, "emotion3": 80}  # people the tuning is done on
UNSURE_SHARE = 0.15  # of readings on people left out: the least confident are not shown as estimates
Log = Callable[[str], None]


def gather(eegmat_path: Path, n_virtual: int, spec: FeatureSpec, log: Log) -> dict[str, list[Person]]:
    """Everybody there is to train on, by readout."""
    if not eegmat_path.is_file():
        raise ConfigError(
            f"training data {eegmat_path}", "no such file", "pass the folder with the EEGMAT archive as --data"
        )
    real = [p for p in eegmat.people(eegmat_path, spec) if p.name.removeprefix("eegmat-") not in eegmat.HELD_OUT]
    log(f"{len(real)} people of EEGMAT")
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        made = list(pool.map(virtual.one, range(n_virtual), [spec] * n_virtual, chunksize=10))
    made = [p for p in made if _has_baseline(p, spec)]
    log(f"{len(made)} virtual people with a usable baseline, of {n_virtual}")
    return {"effort": real, "emotion3": made}


def _has_baseline(p: Person, spec: FeatureSpec) -> bool:
    try:
        p.profile(spec)
    except ProfileError:
        return False
    return True


def tasks_of(people: dict[str, list[Person]], spec: FeatureSpec) -> list[Task]:
    """One task a readout."""
    labels = {"effort": eegmat.LABELS, "emotion3": virtual.LABELS}
    return [Task.of(name, labels[name], who, spec) for name, who in people.items()]


def train(
    people: dict[str, list[Person]], spec: FeatureSpec, recipe: Recipe, seed: int, log: Log, encoder: Path | None = None
) -> tuple[MoodReader, list[Task]]:
    """Fit one network to `people`, from a pre-trained `encoder` where there is one."""
    torch.set_num_threads(1)
    tasks = tasks_of(people, spec)
    recent: dict[str, list[float]] = {task.name: [] for task in tasks}

    def report(step: int, losses: dict[str, float]) -> None:
        for name, loss in losses.items():
            recent[name] = [*recent[name][-49:], loss]
        if step % 50 == 49:
            log(json.dumps({"step": step + 1, **{name: round(float(np.mean(x)), 4) for name, x in recent.items()}}))

    return fit(ReaderConfig(), tasks, recipe, seed, report, encoder), tasks


def tune(reader: MoodReader, task: Task, left_out: Sequence[Person], spec: FeatureSpec) -> tuple[ReadoutCard, dict]:
    """Choose temperature and least confidence on people left out, and measure what the card will say."""
    who = Task.of(task.name, task.labels, left_out, spec, task.population).who
    found = {
        frozen: [scores(reader, task.name, who, i, frozen=frozen) for i in range(len(who.people))]
        for frozen in (True, False)
    }
    logits, labels = (np.concatenate(column) for column in zip(*found[True], *found[False], strict=True))

    def loss(log_t: float) -> float:
        z = torch.as_tensor(logits / np.exp(log_t))
        return float(torch.nn.functional.cross_entropy(z, torch.as_tensor(labels)))

    temperature = float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))
    confidence = torch.as_tensor(logits / temperature).softmax(-1).amax(-1).numpy()
    least = float(np.quantile(confidence, UNSURE_SHARE))
    card = ReadoutCard(
        labels=task.labels,
        coordinates=COORDINATES[task.name],
        evidence=EVIDENCE[task.name],
        population_mean=task.population.mean.tolist(),
        population_sd=task.population.sd.tolist(),
        temperature=round(temperature, 4),
        least_confidence=round(least, 4),
    )
    return card, {"people": len(left_out)} | {
        "own baseline" if frozen else "no baseline": _mean([figures(*pair) for pair in pairs])
        for frozen, pairs in found.items()
    }


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(float(np.mean([row[key] for row in rows])), 3) for key in rows[0]}


def ship(
    data: Path, out: Path, *, n_virtual: int, recipe: Recipe, seed: int, log: Log, encoder: Path | None = None
) -> None:
    """Train, tune and save to `out`; `encoder` is the folder of a pre-trained raw encoder to begin with."""
    spec = FeatureSpec()
    people = gather(data / "eegmat_dev24_125hz.npz", n_virtual, spec, log)
    order = {name: np.random.default_rng(seed).permutation(len(who)) for name, who in people.items()}
    kept = {name: [who[i] for i in order[name][LEFT_OUT[name] :]] for name, who in people.items()}
    left = {name: [who[i] for i in order[name][: LEFT_OUT[name]]] for name, who in people.items()}
    # The two fits do not need each other; each takes one core.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        everybody = pool.submit(_train_quietly, people, spec, recipe, seed, encoder)
        reader, tasks = train(kept, spec, recipe, seed, log, encoder)
        tuned = {task.name: tune(reader, task, left[task.name], spec) for task in tasks}
        for name, (card, figure) in tuned.items():
            log(json.dumps({name: figure, "temperature": card.temperature, "least_confidence": card.least_confidence}))
        state = everybody.result()
    final = MoodReader(reader.config)
    final.load_state_dict({key: torch.as_tensor(value) for key, value in state.items()})
    training = {
        "recipe": asdict(recipe),
        "seed": seed,
        "figures": {name: figure for name, (_, figure) in tuned.items()},
        "figures_are_of": "people left out of a first network trained by the same recipe",
        "sources": {
            "effort": "EEGMAT without subjects 32-35 (doi 10.13026/C2JQ1P, ODC-By 1.0)",
            "emotion3": "virtual people",
        },
        "records_sha256": {p.name: p.sha256 for who in people.values() for p in who},
        "encoder": about_encoder(encoder) if encoder else None,
    }
    save_weights(out, final, spec, {name: card for name, (card, _) in tuned.items()}, training)
    log(f"saved {out}")


def about_encoder(path: Path) -> dict:
    """What the card of weights says of the encoder they began with: all of its own card but the list of people."""
    _, card = load_encoder(path)
    return {key: value for key, value in card.items() if key not in ("people", "held_out_people")}


def _train_quietly(
    people: dict[str, list[Person]], spec: FeatureSpec, recipe: Recipe, seed: int, encoder: Path | None
) -> dict[str, np.ndarray]:
    reader, _ = train(people, spec, recipe, seed, lambda _: None, encoder)
    return {key: value.numpy() for key, value in reader.state_dict().items()}
