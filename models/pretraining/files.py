"""Writing of files during a long run, with an error message that tells how to resume."""

from __future__ import annotations

from pathlib import Path

from realtime_mood import files
from realtime_mood.errors import MoodError


def write_whole(path: Path, blob: bytes) -> None:
    """`realtime_mood.files.write_whole`; raises `MoodError` when there is no room."""
    try:
        files.write_whole(path, blob)
    except OSError as error:
        kept = f"{path.name} is still the one before" if path.is_file() else f"there is no {path.name} yet"
        raise MoodError(
            f"writing {path}", f"{error.strerror or error}; {kept}", "free some space and run again with --resume"
        ) from None
