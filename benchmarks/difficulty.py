"""Difficulty of simulated subjects: accuracy of plain logistic regression on their states.

Balanced accuracy over three states, on people it has not seen (chance .33): from the DE of single seconds and of ten
seconds averaged, as they are ("none") or z-scored on each person's own 60 s of rest ("rest").
Run: ``python -m benchmarks.difficulty [--train 60] [--test 30] [--difficulty medium]``.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import signal
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from realtime_mood import montage
from realtime_mood.entropy import differential_entropy
from realtime_mood.sources.synthetic.person import DIFFICULTY, Script, VirtualPerson

SFREQ, N_CHANS, REST_S, BLOCK_S, SKIP_S = 128.0, 32, 64, 25, 6
STATES = ("neutral", "positive", "negative")
EDGES = ((1, 4), (4, 8), (8, 14), (14, 31), (31, 45))


def de_by_second(x: np.ndarray, line_hz: float) -> np.ndarray:
    """DE of each whole second: (n_times, n_chans) in µV to (n_seconds, n_chans, n_bands) in nats."""
    x = signal.sosfilt(signal.butter(2, 1.0, "highpass", fs=SFREQ, output="sos"), x - x[0], axis=0)
    x = signal.lfilter(*signal.iirnotch(line_hz, 20, fs=SFREQ), x, axis=0)
    n = int(SFREQ)
    seconds = x[: len(x) // n * n].reshape(-1, n, x.shape[1]) * signal.get_window("hann", n)[:, None]
    power = np.abs(np.fft.rfft(seconds, axis=1)) ** 2
    bands = [power[:, low:high].sum(axis=1) for low, high in EDGES]  # one bin is one hertz
    return differential_entropy(np.stack(bands, axis=-1) / (n * n * 0.375 / 2))


def person(subject: int, difficulty: str, rounds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One person's DE (n_blocks, n_seconds, n_features), mean and sd at rest (2, n_features), each block's state."""
    rng = np.random.default_rng(subject)
    order = [state for _ in range(rounds) for state in rng.permutation(STATES)]
    script = Script((("rest", REST_S), *((str(state), BLOCK_S) for state in order)), loop=False)
    virtual = VirtualPerson(subject, montage.SPREAD[:N_CHANS], SFREQ, script, difficulty)
    de = de_by_second(virtual.signal(REST_S + BLOCK_S * len(order)), virtual.artefacts.line_hz)
    rest, de = de[4:REST_S], de[REST_S:].reshape(len(order), BLOCK_S, -1)[:, SKIP_S:]
    labels = np.array([STATES.index(str(state)) for state in order])
    return de, np.stack((rest.reshape(len(rest), -1).mean(0), rest.reshape(len(rest), -1).std(0))), labels


def features(people: list[tuple[np.ndarray, np.ndarray, np.ndarray]], mean_s: int, own_rest: bool) -> list[np.ndarray]:
    """Features and labels of everybody, one row for each stretch of `mean_s` seconds."""
    rows, labels = [], []
    for de, (mean, sd), states in people:
        used = de.shape[1] // mean_s * mean_s
        x = de[:, :used].reshape(len(states), -1, mean_s, de.shape[2]).mean(axis=2)
        rows.append(((x - mean) / sd if own_rest else x).reshape(-1, de.shape[2]))
        labels.append(np.repeat(states, used // mean_s))
    return [np.concatenate(rows), np.concatenate(labels)]


def score(train: list, test: list, mean_s: int, own_rest: bool) -> tuple[float, np.ndarray]:
    """Mean balanced accuracy over test people, and each one's."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    model.fit(*features(train, mean_s, own_rest))
    each = np.array(
        [balanced_accuracy_score(y, model.predict(x)) for x, y in (features([p], mean_s, own_rest) for p in test)]
    )
    return float(each.mean()), each


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=int, default=60)
    parser.add_argument("--test", type=int, default=30)
    parser.add_argument("--difficulty", choices=tuple(DIFFICULTY))
    asked = parser.parse_args()
    print(
        f"{'difficulty':10} {'baseline':8} {'1 s':>5} {'10 s':>5}  worst, median, best person of {asked.test} at 10 s"
    )
    for difficulty in [asked.difficulty] if asked.difficulty else DIFFICULTY:
        people = [person(subject, difficulty, rounds=2) for subject in range(asked.train + asked.test)]
        train, test = people[: asked.train], people[asked.train :]
        for own_rest in (False, True):
            one, _ = score(train, test, 1, own_rest)
            ten, each = score(train, test, 10, own_rest)
            spread = ", ".join(f"{q:.2f}" for q in np.quantile(each, (0, 0.5, 1)))
            print(f"{difficulty:10} {'rest' if own_rest else 'none':8} {one:5.2f} {ten:5.2f}  {spread}", flush=True)


if __name__ == "__main__":
    main()
