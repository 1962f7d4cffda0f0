"""Runs code with faults of the system made for real: in namespaces of its own, which no other process sees."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

NOT_HERE = 77  # the exit status of a system where the fault cannot be made


def run_in_namespaces(kinds: str, faults: list[str], code: str, *words: str) -> str:
    """What the Python `code` prints after the shell commands `faults`, in namespaces of the `kinds` of ``unshare``.

    They may use ``"$1"`` and so on, which are the `words`. Skips the test where such a fault cannot be made.
    """
    if sys.platform != "linux":
        pytest.skip("needs namespaces, which only Linux has")
    script = " && ".join(["true", *faults]) + f' || exit {NOT_HERE}; exec "$0" -c "$CODE" "$@"'
    environment = {name: value for name, value in os.environ.items() if name != "LSLAPICFG"}
    done = subprocess.run(
        ["unshare", f"-r{kinds}", "--fork", "--kill-child", "sh", "-c", script, sys.executable, *words],
        capture_output=True, text=True, timeout=100, env={**environment, "CODE": code},
    )  # fmt: skip
    if done.returncode == NOT_HERE or done.stderr.startswith("unshare: "):
        pytest.skip(f"the fault cannot be made here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout
