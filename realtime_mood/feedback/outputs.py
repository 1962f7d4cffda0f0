"""Where the feedback of a run goes: receivers, isolated from each other's faults, and a private record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from ..contracts import Prepared, Receiver, Reporting
from ..errors import ConfigError
from ..files import GrowingFile, check_writable, first_free, free_paths
from ..guard import Closings, Guarded, Report
from ..health import Feedback, Health, Output
from ..sinks.jsonlines import to_json


class Receivers:
    """All receivers of a run's feedback: one that fails or hangs is reported, and does not affect the others."""

    def __init__(self, receivers: Sequence[Receiver], report: Report) -> None:
        self._all, self._report = tuple(receivers), report
        self._closings = Closings(report)
        self._parts: dict[Guarded, Receiver] = {}

    def prepare(self) -> None:
        """Prepare all receivers for a run."""
        self._parts = {
            Guarded(receiver.output.name, self._report, partial(self._let_go, receiver)): receiver
            for receiver in self._all
        }
        for part, receiver in self._parts.items():
            if isinstance(receiver, Reporting):
                receiver.on_fault = self._report
            if isinstance(receiver, Prepared):
                part.call(receiver.prepare)

    def put(self, item: Feedback) -> None:
        """Pass feedback to each receiver."""
        for part, receiver in self._parts.items():
            part.call(receiver.put, item)

    def tell(self, text: str, t: float) -> None:
        """Pass a block or a reward to each receiver."""
        for part, receiver in self._parts.items():
            part.call(receiver.tell, text, t)

    def close(self, health: Health, deadline: Callable[[], float]) -> None:
        """Close all in parallel; one that hangs is abandoned at the deadline (s, our clock)."""
        for part, receiver in self._parts.items():
            if not part.is_gone:
                part.is_gone = True
                self._closings.add(part.name, partial(receiver.close, health))
        self._closings.wait(deadline)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """State of each receiver."""
        return tuple(receiver.output for receiver in self._all)

    def _let_go(self, receiver: Receiver) -> None:
        self._closings.add(receiver.output.name, partial(receiver.close, Health()))


class FeedbackRecord:
    """JSON lines of everything that was fed back, at `path` or the next free name; none where that is None.

    Raises `ConfigError` where the file cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: GrowingFile | None = None
        self.trouble = ""  # why lines are missing; empty where none are
        if path is not None:
            check_writable(first_free(free_paths(path, ending="feedback.jsonl")), "the lines at")

    def open(self) -> None:
        """Open a new file; raises `ConfigError` where that is not possible."""
        if self._path is not None:
            try:
                self._file = GrowingFile(free_paths(self._path, ending="feedback.jsonl"))
            except OSError as error:
                found = error.strerror or str(error)
                raise ConfigError(f"--lines {self._path}", found, "choose another place") from error

    def write(self, line: Mapping[str, object]) -> None:
        """Append a line. On a full disk the session continues without it, and `trouble` says so."""
        if self._file is not None:
            try:
                self._file.append(f"{to_json(line)}\n".encode())
            except OSError as error:
                self.trouble = f"not written: {error.strerror or error}"

    def close(self, last: Mapping[str, object]) -> None:
        """Append a last line and close the file. May be called twice."""
        self.write(last)
        file, self._file = self._file, None
        if file is not None:
            file.close()
