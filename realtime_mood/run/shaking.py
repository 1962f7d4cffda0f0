"""Seconds in which head or headset were shaken, from the measure of movement: marked in the pipeline and the file."""

from __future__ import annotations

from ..body.measure import BodyReading
from ..body.movement import WINDOW_S
from ..dsp.artefacts import MOVEMENT, ShakenSamples
from ..pipeline import Pipeline
from ..ring import RingBuffer
from ..types import Marker

SHAKING_G = 0.1  # standard deviation of acceleration; talking and looking around stay below it


def shaken(reading: BodyReading) -> tuple[float, float] | None:
    """Begin and end of the shaken seconds (s, stream time) behind a reading of the body; None where there are none."""
    values = [it.value for it in reading.measures if it.name == "movement" and it.value is not None]
    return (reading.at - WINDOW_S, reading.at) if values and max(values) >= SHAKING_G else None


def mark_shaken(reading: BodyReading, raw: RingBuffer, pipeline: Pipeline, taken: int) -> tuple[Marker, float] | None:
    """Have `pipeline`, which has read up to sample `taken`, leave out what was shaken from its next window on.

    Returns the marker that repeats it in a replay, and its time (s, our clock); None where nothing was shaken.
    """
    if (seconds := shaken(reading)) is None:
        return None
    sfreq, hop_s = raw.info.sfreq, pipeline.spec.hop_s
    # between two readings, where a sample more or less does not matter
    after = round((int(taken / sfreq / hop_s) + 0.5) * hop_s * sfreq)
    first, stop = (max(0, round(s * sfreq)) for s in seconds)
    pipeline.shaken.append(ShakenSamples(after, first, stop))
    newest = raw.latest(1)
    return Marker(after, f"{MOVEMENT}{first} {stop}"), newest.t_last + (after - newest.first) / sfreq
