"""A subject's profile: rest statistics that later features are compared with, and a personal readout.

Without a profile the statistics start from the population's and adapt to the subject, causally; with one they are the
subject's own and only drift slowly.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, ValidationError

from .dsp.spec import FeatureSpec
from .entropy import Statistics
from .errors import ProfileError
from .files import Strict, write_private
from .types import Features, StreamInfo

PRIOR_S = 30.0  # weight of the population's statistics, in seconds of the subject's data
LEARN_S = 60.0  # seconds of data that running statistics learn from; then they drift like a profile's
MEMORY_S = 300.0  # time constant of drifting statistics
DRIFT_SD_PER_MIN = 0.05  # limit of the drift: faster, a lasting state would become the new baseline
LEAST_BASELINE_S = 20.0


class ValidationResult(Strict):
    """Performance of a personal readout on held-out blocks."""

    balanced_accuracy: float
    interval: tuple[float, float]  # 95 %, over blocks
    chance: float
    p: float  # p value of a permutation test over blocks
    ece: float  # expected calibration error of its held-out confidence
    time_only: float  # balanced accuracy of a classifier that is given only the time
    blocks: tuple[int, ...]  # of each label
    seconds: int
    confusion: tuple[tuple[float, ...], ...]
    """Confusion matrix: share of each true label's seconds (rows) that was classified as each label."""
    passed: bool
    text: str  # why it did not pass; empty when it did
    advice: tuple[str, ...] = ()


class PersonalReadout(Strict):
    """Description of a personal readout; its weights are in a safetensors file beside the profile."""

    name: str
    labels: tuple[str, ...]
    coordinates: tuple[tuple[float, float], ...]
    base: str  # the shipped readout that it was adapted from; empty when there was none
    weights: str
    weights_sha256: str  # digest of the network it was fitted with; it works with no other
    head_sha256: str
    temperature: float
    least_confidence: float
    verdict: ValidationResult
    ch_names: tuple[str, ...] | None = None
    """The electrodes it was fitted on, in the order of its weights; None in older files: the profile's order."""


class Normaliser:
    """Statistics learnt step by step from the stream; those of a subject's own baseline (`frozen`) only drift."""

    def __init__(self, start: Statistics, sfreq: float, *, frozen: bool) -> None:
        self._mean, self._var = start.mean.astype(np.float64), np.square(start.sd, dtype=np.float64)
        self._sfreq, self.frozen = sfreq, frozen
        self._seconds = PRIOR_S
        self.last = 0  # number of the newest step included

    def __call__(self, features: Features, end: int, step_s: float) -> Statistics:
        """Update with the newest step of `features`, which ends at sample `end`; return the statistics.

        Call it for every window, read or not: one that ends between two steps of stream time changes nothing.
        """
        number = round(end / self._sfreq / step_s)
        if number > self.last and abs(end - number * step_s * self._sfreq) < 1:
            self.last = number
            if not features.step_mask[-1]:
                self.take_in(features.de[-1].astype(np.float64), features.quality.good[:, None], step_s)
        return self.statistics

    def restart(self, statistics: Statistics) -> None:
        """Go on from a baseline that the subject has renewed."""
        self._mean, self._var = statistics.mean.astype(np.float64), np.square(statistics.sd, dtype=np.float64)

    def state(self) -> dict[str, object]:
        """What it has learnt, as JSON values."""
        return {"mean": self._mean.tolist(), "var": self._var.tolist(), "seconds": self._seconds, "last": self.last}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from the `state` of another normaliser of the same stream."""
        self._mean, self._var = np.array(state["mean"], float), np.array(state["var"], float)
        self._seconds, self.last = float(state["seconds"]), int(state["last"])

    @property
    def statistics(self) -> Statistics:
        """The current statistics."""
        return Statistics(self._mean.copy(), np.sqrt(self._var))

    def take_in(self, de: np.ndarray, good: np.ndarray, step_s: float) -> None:
        """Update with one step (n_chans, n_bands); only good channels (n_chans, 1) count."""
        sd = np.sqrt(self._var)
        off = np.clip(de - self._mean, -4 * sd, 4 * sd) * good  # one burst of muscle must not move a baseline
        if self.frozen or self._seconds >= PRIOR_S + LEARN_S:
            limit = DRIFT_SD_PER_MIN * step_s / 60 * sd
            self._mean += np.clip(off * step_s / MEMORY_S, -limit, limit)
            return
        self._seconds += step_s
        gain = step_s / self._seconds
        self._mean += gain * off
        self._var += gain * (np.square(off) - self._var) * good


class Profile(Strict):
    """One subject on one montage, as stored: the baseline, and a personal readout where one passed its validation."""

    format: int = 1
    ch_names: tuple[str, ...]
    reference: str
    virtual: bool
    readout: str | None  # the one it was made for, if one was requested
    spec: FeatureSpec
    mean: tuple[tuple[float, ...], ...]
    sd: tuple[tuple[float, ...], ...]
    seconds: float
    made: str
    participant: str = ""  # ID of the subject; empty where none was given
    own: PersonalReadout | None = None
    refused: ValidationResult | None = None  # of a personal readout that did not pass
    states: tuple[tuple[tuple[float, ...], ...], ...] | None = None
    """(n_states, n_chans, n_bands): mean of each rest and label of the calibration, in SD from the baseline."""
    history: tuple[str, ...] = ()
    """Changes after the calibration that the user kept, oldest first."""
    head: bytes | None = Field(default=None, exclude=True, repr=False)
    """The weights of `own`: the content of the safetensors file."""

    @classmethod
    def from_steps(
        cls,
        info: StreamInfo,
        spec: FeatureSpec,
        de: np.ndarray,
        good: np.ndarray,
        readout: str | None = None,
        least_s: float = LEAST_BASELINE_S,
    ) -> Profile:
        """Make a profile from steps of rest: `de` (n_steps, n_chans, n_bands) in nats.

        `good` (n_steps, n_chans) is where an electrode could be trusted. Raises `ProfileError` where less than
        `least_s` seconds are usable.
        """
        seconds = good.sum(axis=0).min(initial=len(de)) * spec.step_s
        if seconds < least_s:
            poor = [n for n, s in zip(info.ch_names, good.sum(axis=0) * spec.step_s, strict=True) if s < least_s]
            raise ProfileError(
                f"a baseline needs {least_s:g} s of usable rest from every electrode",
                f"{seconds:.0f} s on {', '.join(poor) if len(poor) <= 8 else f'{len(poor)} electrodes'}",
                "fix or drop= those electrodes and record longer",
            )
        x = np.where(good[:, :, None], de, np.nan).astype(np.float64)
        middle = np.nanmedian(x, axis=0)
        spread = np.nanstd(x, axis=0)
        x = np.clip(x, middle - 3 * spread, middle + 3 * spread)
        return cls(
            ch_names=info.ch_names, reference=info.reference, virtual=info.virtual, readout=readout, spec=spec,
            mean=np.nanmean(x, axis=0).round(5).tolist(), sd=np.nanstd(x, axis=0).round(5).tolist(),
            seconds=seconds, made=datetime.now(UTC).isoformat(timespec="seconds"),
        )  # fmt: skip

    @property
    def own_channels(self) -> tuple[str, ...]:
        """The electrodes of the personal readout, in the order of its weights: not always the profile's."""
        return (self.own.ch_names if self.own else None) or self.ch_names

    def check(self, info: StreamInfo, spec: FeatureSpec) -> None:
        """Raise `ProfileError` when the profile has another kind of stream, other features, or lacks a channel."""
        if missing := [name for name in info.ch_names if name not in self.ch_names]:
            raise ProfileError(
                f"a profile for {', '.join(info.ch_names)}",
                f"this one was made without {', '.join(missing)}",
                "calibrate again on this montage, or leave those channels out with drop=",
            )
        if self.virtual != info.virtual:
            kinds = ("a real headset", "a simulated subject")
            found = f"this one is of {kinds[self.virtual]}"
            raise ProfileError(f"a profile for {kinds[info.virtual]}", found, "calibrate again")
        if self.spec.repair != spec.repair:
            words = {"none": "without repair of blinks", "eog": "with --repair eog"}
            raise ProfileError(
                f"a profile for a run {words[spec.repair]}", f"this one was made {words[self.spec.repair]}",
                f"run with --repair {self.spec.repair}, or fit it again: calibrate --from RECORDING "
                f"--repair {spec.repair}",
            )  # fmt: skip
        if self.spec != spec:
            asked = "a profile made with these weights' features"
            raise ProfileError(asked, "other bands or filters", "calibrate again")

    def statistics(self, info: StreamInfo, spec: FeatureSpec, population_sd: np.ndarray) -> Statistics:
        """The statistics for the channels of `info`, the SD shrunk towards the population's; raises as `check` does."""
        self.check(info, spec)
        pick = [self.ch_names.index(name) for name in info.ch_names]
        sd = np.asarray(self.sd)[pick]
        var = (self.seconds * sd**2 + PRIOR_S * population_sd**2) / (self.seconds + PRIOR_S)
        return Statistics(np.asarray(self.mean)[pick], np.sqrt(var))

    def stored(self) -> dict[str, Any]:
        """Content of the file, without unused fields, so that older files keep their digest."""
        body = self.model_dump(mode="json")
        if self.own and self.own.ch_names is None:
            del body["own"]["ch_names"]
        optional = ("participant", "own", "refused", "states", "history")
        return {key: value for key, value in body.items() if value or key not in optional}

    def save(self, path: Path) -> None:
        """Write as JSON, with a readout's weights beside it; private, and completely or not at all."""
        body = self.stored()
        text = json.dumps({"sha256": digest(body), **body}, indent=1)
        if self.head is not None:
            write_private(head_file(path), self.head)
        write_private(path, text.encode())

    @classmethod
    def restored(cls, stored: dict[str, Any], head: str | None) -> Profile:
        """Restore from a recording: `stored`, and the weights of its personal readout in base 64."""
        profile = cls.model_validate(stored)
        return profile.model_copy(update={"head": base64.b64decode(head)}) if head else profile

    @classmethod
    def load(cls, path: Path) -> Profile:
        """Read a profile back; raises `ProfileError` when it is missing, unreadable or altered."""
        asked = f"profile {path}"
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            stored = body.pop("sha256", None)
            profile = cls.model_validate(body)
            if profile.own:
                profile = profile.model_copy(update={"head": head_file(path).read_bytes()})
        except FileNotFoundError as error:
            if error.filename and Path(error.filename) != path:
                raise ProfileError(
                    asked, f"{Path(error.filename).name}, the weights of its readout, is missing beside it",
                    "put it back, or calibrate again with --from RECORDING",
                ) from None  # fmt: skip
            do = "make one: calibrate --protocol baseline --profile PATH"
            raise ProfileError(asked, "no such file", do) from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ProfileError(asked, f"{where}: {first['msg']}", "calibrate again") from None
        except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
            raise ProfileError(asked, f"not a profile: {error}", "calibrate again") from None
        altered = profile.own and hashlib.sha256(profile.head or b"").hexdigest() != profile.own.head_sha256
        if stored != digest(profile.stored()) or altered:
            raise ProfileError(asked, "it was altered after it was written", "calibrate again")
        return profile


def stored_in(path: Path) -> dict[str, Any]:
    """Content of a profile's file, unchecked; empty where it is another file."""
    try:
        body = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    is_profile = isinstance(body, dict) and {"sha256", "ch_names", "mean"} <= body.keys()
    return body if is_profile else {}


def head_file(path: Path) -> Path:
    """Path of the weights of a profile's personal readout."""
    return path.with_suffix(".safetensors")


def digest(body: dict[str, object]) -> str:
    """SHA-256 of a JSON object, independent of its formatting: shows whether it was altered."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
