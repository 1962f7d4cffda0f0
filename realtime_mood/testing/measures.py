"""The check of a kind of fast measure: a number for any power, without memory, in time, however the stream is cut."""

from __future__ import annotations

import math
import time

import numpy as np

from ..contracts import MeasureKind
from ..feedback.measures import RATE_HZ, FastMeasures, Sample
from ..feedback.plan import Measure
from ..plugins import register, unregister
from ..types import Chunk, StreamInfo
from .parts import EIGHT, cut, pink
from .waiting import Violation, no_threads_left, require, within

INFO = StreamInfo(EIGHT, 200.0)
CALL_S = 0.1 / RATE_HZ  # how long a call may take on average: a tenth of the time between two
NAME = "checked_measure"


def check_measure(
    kind: MeasureKind, *, electrodes: tuple[str, ...] = ("C3", "C4"), over: tuple[float, float] | None = None
) -> None:
    """Check a kind of measure against `contracts.MeasureKind`; raise `Violation` where it differs.

    Parameters
    ----------
    kind : callable
    electrodes : tuple of str
        Of `parts.EIGHT`.
    over : tuple of float, optional
        The second band (Hz), for a kind that compares two.
    """
    require(callable(kind), "a measure", f"a {type(kind).__name__}", "give a function (power, over) -> float")
    with no_threads_left("the measure"):
        _numbers(kind, len(electrodes), over is not None)
        register("measures", NAME, kind)
        try:
            _cutting(Measure(kind=NAME, electrodes=electrodes, over=over, band=(8.0, 13.0), smoothing_s=0.5))
        finally:
            unregister("measures", NAME)


def _numbers(kind: MeasureKind, n: int, two: bool) -> None:
    rng = np.random.default_rng(0)
    powers = [rng.normal(3, 1, (2, n)) for _ in range(20)]
    powers += [np.full((2, n), -27.6), np.full((2, n), 12.0)]  # no signal at all, and far too much
    for rows in powers:
        rows.flags.writeable = False
    values = []
    for power, second in powers:
        value = within(1.0, "a measure of log power", lambda p=power, s=second: kind(p, s if two else None))  # type: ignore[misc]
        right = isinstance(value, float | np.floating) and not math.isinf(value)
        require(right, "a number for each power", f"{value!r}", "return a float; NaN where there is no value")
        values.append(float(value))  # type: ignore[arg-type]
    require(any(map(math.isfinite, values)), "a number for usual power", "NaN for all", "return one")
    began = time.perf_counter()
    again = [float(kind(power, second if two else None)) for power, second in reversed(powers)][::-1]
    took = (time.perf_counter() - began) / len(powers)
    same = np.array_equal(values, again, equal_nan=True)
    require(same, "the same number for the same power", "another one the second time", "keep no state between calls")
    require(took < CALL_S, f"a call within {1e3 * CALL_S:.1f} ms", f"{1e3 * took:.1f} ms", "compute less")


def _cutting(measure: Measure) -> None:
    signal = pink(round(8 * INFO.sfreq), INFO.n_chans)
    signal[700:710] = np.nan
    whole, *others = (
        _run(measure, cut(signal, sizes, INFO.sfreq)) for sizes in ((len(signal),), (1, 0, 33, 90), (64,))
    )
    require(any(not it.why for it in whole), "values from EEG", "none is valid", "return a number for usual power")
    for other in others:
        same = [it.index for it in whole] == [it.index for it in other] and np.array_equal(
            [it.values for it in whole], [it.values for it in other], equal_nan=True
        )
        require(same, "the same values however the stream is cut", "they differ", "keep no state between calls")


def _run(measure: Measure, chunks: list[Chunk]) -> list[Sample]:
    def fail(text: str) -> None:
        raise Violation("a measure on a stream", text, "raise nothing: return NaN where there is no value")

    fast = FastMeasures((measure,), INFO, (), fail)
    return [sample for chunk in chunks for sample in fast.push(chunk)]
