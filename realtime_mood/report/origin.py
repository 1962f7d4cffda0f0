"""Origin of the readings of a recording: weights, profile, training subjects and validation, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..language import N_, _
from ..profile import Profile
from ..readout import HeldOutResult
from .words import plain

OURS = "reader-"  # names of the weights that come with the program begin so
# for each readout of our weights, the subjects it was trained on and what was shown, as the weights' card says
TRAINED_ON = {
    "effort": (
        N_("real subjects"),
        N_(
            "real subjects at rest and during mental arithmetic (EEGMAT), where rest always came first and each state "
            "is a file of its own; the readout may in part reflect the order or the file"
        ),
    ),
    "emotion3": (
        N_("simulated subjects"),
        N_(
            "simulated subjects only. It has never seen a real person's emotion; its accuracy on simulated subjects "
            "shows that the processing works, and nothing more"
        ),
    ),
}
KINDS = {"real": N_("real subjects"), "virtual": N_("simulated subjects")}
UNKNOWN = (N_("unknown subjects"), N_("see the card of its weights; the recording does not contain it"))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where readings come from."""

    weights: str
    sha256: str
    version: str
    notch: str
    repair: str  # empty where there was none
    subjects: str  # the subjects that the readout was trained on, in two or three words
    evidence: str  # the data on which it was validated, with its limits
    baseline: str  # what features were compared with


def origin_of(about: Mapping[str, Any], readout: str) -> Origin:
    """Where the readings of a recording come from, by what it states of them: any of that may be missing or wrong."""
    weights, sha256, version, notch = (_text(about.get(key)) for key in ("weights", "sha256", "version", "notch"))
    weights = Path(weights).name  # a path may name a person
    profile = _profile(about.get("profile"))
    known, kind = TRAINED_ON.get(readout) if weights.startswith(OURS) else None, _text(about.get("evidence"))
    subjects, evidence = map(_, known or (KINDS.get(kind, UNKNOWN[0]), UNKNOWN[1]))
    if (held_out := _held_out(about.get("held_out"), readout)) is not None:
        subjects, evidence = held_out.subjects(), f"{held_out.subjects()}: {held_out.figure()}"
    baseline = _("the training subjects and the preceding signal (no resting baseline of the subject)")
    if profile is not None:
        made = _text(profile.made)[:10]
        baseline = _(
            "{seconds:.0f} s of the subject's own rest, recorded on {date}", seconds=profile.seconds, date=made
        )
        if profile.own is not None and profile.own.name == readout:
            v = profile.own.verdict
            subjects = _("the simulated subject's own calibration") if profile.virtual else _(
                "the subject's own calibration"
            )  # fmt: skip
            evidence = _(
                "{subjects}, on held-out blocks: balanced accuracy {accuracy:.2f} (95 % CI {low:.2f} to {high:.2f}), "
                "chance {chance:.2f}. It may be lower on another day",
                subjects=subjects, accuracy=v.balanced_accuracy, low=v.interval[0], high=v.interval[1], chance=v.chance,
            )  # fmt: skip
    repair = _text(about.get("repair")).replace("none", "")
    return Origin(weights, sha256[:12], version, notch, repair, subjects, evidence, baseline)


def _profile(stored: object) -> Profile | None:
    """The profile in a recording; None where there is none, or none that can be read."""
    try:
        return Profile.model_validate(stored) if isinstance(stored, dict) else None
    except ValidationError:
        return None


def _held_out(stored: object, readout: str) -> HeldOutResult | None:
    """On whom the readout was shown, in a recording; None where it does not say so."""
    try:
        found = TypeAdapter(HeldOutResult).validate_python(stored[readout]) if isinstance(stored, dict) else None
    except (KeyError, ValidationError):
        return None
    return found and replace(found, data_set=plain(found.data_set))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
