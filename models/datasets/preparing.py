"""Turns the recordings of a labelled data set into subjects: features, labels and baseline by the second.

Each subject is prepared once, into a folder of plain ``.npy`` and ``.json`` named after the hash of what it was made
from, and mapped into memory from there: a run that was interrupted continues, and memory holds one subject's signal.
All sessions of a subject follow one another in the order in which they took place, and trials in playing order, so
that statistics see nothing of the future.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from realtime_mood.dsp.eye import FEATURES, SEED_IV, by_step
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.profile import LEAST_BASELINE_S
from realtime_mood.types import StreamInfo

from ..progress import Progress
from .labels import label_by_second, label_of
from .mapped import mapped
from .person import BASELINE, MAPPED, NO_LABEL, Person, SessionTrial, by_second, of_length
from .trials import DatasetInfo, Recording, Segment

FORMAT = 2
LEAST_STEPS = round(1.2 * LEAST_BASELINE_S)
"""Steps of a baseline at least, and before clips at most: there each clip has a few, and more would cost many clips."""
SETTLE_SHARE = 0.25
"""Of a trial shorter than four contexts: its first seconds are not labelled, for the context is not full."""
ARRAYS = ("de", "patches", "there", "good", "piece", "trial", "session", "eye")
Log = Callable[[str], None]


@dataclass(frozen=True)
class SubjectJob:
    """The recordings of one subject, in order, and what they are prepared into."""

    name: str
    recordings: tuple[Recording, ...]
    spec: FeatureSpec
    folder: Path

    @classmethod
    def of(cls, recordings: Sequence[Recording], info: DatasetInfo, spec: FeatureSpec, cache: Path) -> SubjectJob:
        """A job whose folder in `cache` is named after everything that the result depends on."""
        parts: list[object] = [FORMAT, spec.model_dump(mode="json"), info.name]
        for r in recordings:
            stats = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in r.files]
            parts.append([r.subject, r.session, asdict(r.info), str(r.trials), str(r.files), stats, *_reading(r)])
        key = hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:24]
        return cls(f"{info.name}-{recordings[0].subject}", tuple(recordings), spec, cache / key)


def _reading(recording: Recording) -> list[str]:
    """The code that reads a recording, and what it is called with, such as spans; no object's place in memory."""
    read = getattr(recording.segments, "func", recording.segments)
    return [inspect.getsource(inspect.getmodule(read) or read), re.sub(r" at 0x\w+", "", repr(recording.segments))]


def jobs_of(recordings: Sequence[Recording], info: DatasetInfo, spec: FeatureSpec, cache: Path) -> list[SubjectJob]:
    """One job a subject, in the order of the recordings."""
    ordered = sorted(recordings, key=lambda r: r.subject)  # stable: sessions keep their order
    return [SubjectJob.of(list(own), info, spec, cache) for _, own in groupby(ordered, key=lambda r: r.subject)]


def prepare(job: SubjectJob) -> list[str]:
    """Compute the features of a subject into its folder, unless they are there; return notes on what is odd.

    Raises
    ------
    MoodError
        A file is damaged, or the folder cannot be written.
    """
    if (job.folder / "subject.json").is_file():
        return list(json.loads((job.folder / "subject.json").read_text())["notes"])
    names = _common_channels(job)
    parts: list[dict[str, np.ndarray]] = []
    trials: list[dict[str, Any]] = []
    notes = list(dict.fromkeys(f"{job.name}: {note}" for r in job.recordings for note in r.notes))
    digest = hashlib.sha256()
    for number, recording in enumerate(job.recordings):
        columns = [recording.info.ch_names.index(name) for name in names]
        info = replace(recording.info, ch_names=names)
        first = len(trials)
        trials += [asdict(trial) | {"session": recording.session} for trial in recording.trials]
        numbers = {trial.position: first + i for i, trial in enumerate(recording.trials)}
        for segment in recording.segments():
            part = _features(segment, info, columns, job.spec, digest)
            if (eye := _eye(segment, len(part["there"]), recording.window_s or job.spec.step_s, digest)) is not None:
                part = {key: value[: len(eye)] for key, value in part.items()} | {"eye": eye}
            part["trial"], part["piece"] = _spans(segment, len(part["there"]), recording, job.spec, numbers)
            part["session"] = np.full(len(part["there"]), number)
            parts.append(part)
            del segment  # its signal, before the next is read
    if not parts or not any(len(part["there"]) for part in parts):
        raise MoodError(f"features of {job.name}", "no segment is long enough", "leave the subject out")
    if any("eye" in part for part in parts):
        nothing = np.empty((0, len(FEATURES)), np.float32)
        parts = [{"eye": of_length(nothing, len(part["there"]))} | part for part in parts]
    _number_pieces(parts)
    arrays = {key: np.concatenate([part[key] for part in parts]) for key in ARRAYS if key in parts[0]}
    about = {
        "name": job.name, "ch_names": names, "sfreq": job.recordings[0].info.sfreq, "trials": trials, "notes": notes,
        "virtual": job.recordings[0].info.virtual, "sha256": digest.hexdigest(), "reference": info.reference,
        "window_s": job.recordings[0].window_s,
    }  # fmt: skip
    write_folder(job.folder, "subject.json", about, arrays)
    return notes


def load(job: SubjectJob) -> Person:
    """What `prepare` left of a subject, without labels and baseline; large arrays stay on disk."""
    about = json.loads((job.folder / "subject.json").read_text())
    arrays: dict[str, Any] = {
        path.stem: mapped(path) if path.stem in MAPPED else np.load(path, allow_pickle=False)
        for path in job.folder.glob("*.npy")
    }
    n_seconds, names = len(arrays["there"]), tuple(about["ch_names"])
    if "patches" not in arrays:  # shipped features: nothing is known of the signal
        arrays["patches"] = np.broadcast_to(np.float16(0), (n_seconds, len(names), job.spec.patch_len))
    info = StreamInfo(names, about["sfreq"], about["name"], about["reference"], virtual=about["virtual"])
    trials = tuple(SessionTrial(**trial) for trial in about["trials"])
    nothing = np.zeros(n_seconds, bool)
    return Person(
        name=about["name"], info=info, label=np.full(n_seconds, NO_LABEL), rest=nothing, sha256=about["sha256"],
        trials=trials, raw=not about["window_s"], step_s=about["window_s"] or job.spec.step_s, **arrays,
    )  # fmt: skip


def labelled(p: Person, info: DatasetInfo, readout: str, *, felt: bool, baseline_s: float, spec: FeatureSpec) -> Person:
    """The subject with the labels of a readout, and `baseline_s` seconds of declared baseline in each session.

    Seconds before the end of a session's baseline have no label: they were not comparable with it yet.

    Parameters
    ----------
    p : Person
        From `load`.
    info : DatasetInfo
        Declares where the baseline comes from.
    readout : str
    felt : bool
        Label trials by the subject's ratings instead of the stimulus.
    baseline_s : float
    spec : FeatureSpec
    """
    assert p.trial is not None
    label = label_by_second(p, readout, info, felt=felt)
    begin = np.searchsorted(p.piece, p.piece)
    lengths = np.bincount(p.piece)[p.piece]
    settle = max(spec.n_steps, info.settle_s / p.step_s)
    settled = np.arange(len(label)) - begin >= np.minimum(settle, SETTLE_SHARE * lengths)
    rest = np.zeros(len(label), bool)
    for at in p.sessions:
        chosen = at[_baseline(p, at, info, baseline_s)]
        rest[chosen] = True
        label[at[(at <= chosen.max(initial=-1)) & (p.trial[at] != BASELINE)]] = NO_LABEL
    session = None if info.restarts else p.session
    return replace(p, label=np.where(settled, label, NO_LABEL), rest=rest, session=session)


def _baseline(p: Person, at: np.ndarray, info: DatasetInfo, baseline_s: float) -> np.ndarray:
    """Which of a session's seconds `at` are the baseline: the first ones declared, as many as wanted."""
    assert p.trial is not None
    trial, wanted = p.trial[at], max(LEAST_STEPS, round(baseline_s / p.step_s))
    if info.baseline in ("rest", "pre-clip"):
        declared = trial == BASELINE
        wanted = LEAST_STEPS if info.baseline == "pre-clip" else wanted
    elif info.baseline == "neutral":
        neutral = [i for i, t in enumerate(p.trials) if label_of(t, "emotion3", info, felt=False) == 1]
        declared = np.isin(trial, neutral)
    else:
        declared = trial != NO_LABEL
    return np.flatnonzero(declared & p.there[at])[:wanted]


# -- one segment ---------------------------------------------------------------------------------------------------


def _features(
    segment: Segment, info: StreamInfo, columns: Sequence[int], spec: FeatureSpec, digest: Any
) -> dict[str, np.ndarray]:
    given = segment.de if segment.signal is None else segment.signal
    assert given is not None
    every = list(columns) == list(range(given.shape[1]))
    x = np.ascontiguousarray(given if every else given[:, columns], np.float32)
    digest.update(x.data)
    if segment.signal is not None:
        return by_second(info, x, spec) if len(x) >= (spec.settle_s + 1) * info.sfreq else _no_seconds(info, spec)
    there = np.asarray(np.isfinite(x).all(axis=(1, 2)))
    de = np.where(there[:, None, None], x, 0)
    return {"de": de, "there": there, "good": np.ones(x.shape[:2], bool)}


def _eye(segment: Segment, n_steps: int, step_s: float, digest: Any) -> np.ndarray | None:
    """Eye movements (n, 33), shipped or of gaze: at most `n_steps`, fewer where a set ships fewer than of DE."""
    if segment.gaze is not None:
        digest.update(np.ascontiguousarray(segment.gaze, np.float32).data)
        return of_length(by_step(segment.gaze, segment.gaze_sfreq, step_s)[0], n_steps)
    if segment.eye is None:
        return None
    given = np.asarray(segment.eye[:n_steps], np.float32)
    if given.shape[1] == len(FEATURES):
        return given
    if given.shape[1] != len(SEED_IV):
        found, wanted = f"{given.shape[1]} features of eye movements", f"{len(FEATURES)} or {len(SEED_IV)}"
        raise MoodError(found, f"{wanted} are known, those of SEED-V and SEED-IV", "give gaze and pupil instead")
    eye = np.full((len(given), len(FEATURES)), np.nan, np.float32)
    eye[:, SEED_IV] = given
    return eye


def _no_seconds(info: StreamInfo, spec: FeatureSpec) -> dict[str, np.ndarray]:
    return {
        "de": np.empty((0, info.n_chans, spec.n_bands), np.float32), "there": np.empty(0, bool),
        "patches": np.empty((0, info.n_chans, spec.patch_len), np.float16), "good": np.empty((0, info.n_chans), bool),
    }  # fmt: skip


def _spans(
    segment: Segment, n_seconds: int, recording: Recording, spec: FeatureSpec, numbers: dict[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Trial and piece of each second; contexts never cross from one span to the next, so each is its own piece."""
    step = recording.window_s or spec.step_s
    trial, piece = np.full(n_seconds, NO_LABEL), np.zeros(n_seconds, int)
    for i, span in enumerate(segment.spans, 1):
        at = slice(int(np.ceil(span.start / step - 1e-6)), int(span.stop / step + 1e-6))
        trial[at] = BASELINE if span.trial is None else numbers[span.trial.position]
        piece[at] = i
    return trial, piece


def _number_pieces(parts: Sequence[dict[str, np.ndarray]]) -> None:
    """Give each stretch of the same span its own number, ascending through all segments."""
    number = 0
    for part in parts:
        if len(part["piece"]):
            part["piece"] = number + np.cumsum(np.diff(part["piece"], prepend=part["piece"][0]) != 0)
            number = int(part["piece"][-1]) + 1


def _common_channels(job: SubjectJob) -> tuple[str, ...]:
    first, *others = (r.info.ch_names for r in job.recordings)
    names = tuple(name for name in first if all(name in other for other in others))
    if not names:
        raise ConfigError(f"sessions of {job.name}", "no electrode is in all of them", "leave the subject out")
    return names


def write_folder(folder: Path, description: str, about: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write a file of JSON and arrays, all of it or nothing, also when several processes prepare the same signal."""
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    try:
        partial.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, array in arrays.items():
            np.save(partial / f"{name}.npy", array, allow_pickle=False)
        (partial / description).write_text(json.dumps(about))
        partial.rename(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        if not (folder / description).is_file():  # else another run was faster
            raise MoodError(
                f"prepared recordings in {folder.parent}", f"cannot be written: {error.strerror}",
                "free some space, or choose another cache folder (--cache DIR); what was prepared stays",
            ) from None  # fmt: skip


def subjects(
    jobs: Sequence[SubjectJob], run: Callable[..., Iterator[tuple[int, list[str]]]], say: Log
) -> Iterator[tuple[SubjectJob, Person]]:
    """Prepare all subjects by an executor's `run` and load those that can be used; says who is left out, and why."""
    failed, progress = dict[int, str](), Progress(len(jobs), "subjects prepared", say)
    for i, notes in run(_prepared, jobs):
        progress.step()
        for note in notes[1:]:
            say(note)
        if notes[0]:
            failed[i] = notes[0]
            say(f"{jobs[i].name} left out: {notes[0]}")
    yield from ((job, load(job)) for i, job in enumerate(jobs) if i not in failed)


def _prepared(_: None, job: SubjectJob) -> list[str]:
    """Why `job` failed (empty when it did not), then its notes: errors must not end the other subjects' work."""
    try:
        return ["", *prepare(job)]
    except MoodError as error:
        return [error.found or error.asked]
