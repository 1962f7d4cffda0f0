"""Queue of a recording for the disk, limited in bytes: a slow disk holds up nothing but the file."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .xdf_session import XdfSession

BATCH_BYTES = 4 * 2**20  # size of a batch that is written at once (bytes)

Piece = Callable[[XdfSession], bytes]


class Waiting(NamedTuple):
    """An item in the queue for the file."""

    piece: Piece
    n_samples: int
    n_bytes: int
    left_out: int  # samples just before it that did not fit into the queue


class Backlog:
    """Queue for the disk, limited in bytes."""

    def __init__(self, limit: int) -> None:
        self._limit, self._lock = limit, threading.Lock()
        self._items: deque[Waiting] = deque()
        self._n_bytes = self._left_out = 0

    def put(self, piece: Piece, n_samples: int, n_bytes: int, share: float = 1.0) -> bool:
        """Queue an item; False when it does not fit: its samples are counted for the next item.

        It may use this `share` of the limit.
        """
        with self._lock:
            if self._n_bytes + n_bytes > share * self._limit:
                self._left_out += n_samples
                return False
            self._items.append(Waiting(piece, n_samples, n_bytes, self._left_out))
            self._n_bytes += n_bytes
            self._left_out = 0
            return True

    def batches(self) -> Iterator[list[Waiting]]:
        """All queued items, oldest first, in batches of a few MiB."""
        while self._items:
            batch, n_bytes = list[Waiting](), 0
            with self._lock:
                while self._items and n_bytes < BATCH_BYTES:
                    batch.append(self._items.popleft())
                    n_bytes += batch[-1].n_bytes
                self._n_bytes -= n_bytes
            yield batch
