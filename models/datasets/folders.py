"""Folders of data sets as downloaded: where they are, whether a simulation wrote them, and which channels have a place.

A simulated data set holds the file ``SIMULATED.txt``; what is read from it is marked as simulated throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from realtime_mood.errors import ConfigError
from realtime_mood.montage import canonical_name

from .trials import DatasetInfo

SIMULATED = "SIMULATED.txt"
SHOWN = 6


def is_simulated(root: Path) -> bool:
    """Whether `root`, or one of the two folders above it, was written by a simulation."""
    return any((folder / SIMULATED).is_file() for folder in (root, *root.absolute().parents[:2]))


def find_folder(root: Path, *names: str) -> Path | None:
    """The folder of one of these names: `root` itself, or the first one in it."""
    if root.name in names and root.is_dir():
        return root
    return next((root / name for name in names if (root / name).is_dir()), None)


def beside(folder: Path, name: str) -> Path | None:
    """The file or folder `name` in `folder`, or in one of the two folders above it."""
    return next((it / name for it in (folder, *folder.absolute().parents[:2]) if (it / name).exists()), None)


def unknown_layout(info: DatasetInfo, root: Path, found: str = "") -> ConfigError:
    """The error of a folder that does not hold the set, or not a version that is read."""
    if not found and root.is_dir():
        names = sorted(it.name for it in root.iterdir() if not it.name.startswith("."))
        shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        found = f"it holds {shown}" if names else "it is empty"
    wanted = info.layout.splitlines()[0].split()[0]
    do = f"give the folder that holds {wanted}; `datasets show {info.name}` shows the layout"
    return ConfigError(f"data set {info.name} in {root}", found or "no such folder", do)


class Montage(NamedTuple):
    """Electrodes among the columns of a signal."""

    ch_names: tuple[str, ...]
    columns: tuple[int, ...]
    note: str
    """Names the columns that are left out; empty where there are none."""


def montage_of(labels: Sequence[str], without: Sequence[str] = ()) -> Montage:
    """The columns that are electrodes with a known position, by label.

    Parameters
    ----------
    labels : sequence of str
        Of all columns.
    without : sequence of str
        Labels to leave out in any case: references, and electrodes whose position is not known.
    """
    kept = [(i, name) for i, label in enumerate(labels) if label not in without and (name := canonical_name(label))]
    columns = tuple(i for i, _ in kept)
    out = [label for i, label in enumerate(labels) if i not in columns]
    note = f"{', '.join(out)} left out: no electrode, or one without a position in the 10-05 system" if out else ""
    return Montage(tuple(name for _, name in kept), columns, note)
