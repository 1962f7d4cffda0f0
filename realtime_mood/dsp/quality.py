"""Turns the last second of signal into a judgement of each electrode.

Thresholds are for scalp EEG in µV; each is a named constant with its reason.
"""

from __future__ import annotations

import numpy as np

from ..types import Fault, Quality

FLAT_UV = 0.2  # rms of the high-passed second; amplifier noise alone is larger
RAILED_SHARE = 0.1  # of samples that sit exactly at the second's extremes
RAILED_SPAN_UV = 50.0  # coarse quantisation alone does not span this much
HUGE_UV = 1000.0  # rms; no brain does this, an electrode off the skin does
LINE_UV = 40.0  # rms at 50 or 60 Hz
LINE_RATIO = 3.0  # times the rms of everything the network looks at
MUSCLE_UV = 15.0  # rms in the highest band; brain gamma is some 1–2 µV
DECORRELATED = (
    0.3  # highest |r| with any other electrode over the window; in real caps it is above 0.39 for 999 in 1000
)
ENOUGH_NEIGHBOURS = 16  # with fewer, electrodes are so far apart that some are alone with their signal


def line_rms(raw: np.ndarray, sfreq: float) -> np.ndarray:
    """Rms (n_chans,) of `raw` (n_chans, n_times) within 2 Hz of 50 or 60 Hz, whichever is larger."""
    n = raw.shape[1]
    window = np.hanning(n + 1)[:-1]
    centred = raw - raw.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(centred * window)) ** 2 * 2 / (n * np.square(window).sum())
    freqs = np.fft.rfftfreq(n, 1 / sfreq)
    return np.sqrt(np.max([power[:, np.abs(freqs - f) <= 2].sum(axis=1) for f in (50.0, 60.0)], axis=0))


def judge(raw: np.ndarray, clean: np.ndarray, band_rms: np.ndarray, sfreq: float) -> Quality:
    """Judge every electrode.

    Parameters
    ----------
    raw : (n_chans, n_raw), µV
        Before filtering.
    clean : (n_chans, n_times), µV
        Filtered, received samples only.
    band_rms : (n_chans, n_bands), µV
        Over the same last second as `raw`.
    sfreq : float
        Hz.
    """
    n_chans = len(raw)
    scores = np.ones(n_chans, np.float32)
    faults: list[Fault | None] = [None] * n_chans
    if raw.shape[1] < 0.2 * sfreq or not clean.shape[1]:
        return Quality(scores * 0, tuple(faults))  # nothing to judge yet; such windows are never read
    raw = raw.astype(np.float64)
    top, bottom = raw.max(axis=1, keepdims=True), raw.min(axis=1, keepdims=True)
    at_rail = np.maximum((raw == top).mean(axis=1), (raw == bottom).mean(axis=1))
    span = (top - bottom)[:, 0]
    newest = clean[:, -raw.shape[1] :].astype(np.float64)
    rms = np.sqrt(np.square(newest).mean(axis=1))
    line, brain = line_rms(raw, sfreq), np.sqrt(np.square(band_rms).sum(axis=1))
    muscle = band_rms[:, -1]

    def mark(where: np.ndarray, fault: Fault, score: float) -> None:
        for c in np.flatnonzero(where).tolist():
            if faults[c] is None:
                faults[c], scores[c] = fault, score

    mark((rms < FLAT_UV) | (span == 0), Fault.FLAT, 0.0)
    mark(((at_rail > RAILED_SHARE) & (span > RAILED_SPAN_UV)) | (rms > HUGE_UV), Fault.RAILED, 0.0)
    mark((line > LINE_UV) & (line > LINE_RATIO * brain), Fault.LINE, 0.2)
    mark(muscle > MUSCLE_UV, Fault.MUSCLE, 0.3)
    if n_chans >= ENOUGH_NEIGHBOURS:
        mark(_alone(clean), Fault.DECORRELATED, 0.3)
    soft = np.clip(1.25 - 0.5 * muscle / MUSCLE_UV - 0.25 * line / LINE_UV, 0.5, 1.0)
    return Quality(np.minimum(scores, soft).astype(np.float32), tuple(faults))


def _alone(clean: np.ndarray) -> np.ndarray:
    """(n_chans,): whose signal no other electrode shares."""
    centred = clean - clean.mean(axis=1, keepdims=True)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    r = np.abs(unit @ unit.T)
    np.fill_diagonal(r, 0)
    return r.max(axis=1) < DECORRELATED
