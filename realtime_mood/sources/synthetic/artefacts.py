"""Simulated artefacts of eyes, muscles, mains and electrodes, independent of the emotional state."""

from __future__ import annotations

import numpy as np
from scipy import signal

from ... import montage


def own_rng(subject: int, what: str) -> np.random.Generator:
    # Every cause has its own random stream, independent of all others.
    return np.random.Generator(np.random.SFC64([subject, *what.encode()]))


def nearness(xyz: np.ndarray, centres: np.ndarray, width: float) -> np.ndarray:
    # How near each of `xyz` is to the nearest of `centres`: 1 there, falling like a normal curve of `width` rad.
    angle = np.arccos(np.clip(xyz @ centres.T, -1, 1)).min(axis=1)
    return np.exp(-0.5 * (angle / width) ** 2)


def unit_noise(sos: np.ndarray, sfreq: float) -> np.ndarray:
    # The same filter, scaled so that white noise of variance 1 leaves it with variance 1 below 45 Hz, at any rate.
    freqs, response = signal.freqz_sos(sos, worN=16384, fs=sfreq)
    power = np.sum(np.abs(response[freqs < 45.0]) ** 2) / len(freqs)
    return np.concatenate((sos[:1] * [*np.full(3, 1 / np.sqrt(power)), 1, 1, 1], sos[1:]))


class _Events:
    # A time course of bumps at random moments: blinks, or the envelopes of muscle bursts.

    def __init__(self, rng: np.random.Generator, sfreq: float, per_min: float, lasts_s: tuple[float, float], uv: float):
        self._rng, self._sfreq, self._lasts_s, self._uv = rng, sfreq, lasts_s, uv
        self._mean_gap_s = max(60 / per_min - 0.6, 0.1)
        self._left = np.zeros(round(3 * sfreq))
        self._next = self._gap()

    def _gap(self) -> int:
        return round((0.6 + self._rng.exponential(self._mean_gap_s)) * self._sfreq)

    def block(self, n: int) -> np.ndarray:
        course = np.concatenate((self._left, np.zeros(n)))
        while self._next < n:
            length = round(self._rng.uniform(*self._lasts_s) * self._sfreq)
            bump = np.sin(np.pi * (np.arange(length) / length) ** 0.8) ** 2
            course[self._next : self._next + length] += self._uv * np.exp(0.25 * self._rng.standard_normal()) * bump
            self._next += self._gap()
        self._next -= n
        self._left = course[n:]
        return course[:n]


def own_blinks(subject: int, sfreq: float, body: np.random.Generator) -> tuple[_Events, float]:
    # The subject's blinks, the same at any rate, and their typical size (µV); `body` has not been used before.
    rate, peak_uv = body.uniform(10, 25), body.uniform(80, 160)
    return _Events(own_rng(subject, "blinks"), sfreq, rate, (0.25, 0.45), peak_uv), peak_uv


def own_bursts(subject: int, sfreq: float, body: np.random.Generator) -> list[_Events]:
    # The subject's muscle bursts on both sides, the same at any rate; `body` has been used for its blinks alone.
    per_min, uv = body.uniform(1, 4, 2), body.uniform(2, 5, 2)
    rngs = [own_rng(subject, f"bursts {k}") for k in range(2)]
    return [_Events(rngs[k], sfreq, per_min[k], (0.3, 1.5), uv[k]) for k in range(2)]


class Artefacts:
    """Everything at the electrodes that is not EEG, given their true positions (n_chans, 3)."""

    def __init__(self, subject: int, electrodes: np.ndarray, sfreq: float) -> None:
        rng, n_chans = own_rng(subject, "body"), len(electrodes)
        self.n, self._sfreq, self._index = round(sfreq), sfreq, 0
        eyes = montage.locate(("Fp1", "Fp2")) + np.array([0, 0.3, -0.4])
        eyes /= np.linalg.norm(eyes, axis=1, keepdims=True)
        self._eyes = nearness(electrodes, eyes, 0.55)
        self._sides = [nearness(electrodes, montage.locate(sites), 0.4) for sites in (("T7", "F7"), ("T8", "F8"))]
        self._blinks, _ = own_blinks(subject, sfreq, rng)
        self._bursts = own_bursts(subject, sfreq, rng)
        self._tonic = rng.uniform(0.05, 0.3)
        self._muscle = unit_noise(signal.butter(2, 20, "highpass", fs=sfreq, output="sos"), sfreq)
        self._zi = np.zeros((1, n_chans, 2))
        self.line_hz = float(rng.choice((50, 60)))
        own = own_rng(subject, "electrodes")
        # Above the Nyquist frequency there are no mains, as if removed by the device's anti-aliasing filter.
        self._line_uv = np.exp(own.normal(0.4, 0.6, n_chans)) * (self.line_hz < sfreq / 2)
        self._phase = own.normal(0, 0.4, n_chans)
        self._offset_uv = own.normal(0, 3000, n_chans)
        self._sensor_uv = own.uniform(0.2, 0.45, n_chans) * np.sqrt(sfreq / 256)  # the same density at any rate
        self._gain = np.exp(own.normal(0, 0.12, n_chans))
        self._noise, self._slow = own_rng(subject, "sensor"), own
        self._wander = own.standard_normal((2, n_chans))

    def block(self) -> tuple[np.ndarray, np.ndarray]:
        """Additive part of the next second, and the gain of the EEG: both (n, n_chans)."""
        at = (self._index + np.arange(self.n))[:, None] / self._sfreq
        white = self._noise.standard_normal((len(self._gain), self.n), np.float32)
        emg, self._zi = signal.sosfilt(self._muscle, white, zi=self._zi)
        bursts = zip(self._bursts, self._sides, strict=True)
        force = sum(np.outer(events.block(self.n) + self._tonic, side) for events, side in bursts)
        added = force * emg.T + np.outer(self._blinks.block(self.n), self._eyes)
        added += self._line_uv * np.sin(2 * np.pi * self.line_hz * at + self._phase)
        added += self._sensor_uv * self._noise.standard_normal(added.shape, np.float32)
        before = self._wander
        self._wander = 0.98 * before + np.sqrt(1 - 0.98**2) * self._slow.standard_normal(before.shape)
        part = (np.arange(1, self.n + 1) / self.n)[:, None]
        drift, gain = ((1 - part) * old + part * new for old, new in zip(before, self._wander, strict=True))
        self._index += self.n
        return added + self._offset_uv + 30 * drift, self._gain * (1 + 0.02 * gain)
