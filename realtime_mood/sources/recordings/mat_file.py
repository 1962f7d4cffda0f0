"""Contents of a MATLAB file, read in a child process because its libraries crash on some damaged files.

A crash there becomes a message here. The child costs some 0.25 s, most of it for importing SciPy; why that is
better than a parser of our own stands in ``docs/decisions/0016-untrusted-files-in-a-child-process.md``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from ...errors import StreamMismatch

CHILD = Path(__file__).with_name("mat_child.py")
LEAST_BYTES = 4 << 30  # memory the child may take, and as much as the file has four times over
LONGEST_S = 60.0  # the child is given this much time, and as much again for every 100 MB
DO = "save it again, or convert it to EDF or FIF"


class MatContents(NamedTuple):
    """What stands in a MATLAB file."""

    fields: dict[str, list[str]]  # the variables, and the fields of those that are structures
    codec: str | None  # the encoding to read its text with, where the usual one fails


def read_contents(path: Path, asked: str) -> MatContents:
    """Read a MATLAB file of any version in a child process.

    Parameters
    ----------
    path : Path
    asked : str
        The source, for messages.

    Raises
    ------
    StreamMismatch
        It cannot be read.
    """
    size = path.stat().st_size
    command = [sys.executable, "-P", "-W", "ignore", str(CHILD), str(path), str(LEAST_BYTES + 4 * size)]
    try:
        child = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=LONGEST_S * (1 + size / 100e6), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise StreamMismatch(asked, f"a MATLAB file that is not read within {error.timeout:.0f} s", DO) from None
    lines = child.stdout.splitlines()
    if child.returncode == 0 and lines:
        return MatContents(**json.loads(lines[-1]))
    if child.returncode < 0:
        raise StreamMismatch(asked, "a damaged MATLAB file: the library that reads it crashes", DO)
    output = child.stderr.strip().splitlines() or ["no reason given"]
    raise StreamMismatch(asked, f"a MATLAB file that cannot be read: {output[-1][:120]}", DO)
