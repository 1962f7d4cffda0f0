"""Turns the first lines of a text table into what its columns mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ...errors import StreamMismatch

MUSE_HZ = (220.0, 256.0)
"""Rates of the headsets that muse-lsl and Mind Monitor record: Muse 2014, and all since."""

_NOT_EEG_OF_OPENVIBE = ("time", "epoch", "label", "stage", "flag", "event")


class Layout(NamedTuple):
    """What a program wrote where."""

    program: str
    n_columns: int
    delimiter: str
    eeg: tuple[int, ...]
    """Columns that hold EEG, in µV, and `labels` for them."""
    labels: tuple[str, ...]
    stamp: int | None = None
    """Seconds or milliseconds since 1970, seconds since the start, or a date and time."""
    counter: int | None = None
    marker: int | None = None
    """Numbers that are 0 where nothing happened."""
    words: int | None = None
    """Text that is empty where nothing happened."""
    sfreq: float | None = None
    """Sampling rate where the file says it (Hz)."""
    device: tuple[float, ...] = ()
    """The rates the device has, where the file does not."""
    spoken: bool = False
    """Whether rows with words only are no samples; the words come last, and may be left out with their comma."""
    advice: str = ""
    """What to do when the rate is too low for EEG."""


def layout_of(comments: Sequence[str], header: str, first_row: str, asked: str) -> Layout | None:
    """What the columns of a table mean; None where it does not say.

    Parameters
    ----------
    comments : sequence of str
        The lines that begin with ``%``.
    header : str
        The line of column names, ``""`` where there is none.
    first_row : str
    asked : str
        The source, for messages.
    """
    if any("OpenBCI" in line for line in comments):
        return _openbci_gui(comments, header, first_row, asked)
    delimiter = "\t" if "\t" in header else ";" if header.count(";") > header.count(",") else ","
    names = [name.strip() for name in header.split(delimiter)]
    lower = [name.lower() for name in names]
    if any(name.startswith("RAW_") for name in names) and lower[0] == "timestamp":
        return _mind_monitor(names, delimiter)
    if lower[0] in ("timestamps", "timestamp") and len(names) > 1:
        return _muse(names, delimiter)
    if told := re.fullmatch(r"time:([\d.]+)hz", lower[0]):
        return _openvibe(names, delimiter, told[1], asked)
    return None


def _openbci_gui(comments: Sequence[str], header: str, first_row: str, asked: str) -> Layout:
    said = {key.strip(): value.strip() for line in comments for key, eq, value in [line[1:].partition("=")] if eq}
    rate = _rate(said.get("Sample Rate", "").lower().removesuffix("hz"), asked)
    names = [name.strip() for name in header.split(",")] if header else []
    if names:
        eeg = tuple(i for i, name in enumerate(names) if re.match(r"(EXG|EEG) Channel", name))
        counter, stamp, marker = (_find(names, name) for name in ("Sample Index", "Timestamp", "Marker Channel"))
        labels = tuple(names[i] for i in eeg)
        return Layout("the OpenBCI GUI", len(names), ",", eeg, labels, stamp, counter, marker, sfreq=rate)
    told = said.get("Number of channels", "")
    cells = first_row.split(",")
    n_chans = int(told) if told.isdecimal() and int(told) < len(cells) else 0
    stamp = len(cells) - 1 if re.fullmatch(r"\s*\d{10,}(\.\d*)?\s*", cells[-1]) else None
    labels = tuple(f"EEG channel {i + 1}" for i in range(n_chans))
    return Layout(
        "the OpenBCI GUI", len(cells), ",", tuple(range(1, n_chans + 1)), labels, stamp, counter=0, sfreq=rate
    )


def _muse(names: list[str], delimiter: str) -> Layout:
    marker = next((i for i, name in enumerate(names) if name.lower().startswith("marker")), None)
    eeg = tuple(i for i in range(1, len(names)) if not names[i].lower().startswith("marker"))
    labels = tuple(names[i] for i in eeg)
    device = MUSE_HZ if "TP9" in labels else ()
    return Layout("muse-lsl", len(names), delimiter, eeg, labels, stamp=0, marker=marker, device=device)


def _mind_monitor(names: list[str], delimiter: str) -> Layout:
    eeg = tuple(i for i, name in enumerate(names) if name.startswith("RAW_"))
    return Layout(
        "Mind Monitor",
        len(names),
        delimiter,
        eeg,
        tuple(names[i].removeprefix("RAW_") for i in eeg),
        stamp=0,
        words=_find(names, "Elements"),
        device=MUSE_HZ,
        spoken=True,
        advice="set the recording interval in Mind Monitor's settings to Constant",
    )


def _openvibe(names: list[str], delimiter: str, rate: str, asked: str) -> Layout:
    eeg = tuple(i for i, name in enumerate(names) if name and not name.lower().startswith(_NOT_EEG_OF_OPENVIBE))
    words = next((i for i, name in enumerate(names) if name.lower() in ("label", "event id")), None)
    labels = tuple(names[i] for i in eeg)
    return Layout("OpenViBE", len(names), delimiter, eeg, labels, stamp=0, words=words, sfreq=_rate(rate, asked))


def _find(names: Sequence[str], name: str) -> int | None:
    return names.index(name) if name in names else None


def _rate(text: str, asked: str) -> float:
    try:
        return float(text)
    except ValueError:
        found = f"its header says no sampling rate: {text[:40]!r}"
        raise StreamMismatch(asked, found, "the file may be damaged") from None
