"""Features of one subject by the second, computed with the pipeline that runs live."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import CLIP_SD, Population, Statistics
from realtime_mood.errors import ProfileError
from realtime_mood.montage import locate
from realtime_mood.pipeline import Pipeline
from realtime_mood.profile import Normaliser, Profile
from realtime_mood.types import Chunk, StreamInfo

from .mapped import RowsOnDisk
from .trials import Trial

NO_LABEL = -1
MAPPED = ("de", "patches")  # arrays that stay on disk: the large ones, as each costs a file descriptor
BASELINE = NO_LABEL - 1  # in place of a trial's number: declared baseline
CHUNK_S = 30.0  # signal at a time, which limits memory
LEAST_SD = 1e-6  # of a feature of eye movements that changes at all


@dataclass(frozen=True)
class SessionTrial(Trial):
    """A trial with the session it took place in."""

    session: str = ""


@dataclass(frozen=True, eq=False)
class Person:
    """Features, labels and rest of one subject; entry t of each array is of the step and patch that end at second t."""

    name: str
    info: StreamInfo
    de: np.ndarray  # (n_seconds, n_chans, n_bands) float32, nats
    patches: np.ndarray  # (n_seconds, n_chans, patch_len) float16, µV
    there: np.ndarray  # (n_seconds,) bool: the step is not masked
    good: np.ndarray  # (n_seconds, n_chans) bool: the electrode could be trusted
    piece: np.ndarray  # (n_seconds,) int: contexts never cross from one piece to the next
    label: np.ndarray  # (n_seconds,) int, NO_LABEL where there is none
    rest: np.ndarray  # (n_seconds,) bool: the unlabelled baseline
    sha256: str  # of the signal all this was made from
    session: np.ndarray | None = None  # (n_seconds,) int: each has its own statistics; None: one for all pieces
    trial: np.ndarray | None = None  # (n_seconds,) int: index into `trials`, NO_LABEL between them
    trials: tuple[SessionTrial, ...] = ()
    raw: bool = True  # False: only shipped features are known, `patches` are zero
    step_s: float = 1.0  # length of a "second": that of a window of shipped features
    eye: np.ndarray | None = None  # (n_seconds, 33) float32, as `dsp.eye.FEATURES`; NaN where no eye was seen
    every: int = 1  # evaluation scores one second of so many of each trial, counted from its end

    def __getstate__(self) -> dict[str, Any]:
        """Another process maps what is on disk itself; patches that are only zeros are their shape."""
        state = {f.name: getattr(self, f.name) for f in fields(self)}
        for key in MAPPED:
            state[key] = RowsOnDisk.of(state[key]) or state[key]
        if not self.raw:
            state["patches"] = self.patches.shape
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = {key: value.array() if isinstance(value, RowsOnDisk) else value for key, value in state.items()}
        if isinstance(state["patches"], tuple):
            state["patches"] = np.broadcast_to(np.float16(0), state["patches"])
        self.__dict__.update(state)

    @cached_property
    def positions(self) -> np.ndarray:
        """(n_chans, 3) unit vectors."""
        return locate(self.info.ch_names)

    @cached_property
    def sessions(self) -> list[np.ndarray]:
        """The seconds of each session, in order."""
        if self.session is None:
            return [np.arange(len(self.label))]
        return [np.flatnonzero(self.session == s) for s in np.unique(self.session)]

    def profile(self, spec: FeatureSpec, session: int = 0) -> Profile:
        """What `calibrate --protocol baseline` would have stored in a session."""
        at = self.sessions[session]
        rest = at[self.rest[at]]
        return Profile.from_steps(self.info, spec, self.de[rest], (self.good & self.there[:, None])[rest])


def signal_sha256(*pieces: np.ndarray) -> str:
    """SHA-256 of pieces of signal, each (n_times, n_chans), as float32 µV."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(np.ascontiguousarray(piece, np.float32).data)
    return digest.hexdigest()


def by_second(info: StreamInfo, signal: np.ndarray, spec: FeatureSpec) -> dict[str, np.ndarray]:
    """Features of every second of one piece of signal (n_times, n_chans), µV."""
    slow = spec.model_copy(update={"hop_s": spec.step_s})
    pipeline = Pipeline(info, slow, None)  # type: ignore[arg-type]  # it computes features only
    most, n_chans = int(len(signal) / info.sfreq / spec.step_s) + 1, info.n_chans
    found: dict[str, np.ndarray] = {
        "de": np.empty((most, n_chans, spec.n_bands), np.float32),
        "patches": np.empty((most, n_chans, spec.patch_len), np.float16),
        "there": np.empty(most, bool),
        "good": np.empty((most, n_chans), bool),
    }
    n, length = 0, round(CHUNK_S * info.sfreq)
    for first in range(0, len(signal), length):
        rows = signal[first : first + length]
        for window in pipeline.push(Chunk(rows, first, (first + len(rows)) / info.sfreq)):
            found["de"][n], found["patches"][n], found["there"][n] = pipeline.newest(window)
            found["good"][n] = window.quality.good
            n += 1
    return {key: array[:n] for key, array in found.items()}


def person(
    name: str,
    info: StreamInfo,
    pieces: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    rest: slice,
    spec: FeatureSpec,
    eyes: Sequence[np.ndarray] = (),
) -> Person:
    """One subject from pieces of signal and, for each, a label a second, and eye movements a second where known."""
    parts = [by_second(info, piece, spec) for piece in pieces]
    joined: dict[str, Any] = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    lengths = [len(part["de"]) for part in parts]
    piece = np.repeat(np.arange(len(parts)), lengths)
    label = np.concatenate([np.asarray(row)[:n] for row, n in zip(labels, lengths, strict=True)])
    is_rest = np.zeros(len(label), bool)
    is_rest[rest] = True
    sha256 = signal_sha256(*pieces)
    if eyes:
        joined["eye"] = np.concatenate([of_length(eye, n) for eye, n in zip(eyes, lengths, strict=True)])
    return Person(name=name, info=info, piece=piece, label=label, rest=is_rest, sha256=sha256, **joined)


def of_length(eye: np.ndarray, n_seconds: int) -> np.ndarray:
    """Eye movements (n, n_features) as (n_seconds, n_features): cut, or unknown at the end."""
    found = np.full((n_seconds, eye.shape[1]), np.nan, np.float32)
    found[: len(eye)] = eye[:n_seconds]
    return found


def of_clips(p: Person, clips: Collection[str]) -> np.ndarray:
    """(n_seconds,) bool: a trial of one of these stimuli."""
    assert p.trial is not None
    chosen = np.array([t.stimulus in clips for t in p.trials] or [False])
    return (p.trial >= 0) & chosen[np.maximum(p.trial, 0)]


def means_of(x: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Means (n_groups, …) of the rows of x (n, …) by the number of their group (n,); NaN for one without rows."""
    sums = np.zeros((n_groups, *x.shape[1:]))
    np.add.at(sums, group, x)
    return sums / np.bincount(group, minlength=n_groups).reshape(-1, *[1] * (x.ndim - 1))


def cut(p: Person, keep: slice | np.ndarray) -> Person:
    """Some seconds of a subject: a slice, or those where (n_seconds,) bool is true."""
    keys = ("de", "patches", "there", "good", "piece", "label", "rest", "session", "trial", "eye")
    return replace(p, **{key: value[keep] for key in keys if (value := getattr(p, key)) is not None})


def without_clips(p: Person, clips: Collection[str]) -> Person:
    """The subject without the labels of these stimuli."""
    return replace(p, label=np.where(of_clips(p, clips), NO_LABEL, p.label))


def population(subjects: Sequence[Person]) -> Population:
    """Mean of each band over subjects and channels, and its median standard deviation over seconds; of eyes, too."""
    pop, eyes = _population(subjects), [eyes_as_channel(p) for p in subjects if p.eye is not None]
    if not (eyes := [p for p in eyes if p.there.sum() > 1]):
        return pop
    of_eyes = _population(eyes)
    return replace(pop, eye=replace(of_eyes, sd=np.where(of_eyes.sd > LEAST_SD, of_eyes.sd, 1.0)))


def _population(subjects: Sequence[Person]) -> Population:
    means, sds = [], []
    for p in subjects:
        x = np.where((p.good & p.there[:, None])[:, :, None], p.de, np.nan)
        means.append(np.nanmean(x, axis=(0, 1)))
        sds.append(np.nanmedian(np.nanstd(x, axis=0), axis=0))
    return Population(np.mean(means, axis=0), np.median(sds, axis=0))


def running_statistics(p: Person, pop: Population, spec: FeatureSpec) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd (n_seconds, n_chans, n_bands) of a run without a profile, restarted at each session or piece."""
    mean, sd = np.empty_like(p.de), np.empty_like(p.de)
    run = p.piece if p.session is None else p.session
    for i in np.unique(run):
        at = np.flatnonzero(run == i)
        start = Statistics.of_population(pop.mean, pop.sd, p.info.n_chans)
        normaliser = Normaliser(start, 1.0, frozen=False)
        for t in at:
            if p.there[t]:
                normaliser.take_in(p.de[t].astype(np.float64), p.good[t][:, None], spec.step_s)
            mean[t], sd[t] = normaliser.statistics.mean, normaliser.statistics.sd
    return mean, sd


def frozen_statistics(p: Person, pop: Population, spec: FeatureSpec) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd (n_seconds, n_chans, n_bands) of the subject's baseline in each session; one row if there is one."""
    every = [p.profile(spec, i).statistics(p.info, spec, pop.sd) for i in range(len(p.sessions))]
    if len(every) == 1:
        mean, sd = (np.broadcast_to(x.astype(p.de.dtype), p.de.shape) for x in (every[0].mean, every[0].sd))
        return mean, sd
    mean, sd = np.empty_like(p.de), np.empty_like(p.de)
    for at, fixed in zip(p.sessions, every, strict=True):
        mean[at], sd[at] = fixed.mean, fixed.sd
    return mean, sd


# -- eye movements -------------------------------------------------------------------------------------------------


def eyes_as_channel(p: Person) -> Person:
    """The subject with the features of its eye movements in place of the bands of a single electrode.

    Where a feature that the subject has elsewhere is missing, the eye was not seen.
    """
    assert p.eye is not None
    known = np.isfinite(p.eye)
    seen = known[:, known.any(axis=0)].all(axis=1) & known.any(axis=1)
    de = np.where(known, p.eye, 0)[:, None]
    return replace(p, info=replace(p.info, ch_names=p.info.ch_names[:1]), de=de, there=seen, good=seen[:, None])


def standardised_eye(
    p: Person,
    pop: Population,
    spec: FeatureSpec,
    statistics: Callable[[Person, Population, FeatureSpec], tuple[np.ndarray, np.ndarray]],
) -> np.ndarray | None:
    """Eye movements in standard deviations, by the same statistics as DE.

    Parameters
    ----------
    p : Person
    pop : Population
    spec : FeatureSpec
    statistics : callable
        Such as `frozen_statistics`: mean and sd at every second.

    Returns
    -------
    (n_seconds, n_features) float32 or None
        NaN in seconds without an eye, and in sessions whose baseline has too few with one; 0 for features that the
        subject never has. None where the subject or the population has no eye movements.
    """
    if p.eye is None or pop.eye is None:
        return None
    eyes, z = eyes_as_channel(p), np.full(p.eye.shape, np.nan, np.float32)
    for at in p.sessions:
        session = None if p.session is None else p.session[at]
        arrays = {key: getattr(eyes, key)[at] for key in ("de", "there", "good", "piece", "label", "rest")}
        part = replace(eyes, session=session, **arrays)
        try:
            mean, sd = statistics(part, pop.eye, spec)
        except ProfileError:
            continue
        off = np.clip((part.de - mean) / np.maximum(sd, LEAST_SD), -CLIP_SD, CLIP_SD)[:, 0]
        z[at] = np.where(part.there[:, None], off, np.nan)
    return np.where(np.isfinite(z) & np.isnan(p.eye), 0, z)
