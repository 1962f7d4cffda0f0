"""Training windows for masked pre-training from many recordings, with a cache of prepared sessions on disk.

Features come from `by_second`, the pipeline that runs live, and are scaled by the statistics that a run without a
profile would hold, so the encoder meets what the live network meets. A prepared session is a folder of plain ``.npy``
and ``.json``, named after the hash of what it was made from.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population, Statistics
from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.types import StreamInfo

from .person import Person, by_second, population, running_statistics
from .recordings import DatasetSession, PreparationJob, readable

FORMAT = 1
LEAST_CHANS = 4
LONGEST_PIECE_S = 600  # longer stretches are processed in separate parts, to limit memory
SAME_SHARE = 0.05  # of the seconds that also occur in another recording: then it is the same one
AHEAD = 30  # fewer sessions than this are prepared in this process
ARRAYS = ("de", "patches", "there", "good", "piece")
Log = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class PreparedSession:
    """One session, its features by the second; `features.name` is the subject's."""

    job: PreparationJob
    features: Person
    records_sha256: tuple[str, ...]

    @cached_property
    def virtual(self) -> bool:
        """Whether a simulated subject made it."""
        return self.features.info.virtual

    def windows(self, n_patches: int) -> tuple[np.ndarray, np.ndarray]:
        """Last second of every window that has enough good channels, and how many it has; the most first."""
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
        # Pieces of one subject follow one another in time: statistics go on, only windows never cross.
        mean, sd = running_statistics(replace(self.features, piece=np.zeros_like(self.features.piece)), pop, spec)
        flat = mean.reshape(-1, spec.n_bands)
        ones = np.ones((len(flat), 1, 1), np.float32)
        _, scaled = Statistics(flat, sd.reshape(flat.shape)).standardise(flat[None], ones, np.zeros(1, bool))
        return 1 / scaled.reshape(mean.shape[:2])


def prepare(job: PreparationJob, spec: FeatureSpec, cache: Path) -> str:
    """Compute what pre-training needs of `job` into its folder of `cache`; return what is to be said of it."""
    folder = cache / key_of(job, spec)
    if (folder / "session.json").is_file():
        return str(json.loads((folder / "session.json").read_text())["note"])
    session, note = readable(job)
    found: dict[str, np.ndarray] = {}
    if session is not None:
        try:
            found = _features(session, spec)
        except MoodError as error:
            note = f"{job.name} left out: {error.found}"
        else:
            note = "" if found else f"{job.name} left out: no stretch long enough for a window"
            copies = ", ".join(_copies(found, session.info.ch_names)) if found else ""
            said = [*session.info.notes, *([f"{copies}: taken once"] if copies else [])]
            if found and said:
                note = f"{job.name}: {'; '.join(said)}"
    about: dict[str, Any] = {"note": note, "job": asdict(job)}
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    try:
        partial.mkdir(mode=0o700, parents=True, exist_ok=True)
        if session is not None and found:
            about |= {"ch_names": session.info.ch_names, "sfreq": session.info.sfreq, "virtual": session.info.virtual}
            about["records_sha256"] = [sha256(piece) for piece in session.pieces]
            for name in ARRAYS:
                np.save(partial / f"{name}.npy", found[name], allow_pickle=False)
        (partial / "session.json").write_text(json.dumps(about))
        partial.rename(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        if (folder / "session.json").is_file():  # another run was faster
            return note
        raise MoodError(
            f"prepared recordings in {cache}", f"cannot be written: {error.strerror}",
            "free some space, or pass --cache DIR elsewhere; what was prepared stays",
        ) from None  # fmt: skip
    return note


def load(job: PreparationJob, spec: FeatureSpec, cache: Path) -> PreparedSession | None:
    """What `prepare` left of `job`; None when there was nothing in it."""
    folder = cache / key_of(job, spec)
    about = json.loads((folder / "session.json").read_text())
    if "ch_names" not in about:
        return None
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in ARRAYS}
    small: dict[str, Any] = {name: np.array(arrays[name]) for name in ("de", "there", "good", "piece")}
    info = StreamInfo(tuple(about["ch_names"]), about["sfreq"], name=job.name, virtual=about["virtual"])
    records = tuple(about["records_sha256"])
    nobody = np.full(len(small["there"]), -1)
    features = Person(
        name=job.person,
        info=info,
        patches=arrays["patches"],
        label=nobody,
        rest=nobody == 0,
        sha256=records[0],
        **small,
    )
    return PreparedSession(job, features, records)


def key_of(job: PreparationJob, spec: FeatureSpec) -> str:
    """Name of the folder: the hash of everything that what is in it depends on."""
    words = [str(FORMAT), spec.model_dump_json(), *job.identity()]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:24]


def sha256(signal: np.ndarray) -> str:
    """Of a signal (n_times, n_chans) as float32 µV; the same that a `Person` made of this one piece carries."""
    return hashlib.sha256(np.ascontiguousarray(signal, np.float32).tobytes()).hexdigest()


def gather(
    jobs: Sequence[PreparationJob], spec: FeatureSpec, cache: Path, log: Log, processes: int = 2
) -> list[PreparedSession]:
    """Prepare what is not prepared yet, and load everything there is; each recording once.

    Raises
    ------
    ConfigError
        Nothing of it can be used.
    MoodError
        The cache cannot be written.
    """
    notes: list[str] = []
    new = sum(not (cache / key_of(job, spec) / "session.json").is_file() for job in jobs)
    if new < AHEAD or processes < 2:
        notes += [prepare(job, spec, cache) for job in jobs]
    else:
        log(f"preparing {new} sessions")
        with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
            tasks = pool.map(prepare, jobs, [spec] * len(jobs), [cache] * len(jobs), chunksize=4)
            for i, note in enumerate(tasks, 1):
                notes.append(note)
                if i % 50 == 0:
                    log(f"prepared {i} of {len(jobs)}")
    for note in filter(None, notes):
        log(note)
    found = [p for p in (load(job, spec, cache) for job in jobs) if p is not None]
    kept = list(_once(found, log))
    usable = [p for p in kept if len(p.windows(spec.n_patches)[0])]
    for p in kept:
        if p not in usable:
            log(f"{p.job.name} left out: no {spec.n_patches} s with {LEAST_CHANS} good channels")
    if not usable:
        raise ConfigError(
            f"pre-training on {len(jobs)} recordings", "none of them holds a usable window", "see the log for reasons"
        )
    return usable


def corpus_population(sessions: Sequence[PreparedSession]) -> Population:
    """The bands' mean over sessions, and their usual spread from one second to the next."""
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


def _copies(found: dict[str, np.ndarray], ch_names: Sequence[str]) -> list[str]:
    """Call channels bad that hold exactly what an earlier one holds; return which."""
    first: dict[bytes, str] = {}
    copies = []
    for c, name in enumerate(ch_names):
        if found["good"][:, c].any():
            twin = first.setdefault(found["patches"][:, c].tobytes(), name)
            if twin != name:
                copies.append(f"{name} repeats {twin}")
                found["good"][:, c] = False
    return copies


def _stretches(signal: np.ndarray, sfreq: float, spec: FeatureSpec) -> Iterator[slice]:
    """Stretches without a gap that restarts the filters, long enough for a window and not too long."""
    there = np.flatnonzero(np.isfinite(signal).any(axis=1))
    least = round((spec.settle_s + spec.context_s) * sfreq)
    for part in np.split(there, np.flatnonzero(np.diff(there) > spec.max_hole_s * sfreq) + 1):
        if len(part):
            for first in range(part[0], part[-1] + 1, round(LONGEST_PIECE_S * sfreq)):
                stop = min(part[-1] + 1, first + round(LONGEST_PIECE_S * sfreq))
                if stop - first >= least:
                    yield slice(first, stop)


def _all_second(touches: np.ndarray, sfreq: float, n: int) -> np.ndarray:
    ends = [round(k * sfreq) for k in range(n + 1)]
    return np.stack([touches[a:b].all(axis=0) for a, b in pairwise(ends)])


def _once(sessions: Sequence[PreparedSession], log: Log) -> Iterator[PreparedSession]:
    """Leave out recordings that hold the same signal as an earlier one, whatever their names, formats and subjects."""
    seen: dict[bytes, PreparedSession] = {}
    for p in sessions:
        if p.virtual:
            yield p
            continue
        marks = _marks(p.features)
        twins = [seen[mark] for mark in marks if mark in seen]
        if marks and len(twins) > SAME_SHARE * len(marks):
            log(f"{p.job.name} left out: the same signal as {twins[0].job.name}, which is taken")
            continue
        seen.update(dict.fromkeys(marks, p))
        yield p


def _marks(p: Person) -> list[bytes]:
    """What each usable second looks like, coarsely, in an order of channels that every file of it shares."""
    order = np.argsort(p.info.ch_names)
    coarse = np.round(4 * p.de[:, order]).astype(np.int8)
    fit = p.there & (p.good.sum(axis=1) >= LEAST_CHANS)
    return [coarse[t].tobytes() for t in np.flatnonzero(fit)]


def split_people(
    sessions: Sequence[PreparedSession], share: float, seed: int
) -> tuple[list[PreparedSession], list[PreparedSession]]:
    """Sessions to train on, and those of held-out subjects: `share` of each data set's, at least one of five or more.

    Raises
    ------
    ConfigError
        There are not two subjects.
    """
    datasets: dict[str, list[str]] = {}
    for person, dataset in sorted({(p.job.person, p.job.dataset) for p in sessions}):
        datasets.setdefault(dataset, []).append(person)
    people = {person for who in datasets.values() for person in who}
    if len(people) < 2:
        raise ConfigError(
            "subjects to train on and subjects to hold out", f"{len(people)} in all", "add recordings of other subjects"
        )
    rng = np.random.default_rng(seed)
    out: set[str] = set()
    for who in datasets.values():
        n = max(round(share * len(who)), 1 if len(who) >= 5 else 0)
        out.update(rng.permutation(who)[:n].tolist())
    if not out or out == people:
        out = {str(rng.choice(sorted(people)))}
    return [p for p in sessions if p.job.person not in out], [p for p in sessions if p.job.person in out]
