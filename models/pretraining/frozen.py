"""An encoder that is evaluated by pre-training's loss: it stays as it is, and only a decoder is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from realtime_mood.errors import ConfigError
from realtime_mood.models.datasets.corpus import PreparedSession
from realtime_mood.models.evaluation.splits import same_person
from realtime_mood.models.reader import RawEncoder

from .encoder import load_encoder
from .recipe import PretrainingRecipe

UNTRAINED = "untrained"


@dataclass(frozen=True, eq=False)
class FrozenEncoder:
    """Weights and card of an encoder; of ``untrained``, neither: it has the recipe's shape and random weights."""

    name: str
    state: dict[str, Tensor] | None
    card: dict[str, Any]

    @classmethod
    def of(cls, name: str) -> FrozenEncoder:
        """The encoder of a folder, of weights by name, or ``untrained``; raises `WeightsError` (see `load_encoder`)."""
        return cls(name, None, {}) if name == UNTRAINED else cls(name, *load_encoder(Path(name)))

    @property
    def sha256(self) -> str:
        """Of its weights."""
        return str(self.card.get("sha256", UNTRAINED))

    def shaped(self, recipe: PretrainingRecipe) -> PretrainingRecipe:
        """The recipe with the encoder's shape."""
        shape = {key: value for key, value in self.card.get("config", {}).items() if hasattr(recipe, key)}
        return replace(recipe, **shape).of_tokens(shape.get("raw_token", recipe.raw_token))

    def unseen(self, sessions: Sequence[PreparedSession], log: Callable[[str], None]) -> list[PreparedSession]:
        """The sessions of subjects that it was not trained or chosen on, by name and by signal.

        Raises
        ------
        ConfigError
            There are none.
        """
        records = self.card.get("records_sha256", {})
        names = {same_person(name) for name in records}
        hashes = {sha for of_subject in records.values() for sha in of_subject}
        kept = [
            p for p in sessions
            if same_person(p.job.subject) not in names and not hashes & set(p.records_sha256)
        ]  # fmt: skip
        if n_seen := len(sessions) - len(kept):
            log(f"{n_seen} sessions left out: the encoder was trained or chosen on these subjects")
        if not kept:
            raise ConfigError(f"encoder {self.name}", "it was trained on all of --data", "add other recordings")
        return kept

    def put_into(self, encoder: RawEncoder) -> None:
        """Give `encoder` the weights, and let no training change them."""
        if self.state is not None:
            encoder.load_state_dict(self.state)
        encoder.requires_grad_(False)
