"""Rows of the fault × stream matrix: what befalls a stream beside the EEG, and what must be observed."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.beside_sender import STALL_S


@dataclass(frozen=True)
class BesideRow:
    """One fault."""

    fault: str
    title: str
    seconds: float = 8.0
    """How long the run goes on after the fault began."""
    away_s: float = 0.0
    """How long the sender is gone before it is started (again)."""
    singly: bool = False
    """Whether each kind has a run of its own, since they would load this computer too much together."""
    notes: dict[str, str] = field(default_factory=dict)
    """Part of the note that there must be, by kind; ``""``: for every other kind."""
    without: dict[str, str] = field(default_factory=dict)
    """Kinds that it cannot befall, and why."""


ROWS = (
    BesideRow("none", "none"),
    BesideRow("stall", f"nothing for {STALL_S:g} s, then all of it", 9.0),
    BesideRow("loss", "the samples of 2 s are lost"),
    BesideRow("return", "its sender ends and is started again after 2 s", 12.0, 2.0, notes={"": "came back after"}),
    BesideRow("step", "its clock is set forwards by 2 s"),
    BesideRow("drift", "its clock drifts by 200 ppm", 12.0),
    BesideRow("rate", "its rate becomes 25 % higher", 12.0),
    BesideRow("unit", "its unit is `furlongs/fortnight`", 4.0, notes={"": "is not known"}),
    BesideRow("garbage", "its values are garbage (NaN, infinities, broken text)"),
    BesideRow("backwards", "its stamps run backwards for 3 s", notes={"": "run backwards"}),
    BesideRow("late", "it appears in mid-run", 8.0, 3.0, notes={"": "appeared during the run"}),
    BesideRow("never", "it never appears", 7.0, notes={"": "the network shows"}),
    BesideRow("twins", "a second stream has the same name", 6.0, notes={"": "2 streams answer"}),
    BesideRow("flood", "100 kHz of garbage without a rate", 6.0, singly=True, notes={"text": "8 MB a second"}),
    BesideRow("endless", "a text of 300,000 characters: of each sample, or as a channel's label", 6.0,
              notes={"text": "65,536 characters"}),
)  # fmt: skip
