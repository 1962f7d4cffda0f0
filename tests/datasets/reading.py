"""What the tests of readers have in common: trials with their signal, and power in a band."""

from __future__ import annotations

import pickle

import numpy as np

from realtime_mood.models.datasets.trials import Recording, Trial


def trial_signals(recording: Recording) -> list[tuple[Trial, np.ndarray]]:
    """Each trial of a recording in playing order, with its signal or features, read as in another process."""
    recording = pickle.loads(pickle.dumps(recording))
    rate = 1 / recording.window_s if recording.window_s else recording.info.sfreq
    found = []
    for segment in recording.segments():
        array = segment.signal if segment.signal is not None else segment.de
        for span in segment.spans:
            assert -1e-6 <= span.start < span.stop <= len(array) / rate + 1 / rate
            if span.trial:
                found.append((span.trial, array[round(span.start * rate) : round(span.stop * rate)]))
    return found


def log_power(signal: np.ndarray, sfreq: float, low: float, high: float) -> np.ndarray:
    """(n_chans,): log of the mean power between two frequencies."""
    x = (signal - signal.mean(axis=0)) * np.hanning(len(signal))[:, None]
    hz = np.fft.rfftfreq(len(x), 1 / sfreq)
    return np.log((np.abs(np.fft.rfft(x, axis=0)) ** 2)[(hz >= low) & (hz < high)].mean(axis=0) + 1e-12)


def state_effect(recording: Recording, positive: set[int], negative: set[int]) -> float:
    """Temporal gamma less frontal gamma of some trials against others, by position: what the states plant."""
    names = list(recording.info.ch_names)
    temporal = [names.index(name) for name in ("T7", "T8") if name in names]
    frontal = [names.index(name) for name in ("Fp1", "Fp2", "AF3", "AF4") if name in names]
    by_position = {}
    for trial, signal in trial_signals(recording):
        gamma = log_power(signal, recording.info.sfreq, 31, 45)
        by_position[trial.position] = gamma[temporal].mean() - gamma[frontal].mean()
    mean = {key: np.mean([by_position[i] for i in at]) for key, at in (("+", positive), ("-", negative))}
    return float(mean["+"] - mean["-"])
