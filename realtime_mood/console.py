"""Standard output and standard error that survive being closed, full, or unable to encode a character."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TextIO

from .errors import OutputError, ReaderGone


class StandardOutput(io.TextIOWrapper):
    """A text stream on a file descriptor, which stays open; written line by line.

    `write` and `flush` raise `OutputError` when writing fails, and so does every later `write`.
    """

    fault: OutputError | None = None  # why it can no longer be written; None while it can

    def __init__(self, descriptor: int, encoding: str, unencodable: str = "replace") -> None:
        binary = open(descriptor, "wb", closefd=False)  # noqa: SIM115 - closed with this stream
        super().__init__(binary, encoding, unencodable, line_buffering=True)

    def write(self, text: str) -> int:
        """Write `text`; flush at the end of a line."""
        if self.fault is not None:
            raise self.fault
        return int(self._guarded(super().write, text) or 0)

    def flush(self) -> None:
        """Pass everything to the operating system."""
        self._guarded(super().flush)

    def _guarded(self, call: Callable[..., Any], *words: str) -> Any:
        try:
            return call(*words)
        except OSError as error:
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - what is still in the buffer goes there
                os.dup2(nowhere.fileno(), self.fileno())
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        self.fault = _output_error(error)
        raise self.fault from None


class StandardError(StandardOutput):
    """Standard error; its own failures cannot be reported anywhere and are ignored."""

    def _failed(self, error: OSError) -> None: ...


def take_over() -> None:
    """Replace Python's standard streams by these, at the start of the program.

    A closed descriptor is opened first, so that no file opened later takes its number and receives what is printed.
    A closed standard output is opened for reading only, so that writing to it still raises an error.
    """
    for descriptor, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)
    sys.stdout = StandardOutput(1, encoding_of(sys.stdout))
    sys.stderr = StandardError(2, encoding_of(sys.stderr), "backslashreplace")


def terminated(number: int, frame: FrameType | None) -> None:
    """Do as at Ctrl-C, even if the shell started the program in the background, with Ctrl-C ignored."""
    interrupted = signal.getsignal(signal.SIGINT)
    (interrupted if callable(interrupted) else signal.default_int_handler)(number, frame)


def encoding_of(stream: TextIO | None) -> str:
    """The encoding of a stream; UTF-8 for one that is closed or has none."""
    return getattr(stream, "encoding", None) or "utf-8"


@contextmanager
def own_stdout() -> Iterator[StandardOutput]:
    """Give standard output to the caller alone; what libraries print meanwhile goes to standard error.

    On leaving, raises `OutputError` where it could not be written. A loop that only waits for other threads checks
    `fault`.
    """
    sys.stdout.flush()
    ours = os.dup(1)
    os.dup2(2, 1)
    try:
        with StandardOutput(ours, encoding_of(sys.stdout)) as out:
            yield out
            if out.fault is not None:
                raise out.fault
    finally:
        os.dup2(ours, 1)
        os.close(ours)


def _output_error(error: OSError) -> OutputError:
    if error.errno == errno.EPIPE or (sys.platform == "win32" and error.errno == errno.EINVAL):
        return ReaderGone("standard output", "its reader has ended")
    found = "it is closed" if error.errno == errno.EBADF else f"not written: {error.strerror or error}"
    return OutputError("standard output", found, "free some disk space, or redirect it elsewhere")
