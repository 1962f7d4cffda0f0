"""Reads variables of MATLAB files, versions 5 and 7.3, one at a time, in a child process.

The libraries that read such files crash on some damaged ones (docs/decisions/0016); here that is a message. The child
stays for as long as the file is open, so that its start (some 0.25 s) is paid once per file.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np

from realtime_mood.errors import MoodError

CHILD = Path(__file__).with_name("matfiles_child.py")
LEAST_BYTES = 4 << 30
"""Memory the child may take, and as much as the file has eight times over."""
DO = "download it again, and compare its size with that of the original"


class MatNode(NamedTuple):
    """A cell array or structure: what it holds is read by a longer path."""

    shape: tuple[int, ...]
    fields: tuple[str, ...]
    """Of a structure; empty for a cell array."""


class MatFile:
    """An open MATLAB file.

    Parameters
    ----------
    path : Path
    asked : str
        What is read, for messages (default: the file's name).

    Raises
    ------
    MoodError
        It cannot be read.
    """

    def __init__(self, path: Path, asked: str = "") -> None:
        self._asked = asked or path.name
        try:
            most = LEAST_BYTES + 8 * path.stat().st_size
        except OSError as error:
            raise MoodError(self._asked, f"cannot be read: {error.strerror}", "check the file's path") from None
        command = [sys.executable, "-P", "-W", "ignore", str(CHILD), str(path), str(most)]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def names(self) -> list[str]:
        """The variables, in the order of the file."""
        return list(self._ask([])["names"])

    def read(self, *path: str | int) -> Any:
        """One variable, or what lies below it.

        Parameters
        ----------
        *path : str or int
            Name of the variable; then names of fields, and indices into arrays of structures and cells, from 0 and
            column by column. A structure of one element needs no index.

        Returns
        -------
        ndarray, str or MatNode
            Numbers in MATLAB's orientation whatever the version of the file, at least two-dimensional; text; or what
            a structure or cell array has below it.

        Raises
        ------
        MoodError
            There is no such variable, or the file is damaged.
        """
        answer = self._ask(list(path))
        if "text" in answer:
            return str(answer["text"])
        if "fields" in answer:
            return MatNode(tuple(answer["shape"]), tuple(answer["fields"]))
        content = self._take(answer["bytes"])
        return np.frombuffer(content, answer["dtype"]).reshape(answer["shape"], order="F")

    def _ask(self, path: list[str | int]) -> dict[str, Any]:
        assert self._child.stdin
        assert self._child.stdout
        try:
            self._child.stdin.write(json.dumps(path).encode() + b"\n")
            self._child.stdin.flush()
        except OSError:
            raise self._crashed() from None
        line = self._child.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._crashed()
        answer: dict[str, Any] = json.loads(line)
        if "missing" in answer:
            raise MoodError(f"{'/'.join(map(str, path))} of {self._asked}", answer["missing"], DO)
        if "error" in answer:
            raise MoodError(self._asked, f"a MATLAB file that cannot be read: {answer['error']}", DO)
        return answer

    def _take(self, n_bytes: int) -> bytes:
        assert self._child.stdout
        content = self._child.stdout.read(n_bytes)
        if len(content) < n_bytes:
            raise self._crashed()
        return content

    def _crashed(self) -> MoodError:
        return MoodError(self._asked, "a damaged MATLAB file: the library that reads it crashes", DO)

    def close(self) -> None:
        """End the child process."""
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe:
                try:
                    pipe.close()
                except OSError:  # something was still to be written to a child that has crashed
                    continue
        self._child.kill()
        self._child.wait()

    def __enter__(self) -> MatFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
