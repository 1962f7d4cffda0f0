"""What repair of blinks and marks of artefacts gain and cost on real recordings (docs/decisions/0035).

``python -m benchmarks.repair --data FOLDER`` (some ten minutes). EEGMAT was cleaned of eyes before it was published,
so blinks of a known size are added to it; the other recordings have their own. Nothing was fitted to any of them.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.signal import welch
from sklearn.metrics import roc_auc_score

from benchmarks.contact import archive
from benchmarks.effort_lsl import FOLDER
from benchmarks.rig import table
from realtime_mood.api.options import ReadingOptions
from realtime_mood.dsp.repair import frontal, shared
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import differential_entropy
from realtime_mood.estimator import SignalOnly
from realtime_mood.models.building import PipelineBuilder
from realtime_mood.models.datasets.person import by_second
from realtime_mood.models.datasets.sets.eegmat import HELD_OUT
from realtime_mood.montage import SPREAD, locate
from realtime_mood.pipeline import Pipeline
from realtime_mood.profile import Profile
from realtime_mood.sources.synthetic.artefacts import nearness
from realtime_mood.types import Chunk, Estimate, StreamInfo, Window

BASELINE_S, SETTLED_S = 60, 12
REPAIRS = ("none", "eog")


def blinks(info: StreamInfo, n: int, seed: int, per_min: float = 15.0, uv: float = 120.0) -> np.ndarray:
    """(n, n_chans), µV: blinks as at the electrodes, largest at the forehead."""
    rng, course = np.random.default_rng(seed), np.zeros(n)
    at = 2 * info.sfreq
    while at < n - info.sfreq:
        shape = (
            np.sin(np.pi * (np.arange(round(rng.uniform(0.25, 0.45) * info.sfreq)) + 0.5) / (0.35 * info.sfreq)) ** 2
        )
        course[round(at) :][: len(shape)] += uv * np.exp(0.25 * rng.standard_normal()) * shape
        at += (0.6 + rng.exponential(60 / per_min - 0.6)) * info.sfreq
    eyes = locate(("Fp1", "Fp2")) + np.array([0, 0.3, -0.4])
    near = nearness(locate(info.ch_names), eyes / np.linalg.norm(eyes, axis=1, keepdims=True), 0.55)
    return np.outer(course, near / near.max())


def windows(pipeline: Pipeline, signal: np.ndarray) -> Iterator[Window]:
    n = round(pipeline.info.sfreq)
    for at in range(0, len(signal) - n + 1, n):
        yield from pipeline.push(Chunk(signal[at : at + n], at, (at + n) / pipeline.info.sfreq))


def filtered(info: StreamInfo, signal: np.ndarray, repair: str) -> tuple[np.ndarray, list[Window]]:
    """The signal as it is shown, and its windows."""
    spec = FeatureSpec(repair=repair)
    pipeline, shown, found = Pipeline(info, spec, SignalOnly(spec, info.sfreq)), [], list[Window]()
    n = round(info.sfreq)
    for at in range(0, len(signal) - n + 1, n):
        found += pipeline.push(Chunk(signal[at : at + n], at, (at + n) / info.sfreq))
        shown.append(pipeline.clean.latest(n).data)
    return np.concatenate(shown), found


@dataclass(frozen=True)
class Effort:
    """Readings of effort of one subject: probability of arithmetic where there is one, and what was answered."""

    p: np.ndarray
    label: np.ndarray
    answered: float


def effort(info: StreamInfo, rest: np.ndarray, task: np.ndarray, repair: str) -> Effort:
    spec, n = FeatureSpec(repair=repair), round(BASELINE_S * info.sfreq)
    steps = by_second(info, rest[:n], spec)
    profile = Profile.from_steps(info, spec, steps["de"][4:], (steps["good"] & steps["there"][:, None])[4:])
    build = PipelineBuilder(ReadingOptions(readout="effort", repair=repair), profile)
    p, label, answered = [], [], []
    for k, part in enumerate((rest[n:], task[: len(rest) - n])):
        pipeline = build(info)
        for window in windows(pipeline, part):
            second = window.end / info.sfreq
            if second >= SETTLED_S and second == round(second):
                reading = pipeline.read(window)
                answered.append(isinstance(reading, Estimate))
                if reading.probs is not None:
                    p.append(reading.probabilities["arithmetic"])
                    label.append(k)
    return Effort(np.array(p), np.array(label), float(np.mean(answered)))


def on_eegmat(data: Path, n_trained: int) -> None:
    subjects: dict[str, dict[str, np.ndarray]] = {}
    info = next(archive(data / "eegmat_dev24_125hz.npz"))[1]
    for entry, _, signal, _ in archive(data / "eegmat_dev24_125hz.npz"):
        subjects.setdefault(entry["subject"], {})[entry["label"]] = signal
    held = [s for s in subjects if f"eegmat-{s}" in HELD_OUT]
    others = [s for s in subjects if s not in held][:n_trained]
    rows = []
    for name, group in (("held out", held), ("trained on", others)) if others else (("held out", held),):
        for added in (False, True):
            for repair in REPAIRS:
                found = []
                for k, subject in enumerate(group):
                    rest, task = (subjects[subject][it] for it in ("rest", "arithmetic"))
                    if added:
                        rest, task = (x + blinks(info, len(x), 10 * k + j) for j, x in enumerate((rest, task)))
                    found.append(effort(info, rest, task, repair))
                aucs = [roc_auc_score(it.label, it.p) for it in found if len(set(it.label.tolist())) == 2]
                rows.append((
                    name, len(group), "added" if added else "none", repair, f"{np.mean(aucs):.3f} ({len(aucs)})",
                    f"{np.mean([it.answered for it in found]):.2f}",
                ))  # fmt: skip
    print(
        table(["subjects", "n", "blinks", "repair", "AUC (of subjects with probabilities)", "answered"], rows),
        flush=True,
    )
    print()
    on_added(info, {s: subjects[s]["rest"] for s in (held + others)[:8]})


def on_added(info: StreamInfo, rests: dict[str, np.ndarray]) -> None:
    """How much of added blinks goes, and how much of the EEG with it."""
    found = []
    for k, rest in enumerate(rests.values()):
        added = blinks(info, len(rest), 77 + k)
        truth, _ = filtered(info, rest, "none")
        late = slice(len(truth) // 4, None)
        inside = np.abs(added[: len(truth)]).max(axis=1)[late] > 20
        for repair in REPAIRS:
            shown, wins = filtered(info, rest + added, repair)
            _, clean = filtered(info, rest, repair)
            off = (shown - truth)[late]
            de, true = (
                differential_entropy(np.mean([w.power[-1] / max(w.counts[-1], 1) for w in it[-200:]], axis=0))
                for it in (wins, clean)
            )
            fz, oz = info.ch_names.index("Fz"), info.ch_names.index("O1")
            fp = info.ch_names.index("Fp1")
            freqs, power = welch(shown[late][:, oz], info.sfreq, nperseg=round(2 * info.sfreq))
            _, before = welch(truth[late][:, oz], info.sfreq, nperseg=round(2 * info.sfreq))
            alpha = (freqs >= 8) & (freqs < 14)
            found.append((
                repair, *(np.percentile(np.abs(off[inside][:, c]), 95) for c in (fp, fz, oz)),
                power[alpha].sum() / before[alpha].sum(), *np.abs(de - true).mean(axis=0),
            ))  # fmt: skip
    rows = []
    for repair in REPAIRS:
        mean = np.mean([row[1:] for row in found if row[0] == repair], axis=0)
        rows.append((repair, *(f"{x:.0f}" for x in mean[:3]), f"{mean[3]:.3f}", *(f"{x:.2f}" for x in mean[4:])))
    print(
        table(["repair", "Fp1 µV", "Fz µV", "O1 µV", "alpha O1", "delta", "theta", "alpha", "beta", "gamma"], rows),
        flush=True,
    )


def on_devices(data: Path, most: int, seconds: float) -> None:
    """Blinks as they are in recordings of headsets: what is left of them, what is marked, and what readings become."""
    rows = []
    for name in ("muse_lsl_256hz", "biohack2025_muse_256hz", "dasps_epoc_128hz", "children_task_19ch_128hz"):
        first = {}
        for entry, info, signal, _ in archive(data / f"{name}.npz"):
            first.setdefault(entry["subject"], (info, signal[: round(seconds * info.sfreq)]))
        for repair in REPAIRS:
            peaks, same, why = [], [], Counter[str]()
            for info, signal in islice(first.values(), most):
                raw, _ = filtered(info, signal, "none")
                shown, _ = filtered(info, signal, repair)
                eye = np.abs(shared(raw[:, frontal(info.ch_names)]))
                left = np.abs(shared(shown[:, frontal(info.ch_names)]))
                peaks.append(np.percentile(left[(eye > 60) & (eye < 500)], 50) if (eye > 60).any() else np.nan)
                same.append(np.mean((shown == raw).all(axis=1)))
                spec = FeatureSpec(repair=repair)
                pipeline = Pipeline(info, spec, SignalOnly(spec, info.sfreq))
                why.update(pipeline.read(w).why.value for w in windows(pipeline, signal) if w.end > 8 * info.sfreq)
            n = sum(why.values())
            shares = ", ".join(f"{key} {100 * k / n:.1f}" for key, k in why.most_common() if key != "uncalibrated")
            rows.append((
                name, len(peaks), repair, f"{np.nanmean(peaks) if np.isfinite(peaks).any() else 0:.0f}",
                f"{np.mean(same):.3f}",
                f"{100 * why['uncalibrated'] / n:.1f}", shares,
            ))  # fmt: skip
    table(
        ("recordings", "n", "repair", "left of 60 µV and more", "samples unchanged", "usable %", "not usable, %"), rows
    )


def costs() -> None:
    rng, rows = np.random.default_rng(0), []
    for n_chans, sfreq in ((8, 250.0), (32, 256.0), (64, 512.0)):
        info = StreamInfo(tuple(SPREAD[:n_chans]), sfreq)
        signal = 10 * rng.standard_normal((round(60 * sfreq), n_chans)) + blinks(info, round(60 * sfreq), 3)
        took = {repair: float("inf") for repair in REPAIRS}
        for repair in REPAIRS * 3:  # in turn, the fastest counts
            began = time.process_time()
            filtered(info, signal, repair)
            took[repair] = min(took[repair], (time.process_time() - began) / 60 * 1e3)
        rows.append((n_chans, f"{sfreq:g}", f"{took['none']:.1f}", f"{took['eog'] - took['none']:.1f}"))
    print(
        table(["channels", "Hz", "filters, windows, marks: ms a second", "repair: ms a second more"], rows), flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--people", type=int, default=6)
    given = parser.parse_args()
    costs()
    on_devices(given.data, given.people, 180.0)
    on_eegmat(given.data, given.people)


if __name__ == "__main__":
    main()
