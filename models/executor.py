"""Runs the same work on many items: here, in processes of this machine, or on a Dask cluster.

Everything that takes long offline (features of a corpus, folds of an evaluation) goes through `open_executor`, so that
there is one place for what happens when a worker dies.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Protocol

from realtime_mood.errors import ConfigError, MoodError, install_extra
from realtime_mood.guard import GuardedThread

ATTEMPTS = 3
"""Times that work may be lost with its worker before it is given up: it may be what kills the worker."""


class Executor(Protocol):
    """Runs ``work(common, item)`` for every item."""

    @property
    def n_workers(self) -> int: ...

    def run(self, work: Callable[..., Any], items: Sequence[Any], common: Any = None) -> Iterator[tuple[int, Any]]:
        """Results with the numbers of their items, in any order; `common` is sent to each worker once.

        Both must be picklable. An exception of `work` ends it.

        Raises
        ------
        MoodError
            Workers died again and again.
        """
        ...


class SerialExecutor:
    """One after the other, in this process."""

    n_workers = 1

    def run(self, work: Callable[..., Any], items: Sequence[Any], common: Any = None) -> Iterator[tuple[int, Any]]:
        return ((i, work(common, item)) for i, item in enumerate(items))


class ProcessesExecutor:
    """Processes of this machine; what was lost with a killed one is done again."""

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers

    def run(self, work: Callable[..., Any], items: Sequence[Any], common: Any = None) -> Iterator[tuple[int, Any]]:
        left = dict(enumerate(items))
        if len(items) < 2:
            yield from SerialExecutor().run(work, items, common)
            return
        for _ in range(ATTEMPTS):
            spawn = multiprocessing.get_context("spawn")  # threads of this process must not be forked
            with ProcessPoolExecutor(self.n_workers, spawn, _keep, (common,)) as pool:
                try:
                    running = {pool.submit(_with_common, work, item): i for i, item in left.items()}
                    for done in as_completed(running):
                        i, result = running.pop(done), done.result()  # else all results stay in memory
                        del left[i]
                        yield i, result
                except BrokenProcessPool:
                    continue
                finally:
                    pool.shutdown(cancel_futures=True)
            return
        raise _given_up(len(left))


_common: Any = None


def _keep(common: Any) -> None:
    global _common
    _common = common
    GuardedThread(_end_with_parent, "mood-worker").start()


def _end_with_parent() -> None:
    """End this worker with the program that started it: a killed one cannot, and a fit goes on for minutes."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _with_common(work: Callable[..., Any], item: Any) -> Any:
    return work(_common, item)


class DaskExecutor:
    """A Dask cluster; the scheduler gives what a lost worker had to another."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @property
    def n_workers(self) -> int:
        return max(1, len(self._client.scheduler_info()["workers"]))

    def run(self, work: Callable[..., Any], items: Sequence[Any], common: Any = None) -> Iterator[tuple[int, Any]]:
        from distributed import KilledWorker
        from distributed import as_completed as completed

        sent = self._client.scatter(common, broadcast=True, hash=False)
        tasks = {self._client.submit(work, sent, item, pure=False): i for i, item in enumerate(items)}
        n_left = len(tasks)
        try:
            for done in completed(list(tasks), loop=self._client.loop):
                yield tasks[done], done.result()
                n_left -= 1
        except KilledWorker:
            raise _given_up(n_left) from None
        finally:
            self._client.cancel(list(tasks))


def _given_up(n_left: int) -> MoodError:
    return MoodError(
        f"work on {n_left} more items", f"workers died {ATTEMPTS} times, most likely for want of memory",
        "use fewer workers; what was finished is kept",
    )  # fmt: skip


@contextmanager
def open_executor(n_workers: int = 1, scheduler: str | None = None) -> Iterator[Executor]:
    """An executor for as long as the ``with`` block lasts.

    Parameters
    ----------
    n_workers : int
        Processes of this machine; 1 works in this process.
    scheduler : str, optional
        Address of a Dask scheduler (``tcp://host:8786``) instead. Its workers need this package, and the same files
        at the same paths.

    Raises
    ------
    ConfigError
        The scheduler cannot be reached, or ``distributed`` is not installed.
    """
    if scheduler is None:
        yield SerialExecutor() if n_workers < 2 else ProcessesExecutor(n_workers)
        return
    try:
        from distributed import Client
    except ImportError:
        raise ConfigError(
            f"scheduler {scheduler}", "distributed is not installed", install_extra("distributed")
        ) from None
    try:
        client = Client(scheduler, timeout=5, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"scheduler {scheduler}", f"cannot be reached: {error}", "start one with: dask scheduler, and dask worker"
        ) from None
    with client:
        if not client.scheduler_info()["workers"]:
            raise ConfigError(f"scheduler {scheduler}", "it has no workers", f"start one with: dask worker {scheduler}")
        yield DaskExecutor(client)
