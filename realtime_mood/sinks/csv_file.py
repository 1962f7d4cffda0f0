"""Readings as a CSV file: one row per reading, written at once."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path

from ..files import GrowingFile, Strict, check_writable, first_free, free_paths
from ..health import Emission
from ..types import Estimate
from .outbox import Outbox
from .values import names_of, values_of

COLUMNS = ("t", "first", "end", "status", "readout", "calibrated", "virtual")


class CsvOptions(Strict):
    """Options after ``csv://PATH?``: names for the file, where `PATH` is a folder."""

    participant: str = ""
    session: str = ""


class CsvFile(Outbox[Emission]):
    """The file `path`, or the next free name beside it: nothing is overwritten, and only this user can read it.

    Raises `ConfigError` where the path is not writable.
    """

    Options = CsvOptions

    def __init__(self, path: Path | str, options: CsvOptions = CsvOptions()) -> None:  # noqa: B008 - frozen
        super().__init__(f"CSV {path}")
        self._path, self._options = Path(path).expanduser(), options
        check_writable(first_free(self._places()), "a table at")
        self._file: GrowingFile | None = None
        self._names: tuple[str, ...] = ()

    def _places(self) -> Iterator[Path]:
        return free_paths(self._path, self._options.participant, self._options.session, "readings.csv")

    def deliver(self, item: Emission) -> None:
        reading, names = item.reading, names_of(item.reading.readout)
        if self._file is None or names != self._names:  # another readout needs another table
            self.shut()
            self._file, self._names = GrowingFile(self._places()), names
            self._file.append(_row([*COLUMNS, *names]))
        status = "estimate" if isinstance(reading, Estimate) else reading.why.value
        cells = [round(item.t, 4), reading.first, reading.end, status, reading.readout.name, int(reading.calibrated)]
        numbers = [f"{v:.6g}" if math.isfinite(v) else "" for v in values_of(item).values()]
        self._file.append(_row([*cells, int(item.info.virtual), *numbers]))

    def shut(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _row(cells: list[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()
