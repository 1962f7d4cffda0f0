"""Tasks of the probe suite: which data, labels and electrodes, and the windows of four seconds that are classified.

Subjects are left out, or with `by_session` days. What a subject's windows are compared with is the declared baseline,
or, for sets without one, all windows of the session (`Unit.reference`); no label is used for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import CLIP_SD, band_power
from realtime_mood.errors import ConfigError

from ..datasets.labels import label_by_second, labels_of
from ..datasets.person import BASELINE, NO_LABEL, Person
from ..datasets.preparing import jobs_of
from ..datasets.preparing import subjects as prepared_subjects
from ..datasets.sets import reader_of
from ..datasets.sets.eegmat import HELD_OUT
from ..datasets.virtual import LABELS as STATES
from ..executor import Executor
from .cohorts import CHANNEL_SETS, FIRST_SEED, virtual_person
from .labelled import PREPARED
from .sessions import of_session
from .store import digest, digest_of_person

LEAST_WINDOWS = 3
"""Of a reference, with a usable electrode; fewer have no spread."""
BASELINE_S = 60
Log = Callable[[str], None]


@dataclass(frozen=True)
class ProbeTask:
    """One question to frozen features."""

    name: str
    title: str
    dataset: str
    readout: str = ""
    """As for `labels_of`; empty for a rating."""
    scale: str = ""
    """The rating that is predicted by ridge regression; empty for classes."""
    sets: tuple[str, ...] = ("all",)
    by_session: bool = False
    baseline: bool = False
    """There is a declared baseline."""


ALL_SETS = ("19", "8", "4")
TASKS = {
    task.name: task
    for task in (
        ProbeTask("eegmat", "EEGMAT, rest / arithmetic", "eegmat", "eegmat", sets=ALL_SETS, baseline=True),
        ProbeTask("ssvep", "SSVEP, rest / 13 / 17 / 21 Hz", "ssvep-exo", "ssvep-exo"),
        ProbeTask("imagining", "DASPS, listening / imagining", "dasps", "dasps"),
        ProbeTask("valence", "DASPS, rating of valence", "dasps", scale="valence"),
        ProbeTask("arousal", "DASPS, rating of arousal", "dasps", scale="arousal"),
        ProbeTask("biohack", "BioHack, confused / understanding / control, days left out", "biohack", "biohack",
                  by_session=True),
        ProbeTask("simulated", "SIMULATED, negative / neutral / positive", "virtual", "emotion3", sets=ALL_SETS,
                  baseline=True),
    )
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Unit:
    """Windows of one session of one subject; `reference` are those that features are standardised by."""

    name: str
    subject: str
    person: Person
    ends: np.ndarray  # (n,) int: last second of each labelled window
    target: np.ndarray  # (n,) label or rating
    trial: np.ndarray  # (n,) int
    reference: np.ndarray  # (m,) int: last seconds
    spec: FeatureSpec

    @cached_property
    def digest(self) -> str:
        """Hash of everything that features and scores depend on."""
        arrays = [x.tolist() for x in (self.ends, self.target, self.trial, self.reference)]
        return digest(digest_of_person(self.person), self.name, *arrays, self.spec.model_dump(mode="json"))

    @property
    def rms(self) -> np.ndarray:
        """(n_chans,) µV: of the reference, as a live network divides patches by it."""
        seconds = self.seconds(self.reference)
        keep = self.person.good[seconds][..., None]
        de = np.where(keep, self.person.de[seconds].astype(float), 0.0).sum(axis=(0, 1))
        mean = de / np.maximum(keep.sum(axis=(0, 1)), 1)
        return np.asarray(np.sqrt(np.maximum(band_power(mean).sum(axis=1), 1.0)))

    def patches(self, ends: np.ndarray, chans: np.ndarray, *, scaled: bool = True) -> np.ndarray:
        """(n, C, P, L) float32: patches of windows, in rms of the reference and clipped, else in µV."""
        x = self.person.patches[self.seconds(ends)][:, :, chans].astype(np.float32).transpose(0, 2, 1, 3)
        if not scaled:
            return x
        return np.clip(x / self.rms[chans, None, None].astype(np.float32), -CLIP_SD, CLIP_SD)

    def de(self, ends: np.ndarray, chans: np.ndarray) -> np.ndarray:
        """(n, C, K): mean DE of windows, nats."""
        return self.person.de[self.seconds(ends)][:, :, chans].astype(np.float32).mean(axis=1)

    def good(self, ends: np.ndarray, chans: np.ndarray) -> np.ndarray:
        """(n, C) bool: the electrode could be trusted for the whole window."""
        return self.person.good[self.seconds(ends)][:, :, chans].all(axis=1)

    def seconds(self, ends: np.ndarray) -> np.ndarray:
        """(n, P): the seconds of the windows that end with `ends` (n,)."""
        return ends[:, None] + np.arange(1 - self.spec.n_patches, 1)


def standardised(features: np.ndarray, good: np.ndarray, is_reference: np.ndarray) -> np.ndarray:
    """Features (n, C, F) of one unit in standard deviations of its reference rows, as (n, C·F); labels are not seen.

    Parameters
    ----------
    features : (n, C, F)
    good : (n, C) bool
        Others are zero, the mean.
    is_reference : (n,) bool
    """
    keep = (good & is_reference[:, None])[..., None]
    n = keep.sum(axis=0)
    mean = np.where(keep, features, 0).sum(axis=0) / np.maximum(n, 1)
    sd = np.sqrt(np.where(keep, (features - mean) ** 2, 0).sum(axis=0) / np.maximum(n - 1, 1))
    sd = np.maximum(sd, 0.1 * np.median(sd, axis=0, keepdims=True) + 1e-6)
    z = np.clip((features - mean) / sd, -CLIP_SD, CLIP_SD) * good[..., None] * (n >= LEAST_WINDOWS)
    return np.asarray(z.reshape(len(z), -1), np.float32)


def chosen_channels(task: ProbeTask, units: Sequence[Unit]) -> dict[str, tuple[str, ...]]:
    """The electrodes of each set of the task that all units have; a set that is not there is left out."""
    names = units[0].person.info.ch_names
    common = tuple(name for name in names if all(name in unit.person.info.ch_names for unit in units))
    sets = {name: CHANNEL_SETS.get(name, common) for name in task.sets}
    return {name: chans for name, chans in sets.items() if chans and set(chans) <= set(common)}


# -- units of a task --------------------------------------------------------------------------------------------------


def load_people(
    task: ProbeTask, root: Path | None, n_virtual: int, spec: FeatureSpec, executor: Executor, log: Log
) -> list[Person]:
    """The subjects of the task's data set, which is in `root` or in a folder there of its name.

    Raises
    ------
    ConfigError
        The set is not there.
    """
    if task.dataset == "virtual":
        made = dict(executor.run(_virtual, range(FIRST_SEED, FIRST_SEED + n_virtual), spec))
        return [made[i] for i in range(n_virtual)]
    if root is None:
        raise ConfigError(f"data set {task.dataset}", "no folder given", "add --root DIR, where the sets are")
    reader = reader_of(task.dataset)
    own = root / task.dataset
    recordings = reader.recordings(own if own.is_dir() else root)
    jobs = jobs_of(recordings, reader.info, spec, user_cache_path("realtime-mood") / PREPARED)
    people = [p for _, p in prepared_subjects(jobs, executor.run, log)]
    return [p for p in people if p.name not in HELD_OUT]


def _virtual(spec: FeatureSpec, seed: int) -> Person:
    return virtual_person(seed, BASELINE_S, spec)


def labels_for(task: ProbeTask) -> tuple[str, ...]:
    """The classes of a task; empty for a rating."""
    if task.scale:
        return ()
    return STATES if task.dataset == "virtual" else labels_of(task.readout, reader_of(task.dataset).info)


def units_of(task: ProbeTask, p: Person, spec: FeatureSpec) -> Iterator[Unit]:
    """The labelled windows of a subject, one after the other within each trial; with `by_session`, a unit for each."""
    for part in [of_session(p, k) for k in range(len(p.sessions))] if task.by_session else [p]:
        target, trial, settle = _targets(task, part)
        ends = _ends(part, trial, spec, spec.n_patches, settle)
        ends = ends[np.isfinite(target[ends])]
        reference = ends
        if task.baseline:
            rest = part.rest if part.trial is None else part.trial == BASELINE
            reference = _ends(part, np.where(rest, 0, NO_LABEL), spec, 1, 0)
        if len(ends) and len(reference) >= LEAST_WINDOWS:
            yield Unit(part.name, p.name, part, ends, target[ends], trial[ends], reference, spec)


def _targets(task: ProbeTask, p: Person) -> tuple[np.ndarray, np.ndarray, float]:
    """What is predicted by second (NaN where nothing), the number of the trial, and seconds of a trial to leave out."""
    if p.trial is None:  # simulated: a trial for each stretch of a label
        label = np.where(p.rest, NO_LABEL, p.label)
        numbers = np.cumsum(np.diff(label, prepend=NO_LABEL) != 0)
        return np.where(label == NO_LABEL, np.nan, label), np.where(label == NO_LABEL, NO_LABEL, numbers), 0.0
    info = reader_of(task.dataset).info
    if task.scale:
        ratings = np.array([t.ratings.get(task.scale, np.nan) for t in p.trials] + [np.nan])
        target = np.where(p.trial >= 0, ratings[np.maximum(p.trial, NO_LABEL)], np.nan)
    else:
        label = label_by_second(p, task.readout, info, felt=False)
        target = np.where((label == NO_LABEL) | (p.trial < 0), np.nan, label)
    return target, p.trial, info.settle_s


def _ends(p: Person, group: np.ndarray, spec: FeatureSpec, hop: int, settle_s: float) -> np.ndarray:
    """Last seconds of windows within a piece and a group (int; negative: none), `hop` seconds apart."""
    found: list[int] = []
    changes = np.flatnonzero((np.diff(group) != 0) | (np.diff(p.piece) != 0) | (np.diff(p.there.astype(int)) != 0)) + 1
    for run in np.split(np.arange(len(group)), changes):
        if group[run[0]] < 0 or not p.there[run[0]]:
            continue
        begin = int(np.searchsorted(p.piece, p.piece[run[0]]))
        run = run[run - begin >= settle_s]
        found += run[spec.n_patches - 1 :: hop].tolist()
    return np.array(found, int)
