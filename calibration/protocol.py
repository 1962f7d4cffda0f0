"""Calibration protocols, as TOML files hold them, and the block plans that are drawn from them.

A `Protocol` defines rests, cues and rounds; a `BlockPlan` is one random draw of it: the order of the blocks, and the
media of each. The same protocol, seed and media give the same plan.
"""

from __future__ import annotations

import math
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from realtime_mood.errors import ConfigError
from realtime_mood.files import Strict, load, shipped_in
from realtime_mood.language import N_

State = Literal["neutral", "positive", "negative", "rest"]
LEVEL = 0.02  # significance level of the permutation test
LEAD_S = 3.0  # lead-in before a step that is repeated
PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"}
SOUNDS = {".wav", ".mp3", ".ogg", ".flac", ".m4a"}
PATIENCE = 1000  # random orders that are tried before one is made to fit
VIDEOS = {".mp4", ".mkv", ".webm", ".avi", ".mov"}


class Rest(Strict):
    """A period of rest, to which the baseline is fitted."""

    seconds: float = Field(gt=0, le=600)
    text: str
    eyes: Literal["open", "closed"] = "open"


class Cue(Strict):
    """The task of a block, and its label."""

    label: str = Field(pattern="^[A-Za-z0-9_]+$")
    text: str
    virtual: State  # state of a simulated subject in the block
    coordinates: tuple[float, float]  # (valence, arousal), each from -1 to 1


class Protocol(Strict):
    """A calibration protocol. Every field can be set in a TOML file."""

    name: str = Field(pattern="^[A-Za-z0-9_]+$")
    title: str
    about: str
    readout: str = ""
    """Readout of the weights with the same labels, from which the personal one starts; none where empty."""
    consent: str = ""  # text that the subject has to agree to first; no consent page where empty
    rest: tuple[Rest, ...] = ()
    cues: tuple[Cue, ...] = ()
    rounds: int = Field(0, ge=0, le=40)  # blocks of each cue
    block_s: float = Field(20.0, ge=5, le=300)  # duration of a block (s)
    settle_s: float = Field(3.0, ge=0, le=60)  # seconds at the beginning of each block that are not used
    washout_s: float = Field(6.0, ge=2, le=120)  # pause between blocks (s)
    # text of that pause
    washout: str = N_("Let it go. Breathe out slowly.")
    last: tuple[str, ...] = ()  # labels that the last block may have; any label where empty
    self_report: bool = False  # whether the subject rates valence and arousal after each block

    @model_validator(mode="after")
    def _fits(self) -> Protocol:
        labels = [cue.label for cue in self.cues]
        if not self.rest and not self.cues:
            raise ValueError("neither rest nor cues: add at least one")
        if self.cues and (len(labels) < 2 or len(set(labels)) < len(labels)):
            raise ValueError("cues need two or more different labels")
        if self.cues and self.rounds < 2:
            raise ValueError("rounds must be 2 or more, so that blocks can be held out")
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
    """One step of a plan: `kind` is rest, washout, block or report (a self-rating)."""

    kind: Literal["rest", "washout", "block", "report"]
    number: int  # number among its kind, from 1; a washout and a report have the number of their block
    text: str
    seconds: float  # 0 for a report, which lasts until it is answered
    label: str = ""  # label of a block; ``open`` or ``closed`` for a rest
    virtual: str = "rest"
    media: tuple[str, ...] = ()  # files to show or play, one after the other

    @property
    def counts(self) -> bool:
        """Whether its data are used, so that it is repeated after a disturbance."""
        return self.kind in ("rest", "block")


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """One random draw of a protocol."""

    protocol: Protocol
    seed: int
    steps: tuple[Step, ...]

    @property
    def seconds(self) -> float:
        """Duration without repetitions and ratings (s)."""
        return sum(step.seconds for step in self.steps)

    def listing(self) -> str:
        """Every step with its time, and the total duration, as a dry run shows them."""
        lines, t = [f"{self.protocol.title}: {self.protocol.about}"], 0.0
        for step in self.steps:
            what = f"{step.kind} {step.number}" + (f" {step.label}" if step.label else "")
            media = f" [{', '.join(Path(name).name for name in step.media)}]" if step.media else ""
            lines.append(f"{clock_words(t)}  {what:<22} {step.seconds:5.1f} s  {step.text}{media}")
            t += step.seconds
        lines.append(f"{clock_words(t)}  end" + (", plus the time for ratings" if self.asks else ""))
        if not self.provable:
            blocks = f"{self.protocol.rounds} rounds of {len(self.protocol.cues)}"
            lines.append(f"too few blocks for a significant result: {blocks}")
        return "\n".join(lines)

    @property
    def provable(self) -> bool:
        """Whether there are enough blocks for a significant permutation test."""
        return not self.protocol.cues or least_p([self.protocol.rounds] * len(self.protocol.cues)) <= LEVEL

    @property
    def asks(self) -> bool:
        """Whether the subject rates blocks."""
        return any(step.kind == "report" for step in self.steps)


def clock_words(seconds: float) -> str:
    """``m:ss``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def least_p(blocks: Sequence[int]) -> float:
    """The smallest p value that a permutation test of these numbers of blocks can give.

    Permutations that only swap label names score exactly as well as the true order, so the result of few blocks cannot
    be significant.
    """
    orders = math.factorial(sum(blocks)) // math.prod(map(math.factorial, blocks))
    swaps = math.prod(math.factorial(n) for n in Counter(blocks).values())
    return swaps / orders


def shipped() -> dict[str, Path]:
    """The protocols that ship with the program, by name."""
    return shipped_in("realtime_mood.calibration", "protocols")


def load_protocol(name_or_path: str) -> Protocol:
    """A shipped protocol by name, or the one in a TOML file; raises as `realtime_mood.files.load` does."""
    return load(Protocol, "protocol", name_or_path, shipped())


def draw(
    protocol: Protocol, seed: int | None = None, media: Path | None = None, rest_s: float | None = None
) -> BlockPlan:
    """Draw the steps of one session: rest, then rounds of blocks, with every label once a round in random order.

    `seed`, by default a random one, decides the order of blocks and of the media, which are in one subfolder of `media`
    for each label. `rest_s` is the total duration of rest (s), instead of the protocol's. Raises `ConfigError` where a
    label has too few media files, and for a negative seed or a duration that is none.
    """
    seed = secrets.randbits(16) if seed is None else seed
    if seed < 0:
        raise ConfigError(f"seed {seed}", "it is negative", "give 0 or more")
    if rest_s is not None and not 0 < rest_s < math.inf:
        raise ConfigError(f"{rest_s:g} seconds of rest", "not a duration", "give more than 0")
    rng, usual = np.random.default_rng(seed), sum(rest.seconds for rest in protocol.rest)
    times = 1.0 if rest_s is None or not usual else rest_s / usual
    steps = [Step("rest", i, rest.text, times * rest.seconds, rest.eyes) for i, rest in enumerate(protocol.rest, 1)]
    files_of = _media(protocol, media, rng) if media else {}
    for number, cue in enumerate(_order(protocol, rng), 1):
        steps.append(Step("washout", number, protocol.washout, protocol.washout_s))
        shown = files_of[cue.label].pop() if files_of else ()
        steps.append(Step("block", number, cue.text, protocol.block_s, cue.label, cue.virtual, shown))
        if protocol.self_report:
            steps.append(Step("report", number, N_("How did you feel during this block?"), 0.0))
    return BlockPlan(protocol, seed, tuple(steps))


def _order(protocol: Protocol, rng: np.random.Generator) -> list[Cue]:
    """Rounds of every cue in random order, no cue twice in a row, the last one from `last`."""
    n = len(protocol.cues)
    for tries in count():
        row: list[int] = []
        once = True
        while len(row) < n * protocol.rounds:
            part = rng.permutation(n).tolist()
            fits = n == 2 or part[0] not in row[-1:]
            if fits or tries < PATIENCE:
                row, once = row + part, once and fits
        if not row or (once and (not protocol.last or protocol.cues[row[-1]].label in protocol.last)):
            break
    return [protocol.cues[i] for i in row]


def _media(protocol: Protocol, folder: Path, rng: np.random.Generator) -> dict[str, list[tuple[str, ...]]]:
    """For each label, the files of each of its blocks: all its files, distributed evenly."""
    media, known = {}, PICTURES | SOUNDS | VIDEOS
    for label in protocol.labels:
        found = sorted(p for p in (folder / label).glob("*") if p.suffix.lower() in known)
        if len(found) < protocol.rounds:
            raise ConfigError(
                f"media in {folder}", f"{len(found)} pictures, sounds or clips in its subfolder {label!r}",
                f"put at least {protocol.rounds} there, one for each block",
            )  # fmt: skip
        mixed = [str(found[i]) for i in rng.permutation(len(found))]
        media[label] = [tuple(mixed[i :: protocol.rounds]) for i in range(protocol.rounds)]
    return media
