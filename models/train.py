"""Training of a Mood Reader.

The recipe is plain: AdamW with one cycle, label smoothing, heavy augmentation, a fixed number of steps. Whatever is
chosen (temperature, when to be unsure) is chosen on held-out subjects of training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch.nn import functional as F

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population
from realtime_mood.errors import ConfigError

from .datasets.person import Person, population
from .pretraining.encoder import load_encoder
from .reader import MoodReader, ReaderConfig
from .sampling import Augment, SubjectSampler, plain_batches, training_batches


@dataclass(frozen=True)
class TrainingRecipe:
    """How long and how hard to train."""

    steps: int = 500
    batches: dict[str, int] = field(default_factory=lambda: {"effort": 48, "emotion3": 96})
    """Samples a step: some fourteen times what the few subjects of `effort` have, twice what the virtual ones have."""
    lr: float = 1e-3
    weight_decay: float = 0.1
    label_smoothing: float = 0.1
    clip: float = 1.0
    hide_levels: tuple[float, float, float, float] = (0.5, 0.2, 0.2, 0.25)
    """How often raw, early DE, late DE and eye are hidden from the fusion, so that each learns to stand alone. The raw
    branch remembers training subjects best and new ones worst, so that it must not be leant on."""
    n_steps: int = 5  # of the context's DE steps that become tokens in a batch
    raw_lr: float = 0.0  # of a raw encoder that was pre-trained, as a share of the others'
    augment: Augment = field(default_factory=Augment)


@dataclass(frozen=True)
class Task:
    """One readout and the subjects it is learnt from."""

    name: str
    labels: tuple[str, ...]
    people: Sequence[Person]
    population: Population
    who: SubjectSampler

    @classmethod
    def of(
        cls,
        name: str,
        labels: tuple[str, ...],
        people: Sequence[Person],
        spec: FeatureSpec,
        pop: Population | None = None,
    ) -> Task:
        """A task with the statistics of its own subjects, unless those of others are given."""
        pop = pop or population(people)
        return cls(name, labels, people, pop, SubjectSampler(people, pop, spec))


def fit(
    config: ReaderConfig,
    tasks: Sequence[Task],
    recipe: TrainingRecipe,
    seed: int,
    log: Callable[[int, dict], None] = lambda *_: None,
    encoder: Path | None = None,
    spread: Accelerator | None = None,
) -> MoodReader:
    """Train one network on all `tasks` together, a batch of each a step.

    Parameters
    ----------
    config : ReaderConfig
    tasks : sequence of Task
    recipe : TrainingRecipe
    seed : int
    log : callable, optional
        Told after each step: its number, and the loss of each task over all processes.
    encoder : Path, optional
        Of a pre-trained raw encoder (see `load_encoder`).
    spread : Accelerator, optional
        The device, and the processes that share each batch; without it one process on the CPU.

    Raises
    ------
    ConfigError
        Batches cannot be shared equally.
    ArithmeticError
        The loss is no number; says at which step and learning rate.
    """
    n_shares, mine = (spread.num_processes, spread.process_index) if spread else (1, 0)
    if uneven := [n for n in recipe.batches.values() if n % n_shares]:
        raise ConfigError(f"batches of {uneven[0]} for {n_shares} processes", "it cannot be shared equally",
                          "start another number of processes")  # fmt: skip
    device = spread.device if spread else torch.device("cpu")
    torch.manual_seed(seed)
    state, card = load_encoder(encoder) if encoder else ({}, {"config": {}})
    reader = MoodReader(replace(config, **card["config"])).train()
    reader.raw.load_state_dict(state, strict=bool(encoder))
    if encoder and not recipe.raw_lr:
        reader.raw.requires_grad_(False).eval()  # no dropout either: it was pre-trained without
    reader.to(device)
    parts = [[p for n, p in reader.named_parameters() if n.startswith("raw.") is raw] for raw in (False, True)]
    rates = [recipe.lr, recipe.lr * (recipe.raw_lr if encoder else 1.0)]
    groups = [{"params": part, "lr": lr} for part, lr in zip(parts, rates, strict=True)]
    optimiser = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, recipe.steps, pct_start=0.2)
    feeds = [training_batches(t.who, recipe.batches[t.name], seed, recipe.augment, len(t.labels)) for t in tasks]
    drawn = torch.Generator().manual_seed(seed)  # the same in every process
    torch.manual_seed(seed + mine)  # dropout is not
    for step in range(recipe.steps):
        losses = {}
        for task, feed in zip(tasks, feeds, strict=True):
            batch, labels = next(feed)
            reader.eye_trained |= batch.eye is not None
            keep = torch.rand(len(labels), 4, generator=drawn) >= torch.tensor(recipe.hide_levels)
            keep[:, 2] |= ~keep.any(1)
            steps = torch.randperm(config.n_steps, generator=drawn)[: recipe.n_steps].sort().values
            batch = batch.share(mine, n_shares).to(device)
            keep, labels = keep[mine::n_shares].to(device), labels[mine::n_shares].to(device)
            scores = reader(batch, keep, steps.to(device)).scores[task.name]
            losses[task.name] = F.cross_entropy(scores, labels, label_smoothing=recipe.label_smoothing)
        loss = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad()
        loss.backward()
        told = torch.stack([value.detach() for value in losses.values()])
        if spread and n_shares > 1:
            told = spread.reduce(told, "mean")
            _average_gradients(reader, spread)
        if not torch.isfinite(told).all():
            raise ArithmeticError(
                f"loss is {told.sum().item()} at step {step}, learning rate {schedule.get_last_lr()[0]:.2g}"
            )
        torch.nn.utils.clip_grad_norm_(reader.parameters(), recipe.clip)
        optimiser.step()
        schedule.step()
        log(step, dict(zip(losses, told.tolist(), strict=True)))
    return reader.cpu().eval()


def _average_gradients(reader: MoodReader, spread: Accelerator) -> None:
    """Over processes, all at once: a step has a forward pass a readout, which wrappers of models do not like."""
    grads = [p.grad for p in reader.parameters() if p.grad is not None]
    mean = spread.reduce(torch.cat([g.flatten() for g in grads]), "mean")
    for grad, part in zip(grads, mean.split([g.numel() for g in grads]), strict=True):
        grad.copy_(part.view_as(grad))


@torch.inference_mode()
def scores(
    reader: MoodReader,
    task: str,
    who: SubjectSampler,
    i: int,
    *,
    frozen: bool,
    chans: np.ndarray | None = None,
    every: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, n_labels) and labels (n,) of all labelled seconds of subject `i`."""
    chans = np.arange(who.people[i].info.n_chans) if chans is None else chans
    batches = plain_batches(who, i, frozen=frozen, chans=chans, seconds=who.seconds[frozen][i][::every])
    found = [(reader(b).scores[task].numpy(), y) for b, y in batches]
    logits, labels = zip(*found, strict=True)
    return np.concatenate(logits), np.concatenate(labels)
