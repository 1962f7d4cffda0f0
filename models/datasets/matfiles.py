"""Reads variables of MATLAB files, versions 5 and 7.3, one at a time, in a child process.

The libraries that read such files crash on some damaged ones (docs/decisions/0016); here that is a message. A child
reads one file after another, so that its start (some 0.25 s) is paid once.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import weakref
from contextlib import suppress
from itertools import count
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
        self._asked, self._path, self._key = asked or path.name, path, f"{os.getpid()} {next(_number)}"
        try:
            self._most_bytes = LEAST_BYTES + 8 * path.stat().st_size
        except OSError as error:
            raise MoodError(self._asked, f"cannot be read: {error.strerror}", "check the file's path") from None
        self._child = _take()
        self._is_in_step = True  # every answer of the child's has been read
        self._abandoned = weakref.finalize(self, _end, self._child)  # a reader whose generator is never finished

    def names(self) -> list[str]:
        """The variables, in the order of the file."""
        return list(self._ask([])[0]["names"])

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
        answer, content = self._ask(list(path))
        if "text" in answer:
            return str(answer["text"])
        if "fields" in answer:
            return MatNode(tuple(answer["shape"]), tuple(answer["fields"]))
        return np.frombuffer(content, answer["dtype"]).reshape(answer["shape"], order="F")

    def _ask(self, path: list[str | int]) -> tuple[dict[str, Any], bytes]:
        asked = {"key": self._key, "file": str(self._path), "most_bytes": self._most_bytes, "path": path}
        self._is_in_step = False
        line, content = _exchange(self._child, asked)
        answer: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
        if not answer or len(content) < answer.get("bytes", 0):
            raise MoodError(self._asked, "a damaged MATLAB file: the library that reads it crashes", DO)
        self._is_in_step = True
        if "missing" in answer:
            raise MoodError(f"{'/'.join(map(str, path))} of {self._asked}", answer["missing"], DO)
        if "error" in answer:
            raise MoodError(self._asked, f"a MATLAB file that cannot be read: {answer['error']}", DO)
        return answer, content

    def close(self) -> None:
        """Leave the child process to the next file, or end it where something went wrong."""
        if not self._abandoned.detach():
            return  # closed before
        if self._is_in_step and len(_idle) < MOST_IDLE:
            _idle.append((os.getpid(), self._child))
        else:
            _end(self._child)

    def __enter__(self) -> MatFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


# -- the child process ---------------------------------------------------------------------------------------------

Child = subprocess.Popen[bytes]
MOST_IDLE = 2
_idle: list[tuple[int, Child]] = []
_number = count()


def _take() -> Child:
    """A child that waits for work, or a new one."""
    while _idle:
        owner, child = _idle.pop()
        if owner == os.getpid() and child.poll() is None:  # after a fork the pipes are the parent's
            return child
        if owner == os.getpid():
            _end(child)
    command = [sys.executable, "-P", "-W", "ignore", str(CHILD)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _exchange(child: Child, asked: dict[str, Any]) -> tuple[bytes, bytes]:
    """A line of the child's answer, and the bytes after it; less where it has crashed."""
    assert child.stdin
    assert child.stdout
    try:
        child.stdin.write(json.dumps(asked).encode() + b"\n")
        child.stdin.flush()
    except OSError:
        return b"", b""
    line = child.stdout.readline()
    n_bytes = json.loads(line).get("bytes", 0) if line.endswith(b"\n") else 0
    return line, child.stdout.read(n_bytes)


def _end(child: Child) -> None:
    for pipe in (child.stdin, child.stdout):
        with suppress(OSError):  # something was still to be written to a child that has crashed
            if pipe:
                pipe.close()
    child.kill()
    child.wait()


@atexit.register
def _end_all() -> None:
    while _idle:
        _end(_idle.pop()[1])
