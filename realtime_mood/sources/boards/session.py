"""A BrainFlow session that is always released, and messages for the library's exit codes."""

from __future__ import annotations

import math
import threading
import warnings
import weakref
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from ...errors import SourceError, SourceNotFound, StreamMismatch, install_extra
from ...guard import GuardedThread
from .catalogue import BrainflowOptions

BUFFER_S = 60  # length of the library's buffer (s)
LOOK_S = 0.05  # interval (s) of checks for a cancelled opening
CLOSE_S = 1.0  # how long `close` waits for a board to be released (s); some take seconds
LONGEST_PAUSE_S = 10.0
"""Longest pause in a file (s): the library's player sleeps through pauses and cannot be stopped meanwhile."""

TROUBLES = {
    1: ("its port is open already", "close the program that uses it"),
    2: ("its port or adapter cannot be opened", "check cable, name and permissions of the port, or Bluetooth"),
    3: ("its port fails", "unplug it and plug it in again"),
    4: ("it takes no commands", "switch it off and on"),
    5: ("its data are not those of this board", "check that it is this board, switch it off and on"),
    6: ("it does not answer the greeting", "check that it is this board, switch it off and on"),
    7: ("it does not answer", "switch it on, move it closer, close other programs that use it"),
    8: ("it is streaming already", "close the program that uses it"),
    10: ("the library could not start a thread", "close other programs"),
    13: ("it refuses its parameters", "check each of them"),
    14: ("the library does not support it on this computer", "use another computer or board"),
    15: ("its session is gone", "open it again"),
    16: ("another session holds it", "close the program that uses it"),
    17: ("the library failed", "check its parameters, driver and adapter; log=FILE tells more"),
    18: ("it does not answer in time", "switch it on, move it closer, give a longer timeout="),
}
"""Meaning of the library's exit codes, and what to do."""
HELD = 16
UNCLEAR = {5, 6, 7}
"""Exit codes of a first attempt on a serial board that was streaming when its last program was killed."""


@cache
def library() -> Any:
    """The library's `board_shim`, without its warnings on import and its log on standard error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from brainflow import board_shim

            board_shim.BoardShim.disable_board_logger()  # the first call loads more, which warns as well
    except Exception as error:
        raise SourceNotFound("the BrainFlow library", str(error), install_extra("brainflow")) from error
    return board_shim


def trouble(kind: type[SourceError], asked: str, error: Any) -> SourceError:
    """The message of a `BrainFlowError`."""
    found, do = TROUBLES.get(error.exit_code, (str(error), "switch it off and on"))
    return kind(asked, f"{found} (BrainFlow {error.exit_code})", do)


class BoardSession:
    """One board, prepared and streaming until `close`; also released by garbage collection and at exit.

    `given` is a ``BrainFlowInputParams``, and `sfreq` (Hz) sets the size of the buffer. Raises `SourceNotFound` where
    the board does not answer, another program uses it, or `cancelled` was set.
    """

    _open: weakref.WeakValueDictionary[tuple[int, str], BoardSession] = weakref.WeakValueDictionary()
    _lock = threading.Lock()

    def __init__(
        self, board_id: int, given: Any, asked: str, sfreq: float, options: BrainflowOptions, cancelled: threading.Event
    ) -> None:
        board_shim = library()
        if options.log:
            board_shim.BoardShim.enable_dev_board_logger()
            board_shim.BoardShim.set_log_file(options.log)
        self._key = (board_id, str(given.to_json()))
        with self._lock:
            # The library identifies a session by its parameters: a second object would release the first one's.
            if self._key in self._open:
                raise SourceNotFound(asked, "this program has it open already", "close it there first")
            self._open[self._key] = self
        self.board = board_shim.BoardShim(board_id, given)
        self._let_go = weakref.finalize(self, _release, self.board)
        self._closing: threading.Thread | None = None
        self._given_up = False
        self._error: BaseException | None = None
        # The library may search for a board for many seconds and cannot be interrupted: then it continues alone.
        work = partial(self._begin, bool(given.serial_port), options.config, sfreq)
        opening = GuardedThread(work, "mood-brainflow-open")
        opening.start()
        while opening.is_alive() and not cancelled.is_set():
            opening.join(LOOK_S)
        with self._lock:
            self._given_up = opening.is_alive()
        if self._given_up:
            raise SourceNotFound(asked, "the search was cancelled")
        if isinstance(self._error, board_shim.BrainFlowError):
            raise trouble(SourceNotFound, asked, self._error) from self._error
        if self._error is not None:
            raise self._error

    def _begin(self, serial: bool, commands: Sequence[str], sfreq: float) -> None:
        try:
            self._prepare(serial)
            for command in commands:
                self.board.config_board(command)
            self.board.start_stream(max(1000, round(BUFFER_S * sfreq)))
        except BaseException as error:
            self._error = error
        with self._lock:
            given_up = self._given_up
        if given_up or self._error is not None:
            self._forget()

    def _prepare(self, serial: bool) -> None:
        try:
            self.board.prepare_session()
        except library().BrainFlowError as error:
            if error.exit_code == HELD:  # left open in this process by an object that no longer exists
                _release(self.board)
            elif not (serial and error.exit_code in UNCLEAR):
                raise
            self.board.prepare_session()

    def close(self) -> None:
        """Release the board; a slow one is released in the background. May be called twice."""
        if self._closing is None:
            self._closing = GuardedThread(self._forget, "mood-brainflow-close", daemon=False)
            self._closing.start()
        self._closing.join(CLOSE_S)

    def _forget(self) -> None:
        self._let_go()
        with self._lock:
            self._open.pop(self._key, None)


def _release(board: Any) -> None:
    # It may never have been prepared, or be gone: then there is nothing to release.
    with suppress(library().BrainFlowError):
        board.release_session()
    # Its finaliser would call the library again, when another session may have its parameters or Python is exiting.
    board.is_prepared = lambda: False


def count_rows(path: Path, n_columns: int, stamp: int, asked: str) -> int:
    """Number of rows of a BrainFlow file that the library will play; raises `SourceNotFound` or `StreamMismatch`.

    The board's table has `n_columns`, with stamps (s) in column `stamp`.
    """
    n, last, width = 0, math.nan, 0
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                cells = line.strip().split(b"\t" if b"\t" in line else b",")
                width = width or len(cells)
                if len(cells) != n_columns:
                    continue
                n += 1
                with suppress(ValueError):
                    before, last = last, float(cells[stamp])
                    if last - before > LONGEST_PAUSE_S:
                        found = f"its stamps pause for {last - before:.0f} s at line {number}"
                        do = f"BrainFlow's player would sleep through that: use playback://{path}"
                        raise StreamMismatch(asked, found, do)
    except OSError as error:
        raise SourceNotFound(asked, f"file={path}: {error.strerror or error}", "correct the path") from error
    if not n:
        found = f"file={path} has {width} columns, the board's table {n_columns}"
        raise StreamMismatch(asked, found, "correct master_board= or file=")
    return n
