"""Where profiles are kept: one folder of the user's, file names that say when and nothing about whom."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from platformdirs import user_data_path

from realtime_mood.errors import ConfigError, ProfileError
from realtime_mood.profile import Profile

PARTS = (".json", ".safetensors", ".xdf", ".html")
"""A profile, the numbers of its readout, the recording of its sitting, and its page."""


def folder() -> Path:
    """The user's folder of profiles."""
    return user_data_path("realtime_mood") / "profiles"


def new_name(protocol: str) -> Path:
    """A free place in the store."""
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return folder() / f"{now}-{protocol}-{secrets.token_hex(2)}.json"


@dataclass(frozen=True)
class Kept:
    """A profile in the store, or why it is none."""

    path: Path
    profile: Profile | None
    trouble: str = ""


def kept(where: Path) -> list[Kept]:
    """Every profile in a folder, oldest first."""
    found = []
    for path in sorted(where.glob("*.json")):
        try:
            found.append(Kept(path, Profile.load(path)))
        except ProfileError as error:
            found.append(Kept(path, None, str(error)))
    return found


def find(name_or_path: str, where: Path) -> Path:
    """A profile by its name in the store, the beginning of it, or its path.

    Raises
    ------
    ConfigError
        There is none, or more than one begins like that.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    found = sorted(where.glob(f"{name_or_path}*.json"))
    if len(found) != 1:
        what = f"{len(found)} profiles begin like that" if found else "no such profile"
        raise ConfigError(f"profile {name_or_path!r}", what, "profiles lists them")
    return found[0]


def files_of(path: Path) -> list[Path]:
    """A profile and all that was made with it, as far as it is there."""
    return [part for part in (path.with_suffix(ending) for ending in PARTS) if part.is_file()]


def summary(profile: Profile) -> str:
    """One line on what it is good for."""
    badge = "VIRTUAL PERSON · " if profile.virtual else ""
    text = f"{badge}{profile.made} · {len(profile.ch_names)} electrodes · {profile.seconds:.0f} s of rest"
    if profile.own:
        v = profile.own.verdict
        low, high = v.interval
        text += f" · {profile.own.name}: {v.balanced_accuracy:.2f} [{low:.2f}, {high:.2f}], chance {v.chance:.2f}"
        text += f", stands on {profile.own.weights}"
    elif profile.refused:
        text += f" · no readout of their own: {profile.refused.text}"
    return text
