"""The shares explained on the held-out subjects of each real data set, which mostly is of one device."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population
from realtime_mood.models.datasets.corpus import PreparedSession

from . import explained
from .explained import Bounds
from .feed import PLAIN, Drawn, Feed
from .objective import Losses, MaskedModelling
from .recipe import PretrainingRecipe

BATCHES = 4  # of each data set


class HeldOutParts:
    """Fixed batches of held-out real subjects by data set, and the bounds of the loss on each.

    Parameters
    ----------
    held_out : sequence of PreparedSession
    pop : Population
        Of the training subjects.
    spec : FeatureSpec
    recipe : PretrainingRecipe
    model : MaskedModelling
        The one that is trained.
    device : torch.device
    """

    def __init__(
        self, held_out: Sequence[PreparedSession], pop: Population, spec: FeatureSpec, recipe: PretrainingRecipe,
        model: MaskedModelling, device: torch.device,
    ) -> None:  # fmt: skip
        self._model, self._device = model, device
        self._parts: dict[str, tuple[int, list[Drawn], Bounds]] = {}
        for name in sorted({p.job.dataset for p in held_out if not p.virtual}):
            own = [p for p in held_out if p.job.dataset == name]
            feed = Feed(own, pop, spec, recipe, recipe.seed + 1, PLAIN)
            batches = [feed(k) for k in range(BATCHES)]
            self._parts[name] = len({p.job.subject for p in own}), batches, self.bounds(batches)

    def bounds(self, batches: Sequence[Drawn]) -> Bounds:
        """The losses of a flat prediction and the noise floor on the hidden tokens of batches."""
        return explained.bounds((batch.to(self._device) for batch in batches), self._model)

    @torch.no_grad()
    def __call__(self) -> dict[str, dict[str, float]]:
        """By data set: number of held-out subjects, and `Bounds.explained` of the model as it is now."""
        found = {}
        for name, (people, batches, limits) in self._parts.items():
            losses = [torch.stack(tuple(self._model(*batch.to(self._device)))) for batch in batches]
            shares = limits.explained(Losses(*torch.stack(losses).mean(0)), self._model.recipe)
            found[name] = {"people": float(people)} | {key: round(share, 4) for key, share in shares.items()}
        return found
