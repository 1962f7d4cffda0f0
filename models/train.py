"""Training of a Mood Reader: AdamW with one cycle, label smoothing, heavy augmentation, a fixed number of steps."""

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
from .pretraining.encoder import begun_with, load_encoder
from .reader import Batch, MoodReader, ReaderConfig
from .sampling import Augment, plain_batches, training_batches
from .subject_sampler import SubjectSampler


@dataclass(frozen=True)
class TrainingRecipe:
    """Hyperparameters of training."""

    steps: int = 500
    batches: dict[str, int] = field(default_factory=lambda: {"effort": 48, "emotion3": 96})
    """Samples per step; in all, a second of `effort` is drawn some 14 times, one of the simulated subjects twice."""
    lr: float = 1e-3
    weight_decay: float = 0.1
    label_smoothing: float = 0.1
    clip: float = 1.0
    hide_levels: tuple[float, float, float, float] = (0.5, 0.2, 0.2, 0.25)
    """How often raw, early DE, late DE and eye are hidden from the fusion, so that each level suffices alone. Raw is
    hidden most often, because it overfits most to the training subjects."""
    hide_eeg: float = 0.2  # how often all three levels of EEG are hidden from the fusion of a sample with an eye
    n_steps: int = 5  # of the context's DE steps, which are used in a batch
    raw_lr: float = 0.0  # learning rate of a pre-trained raw encoder, relative to `lr`
    augment: Augment = field(default_factory=Augment)


@dataclass(frozen=True)
class Task:
    """One readout and its training subjects."""

    name: str
    labels: tuple[str, ...]
    subjects: Sequence[Person]
    population: Population
    sampler: SubjectSampler

    @classmethod
    def of(
        cls, name: str, labels: tuple[str, ...], subjects: Sequence[Person], spec: FeatureSpec,
        pop: Population | None = None,
    ) -> Task:  # fmt: skip
        """A task with the population statistics `pop`, by default those of its subjects."""
        pop = pop or population(subjects)
        return cls(name, labels, subjects, pop, SubjectSampler(subjects, pop, spec))


def fit(
    config: ReaderConfig,
    tasks: Sequence[Task],
    recipe: TrainingRecipe,
    seed: int,
    log: Callable[[int, dict], None] = lambda *_: None,
    encoder: Path | None = None,
    accelerator: Accelerator | None = None,
) -> MoodReader:
    """Train one network on all `tasks` together, a batch of each a step.

    `log` is called after each step with its number, and the loss of each task over all processes. `encoder` is a
    pre-trained raw encoder (see `load_encoder`), `accelerator` the device and the processes that share each batch; by
    default one process on the CPU. Raises `ConfigError` where batches cannot be shared equally, and `ArithmeticError`,
    with the step and the learning rate, where the loss is no number.
    """
    n_shares, rank = (accelerator.num_processes, accelerator.process_index) if accelerator else (1, 0)
    if uneven := [n for n in recipe.batches.values() if n % n_shares]:
        found = f"batches of {uneven[0]} for {n_shares} processes"
        raise ConfigError(found, "it cannot be shared equally", "start another number of processes")
    device = accelerator.device if accelerator else torch.device("cpu")
    torch.manual_seed(seed)
    state, card = load_encoder(encoder) if encoder else ({}, {"config": {}})
    reader = MoodReader(begun_with(config, card)).train()
    reader.raw.load_state_dict(state, strict=bool(encoder))
    if encoder and not recipe.raw_lr:
        reader.raw.requires_grad_(False).eval()  # also without dropout, as in pre-training
    reader.to(device)
    parts = [[p for n, p in reader.named_parameters() if n.startswith("raw.") is raw] for raw in (False, True)]
    rates = [recipe.lr, recipe.lr * (recipe.raw_lr if encoder else 1.0)]
    groups = [{"params": part, "lr": lr} for part, lr in zip(parts, rates, strict=True)]
    optimiser = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)
    warm_up = 0.2 if recipe.steps > 5 else 0.6  # of one step or less torch cannot make a ramp
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, recipe.steps, pct_start=warm_up)
    augment = recipe.augment
    if reader.config.raw_token == "spectrum":
        augment = replace(augment, raw_noise=augment.spectral_noise)
    batches = [training_batches(t.sampler, recipe.batches[t.name], seed, augment, len(t.labels)) for t in tasks]
    generator = torch.Generator().manual_seed(seed)  # the same in every process
    torch.manual_seed(seed + rank)  # dropout differs
    for step in range(recipe.steps):
        losses = {}
        for task, feed in zip(tasks, batches, strict=True):
            batch, labels = next(feed)
            keep = _kept(batch, recipe, generator)
            reader.eye_trained |= batch.eye is not None and bool(keep[:, 3].any())
            steps = torch.randperm(config.n_steps, generator=generator)[: recipe.n_steps].sort().values
            batch = batch.share(rank, n_shares).to(device)
            keep, labels = keep[rank::n_shares].to(device), labels[rank::n_shares].to(device)
            scores = reader(batch, keep, steps.to(device)).scores[task.name]
            losses[task.name] = F.cross_entropy(scores, labels, label_smoothing=recipe.label_smoothing)
        loss = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad()
        loss.backward()
        mean = torch.stack([value.detach() for value in losses.values()])
        if accelerator and n_shares > 1:
            mean = accelerator.reduce(mean, "mean")
            _average_gradients(reader, accelerator)
        if not torch.isfinite(mean).all():
            lr = schedule.get_last_lr()[0]
            raise ArithmeticError(f"loss is {mean.sum().item()} at step {step}, learning rate {lr:.2g}")
        torch.nn.utils.clip_grad_norm_(reader.parameters(), recipe.clip)
        optimiser.step()
        schedule.step()
        log(step, dict(zip(losses, mean.tolist(), strict=True)))
    return reader.cpu().eval()


def _kept(batch: Batch, recipe: TrainingRecipe, generator: torch.Generator) -> torch.Tensor:
    """Which levels of each sample reach the fusion: (B, 4) bool; at least one that is there."""
    keep = torch.rand(len(batch.de), 4, generator=generator) >= torch.tensor(recipe.hide_levels)
    if batch.eye is not None:
        keep[:, 3] &= batch.eye_seen
        alone = keep[:, 3] & (torch.rand(len(keep), generator=generator) < recipe.hide_eeg)
        keep[:, :3] &= ~alone[:, None]
    keep[:, 2] |= ~keep.any(1)
    return keep


def _average_gradients(reader: MoodReader, accelerator: Accelerator) -> None:
    """Over processes; by hand, because a step has several forward passes, which wrappers of models do not support."""
    grads = [p.grad for p in reader.parameters() if p.grad is not None]
    mean = accelerator.reduce(torch.cat([g.flatten() for g in grads]), "mean")
    for grad, part in zip(grads, mean.split([g.numel() for g in grads]), strict=True):
        grad.copy_(part.view_as(grad))


@torch.inference_mode()
def scores(
    reader: MoodReader, task: str, sampler: SubjectSampler, i: int, *, frozen: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, n_labels) and labels (n,) of all labelled seconds of subject `i`."""
    batches = plain_batches(sampler, i, frozen=frozen, chans=np.arange(sampler.subjects[i].info.n_chans))
    logits, labels = zip(*((reader(b).scores[task].numpy(), y) for b, y in batches), strict=True)
    return np.concatenate(logits), np.concatenate(labels)
