"""Training windows for masked pre-training from many recordings, with a cache of prepared sessions on disk.

Features come from `by_second`, the pipeline that runs live, and are scaled by the statistics of a run without a
profile, so the encoder gets the input of the live network. A prepared session is a folder of plain ``.npy`` and
``.json``, named after the hash of everything it depends on.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population, Statistics
from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.types import StreamInfo

from ..executor import Executor, ProcessesExecutor, SerialExecutor
from .person import NO_LABEL, Person, by_second, population, running_statistics, signal_sha256
from .preparing import write_folder
from .recordings import DatasetSession, PreparationJob, readable

FORMAT = 2
LEAST_CHANS = 4
LONGEST_PIECE_S = 600  # longer stretches are processed in separate parts, to limit memory
SAME_SHARE = 0.05  # two recordings with more than this share of seconds in common are the same one
POOL_FROM = 30  # fewer sessions than this are prepared in this process
ARRAYS = ("de", "patches", "there", "good", "piece")
Log = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class PreparedSession:
    """One session, its features by the second; `features.name` is the subject's."""

    job: PreparationJob
    features: Person
    records_sha256: tuple[str, ...]

    @property
    def virtual(self) -> bool:
        """Whether the subject is simulated."""
        return self.features.info.virtual

    def windows(self, n_patches: int) -> tuple[np.ndarray, np.ndarray]:
        """Last second, (n_windows,), of each window with at least `LEAST_CHANS` good channels.

        Also their number, in descending order.
        """
        p = self.features
        t = np.arange(n_patches - 1, len(p.there))
        recent = t[:, None] - np.arange(n_patches)
        whole = p.there[recent].all(axis=1) & (p.piece[recent[:, -1]] == p.piece[t])
        n_good = p.good[recent].all(axis=1).sum(axis=1)
        order = np.argsort(-n_good, kind="stable")
        order = order[(whole & (n_good >= LEAST_CHANS))[order]]
        return t[order], n_good[order]

    def rms(self, pop: Population, spec: FeatureSpec) -> np.ndarray:
        """What the live network would divide each second's patches by: (n_seconds, n_chans), µV."""
        # Pieces of one subject follow one another in time: statistics continue, only windows never cross.
        mean, sd = running_statistics(replace(self.features, piece=np.zeros_like(self.features.piece)), pop, spec)
        flat = mean.reshape(-1, spec.n_bands)
        ones = np.ones((len(flat), 1, 1), np.float32)
        _, scaled = Statistics(flat, sd.reshape(flat.shape)).standardise(flat[None], ones, np.zeros(1, bool))
        return 1 / scaled.reshape(mean.shape[:2])


def prepare(job: PreparationJob, spec: FeatureSpec, cache: Path) -> str:
    """Compute the features of `job` into its folder in `cache`; return a note for the log, or an empty string."""
    folder = cache / key_of(job, spec)
    if (folder / "session.json").is_file():
        return str(json.loads((folder / "session.json").read_text())["note"])
    about, arrays = _prepared(job, spec)
    write_folder(folder, "session.json", {"job": asdict(job)} | about, arrays)
    return str(about["note"])


def _prepared(job: PreparationJob, spec: FeatureSpec) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The description of a session and its `ARRAYS`; only a note where it cannot be used."""
    session, note = readable(job)
    if session is None:
        return {"note": note}, {}
    try:
        arrays = _features(session, spec)
    except MoodError as error:
        return {"note": f"{job.name} left out: {error.found}"}, {}
    if not arrays:
        return {"note": f"{job.name} left out: no stretch long enough for a window"}, {}
    info, notes = session.info, list(session.info.notes)
    if copies := _exclude_copies(arrays, info.ch_names):
        notes.append(f"{', '.join(copies)}: taken once")
    return {
        "note": f"{job.name}: {'; '.join(notes)}" if notes else "",
        "ch_names": info.ch_names, "sfreq": info.sfreq, "virtual": info.virtual,
        "records_sha256": [signal_sha256(piece) for piece in session.pieces],
    }, arrays  # fmt: skip


def _prepare(common: tuple[FeatureSpec, Path], job: PreparationJob) -> str:
    return prepare(job, *common)


def load(job: PreparationJob, spec: FeatureSpec, cache: Path) -> PreparedSession | None:
    """The session that `prepare` stored for `job`; None where it could not be used."""
    folder = cache / key_of(job, spec)
    about = json.loads((folder / "session.json").read_text())
    if "ch_names" not in about:
        return None
    arrays: dict[str, Any] = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    arrays |= {name: np.array(array) for name, array in arrays.items() if name != "patches"}
    info = StreamInfo(tuple(about["ch_names"]), about["sfreq"], name=job.name, virtual=about["virtual"])
    records = tuple(about["records_sha256"])
    label = np.full(len(arrays["there"]), NO_LABEL)
    rest = np.zeros(len(label), bool)
    features = Person(name=job.subject, info=info, label=label, rest=rest, sha256=records[0], **arrays)
    return PreparedSession(job, features, records)


def key_of(job: PreparationJob, spec: FeatureSpec) -> str:
    """Name of the folder: a hash of everything that its content depends on."""
    parts = [str(FORMAT), spec.model_dump_json(), *job.identity()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def gather(jobs: Sequence[PreparationJob], spec: FeatureSpec, cache: Path, log: Log) -> list[PreparedSession]:
    """Prepare the sessions that are not in the cache, and load all; each recording once.

    Raises `ConfigError` where no session can be used, `MoodError` where the cache cannot be written.
    """
    new = sum(not (cache / key_of(job, spec) / "session.json").is_file() for job in jobs)
    executor: Executor = SerialExecutor()
    if new >= POOL_FROM:
        log(f"preparing {new} sessions")
        executor = ProcessesExecutor(2)
    notes: dict[int, str] = {}
    for i, note in executor.run(_prepare, jobs, (spec, cache)):
        notes[i] = note
        if len(notes) % 50 == 0:
            log(f"prepared {len(notes)} of {len(jobs)}")
    for note in (notes[i] for i in range(len(jobs)) if notes[i]):
        log(note)
    usable = []
    for session in _distinct([p for job in jobs if (p := load(job, spec, cache))], log):
        if len(session.windows(spec.n_patches)[0]):
            usable.append(session)
        else:
            log(f"{session.job.name} left out: no {spec.n_patches} s with {LEAST_CHANS} good channels")
    if not usable:
        raise ConfigError(
            f"pre-training on {len(jobs)} recordings", "none of them holds a usable window", "see the log for reasons"
        )
    return usable


def corpus_population(sessions: Sequence[PreparedSession]) -> Population:
    """`population` over sessions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # channels that are never good have no spread
        return population([p.features for p in sessions])


def _features(session: DatasetSession, spec: FeatureSpec) -> dict[str, np.ndarray]:
    """Features of all pieces; empty when none of them is long enough."""
    sfreq = session.info.sfreq
    spec.check(sfreq)
    parts: list[dict[str, np.ndarray]] = []
    for i, signal in enumerate(session.pieces):
        for at in _stretches(signal, sfreq, spec):
            part = by_second(session.info, signal[at], spec)
            if session.contact is not None:
                part["good"] = part["good"] & _all_second(session.contact[i][at], sfreq, len(part["good"]))
            parts.append(part | {"piece": np.full(len(part["there"]), len(parts))})
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]} if parts else {}


def _exclude_copies(arrays: dict[str, np.ndarray], ch_names: Sequence[str]) -> list[str]:
    """Mark channels as bad that repeat an earlier one exactly; return which."""
    first: dict[bytes, str] = {}
    copies = []
    for c, name in enumerate(ch_names):
        if arrays["good"][:, c].any():
            twin = first.setdefault(arrays["patches"][:, c].tobytes(), name)
            if twin != name:
                copies.append(f"{name} repeats {twin}")
                arrays["good"][:, c] = False
    return copies


def _stretches(signal: np.ndarray, sfreq: float, spec: FeatureSpec) -> Iterator[slice]:
    """Stretches without a gap that restarts the filters, long enough for a window and not too long."""
    there = np.flatnonzero(np.isfinite(signal).any(axis=1))
    least, longest = round((spec.settle_s + spec.context_s) * sfreq), round(LONGEST_PIECE_S * sfreq)
    for part in np.split(there, np.flatnonzero(np.diff(there) > spec.max_hole_s * sfreq) + 1):
        if len(part):
            for first in range(part[0], part[-1] + 1, longest):
                stop = min(part[-1] + 1, first + longest)
                if stop - first >= least:
                    yield slice(first, stop)


def _all_second(contact: np.ndarray, sfreq: float, n: int) -> np.ndarray:
    """(n, n_chans) bool: whether there was contact (n_times, n_chans) during the whole of each second."""
    ends = [round(k * sfreq) for k in range(n + 1)]
    return np.stack([contact[a:b].all(axis=0) for a, b in pairwise(ends)])


def _distinct(sessions: Sequence[PreparedSession], log: Log) -> Iterator[PreparedSession]:
    """Leave out recordings of the same signal as an earlier one, whatever their names, formats and subjects."""
    seen: dict[bytes, PreparedSession] = {}
    for p in sessions:
        marks = [] if p.virtual else _fingerprints(p.features)
        twins = [seen[mark] for mark in marks if mark in seen]
        if marks and len(twins) > SAME_SHARE * len(marks):
            log(f"{p.job.name} left out: the same signal as {twins[0].job.name}, which is taken")
        else:
            seen.update(dict.fromkeys(marks, p))
            yield p


def _fingerprints(p: Person) -> list[bytes]:
    """Coarse features of each usable second, in an order of channels that does not depend on the file."""
    coarse = np.round(4 * p.de[:, np.argsort(p.info.ch_names)]).astype(np.int8)
    usable = p.there & (p.good.sum(axis=1) >= LEAST_CHANS)
    return [coarse[t].tobytes() for t in np.flatnonzero(usable)]


def split_subjects(
    sessions: Sequence[PreparedSession], share: float, seed: int
) -> tuple[list[PreparedSession], list[PreparedSession]]:
    """Sessions to train on, and those of held-out subjects: `share` of each data set's, at least one of five or more.

    Raises `ConfigError` where there are not two subjects.
    """
    datasets: dict[str, list[str]] = {}
    for subject, dataset in sorted({(p.job.subject, p.job.dataset) for p in sessions}):
        datasets.setdefault(dataset, []).append(subject)
    everyone: set[str] = set().union(*datasets.values())
    if len(everyone) < 2:
        found = f"{len(everyone)} in all"
        raise ConfigError("subjects to train on and subjects to hold out", found, "add recordings of other subjects")
    rng = np.random.default_rng(seed)
    held_out: set[str] = set()
    for subjects in datasets.values():
        n = max(round(share * len(subjects)), 1 if len(subjects) >= 5 else 0)
        held_out.update(rng.permutation(subjects)[:n].tolist())
    if not held_out or held_out == everyone:
        held_out = {str(rng.choice(sorted(everyone)))}
    return [p for p in sessions if p.job.subject not in held_out], [p for p in sessions if p.job.subject in held_out]
