"""Turns a list of conditions into a sealed file of codes: neither the person nor whoever sits beside them knows.

It keeps honest people blind, not a determined one out: whoever wants to know can open it, and opening is logged in it.
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

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that looks like another


def seal(path: Path, conditions: Sequence[str], n: int, seed: int | None = None) -> list[str]:
    """Write a file of `n` codes, as many of each condition as can be, in random order; returns the codes.

    Raises
    ------
    ConfigError
        No or unknown conditions, or the file exists already.
    """
    if not conditions:
        raise ConfigError("a sealed file", "no condition", f"--conditions takes some of {', '.join(NAMES)}")
    if unknown := [name for name in conditions if name not in NAMES]:
        raise ConfigError(f"condition {unknown[0]!r}", "unknown", f"known are {', '.join(NAMES)}")
    check_writable(path, "a sealed file at")
    if os.path.lexists(path):
        raise ConfigError(f"a sealed file at {path}", "there is one", "choose another name: none is overwritten")
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
    """The condition behind a code, for the program itself: nothing is logged, and nothing is to be shown."""
    entry = _entry(_read(path), path, code)
    try:
        name = base64.b64decode(entry["sealed"]).decode()[len(entry["salt"]) :]
    except (ValueError, TypeError):
        name = ""
    if name not in NAMES or _commitment(code, entry["salt"], name) != entry["sha256"]:
        raise ConfigError(f"the sealed file {path}", f"code {code} was tampered with", "use another code")
    return name


def needs_yoke(path: Path) -> bool:
    """Whether some session of this study is yoked: then each of them needs a session to yoke to, or it would tell."""
    return "yoked" in _read(path)["conditions"]


def check(path: Path, code: str) -> None:
    """Raise `ConfigError` when this code has been used or opened before: it is no longer blind."""
    told = _read(path)
    _entry(told, path, code)
    if any(line["code"] == code for line in told["log"]):
        raise ConfigError(f"code {code}", "it has been used or opened already", "take another one")


def use(path: Path, code: str) -> None:
    """Log that a session begins with this code; raises as `check` does."""
    check(path, code)
    told = _read(path)
    told["log"].append({"at": _now(), "code": code, "what": "used"})
    _write(path, told)


def is_open(path: Path, code: str) -> bool:
    """Whether somebody has opened this code."""
    told = _read(path)
    _entry(told, path, code)
    return any(line["code"] == code and line["what"] == "opened" for line in told["log"])


def unblind(path: Path, code: str, who: str = "") -> str:
    """The condition behind a code, and a line in the file's log that it was opened."""
    name, told = condition_of(path, code), _read(path)
    told["log"].append({"at": _now(), "code": code, "what": "opened", "who": who})
    _write(path, told)
    return name


def _close(code: str, name: str) -> dict[str, str]:
    salt = secrets.token_hex(8)
    hidden = base64.b64encode((salt + name).encode()).decode()
    return {"salt": salt, "sealed": hidden, "sha256": _commitment(code, salt, name)}


def _commitment(code: str, salt: str, name: str) -> str:
    return hashlib.sha256(f"{code}/{salt}/{name}".encode()).hexdigest()


def _entry(told: dict[str, Any], path: Path, code: str) -> dict[str, str]:
    entry: dict[str, str] | None = told["codes"].get(code)
    if entry is None:
        raise ConfigError(f"code {code!r}", f"not in {path}", "check the letters")
    return entry


def _read(path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != 1 or not isinstance(told["conditions"], list):
            raise ValueError
        if not all({"salt", "sealed", "sha256"} <= entry.keys() for entry in told["codes"].values()):
            raise ValueError
        if not all({"code", "what"} <= line.keys() for line in told["log"]):
            raise ValueError
    except OSError as error:
        raise ConfigError(f"the sealed file {path}", f"cannot be read: {error.strerror}", "check the path") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        do = "choose another, or make one with: realtime-mood seal FILE"
        raise ConfigError(f"the sealed file {path}", "it is damaged, or no sealed file", do) from None
    return told


def _write(path: Path, told: dict[str, Any]) -> None:
    try:
        write_private(path, json.dumps(told, indent=1).encode())
    except OSError as error:
        found = f"not written: {error.strerror or error}"
        raise ConfigError(f"the sealed file {path}", found, "nothing is opened or used unless it is logged") from None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
