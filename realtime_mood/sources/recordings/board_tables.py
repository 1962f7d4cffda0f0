"""Columns of tables of the OpenBCI GUI, with column names (v4 and later) and without, and of BrainFlow, without."""

from __future__ import annotations

import re
from typing import Any

from ...errors import ConfigError, StreamMismatch
from ..boards.catalogue import cycles_of, find
from ..boards.signals import row_groups
from ..timing.counter import Cycle
from .head import TableHead
from .layouts import Layout, column_of, rate_of
from .recording import PlaybackOptions
from .tracks import ChannelGroup

_BOARDS = {4: "ganglion", 8: "cyton", 16: "cyton_daisy"}  # of OpenBCI, by their number of channels
_AUX = (0, 3)  # cells between the channels and the time, before v4: none, or acceleration in three directions
_ALL_AUX = 13
"""Likewise since v4, where a program has left the names out: acceleration, digital and analog inputs, others."""
_CLOCK = re.compile(r"\d{1,2}:\d\d:\d\d([.,]\d+)?")
_UNPLACED = ("cyton", "ganglion", "freeeeg", "playback_file", "streaming")
"""Boards whose electrodes the user places, so that the library's names for them are only a suggestion."""


def is_openbci(head: TableHead) -> bool:
    """Whether the comments are those of the OpenBCI GUI, or of its conversion of an SD card's file."""
    return any("OpenBCI" in line or "OBCI" in line for line in head.comments)


def openbci_layout(head: TableHead, options: PlaybackOptions, asked: str) -> Layout:
    """The columns of an OpenBCI table; raises `StreamMismatch` where the first row does not fit its comments."""
    rate, names = rate_of(head.fields.get("sample rate", ""), asked), head.names
    if not names:
        return _without_names(head, rate, options, asked)
    eeg = tuple(i for i, name in enumerate(names) if re.match(r"(EXG|EEG) Channel", name))
    return Layout(
        "the OpenBCI GUI",
        len(names),
        eeg,
        tuple(names[i] for i in eeg),
        column_of(names, "Timestamp"),
        column_of(names, "Sample Index"),
        column_of(names, "Marker Channel"),
        sfreq=rate,
        cycles=_cycles(options, len(eeg)),
    )


def _without_names(head: TableHead, rate: float, options: PlaybackOptions, asked: str) -> Layout:
    cells = [cell.strip() for cell in head.first]
    timed = head.fields.get("first column", "").lower().startswith("time")  # then a counter, as OpenBCI's Python wrote
    begin, end, stamp = (2, len(cells), 0) if timed else (1, len(cells), None)
    for _ in range(2):  # a time of day, and then milliseconds since 1970 beside it
        if end and (re.fullmatch(r"\d{10,}([.,]\d*)?", cells[end - 1]) or _CLOCK.fullmatch(cells[end - 1])):
            stamp = end - 1 if stamp is None else stamp
            end -= 1
    n_chans = _n_channels(head.fields.get("number of channels", ""), end - begin, options)
    if n_chans is None:
        place = f"line {head.rows[0].number if head.rows else 0} holds {len(cells)} cells"
        found = f"{place}: more or fewer than a number, 4, 8 or 16 channels, 3 of acceleration"
        raise StreamMismatch(asked, found, "export it with a decimal point, or a semicolon between cells")
    labels, eeg = _numbered(n_chans), tuple(range(begin, begin + n_chans))
    cycles = _cycles(options, n_chans)
    motion = tuple(range(begin + n_chans, begin + n_chans + 3)) if end - begin - n_chans in _AUX[1:] else ()
    beside = (ChannelGroup("accelerometer", "ACC", tuple("xyz"), motion, ("g",) * 3),) if motion else ()
    return Layout(
        "the OpenBCI GUI", len(cells), eeg, labels, stamp, begin - 1, sfreq=rate, cycles=cycles, named=False,
        beside=beside,
    )  # fmt: skip


def _n_channels(stated: str, n_cells: int, options: PlaybackOptions) -> int | None:
    """How many of the cells between the counter and the time hold EEG; None where that cannot be."""
    if stated.isdecimal():
        aux = n_cells - int(stated)
        return int(stated) if 0 <= aux <= max(_AUX) or aux == _ALL_AUX else None
    return next((n for n in (*_BOARDS, len(options.channels)) if n and n_cells - n in _AUX), None)


def _cycles(options: PlaybackOptions, n_chans: int) -> tuple[Cycle, ...]:
    """How the board counts, by the option ``board=`` or by its channels."""
    return cycles_of((options.board or _BOARDS.get(n_chans, "")).lower())


def _numbered(n_chans: int) -> tuple[str, ...]:
    return tuple(f"EEG channel {i + 1}" for i in range(n_chans))


def brainflow_layout(head: TableHead, options: PlaybackOptions, asked: str) -> Layout:
    """The columns of ``DataFilter.write_file``, or of the same array saved by pandas.

    Raises `StreamMismatch` where it is no table of numbers alone or of another board, `ConfigError` where there is no
    such board.
    """
    names = [name for name in head.names if name]
    if names != [str(i) for i in range(len(names))]:
        found = f"a table that begins {head.dialect.delimiter.join(head.names)[:60]!r}"
        do = "tables of the OpenBCI GUI, BrainFlow, Muse, EmotivPRO and Unicorn can be played"
        raise StreamMismatch(asked, found, do)
    width = len(head.names) or len(head.first)
    index = len(head.names) - len(names)  # pandas' own column before them, which has no name
    found = f"a table of {width - index} columns"
    if not options.board:
        do = "if BrainFlow wrote it, say which board: board=cyton, board=ganglion, …"
        raise StreamMismatch(asked, f"{found} without names", do)
    name, board = _described(options.board, asked)
    if board["num_rows"] != width - index or not board.get("eeg_channels"):
        found = f"{found}; board={options.board} writes {board['num_rows']}"
        raise StreamMismatch(asked, found, "name the board that wrote it")
    eeg, known = board["eeg_channels"], tuple(str(board.get("eeg_names", "")).split(","))
    labels = known if len(known) == len(eeg) and not name.startswith(_UNPLACED) else _numbered(len(eeg))
    others = (board.get(key) for key in ("timestamp_channel", "package_num_channel", "marker_channel"))
    stamp, counter, event = (None if column is None else column + index for column in others)
    return Layout(
        "BrainFlow",
        width,
        tuple(column + index for column in eeg),
        labels,
        stamp,
        counter,
        event,
        sfreq=float(board["sampling_rate"]),
        cycles=cycles_of(name),
        named=False,
        beside=tuple(
            ChannelGroup(
                group.info.name, group.info.type, group.info.ch_names, tuple(row + index for row in group.rows),
                group.info.units,
            )
            for group in row_groups(board, eeg, name, "", 0.0)
        ),
    )  # fmt: skip


def _described(board: str, asked: str) -> tuple[str, dict[str, Any]]:
    """The board's name as the library has it, and its columns."""
    from ..boards.session import library

    name, known = find(board, library().BoardIds, asked)
    try:
        described: dict[str, Any] = library().BoardShim.get_board_descr(known.value)
    except library().BrainFlowError:
        raise ConfigError(asked, f"board={name}: it has no columns of its own", "name the board behind it") from None
    return name, described
