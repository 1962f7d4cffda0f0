"""The check of the LSL configuration in force, and what it sets."""

from __future__ import annotations

import configparser
from contextlib import suppress
from pathlib import Path

from ..language import Phrase
from .finding import Finding, Level


def configuration(own: Path | None, scope: str, home: Path) -> list[Finding]:
    """Which LSL configuration is in force: the user's `own`, if any, else only the `scope`."""
    for name in ("lsl_api.cfg.txt", "lsl_api.txt"):
        if own is None and (path := home / "lsl_api" / name).is_file():
            found = Phrase("{path} is not read: the file has to be called lsl_api.cfg", path=path)
            return [Finding("LSL configuration", Level.WARNING, found, Phrase("rename it"), (("path", str(path)),))]
    if own is None:
        found = Phrase("no lsl_api.cfg of your own; scope {scope}", scope=scope)
        return [Finding("LSL configuration", Level.OK, found)]
    private = [("path", str(own))]
    try:
        settings = read_settings(own)
    except (OSError, ValueError, configparser.Error) as error:
        found = Phrase("{path} cannot be read: {why}", path=own, why=type(error).__name__)
        do = Phrase("correct it, or rename it")
        return [Finding("LSL configuration", Level.WARNING, found, do, tuple(private))]
    listed = "; ".join(f"{key} = {value}" for key, value in settings.items() if key not in ("level", "file"))
    private += [("setting", value) for key, value in settings.items() if key in ("SessionID", "KnownPeers")]
    found = Phrase("{path} is in force ({settings})", path=own, settings=listed or Phrase("without settings"))
    if settings.get("SessionID", "default") not in ("", "default"):
        do = Phrase("if streams are missing: give every program the same SessionID, or delete that line")
        return [Finding("LSL configuration", Level.WARNING, found, do, tuple(private))]
    return [Finding("LSL configuration", Level.OK, found, private=tuple(private))]


def scope_in_force(own: Path | None, scope: str) -> str:
    """The scope that the user asked for: that of their own configuration, if it states one, else `scope`."""
    return settings_of(own).get("ResolveScope", scope)


def settings_of(own: Path | None) -> dict[str, str]:
    """The settings of an LSL configuration; none where there is no file, or it cannot be read."""
    if own is not None:
        with suppress(OSError, ValueError, configparser.Error):
            return read_settings(own)
    return {}


def read_settings(path: Path) -> dict[str, str]:
    """The settings of an LSL configuration, of all its sections; raises `OSError`, `ValueError` or an error of it."""
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=(";", "#"))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # LSL is case-sensitive
    parser.read_string(path.read_text(encoding="utf-8-sig"))
    return {key: value.strip() for section in parser.sections() for key, value in parser.items(section)}
