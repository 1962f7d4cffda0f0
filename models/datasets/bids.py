"""BIDS data sets: recordings, subjects, bad channels and licence.

A sidecar that cannot be read costs only what it would have said, and a note names it.
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
    drop: list[str]
    """Channels that the set calls bad, or no EEG."""


class DataSet(NamedTuple):
    """What is in the folder."""

    recordings: list[BidsRecording]
    licence: str
    notes: list[str]
    """Channels left out and sidecars not used, each with the reason."""


def read_bids(root: Path, extensions: Sequence[str]) -> DataSet:
    """The EEG recordings of the data set in the folder `root`.

    Parameters
    ----------
    root : Path
    extensions : sequence of str
        Of the recordings wanted.

    Raises
    ------
    ConfigError
        The package that finds them is not installed.
    """
    try:
        from mne_bids import find_matching_paths
    except ImportError:
        raise ConfigError(f"BIDS data set {root}", "mne-bids is not installed", install_extra("mne_bids")) from None
    licence, notes = _licence(root / "dataset_description.json")
    recordings = []
    for found in find_matching_paths(root, datatypes="eeg", suffixes="eeg", extensions=list(extensions)):
        reasons, odd = _left_out(found.fpath, root)
        notes += odd
        if reasons:
            notes.append(f"{found.fpath.name}: left out {', '.join(f'{c} ({why})' for c, why in reasons.items())}")
        recordings.append(BidsRecording(found.fpath, found.subject, list(reasons)))
    return DataSet(recordings, licence, [f"{root.name}/{note}" for note in dict.fromkeys(notes)])


def _licence(path: Path) -> tuple[str, list[str]]:
    try:
        about = json.loads(_text(path))
    except (OSError, ValueError) as error:
        return "unknown", [f"{path.name} not used: {' '.join(str(error).split())[:80]}; its licence is unknown"]
    if not isinstance(about, dict):
        return "unknown", [f"{path.name} not used: no JSON object; its licence is unknown"]
    return str(about.get("License") or "unknown"), []


def _left_out(path: Path, root: Path) -> tuple[dict[str, str], list[str]]:
    """The channels of a recording to leave out, each with its reason; and what is odd about the sidecar, in words."""
    table = _channel_table(path, root)
    if table is None:
        return {}, []
    try:
        lines = [line for line in _text(table).splitlines() if line.strip()]
        head, *rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    except (OSError, ValueError, csv.Error) as error:
        why = "empty" if isinstance(error, ValueError) else " ".join(str(error).split())[:80]
        return {}, [f"{table.name} not used: {why}; no channel is left out by it"]
    columns = [word.strip().lower() for word in head]
    if "name" not in columns:
        return {}, [f"{table.name} not used: it has no column 'name'; no channel is left out by it"]
    reasons = {}
    for row in rows:
        cells = dict(zip(columns, map(str.strip, row), strict=False))
        name, of, status = (cells.get(key, "") for key in ("name", "type", "status"))
        if name and status.lower() == "bad":
            reasons[name] = "bad"
        elif name and of.upper() not in ("EEG", "", "N/A"):
            reasons[name] = of
    return reasons, []


def _channel_table(path: Path, root: Path) -> Path | None:
    """The nearest ``channels.tsv`` that is about a recording: in its folder or above, with none but its entities."""
    entities = set(path.name.split("_")[:-1])
    for folder in (path.parent, *path.parent.parents):
        fitting = [it for it in folder.glob("*channels.tsv") if set(it.name.split("_")[:-1]) <= entities]
        if fitting:
            return max(fitting, key=lambda it: (it.name.count("_"), it.name))
        if folder == root:
            break
    return None


def _text(path: Path) -> str:
    """A text in UTF-8, or in UTF-16 if it begins so; else Latin-1, in which every byte is a letter."""
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
