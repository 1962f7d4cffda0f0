"""Causal high-pass, notch and band-pass filters and a running mean, which keep their state between calls.

Everything is second-order sections in float64: transfer-function form is unstable at the band edges we need, and
float32 loses microvolts beside a 60 mV electrode offset. Order 2 per edge, because steeper filters have a longer
delay, and their DE of one second agrees less with the true band power.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Literal

import numpy as np
from scipy.signal import butter, group_delay, iirnotch, lfilter, sos2tf, sosfilt, sosfilt_zi, tf2sos

from .spec import FeatureSpec

NOTCH_HZ = (50.0, 60.0)  # no band reaches 48 Hz, so removing both costs nothing and needs no country
NOTCH_Q = 20.0  # 2.5 Hz wide at 50 Hz
DECIDE_S = 2.0  # signal that ``auto`` decides on; the change is over when the filters have settled

Notch = Sequence[float] | Literal["auto"]
Repairing = Callable[[np.ndarray], np.ndarray]


def band_pass(band: tuple[float, float], sfreq: float) -> np.ndarray:
    """Second-order sections of the filter of a band (Hz)."""
    return np.asarray(butter(2, band, "bandpass", fs=sfreq, output="sos"))


@cache
def band_delay_s(band: tuple[float, float], sfreq: float) -> float:
    """Group delay (s) of a band's filter at the geometric middle of the band."""
    low, high = band
    _, samples = group_delay(sos2tf(band_pass(band, sfreq)), [math.sqrt(low * high)], fs=sfreq)
    return float(samples[0]) / sfreq


class Filters:
    """High-pass and notches, then a bank of band-passes on their output.

    `notch` gives the line frequencies to remove (Hz); those above the stream's Nyquist frequency are ignored. ``auto``
    removes both mains frequencies for the first `DECIDE_S` of unbroken signal, and from exactly that sample on only the
    one that stands out there, or both when neither does.
    """

    def __init__(self, spec: FeatureSpec, sfreq: float, n_chans: int, notch: Notch) -> None:
        self._sfreq = sfreq
        self.notch_hz = tuple(f for f in (NOTCH_HZ if notch == "auto" else notch) if f < 0.48 * sfreq)
        """The line frequencies that are removed at present."""
        self._undecided = round(DECIDE_S * sfreq) if notch == "auto" and len(self.notch_hz) > 1 else 0
        notches = [tf2sos(*iirnotch(f, NOTCH_Q, fs=sfreq)) for f in self.notch_hz]
        self._clean_sos = np.concatenate([butter(2, spec.highpass_hz, "highpass", fs=sfreq, output="sos"), *notches])
        self._band_sos = [band_pass(band, sfreq) for band in spec.bands.values()]
        self.restart(np.zeros(n_chans))

    def restart(self, row: np.ndarray) -> None:
        """Reset to the steady state of a constant `row` (n_chans,), so that an offset causes no transient."""
        self._clean_state = sosfilt_zi(self._clean_sos)[:, :, None] * row
        self._band_state = [np.zeros((len(sos), 2, len(row))) for sos in self._band_sos]
        self._seen: list[np.ndarray] = []

    def __call__(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Filter the next rows: (n_times, n_chans) float64 in µV.

        Returns them filtered, and band by band: (n_times, n_chans, n_bands).
        """
        clean = self._clean(rows)
        return clean, np.stack(list(self._bands(clean)), axis=-1)

    def squared(self, rows: np.ndarray, repair: Repairing | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The same with bands squared, and in the order that sums fastest over time: (n_times, n_bands, n_chans).

        `repair` is applied to the filtered rows before the bands.
        """
        clean = self._clean(rows)
        clean = repair(clean) if repair else clean
        squares = np.empty((len(rows), len(self._band_sos), rows.shape[1]))
        for k, band in enumerate(self._bands(clean)):
            squares[:, k] = np.square(band)
        return clean, squares

    def _clean(self, rows: np.ndarray) -> np.ndarray:
        parts = [self._cleaned(part) for part in self._parts(rows)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _bands(self, clean: np.ndarray) -> Iterator[np.ndarray]:
        for k, sos in enumerate(self._band_sos):
            band, self._band_state[k] = sosfilt(sos, clean, axis=0, zi=self._band_state[k])
            yield band

    def _cleaned(self, rows: np.ndarray) -> np.ndarray:
        clean, self._clean_state = sosfilt(self._clean_sos, rows, axis=0, zi=self._clean_state)
        return clean

    def _parts(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """`rows`, cut where ``auto`` decides; the decision is made once the part before it has been filtered."""
        if self._undecided:
            left = self._undecided - sum(map(len, self._seen))
            self._seen.append(rows[:left])
            yield rows[:left]
            if len(rows) < left:
                return
            chosen = mains_hz(np.concatenate(self._seen), self._sfreq, self.notch_hz)
            kept = [0, *(k for k, f in enumerate(self.notch_hz, 1) if f in chosen)]
            self._clean_sos, self._clean_state = self._clean_sos[kept], self._clean_state[kept]
            self.notch_hz, self._undecided, self._seen = chosen, 0, []
            rows = rows[left:]
        if len(rows):
            yield rows


STANDS_OUT = 16.0  # times the median power beside it; the highest of a few bins of noise is about 3 times that


def mains_hz(raw: np.ndarray, sfreq: float, candidates: Sequence[float]) -> tuple[float, ...]:
    """Which of `candidates` stand out in `raw` (n_times, n_chans); all of them when none does.

    The median over channels decides, so that a single loose electrode does not.
    """
    window = np.hanning(len(raw))[:, None]
    power = np.abs(np.fft.rfft((raw - raw.mean(axis=0)) * window, axis=0)) ** 2
    freqs = np.fft.rfftfreq(len(raw), 1 / sfreq)

    def stands_out(hz: float) -> bool:
        apart = np.abs(freqs - hz)
        beside = np.median(power[(apart > 2) & (apart <= 6)], axis=0)
        return bool(np.median(power[apart <= 1].max(axis=0) / np.maximum(beside, 1e-12)) > STANDS_OUT)

    return tuple(hz for hz in candidates if stands_out(hz)) or tuple(candidates)


class RunningMean:
    """Exponentially weighted mean of rows (each of `shape`, at `sfreq` Hz) with a time constant of `tau_s`.

    Its state begins at zero; the result is bit-identical however the rows are cut into chunks.
    """

    def __init__(self, tau_s: float, sfreq: float, shape: tuple[int, ...]) -> None:
        self._decay = 1 - math.exp(-1 / (tau_s * sfreq))
        self._state = np.zeros((1, *shape))

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The mean up to each row: (n_times, …), like `rows`."""
        mean, self._state = lfilter([self._decay], [1.0, self._decay - 1.0], rows, axis=0, zi=self._state)
        return mean
