"""What the check of this computer (`doctor`) found, and which of its findings may explain a run that failed."""

from __future__ import annotations

import errno
from collections.abc import Collection
from dataclasses import dataclass

from ..errors import SourceLost, SourceNotFound, WeightsError
from ..health import Health, State
from ..language import N_

LEVELS = {
    "wrong": (N_("wrong"), "bad"), "warning": (N_("warning"), "warn"), "not checked": (N_("not checked"), "dim"),
    "ok": (N_("in order"), "ok"),
}  # fmt: skip
SERIOUS = ("wrong", "warning")
AWAY_MS = 10_000.0  # how long a stream is looked for before that is taken for a problem
CHECKS = {
    "lsl": (
        "LSL library", "own LSL stream", "LSL streams", "LSL ports", "firewall", "adapters", "multicast",
        "LSL configuration",
    ),
    "brainflow": ("serial ports", "bluetooth", "brainflow"),
}  # fmt: skip
"""The checks that may explain why a source of this scheme was not found."""


@dataclass(frozen=True, slots=True)
class ComputerFinding:
    """One finding: its check and its level (a key of `LEVELS`), the check's name, what was found, and what to do.

    The last three are in the language in use.
    """

    check: str
    level: str
    name: str
    found: str
    do: str


@dataclass(frozen=True, slots=True)
class ComputerCheck:
    """All findings, most serious first, what they come to, and the same as text for a public issue, without names."""

    findings: tuple[ComputerFinding, ...]
    summary: str
    issue: str

    @property
    def role(self) -> str:
        """The role of the colour of the most serious finding."""
        return next((LEVELS[one.level][1] for one in self.findings if one.level in SERIOUS), "ok")

    def explaining(self, checks: Collection[str]) -> ComputerFinding | None:
        """The most serious finding of `checks`; None where they found nothing wrong."""
        return next((one for one in self.findings if one.check in checks and one.level in SERIOUS), None)


def checks_for(health: Health, url: str) -> tuple[str, ...]:
    """The checks that may explain what is wrong with a run on `url`; empty if none does, or nothing is."""
    fault, recording = health.fault, health.recording or health.autosave
    is_away = health.state is State.RECONNECTING and (health.sample_age_ms or 0.0) > AWAY_MS
    if is_away or isinstance(fault, SourceNotFound | SourceLost):
        return CHECKS.get(url.partition(":")[0], ())
    if fault is None and recording is not None and recording.trouble:
        return ("disk",)
    if isinstance(fault, WeightsError):
        return ("weights",)
    if isinstance(fault, ImportError):
        return ("packages", "torch")
    if isinstance(fault, OSError) and fault.errno in (errno.ENOSPC, errno.EROFS, errno.EACCES):
        return ("disk",)
    return ()
