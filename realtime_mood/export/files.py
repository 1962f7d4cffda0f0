"""Exports recordings one after the other; what is there already is left as it is, so that it can be run again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from ..errors import ConfigError, MoodError
from ..files import check_writable, is_being_written, log_exception
from ..recording.reader import open_recorded
from . import bids
from .readings import table_of, text_of, write_parquet
from .signal import coarsest, raw_of
from .staging import staged

Say = Callable[[str], None]


@dataclass(frozen=True)
class Formats:
    """What to write of each recording."""

    bids: Path | None = None
    """Root of the data set to add it to."""
    edf: bool = False
    fif: bool = False
    csv: bool = False
    parquet: bool = False
    out: Path | None = None
    """Folder of the files; None: beside the recording."""
    participant: str = ""
    session: str = ""


def export_recordings(files: Sequence[Path], formats: Formats, say: Say) -> None:
    """Write all `files` in all formats; `say` gets a line for each.

    Recordings that cannot be exported are named, and the others are exported all the same. Nothing is overwritten.

    Raises
    ------
    ConfigError
        No format was asked for, or the place cannot be written to.
    MoodError
        The first that occurred, after all other recordings.
    """
    if not any((formats.bids, formats.edf, formats.fif, formats.csv, formats.parquet)):
        raise ConfigError("export of recordings", "no format", "add --bids DIR, --edf, --fif, --csv or --parquet")
    done = bids.exported(formats.bids) if formats.bids else set()
    for folder in {formats.bids, formats.out} - {None}:
        check_writable(folder / "a", "export to")  # type: ignore[operator]
    failed: list[MoodError] = []
    for number, file in enumerate(files, 1):
        place = f"{number} of {len(files)}: " if len(files) > 1 else ""
        try:
            for line in _export(file, formats, done):
                say(f"{place}{line}")
        except Exception as error:  # of whichever library: the others are exported all the same
            failed.append(_as_mood_error(error, file))
            if len(files) > 1:
                say(f"{place}{failed[-1]}")
    if failed:
        raise failed[0]


def _as_mood_error(error: Exception, file: Path) -> MoodError:
    if isinstance(error, MoodError):
        return error
    if isinstance(error, OSError):
        return MoodError(f"export {file}", str(error.strerror or error), "choose another folder")
    return MoodError(f"export {file}", f"{type(error).__name__}: {error}; this should not happen", log_exception())


def _export(file: Path, formats: Formats, done: set[str]) -> Iterator[str]:
    """Write one recording; a line for each format."""
    if is_being_written(file):
        raise MoodError(f"export {file}", "it is being recorded", "export it when the recording has ended")
    recorded = open_recorded(file).from_zero()
    simulated = "SIMULATED · " if recorded.info.virtual else ""
    if formats.bids:
        digest = sha256_of(file)
        if digest in done:
            yield f"{file.name} is in {formats.bids} already"
        else:
            written = bids.write_bids(recorded, formats.bids, formats.participant, formats.session, digest)
            done.add(digest)
            yield f"{simulated}{written}"
    raw, table = cache(partial(raw_of, recorded, whole_records=True)), cache(partial(table_of, recorded))
    for ending, wanted, write in (
        (".edf", formats.edf, lambda to: raw().export(to, fmt="edf", physical_range="channelwise", verbose="ERROR")),
        (".fif", formats.fif, lambda to: raw_of(recorded).save(to, verbose="ERROR")),
        (".csv", formats.csv, lambda to: to.write_bytes(text_of(table()))),
        (".parquet", formats.parquet, lambda to: write_parquet(table(), to)),
    ):
        if wanted:
            path = _place(file, ending, formats.out)
            if path.exists():
                yield f"{path} is there already"
            else:
                with staged(path.parent, path.name) as folder:
                    write(folder / path.name)
                coarse = coarsest(raw()) if ending == ".edf" else ""
                yield f"{simulated}{path}{coarse and f' · {coarse}: --fif and --bids keep more'}"


def _place(file: Path, ending: str, folder: Path | None) -> Path:
    """The file to write; names of FIF and of readings say what is in them."""
    stem, signal = file.stem.removesuffix("_eeg"), ending in (".edf", ".fif")
    return (folder or file.parent) / f"{stem}_{'eeg' if signal else 'readings'}{ending}"


def sha256_of(file: Path) -> str:
    """Hash of the file's bytes."""
    with file.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()
