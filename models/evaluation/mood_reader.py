"""The Mood Reader among the methods compared: the one place where evaluation calls training.

One fit, on all channels the people have in common, serves every montage and track, as in use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import layers, sampling, train
from .. import reader as architecture
from ..datasets.person import Person
from ..pretraining.encoder import load_encoder
from ..reader import Batch, MoodReader, ReaderConfig
from ..train import Recipe, Task
from .baselines import Scorer, Setting
from .contexts import Contexts, View

READOUT = "readout"  # what the one head is called here


class ReaderMethod:
    """Fits a `MoodReader` by the recipe.

    Parameters
    ----------
    recipe : Recipe
    config : ReaderConfig
    steps : sequence of int
        How many training steps there may be; which is chosen on people left out.
    encoder : Path, optional
        Folder of a pre-trained raw encoder to begin with.
    """

    name, title = "reader", "Mood Reader"
    any_montage = True

    def __init__(
        self,
        recipe: Recipe | None = None,
        config: ReaderConfig | None = None,
        steps: Sequence[int] = (),
        encoder: Path | None = None,
    ) -> None:
        self.recipe, self.config = recipe or Recipe(), config or ReaderConfig()
        self.settings: Sequence[Setting] = [{"steps": n} for n in steps or (self.recipe.steps,)]
        self.encoder = encoder
        if encoder:
            self.config = replace(self.config, **load_encoder(encoder)[1]["config"])
        files = [encoder / "encoder.safetensors"] if encoder else []
        pretrained = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
        self.depends: Sequence[object] = (
            architecture, layers, sampling, train,
            asdict(self.recipe), asdict(self.config), pretrained, torch.__version__,
        )  # fmt: skip

    def fit(self, people: Sequence[Person], view: View, setting: Setting, seed: int) -> Scorer:
        torch.set_num_threads(1)
        config = replace(self.config, readouts={READOUT: len(view.labels)})
        size = self.recipe.batches.get("effort" if len(view.labels) == 2 else "emotion3", 24)
        recipe = replace(self.recipe, steps=setting["steps"], batches={READOUT: size})
        task = Task.of(READOUT, view.labels, people, view.spec, view.population)
        start: dict[str, Any] = {"encoder": self.encoder} if self.encoder else {}
        return FittedReader(train.fit(config, [task], recipe, seed, **start))

    def restore(self, state: Mapping[str, np.ndarray], view: View) -> FittedReader:
        """A network fitted before, from its `FittedReader.state`."""
        reader = MoodReader(replace(self.config, readouts={READOUT: len(view.labels)})).eval()
        reader.load_state_dict({name: torch.as_tensor(value) for name, value in state.items()})
        return FittedReader(reader)


class FittedReader:
    """Scores contexts of any montage with a trained network."""

    def __init__(self, reader: MoodReader) -> None:
        self.reader = reader

    @torch.inference_mode()
    def __call__(self, c: Contexts) -> np.ndarray:
        """Logits (n, n_labels)."""
        parts = np.array_split(np.arange(len(c)), max(1, len(c) // 64))
        return np.concatenate([self.reader(batch(c, rows)).scores[READOUT].numpy() for rows in parts])

    def state(self) -> dict[str, np.ndarray]:
        """Its weights."""
        return {name: value.numpy() for name, value in self.reader.state_dict().items()}


def batch(c: Contexts, rows: np.ndarray) -> Batch:
    """Some contexts as the network takes them."""
    n, spec = len(rows), c.spec
    patches = c.raw(rows).reshape(n, len(c.chans), spec.n_steps, spec.patch_len)[:, :, -spec.n_patches :]
    positions = np.broadcast_to(c.positions, (n, *c.positions.shape))
    return Batch(
        torch.from_numpy(c.de[rows]), torch.from_numpy(patches), torch.tensor(positions),
        torch.from_numpy(c.good[rows]), torch.from_numpy(c.there[rows]),
        torch.ones(n, spec.n_patches, dtype=torch.bool),
    )  # fmt: skip
