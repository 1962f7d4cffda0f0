"""Source for BrainFlow boards: chunks of EEG with lost samples counted."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ... import clock
from ...auxiliary import AuxChunk, AuxInfo
from ...errors import ConfigError, SourceLost, SourceNotFound, StreamEnded, StreamMismatch
from ...types import Chunk, StreamInfo
from ..channels import choose_channels
from ..timing.packages import MOST_OFF, Packages, sfreq_of
from ..units import microvolts
from . import catalogue as boards
from .catalogue import BrainflowOptions
from .session import BoardSession, count_rows, library, trouble
from .signals import TIMING, CarriedRows, OtherPreset, row_groups

POLL_S = 0.02  # polling interval (s): limits the wake-ups per second and the delay that polling adds
FOREIGN_S = 60.0  # stamps further than this from now (s) are on the board's own clock and are shifted by an offset
MEASURE_S = 2.5  # how long the sampling rate is measured after opening (s)
LIVE_S = 1.0  # how long to wait for a sample after reconnecting (s)


class BrainflowSource:
    """A `board` of the BrainFlow library: ``cyton``, ``muse_2``, ``synthetic``, …, in any spelling.

    Raises `ConfigError` where there is no such board or a parameter is missing, `SourceNotFound` where the library
    cannot be loaded.
    """

    Options = BrainflowOptions

    def __init__(self, board: str, options: BrainflowOptions | None = None) -> None:
        self.options = options or BrainflowOptions()
        self.name = f"brainflow://{board}"
        ids = library().BoardIds
        self.board, self.board_id = boards.find(board, ids, self.name)
        # A multicast that pauses continues in the same session, which the library takes seconds to close.
        self.exclusive = self.board != "streaming"
        self.cancelled = threading.Event()
        if missing := [need for need in boards.NEEDS.get(self.board, ()) if not getattr(self.options, need)]:
            query = "&".join(f"{need}=…" for need in missing)
            raise ConfigError(self.name, f"it needs {' and '.join(missing)}", f"write {self.name}?{query}")
        self.master, self.master_id = self.board, self.board_id
        if self.options.master_board:
            self.master, self.master_id = boards.find(self.options.master_board, ids, f"{self.name}, master_board")
        if {self.board, self.master} <= {"playback_file", "streaming"}:
            raise ConfigError(self.name, f"master_board={self.master}", "name the board that the data came from")

    def open(self) -> BrainflowStream:
        """Raises `SourceNotFound` or `StreamMismatch`."""
        self.cancelled = threading.Event()
        return BrainflowStream(self)

    def cancel(self) -> None:
        """Make an `open` or `reopen` in progress give up soon; called from any thread."""
        self.cancelled.set()

    def reopen(self, info: StreamInfo) -> BrainflowStream:
        """Open the same board again, once it sends; raises `SourceNotFound` or `StreamMismatch`."""
        self.cancelled = threading.Event()
        stream = BrainflowStream(self, info.sfreq)
        try:
            if (stream.info.ch_names, stream.info.sfreq) != (info.ch_names, info.sfreq):
                found = f"it has {stream.info.n_chans} channels at {stream.info.sfreq:g} Hz"
                raise StreamMismatch(self.name, f"{found}, and had {info.n_chans} at {info.sfreq:g} Hz", "restart")
            if not stream.alive(LIVE_S):
                raise SourceNotFound(self.name, "it is there but sends nothing", "switch it on or wake it up")
        except BaseException:
            stream.close()
            raise
        return stream

    def parameters(self) -> Any:
        """The options as the library's parameters."""
        board_shim = library()
        given = board_shim.BrainFlowInputParams()
        for field in vars(given).keys() & BrainflowOptions.model_fields.keys():
            setattr(given, field, getattr(self.options, field))
        given.ip_protocol = {"": 0, "udp": 1, "tcp": 2}[self.options.ip_protocol]
        given.master_board = int(self.master_id) if self.options.master_board else board_shim.BoardIds.NO_BOARD.value
        if self.board == "streaming":
            given.other_info = str(int(self.master_id))
        return given


class BrainflowStream:
    """An open board. Made by `BrainflowSource.open`."""

    def __init__(self, source: BrainflowSource, sfreq: float | None = None) -> None:
        options = source.options
        self._name, self._error = source.name, library().BrainFlowError
        board = self._described(source)
        eeg = board["eeg_channels"]
        labels = [label.strip() for label in board.get("eeg_names", "").split(",")]
        labels = labels if len(labels) == len(eeg) else [""] * len(eeg)
        columns, ch_names, reference, notes = choose_channels(labels, [True] * len(eeg), options, source.name)
        self._eeg = [eeg[i] for i in columns]
        # Boards that measure impedance in the rows of the signal give one or the other.
        ohm = board.get("resistance_channels", [])
        self._ohm = [ohm[i] for i in columns] if len(ohm) >= len(eeg) and not set(ohm) & set(eeg) else []
        self._number, self._stamp, self._marker = (board[key] for key in TIMING)
        self._scale = microvolts(options.units or "uV")
        self._aside = boards.IMPEDANCE_PACKAGES if source.master.startswith("ganglion") else range(0)
        self._left = math.inf
        if source.board == "playback_file" and "loopback_true" not in options.config:
            self._left = count_rows(Path(options.file), board["num_rows"], self._stamp, source.name)
        self._to_now: float | None = None
        self._heard = False
        self._ready: deque[Chunk] = deque()  # with the columns of the signals beside the EEG
        self._others: list[OtherPreset] = []
        self._closed = threading.Event()
        sampling_rate, given = board["sampling_rate"], source.parameters()
        self._session = BoardSession(int(source.board_id), given, source.name, sampling_rate, options, source.cancelled)
        announced, virtual, name = self._rate(board), source.master == "synthetic", _called(source, board["name"])
        cycles = boards.cycles_of(source.master)
        first: list[tuple[np.ndarray, float]] = []
        odd = ""
        if sfreq is None and not virtual:
            first = self._first_seconds(source.cancelled)
            tables = [self._samples_in(table) for table, _ in first]
            sfreq, odd = sfreq_of([(table[self._number], table[self._stamp]) for table in tables], cycles, announced)
        elif sfreq is None or abs(sfreq / announced - 1) > MOST_OFF:
            sfreq = announced
        groups = row_groups(board, (*self._eeg, *self._ohm), source.master, source.name, sfreq)
        self._beside = [row for group in groups for row in group.rows]
        self._carried = CarriedRows(groups, len(self._eeg))
        self._packages = Packages(sfreq, len(ch_names), cycles, len(self._beside))
        self.info = StreamInfo(
            ch_names=ch_names,
            sfreq=sfreq,
            name=name,
            reference=reference,
            virtual=virtual,
            chunk_s=max(POLL_S, cycles[0].per / sfreq if cycles else 0.0),
            notes=(*notes, *([f"{name} {odd}"] if odd else [])),
        )
        for table, arrived in first:
            self._pass_on(table, arrived)
        self._others = self._other_presets(source)

    def read(self, timeout: float) -> Chunk | None:
        """As in `Stream`; raises `StreamEnded` at the end of a file, `SourceLost` when the library cannot read it."""
        deadline = clock.now() + timeout
        while not self._ready:
            if self._closed.is_set():
                raise SourceLost(self._name, "closed")
            self._pass_on(self._fetch(), clock.now())
            self._fetch_others()
            if self._ready:
                break
            if self._left <= 0:
                raise StreamEnded(self._name, "played to its end", "config=loopback_true repeats it")
            left = deadline - clock.now()
            if left <= 0:
                return None
            self._closed.wait(min(POLL_S, left))
        chunk = self._ready.popleft()
        self._carried.take(chunk, self.info.sfreq)
        return replace(chunk, data=chunk.data[:, : self.info.n_chans])

    def beside(self) -> Sequence[tuple[AuxInfo, AuxChunk]]:
        """The other rows of the board's packages, and of its other presets; as in `Carrying`."""
        return [
            part for carried in (self._carried, *(other.carried for other in self._others)) for part in carried.ready()
        ]

    def alive(self, within: float) -> bool:
        """Whether the board has sent a sample, or sends one `within` this time (s); the sample stays to be read."""
        deadline = clock.now() + within
        while not self._heard and clock.now() < deadline and not self._closed.wait(POLL_S):
            self._pass_on(self._fetch(), clock.now())
        return self._heard

    def close(self) -> None:
        """Release the board; a waiting `read` returns. May be called twice."""
        self._closed.set()
        self._session.close()

    def _fetch(self) -> np.ndarray:
        """New rows with stamps on our clock: (n_rows, n)."""
        try:
            table: np.ndarray = self._session.board.get_board_data()
        except self._error as error:
            if self._closed.is_set():
                raise SourceLost(self._name, "closed") from error
            raise trouble(SourceLost, self._name, error) from error
        self._left -= table.shape[1]
        self._heard = self._heard or table.shape[1] > 0
        table[self._stamp] = self._on_our_clock(table[self._stamp], clock.now())
        return table

    def _other_presets(self, source: BrainflowSource) -> list[OtherPreset]:
        """Those that this session has: a file or a multicast need not have all of its board's."""
        others = []
        with suppress(self._error):
            presets = set(library().BoardShim.get_board_presets(int(source.master_id)))
            for preset in sorted(presets - {library().BrainFlowPresets.DEFAULT_PRESET.value}):
                described = library().BoardShim.get_board_descr(int(source.master_id), preset)
                self._session.board.get_board_data_count(preset)
                others.append(OtherPreset(preset, described, source.master, source.name))
        return others

    def _fetch_others(self) -> None:
        """Empty the buffers of the other presets, once the offset of the board's clock is known."""
        for other in self._others if self._to_now is not None else ():
            with suppress(self._error):  # the EEG's preset reports whatever is wrong with the session
                table, now = self._session.board.get_board_data(preset=other.preset), clock.now()
                table[other.stamp] = self._on_our_clock(table[other.stamp], now)
                other.feed(table, now, is_last=self._left <= 0)

    def _pass_on(self, table: np.ndarray, arrived: float) -> None:
        """Queue the samples whose count is certain."""
        if self._ohm and table.shape[1]:
            ohm = np.where(table[self._ohm] > 0, table[self._ohm], np.nan)
            seen = np.flatnonzero(np.isfinite(ohm).any(axis=0))
            if len(seen):
                self._packages.measure(ohm[:, seen[-1]] / 1e3)
        samples = self._samples_in(table)
        number, stamp, marker = samples[[self._number, self._stamp, self._marker]]
        rows = np.concatenate((samples[self._eeg] * self._scale, samples[self._beside])).T
        self._ready.extend(self._packages.feed(rows, marker, number, stamp, arrived))
        if self._left <= 0:
            self._ready.extend(self._packages.release(arrived))

    def _first_seconds(self, cancelled: threading.Event) -> list[tuple[np.ndarray, float]]:
        """The first rows and their arrival times, for measuring the rate; they are kept."""
        first = []
        end = clock.now() + MEASURE_S
        while clock.now() < end and self._left > 0 and not cancelled.wait(POLL_S):
            first.append((self._fetch(), clock.now()))
        if cancelled.is_set():
            self._session.close()
            raise SourceNotFound(self._name, "opening was cancelled")
        return first

    def _samples_in(self, table: np.ndarray) -> np.ndarray:
        return table[:, ~np.isin(table[self._number], self._aside)]

    def _on_our_clock(self, stamps: np.ndarray, now: float) -> np.ndarray:
        """Most stamps are of this computer's clock; its offset is measured each time, for it may be set meanwhile."""
        if not len(stamps):
            return stamps
        stamps = stamps + (now - time.time())
        if self._to_now is None:
            behind = now - float(stamps[-1])
            self._to_now = behind if abs(behind) > FOREIGN_S else 0.0
        return stamps + self._to_now

    def _described(self, source: BrainflowSource) -> dict[str, Any]:
        try:
            description: dict[str, Any] = library().BoardShim.get_board_descr(int(source.master_id))
        except self._error as error:
            raise trouble(StreamMismatch, source.name, error) from error
        if not description.keys() >= set(TIMING) or not description.get("eeg_channels"):
            found = f"a {description.get('name', source.master)} records no EEG"
            raise StreamMismatch(source.name, found, "use another board")
        return description

    def _rate(self, description: dict[str, Any]) -> float:
        """Sampling rate reported by the session; some boards can be configured to another than the usual one."""
        try:
            return float(self._session.board.get_board_sampling_rate())
        except (self._error, AttributeError):
            return float(description["sampling_rate"])


def _called(source: BrainflowSource, device: str) -> str:
    if source.master == "synthetic":
        device = "BrainFlow's synthetic board"
    if source.board == "playback_file":
        return f"{Path(source.options.file).name} ({device})"
    return f"{device} by multicast" if source.board == "streaming" else device
