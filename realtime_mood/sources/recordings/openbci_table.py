"""What the columns of the OpenBCI GUI's text files mean, with column names (v4 and later) and without (before)."""

from __future__ import annotations

import re

from ...errors import StreamMismatch
from ..boards.catalogue import cycles_of
from ..timing.counter import Cycle
from .head import TableHead
from .layouts import Layout, find, rate_of
from .recording import PlaybackOptions

_CHANNELS = {4: "ganglion", 8: "cyton", 16: "cyton_daisy"}  # how many channels each of its boards has
_AUX = (0, 3)  # cells between the channels and the time, before v4: none, or acceleration in three directions
_ALL_AUX = 13
"""Likewise since v4, where a program has left the names out: acceleration, digital and analog inputs, others."""
_CLOCK = re.compile(r"\d{1,2}:\d\d:\d\d([.,]\d+)?")


def is_openbci(head: TableHead) -> bool:
    """Whether the comments are those of the OpenBCI GUI, or of what it makes of a card's file."""
    return any("OpenBCI" in line or "OBCI" in line for line in head.comments)


def openbci_layout(head: TableHead, options: PlaybackOptions, asked: str) -> Layout:
    """What its columns mean; raises `StreamMismatch` where the first row does not fit its comments."""
    rate, names = rate_of(head.said.get("sample rate", ""), asked), head.names
    if not names:
        return _without_names(head, rate, options, asked)
    eeg = tuple(i for i, name in enumerate(names) if re.match(r"(EXG|EEG) Channel", name))
    return Layout(
        "the OpenBCI GUI",
        len(names),
        eeg,
        tuple(names[i] for i in eeg),
        find(names, "Timestamp"),
        find(names, "Sample Index"),
        find(names, "Marker Channel"),
        sfreq=rate,
        cycles=_cycles(options, len(eeg)),
    )


def _without_names(head: TableHead, rate: float, options: PlaybackOptions, asked: str) -> Layout:
    cells = [cell.strip() for cell in head.first]
    timed = head.said.get("first column", "").lower().startswith("time")  # then a counter, as OpenBCI's Python wrote
    begin, end, stamp = (2, len(cells), 0) if timed else (1, len(cells), None)
    for _ in range(2):  # a time of day, and then milliseconds since 1970 beside it
        if end and (re.fullmatch(r"\d{10,}([.,]\d*)?", cells[end - 1]) or _CLOCK.fullmatch(cells[end - 1])):
            stamp = end - 1 if stamp is None else stamp
            end -= 1
    n_chans = _n_channels(head.said.get("number of channels", ""), end - begin, options)
    if n_chans is None:
        line = head.rows[0].number if head.rows else 0
        found = (
            f"line {line} holds {len(cells)} cells: more or fewer than a number, 4, 8 or 16 channels, 3 of acceleration"
        )
        raise StreamMismatch(asked, found, "export it with a decimal point, or a semicolon between cells")
    labels = tuple(f"EEG channel {i + 1}" for i in range(n_chans))
    eeg = tuple(range(begin, begin + n_chans))
    cycles = _cycles(options, n_chans)
    return Layout("the OpenBCI GUI", len(cells), eeg, labels, stamp, begin - 1, sfreq=rate, cycles=cycles, named=False)


def _n_channels(stated: str, n_cells: int, options: PlaybackOptions) -> int | None:
    """How many of the cells between the counter and the time hold EEG; None where that cannot be."""
    if stated.isdecimal():
        aux = n_cells - int(stated)
        return int(stated) if 0 <= aux <= max(_AUX) or aux == _ALL_AUX else None
    return next((n for n in (*_CHANNELS, len(options.channels)) if n and n_cells - n in _AUX), None)


def _cycles(options: PlaybackOptions, n_chans: int) -> tuple[Cycle, ...]:
    """How its board counts, by what was asked or by its channels."""
    return cycles_of((options.board or _CHANNELS.get(n_chans, "")).lower())
