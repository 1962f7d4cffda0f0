"""Reads the recording of a calibration session: rests, blocks and ratings, with the features of each second.

Profiles are always fitted to a recording, whether the session has just ended or was interrupted by a crash, so both
give the same profile. Steps that were cancelled or not completed are left out; of a rest in which the recording ends,
the part that was recorded is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError
from realtime_mood.models.datasets.person import NO_LABEL, Person
from realtime_mood.pipeline import Notch, Pipeline
from realtime_mood.recording.reader import Recorded, open_recorded
from realtime_mood.types import Marker

from .protocol import Protocol

FOREVER = 2**62


@dataclass(frozen=True, slots=True)
class StepSpan:
    """A completed rest or block, in samples ``[first, end)``."""

    kind: str
    number: int
    label: str
    first: int
    end: int


@dataclass(frozen=True, eq=False)
class CalibrationRecording:
    """A calibration session as read from its recording."""

    path: Path
    protocol: Protocol
    person: Person  # its pieces are the rests, then the blocks; labels are indices into the protocol's
    block: np.ndarray  # (n_seconds,) int: the number of the block, 0 in rests
    at: np.ndarray  # (n_seconds,), s: stream time of each second's end
    blocks: tuple[StepSpan, ...]
    answers: dict[int, tuple[float, float]]  # ratings by number of the block: (valence, arousal)
    repeated: tuple[str, ...]  # reason of each repetition
    quality: np.ndarray  # (n_chans,): share of the time for which each electrode was good


def spans(markers: Sequence[Marker]) -> tuple[list[StepSpan], dict[int, tuple[float, float]], list[str]]:
    """Completed steps, ratings and reasons of repetitions, from the markers of a session in order of time.

    A rest without an end lasts until the session was stopped, or until `FOREVER`.
    """
    last, found, repeated = FOREVER, list[StepSpan](), list[str]()
    answers: dict[int, tuple[float, float]] = {}
    open_: dict[tuple[str, int], StepSpan] = {}
    for marker in markers:
        if marker.text == "stop":
            last = marker.index
        kind, *words = marker.text.split("/")
        if kind not in ("rest", "block", "report") or len(words) < 3 or not words[0].isdigit():
            continue
        key, event, detail = (kind, int(words[0])), words[2], "/".join(words[3:])
        match event:
            case "begin":
                open_[key] = StepSpan(kind, key[1], detail, marker.index, FOREVER)
                last = FOREVER  # a "stop" before it was another program's
            case "shown" if key in open_:  # the step begins when its cue is on the screen
                open_[key] = replace(open_[key], first=marker.index)
            case "end" if key in open_:
                found.append(replace(open_.pop(key), end=marker.index + 1))
            case "cancelled":
                open_.pop(key, None)
                repeated.append(f"{kind} {key[1]}: {detail}")
            case "answer" if "," in detail:
                valence, _, arousal = detail.partition(",")
                with suppress(ValueError):  # another program's
                    answers[key[1]] = float(valence), float(arousal)
    found += [replace(s, end=last + 1) for s in open_.values() if s.kind == "rest"]
    return [s for s in found if s.kind in ("rest", "block")], answers, repeated


def collect(path: Path, spec: FeatureSpec, notch: Notch) -> CalibrationRecording:
    """Read a calibration recording, with the features of every second that is used.

    Raises `ConfigError` where it is no recording of a calibration, `SourceNotFound` where there is no such file, and
    `StreamMismatch` where it was not recorded by this program.
    """
    recorded = open_recorded(path)
    protocol, info = protocol_of(recorded), recorded.info
    found, answers, repeated = spans(recorded.markers())
    seconds = _every_second(recorded, spec, notch, max((s.end for s in found), default=FOREVER))
    rests = [s for s in found if s.kind == "rest"]
    blocks = sorted((s for s in found if s.kind == "block" and s.label in protocol.labels), key=lambda s: s.first)
    settle, step = round(protocol.settle_s * info.sfreq), round(spec.step_s * info.sfreq)
    inside = [seconds.within(s, step, 0) for s in rests] + [seconds.within(s, step, settle) for s in blocks]
    label = [NO_LABEL] * len(rests) + [protocol.labels.index(s.label) for s in blocks]
    counts, at = list(map(len, inside)), np.concatenate([np.empty(0, int), *inside])
    person = Person(
        name=path.stem, info=info, de=seconds.de[at], patches=seconds.patches[at], there=seconds.there[at],
        good=seconds.good[at], piece=np.repeat(np.arange(len(inside)), counts),
        label=np.repeat(np.array(label, int), counts), rest=np.repeat(np.arange(len(counts)) < len(rests), counts),
        sha256=seconds.sha256,
    )  # fmt: skip
    return CalibrationRecording(
        path=path, protocol=protocol, person=person, at=seconds.end[at] / info.sfreq,
        block=np.repeat(np.array([0] * len(rests) + [s.number for s in blocks], int), counts),
        blocks=tuple(blocks), answers=answers, repeated=tuple(repeated),
        quality=seconds.good.mean(axis=0) if len(seconds.good) else np.zeros(info.n_chans),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Seconds:
    """Every second of a recording; see `Person`."""

    de: np.ndarray
    patches: np.ndarray
    there: np.ndarray
    good: np.ndarray
    end: np.ndarray  # (n_seconds,) int: the sample each ends at
    sha256: str

    def within(self, span: StepSpan, step: int, settle: int) -> np.ndarray:
        """Indices of the seconds that lie wholly within a span, without its first `settle` samples."""
        return np.flatnonzero((self.end - step >= span.first + settle) & (self.end <= span.end))


def _every_second(recorded: Recorded, spec: FeatureSpec, notch: Notch, end: int) -> _Seconds:
    """Seconds of samples ``[0, end)``: the recording may continue after the session."""
    info, slow = recorded.info, spec.model_copy(update={"hop_s": spec.step_s})
    pipeline = Pipeline(info, slow, None, notch)  # type: ignore[arg-type]  # only its features are used
    n, seconds, digest = info.n_chans, list[tuple[Any, ...]](), hashlib.sha256()
    for whole in recorded.chunks():
        if whole.first >= end:
            break
        chunk = whole.before(end, info.sfreq)
        digest.update(chunk.data.tobytes())
        for window in pipeline.push(chunk):
            f = pipeline.features(window)
            whole_second = not (f.step_mask[-1] or f.patch_mask[-1])
            seconds.append((f.de[-1], f.patches[:, -1].astype(np.float16), whole_second, f.quality.good, window.end))
    de, patches, there, good, ends = zip(*seconds, strict=True) if seconds else ((),) * 5
    return _Seconds(
        np.array(de, np.float32).reshape(-1, n, spec.n_bands),
        np.array(patches, np.float16).reshape(-1, n, spec.patch_len),
        np.array(there, bool), np.array(good, bool).reshape(-1, n), np.array(ends, int), digest.hexdigest(),
    )  # fmt: skip


def protocol_of(recorded: Recorded) -> Protocol:
    """The protocol of a recording; raises `ConfigError` where it is not of a calibration."""
    try:
        return Protocol.model_validate(recorded.about["calibration"]["protocol"])
    except (KeyError, TypeError, ValueError):
        do = "use one that calibrate made: the .xdf file beside the profile"
        raise ConfigError(f"calibrate from {recorded.path}", "this is not a recording of a calibration", do) from None
