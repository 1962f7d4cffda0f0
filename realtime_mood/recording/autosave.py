"""Automatic recordings: every run in the window is recorded, and the oldest are deleted when they take too much space.

They lie in a folder of their own until the user keeps or discards them, and so do those of calibrations without a
profile. What was not offered when its run ended, because the window was closed or the program was killed, is offered
at the next start.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from ..errors import MoodError
from ..files import first_free, is_being_written, rename_new
from .recover import recover

LIMIT_BYTES = 4 * 2**30  # of all automatic recordings together
FREE_BYTES = 2**30  # on their disk
LEAST = 3  # the newest ones are kept even if they are larger, or the disk is full
LAST_BYTES = b"</info>"  # of a complete recording: the end of a stream's footer


class LeftRecording(NamedTuple):
    """A recording that was neither kept nor discarded."""

    path: Path
    n_bytes: int
    ended: float  # s since 1970
    is_complete: bool
    """False where its program was killed, or the power failed."""


def recordings_in(*folders: Path) -> list[Path]:
    """The recordings in these folders, oldest first."""
    found = []
    for path in (path for folder in folders if folder.is_dir() for path in folder.glob("*.xdf")):
        with suppress(OSError):  # another window may have moved or deleted it
            stat = path.stat()
            if S_ISREG(stat.st_mode):
                found.append((stat.st_mtime, path.name, path))
    return [path for *_, path in sorted(found)]


def left_in(folders: Iterable[Path], since: float | None) -> list[LeftRecording]:
    """What was left in these folders after `since` (s since 1970), oldest first; without a time, the newest alone.

    Recordings that are being made, and those that belong to a profile, are none.
    """
    left = list[LeftRecording]()
    for path in recordings_in(*folders):
        with suppress(OSError):
            stat = path.stat()
            is_new = since is None or stat.st_mtime > since
            if is_new and stat.st_size and not path.with_suffix(".json").exists() and not is_being_written(path):
                left.append(LeftRecording(path, stat.st_size, stat.st_mtime, _is_complete(path)))
    return left if since is not None else left[-1:]


def make_room(folder: Path, limit_bytes: int = LIMIT_BYTES, least: int = LEAST) -> list[Path]:
    """Delete the oldest automatic recordings until all take less than the limit; return what was deleted.

    They also make room for others where the disk is almost full.
    """
    files, sizes = list[Path](), list[int]()
    for path in recordings_in(folder):
        with suppress(OSError):
            if not is_being_written(path):
                sizes.append(path.stat().st_size)
                files.append(path)
    missing, n = FREE_BYTES - shutil.disk_usage(folder).free, 0
    while n < len(files) - least and (sum(sizes[n:]) > limit_bytes or sum(sizes[:n]) < missing):
        files[n].unlink(missing_ok=True)
        n += 1
    return files[:n]


def keep(recording: Path, folder: Path) -> Path:
    """Move an automatic recording to the folder of the others, and return its new path. No file is overwritten.

    One that was cut off is repaired. Raises `OSError` where it cannot be moved; then it is where it was.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stem = recording.stem.rsplit("_run-", 1)[0]
    targets = (folder / f"{stem}_run-{run:02d}_eeg.xdf" for run in count(1))
    target = first_free(targets)
    if not _is_complete(recording):
        with suppress(MoodError):  # no room for a second file, or nothing to read: it is moved as it is
            if recover(recording, target).path is not None:
                recording.unlink()
                return target
    while True:
        try:
            rename_new(recording, target)
        except FileExistsError:  # another window has kept one meanwhile
            target = first_free(targets)
            continue
        except OSError:
            shutil.move(recording, target)  # another disk
        return target


def _is_complete(path: Path) -> bool:
    with path.open("rb") as f:
        f.seek(-min(len(LAST_BYTES), path.stat().st_size), os.SEEK_END)
        return f.read() == LAST_BYTES
