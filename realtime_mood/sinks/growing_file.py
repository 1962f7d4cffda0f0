"""Turns pieces of bytes into a file of ours alone that only grows, by whole pieces, and never replaces another."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

from ..errors import ConfigError

FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class GrowingFile:
    """The first of `paths` that is still free, made for this user's eyes only. Every method may raise `OSError`."""

    def __init__(self, paths: Iterator[Path]) -> None:
        for self.path in paths:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                self._fd = os.open(self.path, FLAGS, 0o600)
                break
            except FileExistsError:
                continue
        else:
            raise FileExistsError(errno.EEXIST, "it exists already")
        self.n_bytes = 0

    def append(self, data: bytes) -> None:
        """Hand `data` to the system, all of it or nothing."""
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError:
            os.ftruncate(self._fd, self.n_bytes)
            os.lseek(self._fd, self.n_bytes, os.SEEK_SET)
            raise
        self.n_bytes += len(data)

    def sync(self) -> None:
        """Have it brought to the disk. Raises `FileNotFoundError` when somebody deleted it."""
        os.fsync(self._fd)
        if not os.fstat(self._fd).st_nlink:
            raise FileNotFoundError(errno.ENOENT, "deleted while it was written", str(self.path))

    def close(self) -> None:
        """Let go of it; nothing is left of one that is empty."""
        os.close(self._fd)
        if not self.n_bytes:
            self.path.unlink(missing_ok=True)


def free_paths(path: Path, participant: str = "", session: str = "", ending: str = "eeg.xdf") -> Iterator[Path]:
    """Where a recording may go, best first: `path`, ``…_2.xdf``, …; or, in a folder, run after run of a session."""
    suffix = ending[ending.rindex(".") :]
    path = path.expanduser()
    if path.is_dir():
        made = f"{datetime.now():%Y%m%dT%H%M%S}"  # local time: it is for the person who looks for the file
        stem = f"sub-{_label(participant) or 'unnamed'}_ses-{_label(session) or made}_task-mood"
        yield from (path / f"{stem}_run-{run:02d}_{ending}" for run in count(1))
    if path.suffix.lower() != suffix:
        path = path.with_name(path.name + suffix)
    yield path
    yield from (path.with_stem(f"{path.stem}_{n}") for n in count(2))


def _label(text: str) -> str:
    """What of `text` BIDS allows in a file's name."""
    return re.sub(r"[^0-9A-Za-z]", "", text)


def check_writable(path: Path) -> None:
    """Raise `ConfigError` when a file at `path` could not be made, as far as can be told without trying."""
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise ConfigError(f"record to {path}", f"{folder} is no folder", "choose another place")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"record to {path}", f"{folder} may not be written", "choose another place")
