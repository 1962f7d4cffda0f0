"""The part of a participant in a BIDS data set that ``export --bids`` made, and how it is removed."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..export.bids import DERIVATIVES, DESCRIPTION, PARTICIPANTS, without_participant
from ..export.staging import PREFIX
from ..files import write_whole


@dataclass(frozen=True)
class DataSetPart:
    """Folders and row of one participant."""

    root: Path
    label: str  # as sub-P07
    made: datetime
    """Start of the newest session; where none is noted, the newest change of a file."""

    @property
    def folders(self) -> list[Path]:
        """Where its files are."""
        places = (self.root / DERIVATIVES / self.label, self.root / self.label)
        return [path for path in places if path.is_dir() and not path.is_symlink()]

    @property
    def has_row(self) -> bool:
        """Whether it is in ``participants.tsv``."""
        content = _content(self.root)
        return without_participant(content, self.label) != content

    def remove(self) -> None:
        """Remove it, its row last; other rows stay as they are. Raises `OSError`."""
        for folder in self.folders:
            shutil.rmtree(folder)
        if self.has_row:
            path = self.root / PARTICIPANTS
            mode = path.stat().st_mode & 0o777
            write_whole(path, without_participant(path.read_bytes(), self.label), mode)
            path.chmod(mode)

    def __str__(self) -> str:
        parts = [f"{path.relative_to(self.root)}/ ({_n_files(path)})" for path in self.folders]
        row = [f"its row of {PARTICIPANTS}"] if self.has_row else []
        return f"part of the BIDS data set {self.root}: {', '.join([*parts, *row])} ({self.made:%Y-%m-%d})"


def is_ours(root: Path) -> bool:
    """Whether ``export --bids`` has written to a data set, or it is what a killed export has left in one."""
    return (root / DERIVATIVES / DESCRIPTION).is_file() or root.name.startswith(PREFIX)


def part_of(root: Path, label: str) -> DataSetPart | None:
    """The part of a participant; None where there is none. Raises `OSError`."""
    part = DataSetPart(root, label, datetime.now(UTC))
    if not part.folders and not part.has_row:
        return None
    files = [path for folder in part.folders for path in folder.rglob("*") if path.is_file()]
    noted = [date for path in files if path.name.endswith("_scans.tsv") for date in _acquired(path)]
    dates = noted or [datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in files]
    return DataSetPart(root, label, max(dates, default=part.made))


def of_others(root: Path, label: str) -> Iterator[Path]:
    """Files of the participant in a data set that are of other programs, or links."""
    if (table := root / PARTICIPANTS).is_symlink():
        yield table
    for pattern in (label, f"derivatives/*/{label}"):
        for path in root.glob(pattern):
            in_part = is_ours(root) and path in (root / label, root / DERIVATIVES / label)
            if path.is_symlink() or not in_part:
                yield path


def _acquired(path: Path) -> Iterator[datetime]:
    """Starts of the sessions of a table of scans."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as f:
        for row in csv.DictReader(f, delimiter="\t"):
            try:
                yield datetime.fromisoformat(row.get("acq_time") or "").astimezone(UTC)
            except (ValueError, OverflowError):
                continue


def _content(root: Path) -> bytes:
    path = root / PARTICIPANTS
    return path.read_bytes() if path.is_file() and not path.is_symlink() else b""


def _n_files(folder: Path) -> str:
    n = sum(not path.is_dir() for path in folder.rglob("*"))
    return f"{n} file{'s' * (n != 1)}"
