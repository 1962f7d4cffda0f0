"""What other processes do, as Linux tells in ``/proc``: their names, the files and libraries that they have open."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def running(name: str, proc: Path = PROC) -> bool:
    """Whether a process of that name runs."""
    return any(read(path) == name for path in proc.glob("[0-9]*/comm"))


def holding(port: str, proc: Path = PROC) -> list[str]:
    """The other processes that have a file open, as far as this user may see."""
    target, found = os.path.realpath(port), []
    for process in _others(proc):
        with suppress(OSError):
            if any(_target(link) == target for link in (process / "fd").iterdir()):
                found.append(_named(process))
    return found


def using(library: str, proc: Path = PROC) -> list[str]:
    """The other processes that have a library in their memory, as far as this user may see."""
    found = []
    for process in _others(proc):
        with suppress(OSError):
            if library in (process / "maps").read_text(errors="replace"):
                found.append(_named(process))
    return found


def _others(proc: Path) -> list[Path]:
    ours = {str(os.getpid()), str(os.getppid())}
    return sorted(path for path in proc.glob("[0-9]*") if path.name not in ours)


def _target(link: Path) -> str:
    with suppress(OSError):  # closed meanwhile
        return str(link.readlink())
    return ""


def _named(process: Path) -> str:
    return f"{read(process / 'comm') or 'a program'} (process {process.name})"


def read(path: Path) -> str:
    """The content of a file without spaces around it; empty where it cannot be read."""
    with suppress(OSError):
        return path.read_text(errors="replace").strip()
    return ""
