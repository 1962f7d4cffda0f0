"""A folder for files that are being written; they are moved to their places when all of them are complete."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..files import lock

PREFIX = ".export-"
OLD_S = 86400.0  # age of a folder that a killed export has left


@contextmanager
def staged(target: Path, last: str = "") -> Iterator[Path]:
    """A new folder in `target`. At the end its files are moved to the same places in `target`, `last` at the end.

    Files that are there are replaced. After an error nothing is moved. Folders that killed exports have left there are
    removed after a day. Raises `OSError`.
    """
    target.mkdir(parents=True, exist_ok=True)
    for left in target.glob(f"{PREFIX}*"):
        if left.stat().st_mtime < time.time() - OLD_S:
            shutil.rmtree(left, ignore_errors=True)
    folder = target / f"{PREFIX}{secrets.token_hex(8)}"
    folder.mkdir()
    try:
        yield folder
        for path in sorted((it for it in folder.rglob("*") if it.is_file()), key=lambda it: (it.name == last, it)):
            with path.open("rb+") as f:
                os.fsync(f.fileno())
            place = target / path.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def alone_in(target: Path) -> Iterator[None]:
    """Wait until no other export adds to the data set `target`, whose tables would lose rows; not on Windows."""
    target.mkdir(parents=True, exist_ok=True)
    if os.name == "nt":  # where a folder cannot be opened
        yield
        return
    descriptor = os.open(target, os.O_RDONLY)
    try:
        lock(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)
