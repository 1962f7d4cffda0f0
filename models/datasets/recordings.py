"""Recordings for masked pre-training: discovery in files and folders, and reading in µV.

A `PreparationJob` says where the signal of one subject on one montage is; `read` turns it into a `DatasetSession`.
Archives, folders of recordings in any format that plays, BIDS data sets and virtual subjects all end up the same.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl

import numpy as np

from realtime_mood.errors import ConfigError, MoodError, StreamEnded
from realtime_mood.montage import SPREAD
from realtime_mood.plugins import read_options
from realtime_mood.sources.channels import choose_channels
from realtime_mood.sources.playback import PlaybackSource
from realtime_mood.sources.recordings.recording import PlaybackOptions
from realtime_mood.sources.synthetic.person import Script, VirtualPerson
from realtime_mood.sources.url import CommonOptions, pasted
from realtime_mood.types import StreamInfo

from . import virtual
from .bids import read_bids

BRAIN_FILES = (".edf", ".bdf", ".gdf", ".vhdr", ".set", ".fif", ".gz", ".cnt", ".mff", ".xdf")
TABLES = (".csv", ".txt", ".zip")
FIRST_SEED = 5_000  # simulated subjects below are for training and its own held-out subjects
VIRTUAL_S = 150
MONTAGES = (8, 12, 16, 19, 24, 32, 48, 64)
TEN_TWENTY = tuple("Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2".split())  # noqa: SIM905
BAD_CONTACT = 4  # in the Muse's own scale: 1 good, 2 fair, 4 none
NOT_ASKED = {
    "eegmat": "the reader is evaluated on it; --with-eegmat takes it all the same",
    "feis": "its pieces of 1 s are shorter than a window, and its licence is non-profit",
    "articulators": "FEIS again",
}


@dataclass(frozen=True)
class DatasetSession:
    """One subject's signal on one montage."""

    info: StreamInfo
    pieces: list[np.ndarray]  # each (n_times, n_chans), µV; NaN rows where samples were lost
    contact: list[np.ndarray] | None = None  # each (n_times, n_chans) bool: the device says that the electrode touches


@dataclass(frozen=True)
class PreparationJob:
    """Where a session lies."""

    kind: str  # "archive", "file" or "virtual"
    name: str
    person: str
    dataset: str
    licence: str
    path: str = ""
    pick: str = ""  # the subject of an archive, the options of a playback source, or the seed of a simulated subject
    in_folder: bool = False  # one file of several: not each need have every channel that `pick` leaves out

    def identity(self) -> list[str]:
        """What changes when the session would come out otherwise."""
        path = Path(self.path)
        stem = glob.escape(path.name.split(".")[0])  # of a file that comes in parts, like .vhdr and .eeg
        files = sorted(path.parent.glob(stem + ".*")) if self.path else []
        return [self.kind, self.name, self.person, self.pick, str(path.absolute())] + [
            f"{f.name} {(stat := f.stat()).st_size} {stat.st_mtime_ns}" for f in files
        ]

    def read(self) -> DatasetSession:
        """The signal; raises `MoodError` when there is none to be had."""
        return {"archive": _archive, "file": _file, "virtual": _virtual}[self.kind](self)


class FolderOptions(PlaybackOptions):
    """The options of a folder of recordings: a channel to leave out is none of every file's."""

    drop_must_exist: ClassVar[bool] = False


def find(
    data: Sequence[str], n_virtual: int = 0, *, with_eegmat: bool = False
) -> tuple[list[PreparationJob], list[str]]:
    """All subjects in the files and folders `data`, and what was left out and why.

    Parameters
    ----------
    data : sequence of str
        Archives, recordings, and folders of either; ``?units=mV`` and the like may stand after each, as after
        ``playback://PATH``. A folder that holds ``dataset_description.json`` is read as BIDS.
    n_virtual : int
        How many simulated subjects beside them, from seed `FIRST_SEED` on.
    with_eegmat : bool
        Take EEGMAT too.

    Raises
    ------
    ConfigError
        A path does not exist, an option is wrong, or more simulated subjects are asked for than there are seeds.
    """
    left = virtual.LAST_SEED + 1 - FIRST_SEED
    if n_virtual > left:
        raise ConfigError(
            f"{n_virtual} simulated subjects", f"{left} seeds are set aside for pre-training", "ask for fewer"
        )
    jobs: list[PreparationJob] = []
    notes: list[str] = []
    for word in data:
        place, _, options = word.partition("?")
        path = Path(place).expanduser()
        if not path.exists():
            raise ConfigError(f"data {place}", "no such file or folder", "check the path")
        _playback(word, options)
        for found in _walk(path):
            why = next((why for key, why in NOT_ASKED.items() if key in str(found).lower()), None)
            if why and not (with_eegmat and "eegmat" in str(found).lower()):
                notes.append(f"{found.name} left out: {why}")
            else:
                in_folder = found != path
                more, odd = _jobs(found, path if in_folder else path.parent, options, in_folder)
                jobs += more
                notes += odd
    seeds = range(FIRST_SEED, FIRST_SEED + n_virtual)
    jobs += [
        PreparationJob("virtual", f"virtual-{s}", f"virtual-{s}", "virtual people", "made", pick=str(s)) for s in seeds
    ]
    return jobs, notes


def _walk(path: Path) -> Iterator[Path]:
    """Recordings, archives and BIDS folders at or under `path`, in order."""
    if path.is_file() or path.suffix == ".mff" or (path / "dataset_description.json").is_file():
        yield path
    else:
        for child in sorted(path.iterdir()):
            if child.name.startswith("."):
                continue
            if child.is_dir() or child.suffix.lower() in (*BRAIN_FILES, *TABLES, ".npz"):
                yield from _walk(child)


def _jobs(path: Path, root: Path, options: str, in_folder: bool) -> tuple[list[PreparationJob], list[str]]:
    """Who is in one recording, archive or BIDS folder, and what is odd about it, in words."""
    if path.suffix.lower() == ".npz":
        return _archive_jobs(path), []
    if path.is_dir() and path.suffix != ".mff":
        return _bids_jobs(path, options)
    name = str(path.relative_to(root))
    return [PreparationJob("file", name, name, root.name, _licence_beside(path), str(path), options, in_folder)], []


# -- archives of several subjects ---------------------------------------------------------------------------------


def _archive_jobs(path: Path) -> list[PreparationJob]:
    try:
        with np.load(path) as archive:
            meta, index = json.loads(str(archive["meta"])), [json.loads(entry) for entry in archive["index"]]
        subjects = sorted({entry["subject"] for entry in index})
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(
            f"archive {path}", f"unreadable: {error}", "see the layout in its folder's README, or leave it out"
        ) from None
    dataset, licence = path.stem.rsplit("_", 1)[0], str(meta.get("licence", "unknown"))
    return [
        PreparationJob("archive", f"{dataset}-{s}", f"{dataset}-{s}", dataset, licence, str(path), s) for s in subjects
    ]


def _archive(job: PreparationJob) -> DatasetSession:
    with np.load(job.path) as archive:
        meta = json.loads(str(archive["meta"]))
        keys = [e["key"] for e in map(json.loads, archive["index"]) if e["subject"] == job.pick]
        pieces = [archive[key].T.astype(np.float32) * np.float32(meta["uV_per_lsb"]) for key in keys]
        worn = [key.replace("x", "h") for key in keys]
        contact = [archive[h].T < BAD_CONTACT for h in worn] if all(h in archive for h in worn) else None
    said = str(meta.get("reference", ""))
    labels = meta["channels"]
    chosen = choose_channels(labels, [True] * len(labels), CommonOptions(), job.name, reference=said)
    info = StreamInfo(chosen.ch_names, float(meta["fs"]), job.name, chosen.reference, notes=chosen.notes)
    kept = chosen.columns
    return DatasetSession(info, [it[:, kept] for it in pieces], contact and [it[:, kept] for it in contact])


# -- files and BIDS -----------------------------------------------------------------------------------------------


def _playback(asked: str, query: str, in_folder: bool = False) -> PlaybackOptions:
    pairs = parse_qsl(query, keep_blank_values=True)
    drop = ",".join(value for key, value in pairs if key == "drop")
    words = dict(pairs) | ({"drop": drop} if drop else {}) | {"speed": "max"}
    return read_options(FolderOptions if in_folder else PlaybackOptions, f"playback://{asked}", words)


def _bids_jobs(root: Path, options: str) -> tuple[list[PreparationJob], list[str]]:
    found = read_bids(root, BRAIN_FILES)
    jobs = []
    for path, subject, drop in found.recordings:
        query = "&".join(part for part in (options, pasted("drop", drop) if drop else "") if part)
        name, person = f"{root.name}/{path.name}", f"{root.name}-sub-{subject}"
        jobs.append(PreparationJob("file", name, person, root.name, found.licence, str(path), query, in_folder=True))
    return jobs, found.notes


def _file(job: PreparationJob) -> DatasetSession:
    stream = PlaybackSource(job.path, _playback(job.path, job.pick, job.in_folder)).open()
    parts: list[np.ndarray] = []
    pieces: list[np.ndarray] = []
    try:
        while True:
            chunk = stream.read(1.0)
            if chunk is None:
                continue
            if chunk.lost > stream.info.sfreq and parts:
                pieces, parts = [*pieces, np.concatenate(parts)], []
            elif chunk.lost and parts:
                parts.append(np.full((chunk.lost, stream.info.n_chans), np.nan, np.float32))
            parts.append(np.asarray(chunk.data))
    except StreamEnded:
        pass
    finally:
        stream.close()
    return DatasetSession(stream.info, [*pieces, np.concatenate(parts)] if parts else pieces)


def _licence_beside(path: Path) -> str:
    for name in ("LICENSE", "LICENSE.txt", "LICENSE.md"):
        if (path.parent / name).is_file():
            text = (path.parent / name).read_text(encoding="utf-8", errors="replace")
            return next((line.strip() for line in text.splitlines() if line.strip()), "unknown")[:80]
    return "unknown"


# -- simulated subjects -------------------------------------------------------------------------------------------


def _virtual(job: PreparationJob) -> DatasetSession:
    """A simulated subject who goes through all states, on a usual cap or on electrodes anywhere."""
    seed = int(job.pick)
    rng = np.random.default_rng([3, seed])
    n = int(rng.choice(MONTAGES))
    names = SPREAD[:n] if n < len(SPREAD) and rng.random() < 0.5 else [str(x) for x in rng.permutation(SPREAD)[:n]]
    if n == len(TEN_TWENTY):
        names = list(TEN_TWENTY)
    states = rng.permutation(["neutral", "positive", "negative", "rest"])
    script = Script.parse(",".join(f"{state}:{VIRTUAL_S / len(states)}" for state in states))
    difficulty = str(rng.choice(["easy", "medium", "hard"]))
    signal = VirtualPerson(seed, names, virtual.SFREQ, script, difficulty).signal(VIRTUAL_S)
    return DatasetSession(StreamInfo(tuple(names), virtual.SFREQ, name=job.name, virtual=True), [signal])


def readable(job: PreparationJob) -> tuple[DatasetSession | None, str]:
    """The session of `job`, or why there is none."""
    try:
        session = job.read()
    except MoodError as error:
        return None, f"{job.name} left out: {error.found or error.asked}" + (f" · {error.do}" if error.do else "")
    return session, ""
