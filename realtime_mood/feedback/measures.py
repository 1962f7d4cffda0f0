"""Fast measures for feedback: thirty values a second, from causal filters that process every sample once.

Band power is the squared output of a causal band-pass filter, averaged with an exponential window; measures use its
logarithm. They do not depend on how the stream is divided into chunks. A value that is based on missing, flat or
overdriven signal is invalid, with the reason.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..body.monitor import SPANS_S
from ..contracts import MeasureKind
from ..dsp.filters import Filters, Notch, RunningMean, band_delay_s
from ..dsp.gaps import GapFiller
from ..dsp.reference import BETWEEN, RECORDED, Reference, rows_of
from ..dsp.spec import FeatureSpec
from ..errors import StreamMismatch
from ..guard import Guarded, Report, to_log
from ..plugins import find
from ..types import Chunk, Quality, StreamInfo
from .plan import Measure

RATE_HZ = 30.0
MAX_LOST = 0.1  # largest share of missing samples in the mean
STILL_UV, STILL_S = 0.01, 0.25  # an electrode that changes less than this for so long is flat
LOUD_UV = 120.0  # rms of a filtered electrode above which it is an artefact
SETTLE_S = 2.0  # settling time of the filters; three time constants of the mean follow


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of the fast measures at one moment."""

    index: int  # end of the data that were used (sample, exclusive)
    values: tuple[float, ...]  # one value for each fast measure; NaN where invalid
    why: str  # why values are invalid; empty when all are valid


@dataclass(frozen=True, slots=True)
class Lag:
    """Delay of a measure behind the signal (s), without that of the computer."""

    filter_s: float
    smoothing_s: float

    @property
    def total_s(self) -> float:
        return self.filter_s + self.smoothing_s


def lag_of(measure: Measure, sfreq: float, spec: FeatureSpec = FeatureSpec()) -> Lag:  # noqa: B008 - frozen
    """Delay of a measure: of its band's filter at the middle of the band, and the mean age of what it averages.

    That of a measure of the body is half of the seconds that it is made of.
    """
    if measure.kind in SPANS_S:
        return Lag(SPANS_S[measure.kind] / 2, 0.0)
    if not measure.is_fast:
        return Lag(spec.n_steps * spec.step_s / 2, measure.smoothing_s)
    return Lag(band_delay_s(measure.band, sfreq), measure.smoothing_s)


def slowest(measures: tuple[Measure, ...], sfreq: float = 250.0) -> float:
    """Delay of the slowest measure behind the signal (s)."""
    return max(lag_of(measure, sfreq).total_s for measure in measures)


class _Means:
    """Exponential means with one time constant, shared by the measures that use it."""

    def __init__(self, tau_s: float, sfreq: float, n_chans: int, n_bands: int) -> None:
        self._power = RunningMean(tau_s, sfreq, (n_chans, n_bands))
        self._loud, self._lost = RunningMean(tau_s, sfreq, (n_chans,)), RunningMean(tau_s, sfreq, ())

    def __call__(self, power: np.ndarray, loud: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, ...]:
        """Mean power (n_times, n_chans, n_bands), rms (n_times, n_chans) and share that was lost (n_times,)."""
        return self._power(power), np.sqrt(np.maximum(self._loud(loud), 0)), self._lost(lost)


class FastMeasures:
    """Computes the fast ones of `measures` on a stream, against a `reference`.

    `report` is given what fails in one of another package. Raises `PluginError` where a measure of another package
    cannot be imported, `StreamMismatch` where the headset lacks an electrode, or its rate is too low for a band, and
    `ConfigError` where its electrodes cannot give the reference.
    """

    def __init__(
        self,
        measures: tuple[Measure, ...],
        info: StreamInfo,
        notch: Notch = "auto",
        report: Report = to_log,
        reference: Reference = RECORDED,
    ) -> None:
        self._measures = tuple(measure for measure in measures if measure.is_fast)
        kinds = {measure.kind for measure in self._measures}
        found = {kind: find("measures", kind, f"a measure {kind!r}") for kind in kinds}
        self._kinds: dict[str, MeasureKind] = {
            kind: plugin.check(callable, "a function") for kind, plugin in found.items()
        }
        self._guards = {kind: Guarded(str(part), report) for kind, part in found.items() if not part.is_built_in}
        self._info = info
        bands = {band for measure in self._measures for band in (measure.band, measure.over) if band}
        self._bands = {band: k for k, band in enumerate(sorted(bands))}
        self._check(bands)
        self._spec = FeatureSpec(bands={str(k): band for band, k in self._bands.items()}) if bands else FeatureSpec()
        self._gaps = GapFiller(info.n_chans, round(self._spec.max_hole_s * info.sfreq))
        self._refer(reference)
        self._filters = Filters(self._spec, info.sfreq, self._n_signals, notch)
        self._faulty = np.zeros(info.n_chans, bool)
        self._k = 0
        self._begin(0)

    def _refer(self, reference: Reference) -> None:
        """Choose the signals to filter: all electrodes, or those that the measures name, made against a reference."""
        ch_names = self._info.ch_names
        names = list(dict.fromkeys(name for measure in self._measures for name in measure.electrodes))
        self._weights: np.ndarray | None = None  # (n_signals, n_chans)
        if reference != RECORDED or not set(names) <= set(ch_names):
            self._weights = rows_of(names, reference, ch_names, self._info.reference)
        signals = list(ch_names) if self._weights is None else names
        self._n_signals = len(signals)
        self._at = [[signals.index(name) for name in measure.electrodes] for measure in self._measures]
        # The electrodes that have to be good: all that a signal is made of, but of an average only its own.
        self._rests_on = [sorted({i for k in at for i in self._made_of(names, k, reference)}) for at in self._at]

    def _made_of(self, names: list[str], k: int, reference: Reference) -> list[int]:
        if self._weights is None:
            return [k]
        if reference == "average" and names[k] in self._info.ch_names:
            return [self._info.ch_names.index(names[k])]
        return np.flatnonzero(self._weights[k]).tolist()

    def _referred(self, rows: np.ndarray) -> np.ndarray:
        """The signals of rows of all electrodes, summed in an order that does not depend on how many rows there are."""
        if self._weights is None:
            return rows
        made = np.zeros((len(rows), self._n_signals))
        for i in np.flatnonzero(self._weights.any(axis=0)):
            made += rows[:, i, None] * self._weights[:, i]
        return made

    def _check(self, bands: set[tuple[float, float]]) -> None:
        for measure in self._measures:
            named = [name for names in measure.electrodes for name in names.split(BETWEEN)]
            if missing := [name for name in named if name not in self._info.ch_names]:
                raise StreamMismatch(
                    f"feedback on {', '.join(measure.electrodes)}", f"the headset has no {', '.join(missing)}",
                    "use another session, or name the headset's electrodes in it",
                )  # fmt: skip
        top = max((high for _, high in bands), default=0.0)
        if self._info.sfreq < 2.2 * top:
            raise StreamMismatch(
                f"feedback up to {top:g} Hz", f"the stream has {self._info.sfreq:g} Hz", "choose a lower band"
            )

    def judge(self, quality: Quality) -> None:
        """Use the pipeline's judgement of which electrodes are bad."""
        self._faulty = ~quality.good

    def push(self, chunk: Chunk) -> list[Sample]:
        """The measures that `chunk` completes."""
        samples: list[Sample] = []
        for run in self._gaps(chunk):
            if run.restart:
                self._filters.restart(self._referred(run.rows[:1])[0])
                self._begin(run.first)
            samples += self._advance(run.first, run.rows, np.full(len(run.rows), float(not run.received)))
        return samples

    def _begin(self, first: int) -> None:
        sfreq, taus_s = self._info.sfreq, {measure.smoothing_s for measure in self._measures}
        self._means = {tau_s: _Means(tau_s, sfreq, self._n_signals, len(self._bands)) for tau_s in taus_s}
        self._settled = [first + round((SETTLE_S + 3 * measure.smoothing_s) * sfreq) for measure in self._measures]
        self._filled_from = first + round(SETTLE_S * sfreq)
        self._last_row: np.ndarray | None = None
        self._moved = np.full(self._info.n_chans, first)  # index after the sample at which each electrode last moved

    def _advance(self, first: int, rows: np.ndarray, lost: np.ndarray) -> list[Sample]:
        clean, banded = self._filters(self._referred(rows))
        fresh = np.arange(first, first + len(rows)) >= self._filled_from  # the filters' own transient is not averaged
        power, loud = np.square(banded) * fresh[:, None, None], np.square(clean) * fresh[:, None]
        moved = self._movement(first, rows)
        averaged = {tau_s: means(power, loud, lost) for tau_s, means in self._means.items()}
        samples = []
        while (end := round((self._k + 1) * self._info.sfreq / RATE_HZ)) <= first + len(rows):
            self._k += 1
            if end > first:  # otherwise it lies in a gap
                at = end - 1 - first
                still = end - moved[at] > STILL_S * self._info.sfreq
                now = {tau_s: tuple(part[at] for part in parts) for tau_s, parts in averaged.items()}
                samples.append(self._sample(end, still, now))
        return samples

    def _movement(self, first: int, rows: np.ndarray) -> np.ndarray:
        """Up to each row, the index after which each electrode last moved: (n_times, n_chans)."""
        before = rows[0] if self._last_row is None else self._last_row
        steps = np.abs(np.diff(rows, axis=0, prepend=before[None])) > STILL_UV
        at = np.where(steps, np.arange(first + 1, first + 1 + len(rows))[:, None], self._moved)
        moved = np.maximum.accumulate(at, axis=0)
        self._last_row, self._moved = rows[-1], moved[-1]
        return moved

    def _sample(self, end: int, still: np.ndarray, means: dict[float, tuple[np.ndarray, ...]]) -> Sample:
        values, reasons = [], []
        of_each = zip(self._measures, self._at, self._rests_on, self._settled, strict=True)
        for measure, at, electrodes, settled in of_each:
            power, rms, lost = means[measure.smoothing_s]
            checks = (
                (end < settled, "settling"), (lost > MAX_LOST, "samples lost"), (still[electrodes].any(), "flat"),
                (self._faulty[electrodes].any(), "poor signal"), (rms[at].max() > LOUD_UV, "too loud"),
            )  # fmt: skip
            why = next((reason for is_so, reason in checks if is_so), "")
            value = math.nan if why else self._value(measure, power[at])
            values.append(value)
            reasons.append(why if why or math.isfinite(value) else f"no value of {measure.kind}")
        return Sample(end, tuple(values), next(filter(None, reasons), ""))

    def _value(self, measure: Measure, power: np.ndarray) -> float:
        """NaN where the kind, of another package, fails or gives no number: that is reported, and goes on."""
        logs, kind = np.log(np.maximum(power, 1e-12)), self._kinds[measure.kind]
        band, over = logs[:, self._bands[measure.band]], logs[:, self._bands[measure.over]] if measure.over else None
        if measure.kind not in self._guards:
            return kind(band, over)
        value = [math.nan]
        self._guards[measure.kind].call(lambda: value.append(float(kind(band, over))))
        return value[-1] if math.isfinite(value[-1]) else math.nan
