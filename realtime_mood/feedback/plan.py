"""Plans of neurofeedback sessions, as TOML files hold them: measures, reward rule, blocks, consent and debriefing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from ..body.measure import UNITS as BODY_MEASURES
from ..dsp.reference import BETWEEN
from ..dsp.spec import BANDS
from ..files import Strict, load, shipped_in
from ..language import N_
from ..montage import canonical_name, derivation
from ..plugins import BUILT_IN, Group, plugins

Words = Annotated[str, Field(min_length=1, max_length=2000)]
HIGHEST_HZ = 100.0
READOUT = "readout"
SLOW = (READOUT, *BODY_MEASURES)  # the kinds of measure that are no fast ones


def registered(group: Group, name: str, also: tuple[str, ...] = ()) -> str:
    """`name`, which a part of the group has; raises `ValueError` that names those there are."""
    if name not in (known := plugins(group)):
        raise ValueError(f"known {group} are {', '.join((*known, *also))}")
    return name


def _band(value: object) -> object:
    return BANDS.get(value, value) if isinstance(value, str) else value


Band = Annotated[tuple[float, float], BeforeValidator(_band)]


class Measure(Strict):
    """A measure of the signal. Several are combined as a weighted mean of z-scores on the session's baseline."""

    kind: str
    """``band``: log power; ``ratio``: log power of `band` less that of `over`; ``asymmetry``: log power of the second
    half of `electrodes` less that of the first; ``readout``: what the network says of `label`; a measure of the
    body, as ``heart_rate``, from a stream beside the EEG; or the name of a measure of another package."""
    band: Band = BANDS["alpha"]  # two frequencies in Hz, or the name of a band
    over: Band | None = None  # of a ratio: the band below the line
    electrodes: tuple[str, ...] = ()  # names, or differences of two, as ``"F3-C3"``
    label: str = ""  # a label of the readout, or ``valence``, ``arousal`` or ``confidence``
    smoothing_s: float = Field(0.5, ge=0.1, le=10.0)  # time constant of the mean over power (s)
    weight: float = 1.0  # in the mean over measures; negative to reward less of it

    @field_validator("electrodes")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        pairs = [derivation(name) for name in names]
        found = tuple(BETWEEN.join(pair) if pair else canonical_name(name) or ""
                      for name, pair in zip(names, pairs, strict=True))  # fmt: skip
        if unknown := [name for name, there in zip(names, found, strict=True) if not there]:
            raise ValueError(f"no electrode {unknown[0]!r} in the 10-05 system")
        return found

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, kind: str) -> str:
        return kind if kind in SLOW else registered("measures", kind, SLOW)

    @model_validator(mode="after")
    def _whole(self) -> Measure:
        for low, high in filter(None, (self.band, self.over)):
            if not 0.5 <= low < high <= HIGHEST_HZ:
                raise ValueError(f"a band lies between 0.5 and {HIGHEST_HZ:g} Hz, lower edge first: {low:g}–{high:g}")
        if (self.kind == READOUT) != bool(self.label):
            raise ValueError("a readout needs a label, and nothing else has one")
        if self.is_fast and not self.electrodes:
            raise ValueError("name the electrodes")
        if self.kind in BODY_MEASURES and self.electrodes:
            raise ValueError(f"{self.kind} is not measured with electrodes of the EEG: name none")
        if self.kind in BUILT_IN["measures"] and (self.kind == "ratio") != (self.over is not None):
            raise ValueError("a ratio needs `over`, and nothing else has one")
        if self.kind == "asymmetry" and (len(self.electrodes) % 2 or not self.electrodes):
            raise ValueError("an asymmetry needs as many left as right electrodes, the left ones first")
        if not self.weight:
            raise ValueError("weight must not be 0")
        return self

    @property
    def is_fast(self) -> bool:
        return self.kind not in SLOW


class Reward(Strict):
    """The reward rule: the z-score has to stay beyond a threshold for long enough."""

    rule: Literal["threshold", "percentile", "staircase"] = "percentile"
    direction: Literal["up", "down"] = "up"  # whether more or less of the measure is rewarded
    z: float = 0.5  # the threshold, or the first one of the staircase, in standard deviations of the baseline
    percent: float = Field(60.0, gt=0, lt=100)  # ``percentile``: percentile of the last `over_s` seconds
    over_s: float = Field(30.0, ge=5, le=600)  # of `percentile` (s)
    # ``staircase``: step up after a reward, and down after `patience_s` without one
    step: float = Field(0.05, gt=0, le=1)
    patience_s: float = Field(5.0, ge=1, le=60)
    dwell_s: float = Field(0.25, ge=0, le=10)  # how long the z-score has to stay beyond the threshold (s)
    # shortest time between two rewards (s): nothing may flash three times a second
    pause_s: float = Field(1.0, ge=0.34, le=30)


class Block(Strict):
    """A block of a session."""

    kind: Literal["baseline", "feedback", "transfer", "rest"]  # ``transfer``: the same task without feedback
    seconds: float = Field(gt=0, le=3600)  # duration
    # instruction on the screen
    text: Words = N_("Sit still and look at the screen")


class FeedbackPlan(Strict):
    """The plan of a feedback session. Every field can be set in a TOML file."""

    name: str = Field(pattern="^[A-Za-z0-9_]+$")
    title: Words  # on the screens
    about: Words  # one sentence for the operator
    consent: Words  # text that the subject has to agree to first
    debrief: Words  # text shown after the session, in every condition
    measures: tuple[Measure, ...] = Field(min_length=1, max_length=8)
    # of the fast measures, except those of two electrodes; the network keeps the reference it was trained with
    reference: Literal["recorded", "average", "ears", "laplacian"] = "recorded"
    # ``circle``, ``bar``, ``landscape``, or the name of a display of another package
    display: Annotated[str, AfterValidator(partial(registered, "displays"))] = "circle"
    sound: Literal["none", "pitch", "loudness", "ambient"] = "none"
    reward: Reward = Field(default_factory=lambda: Reward.model_validate({}))
    blocks: tuple[Block, ...] = Field(min_length=2, max_length=60)

    @model_validator(mode="after")
    def _begins_with_a_baseline(self) -> FeedbackPlan:
        if self.blocks[0].kind != "baseline":
            raise ValueError("the first block must be a baseline")
        if not any(block.kind == "feedback" for block in self.blocks):
            raise ValueError("at least one block must be of kind feedback")
        return self


def shipped() -> dict[str, Path]:
    """The sessions that ship with the program, by name."""
    return shipped_in("realtime_mood.feedback", "sessions")


def load_plan(name_or_path: str) -> FeedbackPlan:
    """A shipped session by name, or the one in a TOML file; raises as `realtime_mood.files.load` does."""
    return load(FeedbackPlan, "session", name_or_path, shipped())
