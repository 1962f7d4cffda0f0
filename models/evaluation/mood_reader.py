"""The Mood Reader as one of the compared methods: the only place where evaluation calls training.

One fit, on all channels the subjects have in common, serves every montage and track, as in use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from realtime_mood.dsp.spec import FeatureSpec

from .. import layers, sampling, train
from .. import reader as architecture
from ..datasets.person import NO_LABEL, Person
from ..pretraining.encoder import load_encoder
from ..reader import Batch, MoodReader, ReaderConfig
from ..train import Task, TrainingRecipe
from .baselines import Scorer, Setting
from .contexts import Contexts, View, scored_seconds

READOUT = "readout"  # name of the single head
ALL_LEVELS = (True, True, True, True)


class ReaderMethod:
    """Fits a `MoodReader` by the recipe.

    Of the numbers of training `steps`, one is chosen on held-out subjects. `encoder` is a pre-trained raw encoder to
    start from (see `load_encoder`). `levels` tells which of raw, early DE, late DE and eye reach the fusion, in
    training and after; `label_share` is the share of each subject's labelled seconds to train on (see
    `with_fewer_labels`).
    """

    any_montage = True

    def __init__(
        self,
        recipe: TrainingRecipe | None = None,
        config: ReaderConfig | None = None,
        steps: Sequence[int] = (),
        encoder: Path | None = None,
        *,
        name: str = "reader",
        title: str = "Mood Reader",
        levels: tuple[bool, bool, bool, bool] = ALL_LEVELS,
        label_share: float = 1.0,
    ) -> None:
        self.name, self.title, self.levels, self.label_share = name, title, levels, label_share
        card = load_encoder(encoder)[1] if encoder else {"config": {}, "sha256": None}
        self.encoder, self._encoder_sha256 = encoder, card["sha256"]
        self.recipe, self.config = recipe or TrainingRecipe(), replace(config or ReaderConfig(), **card["config"])
        self.settings: Sequence[Setting] = [{"steps": n} for n in steps or (self.recipe.steps,)]
        if levels != ALL_LEVELS:
            hidden = np.where(levels, self.recipe.hide_levels if sum(levels) > 1 else 0.0, 1.0)
            self.recipe = replace(self.recipe, hide_levels=tuple(hidden.tolist()))

    @property
    def depends(self) -> Sequence[object]:
        """What its fits depend on beyond subjects, setting and seed."""
        return (
            architecture, layers, sampling, train, asdict(self.recipe), asdict(self.config), self._encoder_sha256,
            self.levels, self.label_share, torch.__version__,
        )  # fmt: skip

    def fit(self, subjects: Sequence[Person], view: View, setting: Setting, seed: int) -> Scorer:
        torch.set_num_threads(1)
        size = self.recipe.batches.get("effort" if len(view.labels) == 2 else "emotion3", 24)
        recipe = replace(self.recipe, steps=setting["steps"], batches={READOUT: size})
        if self.label_share < 1:
            subjects = [with_fewer_labels(p, view.spec, self.label_share, seed) for p in subjects]
        task = Task.of(READOUT, view.labels, subjects, view.spec, view.population)
        reader = train.fit(self._config(view), [task], recipe, seed, encoder=self.encoder)
        return FittedReader(reader, self.levels)

    def restore(self, state: Mapping[str, np.ndarray], view: View) -> FittedReader:
        """A network fitted before, from its `FittedReader.state`."""
        reader = MoodReader(self._config(view)).eval()
        reader.load_state_dict({name: torch.as_tensor(value) for name, value in state.items()})
        return FittedReader(reader, self.levels)

    def _config(self, view: View) -> ReaderConfig:
        return replace(self.config, readouts={READOUT: len(view.labels)})


class FittedReader:
    """Scores contexts of any montage with a trained network."""

    def __init__(
        self, reader: MoodReader, levels: tuple[bool, bool, bool, bool] = ALL_LEVELS, readout: str = READOUT
    ) -> None:
        self.reader, self._levels, self._readout = reader, torch.tensor(levels), readout

    @torch.inference_mode()
    def __call__(self, c: Contexts) -> np.ndarray:
        """Logits (n, n_labels)."""
        parts = np.array_split(np.arange(len(c)), max(1, len(c) // 64))
        outputs = [self.reader(batch(c, rows), self._levels.expand(len(rows), -1)) for rows in parts]
        return np.concatenate([out.scores[self._readout].numpy() for out in outputs])

    def state(self) -> dict[str, np.ndarray]:
        """Its weights."""
        return {name: value.numpy() for name, value in self.reader.state_dict().items()}


def with_fewer_labels(p: Person, spec: FeatureSpec, share: float, seed: int) -> Person:
    """The subject with one run of consecutive labelled seconds per label, of this share of its labelled seconds."""
    rng = np.random.default_rng([seed, *p.name.encode()])
    at, label = scored_seconds(p, spec), np.full_like(p.label, NO_LABEL)
    for y in np.unique(p.label[at]):
        of_label = at[p.label[at] == y]
        n = max(1, round(share * len(of_label)))
        first = int(rng.integers(len(of_label) - n + 1))
        label[of_label[first : first + n]] = y
    return replace(p, label=label)


def batch(c: Contexts, rows: np.ndarray) -> Batch:
    """Some contexts as the input of the network."""
    n, spec = len(rows), c.spec
    patches = c.raw(rows).reshape(n, len(c.chans), spec.n_steps, spec.patch_len)[:, :, -spec.n_patches :]
    positions = np.broadcast_to(c.positions, (n, *c.positions.shape))
    return Batch(
        torch.from_numpy(c.de[rows]), torch.from_numpy(patches), torch.tensor(positions),
        torch.from_numpy(c.good[rows]), torch.from_numpy(c.there[rows]),
        torch.ones(n, spec.n_patches, dtype=torch.bool),
    )  # fmt: skip
