"""Turns a protocol, as a TOML file holds it, into the steps one person goes through.

A protocol says what there is to do; a `BlockPlan` is one draw of it: the order of the blocks, the pictures of each. The
same protocol, seed and media make the same plan.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from realtime_mood import files as plans
from realtime_mood.errors import ConfigError
from realtime_mood.files import Strict

State = Literal["neutral", "positive", "negative", "rest"]
Words = str
LEVEL = 0.02  # shuffled blocks may do as well as the true ones so seldom, where a readout is to be believed
LEAD_S = 3.0  # what somebody gets to get ready, before anything that is done anew
PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"}
SOUNDS = {".wav", ".mp3", ".ogg", ".flac", ".m4a"}
VIDEOS = {".mp4", ".mkv", ".webm", ".avi", ".mov"}


class Rest(Strict):
    """Some seconds of rest, of which the baseline is made."""

    seconds: float = Field(gt=0, le=600)
    text: Words
    eyes: Literal["open", "closed"] = "open"


class Cue(Strict):
    """What somebody is asked to do in a block, and what that is an example of."""

    label: str = Field(pattern="^[A-Za-z0-9_]+$")
    text: Words
    virtual: State
    """The state a virtual person goes to."""
    coordinates: tuple[float, float]
    """(valence, arousal), each from -1 to 1."""


class Protocol(Strict):
    """What a person is led through. Every field may stand in a TOML file."""

    name: str = Field(pattern="^[A-Za-z0-9_]+$")
    title: Words
    about: Words
    readout: str = ""
    """The readout of the weights that has the same labels, for the person's own to start from; none where empty."""
    consent: Words = ""
    """What has to be agreed to first."""
    rest: tuple[Rest, ...] = ()
    cues: tuple[Cue, ...] = ()
    rounds: int = Field(0, ge=0, le=40)
    """How often each cue comes."""
    block_s: float = Field(20.0, ge=5, le=300)
    settle_s: float = Field(3.0, ge=0, le=60)
    """Seconds at a block's beginning that nothing is learnt from."""
    washout_s: float = Field(6.0, ge=2, le=120)
    washout: Words = "Let go of it. Breathe."
    last: tuple[str, ...] = ()
    """Labels that the last block may have; any where empty."""
    self_report: bool = False
    """Whether valence and arousal are asked after each block."""

    @model_validator(mode="after")
    def _fits(self) -> Protocol:
        labels = [cue.label for cue in self.cues]
        if not self.rest and not self.cues:
            raise ValueError("neither rest nor cues: there is nothing to do")
        if self.cues and (len(labels) < 2 or len(set(labels)) < len(labels)):
            raise ValueError("cues need two labels or more, each once")
        if self.cues and self.rounds < 2:
            raise ValueError("rounds must be 2 or more, else nothing can be held out")
        if self.settle_s >= self.block_s:
            raise ValueError("settle_s must be shorter than block_s")
        if unknown := set(self.last) - set(labels):
            raise ValueError(f"last names {', '.join(sorted(unknown))}, which no cue has")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(cue.label for cue in self.cues)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing after the other: `kind` is rest, washout, block or report."""

    kind: Literal["rest", "washout", "block", "report"]
    number: int
    """From 1, among its kind; a washout and a report have their block's."""
    text: str
    seconds: float
    """A report takes until it is answered, and this says 0."""
    label: str = ""
    """Of a block: its label. Of a rest: open or closed."""
    virtual: str = "rest"
    media: tuple[str, ...] = ()
    """Files to show or play, one after the other."""

    @property
    def counts(self) -> bool:
        """Whether something is learnt from it, so that it is done anew when it was spoiled."""
        return self.kind in ("rest", "block")


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """One drawing of a protocol."""

    protocol: Protocol
    seed: int
    steps: tuple[Step, ...]

    @property
    def seconds(self) -> float:
        """How long it takes when nothing goes wrong, answers apart."""
        return sum(step.seconds for step in self.steps)

    def listing(self) -> str:
        """Every step with its time, and the total: what a dry run shows."""
        lines, t = [f"{self.protocol.title}: {self.protocol.about}"], 0.0
        for step in self.steps:
            what = f"{step.kind} {step.number}" + (f" {step.label}" if step.label else "")
            media = f" [{', '.join(Path(name).name for name in step.media)}]" if step.media else ""
            lines.append(f"{clock_words(t)}  {what:<22} {step.seconds:5.1f} s  {step.text}{media}")
            t += step.seconds
        lines.append(f"{clock_words(t)}  the end" + (", answers apart" if self.asks else ""))
        if not self.provable:
            lines.append(
                f"too few blocks to prove anything: {self.protocol.rounds} rounds of {len(self.protocol.cues)}"
            )
        return "\n".join(lines)

    @property
    def provable(self) -> bool:
        """Whether there are blocks enough that a readout fitted to them could prove itself."""
        return not self.protocol.cues or least_p([self.protocol.rounds] * len(self.protocol.cues)) <= LEVEL

    @property
    def asks(self) -> bool:
        return any(step.kind == "report" for step in self.steps)


def clock_words(seconds: float) -> str:
    """``m:ss``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def least_p(blocks: Sequence[int]) -> float:
    """The smallest share of shuffled orders that must do as well as the true one.

    Shuffled labels that only swap names do exactly as well, so with few blocks no readout stands out.
    """
    orders = math.factorial(sum(blocks)) / math.prod(map(math.factorial, blocks))
    swaps = math.prod(math.factorial(n) for n in Counter(blocks).values())
    return swaps / orders


def shipped() -> dict[str, Path]:
    """The protocols that came with the program, by name."""
    return plans.shipped_in("realtime_mood.calibration", "protocols")


def load_protocol(name_or_path: str) -> Protocol:
    """A protocol that came with the program, or the one in a TOML file; raises as `plans.load` does."""
    return plans.load(Protocol, "protocol", name_or_path, shipped())


def draw(protocol: Protocol, seed: int, media: Path | None = None, rest_s: float | None = None) -> BlockPlan:
    """The steps of one sitting: rest, then rounds of blocks, every label once a round in random order.

    Parameters
    ----------
    protocol : Protocol
    seed : int
        Of the order, and of which picture comes where.
    media : Path, optional
        A folder with a folder of files for each label.
    rest_s : float, optional
        How long the rest takes in all, instead of what the protocol says.

    Raises
    ------
    ConfigError
        For media that lack a label.
    """
    rng = np.random.default_rng(seed)
    steps = []
    usual = sum(rest.seconds for rest in protocol.rest)
    for i, rest in enumerate(protocol.rest, 1):
        seconds = rest.seconds if rest_s is None else rest.seconds * rest_s / usual
        steps.append(Step("rest", i, rest.text, seconds, rest.eyes))
    shown = _media(protocol, media, rng) if media else {}
    for number, cue in enumerate(_order(protocol, rng), 1):
        steps.append(Step("washout", number, protocol.washout, protocol.washout_s))
        files_ = shown[cue.label].pop() if shown else ()
        steps.append(Step("block", number, cue.text, protocol.block_s, cue.label, cue.virtual, files_))
        if protocol.self_report:
            steps.append(Step("report", number, "How did that feel?", 0.0))
    return BlockPlan(protocol, seed, tuple(steps))


def _order(protocol: Protocol, rng: np.random.Generator) -> list[Cue]:
    """Rounds of every cue in random order, none twice in a row, the last one of `last`."""
    while True:
        rounds = [rng.permutation(len(protocol.cues)) for _ in range(protocol.rounds)]
        row = [int(i) for part in rounds for i in part]
        once = len(protocol.cues) == 2 or all(a != b for a, b in pairwise(row))
        if not row or (once and (not protocol.last or protocol.cues[row[-1]].label in protocol.last)):
            return [protocol.cues[i] for i in row]


def _media(protocol: Protocol, folder: Path, rng: np.random.Generator) -> dict[str, list[tuple[str, ...]]]:
    """For each label, what each of its blocks shows: all its files, dealt out evenly."""
    dealt = {}
    for label in protocol.labels:
        known = PICTURES | SOUNDS | VIDEOS
        found = sorted(p for p in (folder / label).glob("*") if p.suffix.lower() in known)
        if len(found) < protocol.rounds:
            raise ConfigError(
                f"media in {folder}", f"{len(found)} pictures, sounds or clips in its folder {label!r}",
                f"put {protocol.rounds} or more there, one for each block",
            )  # fmt: skip
        mixed = [str(found[i]) for i in rng.permutation(len(found))]
        dealt[label] = [tuple(mixed[i :: protocol.rounds]) for i in range(protocol.rounds)]
    return dealt
