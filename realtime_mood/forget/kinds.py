"""Which files hold data of a subject and were made by this program: by their first bytes, not by their name alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..profile import stored_in
from ..recording.recover import REPAIRED
from ..recording.xdf_write import MAGIC
from ..report import session_page
from ..report.feedback import GENERATOR as OF_FEEDBACK
from ..report.pages import CALIBRATION, may_write
from ..report.session import made
from ..report.study import GENERATOR as OF_STUDY
from ..sinks.csv_file import COLUMNS
from ..sources.recordings.headers import ENCRYPTED, beginning

COPY, EXPORT, TABLE, REPORT, LINES, CLASSIFIER, RECORDING, PROFILE, SETUP = KINDS = (
    "encrypted copy", "export", "table", "report", "feedback lines", "personal classifier", "recording", "profile",
    "setup",
)  # fmt: skip
"""In the order of removal: what was made of a file goes before it, so that an interrupted removal can be repeated."""
GENERATORS = (session_page.GENERATOR, OF_FEEDBACK, OF_STUDY, CALIBRATION)
EXPORTED = re.compile(
    r"(\.[0-9a-f]{16}_)?sub-[0-9A-Za-z]+_.*task-mood_.*_(eeg\.edf|eeg(-[0-9]+)?\.fif|readings\.parquet)"
)
COPIED = re.compile(
    r"(sub-[0-9A-Za-z]+_.*task-mood_.*\.[a-z]+|sub-[0-9A-Za-z]+_.*\.jsonl"
    r"|[0-9]{8}-[0-9]{6}-.*_sub-[0-9A-Za-z]+\.[a-z]+)\.age"
)
"""Names of recordings and what is made of them, of feedback lines, and of calibrations, encrypted."""
N_SPLITS = 100  # parts of a FIF file, at most; MNE splits it every 2 GB
WRITER = b"<writer>realtime_mood</writer>"
PARTICIPANT = re.compile(rb"<participant>([0-9A-Za-z]+)</participant>")
HEAD_BYTES = 1024  # of a recording, whose first chunk names the program
PROFILE_BYTES = 2**26  # of a profile, at most
LINE_BYTES = 2**20  # of the first line of a table or of feedback lines


@dataclass(frozen=True)
class PersonalFile:
    """A file of a subject."""

    kind: str  # one of `KINDS`
    path: Path
    made: datetime
    """Start of a recording, date of a profile; of other files, the last change."""
    participant: str = ""
    """The participant ID in a profile or recording."""
    is_shared: bool = False  # with other participants: a report of several sessions

    def remove(self) -> None:
        """Delete it; raises `OSError`."""
        self.path.unlink(missing_ok=True)

    def __str__(self) -> str:
        shared = ", of others too: report writes it again without this participant" if self.is_shared else ""
        return f"{self.kind} {self.path} ({self.made:%Y-%m-%d}{shared})"


def recognised(path: Path) -> PersonalFile | None:
    """What a regular file is; None for one of another program. Raises `OSError`."""
    look = LOOKS.get(path.suffix.lower())
    return look(path, datetime.fromtimestamp(path.lstat().st_mtime, UTC)) if look else None


def _recording(path: Path, changed: datetime) -> PersonalFile | None:
    with path.open("rb") as f:
        head = f.read(HEAD_BYTES)
    is_ours = head.startswith(REPAIRED) or (head.startswith(MAGIC) and WRITER in head)
    of = PARTICIPANT.search(head)
    return PersonalFile(RECORDING, path, made(path) or changed, of[1].decode() if of else "") if is_ours else None


def _profile(path: Path, changed: datetime) -> PersonalFile | None:
    body = stored_in(path) if path.stat().st_size <= PROFILE_BYTES else {}
    if not body:
        return None
    try:
        date = datetime.fromisoformat(str(body.get("made"))).astimezone(UTC)
    except (ValueError, OverflowError):
        date = changed
    return PersonalFile(PROFILE, path, date, str(body.get("participant", "")))


def _report(path: Path, changed: datetime) -> PersonalFile | None:
    is_ours = any(may_write(path, generator) for generator in GENERATORS)
    return PersonalFile(REPORT, path, changed) if is_ours else None


def _lines(path: Path, changed: datetime) -> PersonalFile | None:
    try:
        head = json.loads(_first_line(path))
    except (ValueError, RecursionError):
        return None
    is_ours = isinstance(head, dict) and head.get("kind") == "session" and {"plan", "lags"} <= head.keys()
    return PersonalFile(LINES, path, changed) if is_ours else None


def _table(path: Path, changed: datetime) -> PersonalFile | None:
    is_ours = _first_line(path).startswith(",".join(COLUMNS).encode())
    return PersonalFile(TABLE, path, changed) if is_ours else None


def _export(path: Path, changed: datetime) -> PersonalFile | None:
    return PersonalFile(EXPORT, path, changed) if EXPORTED.fullmatch(path.name) else None


def _copy(path: Path, changed: datetime) -> PersonalFile | None:
    is_ours = COPIED.fullmatch(path.name) and beginning(path, max(map(len, ENCRYPTED))).startswith(ENCRYPTED)
    return PersonalFile(COPY, path, changed) if is_ours else None


def _first_line(path: Path) -> bytes:
    with path.open("rb") as f:
        return f.readline(LINE_BYTES)


LOOKS: dict[str, Callable[[Path, datetime], PersonalFile | None]] = {
    ".xdf": _recording, ".json": _profile, ".html": _report, ".jsonl": _lines, ".csv": _table, ".edf": _export,
    ".fif": _export, ".parquet": _export, ".age": _copy, ".part": _recording,  # a killed `decrypt` leaves that
}  # fmt: skip


def made_of(file: PersonalFile) -> list[tuple[str, str]]:
    """Kind and name of the files beside `file` that may have been made of it."""
    return [(COPY, f"{file.path.name}.age"), *_made_of(file)]


def _made_of(file: PersonalFile) -> list[tuple[str, str]]:
    stem, base = file.path.stem, file.path.stem.removesuffix("_eeg")
    if file.kind == PROFILE:
        return [(CLASSIFIER, f"{stem}.safetensors"), (RECORDING, f"{stem}.xdf"), (REPORT, f"{stem}.html")]
    if file.kind == RECORDING:
        names = ["eeg.edf", "readings.parquet", "eeg.fif", *(f"eeg-{n}.fif" for n in range(1, N_SPLITS))]
        exports = [(EXPORT, f"{base}_{name}") for name in names]
        others = [(TABLE, f"{base}_readings.csv"), (REPORT, f"{stem}.html"), (RECORDING, f"{stem}_recovered.xdf")]
        return exports + others
    return [(REPORT, f"{stem}.html")] if file.kind == LINES else []
