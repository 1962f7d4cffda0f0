"""The Mood Reader as one of the compared methods: the only place where evaluation calls training.

One fit, on all channels the subjects have in common, serves every montage and track, as in use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from realtime_mood.dsp.spec import FeatureSpec

from .. import layers, sampling, spectra, train
from .. import reader as architecture
from ..datasets.person import NO_LABEL, Person, eyes_as_channel
from ..personal import Parts, described
from ..pretraining.encoder import begun_with, load_encoder
from ..reader import Batch, MoodReader, ReaderConfig
from ..train import Task, TrainingRecipe
from .baselines import Method, Scorer, Setting
from .contexts import Contexts, View, scored_seconds

READOUT = "readout"  # name of the single head
EYE_TRAINED = "eye_trained"  # whether training had eye movements, beside the weights
Levels = tuple[bool, bool, bool, bool]  # raw, early DE, late DE and eye
ALL_LEVELS: Levels = (True, True, True, True)
EEG: Levels = (True, True, True, False)
EYES: Levels = (False, False, False, True)
FEW_CHANS = 4


class ReaderMethod:
    """Fits a `MoodReader` by the recipe.

    Of the numbers of training `steps`, one is chosen on held-out subjects. `encoder` is a pre-trained raw encoder to
    start from (see `load_encoder`). `levels` tells which of raw, early DE, late DE and eye reach the fusion, in
    training and after; `tested` which of them reach it after training, of the fits of the method called `fit_name`.
    `label_share` is the share of each subject's labelled seconds to train on (see `with_fewer_labels`).
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
        levels: Levels = ALL_LEVELS,
        tested: Levels | None = None,
        fit_name: str = "",
        label_share: float = 1.0,
    ) -> None:
        self.fit_name, self._tested = fit_name or name, tested or levels
        self.name, self.title, self.levels, self.label_share = name, title, levels, label_share
        card = load_encoder(encoder)[1] if encoder else {"config": {}, "sha256": None}
        self.encoder, self._encoder_sha256 = encoder, card["sha256"]
        self.recipe, self.config = recipe or TrainingRecipe(), begun_with(config or ReaderConfig(), card)
        self.settings: Sequence[Setting] = [{"steps": n} for n in steps or (self.recipe.steps,)]
        if levels != ALL_LEVELS:
            hidden = np.where(levels, self.recipe.hide_levels if sum(levels) > 1 else 0.0, 1.0)
            hide_eeg = self.recipe.hide_eeg if levels[3] and levels != EYES else 0.0
            self.recipe = replace(self.recipe, hide_levels=tuple(hidden.tolist()), hide_eeg=hide_eeg)
        if levels == EYES:  # the electrodes are not looked at
            self.recipe = replace(self.recipe, augment=replace(self.recipe.augment, most_chans=FEW_CHANS))

    @property
    def depends(self) -> Sequence[object]:
        """What its fits depend on beyond subjects, setting and seed."""
        return (
            architecture, layers, spectra, sampling, train, asdict(self.recipe), asdict(self.config),
            self._encoder_sha256, self.levels, self.label_share, torch.__version__,
        )  # fmt: skip

    def fit(self, subjects: Sequence[Person], view: View, setting: Setting, seed: int) -> Scorer:
        torch.set_num_threads(1)
        of_cohort = len(view.labels) > 2 and not subjects[0].trials  # the shipped readout of simulated subjects
        size = self.recipe.batches.get("emotion3" if of_cohort else "effort", 24)
        recipe = replace(self.recipe, steps=setting["steps"], batches={READOUT: size})
        if self.label_share < 1:
            subjects = [with_fewer_labels(p, view.spec, self.label_share, seed) for p in subjects]
        if self.levels == EYES:
            subjects = [where_eyes_are_seen(p) for p in subjects if p.eye is not None]
        task = Task.of(READOUT, view.labels, subjects, view.spec, view.population)
        reader = train.fit(self._config(view), [task], recipe, seed, encoder=self.encoder)
        return FittedReader(reader, self._tested)

    def restore(self, state: Mapping[str, np.ndarray], view: View) -> FittedReader:
        """A network fitted before, from its `FittedReader.state`."""
        reader = MoodReader(self._config(view)).eval()
        reader.load_state_dict({name: torch.as_tensor(x) for name, x in state.items() if name != EYE_TRAINED})
        reader.eye_trained = bool(state[EYE_TRAINED])
        return FittedReader(reader, self._tested)

    def _config(self, view: View) -> ReaderConfig:
        return replace(self.config, readouts={READOUT: len(view.labels)})


class FittedReader:
    """Scores contexts of any montage with a trained network; eyes count only where training had some."""

    def __init__(self, reader: MoodReader, levels: Levels = ALL_LEVELS, readout: str = READOUT) -> None:
        self.reader, self._readout = reader, readout
        self._levels = torch.tensor([*levels[:3], levels[3] and reader.eye_trained])

    @torch.inference_mode()
    def __call__(self, c: Contexts) -> np.ndarray:
        """Logits (n, n_labels); equal for all labels where nothing that may be looked at is there."""
        parts = np.array_split(np.arange(len(c)), max(1, len(c) // 64))
        return np.concatenate([self._scores(batch(c, rows)).numpy() for rows in parts])

    def _scores(self, b: Batch) -> torch.Tensor:
        scores = self.reader(b, self._levels.expand(len(b.de), -1)).scores[self._readout]
        something = self._levels[:3].any() | (self._levels[3] & b.eye_seen)
        return scores * something[:, None]

    @torch.inference_mode()
    def personal_features(self, c: Contexts) -> tuple[np.ndarray, Parts]:
        """Input of a personal classifier (n, F), as in live use, and what it consists of."""
        found = []
        for rows in np.array_split(np.arange(len(c)), max(1, len(c) // 64)):
            b = batch(c, rows)
            out = self.reader(b, self._levels.expand(len(b.de), -1))
            found.append(described(out.numpy(), b.numpy(), self._readout))
        return np.concatenate(found), Parts.of(self.reader.config, len(c.chans), self._readout)

    def state(self) -> dict[str, np.ndarray]:
        """Its weights."""
        weights = {name: value.numpy() for name, value in self.reader.state_dict().items()}
        return weights | {EYE_TRAINED: np.array(self.reader.eye_trained)}


def variant(whole: ReaderMethod, name: str, title: str, **changed: Any) -> ReaderMethod:
    """The same reader with some arguments of `ReaderMethod` changed."""
    given: dict[str, Any] = {
        "recipe": whole.recipe, "config": whole.config, "steps": [setting["steps"] for setting in whole.settings],
        "encoder": whole.encoder, "levels": whole.levels,
    }  # fmt: skip
    return ReaderMethod(**given | changed, name=name, title=title)


def modalities(whole: ReaderMethod, *, raw: bool = True) -> list[ReaderMethod]:
    """Readers of subjects with eye movements: of both, of EEG or eyes alone, and of both with one missing at test.

    Without `raw` there are features only, and no signals.
    """
    both, eeg = ((raw, *levels[1:]) for levels in (ALL_LEVELS, EEG))
    return [
        variant(whole, whole.name, f"{whole.title}, EEG and eyes", levels=both),
        variant(whole, f"{whole.name}-eeg", f"{whole.title}, EEG only", levels=eeg),
        variant(whole, f"{whole.name}-eyes", f"{whole.title}, eyes only", levels=EYES),
        variant(whole, f"{whole.name}-no-eyes", f"{whole.title}, eyes missing at test", levels=both, tested=eeg,
                  fit_name=whole.name),
        variant(whole, f"{whole.name}-no-eeg", f"{whole.title}, EEG missing at test", levels=both, tested=EYES,
                  fit_name=whole.name),
    ]  # fmt: skip


def by_modality(methods: Sequence[Method], subjects: Sequence[Person]) -> list[Method]:
    """The methods, with a reader's levels and `modalities` that the subjects have: signals, eye movements."""
    raw = any(p.raw for p in subjects)
    if any(p.eye is not None for p in subjects):
        return [each for m in methods for each in (modalities(m, raw=raw) if isinstance(m, ReaderMethod) else [m])]
    if raw:
        return list(methods)
    levels = (False, *EEG[1:])
    return [variant(m, m.name, m.title, levels=levels) if isinstance(m, ReaderMethod) else m for m in methods]


def where_eyes_are_seen(p: Person) -> Person:
    """The subject with labels only in seconds with eye movements."""
    return replace(p, label=np.where(eyes_as_channel(p).there, p.label, NO_LABEL))


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
    eye = None if c.eye is None else torch.from_numpy(c.eye[rows])
    return Batch(
        torch.from_numpy(c.de[rows]), torch.from_numpy(patches), torch.tensor(positions),
        torch.from_numpy(c.good[rows]), torch.from_numpy(c.there[rows]),
        torch.ones(n, spec.n_patches, dtype=torch.bool), eye,
    )  # fmt: skip
