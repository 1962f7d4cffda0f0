"""Arrays of prepared subjects that stay on disk: mapped into memory, and pickled as the place of their rows."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

import numpy as np


def mapped(path: Path | str) -> np.ndarray:
    """The array of a ``.npy`` file, read-only; parts are read when they are used."""
    return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)  # slices of a plain array are faster


def on_disk(array: np.ndarray, folder: Path | str) -> np.ndarray:
    """A copy of `array` in a new file in `folder`, mapped."""
    handle, path = mkstemp(".npy", dir=folder)
    with os.fdopen(handle, "wb") as file:
        np.save(file, array, allow_pickle=False)
    return mapped(path)


@dataclass(frozen=True)
class RowsOnDisk:
    """Some consecutive rows of a ``.npy`` file, for another process to map."""

    path: str
    first: int
    n_rows: int

    @classmethod
    def of(cls, array: np.ndarray) -> RowsOnDisk | None:
        """Where the rows of `array` are; None where they are in memory, or not all of a row is there."""
        file = _file(array)
        if file is None or (array.strides, array.shape[1:]) != (file.strides, file.shape[1:]):
            return None
        begin = array.__array_interface__["data"][0] - file.__array_interface__["data"][0]
        return cls(str(file.filename), begin // file.strides[0], len(array))

    def array(self) -> np.ndarray:
        """The rows, mapped."""
        return mapped(self.path)[self.first : self.first + self.n_rows]


def release(array: np.ndarray) -> None:
    """Let go of what was read of a mapped array; else all of the file counts as memory of this process."""
    file = _file(array)
    if file is not None and isinstance(file.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        file.base.madvise(mmap.MADV_DONTNEED)


def _file(array: np.ndarray) -> np.memmap | None:
    """The mapped file that `array` is a part of."""
    base: object = array
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    while isinstance(base, np.memmap) and isinstance(base.base, np.memmap):
        base = base.base
    return base if isinstance(base, np.memmap) and base.filename is not None else None
