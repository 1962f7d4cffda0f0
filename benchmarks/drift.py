"""False alarms and delays of the drift test, on real rest of EEGMAT, other real recordings and simulated subjects.

``python -m benchmarks.drift --data FOLDER --cache FOLDER`` prints the tables of docs/decisions/0029; the features of
each second are kept in the cache. The constants of `realtime_mood.drift` were chosen on the EEGMAT subjects here; those
of ``HELD_OUT`` are never read.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realtime_mood.drift import BLOCK_S, DriftTest
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.models.datasets.archives import Archive
from realtime_mood.models.datasets.person import by_second
from realtime_mood.models.datasets.sets.eegmat import HELD_OUT
from realtime_mood.profile import Profile
from realtime_mood.sources.synthetic.person import Script, VirtualPerson
from realtime_mood.types import StreamInfo

SPEC = FeatureSpec()
MONTAGES = {19: None, 8: ("F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2"), 4: ("Fp1", "Fp2", "T7", "T8")}
SETTLE, RUNS, HOUR, LEAST_S, SEEDS = 4, 5, 3600, 15, range(82_000, 82_012)
BANDS = tuple(SPEC.bands)


@dataclass(frozen=True, eq=False)
class Features:
    """Every second of one recording."""

    subject: str
    label: str
    info: StreamInfo
    de: np.ndarray  # (n_seconds, n_chans, n_bands)
    good: np.ndarray  # (n_seconds, n_chans)


def archive(folder: Path, name: str, cache: Path) -> Iterator[Features]:
    """The recordings of an archive that last at least three minutes, or one in EEGMAT."""
    found = Archive(folder, f"{name}*.npz", name)
    arrays = np.load(found.path)
    for entry in found.entries:
        if f"{name}-{entry['subject']}" in HELD_OUT:
            continue
        info, path = found.info(name), cache / f"{name}-{entry['key']}.npz"
        if arrays[entry["key"]].shape[1] < (60 if name == "eegmat" else 180) * info.sfreq - 1:
            continue
        if not path.exists():
            signal = arrays[entry["key"]][found.columns].T * np.float32(found.meta["uV_per_lsb"])
            signal -= np.median(signal[: round(SETTLE * info.sfreq)], axis=0)
            np.savez(path, **by_second(info, signal, SPEC))
        yield _features(path, str(entry["subject"]), str(entry.get("label", "")), info)


def simulated(seed: int, script: str, cache: Path) -> Features:
    """One simulated subject of medium difficulty with eight electrodes."""
    names = MONTAGES[8]
    assert names is not None
    info, path = StreamInfo(names, 128.0, virtual=True), cache / f"sim-{seed}-{script[:16].replace(':', '')}.npz"
    if not path.exists():
        seconds = sum(float(step.split(":")[1]) for step in script.split(","))
        signal = VirtualPerson(seed, names, info.sfreq, Script.parse(script)).signal(seconds)
        np.savez(path, **by_second(info, signal, SPEC))
    return _features(path, str(seed), script, info)


def _features(path: Path, subject: str, label: str, info: StreamInfo) -> Features:
    with np.load(path) as it:
        keep = slice(SETTLE, None)
        return Features(subject, label, info, it["de"][keep], (it["good"] & it["there"][:, None])[keep])


def picked(it: Features, names: tuple[str, ...] | None) -> Features:
    """Some electrodes of a recording."""
    if names is None:
        return it
    at = [it.info.ch_names.index(name) for name in names]
    return Features(it.subject, it.label, StreamInfo(names, it.info.sfreq), it.de[:, at], it.good[:, at])


def standardised(it: Features, baseline_s: int, more: Features | None = None) -> tuple[np.ndarray, np.ndarray]:
    """z (n, n_chans, n_bands) and good (n, n_chans) of what follows the baseline, or of another recording."""
    sd = np.median(it.de.std(axis=0), axis=0)
    profile = Profile.from_steps(it.info, SPEC, it.de[:baseline_s], it.good[:baseline_s], least_s=LEAST_S)
    statistics = profile.statistics(it.info, SPEC, sd)
    de, good = (more.de, more.good) if more else (it.de[baseline_s:], it.good[baseline_s:])
    return (de - statistics.mean) / statistics.sd, good


def resampled(z: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` seconds made of blocks of the test's length, drawn at random from z: as stationary as they can be."""
    length = round(BLOCK_S)
    starts = rng.integers(0, len(z), -(-n // length))
    return z[(starts[:, None] + np.arange(length)).ravel()[:n] % len(z)]


def alarm(
    z: np.ndarray,
    info: StreamInfo,
    baseline_s: float,
    good: np.ndarray | None = None,
    states: np.ndarray | None = None,
) -> tuple[int, str]:
    """The second of the first alarm, 0 for none, and what it names."""
    test = DriftTest(BANDS, info.ch_names, baseline_s, states)
    everywhere = np.ones(len(info.ch_names), bool)
    for t, row in enumerate(z, 1):
        if test.take_in(row, everywhere if good is None else good[t - 1]):
            return t, test.largest()[0]
    return 0, ""


def line(name: str, runs: list[tuple[str, int, int]]) -> None:
    """Print alarms of runs: subject, second of the alarm or 0, and length (s)."""
    hours = sum(when or length for _, when, length in runs) / HOUR
    alarms, who = sum(when > 0 for _, when, _ in runs), {subject for subject, when, _ in runs if when}
    delays = [when for _, when, _ in runs if when]
    delay = "–" if not delays else f"{np.median(delays) / 60:.1f} min (90 %: {np.percentile(delays, 90) / 60:.1f})"
    people = len({subject for subject, *_ in runs})
    print(
        f"| {name} | {hours:.1f} | {alarms} of {len(runs)} | {len(who)} of {people} | {alarms / hours:.3f} | {delay} |"
    )


def on_eegmat(people: dict[str, dict[str, Features]]) -> None:
    """Rest, rest with planted drift, and lasting arithmetic, by montage and length of the baseline."""
    plants: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "alpha +1 SD": lambda z: z + (np.arange(5) == 2),
        "alpha +1.5 SD": lambda z: z + 1.5 * (np.arange(5) == 2),
        "gamma +2 SD": lambda z: z + 2 * (np.arange(5) == 4),
        "all bands -1.5 SD": lambda z: z - 1.5,
        "one electrode +2.5 SD": lambda z: z + 2.5 * (np.arange(z.shape[1]) == 2)[:, None],
        "alpha rises by 2 SD in half an hour": lambda z: z + (np.arange(len(z)) / 900).clip(0, 2)[:, None, None]
        * (np.arange(5) == 2),
    }  # fmt: skip
    for n, names in MONTAGES.items():
        for baseline_s in (60, 30):
            rng, rests, tasks, known = np.random.default_rng(0), [], [], []
            planted: dict[str, list[tuple[str, int, int]]] = {name: [] for name in plants}
            for subject, files in people.items():
                rest = picked(files["rest"], names)
                z, _ = standardised(rest, baseline_s)
                task, _ = standardised(rest, baseline_s, picked(files["arithmetic"], names))
                for _ in range(RUNS):
                    hour = resampled(z, HOUR, rng)
                    rests.append((subject, alarm(hour, rest.info, baseline_s)[0], HOUR))
                for name, plant in plants.items():
                    planted[name].append(
                        (subject, alarm(plant(resampled(z, HOUR, rng)), rest.info, baseline_s)[0], HOUR)
                    )
                task = task[12 - SETTLE :]
                half = len(task) // 2
                long = resampled(task[half:], 600, rng)
                tasks.append((subject, alarm(long, rest.info, baseline_s)[0], 600))
                state = task[None, :half].clip(-4, 4).mean(axis=1)
                known.append((subject, alarm(long, rest.info, baseline_s, states=state)[0], 600))
            line(f"{n} electrodes, baseline {baseline_s} s: rest", rests)
            for name, runs in planted.items():
                line(f"{n} electrodes, baseline {baseline_s} s: {name}", runs)
            line(f"{n} electrodes, baseline {baseline_s} s: ten minutes of arithmetic", tasks)
            line(f"{n} electrodes, baseline {baseline_s} s: the same, with half a minute of it in the profile", known)


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    given = parser.parse_args()
    given.cache.mkdir(exist_ok=True, parents=True)
    print("| signal | hours | runs with an alarm | subjects | alarms per hour | time of the alarm |")
    print("|---|---|---|---|---|---|")
    people: dict[str, dict[str, Features]] = {}
    for it in archive(given.data, "eegmat", given.cache):
        people.setdefault(it.subject, {})[it.label] = it
    on_eegmat(people)
    for name in ("ssvep_exo", "biohack2025", "muse_lsl"):
        runs = []
        for it in archive(given.data, name, given.cache):
            if it.good[:60].sum(axis=0).min() >= LEAST_S:
                z, good = standardised(it, 60)
                runs.append((it.subject, alarm(z, it.info, 60, good)[0], len(z)))
        line(f"{name}: as recorded, baseline 60 s", runs)
    moods = ",".join(["rest:60", *["neutral:120,positive:120,negative:120"] * 4])
    for name, script in (("rest", "rest:1860"), ("moods of two minutes", moods)):
        parts = [
            (it, *standardised(it, 60 - SETTLE)) for it in (simulated(seed, script, given.cache) for seed in SEEDS)
        ]
        for planted, shift in (("", 0.0), (": alpha +1.5 SD", 1.5)):
            runs = []
            for it, z, good in parts:
                moved = z + shift * (np.arange(5) == 2)
                runs.append((it.subject, alarm(moved, it.info, 60 - SETTLE, good)[0], len(z)))
            line(f"simulated, {name}{planted}", runs)


if __name__ == "__main__":
    main()
