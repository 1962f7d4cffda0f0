"""Runs a script as two processes that find each other over loopback, as ``accelerate launch`` would."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

from forking import Start

TWO = """
rank = 1 if (first := os.fork()) else 0
os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank))
if rank == 0:
    os.dup2(os.open(os.environ["OUT"], os.O_WRONLY | os.O_CREAT), 1)
"""
WAITED = """
if rank == 1:
    sys.stdout.flush()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]))
"""


def two_processes(program: Start, folder: Path, imports: str, script: str, *words: object) -> list[str]:
    """What each of them printed; fails unless both end well. `imports` are done once, before there are two."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    told = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OUT": str(folder / "first")}  # fmt: skip
    paths = f"import os, sys; os.setsid(); sys.path.insert(0, {str(Path(__file__).parent)!r})"
    launched = program(*words, code=f"{paths}\n{imports}{TWO}{script}{WAITED}", env=os.environ | told)
    try:
        out, err = launched.communicate(timeout=100)
    finally:
        if launched.returncode is None:
            os.killpg(launched.pid, signal.SIGKILL)
    assert launched.returncode == 0, err
    return [(folder / "first").read_text(), out]
