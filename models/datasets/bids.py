"""BIDS data sets: recordings, subjects, bad channels and licence.

A sidecar that cannot be read is ignored, and a note names it.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from realtime_mood.errors import ConfigError, install_extra


class BidsRecording(NamedTuple):
    """One recording of the set."""

    path: Path
    subject: str
    drop: list[str]  # channels that the set marks as bad, or as no EEG


class DataSet(NamedTuple):
    """What is in the folder."""

    recordings: list[BidsRecording]
    licence: str
    notes: list[str]  # channels left out and sidecars not used, each with the reason


def read_bids(root: Path, extensions: Sequence[str]) -> DataSet:
    """The EEG recordings with these file `extensions` of the data set in `root`; `ConfigError` without mne-bids."""
    try:
        from mne_bids import find_matching_paths
    except ImportError:
        raise ConfigError(f"BIDS data set {root}", "mne-bids is not installed", install_extra("mne_bids")) from None
    licence, notes = _licence(root / "dataset_description.json")
    recordings = []
    for found in find_matching_paths(root, datatypes="eeg", suffixes="eeg", extensions=list(extensions)):
        reasons, note = _left_out(found.fpath, root)
        notes += note
        if reasons:
            notes.append(f"{found.fpath.name}: left out {', '.join(f'{c} ({why})' for c, why in reasons.items())}")
        recordings.append(BidsRecording(found.fpath, found.subject, list(reasons)))
    return DataSet(recordings, licence, [f"{root.name}/{note}" for note in dict.fromkeys(notes)])


def _licence(path: Path) -> tuple[str, list[str]]:
    try:
        about = json.loads(text_of_sidecar(path))
        problem = "" if isinstance(about, dict) else "no JSON object"
    except (OSError, ValueError) as error:
        problem = _one_line(error)
    if problem:
        return "unknown", [f"{path.name} not used: {problem}; its licence is unknown"]
    return str(about.get("License") or "unknown"), []


def _left_out(path: Path, root: Path) -> tuple[dict[str, str], list[str]]:
    """The channels of a recording to leave out, each with its reason; and a note where the sidecar is not used."""
    table = _channel_table(path, root)
    if table is None:
        return {}, []
    try:
        lines = [line for line in text_of_sidecar(table).splitlines() if line.strip()]
        head, *rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    except (OSError, ValueError, csv.Error) as error:
        problem = "empty" if isinstance(error, ValueError) else _one_line(error)
        return {}, [f"{table.name} not used: {problem}; no channel is left out by it"]
    columns = [cell.strip().lower() for cell in head]
    if "name" not in columns:
        return {}, [f"{table.name} not used: it has no column 'name'; no channel is left out by it"]
    reasons = {}
    for row in rows:
        cells = dict(zip(columns, map(str.strip, row), strict=False))
        name, kind, status = (cells.get(key, "") for key in ("name", "type", "status"))
        if name and status.lower() == "bad":
            reasons[name] = "bad"
        elif name and kind.upper() not in ("EEG", "", "N/A"):
            reasons[name] = kind
    return reasons, []


def _channel_table(path: Path, root: Path) -> Path | None:
    """The nearest ``channels.tsv`` in a recording's folder or above whose entities are all the recording's."""
    entities = set(path.name.split("_")[:-1])
    for folder in (path.parent, *path.parent.parents):
        tables = [table for table in folder.glob("*channels.tsv") if set(table.name.split("_")[:-1]) <= entities]
        if tables:
            return max(tables, key=lambda table: (table.name.count("_"), table.name))
        if folder == root:
            break
    return None


def text_of_sidecar(path: Path) -> str:
    """Decode UTF-8, UTF-16 with a byte order mark, or else Latin-1, which decodes any byte."""
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:80]
