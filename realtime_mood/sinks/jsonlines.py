"""Readings as JSON Lines: one object per reading, flushed at once, and the run's health as the last line.

Between them, one object a second with the measures of the body, where a stream beside the EEG gives any.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import TextIO

import numpy as np

from ..body.measure import BodyReading
from ..body.measure import as_dict as body_dict
from ..console import encoding_of
from ..errors import OutputError
from ..health import Emission, Health
from ..types import Estimate


class JsonLines:
    """The view ``json``. The caller closes `stream`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def put(self, emission: Emission) -> None:
        """Write one reading."""
        write_line(self._stream, as_dict(emission))

    def put_body(self, reading: BodyReading) -> None:
        """Write the measures of the body."""
        write_line(self._stream, body_dict(reading))

    def close(self, health: Health) -> None:
        """Write the last line."""
        fields = {
            "kind": "health",
            "samples": health.samples,
            "lost": health.lost,
            "readings": health.readings,
            "skipped": health.skipped,
            "latency_ms": {p: getattr(health.latency, p, None) for p in ("p50", "p95", "p99")},
            "faults": health.faults,
            "fault": str(health.fault) if health.fault else None,
            "state": health.state.value,
            "virtual": health.info.virtual if health.info else None,
            "recording": asdict(health.recording) if health.recording else None,
            "outputs": [asdict(it) for it in health.outputs],
            "streams": [asdict(it) | {"state": it.state.value} for it in health.streams],
            "notes": list(health.notes),
        }
        write_line(self._stream, fields)


def write_line(stream: TextIO, line: dict[str, object]) -> None:
    """Write one object at once. Standard output keeps a failure as its `fault`, which the view checks."""
    is_unicode = encoding_of(stream).lower().startswith("utf")  # else characters are escaped
    with suppress(OutputError):
        stream.write(to_json(line, ensure_ascii=not is_unicode) + "\n")
        stream.flush()


def to_json(line: Mapping[str, object], *, ensure_ascii: bool = False) -> str:
    """One object on one line: non-finite numbers become null, and NumPy numbers plain ones."""
    try:
        return json.dumps(line, allow_nan=False, ensure_ascii=ensure_ascii, default=_plain)
    except ValueError:
        return json.dumps(_finite(line), allow_nan=False, ensure_ascii=ensure_ascii)


def _plain(value: object) -> object:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _finite(value: object) -> object:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {name: _finite(it) for name, it in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(it) for it in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_dict(emission: Emission) -> dict[str, object]:
    """One reading with the documented keys of the JSON output."""
    reading = emission.reading
    estimate = reading if isinstance(reading, Estimate) else None
    return {
        "kind": "estimate" if estimate else "abstained",
        "t": round(emission.t, 4),
        "first": reading.first,
        "end": reading.end,
        **({} if isinstance(reading, Estimate) else {"why": reading.why.value}),
        "readout": reading.readout.name,
        "labels": list(reading.readout.labels),
        "probs": None if reading.probs is None else [round(p, 6) for p in reading.probs],
        "confidence": round(estimate.confidence, 6) if estimate else None,
        "calibrated": reading.calibrated,
        "evidence": reading.readout.evidence,
        "virtual": emission.info.virtual,
        "state": emission.state.value,
        "quality": None if reading.quality is None else round(reading.quality.overall, 4),
        "coverage": round(reading.coverage, 4),
        "modalities": list(reading.modalities),
        "eyes": reading.eye and reading.eye.state.value,
        "drift": reading.drift and reading.drift.as_dict(),
        "corrections": reading.corrections and reading.corrections.as_dict(),
        "unfamiliarity": None if math.isnan(reading.unfamiliarity) else round(reading.unfamiliarity, 4),
        "sample_age_ms": None if emission.sample_age_ms is None else round(emission.sample_age_ms, 2),
        "latency_ms": None if emission.latency_ms is None else round(emission.latency_ms, 2),
    }
