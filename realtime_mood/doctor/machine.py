"""Checks of the computer: the disk of the user's data, the weights by ONNX Runtime, torch and the GPU."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .. import clock
from ..errors import install_extra
from ..language import Phrase
from ..models.card import DEFAULT
from .finding import Finding, Level
from .processes import read
from .running import ChildFailed, failed, in_child

MB = 1_000_000
LEAST_FREE = 100 * MB  # less than an hour of 32 channels at 250 Hz
LITTLE_FREE = 2000 * MB
LEAST_SPEED = 2.0  # MB/s: twenty times what 64 channels at 500 Hz write
TRIED = 16 * MB
LOAD_S = 90.0  # torch takes seconds to import, and more on a slow disk
DRIVER = Path("/proc/driver/nvidia/version")
FIX = Phrase("pip install --force-reinstall realtime-mood, or take the weights from the release again")
Call = Callable[..., Any]


def disks(folders: Sequence[Path]) -> list[Finding]:
    """What `disk` finds of each folder in which recordings are kept."""
    return [finding for folder in folders for finding in disk(folder)]


def disk(folder: Path, n_bytes: int = TRIED) -> list[Finding]:
    """Whether a `folder` of recordings can be written to, fast enough, and has space; a file is written and deleted."""
    private = (("path", str(folder)),)
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        free = shutil.disk_usage(place).free
        began = clock.now()
        with tempfile.NamedTemporaryFile(dir=place, prefix=".doctor-") as file:
            file.write(os.urandom(MB) * (n_bytes // MB))
            file.flush()
            os.fsync(file.fileno())
            speed = n_bytes / MB / max(clock.now() - began, 1e-6)
    except OSError as error:
        found = Phrase("{folder}, where recordings are kept, cannot be written to: {why}",
                       folder=folder, why=error.strerror or str(error))  # fmt: skip
        do: str = Phrase("correct the folder's permissions, or record to another place: --record FOLDER")
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            do = Phrase("free some space, or record to another disk: --record FOLDER")
        return [Finding("disk", Level.WRONG, found, do, private)]
    found = Phrase("{free:.0f} MB free for {folder}, where recordings are kept; written at {speed:.0f} MB/s",
                   free=free / MB, folder=folder, speed=speed)  # fmt: skip
    if free < LEAST_FREE:
        return [Finding("disk", Level.WRONG, found, Phrase("free some space: recordings will not fit"), private)]
    if free < LITTLE_FREE:
        return [Finding("disk", Level.WARNING, found, Phrase("free some space before a long recording"), private)]
    if speed < LEAST_SPEED:
        do = Phrase("the disk is slow; record to a local one: --record FOLDER")
        return [Finding("disk", Level.WARNING, found, do, private)]
    return [Finding("disk", Level.OK, found, private=private)]


def weights(name: str = DEFAULT, call: Call = in_child) -> list[Finding]:
    """Whether ONNX Runtime loads the weights, and computes their golden pair."""
    try:
        call("realtime_mood.models.self_check:by_onnx", name, deadline_s=LOAD_S)
    except ChildFailed as error:
        found = Phrase("ONNX Runtime does not run {weights}: {why}", weights=name, why=error.why)
        return failed("weights", found, error, FIX)
    found = Phrase("{weights} computes its golden pair by ONNX Runtime", weights=name)
    return [Finding("weights", Level.OK, found)]


def torch(
    name: str = DEFAULT, driver: str | None = None, call: Call = in_child, find: Callable[[str], Any] = find_spec
) -> list[Finding]:
    """Whether torch, where it is installed, computes the golden pair, and uses a GPU of NVIDIA that has a `driver`."""
    driver = driver_version() if driver is None else driver
    if find("torch") is None:
        found = Phrase("torch is not installed: ONNX Runtime runs the network on the CPU")
        if not driver:
            return [Finding("torch", Level.OK, found)]
        found = Phrase("{cpu}; there is a GPU of NVIDIA (driver {driver}), which needs torch", cpu=found, driver=driver)
        return [Finding("torch", Level.OK, found, install_extra("torch"))]
    try:
        about = call("realtime_mood.models.self_check:by_torch", name, deadline_s=LOAD_S)
    except ChildFailed as error:
        found = Phrase("torch does not run {weights}: {why}", weights=name, why=error.why)
        do = Phrase("use --runtime onnx, and install torch again: pip install --force-reinstall torch")
        return failed("torch", found, error, do)
    level, says, todo = _of_gpu(about, driver)
    works = Phrase("torch {version} computes the golden pair", version=about["version"])
    return [Finding("torch", level, Phrase("{torch}; {gpu}", torch=works, gpu=says), todo)]


def _of_gpu(about: Mapping[str, Any], driver: str) -> tuple[Level, Phrase, str]:
    if about["failed"]:
        found = Phrase("{gpu} fails: {why}", gpu=about["gpu"], why=about["failed"])
        return Level.WARNING, found, Phrase("update its driver, or use --device cpu")
    if about["gpu"]:
        return Level.OK, Phrase("so it does on {gpu} (driver {driver})", gpu=about["gpu"], driver=driver or "?"), ""
    if not driver:
        return Level.OK, Phrase("no GPU of NVIDIA is seen: the CPU suffices for a run"), ""
    if about["cuda"] is None:
        do = Phrase("install a CUDA build of torch (pytorch.org has the line), or leave it: the CPU suffices for a run")
        return (
            Level.WARNING,
            Phrase("it is built for the CPU: the GPU (driver {driver}) is not used", driver=driver),
            do,
        )
    do = Phrase("restart the computer, if the driver was updated meanwhile; else update it (torch is built for CUDA"
                " {version}), or use --device cpu", version=about["cuda"])  # fmt: skip
    return Level.WARNING, Phrase("it sees no GPU, though driver {driver} is there", driver=driver), do


def driver_version(told: Path = DRIVER) -> str:
    """The version of NVIDIA's driver, as it tells on Linux; empty where there is none, and on other systems."""
    found = re.search(r"Module\b.*?\s(\d[\d.]+)", read(told))
    return found[1] if found else ""
