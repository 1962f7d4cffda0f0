"""Estimators of DE on EEGMAT: which separates rest from arithmetic better? (Table of docs/decisions/0001.)

A causal filter bank's mean square, against the Hann-windowed FFT of each second, both after the same high-pass.
Logistic regression on ten seconds' mean, z-scored on the person's first minute of rest, people left out one by one.
``python -m benchmarks.de_estimators --data FOLDER``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfilt, sosfilt_zi
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.effort_lsl import FOLDER
from benchmarks.rig import each_us, table
from realtime_mood.dsp.spec import BANDS
from realtime_mood.entropy import differential_entropy

MONTAGES = {"19": None, "8": "F3 F4 C3 C4 P3 P4 O1 O2", "4": "Fp1 Fp2 T3 T4"}
Estimate = Callable[[np.ndarray, float], np.ndarray]


def bank(order: int) -> Estimate:
    def estimate(x: np.ndarray, fs: float) -> np.ndarray:
        y = np.stack(
            [sosfilt(butter(order, b, "bandpass", fs=fs, output="sos"), x, axis=0) for b in BANDS.values()], -1
        )
        n = int(len(y) / fs)
        return differential_entropy(np.square(y[: n * int(fs)]).reshape(n, int(fs), *y.shape[1:]).mean(axis=1))

    return estimate


def hann(x: np.ndarray, fs: float) -> np.ndarray:
    n, length = int(len(x) / fs), int(fs)
    window = np.hanning(length + 1)[:-1]
    window /= np.sqrt(np.square(window).mean())
    spectrum = np.fft.rfft(x[: n * length].reshape(n, length, -1) * window[:, None], axis=1)
    power, freqs = 2 * np.abs(spectrum) ** 2 / length**2, np.fft.rfftfreq(length, 1 / fs)
    bands = [power[:, (freqs >= low) & (freqs < high)].sum(axis=1) for low, high in BANDS.values()]
    return differential_entropy(np.stack(bands, axis=-1))


def highpassed(x: np.ndarray, fs: float) -> np.ndarray:
    sos = butter(2, 0.5, "highpass", fs=fs, output="sos")
    return sosfilt(sos, x, axis=0, zi=sosfilt_zi(sos)[:, :, None] * x[0])[0]


def contexts(rest: np.ndarray, task: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, sd = rest[4:60].mean(axis=0), rest[4:60].std(axis=0) + 1e-3
    rows = []
    for de, first in ((rest, 62), (task, 2)):  # the same 12 s dropped from both
        sums = np.cumsum(np.pad((de - mean) / sd, ((1, 0), (0, 0), (0, 0))), axis=0)
        rows.append(((sums[10:] - sums[:-10]) / 10)[first:])
    n = min(map(len, rows))
    x = np.clip(np.concatenate([row[:n].reshape(n, -1) for row in rows]), -8, 8)
    return x, np.repeat([0, 1], n)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=FOLDER)
    archive = np.load(parser.parse_args().data / "eegmat_dev24_125hz.npz")
    meta, rows = json.loads(str(archive["meta"])), []
    fs, people = float(meta["fs"]), {}
    for entry in map(json.loads, archive["index"]):
        x = highpassed(archive[entry["key"]].T * meta["uV_per_lsb"], fs)
        people.setdefault(entry["subject"], {})[entry["label"]] = x
    minute = next(iter(people.values()))["rest"][: int(60 * fs)]
    for name, estimate in {"filter bank, order 2": bank(2), "filter bank, order 3": bank(3), "Hann FFT": hann}.items():
        cost = each_us(lambda estimate=estimate: estimate(minute, fs), 15) / 60
        found = {s: [estimate(p[label], fs) for label in ("rest", "arithmetic")] for s, p in people.items()}
        for montage, names in MONTAGES.items():
            pick = [meta["channels"].index(c) for c in (names.split() if names else meta["channels"])]
            data = {s: contexts(rest[:, pick], task[:, pick]) for s, (rest, task) in found.items()}
            figures = []
            for left_out, (x, y) in data.items():
                train = [data[s] for s in data if s != left_out]
                model = make_pipeline(
                    StandardScaler(), LogisticRegression(C=0.005, class_weight="balanced", max_iter=500)
                )
                model.fit(np.concatenate([a for a, _ in train]), np.concatenate([b for _, b in train]))
                score = model.decision_function(x)
                figures.append((balanced_accuracy_score(y, score > 0), roc_auc_score(y, score)))
            accuracy, auc = np.mean(figures, axis=0)
            rows.append([name, montage, f"{accuracy:.3f}", f"{auc:.3f}", f"{cost:.0f}"])
    print(table(["estimator", "channels", "balanced accuracy", "AUC", "µs a second of 19 channels"], rows))


if __name__ == "__main__":
    main()
