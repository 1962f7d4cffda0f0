"""Writes what a long run leaves on disk: each file whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from realtime_mood.errors import MoodError


def write_whole(path: Path, blob: bytes) -> None:
    """Put `blob` at `path` under another name first, so that what stood there stays until the new one is complete.

    Raises
    ------
    MoodError
        The disk is full, or cannot be written to; the file that was there is as it was.
    """
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as f:
            f.write(blob)
            f.flush()
            os.fsync(f.fileno())
        partial.replace(path)
    except OSError as error:
        kept = f"{path.name} is still the one before" if path.is_file() else f"there is no {path.name} yet"
        try:
            partial.unlink(missing_ok=True)
        except OSError:
            kept += f"; {partial.name} is left over"
        raise MoodError(
            f"writing {path}", f"{error.strerror or error}; {kept}", "free some space and run again with --resume"
        ) from None
