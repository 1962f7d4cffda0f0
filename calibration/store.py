"""The store of profiles: a folder of the user's, with file names that hold the date and the participant ID alone."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from platformdirs import user_data_path

from realtime_mood.errors import ConfigError, MoodError, ProfileError
from realtime_mood.language import number
from realtime_mood.profile import Profile, stored_in

PARTS = (".json", ".safetensors", ".xdf", ".html")
"""A profile, the weights of its readout, the recording of its session, and its page."""


def folder() -> Path:
    """The user's folder of profiles."""
    return user_data_path("realtime_mood") / "profiles"


def new_name(protocol: str, participant: str = "") -> Path:
    """A new file name in the store; `forget` finds it by the participant ID."""
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    of = f"_sub-{participant}" if participant else ""
    return folder() / f"{now}-{protocol}-{secrets.token_hex(2)}{of}.json"


@dataclass(frozen=True)
class StoredCalibration:
    """A profile in the store, or why it cannot be read."""

    path: Path
    profile: Profile | None
    trouble: str = ""


def kept(where: Path) -> list[StoredCalibration]:
    """Every profile in a folder, oldest first."""
    found = []
    for path in _paths(where):
        try:
            found.append(StoredCalibration(path, Profile.load(path)))
        except ProfileError as error:
            found.append(StoredCalibration(path, None, str(error)))
    return found


def find(name_or_path: str, where: Path) -> Path:
    """Path of a profile, by its name in the store, the beginning of that, or its path.

    Raises `ConfigError` where there is none, or more than one name begins like that.
    """
    return Path(name_or_path) if os.path.isfile(name_or_path) else _named(name_or_path, where)  # noqa: PTH113


def find_kept(name_or_path: str, where: Path) -> Path:
    """Path of a profile that may be deleted: as for `find`, and it must be a profile in the store itself."""
    path = Path(name_or_path)
    is_path = len(path.parts) != 1 or path.name != name_or_path
    if is_path and os.path.realpath(path.parent) != os.path.realpath(where):
        do = "delete that file yourself, or give its folder with --in FOLDER"
        raise ConfigError(f"delete {name_or_path!r}", f"not a profile in {where}", do)
    found = _named(path.name if is_path else name_or_path, where)
    if found.is_symlink() or not stored_in(found):
        raise ConfigError(f"delete {found}", "it is not a profile", "delete the file yourself if you want to")
    return found


def files_of(path: Path) -> list[Path]:
    """A profile and the files of the same name that exist."""
    return [part for part in (path.with_suffix(ending) for ending in PARTS) if part.is_file()]


def is_own(part: Path) -> bool:
    """Whether one of `files_of` was made with the profile, and not only has its name."""
    if part.is_symlink():
        return False
    if part.suffix == ".html":
        from realtime_mood.report.pages import CALIBRATION, may_write

        return may_write(part, CALIBRATION)
    if part.suffix == ".xdf":
        from realtime_mood.recording.reader import open_recorded

        from .collect import protocol_of  # torch takes a second to import

        try:
            return bool(protocol_of(open_recorded(part)))
        except MoodError:
            return False
    return part.suffix == ".json" or bool(json.loads(part.with_suffix(".json").read_bytes()).get("own"))


def _paths(where: Path) -> list[Path]:
    return [path for path in sorted(where.glob("*.json")) if not path.name.startswith(".")]


def _named(name: str, where: Path) -> Path:
    """The profile in a folder with this name, or the only one whose name begins with it."""
    paths = _paths(where)
    found = [path for path in paths if name in (path.name, path.stem)]
    found = found or [path for path in paths if name.strip() and path.name.startswith(name)]
    if len(found) != 1:
        what = f"{len(found)} profiles begin with that name" if found else "no such profile"
        raise ConfigError(f"profile {name!r}", what, "run profiles to list them")
    return found[0]


def summary(profile: Profile) -> str:
    """One line about a profile."""
    badge = "SIMULATED · " if profile.virtual else ""
    text = f"{badge}{profile.made} · {len(profile.ch_names)} electrodes · {profile.seconds:.0f} s of rest"
    if profile.own:
        v = profile.own.verdict
        score, low, high, chance = (number(x, ".2f") for x in (v.balanced_accuracy, *v.interval, v.chance))
        between = ";" if "," in low else ","  # not the decimal sign
        text += f" · {profile.own.name}: balanced accuracy {score} [{low}{between} {high}]"
        text += f", chance {chance}, based on {profile.own.weights}"
    elif profile.refused:
        text += f" · no personal classifier: {profile.refused.text}"
    return text
