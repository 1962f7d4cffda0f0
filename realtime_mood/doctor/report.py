"""The forms of the result of ``doctor``: text for the terminal, a JSON object, and text for a public issue."""

from __future__ import annotations

import getpass
import ipaddress
import platform
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..language import Phrase, translated
from .finding import Finding, Level, Say, exit_code

HEADS = {
    Level.OK: Phrase("ok"), Level.NOT_CHECKED: Phrase("not checked"), Level.WARNING: Phrase("warning"),
    Level.WRONG: Phrase("WRONG"),
}  # fmt: skip
SYSTEM_PLACES = "dev|etc|proc|sys|usr|lib|lib64|opt|run|bin|sbin"
PATTERNS = (
    ("device", re.compile(r"\b[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}\b")),
    ("path", re.compile(rf"(?<![\w~./:])/(?!(?:{SYSTEM_PLACES})\b)[^\s,;:()'\"]+|\b[A-Za-z]:\\[^\s,;()'\"]+")),
    ("address", re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")),
    ("address", re.compile(r"(?<![\w:])(?:[\dA-Fa-f]{1,4}:){4,7}[\dA-Fa-f]{1,4}")),
    ("address", re.compile(r"(?<![\w:])(?:[\dA-Fa-f]{1,4}:)*:(?:[\dA-Fa-f]{1,4}:)*[\dA-Fa-f]{1,4}(?!\w)")),
    ("serial", re.compile(r"\b(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{8,}\b")),
)  # fmt: skip


def system() -> str:
    """The program, Python and the operating system."""
    return (
        f"realtime_mood {__version__} · Python {platform.python_version()} · {platform.system()} {platform.release()}"
    )


def text(findings: Sequence[Finding], scope: str, *, say: Say = translated) -> Iterator[str]:
    """Lines for the terminal, most serious first; `say` is `translated`, or `str` for English."""
    yield f"{system()} · {say(Phrase('LSL scope {scope}', scope=scope))}"
    heads = {level: say(word) for level, word in HEADS.items()}
    width = max(map(len, heads.values()))
    for finding in findings:
        name, found, do = finding.words(say)
        yield f"{heads[finding.level]:>{width}}  {name}: {found}"
        if do:
            yield f"{'':{width}}  → {do}"
    yield say(verdict(findings))


def verdict(findings: Sequence[Finding]) -> Phrase:
    """The result in one line."""
    n_wrong, n_warnings = (sum(one.level == level for one in findings) for level in (Level.WRONG, Level.WARNING))
    if n_wrong:
        return Phrase("Faults that prevent a run or a recording: {n} · warnings: {m}", n=n_wrong, m=n_warnings)
    if n_warnings:
        return Phrase("Nothing prevents a run or a recording · warnings: {m}", m=n_warnings)
    return Phrase("Nothing is wrong")


def as_object(findings: Sequence[Finding], scope: str) -> dict[str, Any]:
    """The result as one JSON object."""
    listed = [
        {"check": one.check, "level": one.level.label, "found": found, "do": do}
        for one, (_, found, do) in ((one, one.words()) for one in findings)
    ]
    about = {"kind": "doctor", "version": __version__, "python": platform.python_version()}
    about |= {"system": f"{platform.system()} {platform.release()}", "lsl_scope": scope}
    return {**about, "exit_code": exit_code(list(findings)), "findings": listed}


def for_an_issue(findings: Sequence[Finding], scope: str) -> str:
    """The result as Markdown, without names of the user, of hosts and streams, without paths, addresses and serials.

    It is in English, so that everybody can help, and find it.
    """
    body = "\n".join(text(findings, scope, say=str))
    names = [pair for finding in findings for pair in finding.private]
    return f"```text\n{without_names(body, names)}\n```"


def without_names(body: str, names: Sequence[tuple[str, str]], home: Path | None = None) -> str:
    """`body` with every name replaced: the user's home folder, name and host, those of `names`, and what looks private.

    The same name is replaced by the same words, ``host-1``.
    """
    home = home or Path.home()
    stands_for: dict[tuple[str, str], str] = {}

    def numbered(kind: str, name: str) -> str:
        n = sum(known == kind for known, _ in stands_for) + 1
        return stands_for.setdefault((kind, name.lower()), f"{kind}-{n}")

    body = re.sub(rf"{re.escape(str(home))}(?=[\W_]|$)", "~", body)
    own = socket.gethostname()
    hosts = [("host", name) for name in (own, own.partition(".")[0], platform.node())]
    user = [("user", name) for name in (_user(), home.name) if name != "root"]
    for kind, name in sorted({*names, *hosts, *user}, key=lambda pair: -len(pair[1])):
        if not name or (kind == "path" and name.startswith(str(home))):
            continue
        body = _replaced(body, name, numbered(kind, name) if kind != "user" else "user")
    for kind, pattern in PATTERNS:
        body = pattern.sub(_numberer(kind, numbered), body)
    return body


def _replaced(body: str, name: str, by: str) -> str:
    return re.sub(rf"(?<![\w~]){re.escape(name)}(?!\w)", by, body, flags=re.IGNORECASE)


def _numberer(kind: str, numbered: Callable[[str, str], str]) -> Callable[[re.Match[str]], str]:
    return lambda found: found[0] if _is_public(found[0]) else numbered(kind, found[0])


def _is_public(word: str) -> bool:
    """Whether it is an address that every computer has: loopback, unspecified, multicast."""
    try:
        address = ipaddress.ip_address(word)
    except ValueError:
        return False
    return address.is_loopback or address.is_multicast or address.is_unspecified


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return ""
