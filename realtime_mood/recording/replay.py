"""Replay: computes the readings of a recording again and compares them with the recorded ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from ..dsp.artefacts import ShakenSamples
from ..errors import StreamMismatch
from ..guard import words_of
from ..health import Emission, State
from ..modalities import EyeInput, EyeState
from ..pipeline import ARTEFACTS, BASELINE, CORRECTION, LEARNS, LEFT_OUT, Pipeline
from ..types import Reading, StreamInfo, Why
from .reader import Recorded
from .xdf_session import exact

NEWER = ("drift", "corrections", "modalities", "eyes", "eye")  # fields that older recordings do not have
FIELDS = (
    "kind", "why", "first", "readout", "labels", "probs", "confidence", "calibrated", "quality", "faults", "coverage",
    *NEWER,
)  # fmt: skip
"""Fields of a reading that must be identical; the others depend on when it was made."""


@dataclass(frozen=True)
class Difference:
    """First difference between a recorded and a replayed reading."""

    end: int
    t: float  # stream time (s)
    field: str
    recorded: object
    replayed: object

    def __str__(self) -> str:
        return f"at {self.t:.2f} s (sample {self.end}) {self.field} was {self.recorded} and is {self.replayed}"


@dataclass(frozen=True)
class Replayed:
    """Result of a replay."""

    compared: int
    stale: int  # readings that only reported a lack of samples; they cannot be reproduced
    different: int
    first_difference: Difference | None
    largest: float  # largest difference of a probability
    unwritten: int  # samples that were received live and are missing from the file
    damaged: int  # bytes of the file that cannot be read
    older: bool = False  # the recording is of a version in which skipped or failed readings changed later ones

    @property
    def identical(self) -> bool:
        return self.compared > 0 and not self.different

    def __str__(self) -> str:
        if not self.compared:
            return f"nothing to compare: {self.stale} readings, all of them stale"
        text = f"{self.compared} readings are identical"
        if self.first_difference:
            text = f"{self.different} of {self.compared} readings differ; {self.first_difference}"
            text += f"; probabilities by at most {self.largest:.2g}"
            if self.older:
                text += "; it is of an older version, in which skipped readings and long gaps changed later readings"
        if self.unwritten:
            text += f"; {self.unwritten:,} samples that were received live are missing from the recording"
        if self.damaged:
            text += f"; {self.damaged:,} bytes of the file are damaged"
        return text


def replay(recorded: Recorded, build: Callable[[StreamInfo], Pipeline]) -> Replayed:
    """Compute the readings of a recording again, from the same windows; `build` makes the pipeline of its `about`."""
    pipeline, sfreq = build(recorded.info), recorded.info.sfreq
    pipeline.marks_artefacts = ARTEFACTS.items() <= recorded.about.items()
    wanted = {before["end"]: before for before in recorded.readings if before.get("why") != Why.STALE.value}
    n_compared, largest = len(wanted), 0.0
    differences: list[Difference] = []
    if begun := recorded.about.get("begun"):
        try:
            pipeline.resume(begun)
        except (KeyError, TypeError, ValueError) as error:
            found = f"the state at its beginning cannot be read: {words_of(error)}"
            raise StreamMismatch(str(recorded.path), found, "only its samples can be used") from error
    if pipeline.eye_population is not None:
        eyes = {end: _eye(before) for end, before in wanted.items()}
        pipeline.eyes = lambda window: eyes.get(window.end)
    for marker in recorded.markers():
        if marker.text.startswith(LEFT_OUT):
            pipeline.leave_out(marker.text.removeprefix(LEFT_OUT).split(","), marker.index)
        elif marker.text.startswith((BASELINE, CORRECTION)):
            pipeline.request(marker.text, marker.index)
        elif (shaken := ShakenSamples.of(marker)) is not None:
            pipeline.shaken.append(shaken)
    for reading in _readings(recorded, pipeline, wanted.keys()):
        if (before := wanted.pop(reading.end, None)) is not None:
            again: dict[str, Any] = exact(Emission(reading, recorded.info, State.LIVE, None, None))
            compared = [it for it in FIELDS if it not in NEWER or it in before]
            if field := next((it for it in compared if before.get(it) != again.get(it)), ""):
                where = reading.end, reading.end / sfreq
                differences.append(Difference(*where, field, before.get(field), again.get(field)))
                pairs = zip(before.get("probs") or (), again["probs"] or (), strict=False)
                largest = max(largest, *(abs(p - q) for p, q in pairs), 0.0)
    # Readings whose windows were not reproduced.
    differences += [Difference(end, end / sfreq, "reading", it["kind"], "missing") for end, it in wanted.items()]
    return Replayed(
        n_compared, len(recorded.readings) - n_compared, len(differences), differences[0] if differences else None,
        largest, recorded.unwritten, recorded.damaged, older=not LEARNS.items() <= recorded.about.items(),
    )  # fmt: skip


def _eye(reading: Mapping[str, Any]) -> EyeInput | None:
    """The eye movements that a recorded reading rests on, which do not depend on what the tracker sent later."""
    state, features = reading.get("eyes"), reading.get("eye")
    try:
        array = None if features is None else np.asarray(features, np.float32)
        return None if state is None else EyeInput(EyeState(state), array)
    except (TypeError, ValueError):
        return None


def _readings(recorded: Recorded, pipeline: Pipeline, wanted: Collection[int]) -> Iterator[Reading]:
    """Readings of the windows that end at `wanted` samples, and perhaps of others."""
    size = recorded.about.get("batch", 1)
    is_batched = isinstance(size, int) and not recorded.info.paced and pipeline.batches
    windows = (window for chunk in recorded.chunks() for window in pipeline.push(chunk))
    if is_batched:
        while batch := list(islice(windows, size)):  # as they were read: others differ in the last digit
            yield from pipeline.read_many(batch)
    else:
        yield from (pipeline.read(window) for window in windows if window.end in wanted)
