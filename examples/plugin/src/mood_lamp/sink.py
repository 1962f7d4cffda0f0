"""A lamp that follows the most probable label: ``lamp://FILE`` writes what it shows, a line a change."""

from __future__ import annotations

from pathlib import Path

from realtime_mood.health import Emission, Health
from realtime_mood.types import Estimate


class Lamp:
    """A sink: `put` for each reading, `close` at the end of a run."""

    def __init__(self, target: str) -> None:
        self._path, self._shown = Path(target), ""

    def put(self, emission: Emission) -> None:
        """Show the label, or that there is no estimate."""
        it = emission.reading
        shown = it.readout.labels[it.probs.index(max(it.probs))] if isinstance(it, Estimate) else f"off: {it.why.value}"
        if shown != self._shown:
            self._shown = shown
            with self._path.open("a", encoding="utf-8") as lamp:
                lamp.write(f"{emission.t:.2f} {shown}\n")

    def close(self, health: Health) -> None:
        """Switch it off."""
        self._shown = ""
