"""The baseline of a run with a profile: watched for drift, and renewed by half a minute of rest on request only.

Nothing here adapts by itself. A renewal takes three requests of the user, each valid from a sample on, so that a
replay of the recording does the same: ``rest`` begins to collect seconds; then ``use`` takes the new baseline, or
``keep`` leaves the present one, with the warning where there was one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np

from .corrections import Corrections, CorrectionStatus
from .drift import Drift, DriftStatus, DriftTest
from .dsp.spec import FeatureSpec
from .entropy import Statistics
from .labelling import Correctable
from .profile import Profile
from .types import StreamInfo

REST_S = 30.0  # usable seconds of rest for a new baseline
LEAST_REST_S = 20.0  # of them, of each electrode that gets a new baseline
SKIP_S = 3.0  # after the request: the subject has to come to rest, and the operator moves
PATIENCE_S = 90.0  # after this much stream time without enough usable rest, the renewal ends
BaselineRequest = Literal["rest", "use", "keep"]
REQUESTS: tuple[BaselineRequest, ...] = ("rest", "use", "keep")


class BaselineWatch:
    """Watches the baseline of `profile` on the stream `info`; `population_sd` (n_bands,) is that of the network.

    Raises `ProfileError` as `Profile.check` does.
    """

    def __init__(self, profile: Profile, info: StreamInfo, spec: FeatureSpec, population_sd: np.ndarray) -> None:
        self.profile, self.drift = profile, Drift()
        self._info, self._spec, self._population_sd = info, spec, population_sd
        self._rest: list[tuple[np.ndarray, np.ndarray]] = []
        self._steps = 0  # since the rest began
        self._new: Profile | None = None
        self._begin()

    def _begin(self) -> None:
        """Test against the profile's baseline from here on."""
        info, spec = self._info, self._spec
        self._statistics = self.profile.statistics(info, spec, self._population_sd)
        pick = [self.profile.ch_names.index(name) for name in info.ch_names]
        states = None if self.profile.states is None else np.array(self.profile.states)[:, pick]
        self._test = DriftTest(tuple(spec.bands), info.ch_names, self.profile.seconds, states, spec.step_s)

    @property
    def statistics(self) -> Statistics:
        """Those of the baseline."""
        return self._statistics

    def state(self) -> dict[str, object]:
        """What it has taken in since the run began, as JSON values."""
        baseline = {"mean": self.profile.mean, "sd": self.profile.sd, "seconds": self.profile.seconds}
        rest = [(de.tolist(), good.tolist()) for de, good in self._rest]
        drift = asdict(self.drift) | {"status": self.drift.status.value}
        return {"baseline": baseline, "drift": drift, "test": self._test.state(), "rest": rest, "steps": self._steps}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from the `state` of another watch of the same profile."""
        # validated: what is read from a file need not be what was written
        same = self.profile.model_dump() | {"head": self.profile.head}
        self.profile = Profile.model_validate(same | state["baseline"])
        self._begin()
        self._test.restore(state["test"])
        self._rest = [(np.array(de, float), np.array(good, bool)) for de, good in state["rest"]]
        self._steps = int(state["steps"])
        drift = dict(state["drift"])
        bands_sd = tuple((str(name), float(sd)) for name, sd in drift.pop("bands_sd"))
        self.drift = Drift(status=DriftStatus(drift.pop("status")), bands_sd=bands_sd, **drift)
        self._new = self._renewed() if self.drift.status is DriftStatus.READY else None

    def take_in(self, de: np.ndarray, good: np.ndarray | None) -> None:
        """One step of stream time: `de` (n_chans, n_bands) in nats, `good` (n_chans,); None for a masked step."""
        if self.drift.status is DriftStatus.RESTING:
            self._collect(de, good)
        elif good is not None and not self.drift.moved:
            z = (de - self._statistics.mean) / self._statistics.sd
            if self._test.take_in(z, good):
                what, change = self._test.largest()
                status = DriftStatus.MOVED if self.drift.status is DriftStatus.STEADY else self.drift.status
                self.drift = replace(self.drift, status=status, moved=True, what=what, change_sd=change)

    def _collect(self, de: np.ndarray, good: np.ndarray | None) -> None:
        """One step of rest."""
        self._steps += 1
        step_s = self._spec.step_s
        if good is not None and good.mean() >= 0.5 and self._steps * step_s > SKIP_S:
            self._rest.append((de.astype(np.float64), good))
            self.drift = replace(self.drift, rest_s=len(self._rest) * step_s)
        if len(self._rest) * step_s >= REST_S:
            self._new = self._renewed()
        if self._new is not None:
            self.drift = replace(self.drift, status=DriftStatus.READY, bands_sd=self._differences(self._new))
        elif len(self._rest) * step_s >= REST_S or self._steps * step_s >= PATIENCE_S:
            self._end(failed=True)

    def _renewed(self) -> Profile | None:
        """The profile with the baseline of the rest, where its electrodes were good; None where most were not."""
        de, good = (np.stack(rows) for rows in zip(*self._rest, strict=True))
        enough = good.sum(axis=0) * self._spec.step_s >= LEAST_REST_S
        if enough.mean() < 0.5:
            return None
        names = tuple(name for name, is_enough in zip(self._info.ch_names, enough, strict=True) if is_enough)
        today = replace(self._info, ch_names=names)
        found = Profile.from_steps(today, self._spec, de[:, enough], good[:, enough], least_s=LEAST_REST_S)
        old, new = self.profile, dict(zip(names, zip(found.mean, found.sd, strict=True), strict=True))
        rows = [new.get(name, (old.mean[i], old.sd[i])) for i, name in enumerate(old.ch_names)]
        mean, sd = zip(*rows, strict=True)
        return old.model_copy(update={"mean": mean, "sd": sd, "seconds": min(old.seconds, len(de) * self._spec.step_s)})

    def _differences(self, new: Profile) -> tuple[tuple[str, float], ...]:
        fresh = new.statistics(self._info, self._spec, self._population_sd)
        z = (fresh.mean - self._statistics.mean) / self._statistics.sd
        return tuple(zip(self._spec.bands, z.mean(axis=0).round(3).tolist(), strict=True))

    def request(self, what: str) -> Statistics | None:
        """Carry out a `BaselineRequest`; one that does not fit the present status does nothing.

        Returns the statistics to use from here on, where they change.
        """
        status = self.drift.status
        if what == "rest" and status in (DriftStatus.STEADY, DriftStatus.MOVED):
            self._rest, self._steps, self._new = [], 0, None
            self.drift = replace(self.drift, status=DriftStatus.RESTING, rest_s=0.0, failed=False)
        elif what == "keep" and status in (DriftStatus.RESTING, DriftStatus.READY):
            self._end(failed=False)
        elif what == "keep":  # the user has read that there was too little rest
            self.drift = replace(self.drift, failed=False)
        elif what == "use" and self._new is not None:
            self.profile, self._new = self._new, None
            self._begin()
            self.drift = Drift(renewed=self.drift.renewed + 1)
            return self._statistics
        return None

    def kept(self, corrections: Corrections | None, network: object) -> Profile:
        """The profile with what the user has changed in this run, for the disk; its `history` says what."""
        profile, changes = self.profile, list[str]()
        if self.drift.renewed:
            changes.append(f"baseline renewed by {REST_S:g} s of rest")
        counts = corrections is not None and corrections.status is CorrectionStatus.COUNTS
        if corrections and counts and isinstance(network, Correctable):
            corrected = network.kept(profile)
            if corrected is not profile:
                profile = corrected
                changes.append(f"classifier corrected {corrections.made} times, p = {corrections.p:.3f}")
        today = datetime.now(UTC).date().isoformat()
        history = (*profile.history, *(f"{today}: {change}" for change in changes))
        return profile.model_copy(update={"history": history}) if changes else profile

    def _end(self, *, failed: bool) -> None:
        """End a renewal with the baseline as it was."""
        self._new = None
        status = DriftStatus.MOVED if self.drift.moved else DriftStatus.STEADY
        self.drift = replace(self.drift, status=status, rest_s=0.0, bands_sd=(), failed=failed)
