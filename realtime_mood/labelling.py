"""Which of the user's corrections are used: those within the budget, apart from one another, and on a usable signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Protocol, runtime_checkable

from .corrections import APART_S, LEAST_S, Corrections, CorrectionStatus
from .profile import Profile
from .types import Features


@runtime_checkable
class Correctable(Protocol):
    """A network that can be corrected while it runs."""

    def correct(self, label: str, features: Sequence[Features], time: float) -> Corrections:
        """Label windows, normalised, one for each second; what counts then is used for windows after `time` (s).

        Returns the result; `made` and `refused` are those of the caller.
        """

    def kept(self, profile: Profile) -> Profile:
        """The profile with the corrected classifier, where it counts and there is a personal one."""

    def corrections(self) -> list[Any]:
        """What the corrections so far were made of, as JSON values."""

    def restore(self, corrections: Sequence[Any]) -> None:
        """Make those of another network of the same kind again, in place of its own."""


class CorrectionBudget:
    """Decides which requests of a run are used, and passes them to the `network`."""

    def __init__(self, network: Correctable, labels: Sequence[str]) -> None:
        self._network, self._labels = network, tuple(labels)
        self._last_s = -APART_S
        self.state: Corrections | None = None  # None before the first request

    def request(self, label: str, features: Sequence[Features], time: float) -> None:
        """One request at `time` (s), for the usable windows of the last `SPAN_S`, one for each second."""
        before = self.state or Corrections()
        refused = ""
        if label not in self._labels:
            refused = "label"
        elif not before.left:
            refused = "budget"
        elif time - self._last_s < APART_S:
            refused = "too_soon"
        elif len(features) < LEAST_S:
            refused = "signal"
        if refused:
            self.state = replace(before, label=label, refused=refused)
            return
        self._last_s = time
        found = self._network.correct(label, features, time)
        self.state = replace(found, made=before.made + 1, label=label, refused="")

    def stored(self) -> dict[str, Any]:
        """All corrections of the run, as JSON values."""
        state = None if self.state is None else asdict(self.state) | {"status": self.state.status.value}
        return {"last_s": self._last_s, "state": state, "made": self._network.corrections()}

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Go on from what another budget of the same readout has `stored`."""
        self._network.restore(stored["made"])
        self._last_s, state = float(stored["last_s"]), stored["state"]
        self.state = None if state is None else Corrections(**state | {"status": CorrectionStatus(state["status"])})
