"""Turns a recording of a sitting back into what a person did, second by second: the only thing a profile rests on.

Fitting begins here whether the sitting has just ended or the recording was found after a crash, so both give the same
profile. What was cancelled, and what never came to its end, is left out; a rest that the recording ends in counts as
far as it goes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.datasets.person import NO_LABEL, Person
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError
from realtime_mood.pipeline import Notch, Pipeline
from realtime_mood.sources.recordings.ours import Recorded, open_recorded
from realtime_mood.types import Marker

from .plan import Protocol


@dataclass(frozen=True, slots=True)
class Stretch:
    """Something that was gone through, in samples ``[first, end)``."""

    kind: str
    number: int
    label: str
    first: int
    end: int


@dataclass(frozen=True, eq=False)
class Sat:
    """A sitting as the recording tells of it."""

    path: Path
    protocol: Protocol
    person: Person
    """Its pieces are the rests, then the blocks; labels count from the protocol's first."""
    block: np.ndarray
    """(n_seconds,) int: the number of the block, 0 in rests."""
    at: np.ndarray
    """(n_seconds,), s: stream time of each second's end."""
    blocks: tuple[Stretch, ...]
    answers: dict[int, tuple[float, float]]
    """What was said of blocks: (valence, arousal)."""
    repeated: tuple[str, ...]
    """Why something was done anew, each time."""
    quality: np.ndarray
    """(n_chans,): share of the time that each electrode was good."""


def stretches(markers: Sequence[Marker], last: int) -> tuple[list[Stretch], dict[int, tuple[float, float]], list[str]]:
    """What the markers of a sitting say was gone through, answered and cancelled.

    Parameters
    ----------
    markers : sequence of Marker
        In the order they happened.
    last : int
        The recording's last sample.
    """
    found: list[Stretch] = []
    answers: dict[int, tuple[float, float]] = {}
    repeated: list[str] = []
    open_: dict[tuple[str, int], Stretch] = {}
    for marker in markers:
        kind, *words = marker.text.split("/")
        if kind not in ("rest", "block", "report") or len(words) < 3 or not words[0].isdigit():
            continue
        key, what, more = (kind, int(words[0])), words[2], "/".join(words[3:])
        match what:
            case "begin":
                open_[key] = Stretch(kind, key[1], more, marker.index, marker.index)
            case "shown" if key in open_ and 0 <= marker.index - open_[key].first:
                it = open_[key]
                open_[key] = Stretch(kind, key[1], it.label, marker.index, marker.index)
            case "end" if key in open_:
                it = open_.pop(key)
                found.append(Stretch(kind, key[1], it.label, it.first, marker.index))
            case "cancelled":
                open_.pop(key, None)
                repeated.append(f"{kind} {key[1]}: {more}")
            case "answer" if "," in more:
                valence, _, arousal = more.partition(",")
                answers[key[1]] = float(valence), float(arousal)
    found += [Stretch(s.kind, s.number, s.label, s.first, last + 1) for s in open_.values() if s.kind == "rest"]
    return [s for s in found if s.kind in ("rest", "block")], answers, repeated


def collect(path: Path, spec: FeatureSpec, notch: Notch) -> Sat:
    """Read a sitting, and make the features of every second of it that counts.

    Raises
    ------
    ConfigError
        The recording is not of a calibration.
    SourceNotFound, StreamMismatch
        There is no recording, or none of ours.
    """
    recorded = open_recorded(path)
    protocol = protocol_of(recorded)
    info, slow = recorded.info, spec.model_copy(update={"hop_s": spec.step_s})
    pipeline = Pipeline(info, slow, None, notch)  # type: ignore[arg-type]  # only features are asked of it
    ends, rows, digest, last = [], [], hashlib.sha256(), 0
    for chunk in recorded.chunks():
        digest.update(chunk.data.tobytes())
        last = chunk.end - 1
        for window in pipeline.push(chunk):
            f = pipeline.features(window)
            there = not (f.step_mask[-1] or f.patch_mask[-1])
            rows.append((f.de[-1], f.patches[:, -1].astype(np.float16), there, f.quality.good))
            ends.append(window.end)
    found, answers, repeated = stretches(recorded.markers(), last)
    rests = [s for s in found if s.kind == "rest"]
    blocks = sorted((s for s in found if s.kind == "block" and s.label in protocol.labels), key=lambda s: s.first)
    settle, step = round(protocol.settle_s * info.sfreq), round(spec.step_s * info.sfreq)
    end = np.array(ends, int)
    picked, piece, label, block = [], [], [], []
    for number, stretch in enumerate([*rests, *blocks]):
        first = stretch.first + (settle if stretch.kind == "block" else 0)
        inside = np.flatnonzero((end - step >= first) & (end <= stretch.end))
        is_block = stretch.kind == "block"
        picked.append(inside)
        piece.append(np.full(len(inside), number))
        label.append(np.full(len(inside), protocol.labels.index(stretch.label) if is_block else NO_LABEL))
        block.append(np.full(len(inside), stretch.number if is_block else 0))
    none = np.empty(0, int)
    seconds = np.concatenate([none, *picked])
    n_rest = sum(map(len, picked[: len(rests)]))
    empty = np.zeros((0, info.n_chans, spec.n_bands), np.float32)
    de, patches, there, good = (
        [np.stack(column) for column in zip(*rows, strict=True)]
        if rows
        else [empty, np.zeros((0, info.n_chans, spec.patch_len), np.float16), none > 0, empty[:, :, 0] > 0]
    )
    person = Person(
        name=path.stem, info=info, de=de[seconds], patches=patches[seconds], there=there[seconds],
        good=good[seconds], piece=np.concatenate([none, *piece]), label=np.concatenate([none, *label]),
        rest=slice(0, n_rest), sha256=digest.hexdigest(),
    )  # fmt: skip
    return Sat(
        path, protocol, person, np.concatenate([none, *block]), end[seconds] / info.sfreq, tuple(blocks), answers,
        tuple(repeated), good.mean(axis=0) if len(good) else np.full(info.n_chans, math.nan),
    )  # fmt: skip


def protocol_of(recorded: Recorded) -> Protocol:
    """The protocol that a recording was made by; raises `ConfigError` for one that was made by none."""
    about: dict[str, Any] = recorded.about
    try:
        return Protocol.model_validate(about["calibration"]["protocol"])
    except (KeyError, TypeError, ValueError):
        raise ConfigError(
            f"calibrate from {recorded.path}",
            "this recording is not of a calibration",
            "pass one that calibrate made; it lies beside the profile and ends in .xdf",
        ) from None
