"""Work on many items: here, in processes, and on a Dask cluster, also when workers are killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from pathlib import Path

import pytest

from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.models.executor import open_executor


def scaled(factor: int, item: int) -> int:
    return factor * item


def dies_once(marker: Path, item: int) -> int:
    """Kills its own process for item 2, unless somebody died there before."""
    if item == 2 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 10 * item


def always_dies(_: None, item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


def fails(_: None, item: int) -> int:
    raise MoodError("read the file", "truncated", "download it again")


def works_forever(address: tuple[str, int], item: int) -> None:
    with socket.create_connection(address) as link:
        link.recv(1)


def runs_forever(address: tuple[str, int]) -> None:
    with open_executor(2) as executor:
        list(executor.run(works_forever, [1, 2], address))


@pytest.fixture
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", host="127.0.0.1"
    ) as it:
        yield it


@pytest.mark.parametrize("n_workers", [1, 2])
def test_every_item_has_its_result(n_workers):
    with open_executor(n_workers) as executor:
        assert dict(executor.run(scaled, range(5), 3)) == {i: 3 * i for i in range(5)}
        assert dict(executor.run(scaled, [], 3)) == {}


def test_a_killed_process_loses_nothing(tmp_path):
    with open_executor(2) as executor:
        assert dict(executor.run(dies_once, range(6), tmp_path / "dead")) == {i: 10 * i for i in range(6)}
    assert (tmp_path / "dead").exists()


def test_work_that_kills_every_process_is_given_up():
    with open_executor(2) as executor, pytest.raises(MoodError, match="died 3 times"):
        list(executor.run(always_dies, [1, 2]))


def test_workers_end_with_a_killed_program():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        program = multiprocessing.get_context("spawn").Process(target=runs_forever, args=(server.getsockname(),))
        program.start()
        workers = [server.accept()[0] for _ in range(2)]
        program.kill()
        program.join()
        for worker in workers:
            worker.settimeout(30)
            with worker:
                assert worker.recv(1) == b""  # closed by the end of its process


@pytest.mark.parametrize("n_workers", [1, 2])
def test_an_error_reaches_the_caller_whole(n_workers):
    with open_executor(n_workers) as executor, pytest.raises(MoodError, match="truncated"):
        list(executor.run(fails, [1, 2]))


@pytest.mark.filterwarnings("ignore")  # distributed's own, of sockets and loops, when a worker is killed
def test_a_cluster_works_alike_and_loses_nothing_with_a_worker(cluster, tmp_path):
    with open_executor(scheduler=cluster.scheduler_address) as executor:
        assert executor.n_workers == 2
        assert dict(executor.run(scaled, range(5), 3)) == {i: 3 * i for i in range(5)}
        assert dict(executor.run(dies_once, range(6), tmp_path / "dead")) == {i: 10 * i for i in range(6)}
        with pytest.raises(MoodError, match="truncated"):
            list(executor.run(fails, [1, 2]))
    assert (tmp_path / "dead").exists()


@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_is_not_there_is_named():
    pytest.importorskip("distributed")
    with pytest.raises(ConfigError, match="cannot be reached"), open_executor(scheduler="tcp://127.0.0.1:9"):
        pass
