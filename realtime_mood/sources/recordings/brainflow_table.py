"""Columns of BrainFlow tables by board name, since these tables have no header."""

from __future__ import annotations

from typing import Any

from ...errors import ConfigError, StreamMismatch
from ..boards.catalogue import cycles_of, find
from .head import TableHead
from .layouts import Layout
from .recording import PlaybackOptions

_SEVERAL = ("cyton", "ganglion", "freeeeg", "playback_file", "streaming")
"""Boards whose electrodes the person places, so that the library's names for them are only a habit."""


def brainflow_layout(head: TableHead, options: PlaybackOptions, asked: str) -> Layout:
    """What the columns of ``DataFilter.write_file`` mean, or of the same array saved by pandas.

    Raises
    ------
    StreamMismatch
        It is no table of numbers alone, or of another board.
    ConfigError
        There is no such board.
    """
    names = [name for name in head.names if name]
    if names != [str(i) for i in range(len(names))]:
        found = f"a table that begins {head.dialect.delimiter.join(head.names)[:60]!r}"
        raise StreamMismatch(
            asked, found, "tables of the OpenBCI GUI, BrainFlow, Muse, EmotivPRO and Unicorn can be played"
        )
    width = len(head.names) or len(head.first)
    index = len(head.names) - len(names)  # pandas' own column before them, which has no name
    n_columns = width - index
    if not options.board:
        raise StreamMismatch(
            asked,
            f"a table of {n_columns} columns without names",
            "if BrainFlow wrote it, say which board: board=cyton, board=ganglion, …",
        )
    name, board = _described(options.board, asked)
    if board["num_rows"] != n_columns or not board.get("eeg_channels"):
        found = f"a table of {n_columns} columns; board={options.board} writes {board['num_rows']}"
        raise StreamMismatch(asked, found, "name the board that wrote it")
    eeg, known = board["eeg_channels"], str(board.get("eeg_names", "")).split(",")
    placed = len(known) == len(eeg) and not name.startswith(_SEVERAL)
    labels = known if placed else [f"EEG channel {i + 1}" for i in range(len(eeg))]
    others = (board.get(key) for key in ("timestamp_channel", "package_num_channel", "marker_channel"))
    stamp, counter, event = (None if column is None else column + index for column in others)
    return Layout(
        "BrainFlow",
        width,
        tuple(column + index for column in eeg),
        tuple(labels),
        stamp,
        counter,
        event,
        sfreq=float(board["sampling_rate"]),
        cycles=cycles_of(name),
        named=False,
    )


def _described(board: str, asked: str) -> tuple[str, dict[str, Any]]:
    """The board's name as the library has it, and where it puts what."""
    from ..boards.session import library

    name, known = find(board, library().BoardIds, asked)
    try:
        described: dict[str, Any] = library().BoardShim.get_board_descr(known.value)
    except library().BrainFlowError:
        raise ConfigError(asked, f"board={name}: it has no columns of its own", "name the board behind it") from None
    return name, described
