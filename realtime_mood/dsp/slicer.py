"""Turns filtered rows into windows, one per hop, with band power and electrode quality."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from ..reasons import ARTEFACTS
from ..ring import RingBuffer
from ..types import Chunk, Impedance, Mask, Quality, StreamInfo, Window
from .artefacts import EegArtefacts
from .features import Resampler
from .filters import Filters
from .gaps import SampleRun, StepRemover
from .quality import ElectrodeQuality, Hop
from .repair import EyeRepair
from .spec import FeatureSpec

RAW_S = 1.0  # what electrode quality is judged on, s
BLOCK = 2048  # rows at most that are filtered together where more arrive at once, but at least a hop


class Slicer:
    """Filters runs of rows, sums band power over each hop, judges electrodes, and cuts a window at the end of each hop.

    Windows always end at ``spec.grid(k, sfreq)``; those of the same block of rows share memory. This is the one place
    where (n_times, n_chans) becomes (n_chans, n_times).
    """

    def __init__(self, info: StreamInfo, spec: FeatureSpec, filters: Filters, memory_s: float) -> None:
        self._info, self._spec, self._filters = info, spec, filters
        self.clean = RingBuffer(info, round(memory_s * info.sfreq))
        """Filtered signal, for windows and for the screen; NaN in long gaps."""
        self._received = RingBuffer(StreamInfo(("received",), info.sfreq), self.clean.capacity)
        self._n_times = Resampler(spec, info.sfreq).n_in
        self._n_raw = round(RAW_S * info.sfreq)
        self._n_hops = spec.n_steps * spec.hops_per_step
        self._level = StepRemover(info.n_chans)
        self._repair = EyeRepair(info.ch_names, info.sfreq) if spec.repair == "eog" else None
        self._judge = ElectrodeQuality(info.n_chans, info.sfreq, spec.hop_s, spec.context_s)
        self._artefacts = EegArtefacts(info.ch_names, info.sfreq, spec.hop_s)
        self._impedances: deque[Impedance] = deque()
        self._kohm = np.full(info.n_chans, np.nan, np.float32)
        self._restart(0)
        self._settled = self._broken = 0
        self._k = 1

    def _restart(self, at: int) -> None:
        n_chans = self._info.n_chans
        empty = np.zeros((n_chans, self._spec.n_bands)), 0, np.zeros(n_chans, bool), 0
        self._hops = [empty] * self._n_hops  # power, samples, dead channels, artefact of the newest
        self._raw: list[np.ndarray] = []  # rows of the last second, and of the current hop, as are the next two
        self._cleaned: list[np.ndarray] = []  # (n_chans, n_times)
        self._squares: list[np.ndarray] = []  # (n_times, n_bands, n_chans)
        self._settled = at + round(self._spec.settle_s * self._info.sfreq)

    def add_impedances(self, impedances: Iterable[Impedance]) -> None:
        """Store impedances of the board; each is valid from its sample on."""
        self._impedances.extend(impedances)

    def __call__(self, run: SampleRun, t_first: float) -> Iterator[Window]:
        """Process a run whose first row was taken at `t_first`; yield the windows it completes."""
        sfreq = self._info.sfreq
        if run.restart:
            self._filters.restart(run.rows[0])
            self._level.restart(run.rows[0])
            self._judge.restart()
            self._artefacts.restart()
            if self._repair:
                self._repair.restart()
            if run.first > 0:
                self._broken = run.first
            self._restart(run.first)
            self._k = max(self._k, int(run.first / sfreq / self._spec.hop_s))
            while self._spec.grid(self._k, sfreq) <= run.first:  # no reading ends inside a long gap
                self._k += 1
        first, last = run.first, run.first + len(run.rows)
        while first < last:
            ends = self._ends(first, last)
            stop = ends[-1] if ends else last
            t_last = [t_first + (end - run.first - 1) / sfreq for end in (*ends, stop)]
            qualities = self._fill(run, first, stop, ends, t_last[-1])
            if ends:
                yield from self._windows(ends, t_last, qualities)
            first = stop

    def _ends(self, first: int, last: int) -> list[int]:
        """Where the hops of the next block end; empty where all samples from `first` to `last` are of one hop."""
        ends: list[int] = []
        while (end := self._spec.grid(self._k + len(ends), self._info.sfreq)) <= last:
            if ends and end > first + BLOCK:
                break
            ends.append(end)
        return ends

    def _fill(self, run: SampleRun, first: int, stop: int, ends: Sequence[int], t_last: float) -> list[Quality]:
        """Filter samples ``[first, stop)`` of `run`, and close the hops that end there; return their quality."""
        rows = run.rows[first - run.first : stop - run.first]
        closed = [end - first for end in ends]
        level, jumped = self._level(rows, closed)
        repair = partial(self._repair, ends=closed, settled=self._settled - first) if self._repair else None
        clean, squares = self._filters.squared(level, repair)
        received = np.full((len(rows), 1), run.received)
        for ring, data in ((self.clean, clean), (self._received, received)):
            ring.write(Chunk(data, first, t_last))
        self._raw.append(rows.astype(np.float32))
        valid = max(first, self._settled) if run.received else stop
        begin, qualities = first, list[Quality]()
        for end in ends or [stop]:
            at = slice(max(begin, valid) - first, end - first)
            self._cleaned.append(clean.T[:, at])
            self._squares.append(squares[at])
            begin = end
            if ends:
                qualities.append(self._close_hop(end, stop, jumped[len(qualities)]))
                self._cleaned, self._squares = [], []
        if ends:
            self._raw = [self._raw[0][-self._n_raw :]]
        return qualities

    def _close_hop(self, end: int, stop: int, jumped: Mask) -> Quality:
        """Sum up the hop that ends at `end`, and judge its electrodes; the newest sample is the one before `stop`."""
        while self._impedances and self._impedances[0].index < end:
            self._kohm = self._impedances.popleft().kohm
        self._raw, squares, clean = [joined(self._raw)], joined(self._squares), joined(self._cleaned, axis=1)
        total = squares.sum(axis=0).T
        before = self._hops[-1 : -self._spec.hops_per_step : -1]  # of the same step
        power, n = sum((s for s, *_ in before), total), sum((n for _, n, *_ in before), len(squares))
        raw = self._raw[0][: len(self._raw[0]) - (stop - end)][-self._n_raw :]
        n_new = end - max(self._spec.grid(self._k - 1, self._info.sfreq), self._broken)
        band_rms = np.sqrt(power / max(n, 1))
        quality, dead = self._judge(Hop(raw, n_new, clean.T, band_rms, jumped, self._kohm))
        found = self._artefacts(clean.T, np.sqrt(total[:, -1] / max(len(squares), 1)), dead)
        self._hops.append((total, len(squares), dead, 1 + ARTEFACTS.index(found) if found else 0))
        self._k += 1
        return quality

    def _windows(self, ends: Sequence[int], t_last: Sequence[float], qualities: Sequence[Quality]) -> Iterator[Window]:
        """A window for each hop of the newest block."""
        power, counts, dead, artefacts = (np.stack(column) for column in zip(*self._hops, strict=True))
        first, n_rows = ends[0] - self._n_times, self._n_times + ends[-1] - ends[0]
        got = min(n_rows, ends[-1] - self.clean.oldest)
        data = np.zeros((n_rows, self._info.n_chans), np.float32)
        valid = np.zeros(n_rows, bool)
        data[n_rows - got :] = np.nan_to_num(self.clean.read(ends[-1] - got, ends[-1]).data)
        valid[n_rows - got :] = self._received.read(ends[-1] - got, ends[-1]).data[:, 0] == 1
        valid[: max(0, self._settled - first)] = False
        self._silence(data, first, dead)
        del self._hops[: -self._n_hops]
        for i, end in enumerate(ends):
            at, hops = slice(end - ends[0], end - ends[0] + self._n_times), slice(i + 1, i + 1 + self._n_hops)
            yield Window(
                data[at].T, valid[at], power[hops], counts[hops], dead[hops], qualities[i], end - self._n_times,
                self._settled, self._broken, t_last[i],
                artefacts=artefacts[hops].astype(np.int8) if artefacts[hops].any() else None,
            )  # fmt: skip

    def _silence(self, data: np.ndarray, first: int, dead: np.ndarray) -> None:
        """Set `data` (n_times, n_chans) to zero where an electrode had no usable signal, hop by hop."""
        for i in np.flatnonzero(dead.any(axis=1)).tolist():
            start, stop = (self._spec.grid(self._k - len(dead) + i + j, self._info.sfreq) - first for j in (-1, 0))
            data[max(0, start) : max(0, stop), dead[i]] = 0


def joined(parts: Sequence[np.ndarray], axis: int = 0) -> np.ndarray:
    """The parts as one array; not copied where there is one."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis)
