"""Recordings for masked pre-training: discovery in files and folders, and reading in µV.

`find` gives a `PreparationJob` for each subject and montage in archives, folders of recordings of any supported format,
and BIDS data sets, or for a simulated subject; its `read` gives a `DatasetSession`.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
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
from .archives import ArchiveFile
from .bids import read_bids

BRAIN_FILES = (".edf", ".bdf", ".gdf", ".vhdr", ".set", ".fif", ".gz", ".cnt", ".mff", ".xdf")
TABLES = (".csv", ".txt", ".zip")
FIRST_SEED = 5_000  # simulated subjects below are for training and its own held-out subjects
VIRTUAL_S = 150
MONTAGES = (8, 12, 16, 19, 24, 32, 48, 64)
TEN_TWENTY = tuple("Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2".split())  # noqa: SIM905
MUSE = frozenset(("TP9", "AF7", "AF8", "TP10"))
EPOC = frozenset(("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4"))
CONTACT = {MUSE: (1, 2), EPOC: (2, 3, 4)}
"""Usable values of skin contact by the electrodes of a device. The Muse counts from 1, good, to 4, none; the EPOC from
4, good, to 0, none. Values of other devices are not used."""
EXCLUDED = {
    "eegmat": "the reader is evaluated on it; --with-eegmat takes it all the same",
    "feis": "its pieces of 1 s are shorter than a window, and its licence is non-profit",
    "uci_vep": "it is trials of 1 s laid end to end, shorter than a window",
    "articulators": "it is part of FEIS: its pieces of 1 s are shorter than a window",
}


@dataclass(frozen=True)
class DatasetSession:
    """One subject's signal on one montage."""

    info: StreamInfo
    pieces: list[np.ndarray]  # each (n_times, n_chans), µV; NaN rows where samples were lost
    contact: list[np.ndarray] | None = None  # each (n_times, n_chans) bool: the device reports skin contact


@dataclass(frozen=True)
class PreparationJob:
    """Location of a session."""

    kind: str  # "archive", "file" or "virtual"
    name: str
    subject: str
    dataset: str
    licence: str
    path: str = ""
    pick: str = ""  # the subject of an archive, the options of a playback source, or the seed of a simulated subject
    in_folder: bool = False  # one file of several, which may lack channels that `pick` leaves out

    def identity(self) -> list[str]:
        """Everything that the session's content depends on."""
        path = Path(self.path)
        stem = glob.escape(path.name.split(".")[0])  # of a file that comes in parts, like .vhdr and .eeg
        files = sorted(path.parent.glob(stem + ".*")) if self.path else []
        return [self.kind, self.name, self.subject, self.pick, str(path.absolute())] + [
            f"{f.name} {(stat := f.stat()).st_size} {stat.st_mtime_ns}" for f in files
        ]

    def read(self) -> DatasetSession:
        """The signal; raises `MoodError` when it cannot be read."""
        return {"archive": _archive, "file": _file, "virtual": _virtual}[self.kind](self)


class FolderOptions(PlaybackOptions):
    """The options of a folder of recordings: not every file has every channel to leave out."""

    drop_must_exist: ClassVar[bool] = False


def find(
    data: Sequence[str], n_virtual: int = 0, *, with_eegmat: bool = False
) -> tuple[list[PreparationJob], list[str]]:
    """All subjects in the files and folders `data`, and notes on what was left out and why.

    `data` are archives, recordings, and folders of either, each with the options of ``playback://PATH``, such as
    ``?units=mV``. A folder that holds ``dataset_description.json`` is read as BIDS. `n_virtual` simulated subjects are
    added, from seed `FIRST_SEED` on, and EEGMAT where `with_eegmat`. Raises `ConfigError` where a path does not exist,
    an option is wrong, or more simulated subjects are asked for than there are seeds, and `MoodError` for an archive
    that is damaged.
    """
    n_seeds = virtual.LAST_SEED + 1 - FIRST_SEED
    if n_virtual > n_seeds:
        found = f"{n_seeds} seeds are set aside for pre-training"
        raise ConfigError(f"{n_virtual} simulated subjects", found, "ask for fewer")
    jobs: list[PreparationJob] = []
    notes: list[str] = []
    for argument in data:
        place, _, options = argument.partition("?")
        root = Path(place).expanduser()
        if not root.exists():
            raise ConfigError(f"data {place}", "no such file or folder", "check the path")
        _playback(argument, options)
        for path in _walk(root):
            reason = next((reason for key, reason in EXCLUDED.items() if key in str(path).lower()), "")
            if reason and not (with_eegmat and "eegmat" in str(path).lower()):
                notes.append(f"{path.name} left out: {reason}")
            else:
                found_jobs, found_notes = _jobs(path, root, options)
                jobs += found_jobs
                notes += found_notes
    for seed in map(str, range(FIRST_SEED, FIRST_SEED + n_virtual)):
        name = f"virtual-{seed}"
        jobs.append(PreparationJob("virtual", name, name, "simulated subjects", "made", pick=seed))
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


def _jobs(path: Path, root: Path, options: str) -> tuple[list[PreparationJob], list[str]]:
    """The subjects of one recording, archive or BIDS folder, found at or under `root`; and notes on it."""
    if path.suffix.lower() == ".npz":
        return _archive_jobs(path), []
    if path.is_dir() and path.suffix != ".mff":
        return _bids_jobs(path, options)
    in_folder = path != root
    folder = root if in_folder else root.parent
    name = str(path.relative_to(folder))
    return [PreparationJob("file", name, name, folder.name, _licence_beside(path), str(path), options, in_folder)], []


# -- archives of several subjects ---------------------------------------------------------------------------------


def _archive_jobs(path: Path) -> list[PreparationJob]:
    archive = ArchiveFile(path)
    dataset, licence = path.stem.rsplit("_", 1)[0], str(archive.meta.get("licence", "unknown"))
    subjects = sorted({str(entry["subject"]) for entry in archive.entries})
    names = [f"{dataset}-{subject}" for subject in subjects]
    return [
        PreparationJob("archive", name, name, dataset, licence, str(path), subject)
        for name, subject in zip(names, subjects, strict=True)
    ]


def _archive(job: PreparationJob) -> DatasetSession:
    archive = ArchiveFile(Path(job.path))
    labels, reference = archive.labels, str(archive.meta.get("reference", ""))
    chosen = choose_channels(labels, [True] * len(labels), CommonOptions(), job.name, reference=reference)
    info = StreamInfo(
        chosen.ch_names, archive.sfreq, job.name, chosen.reference, virtual=archive.virtual, notes=chosen.notes
    )
    keys = [entry["key"] for entry in archive.entries if str(entry["subject"]) == job.pick]
    pieces = [archive.array(key).T.astype(np.float32) * archive.to_uv for key in keys]
    fits, usable = [key.replace("x", "h") for key in keys], CONTACT.get(frozenset(labels), ())
    known = usable and archive.names.issuperset(fits)
    contact = [np.isin(archive.array(h).T, usable)[:, chosen.columns] for h in fits] if known else None
    return DatasetSession(info, [x[:, chosen.columns] for x in pieces], contact)


# -- files and BIDS -----------------------------------------------------------------------------------------------


def _playback(asked: str, query: str, in_folder: bool = False) -> PlaybackOptions:
    """The options in `query`; several of ``drop`` add up."""
    pairs = parse_qsl(query, keep_blank_values=True)
    drop = ",".join(value for key, value in pairs if key == "drop")
    options = dict(pairs) | ({"drop": drop} if drop else {}) | {"speed": "max"}
    return read_options(FolderOptions if in_folder else PlaybackOptions, f"playback://{asked}", options)


def _bids_jobs(root: Path, options: str) -> tuple[list[PreparationJob], list[str]]:
    found = read_bids(root, BRAIN_FILES)
    jobs = []
    for path, subject, drop in found.recordings:
        query = "&".join(part for part in (options, pasted("drop", drop) if drop else "") if part)
        name, subject = f"{root.name}/{path.name}", f"{root.name}-sub-{subject}"
        jobs.append(PreparationJob("file", name, subject, root.name, found.licence, str(path), query, in_folder=True))
    return jobs, found.notes


def _file(job: PreparationJob) -> DatasetSession:
    stream = PlaybackSource(job.path, _playback(job.path, job.pick, job.in_folder)).open()
    pieces: list[list[np.ndarray]] = []
    with closing(stream), suppress(StreamEnded):
        while True:
            chunk = stream.read(1.0)
            if chunk is None:
                continue
            if not pieces or chunk.lost > stream.info.sfreq:
                pieces.append([])
            elif chunk.lost:
                pieces[-1].append(np.full((chunk.lost, stream.info.n_chans), np.nan, np.float32))
            pieces[-1].append(np.asarray(chunk.data))
    return DatasetSession(stream.info, [np.concatenate(parts) for parts in pieces])


def _licence_beside(path: Path) -> str:
    """The first line of a licence file in the folder of `path`."""
    for name in ("LICENSE", "LICENSE.txt", "LICENSE.md"):
        with suppress(OSError):
            text = (path.parent / name).read_text(encoding="utf-8", errors="replace")
            return next((line.strip() for line in text.splitlines() if line.strip()), "unknown")[:80]
    return "unknown"


# -- simulated subjects -------------------------------------------------------------------------------------------


def _virtual(job: PreparationJob) -> DatasetSession:
    """A simulated subject who goes through all states, on a usual cap or on random electrodes."""
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
    """The session of `job`, or None and a note why it is left out."""
    try:
        return job.read(), ""
    except MoodError as error:
        return None, f"{job.name} left out: {error.found or error.asked}" + (f" · {error.do}" if error.do else "")
