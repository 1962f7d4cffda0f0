"""Starts a script as two processes that find each other over loopback, as ``accelerate launch`` would."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path


def two_processes(script: str, *words: object) -> list[str]:
    """What each of them printed; fails unless both end well."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    paths = os.pathsep.join(str(path) for path in (Path(__file__).parents[2], Path(__file__).parent))
    same = {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "WORLD_SIZE": "2"}
    same |= {"LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    launched = [
        subprocess.Popen(
            [sys.executable, "-c", script, *map(str, words)],
            env=os.environ | same | {"RANK": rank, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in "01"
    ]  # fmt: skip
    try:
        said = [process.communicate(timeout=100) for process in launched]
    finally:
        for process in launched:
            process.kill()
    assert [process.returncode for process in launched] == [0, 0], said
    return [out for out, _ in said]
