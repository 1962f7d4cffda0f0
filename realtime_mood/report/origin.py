"""Turns what a recording tells of its weights and profile into where its readings come from, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..profile import Profile

OURS = "reader-"
"""Names of the weights that come with the program begin so."""
PEOPLE = {
    "effort": (
        "real people",
        "real people at rest and at mental arithmetic (EEGMAT), where rest always came first and each state is a file "
        "of its own: what is said of the state may in part be of the order or the file",
    ),
    "emotion3": (
        "virtual people",
        "virtual people only. It has never seen a real person's emotion: what it gets right on virtual people says "
        "that the path works, and nothing more",
    ),
}
"""Whom the readouts of our weights were trained on, as the card of the weights says."""
KINDS = ("real", "virtual")
UNKNOWN = ("people the recording does not tell of", "what the card of its weights says: the recording does not tell")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where readings come from."""

    weights: str
    sha256: str
    version: str
    notch: str
    people: str
    """Whom the readout was trained on, in two or three words."""
    evidence: str
    """What shows that it works, and how little."""
    baseline: str
    """What features were compared with."""


def origin_of(about: Mapping[str, Any], readout: str) -> Origin:
    """Where the readings of a recording come from.

    Parameters
    ----------
    about : mapping
        What the recording tells of what made them; any of it may be missing, or anything at all.
    readout : str
        Name of the readout.
    """
    about = about if isinstance(about, Mapping) else {}
    weights, sha256, version, notch = (_text(about.get(key)) for key in ("weights", "sha256", "version", "notch"))
    weights = Path(weights).name  # a path may name somebody
    profile = _profile(about.get("profile"))
    people, evidence = PEOPLE.get(readout, UNKNOWN) if weights.startswith(OURS) else UNKNOWN
    if (people, evidence) == UNKNOWN and about.get("evidence") in KINDS:
        people = f"{about['evidence']} people"
    baseline = "other people's and with what came before, for want of the person's own rest"
    if profile is not None:
        baseline = f"{profile.seconds:.0f} s of the person's own rest, of {_text(profile.made)[:10]}"
        if profile.own is not None and profile.own.name == readout:
            v = profile.own.verdict
            person = "virtual person" if profile.virtual else "person"
            people = f"the {person}'s own calibration"
            evidence = (
                f"blocks of the {person}'s own calibration that it was not fitted on: balanced accuracy "
                f"{v.balanced_accuracy:.2f} (95 % interval {v.interval[0]:.2f} to {v.interval[1]:.2f}), where chance "
                f"is {v.chance:.2f}. On another day it may be less"
            )
    return Origin(weights, sha256[:12], version, notch, people, evidence, baseline)


def _profile(stored: object) -> Profile | None:
    """The profile that a recording tells of; None where there is none, or none that can be read."""
    try:
        return Profile.model_validate(stored) if isinstance(stored, dict) else None
    except ValidationError:
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
