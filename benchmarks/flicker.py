"""What five bands cannot tell: rest and lights of 13, 17 and 21 Hz, read by every raw token and by linear methods.

``python -m benchmarks.flicker --root DIR`` (DIR has the archive of `ssvep-exo`). A window is the four seconds from half
a second after the light; nothing else of a trial is seen. One person is left out in turn; each is standardised by the
statistics of all own windows, without labels, or with ``--track running`` as in live use without a profile.
Balanced accuracy, chance .25, with 95 % CIs over people, and paired differences.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.models.datasets.person import NO_LABEL, Person, cut, population
from realtime_mood.models.evaluation.baselines import fitted_logits, logistic_regression
from realtime_mood.models.evaluation.contexts import STATISTICS, Contexts, View
from realtime_mood.models.evaluation.figures import draws, mean_with_interval, text_of
from realtime_mood.models.evaluation.labelled import DatasetChoice, load_labelled
from realtime_mood.models.evaluation.mood_reader import READOUT, FittedReader, Levels
from realtime_mood.models.executor import open_executor
from realtime_mood.models.personal import BINS
from realtime_mood.models.reader import ReaderConfig
from realtime_mood.models.train import Task, TrainingRecipe, fit

LABELS = ("rest", "13hz", "17hz", "21hz")
WINDOW_S = 4
C = 0.01  # of logistic regression: the best of .001, .01 and .1 for both
EEG: Levels = (True, True, True, False)
ALONE: dict[str, Levels] = {
    "": EEG, ", raw branch alone": (True, False, False, False), ", DE alone": (False, True, True, False),
}  # fmt: skip


def windows(p: Person) -> Person:
    """The subject with nothing but the four seconds of each trial, labelled at their end."""
    assert p.trial is not None
    label = np.full(len(p.label), NO_LABEL)
    for k, trial in enumerate(p.trials):
        at = np.flatnonzero(p.trial == k)
        if len(at) == WINDOW_S and p.there[at].all():
            label[at[-1]] = LABELS.index(trial.stimulus)
    return cut(replace(p, label=label, rest=np.zeros(len(label), bool)), p.trial >= 0)


def by_person(x: np.ndarray, who: np.ndarray) -> np.ndarray:
    """Features (n, F), each person standardised by the mean and standard deviation of all own windows."""
    parts = [(x[who == i] - x[who == i].mean(0)) / (x[who == i].std(0) + 1e-6) for i in np.unique(who)]
    return np.concatenate(parts)


def spectra(signal: np.ndarray, *, average: bool) -> np.ndarray:
    """Log power (n, C·bins) in bins of 1 Hz of signal (n, C, 512) by Welch's method; `average`: of the electrodes."""
    if average:
        signal = signal - signal.mean(1, keepdims=True)
    frames = np.lib.stride_tricks.sliding_window_view(signal, 128, -1)[..., ::64, :]
    frames = (frames - frames.mean(-1, keepdims=True)) * np.hanning(129)[:-1].astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(frames))).mean(-2)
    return np.log(power[..., BINS] + 1e-3).reshape(len(signal), -1)


def balanced(logits: np.ndarray, y: np.ndarray) -> float:
    """Balanced accuracy."""
    return float(np.mean([(logits.argmax(1)[y == k] == k).mean() for k in np.unique(y)]))


def linear(people: Sequence[Person], view: View, of: Callable[[Contexts], np.ndarray]) -> list[float]:
    """Logistic regression, of each person left out, on features (n, F) of a person's windows."""
    contexts = [view.contexts(p) for p in people]
    who = np.repeat(np.arange(len(people)), [len(c) for c in contexts])
    x = by_person(np.concatenate([of(c) for c in contexts]), who)
    y = np.concatenate([c.labels for c in contexts])
    found = []
    for i in range(len(people)):
        logits = fitted_logits(logistic_regression(C), x[who != i].copy(), y[who != i], len(LABELS))
        found.append(balanced(logits(x[who == i]), y[who == i]))
    return found


def networks(
    people: Sequence[Person], config: ReaderConfig, recipe: TrainingRecipe, track: str, seeds: Sequence[int]
) -> dict[str, list[float]]:
    """The Mood Reader, of each person left out: all of it, and by the levels that reach the fusion after training.

    Probabilities are averaged over `seeds`.
    """
    spec = FeatureSpec()
    found: dict[str, list[float]] = {name: [] for name in ALONE}
    for i, tested in enumerate(people):
        known = [p for p in people if p is not tested]
        pop = population(known)
        task = Task.of(READOUT, LABELS, known, spec, pop)
        task.sampler.frozen = [STATISTICS[track](p, pop, spec) for p in known]
        c = View(LABELS, spec, track, tested.info.ch_names, pop).contexts(tested)
        readers = [fit(config, [task], recipe, seed) for seed in seeds]
        for name, levels in ALONE.items():
            logits = [torch.from_numpy(FittedReader(r, levels)(c)).softmax(-1).numpy() for r in readers]
            found[name].append(balanced(np.mean(logits, axis=0), c.labels))
        reached = (f"{name or 'whole'} {x[-1]:.2f}" for name, x in found.items())
        print(f"  {i + 1} of {len(people)}", *reached, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--tokens", default="spectrum,patch")
    parser.add_argument("--track", choices=("t", "running"), default="t")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    spec = FeatureSpec()
    with open_executor(1) as executor:
        choice = DatasetChoice("ssvep-exo", asked.root, "ssvep-exo", cache=asked.cache)
        people = [windows(p) for p in load_labelled(choice, "z", spec, executor, print)[0]]
    view = View(LABELS, spec, "z", people[0].info.ch_names, population(people))

    def spectrum(c: Contexts, *, average: bool) -> np.ndarray:
        return spectra(c.microvolts(np.arange(len(c)))[..., -WINDOW_S * spec.patch_len :], average=average)

    rows = {
        "logistic regression, DE of five bands": linear(people, view, lambda c: c.mean_de),
        "logistic regression, log spectrum": linear(people, view, partial(spectrum, average=False)),
        "logistic regression, log spectrum, average reference": linear(people, view, partial(spectrum, average=True)),
    }
    for token in filter(None, asked.tokens.split(",")):
        config = ReaderConfig(readouts={READOUT: len(LABELS)}, raw_token=token)  # type: ignore[arg-type]
        recipe = TrainingRecipe(steps=asked.steps, batches={READOUT: 48})
        recipe = replace(recipe, augment=replace(recipe.augment, frozen_share=float(asked.track == "t")))
        print(f"raw token: {token}", flush=True)
        for name, found in networks(people, config, recipe, asked.track, range(asked.seeds)).items():
            rows[f"Mood Reader, {token}{name}"] = found
    weights = draws(len(people), 0)
    for name, found in rows.items():
        print(f"{name}: {text_of(mean_with_interval(found, weights))}")
        if name.startswith("Mood Reader"):
            for other in list(rows)[:3]:
                less = np.subtract(found, rows[other]).tolist()
                print(f"    − {other}: {text_of(mean_with_interval(less, weights), '+')}")
    if asked.json:
        about = {key: str(value) for key, value in vars(asked).items()}
        asked.json.write_text(json.dumps({"rows": rows, "options": about}, indent=1))


if __name__ == "__main__":
    main()
