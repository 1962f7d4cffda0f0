"""Sealed files of blinding codes: neither the subject nor the experimenter knows the condition of a session.

This prevents accidental unblinding, not deliberate: anyone can open a code, and opening is logged in the file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..files import check_writable, write_private
from .conditions import NAMES

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without letters that look alike


def seal(path: Path, conditions: Sequence[str], n: int, seed: int | None = None) -> list[str]:
    """Write a sealed file of `n` codes, balanced over conditions, in random order; returns the codes.

    Raises `ConfigError` where there are no or unknown conditions, or the file exists.
    """
    if not conditions:
        raise ConfigError("a sealed file", "no condition", f"--conditions takes some of {', '.join(NAMES)}")
    if unknown := [name for name in conditions if name not in NAMES]:
        raise ConfigError(f"condition {unknown[0]!r}", "unknown", f"known are {', '.join(NAMES)}")
    check_writable(path, "a sealed file at")
    if os.path.lexists(path):
        raise ConfigError(f"a sealed file at {path}", "the file exists", "choose another name")
    rng = np.random.default_rng(seed)
    drawn = [conditions[k % len(conditions)] for k in range(n)]
    rng.shuffle(drawn)
    codes: list[str] = []
    while len(codes) < n:
        if (code := "".join(rng.choice(list(LETTERS), 5))) not in codes:
            codes.append(code)
    entries = {code: _close(code, name) for code, name in zip(codes, drawn, strict=True)}
    _write(path, {"format": 1, "made": _now(), "conditions": list(conditions), "codes": entries, "log": []})
    return codes


def condition_of(path: Path, code: str) -> str:
    """The condition of a code, for the program itself: it is not logged and must not be shown."""
    entry = _entry(_read(path), path, code)
    try:
        name = base64.b64decode(entry["sealed"]).decode()[len(entry["salt"]) :]
    except (ValueError, TypeError):
        name = ""
    if name not in NAMES or _commitment(code, entry["salt"], name) != entry["sha256"]:
        raise ConfigError(f"the sealed file {path}", f"the entry of code {code} was changed", "use another code")
    return name


def needs_yoke(path: Path) -> bool:
    """Whether the study has a yoked condition: then every session needs one to yoke to, or it would be revealed."""
    return "yoked" in _read(path)["conditions"]


def check(path: Path, code: str) -> None:
    """Raise `ConfigError` where the code was used or opened before and is no longer blind."""
    content = _read(path)
    _entry(content, path, code)
    if any(line["code"] == code for line in content["log"]):
        raise ConfigError(f"code {code}", "it was used or opened before", "use another code")


def use(path: Path, code: str) -> None:
    """Log that a session begins with this code; raises as `check` does."""
    check(path, code)
    content = _read(path)
    content["log"].append({"at": _now(), "code": code, "what": "used"})
    _write(path, content)


def is_open(path: Path, code: str) -> bool:
    """Whether the code was opened."""
    content = _read(path)
    _entry(content, path, code)
    return any(line["code"] == code and line["what"] == "opened" for line in content["log"])


def unblind(path: Path, code: str, who: str = "") -> str:
    """The condition of a code; the file logs that it was opened, by `who`."""
    name, content = condition_of(path, code), _read(path)
    content["log"].append({"at": _now(), "code": code, "what": "opened", "who": who})
    _write(path, content)
    return name


def _close(code: str, name: str) -> dict[str, str]:
    salt = secrets.token_hex(8)
    hidden = base64.b64encode((salt + name).encode()).decode()
    return {"salt": salt, "sealed": hidden, "sha256": _commitment(code, salt, name)}


def _commitment(code: str, salt: str, name: str) -> str:
    return hashlib.sha256(f"{code}/{salt}/{name}".encode()).hexdigest()


def _entry(content: dict[str, Any], path: Path, code: str) -> dict[str, str]:
    entry: dict[str, str] | None = content["codes"].get(code)
    if entry is None:
        raise ConfigError(f"code {code!r}", f"not in {path}", "check the letters")
    return entry


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        is_whole = content["format"] == 1 and isinstance(content["conditions"], list)
        is_whole &= all({"salt", "sealed", "sha256"} <= entry.keys() for entry in content["codes"].values())
        if not is_whole or not all({"code", "what"} <= line.keys() for line in content["log"]):
            raise ValueError
    except OSError as error:
        raise ConfigError(f"the sealed file {path}", f"cannot be read: {error.strerror}", "check the path") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        do = "choose another, or make one with: realtime-mood seal FILE"
        raise ConfigError(f"the sealed file {path}", "it is damaged or not a sealed file", do) from None
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    try:
        write_private(path, json.dumps(content, indent=1).encode())
    except OSError as error:
        found, do = f"not written: {error.strerror or error}", "make it writable: each use of a code must be logged"
        raise ConfigError(f"the sealed file {path}", found, do) from None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
