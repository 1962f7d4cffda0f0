"""Simulated subjects (seeds under 10,000) with the `emotion3` labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realtime_mood.dsp.eye import by_step
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.montage import SPREAD
from realtime_mood.sources.synthetic.eyes import EYE_SFREQ
from realtime_mood.sources.synthetic.person import Script, VirtualPerson
from realtime_mood.types import StreamInfo

from .person import NO_LABEL, Person, person

LABELS = ("negative", "neutral", "positive")
LAST_SEED = 9_999  # seeds from here up are never trained on
BASELINE_S = 60
SETTLE_S = 9  # unlabelled after a change: the response is slow, and the context still holds the state before
N_CHANS = 24
SFREQ = 128.0


def one(seed: int, spec: FeatureSpec, *, eyes: bool = False) -> Person:
    """The simulated subject `seed`, on a random montage, through a random script, under a random reference.

    With `eyes`, its eye movements are known, too.
    """
    if not 0 <= seed <= LAST_SEED:
        raise ValueError(f"training subjects have seeds from 0 to {LAST_SEED}, not {seed}")
    rng = np.random.default_rng([2, seed])
    ch_names = tuple(str(name) for name in rng.permutation(SPREAD)[: N_CHANS + 1])
    script, labels = _script(rng)
    difficulty = rng.choice(["easy", "medium", "hard", "none"], p=[0.15, 0.65, 0.12, 0.08])
    who = VirtualPerson(seed, ch_names, SFREQ, script, str(difficulty))
    signal = who.signal(len(labels))
    if difficulty == "none":
        labels = np.where(labels == NO_LABEL, NO_LABEL, rng.permutation(3)[labels])  # no effect to learn
    signal = _referenced(signal, rng)
    info = StreamInfo(ch_names[:N_CHANS], SFREQ, name=f"virtual person {seed}", virtual=True)
    seen = [eyes_of(who, len(labels))] if eyes else []
    return person(f"virtual-{seed}-{difficulty}", info, [signal], [labels], slice(0, BASELINE_S), spec, seen)


def eyes_of(who: VirtualPerson, seconds: int) -> np.ndarray:
    """Eye movements of the next `seconds` of a simulated subject: (seconds, 33)."""
    return by_step(who.eyes.signal(seconds), EYE_SFREQ)[0]


def _script(rng: np.random.Generator) -> tuple[Script, np.ndarray]:
    """A minute of baseline (rest, neutral, or all states), then the three states in random order, once or twice."""
    kind = str(rng.choice(["rest", "neutral", "mixed"], p=[0.3, 0.2, 0.5]))
    blocks = [(str(s), BASELINE_S // 3) for s in rng.permutation(LABELS)] if kind == "mixed" else [(kind, BASELINE_S)]
    rounds = 1 if kind == "mixed" else 2
    blocks += [(str(state), int(rng.integers(18, 34))) for _ in range(rounds) for state in rng.permutation(LABELS)]
    return labelled_script(blocks)


def labelled_script(blocks: Sequence[tuple[str, int]]) -> tuple[Script, np.ndarray]:
    """A script of states and their durations in seconds, and a label a second."""
    labels = []
    for state, seconds in blocks:
        row = np.full(seconds, LABELS.index(state) if state in LABELS else NO_LABEL)
        row[:SETTLE_S] = NO_LABEL
        labels.append(row)
    return Script.parse(",".join(f"{state}:{seconds}" for state, seconds in blocks)), np.concatenate(labels)


def _referenced(signal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """`N_CHANS` of the channels against infinity, the average, or the electrode that is left over."""
    kind = rng.choice(["infinity", "average", "electrode"])
    if kind == "average":
        return (signal - signal.mean(axis=1, keepdims=True))[:, :N_CHANS]
    return signal[:, :N_CHANS] - (signal[:, N_CHANS:] if kind == "electrode" else 0)
