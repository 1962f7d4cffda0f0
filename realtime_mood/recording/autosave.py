"""Automatic recordings: every run in the window is recorded, and the oldest are deleted when they take too much space.

They lie in a folder of their own until the user keeps or discards them.
"""

from __future__ import annotations

import os
import shutil
from itertools import count
from pathlib import Path

from ..files import first_free

LIMIT_BYTES = 4 * 2**30  # of all automatic recordings together
LEAST = 3  # the newest ones are kept even if they are larger


def recordings_in(*folders: Path) -> list[Path]:
    """The recordings in these folders, oldest first."""
    found = [path for folder in folders if folder.is_dir() for path in folder.glob("*.xdf") if path.is_file()]
    return sorted(found, key=lambda path: (path.stat().st_mtime, path.name))


def make_room(folder: Path, limit_bytes: int = LIMIT_BYTES, least: int = LEAST) -> list[Path]:
    """Delete the oldest automatic recordings until all take less than the limit; return what was deleted."""
    files = recordings_in(folder)
    sizes = [path.stat().st_size for path in files]
    n = 0
    while n < len(files) - least and sum(sizes[n:]) > limit_bytes:
        files[n].unlink(missing_ok=True)
        n += 1
    return files[:n]


def keep(recording: Path, folder: Path) -> Path:
    """Move an automatic recording to the folder of the others, and return its new path. No file is overwritten.

    Raises `OSError` where that fails; then the recording is where it was.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stem = recording.stem.rsplit("_run-", 1)[0]
    target = first_free(folder / f"{stem}_run-{run:02d}_eeg.xdf" for run in count(1))
    try:
        os.link(recording, target)  # fails where the file exists, unlike a rename
        recording.unlink()
    except OSError:
        shutil.move(recording, target)  # another disk, or one without links
    return target
