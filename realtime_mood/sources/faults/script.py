"""Parser of fault scripts such as ``drop:0.01@10-20,freeze:6@30``: faults with time, size and electrodes.

The grammar is ``KIND[:VALUE][:ELECTRODE…][@START[-END]]``, times in seconds of stream time, faults separated by
commas. Without START a fault begins with the stream, without END it lasts; without electrodes it affects all of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...errors import ConfigError
from ...montage import canonical_name
from ..synthetic.artefacts import own_rng

MOST_FAULTS, LAST_S = 10_000, 1e6  # limits of a script: number of faults; latest beginning (s)


class Kind(NamedTuple):
    """One kind of fault."""

    meaning: str
    unit: str = ""
    default: float = 0.0
    low: float = 0.0
    high: float = 0.0
    report: str = ""  # text at its beginning; ``{}`` is the value
    electrodes: int | None = 0  # how many must be named; None for any number, where none means all
    brief: bool = False  # its value is its duration, so it takes no END


# Faults of samples are in the order in which they are applied to a signal.
FAULTS = {
    "drop": Kind("packets lost at random", "share", 0.01, 0, 1, "{} of the packets are lost"),
    "hole": Kind("everything is lost for this long", "s", 0.5, 0.001, 3600, "everything is lost for {} s", brief=True),
    "freeze": Kind("withheld for this long, then delivered at once", "s", 6, 0.01, 60, "frozen for {} s", brief=True),
    "stall": Kind("as freeze, but stamped at delivery", "s", 2, 0.01, 60, "held up for {} s, stamped late", brief=True),
    "delay": Kind("packets arrive late, by a random time of this mean", "ms", 20, 0, 5000, "arrives about {} ms late"),
    "jitter": Kind("random error of packets' stamps with this SD", "ms", 5, 0, 5000, "stamps jitter, {} ms"),
    "step": Kind("step of the sender's clock", "s", 2, -1e6, 1e6, "the clock is off by {} s"),
    "drift": Kind("the sender samples faster by this much", "ppm", 200, -2e4, 2e4, "sampling is off by {} ppm"),
    "backward": Kind("every other packet's stamps are this much too early", "s", 0.1, 0, 60,
                     "stamps run backwards by {} s"),
    "unix": Kind("stamps count from 1970", report="stamps count from 1970"),
    "duplicate": Kind("packets sent twice", "share", 0.05, 0, 1, "{} of the packets are sent twice"),
    "reorder": Kind("packets swapped with the next one", "share", 0.05, 0, 1, "{} of the packets are swapped"),
    "announce": Kind("the nominal rate of the stream; for the whole run", "Hz", 256, 1, 1e5, "announced as {} Hz"),
    "anonymous": Kind("the stream has no source_id; for the whole run", report="without a source_id"),
    "kill": Kind("the stream disappears, and returns after this long", "s", 5, 0.1, 86400, "gone for {} s", brief=True),
    "decoy": Kind("for this long, other streams carry its source_id", "s", 10, 0.1, 86400, "decoys for {} s",
                  brief=True),
    "fewer": Kind("from START to END, another stream with this many channels fewer", "channels", 1, 1, 64,
                  "returns with {} channels fewer"),
    "noisy": Kind("white noise of this rms is added", "µV", 200, 0, 1e6, "noise of {} µV", None),
    "line50": Kind("50 Hz of this rms is added", "µV", 100, 0, 1e6, "50 Hz of {} µV", None),
    "line60": Kind("60 Hz of this rms is added", "µV", 100, 0, 1e6, "60 Hz of {} µV", None),
    "popped": Kind("a step that decays within seconds", "µV", 2000, -1e6, 1e6, "popped by {} µV", None),
    "offset": Kind("a step that stays", "µV", 4000, -1e6, 1e6, "stepped by {} µV", None),
    "swapped": Kind("the two electrodes are exchanged", report="exchanged", electrodes=2),
    "flat": Kind("constant at this value", "µV", 0, -1e6, 1e6, "flat", None),
    "railed": Kind("constant at the end of the amplifier's range", "µV", 187500, -1e6, 1e6, "railed at {} µV", None),
    "nan": Kind("samples that are not a number", "share", 1, 0, 1, "{} of the samples are not a number", None),
    "inf": Kind("samples that are infinite", "share", 1, 0, 1, "{} of the samples are infinite", None),
    "random": Kind("random faults drawn with this seed, for at most an hour", "seed", 0, 0, 2**32 - 1),
}  # fmt: skip

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_FAULT = re.compile(rf"(?P<words>[^@]*)(?:@(?P<start>{_NUMBER})(?:-(?P<end>{_NUMBER}))?)?")

# Random scripts draw from: kind, least and greatest value, least and greatest duration (s; none where brief).
_MENU = (
    ("drop", 0.005, 0.05, 5, 30), ("hole", 0.02, 2, 0, 0), ("freeze", 0.2, 6, 0, 0), ("delay", 5, 100, 5, 30),
    ("jitter", 1, 10, 5, 30), ("kill", 1, 8, 0, 0), ("noisy", 50, 300, 5, 30), ("line50", 30, 200, 5, 30),
    ("popped", 500, 5000, 0, 0), ("offset", -4000, 4000, 5, 30), ("flat", 0, 0, 5, 30),
    ("railed", 187500, 187500, 5, 30), ("nan", 0.01, 1, 1, 10), ("inf", 0.01, 1, 1, 10),
)  # fmt: skip
_EVERY_S = 20.0  # mean time between two faults of a random script (s)


@dataclass(frozen=True, slots=True)
class ScriptedFault:
    """One fault of a script."""

    kind: str
    value: float
    start_s: float
    end_s: float  # stream time (s); infinite where it lasts
    ch_names: tuple[str, ...] = ()
    columns: tuple[int, ...] = ()  # columns of those electrodes in the data

    def __str__(self) -> str:
        text = FAULTS[self.kind].report.format(f"{self.value:g}")
        return f"{', '.join(self.ch_names)} {text}" if self.ch_names else text

    def is_on(self, stream_s: float) -> bool:
        """Whether it affects the signal at that stream time."""
        return self.start_s <= stream_s < self.end_s

    def spans(self, sfreq: float) -> tuple[float, float]:
        """First sample of the fault, and first sample after it."""
        return round(self.start_s * sfreq), math.inf if math.isinf(self.end_s) else round(self.end_s * sfreq)


@dataclass(frozen=True, slots=True)
class FaultScript:
    """All faults of a stream."""

    faults: tuple[ScriptedFault, ...] = ()

    @classmethod
    def parse(cls, text: str, ch_names: Sequence[str]) -> FaultScript:
        """Parse `text`, for a stream of these electrodes; the `ConfigError` of a wrong word names the known ones."""
        faults: list[ScriptedFault] = []
        for part in text.split(","):
            fault = _read(text, part.strip(), tuple(ch_names))
            faults += _draw(fault, tuple(ch_names)) if fault.kind == "random" else [fault]
            if len(faults) > MOST_FAULTS:
                raise ConfigError("faults=…", f"more than {MOST_FAULTS} faults", "write a shorter script")
        return cls(tuple(faults))

    def of(self, *kinds: str) -> tuple[ScriptedFault, ...]:
        """The faults of these kinds."""
        return tuple(fault for fault in self.faults if fault.kind in kinds)


def _read(text: str, part: str, ch_names: tuple[str, ...]) -> ScriptedFault:
    def wrong(found: str, do: str) -> ConfigError:
        return ConfigError(f"faults={text if len(text) <= 80 else text[:77] + '…'}", found, do)

    match = _FAULT.fullmatch(part)
    if match is None:
        raise wrong(f"{part!r}", "write KIND[:VALUE][:ELECTRODE…][@START[-END]], like drop:0.01@10-20")
    name, *words = match["words"].split(":")
    if name not in FAULTS:
        raise wrong(f"no fault {name!r}", f"known are {', '.join(FAULTS)}")
    kind, value = FAULTS[name], FAULTS[name].default
    if words and re.fullmatch(rf"[+-]?{_NUMBER}", words[0]):
        value = float(words.pop(0))
        if not kind.unit or not kind.low <= value <= kind.high:
            limits = f"{kind.low:g} to {kind.high:g} {kind.unit}" if kind.unit else "no number"
            raise wrong(f"{part!r}", f"{name} takes {limits}")
    start_s = float(match["start"] or 0.0)
    end_s = float(match["end"]) if match["end"] else start_s + value if kind.brief else math.inf
    if match["end"] and kind.brief:
        raise wrong(f"{part!r}", f"{name} lasts as long as its value says: {name}:SECONDS@START")
    if not start_s < end_s or start_s > LAST_S:
        raise wrong(f"{part!r}", "it must end after it begins, and begin within 1,000,000 s")
    if name in ("kill", "fewer") and not start_s:
        raise wrong(f"{part!r}", f"begin after the start of the stream: {name}:{value:g}@SECONDS")
    columns = _columns(wrong, kind, name, words, ch_names)
    if name in ("fewer", "random") and (value % 1 or (name == "fewer" and value >= len(ch_names))):
        raise wrong(f"{part!r}", f"{name} takes a whole number, and leaves a channel of {len(ch_names)}")
    return ScriptedFault(name, value, start_s, end_s, tuple(ch_names[k] for k in columns) if words else (), columns)


def _columns(
    wrong: Callable[[str, str], ConfigError], kind: Kind, name: str, words: Sequence[str], ch_names: tuple[str, ...]
) -> tuple[int, ...]:
    """Columns of the named electrodes; all columns where none is named and any number is allowed."""
    known = {canonical_name(label) or label: k for k, label in enumerate(ch_names)}
    named = {word: known.get(canonical_name(word) or word, -1) for word in words}
    if unknown := [word for word, column in named.items() if column < 0]:
        raise wrong(f"{name}: {unknown[0]!r} is neither a value nor an electrode", f"electrodes: {', '.join(ch_names)}")
    columns = set(named.values())
    if len(columns) < len(words) or (kind.electrodes is not None and len(words) != kind.electrodes):
        takes = "electrodes, each once" if kind.electrodes is None else f"{kind.electrodes or 'no'} electrodes"
        raise wrong(f"{name}:{':'.join(words)}", f"{name} takes {takes}")
    return tuple(named.values()) if words or kind.electrodes == 0 else tuple(range(len(ch_names)))


def _draw(asked: ScriptedFault, ch_names: tuple[str, ...]) -> list[ScriptedFault]:
    """The faults of ``random:SEED``: one about every `_EVERY_S` s."""
    rng = own_rng(int(asked.value), "mixture")
    end_s = min(asked.end_s, asked.start_s + 3600)
    faults: list[ScriptedFault] = []
    at_s = asked.start_s + 5 + rng.exponential(_EVERY_S)
    while at_s < end_s:
        kind, low, high, shortest, longest = _MENU[rng.integers(len(_MENU))]
        value = round(float(rng.uniform(low, high)), 3)
        lasts_s = value if FAULTS[kind].brief else rng.uniform(shortest, longest) if longest else math.inf
        n = min(len(ch_names), int(rng.integers(1, 4)))
        columns = tuple(sorted(rng.permutation(len(ch_names))[:n].tolist())) if FAULTS[kind].electrodes is None else ()
        start_s, names = round(float(at_s), 2), tuple(ch_names[k] for k in columns)
        faults.append(ScriptedFault(kind, value, start_s, start_s + round(float(lasts_s), 3), names, columns))
        at_s += rng.exponential(_EVERY_S) + (lasts_s if FAULTS[kind].brief else 0.0)
    return faults


def own(seed: int, fault: ScriptedFault) -> np.random.Generator:
    """Random generator of one fault, independent of all others."""
    return own_rng(seed, f"{fault.kind} {fault.start_s:g} {','.join(fault.ch_names)}")
