"""Writes files whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def write_whole(path: Path, blob: bytes) -> None:
    """Put `blob` at `path` under another name first, so that what stood there stays until the new one is complete.

    Raises
    ------
    OSError
        The disk is full, or cannot be written to; the file that was there is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("wb") as f:
            f.write(blob)
            f.flush()
            os.fsync(f.fileno())
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
