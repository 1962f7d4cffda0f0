"""Fuzz targets for readers of labelled data sets: one file of a simulated set is broken, and the set is read."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from unittest import mock

from benchmarks.fuzz_texts import Target
from realtime_mood.models.datasets.fixtures import (
    archives,
    clips,
    deap,
    dreamer,
    faced,
    faced_bids,
    loose,
    open_bids,
    reading,
    seed_family,
)  # fmt: skip
from realtime_mood.models.datasets.sets import dens, reader_of
from realtime_mood.models.datasets.signals import SignalHead
from tests.datasets.quick_person import QuickPerson

MAPPING = b"""
name = "mine"
signals = "sub-*/eeg/*_eeg.edf"
subject = "sub-([^_/]+)"
events = "_events.tsv"
drop = ["GSR", "ECG", "VA1", "VA2", "VAtarg"]
[trial]
label = "trial_type"
duration = 20
rows = { column = "trial_type", values = ["1", "2", "3", "4", "5", "6", "7", "9"] }
[labels]
1 = "negative"
2 = "neutral"
[baseline]
kind = "pre-clip"
seconds = 2
"""


def _described(root: Path, n_subjects: int, seed: int, seconds: float) -> None:
    reading.write_ds002722(root, n_subjects, seed, seconds)
    (root / "mine.toml").write_bytes(MAPPING)


def _features(write: Callable[..., None], signals: str, root: Path, n_subjects: int, seed: int, seconds: float) -> None:
    write(root, n_subjects, seed, seconds)
    shutil.rmtree(root / signals)


SEED = partial(_features, seed_family.write_seed, "Preprocessed_EEG")
SEED_IV = partial(_features, seed_family.write_seed_iv, "eeg_raw_data")
SEED_VII = partial(_features, seed_family.write_seed_vii, "EEG_preprocessed")
# Name of the data set, its writer, and the file that is broken.
SETS: dict[str, tuple[str, Callable[..., None], str]] = {
    "FACED's pickles": ("faced", partial(faced.write, subjects=(3,)), "Processed_data/*.pkl"),
    "FACED's order": ("faced", partial(faced.write, subjects=(3,)), "Data/*/After_remarks.mat"),
    "FACED's events": ("faced-bids", partial(faced_bids.write, subjects=(30,)), "sub-*/eeg/*_events.tsv"),
    "DASPS' archive": ("dasps", archives.write_dasps, "*.npz"),
    "GAMEEMO's tables": ("gameemo", loose.write_gameemo, "GAMEEMO/*/Raw*/*/*G1*.csv"),
    "SAM-40's files": ("sam40", loose.write_sam40, "raw_data/Relax*1.mat"),
    "EKM-ED's ratings": ("ekm-ed", loose.write_ekm_ed, "questionnaires/*/*.csv"),
    "events of music": ("ds002721", reading.write_ds002721, "sub-*/eeg/*run2_events.tsv"),
    "EmoEEG-MC's readme": ("emoeeg-mc", reading.write_emoeeg_mc, "README.md"),
    "SEED's features": ("seed", SEED, "ExtractedFeatures/1_*.mat"),
    "SEED's classes": ("seed", SEED, "ExtractedFeatures/label.mat"),
    "SEED-IV's eyes": ("seed-iv", SEED_IV, "eye_feature_smooth/1/1_*.mat"),
    "SEED-V's features": ("seed-v", seed_family.write_seed_v, "EEG_DE_features/1_123.npz"),
    "SEED-V's recordings": ("seed-v-raw", seed_family.write_seed_v_raw, "EEG_raw/1_1_*.cnt"),
    "SEED-V's times": ("seed-v-raw", seed_family.write_seed_v_raw, "trial_start_end_timestamp.txt"),
    "SEED-VII's features": ("seed-vii", SEED_VII, "EEG_features/1.mat"),
    "DEAP's pickles": ("deap", deap.write, "data_preprocessed_python/s01.dat"),
    "DEAP's ratings": ("deap", deap.write, "metadata_csv/participant_ratings.csv"),
    "DREAMER's file": ("dreamer", dreamer.write, "DREAMER.mat"),
    "a description": ("mine.toml", _described, "mine.toml"),
}
SLOW = (
    "FACED's order", "SAM-40's files", "events of music", "EmoEEG-MC's readme", "SEED-V's recordings",
    "SEED-V's times", "DEAP's pickles",
)  # fmt: skip
"""These start a process for each input, or read long recordings."""


@cache
def _written(writer: Callable[..., None]) -> Path:
    root = Path(tempfile.mkdtemp(prefix="fuzz-set"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    with mock.patch.object(clips, "VirtualPerson", QuickPerson), mock.patch.object(seed_family, "RAW_SFREQ", 200):
        writer(root, 1, 9_990, 1.0)
    return root


def _target(name: str, writer: Callable[..., None], pattern: str) -> Target:
    @cache
    def place() -> Path:
        root = _written(writer)
        return sorted(root.glob(pattern))[0].relative_to(root)

    def use(content: bytes) -> str:
        root = _written(writer)
        with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
            for path in root.rglob("*"):
                link = Path(folder) / path.relative_to(root)
                if path.is_dir():
                    link.mkdir(parents=True, exist_ok=True)
                elif path.relative_to(root) != place():
                    link.parent.mkdir(parents=True, exist_ok=True)
                    link.symlink_to(path)
            (Path(folder) / place()).write_bytes(content)
            reader = reader_of(str(Path(folder) / name) if name.endswith(".toml") else name)
            for recording in reader.recordings(Path(folder)):
                for segment in recording.segments():
                    assert segment.spans
        return "played"

    return Target(lambda: ((_written(writer) / place()).read_bytes(),), use)


def _dens_events(content: bytes) -> str:
    """The events alone, beside a recording of 90 s: its signal is long to read."""
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        table = Path(folder) / "events.tsv"
        table.write_bytes(content)
        dens.spans_of("sub-x", table, None, SignalHead((), {}, 250.0, 90.0))
    return "played"


@cache
def _dens_seed() -> tuple[bytes, ...]:
    root = _written(open_bids.write_dens)
    return (next(root.glob("sub-*/eeg/*_events.tsv")).read_bytes(),)


DATASETS = {name: _target(*of) for name, of in SETS.items()} | {"DENS' events": Target(_dens_seed, _dens_events)}
