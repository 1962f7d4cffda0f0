"""Runs checks side by side, each within its deadline, and calls functions in child processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .. import clock
from ..guard import GuardedThread, words_of
from ..language import Phrase
from .finding import Check, Finding, Level

CHILD = """
import json, sys
from importlib import import_module
module, _, function = sys.argv[1].partition(":")
value = getattr(import_module(module), function)(*sys.argv[2:])
print("\\n" + json.dumps(value))
"""


class ChildFailed(Exception):
    """A child process gave no value; `why` says it in words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class ChildSlow(ChildFailed):
    """It has not answered within its deadline: that may be the computer."""


def in_child(target: str, *words: str, deadline_s: float, environment: Mapping[str, str] = os.environ) -> Any:
    """What the function `target`, as ``module:name``, returns for `words`, called in a process of its own.

    A crash or a hang of a library ends that process only. Raises `ChildFailed`, or `ChildSlow`.
    """
    root = str(Path(__file__).parents[2])
    paths = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH", ""))))
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", CHILD, target, *words], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=deadline_s, env={**environment, "PYTHONPATH": paths},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        why = Phrase("no answer within {seconds:g} s; the computer may be slow or busy", seconds=deadline_s)
        raise ChildSlow(why) from None
    if done.returncode < 0:
        raise ChildFailed(Phrase("it crashed ({signal})", signal=signal.Signals(-done.returncode).name))
    if done.returncode:
        code = Phrase("exit code {code}", code=done.returncode)
        raise ChildFailed((done.stderr.strip().splitlines() or [code])[-1])
    return json.loads(done.stdout.splitlines()[-1])


def failed(check: str, found: str, error: ChildFailed, do: str) -> list[Finding]:
    """The finding that a child process failed; one that is only slow prevents nothing."""
    return [Finding(check, Level.WARNING if isinstance(error, ChildSlow) else Level.WRONG, found, do)]


def examine(checks: Sequence[Check]) -> list[Finding]:
    """The findings of all checks, most serious first, then in the order of `checks`.

    They run at the same time, so this takes no longer than the longest deadline. One that hangs is left behind.
    """
    results: dict[str, list[Finding]] = {}
    began = clock.now()
    threads = [GuardedThread(partial(_look, check, results), f"mood-doctor {check.name}") for check in checks]
    for thread in threads:
        thread.start()
    for check, thread in zip(checks, threads, strict=True):
        thread.join(max(0.0, began + check.deadline_s - clock.now()))
    found = [finding for check in checks for finding in _results_of(check, results)]
    return sorted(found, key=lambda finding: -finding.level if finding.level > Level.NOT_CHECKED else 0)


def _look(check: Check, results: dict[str, list[Finding]]) -> None:
    try:
        results[check.name] = check.look()
    except Exception as error:  # the other checks are still of use
        why = f"{type(error).__name__}: {words_of(error)}"
        found = Phrase("the check failed: {why}", why=why)
        do = Phrase("send `doctor --report` to the developers")
        results[check.name] = [Finding(check.name, Level.WARNING, found, do)]


def _results_of(check: Check, results: dict[str, list[Finding]]) -> list[Finding]:
    found = Phrase("no answer within {seconds:g} s", seconds=check.deadline_s)
    return results.get(check.name, [Finding(check.name, Level.WARNING, found, check.hangs)])
