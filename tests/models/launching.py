"""Runs a script as two processes that find each other over loopback, as ``accelerate launch`` would."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

TWO = """
import os
import signal
rank = 1 if (first := os.fork()) else 0
os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank))
if rank == 0:
    os.dup2(int(os.environ["OUT"]), 1)
"""
WAITED = """
if rank == 1:
    sys.stdout.flush()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]))
"""


def two_processes(imports: str, script: str, *words: object) -> list[str]:
    """What each of them printed; fails unless both end well. `imports` are done once, before there are two."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    paths = os.pathsep.join(str(path) for path in (Path(__file__).parents[2], Path(__file__).parent))
    reads, writes = os.pipe()
    same = {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "WORLD_SIZE": "2"}
    same |= {"LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OUT": str(writes)}
    code = f"import sys, torch._dynamo, torch.nn.parallel\n{imports}{TWO}{script}{WAITED}"  # all that optimisers import
    with open(reads) as first_out:  # noqa: PTH123
        launched = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, words)], env=os.environ | same, pass_fds=[writes],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        os.close(writes)
        try:
            out, err = launched.communicate(timeout=100)
        finally:
            if launched.returncode is None:
                os.killpg(launched.pid, signal.SIGKILL)
        assert launched.returncode == 0, err
        return [first_out.read(), out]
