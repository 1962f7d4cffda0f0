"""Checks of the computer: the disk of the user's data, the weights by ONNX Runtime, torch and the GPU."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .. import clock
from ..errors import install_extra
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
FIX = "pip install --force-reinstall realtime-mood, or take the weights from the release again"
Call = Callable[..., Any]


def disk(folder: Path, n_bytes: int = TRIED) -> list[Finding]:
    """Whether the user's data `folder` can be written to, fast enough, and has space; a file is written and deleted."""
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
        found = f"{folder} cannot be written to: {error.strerror or error}"
        return [Finding("disk", Level.WRONG, found, "free some space, or correct the folder's permissions", private)]
    found = f"{free / MB:.0f} MB free for {folder}, written at {speed:.0f} MB/s"
    if free < LEAST_FREE:
        return [Finding("disk", Level.WRONG, found, "free some space: recordings will not fit", private)]
    if free < LITTLE_FREE:
        return [Finding("disk", Level.WARNING, found, "free some space before a long recording", private)]
    if speed < LEAST_SPEED:
        return [Finding("disk", Level.WARNING, found, "record to a local disk: --record FOLDER", private)]
    return [Finding("disk", Level.OK, found, private=private)]


def weights(name: str = DEFAULT, call: Call = in_child) -> list[Finding]:
    """Whether ONNX Runtime loads the weights, and computes their golden pair."""
    try:
        call("realtime_mood.models.self_check:by_onnx", name, deadline_s=LOAD_S)
    except ChildFailed as error:
        return failed("weights", f"ONNX Runtime does not run {name}", error, FIX)
    return [Finding("weights", Level.OK, f"{name} computes its golden pair by ONNX Runtime")]


def torch(
    name: str = DEFAULT, driver: str | None = None, call: Call = in_child, find: Callable[[str], Any] = find_spec
) -> list[Finding]:
    """Whether torch, where it is installed, computes the golden pair, and uses a GPU of NVIDIA that has a `driver`."""
    driver = driver_version() if driver is None else driver
    if find("torch") is None:
        do = install_extra("torch") if driver else ""
        gpu = f"; there is a GPU of NVIDIA (driver {driver}), which needs torch" if driver else ""
        return [Finding("torch", Level.OK, f"not installed: ONNX Runtime runs the network on the CPU{gpu}", do)]
    try:
        about = call("realtime_mood.models.self_check:by_torch", name, deadline_s=LOAD_S)
    except ChildFailed as error:
        do = "use --runtime onnx, and install torch again: pip install --force-reinstall torch"
        return failed("torch", f"torch does not run {name}", error, do)
    found = f"torch {about['version']} computes the golden pair"
    if about["failed"]:
        found, do = f"{found}, but {about['gpu']} fails: {about['failed']}", "update its driver, or use --device cpu"
        return [Finding("torch", Level.WARNING, found, do)]
    if about["gpu"]:
        return [Finding("torch", Level.OK, f"{found}, also on {about['gpu']}{f' (driver {driver})' if driver else ''}")]
    if not driver:
        return [Finding("torch", Level.OK, f"{found}; no GPU of NVIDIA is seen: the CPU suffices for a run")]
    if about["cuda"] is None:
        do = "install a CUDA build of torch (pytorch.org has the line), or leave it: the CPU suffices for a run"
        return [Finding("torch", Level.WARNING, f"{found}, but is built for the CPU: the GPU is not used", do)]
    do = f"update the driver of the GPU (torch is built for CUDA {about['cuda']}), or use --device cpu"
    return [Finding("torch", Level.WARNING, f"{found}, but sees no GPU, though driver {driver} is there", do)]


def driver_version(told: Path = DRIVER) -> str:
    """The version of NVIDIA's driver, as it tells on Linux; empty where there is none, and on other systems."""
    found = re.search(r"Module\b.*?\s(\d[\d.]+)", read(told))
    return found[1] if found else ""
