"""How often the shipped weights answer on devices and subjects that they were not trained on, by confidence and in all.

``python -m benchmarks.unfamiliar FOLDER`` reads the archives of a folder that are there (docs/decisions/0027): other
devices, which no readout should answer on, and EEGMAT; and makes simulated subjects with and without an effect.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.rig import table
from benchmarks.virtual_people import SETTLED_S, script_of
from realtime_mood.entropy import Population
from realtime_mood.errors import ConfigError, ProfileError
from realtime_mood.models.building import load_inference
from realtime_mood.models.datasets.archives import Archive
from realtime_mood.models.datasets.person import NO_LABEL, Person, person
from realtime_mood.models.datasets.sets.eegmat import HELD_OUT
from realtime_mood.models.datasets.virtual import LABELS
from realtime_mood.models.evaluation.figures import binned, draws, expected_calibration_error, mean_with_interval
from realtime_mood.models.evaluation.labelled import DatasetChoice, load_labelled
from realtime_mood.models.executor import SerialExecutor
from realtime_mood.models.familiarity import Familiarity
from realtime_mood.models.familiarity_fit import seconds_of
from realtime_mood.models.network import Inference, PretrainedHead
from realtime_mood.models.subject_sampler import SubjectSampler, inputs_of_samples
from realtime_mood.montage import SPREAD
from realtime_mood.sources.synthetic.person import Script, VirtualPerson
from realtime_mood.types import Features, Quality, StreamInfo

ARCHIVES = {
    "Muse (muse-lsl)": "muse_lsl*.npz", "Muse (BioHack)": "biohack*.npz", "EPOC (DASPS)": "dasps*.npz",
    "EPOC (FEIS, its pieces end to end)": "feis*.npz", "g.MOBIlab, 8 occipital (exoskeleton)": "ssvep_exo*.npz",
    "19 electrodes, linked ears (children)": "children*.npz",
}  # fmt: skip
PIECE_S, SUBJECT_S, LEAST_S, BASELINE_S = 150, 300, 30, 60
FIRST_SEED = 90_001


@dataclass(frozen=True)
class Answers:
    """One subject's readings, (n,) each."""

    sure: np.ndarray
    familiar: np.ndarray
    probs: np.ndarray  # (n, n_labels)
    label: np.ndarray  # NO_LABEL where there is none


def of_archive(path: Path, pattern: str, inference: Inference, n: int) -> Iterator[Person]:
    """Up to `n` subjects, their pieces cut; the first minute is the baseline."""
    archive = Archive(path, pattern, pattern)
    for subject in sorted({str(entry["subject"]) for entry in archive.entries})[:n]:
        pieces, total = [], 0.0
        for entry in (e for e in archive.entries if str(e["subject"]) == subject):
            piece = archive.signal(entry["key"])[: round(PIECE_S * archive.sfreq)]
            if len(piece) >= LEAST_S * archive.sfreq and total < SUBJECT_S:
                pieces.append(piece)
                total += len(piece) / archive.sfreq
        if pieces:
            labels = [np.full(PIECE_S + 1, NO_LABEL)] * len(pieces)
            yield person(subject, archive.info(subject), pieces, labels, slice(0, BASELINE_S), inference.card.spec)


def of_eegmat(path: Path, inference: Inference, n: int) -> Iterator[Person]:
    """The subjects that the shipped weights were not trained on."""
    choice = DatasetChoice("eegmat", path, "effort")
    found, _ = load_labelled(choice, "c1", inference.card.spec, SerialExecutor(), lambda _: None)
    yield from [p for p in found if p.name in HELD_OUT][:n]


def simulated(difficulty: str, inference: Inference, n: int) -> Iterator[Person]:
    """Those of `benchmarks.virtual_people`: 32 electrodes, labels once a state has settled."""
    names = tuple(SPREAD[:32])
    for seed in range(FIRST_SEED, FIRST_SEED + n):
        script = Script.parse(script_of(seed))
        label = np.concatenate([np.full(int(seconds), LABELS.index(state)) for state, seconds in script.steps])
        ends = np.concatenate([np.arange(seconds) for _, seconds in script.steps])
        label = np.where(ends < SETTLED_S, NO_LABEL, label)
        signal = VirtualPerson(seed, names, 256.0, script, difficulty).signal(len(label))
        info = StreamInfo(names, 256.0, virtual=True)
        yield person(str(seed), info, [signal], [label], slice(0, BASELINE_S), inference.card.spec)


def answers(inference: Inference, readout: str, p: Person, *, baseline: bool, every: int) -> Answers | None:
    """What the readout answers in one of `every` seconds; labelled ones only, where there are any; None where no."""
    card = inference.card.readouts[readout]
    sampler = SubjectSampler([p], Population(np.array(card.population_mean), np.array(card.population_sd)),
                             inference.card.spec)  # fmt: skip
    at = seconds_of(sampler, 0, frozen=baseline)
    if (p.label != NO_LABEL).any():
        at = at[p.label[at] != NO_LABEL]
    if not len(at := at[::every]):
        return None
    trust, chans = card.trust(calibrated=baseline), np.arange(p.info.n_chans)
    samples = [sampler.sample(0, int(t), sampler.statistics(0, frozen=baseline), chans) for t in at]
    unfamiliarity = np.zeros(len(at))
    if card.device and trust.features:
        measure = Familiarity(card.device, trust.features, p.positions)
        for k, (t, (z, patches, good, there, _)) in enumerate(zip(at, samples, strict=True)):
            steps = np.maximum(np.arange(t - len(there) + 1, t + 1), 0)
            quality = Quality(good.astype(float), (None,) * len(good)).without(
                frozenset(np.flatnonzero(~good).tolist())
            )
            raw = Features(p.de[steps], patches, ~there, np.zeros(patches.shape[1], bool), quality, 1.0, 0.0)
            unfamiliarity[k] = measure(raw, replace(raw, de=z))
    head = PretrainedHead(readout, trust.temperature)
    parts = [samples[k : k + 32] for k in range(0, len(samples), 32)]
    probs = np.concatenate([inference(inputs_of_samples(part), head)[0] for part in parts])
    return Answers(probs.max(axis=1) >= trust.least_confidence, unfamiliarity <= 1, probs, p.label[at])


def row(name: str, readout: str, baseline: bool, found: Sequence[Answers]) -> list[object]:
    """One row: shares over subjects with 95 % intervals, and the accuracy and calibration error of what is answered."""
    weights = draws(len(found), 0, 2000)

    def share(of: Sequence[float]) -> str:
        it = mean_with_interval(of, weights)
        return f"{it['mean']:.2f} [{it['interval'][0]:.2f}, {it['interval'][1]:.2f}]"

    cells = [share([x.mean() for x in parts]) for parts in (
        [a.sure for a in found], [a.familiar for a in found], [a.sure & a.familiar for a in found],
    )]  # fmt: skip
    probs, label = (np.concatenate([getattr(a, key)[a.familiar] for a in found]) for key in ("probs", "label"))
    sure = np.concatenate([a.sure[a.familiar] for a in found])
    right = error = ""
    if len(label) and (label != NO_LABEL).all():
        right = f"{np.mean(probs[sure].argmax(axis=1) == label[sure]):.2f}"
        error = f"{expected_calibration_error(binned(probs, label)):.3f}"
    kind = "own baseline" if baseline else "no baseline"
    return [name, readout, kind, len(found), *cells, right, error]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", default="reader-5")
    parser.add_argument("--people", type=int, default=24, help="of each set at most")
    parser.add_argument("--every", type=int, default=4, help="one of so many seconds is read")
    asked = parser.parse_args()
    inference = load_inference(asked.weights, "cpu", "onnx")
    sets = {name: (partial(of_archive, asked.folder, pattern), "effort") for name, pattern in ARCHIVES.items()}
    sets["EEGMAT 32-35"] = partial(of_eegmat, asked.folder), "effort"
    sets |= {f"simulated, {kind}": (partial(simulated, kind), "emotion3") for kind in ("none", "medium")}
    rows = []
    for name, (subjects, readout) in sets.items():
        found: dict[bool, list[Answers]] = {False: [], True: []}
        with suppress(ConfigError):  # the archive is not there
            for p in subjects(inference, asked.people):
                for baseline in found:
                    with suppress(ProfileError):
                        if baseline:
                            p.profile(inference.card.spec)
                        if it := answers(inference, readout, p, baseline=baseline, every=asked.every):
                            found[baseline].append(it)
        for baseline, those in found.items():
            if those:
                rows.append(row(name, readout, baseline, those))
                print(*rows[-1], sep=" | ", flush=True)
    header = ["set", "readout", "statistics", "n", "confident", "familiar", "answered", "right", "calibration error"]
    print(table(header, rows))


if __name__ == "__main__":
    main()
