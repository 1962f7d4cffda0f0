"""Turns command line, environment and TOML file into one validated set of options, in that order of precedence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from platformdirs import user_config_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import ConfigError
from .files import read_toml
from .pipeline import Notch

PREFIX = "REALTIME_MOOD_"
GIVE_UP_S = 60.0  # where nobody may be looking
NOT_OPTIONS = {"REALTIME_MOOD_DATA"}  # where the tests find recordings


class RunConfig(BaseModel):
    """What a run can be told. Every name is also a command-line option and a key of the TOML file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = "synthetic://"
    view: Literal["auto", "gui", "terminal", "json"] = "auto"
    weights: str = "reader-4"
    readout: str = "auto"
    profile: Path | None = None
    notch: Literal["auto", "50", "60"] = "auto"
    seconds: float | None = Field(default=None, gt=0)
    record: Path | None = None
    markers: str | None = None
    participant: str = Field(default="", pattern="^[A-Za-z0-9]*$")
    session: str = Field(default="", pattern="^[A-Za-z0-9]*$")
    give_up: float | None = Field(default=None, gt=0)
    """Seconds a lost source is looked for; None is for ever in the window, and `GIVE_UP_S` elsewhere."""
    lsl_out: bool = False
    lsl_name: str = Field(default="RealtimeMood", min_length=1)
    """Of the stream of readings; those of feedback begin with it."""
    osc: str | None = None
    osc_muse: str | None = None
    ws: str | None = None
    csv: Path | None = None
    lsl_scope: Literal["loopback", "machine", "link", "site"] | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @property
    def notches(self) -> Notch:
        """The line frequencies to take out (Hz), or ``"auto"``."""
        return "auto" if self.notch == "auto" else (float(self.notch),)

    @property
    def on_lsl(self) -> bool:
        """Whether anything comes or goes over LSL: then recordings are on its clock, as other programs' are."""
        return self.source.startswith("lsl:") or self.markers is not None or self.lsl_out


def default_file() -> Path | None:
    """``realtime_mood.toml`` here, else the user's own, else None."""
    for path in (Path("realtime_mood.toml"), user_config_path("realtime_mood") / "config.toml"):
        if path.is_file():
            return path
    return None


def resolve(
    given: Mapping[str, object], file: Path | None = None, environment: Mapping[str, str] = os.environ
) -> RunConfig:
    """Gather a run's options.

    Parameters
    ----------
    given : mapping
        From the command line; None means not given.
    file : Path, optional
        A TOML file; the default one when None.

    Raises
    ------
    ConfigError
        For an unknown key, a value out of range, or an unreadable file.
    """
    path = file or default_file()
    layers = [_read(path)] if path else []
    known = RunConfig.model_fields
    layers.append({
        key[len(PREFIX) :].lower(): value
        for key, value in environment.items()
        if key.startswith(PREFIX) and key not in NOT_OPTIONS
    })  # fmt: skip
    layers.append({key: value for key, value in given.items() if value is not None})
    merged: dict[str, object] = {}
    for layer in layers:
        merged |= layer
    try:
        return RunConfig.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        where = f" in {path}" if path and key in layers[0] else ""
        raise ConfigError(
            f"option {key!r}{where}", f"{merged[key]!r}: {first['msg']}", f"options are {', '.join(known)}"
        ) from None


def _read(path: Path) -> dict[str, object]:
    try:
        return read_toml(path)
    except FileNotFoundError:
        raise ConfigError(f"config file {path}", "no such file", "check the path") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"config file {path}", f"not readable as TOML: {error}", "mend it, or leave it out") from None
