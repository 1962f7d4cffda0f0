"""The record of a feedback session: a private file of JSON lines with everything that was fed back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigError
from ..files import GrowingFile, check_writable, first_free, free_paths
from ..sinks.jsonlines import to_json


class FeedbackRecord:
    """Writes JSON lines to `path`, or to the next free name; writes nothing where that is None.

    Raises
    ------
    ConfigError
        The file cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: GrowingFile | None = None
        self.trouble = ""
        """Why lines are missing; empty where none are."""
        if path is not None:
            check_writable(first_free(free_paths(path, ending="feedback.jsonl")), "the lines at")

    def open(self) -> None:
        """Open a new file; raises `ConfigError` where that is not possible."""
        if self._path is not None:
            try:
                self._file = GrowingFile(free_paths(self._path, ending="feedback.jsonl"))
            except OSError as error:
                found = error.strerror or str(error)
                raise ConfigError(f"--lines {self._path}", found, "choose another place") from error

    def write(self, line: Mapping[str, object]) -> None:
        """Append a line. On a full disk the session continues without it, and `trouble` says so."""
        if self._file is not None:
            try:
                self._file.append(f"{to_json(line)}\n".encode())
            except OSError as error:
                self.trouble = f"not written: {error.strerror or error}"

    def close(self, last: Mapping[str, object]) -> None:
        """Append a last line and close the file. May be called twice."""
        self.write(last)
        file, self._file = self._file, None
        if file is not None:
            file.close()
