"""Readings of a stream without pace: computed in batches on several threads, and returned in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from ..pipeline import BATCH, Pipeline
from ..types import Reading, Window

MOST_THREADS = 8
Batch = tuple[list[Window], "Future[list[Reading]]"]


class Batches:
    """Batches of `BATCH` windows of one pipeline; which windows are in one does not depend on the time.

    While batches are computed, the pipeline goes on to filter: that is what takes the time of offline playback on a
    second core.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._n_threads = min(MOST_THREADS, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(self._n_threads, "mood-read")
        self._windows: list[Window] = []
        self._begun: deque[Batch] = deque()

    def add(self, windows: Iterable[Window]) -> Iterator[Batch]:
        """Take the next windows; yield the oldest batches, so that few wait, and no thread does."""
        for window in windows:
            self._windows.append(window)
            if len(self._windows) == BATCH:
                self._begin()
            if len(self._begun) > 2 * self._n_threads:
                yield self._begun.popleft()

    def rest(self) -> Iterator[Batch]:
        """The batches that are left, the last of which may be incomplete."""
        if self._windows:
            self._begin()
        while self._begun:
            yield self._begun.popleft()

    def close(self) -> None:
        """Drop the batches that are left."""
        self._pool.shutdown(cancel_futures=True)

    def _begin(self) -> None:
        self._begun.append((self._windows, self._pool.submit(self._pipeline.read_many, self._windows)))
        self._windows = []
