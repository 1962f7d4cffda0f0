"""Turns the name of a BrainFlow board into what the columns of its tables mean: they have no header."""

from __future__ import annotations

from typing import Any

from ...errors import ConfigError, StreamMismatch
from ..boards import find
from .layouts import Layout
from .recording import PlaybackOptions

_SEVERAL = ("cyton", "ganglion", "freeeeg", "playback_file", "streaming")
"""Boards whose electrodes the person places, so that the library's names for them are only a habit."""


def layout_of(header: str, first_row: str, options: PlaybackOptions, asked: str) -> Layout:
    """What the columns of ``DataFilter.write_file`` mean.

    Raises
    ------
    StreamMismatch
        It is no table of numbers alone, or of another board.
    ConfigError
        There is no such board.
    """
    if header:
        raise StreamMismatch(
            asked, f"a table that begins {header[:60]!r}", "tables of the OpenBCI GUI, BrainFlow and Muse can be played"
        )
    delimiter = "\t" if "\t" in first_row else ","
    n_columns = first_row.count(delimiter) + 1
    if not options.board:
        raise StreamMismatch(
            asked,
            f"a table of {n_columns} columns without names",
            "if BrainFlow wrote it, say which board: board=cyton, board=ganglion, …",
        )
    told = _described(options.board, asked)
    if told["num_rows"] != n_columns or not told.get("eeg_channels"):
        found = f"a table of {n_columns} columns; board={options.board} writes {told['num_rows']}"
        raise StreamMismatch(asked, found, "name the board that wrote it")
    eeg, known = told["eeg_channels"], str(told.get("eeg_names", "")).split(",")
    placed = len(known) == len(eeg) and not options.board.lower().startswith(_SEVERAL)
    labels = known if placed else [f"EEG channel {i + 1}" for i in range(len(eeg))]
    return Layout(
        "BrainFlow",
        n_columns,
        delimiter,
        tuple(eeg),
        tuple(labels),
        told.get("timestamp_channel"),
        told.get("package_num_channel"),
        told.get("marker_channel"),
        sfreq=float(told["sampling_rate"]),
    )


def _described(board: str, asked: str) -> dict[str, Any]:
    from ..brainflow_session import library

    name, known = find(board, library().BoardIds, asked)
    try:
        described: dict[str, Any] = library().BoardShim.get_board_descr(known.value)
    except library().BrainFlowError:
        raise ConfigError(asked, f"board={name}: it has no columns of its own", "name the board behind it") from None
    return described
