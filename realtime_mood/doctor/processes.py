"""What other processes do, as Linux tells in ``/proc``: their names, the files and libraries that they have open."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def running(name: str, proc: Path = PROC) -> bool:
    """Whether a process of that name runs."""
    return any(read(path) == name for path in proc.glob("[0-9]*/comm"))


def holding(port: str, proc: Path = PROC) -> list[str]:
    """The other processes that have a file open, as far as this user may see."""
    return [named(process) for process in _with_open({os.path.realpath(port)}, proc)]


def with_port(number: int, protocol: str = "tcp", proc: Path = PROC) -> list[Path]:
    """The folders in ``/proc`` of the other processes that listen on this port, as far as this user may see."""
    sockets = set()
    for table in (protocol, f"{protocol}6"):
        for line in read(proc / "net" / table).splitlines()[1:]:
            _, local, remote, *_, inode = line.split()[:10]
            if int(local.rpartition(":")[2], 16) == number and remote.endswith(":0000"):
                sockets.add(f"socket:[{inode}]")
    return _with_open(sockets, proc) if sockets else []


def is_stopped(process: Path) -> bool:
    """Whether a process was stopped, as by Ctrl+Z, and waits to be continued."""
    return read(process / "stat").rpartition(")")[2].split()[:1] == ["T"]


def using(library: str, proc: Path = PROC) -> list[str]:
    """The other processes that have a library in their memory, as far as this user may see."""
    found = []
    for process in _others(proc):
        with suppress(OSError):
            if library in (process / "maps").read_text(errors="replace"):
                found.append(named(process))
    return found


def _others(proc: Path) -> list[Path]:
    ours = {str(os.getpid()), str(os.getppid())}
    return sorted(path for path in proc.glob("[0-9]*") if path.name not in ours)


def _with_open(targets: Collection[str], proc: Path) -> list[Path]:
    found = []
    for process in _others(proc):
        with suppress(OSError):
            if any(_target(link) in targets for link in (process / "fd").iterdir()):
                found.append(process)
    return found


def _target(link: Path) -> str:
    with suppress(OSError):  # closed meanwhile
        return str(link.readlink())
    return ""


def named(process: Path) -> str:
    """The name of a process and its number."""
    return f"{read(process / 'comm') or 'a program'} (process {process.name})"


def read(path: Path) -> str:
    """The content of a file without spaces around it; empty where it cannot be read."""
    with suppress(OSError):
        return path.read_text(errors="replace").strip()
    return ""
