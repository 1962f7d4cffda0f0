"""The program in processes of its own, forked from one that has imported its libraries: a fifth of the time.

That one is started by the first worker whose test needs it, and ends after the last. Where forking is not safe,
elsewhere than on Linux, each process is started as users start it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from waiting import until

ROOT = Path(__file__).parents[1]
PROGRAM = "import app; app.main()"


class ForkedProcess:
    """What tests use of `subprocess.Popen`."""

    def __init__(self, server: socket.socket, request: Mapping[str, Any]) -> None:
        reads, writes = zip(*(os.pipe() for _ in range(3)), strict=True)
        socket.send_fds(server, [json.dumps(request).encode()], writes)
        for descriptor in writes:
            os.close(descriptor)
        streams = (open(number, encoding=request["encoding"]) for number in reads)  # noqa: PTH123, SIM115
        self.stdout, self.stderr, self._status = streams
        self.pid = int(self._status.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, or None while it runs; a negative one is the number of the signal that ended it."""
        return self.returncode if self._ended(0) else None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended."""
        if not self._ended(timeout):
            raise subprocess.TimeoutExpired("fork", timeout or 0.0)
        assert self.returncode is not None
        return self.returncode

    def _ended(self, timeout: float | None) -> bool:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            self.returncode = int(self._status.readline())
        return self.returncode is not None

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def communicate(self, timeout: float = 60) -> tuple[str, str]:
        """The rest of its output and errors, once it has ended; killed after `timeout` seconds."""
        too_long = threading.Timer(timeout, self.kill)
        too_long.start()
        with ThreadPoolExecutor() as pool:
            out, err = pool.map(lambda stream: "" if stream.closed else stream.read(), (self.stdout, self.stderr))
        self.wait()
        too_long.cancel()
        too_long.join()
        for stream in (self.stdout, self.stderr, self._status):
            stream.close()
        return out, err


Start = Callable[..., ForkedProcess]


@pytest.fixture(scope="session")
def fork_server() -> Iterator[socket.socket | None]:
    """A socket that takes requests, connected to the one server of all workers; None where processes are not forked."""
    if sys.platform != "linux":
        yield None
        return
    address = f"\0forks-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
    ours, listener = (socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2))
    with ours:
        with listener:
            try:
                listener.bind(address)
            except OSError:  # another worker was the first
                until(lambda: not ours.connect_ex(address))
            else:
                listener.listen()
                ours.connect(address)
                listener.set_inheritable(True)
                words = [sys.executable, "-P", str(Path(__file__).with_name("fork_server.py")), str(listener.fileno())]
                os.posix_spawn(sys.executable, words, os.environ | {"PYTHONPATH": str(ROOT)})
        yield ours


def start(
    server: socket.socket | None, *words: object, code: str = PROGRAM, env: Mapping[str, str] | None = None,
    cwd: Path = ROOT, encoding: str = "utf-8", output: str = "", whole: bool = False,
) -> ForkedProcess:  # fmt: skip
    """Start the program with `words`, or other `code`.

    Its standard output is a pipe, or the file `output`. `whole`: it destroys every object at its end, as outside of
    tests, which takes a quarter of a second.
    """
    env, given = dict(env or os.environ) | {"PYTHONPATH": str(ROOT)}, [str(word) for word in words]
    if server is not None:
        how = {"env": env, "cwd": str(cwd), "encoding": encoding, "output": output, "whole": whole}
        return ForkedProcess(server, {"code": code, "words": given, **how})
    command, env = [sys.executable, "-c", code, *given], env | {"PYTHONIOENCODING": encoding}
    with open(output or os.devnull, "wb") as file:  # noqa: PTH123
        out = file if output else subprocess.PIPE
        return subprocess.Popen(command, env=env, cwd=cwd, stdout=out, stderr=subprocess.PIPE, encoding=encoding)


@pytest.fixture
def program(fork_server: socket.socket | None) -> Iterator[Start]:
    """`start`; processes still running when the test ends are killed."""
    started: list[ForkedProcess] = []

    def begin(*words: object, **how: Any) -> ForkedProcess:
        started.append(start(fork_server, *words, **how))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()
