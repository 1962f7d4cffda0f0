"""Pre-training of the raw encoder on many subjects' EEG by masked brain-signal modelling.

Runs in one process or under ``accelerate launch``, where every process draws the same batches and takes its share of
each. The reconstruction loss of held-out subjects decides which weights are kept and when to stop.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor, nn

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, MoodError

from .datasets.corpus import PreparedSession, corpus_population, gather, split_subjects
from .datasets.recordings import PreparationJob
from .pretraining.curves import Curves, progress
from .pretraining.encoder import describe, save_encoder
from .pretraining.explained import lines
from .pretraining.feed import PLAIN, Drawn, Feed
from .pretraining.frozen import FrozenEncoder
from .pretraining.objective import Losses, MaskedModelling, normalised
from .pretraining.parts import HeldOutParts
from .pretraining.recipe import PretrainingRecipe
from .pretraining.state import TrainingState, load_state, save_state, write_whole
from .spread import shared

HELD_OUT_BATCHES = 12
Log = Callable[[str], None]


def pretrain(
    jobs: Sequence[PreparationJob],
    out: Path,
    recipe: PretrainingRecipe,
    *,
    cache: Path | None = None,
    resume: bool = False,
    threads: int = 1,
    frozen: str = "",
    log: Log = lambda text: print(text, flush=True),
) -> dict[str, Any]:
    """Train an encoder on the recordings `jobs`, and leave the best one in `out` (see `load_encoder`).

    Returns the last row of the learning curves. The folder `out` also holds these, the shares explained on held-out
    subjects of each real data set (``explained.json``), and the checkpoint, ``last.safetensors``, from which `resume`
    continues; `cache` holds the prepared recordings (by default in `out`). With the name of a `frozen` encoder only
    the decoder is trained, to evaluate it: see `FrozenEncoder`.
    More than one of `threads` are slow beside other jobs. Raises `ConfigError` where there is nothing to train on,
    `WeightsError` for a checkpoint of another run, and `MoodError` for a full disk or a loss that is not a number.
    """
    recipe.check()
    if (out / "last.safetensors").is_file() and not resume:
        raise ConfigError(f"a new run in {out}", "it holds one already", "add --resume, or choose another --out")
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # the default of each process is all cores
    with shared() as accelerator:
        torch.set_num_threads(threads)
        least = 2 * accelerator.num_processes  # batches of many channels hold half as many windows
        if recipe.batch < least:
            asked = f"batches of {recipe.batch} for {accelerator.num_processes} processes"
            raise ConfigError(asked, "", f"give {least}")
        log = log if accelerator.is_main_process else lambda _: None
        spec = FeatureSpec()
        with accelerator.main_process_first():
            sessions = gather(jobs, spec, cache or out / "cache", log)
        evaluated = FrozenEncoder.of(frozen) if frozen else None
        if evaluated:
            sessions, recipe = evaluated.unseen(sessions, log), evaluated.shaped(recipe)
        run = _Run(sessions, spec, recipe, out, accelerator, log, evaluated)
        if resume:
            run.resume()
        return run.train()


class _Run:
    """One run: batches, model, optimiser and checkpoints."""

    def __init__(
        self, sessions: Sequence[PreparedSession], spec: FeatureSpec, recipe: PretrainingRecipe, out: Path,
        accelerator: Accelerator, log: Log, frozen: FrozenEncoder | None = None,
    ) -> None:  # fmt: skip
        self.recipe, self.out, self.accelerator, self.log, self.frozen = recipe, out, accelerator, log, frozen
        training, held_out = split_subjects(sessions, recipe.held_out, recipe.seed)
        pop = corpus_population(training)
        self.feed = Feed(training, pop, spec, recipe, recipe.seed)
        self.held_out: dict[str, list[Drawn]] = {}
        for kind, virtual in (("real", False), ("virtual", True)):
            if of_kind := [p for p in held_out if p.virtual == virtual]:
                fixed = Feed(of_kind, pop, spec, recipe, recipe.seed + 1, PLAIN)
                self.held_out[kind] = [fixed(k) for k in range(HELD_OUT_BATCHES // 2)]
        self.about = describe(training, held_out, spec)
        self.about |= {"recipe": asdict(recipe), "population": {"mean": pop.mean.tolist(), "sd": pop.sd.tolist()}}
        kept = {key: value for key, value in asdict(recipe).items() if key not in PretrainingRecipe.BUDGET}
        of_frozen = [frozen.sha256] if frozen else []
        same = json.dumps([kept, self.about["spec"], self.about["records_sha256"], *of_frozen], sort_keys=True)
        self.digest = hashlib.sha256(same.encode()).hexdigest()

        torch.manual_seed(recipe.seed)
        model = MaskedModelling(recipe, spec)
        if frozen:
            frozen.put_into(model.encoder)
        trained = [p for p in model.parameters() if p.requires_grad]
        decayed, others = [p for p in trained if p.ndim > 1], [p for p in trained if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, recipe.lr, betas=(0.9, 0.95))
        self.model, self.optimiser = accelerator.prepare(model, optimiser)
        self.state, self.curves = TrainingState(), Curves(out)
        self.parts = HeldOutParts(held_out, pop, spec, recipe, self.unwrapped, accelerator.device)
        self.bounds = {kind: self.parts.bounds(batches) for kind, batches in self.held_out.items()}
        n = sum(p.numel() for p in model.encoder.parameters())
        log(f"encoder of {n / 1e6:.2f} M parameters on {accelerator.device}, {accelerator.num_processes} processes")
        log(f"{len(training)} sessions to train on, {len(held_out)} held out: {json.dumps(self.about['corpus'])}")

    @property
    def unwrapped(self) -> MaskedModelling:
        """The model without its wrapper for several processes."""
        model: MaskedModelling = self.accelerator.unwrap_model(self.model)
        return model

    def resume(self) -> None:
        """Load the last checkpoint."""
        self.state = load_state(self.out / "last.safetensors", self.unwrapped, self.optimiser, self.digest)
        self.curves = Curves(self.out, self.state.step)
        self.log(f"resuming at step {self.state.step}")

    def train(self) -> dict[str, Any]:
        """Train to the end of the budget, or until the held-out loss stops improving."""
        state, start = self.state, time.monotonic() - self.state.seconds
        recent: list[Tensor] = []
        if not state.step:
            self._validate([])
        main = self.accelerator.is_main_process
        with _interrupts() as interrupts, progress("pre-training") if main else nullcontext(lambda *_: None) as show:
            while True:
                share, stopped = self._budget(bool(interrupts))
                if stopped or share >= 1 or state.poorer >= self.recipe.patience:
                    break
                loss, lr = self._step(share)
                recent.append(loss)
                state.step += 1
                state.seconds = time.monotonic() - start
                show(share, f"step {state.step} · loss {loss.item():.4f} · lr {lr:.2g}")
                if state.step % self.recipe.every == 0:
                    self._validate(recent)
                    recent = []
        if stopped:
            self._save()
            self.log(f"stopped at step {state.step}: continue with --resume")
            raise KeyboardInterrupt
        if recent:
            self._validate(recent)
        if not state.best_step:
            raise MoodError(
                f"pre-training in {self.out}", f"after {state.step} steps the held-out loss has not improved",
                "train for longer, or with another --lr in another folder",
            )  # fmt: skip
        self.log(f"best at step {state.best_step}: {state.best:.4f}; results are in {self.out}")
        if (explained := self.out / "explained.json").is_file():
            for line in lines(json.loads(explained.read_text())):
                self.log(line)
        return self.curves.rows[-1]

    def _budget(self, interrupted: bool) -> tuple[float, bool]:
        """The share of the budget that is spent, and whether to stop at once; those of the first process for all."""
        share = self.state.step / self.recipe.steps
        if self.recipe.minutes is not None:
            share = max(share, self.state.seconds / 60 / self.recipe.minutes)
        if self.accelerator.num_processes > 1:
            first = torch.tensor([share, interrupted], dtype=torch.float64, device=self.accelerator.device)
            share, interrupted = broadcast(first).tolist()
        return share, bool(interrupted)

    def _step(self, share: float) -> tuple[Tensor, float]:
        """One step on one batch; its loss over all processes, and the learning rate."""
        recipe, step = self.recipe, self.state.step
        lr = recipe.rate(max(share, 1 / recipe.steps))
        for group in self.optimiser.param_groups:
            group["lr"] = lr
        self.model.train()
        losses = self.model(*self._local(self.feed(step)))
        self.accelerator.backward(losses.total)
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), recipe.clip)
        loss = self.accelerator.reduce(losses.total.detach(), "mean")
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            raise MoodError(
                f"pre-training in {self.out}",
                f"the loss is {loss.item():.4g}, its gradient {norm.item():.4g}, step {step}, learning rate {lr:.3g}",
                "start again in another folder with a lower --lr; the best encoder so far stays",
            )
        self.optimiser.step()
        self.optimiser.zero_grad()
        return loss, lr

    def _local(self, batch: Drawn) -> tuple[Tensor, ...]:
        """This process's share of a batch, on its device."""
        accelerator = self.accelerator
        return batch.share(accelerator.process_index, accelerator.num_processes).to(accelerator.device)

    @torch.no_grad()
    def _validate(self, recent: Sequence[Tensor]) -> None:
        """Compute the held-out loss, record it, and keep the weights if it is the lowest so far."""
        self.model.eval()
        found: dict[str, Tensor] = {}
        for kind, batches in self.held_out.items():
            inputs = [self._local(batch) for batch in batches]
            losses = torch.stack([torch.stack(self.unwrapped(*x)) for x in inputs]).mean(0)
            flat = torch.stack([nothing(self.unwrapped.tokens_of(x[0]), x[-1]) for x in inputs]).mean()
            found[kind] = self.accelerator.reduce(torch.cat((losses, flat[None])), "mean")
        total, patch, spectrum, flat = torch.stack(list(found.values())).mean(0).tolist()
        explained = {k: self.bounds[k].explained(Losses(*x[:3]), self.recipe) for k, x in found.items()}
        state = self.state
        better = total < state.best
        state.poorer = 0 if better else state.poorer + 1
        if better:
            state.best, state.best_step = total, state.step
        row = {"step": state.step, "minutes": state.seconds / 60}
        if recent:
            row |= {"loss": torch.stack(list(recent)).mean().item(), "lr": self.optimiser.param_groups[0]["lr"]}
        row |= {"held_out": total, "held_out_patch": patch, "held_out_spectrum": spectrum, "nothing": flat}
        row |= {f"explained_{kind}_{term}": x for kind, terms in explained.items() for term, x in terms.items()}
        self.curves.add(**row, **{f"held_out_{kind}": value[0].item() for kind, value in found.items()})
        self.log(json.dumps(self.curves.rows[-1]))
        if self.accelerator.is_main_process:
            if better and recent:
                parts = self.parts()
                write_whole(self.out / "explained.json", (json.dumps(parts, indent=1) + "\n").encode())
                about = {"steps": state.step, "held_out": total, "predicting_nothing": flat} | self.about
                if not self.frozen:
                    about |= {"explained": parts}
                    save_encoder(self.out, self.unwrapped.encoder, self.recipe.reader(), about)
            self._save()

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            self.curves.save()
            save_state(self.out / "last.safetensors", self.unwrapped, self.optimiser, self.state, self.digest)


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Collect Ctrl-C instead of stopping in the middle of a step; a second one stops at once."""
    interrupts: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return

    def collect(number: int, frame: object) -> None:
        if interrupts:
            raise KeyboardInterrupt
        interrupts.append(number)

    before = signal.signal(signal.SIGINT, collect)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)


def nothing(tokens: Tensor, target: Tensor) -> Tensor:
    """The loss of always predicting a flat line for samples of tokens (B, T, L)."""
    truth = normalised(tokens[target])
    return nn.functional.huber_loss(torch.zeros_like(truth), truth)
