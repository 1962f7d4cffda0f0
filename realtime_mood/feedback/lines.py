"""The record of a feedback session: JSON lines of everything fed back, in a private file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigError
from ..files import GrowingFile, check_writable, first_free, free_paths
from ..sinks.jsonlines import to_json


class FeedbackRecord:
    """Lines at `path`, or the next free name beside it; none where that is None.

    Raises
    ------
    ConfigError
        It cannot be written there.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: GrowingFile | None = None
        self.trouble = ""
        """Why lines are missing, in words."""
        if path is not None:
            check_writable(first_free(free_paths(path, ending="feedback.jsonl")), "the lines at")

    def open(self) -> None:
        """Begin a file; raises `ConfigError` where that is not possible any more."""
        if self._path is not None:
            try:
                self._file = GrowingFile(free_paths(self._path, ending="feedback.jsonl"))
            except OSError as error:
                found = error.strerror or str(error)
                raise ConfigError(f"--lines {self._path}", found, "choose another place") from error

    def write(self, line: Mapping[str, object]) -> None:
        """Append a line. On a full disk the session goes on without it, and `trouble` says so."""
        if self._file is not None:
            try:
                self._file.append(f"{to_json(line)}\n".encode())
            except OSError as error:
                self.trouble = f"not written: {error.strerror or error}"

    def close(self, last: Mapping[str, object]) -> None:
        """Append a last line and let go of the file. May be called twice."""
        self.write(last)
        file, self._file = self._file, None
        if file is not None:
            file.close()
