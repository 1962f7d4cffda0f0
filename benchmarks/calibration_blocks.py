"""Value of labelled calibration blocks, for simulated subjects and for real ones looking at flickering lights."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score

from realtime_mood.calibration.collect import CalibrationRecording, collect
from realtime_mood.calibration.fit import block_features, fit, fit_recording
from realtime_mood.calibration.protocol import draw, load_protocol
from realtime_mood.calibration.session import CalibrationSession
from realtime_mood.cli.config import resolve
from realtime_mood.entropy import Population
from realtime_mood.models.checkpoint import Weights, load_weights
from realtime_mood.models.datasets.person import NO_LABEL, Person, by_second
from realtime_mood.models.personal import Parts, described, fit_head
from realtime_mood.models.sampling import SubjectSampler, plain_batches
from realtime_mood.profile import ValidationResult
from realtime_mood.types import StreamInfo

FIRST_SEED = 70_000  # nobody below was trained or evaluated on
EIGHT, FOUR = ("F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2"), ("Fp1", "Fp2", "T7", "T8")
BLOCKS = (0, 1, 2, 3, 4, 6)  # of a label
TEST_ROUNDS = 2
LIGHTS = ("rest", "13 Hz", "21 Hz", "17 Hz")
OCCIPITAL = {"8": ("Oz", "O1", "O2", "PO3", "POz", "PO7", "PO8", "PO4"), "4": ("Oz", "O1", "O2", "POz")}


def sat_by(seed: int, difficulty: str, rounds: int, folder: Path, electrodes: str) -> Path:
    """The calibration recording of a simulated subject."""
    protocol = load_protocol("emotion").model_copy(update={"rounds": rounds})
    url = f"synthetic://?subject={seed}&sfreq=128&{electrodes}&difficulty={difficulty}&speed=max"
    session = CalibrationSession(resolve({"source": url}), draw(protocol, seed), folder / f"{seed}-{difficulty}.xdf")
    session.start()
    session.wait()
    session.stop()
    return session.recording


def picked(recording: CalibrationRecording, names: Sequence[str]) -> CalibrationRecording:
    """The same recording with some of its electrodes."""
    p = recording.person
    at = [p.info.ch_names.index(name) for name in names]
    info = replace(p.info, ch_names=tuple(names))
    some = replace(p, info=info, de=p.de[:, at], patches=p.patches[:, at], good=p.good[:, at])
    return replace(recording, person=some)


def gains(seed: int, difficulty: str) -> dict[str, dict[int, float]]:
    """By electrodes, balanced accuracy in the last rounds by how many blocks of a label came before."""
    torch.set_num_threads(1)
    weights = load_weights()
    with tempfile.TemporaryDirectory() as folder:
        path = sat_by(seed, difficulty, max(BLOCKS) + TEST_ROUNDS, Path(folder), "n_chans=32")
        whole = collect(path, weights.card.spec, "auto")
    return {
        name: _curve(picked(whole, names), weights)
        for name, names in {"32": whole.person.info.ch_names, "8": EIGHT, "4": FOUR}.items()
    }


def _curve(recording: CalibrationRecording, weights: Weights) -> dict[int, float]:
    features = block_features(recording, weights, "emotion3", "cpu")
    label, block = recording.person.label[features.second], recording.block[features.second]
    rounds = (block - 1) // len(recording.protocol.labels)
    test = rounds >= max(BLOCKS)
    parts = Parts.of(weights.reader.config, recording.person.info.n_chans, "emotion3")
    curve = {}
    for n in BLOCKS:
        train = rounds < n
        score = fit_head(features.x[train], label[train], parts, 3)(features.x) if n else features.x[:, -3:]
        curve[n] = balanced_accuracy_score(label[test], score[test].argmax(1))
    return curve


def verdict_of(seed: int, difficulty: str, shuffled: bool) -> dict:
    """What becomes of six minutes of `emotion` with eight electrodes; with labels shuffled over blocks, if asked."""
    torch.set_num_threads(1)
    settings = resolve({})
    with tempfile.TemporaryDirectory() as folder:
        path = sat_by(seed, difficulty, 4, Path(folder), "channels=" + ",".join(EIGHT))
        if not shuffled:
            fitted = fit(path, settings)
        else:
            weights = load_weights()
            recording = collect(path, weights.card.spec, settings.notches)
            fitted = fit_recording(_shuffled(recording, seed), weights, settings)
    found = fitted.profile.own.verdict if fitted.profile.own else fitted.profile.refused
    assert isinstance(found, ValidationResult)
    return json.loads(found.model_dump_json())


def _shuffled(recording: CalibrationRecording, seed: int) -> CalibrationRecording:
    p = recording.person
    numbers = np.unique(recording.block[recording.block > 0])
    of_block = np.array([p.label[recording.block == n][0] for n in numbers])
    mixed = np.random.default_rng(seed).permutation(of_block)
    label = p.label.copy()
    for n, y in zip(numbers, mixed, strict=True):
        label[recording.block == n] = y
    return replace(recording, person=replace(p, label=label))


# -- lights -----------------------------------------------------------------------------------------------------


def lookers(data: Path, names: Sequence[str]) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray, Parts]]:
    """By person, of some electrodes: features, labels and blocks of what they saw, on their first minute of rest."""
    weights = load_weights()
    with np.load(data / "ssvep_exo_256hz.npz") as archive:
        meta = json.loads(str(archive["meta"]))
        entries = [json.loads(str(text)) for text in archive["index"]]
        info, pick = StreamInfo(tuple(names), float(meta["fs"])), [meta["channels"].index(name) for name in names]
        signals: dict[str, list] = {}
        for it in entries:
            events = it["label"] if isinstance(it["label"], list) else json.loads(it["label"])
            signal = archive[it["key"]][pick].T * np.float32(meta["uV_per_lsb"])
            signals.setdefault(it["subject"], []).append((signal - signal[0], events))
    return {who: _looker(info, records, weights) for who, records in sorted(signals.items())}


def _looker(info: StreamInfo, records: list, weights: Weights) -> tuple[np.ndarray, np.ndarray, np.ndarray, Parts]:
    spec, parts, label, block = weights.card.spec, [], [], []
    for signal, events in records:
        found = by_second(info, signal, spec)
        parts.append(found)
        mine, its = np.full(len(found["de"]), NO_LABEL), np.zeros(len(found["de"]), int)
        for index, kind in events:
            begin = index / info.sfreq
            inside = slice(int(np.ceil(begin + 1)), int(begin + 5))
            mine[inside], its[inside] = kind - 1, 1 + max(its.max(), max((b.max() for b in block), default=0))
        label.append(mine)
        block.append(its)
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    blocks, labels = np.concatenate(block), np.concatenate(label)
    piece = np.cumsum(np.concatenate([[True], blocks[1:] != blocks[:-1]]))
    rest = np.isin(np.arange(len(piece)), np.arange(4, 64))
    p = Person("looker", info, piece=piece, label=labels, rest=rest, sha256="", **joined)
    return (*_described(p, blocks, weights), Parts.of(weights.reader.config, info.n_chans, ""))


@torch.inference_mode()
def _described(p: Person, blocks: np.ndarray, weights: Weights) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    card = weights.card.readouts["emotion3"]
    who = SubjectSampler(
        [p], Population(np.array(card.population_mean), np.array(card.population_sd)), weights.card.spec
    )
    # Five seconds of light: three steps of it, and of the four patches one from just after it began.
    seconds = np.array([t for t in np.flatnonzero(p.label >= 0) if blocks[t - 2] == blocks[t]])
    batches = plain_batches(who, 0, frozen=True, chans=np.arange(p.info.n_chans), seconds=seconds)
    rows = [described(weights.reader(batch), batch, "").double().numpy() for batch, _ in batches]
    return np.concatenate(rows), p.label[seconds], blocks[seconds]


def light_gains(data: Path) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """By electrodes, beginning and blocks of a label: balanced accuracy of each person on other blocks.

    ``alone`` has a person's own blocks only, ``others`` begins with a readout fitted to everybody else's.
    """
    return {channels: _light_gains(lookers(data, names)) for channels, names in OCCIPITAL.items()}


def _light_gains(found: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray, Parts]]) -> dict:
    out: dict[str, dict[str, dict[str, float]]] = {"alone": {}, "others": {}}
    for who, (x, y, block, parts) in found.items():
        of = [np.unique(block[y == label]) for label in range(4)]
        test = np.isin(block, np.concatenate([row[max(BLOCKS) :] for row in of]))
        rest = [other for name, other in found.items() if name != who]
        theirs = fit_head(np.concatenate([r[0] for r in rest]), np.concatenate([r[1] for r in rest]), parts, 4)(x)
        begun = np.concatenate([x, theirs - theirs.mean(1, keepdims=True)], 1)
        for n in BLOCKS:
            train = np.isin(block, np.concatenate([row[:n] for row in of]))
            alone = fit_head(x[train], y[train], parts, 4)(x) if n else np.zeros((len(x), 4))
            others = fit_head(begun[train], y[train], replace(parts, base=4), 4)(begun) if n else theirs
            for name, score in (("alone", alone), ("others", others)):
                out[name].setdefault(str(n), {})[who] = balanced_accuracy_score(y[test], score[test].argmax(1))
    return out
