"""Turns a TOML file into a validated plan: one that came with the program, by its name, or somebody's own, by its path.

Protocols of calibration and sessions of feedback are such plans.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import ConfigError
from .files import read_toml


class Strict(BaseModel):
    """What refuses keys that it does not know, and is never edited."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Plan = TypeVar("Plan", bound=Strict)


def shipped_in(package: str, folder: str) -> dict[str, Path]:
    """The plans in a folder of a package, by name."""
    return {path.stem: path for path in sorted((Path(str(files(package))) / folder).glob("*.toml"))}


def load(kind: type[Plan], what: str, name_or_path: str, known: Mapping[str, Path]) -> Plan:
    """A plan.

    Parameters
    ----------
    kind : type
        Of the plan.
    what : str
        What people call it.
    name_or_path : str
    known : mapping
        Those that came with the program.

    Raises
    ------
    ConfigError
        There is none of that name, or the file cannot be used; says which key is wrong.
    """
    path, asked = known.get(name_or_path) or Path(name_or_path), f"{what} {name_or_path!r}"
    try:
        return kind.model_validate(read_toml(path))
    except FileNotFoundError:
        do = f"use {', '.join(known)}, or the path of a TOML file"
        raise ConfigError(asked, f"no such {what}", do) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise ConfigError(asked, f"{where}: {first['msg']}", "mend that line; docs/guide.md lists the keys") from None
    except (OSError, ValueError) as error:
        raise ConfigError(asked, f"not readable as TOML: {error}", "mend it, or use another one") from None
