"""Turns filtered rows into windows, one a hop."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from ..ring import RingBuffer
from ..types import Chunk, StreamInfo, Window
from .filters import Filters
from .holes import Run
from .resample import Resampler
from .spec import FeatureSpec

RAW_S = 1.0  # what electrode quality is judged on, s


class Slicer:
    """Filters runs of rows, sums band power over each hop, and cuts a window at the end of each hop.

    Windows always end at ``spec.grid(k, sfreq)``. This is the one place where (n_times, n_chans) becomes
    (n_chans, n_times).
    """

    def __init__(self, info: StreamInfo, spec: FeatureSpec, filters: Filters, memory_s: float) -> None:
        self._info, self._spec, self._filters = info, spec, filters
        self.clean = RingBuffer(info, round(memory_s * info.sfreq))
        """Filtered signal, for windows and for the screen; NaN in long holes."""
        self._raw = RingBuffer(info, round(RAW_S * info.sfreq))
        self._received = RingBuffer(StreamInfo(("received",), info.sfreq), self.clean.capacity)
        self._n_times = Resampler(spec, info.sfreq).n_in
        self._n_blocks = spec.n_steps * spec.hops_per_step
        self._restart(0)
        self._settled = self._broken = 0
        self._k = 1

    def _restart(self, at: int) -> None:
        empty = np.zeros((self._info.n_chans, self._spec.n_bands))
        self._blocks = deque([(empty, 0)] * self._n_blocks, maxlen=self._n_blocks)  # (power sums, samples) of hops
        self._power: list[np.ndarray] = []  # squares of the hop being filled
        self._settled = at + round(self._spec.settle_s * self._info.sfreq)

    def __call__(self, run: Run, t_first: float) -> Iterator[Window]:
        """Take in a run whose first row was taken at `t_first`; yield the windows it completes."""
        sfreq = self._info.sfreq
        if run.restart:
            self._filters.restart(run.rows[0])
            if run.first > 0:
                self._broken = run.first
            self._restart(run.first)
            while self._spec.grid(self._k, sfreq) <= run.first:  # no reading ends inside a long hole
                self._k += 1
        at = 0
        while at < len(run.rows):
            stop = min(len(run.rows), at + self._spec.grid(self._k, sfreq) - (run.first + at))
            rows = run.rows[at:stop]
            t_last = t_first + (stop - 1) / sfreq
            clean, banded = self._filters(rows)
            first = run.first + at
            for ring, data in (
                (self._raw, rows),
                (self.clean, clean),
                (self._received, np.full((len(rows), 1), run.received)),
            ):
                ring.write(Chunk(data, first, t_last, lost=first - ring.end))
            believed = slice(max(0, self._settled - first), None) if run.received else slice(0)
            self._power.append(np.square(banded[believed]))
            at, end = stop, first + len(rows)
            if end == self._spec.grid(self._k, sfreq):
                yield self._window(end, t_last)
                self._k += 1

    def _window(self, end: int, t_last: float) -> Window:
        power = np.concatenate(self._power)
        self._blocks.append((power.sum(axis=0), len(power)))
        self._power = []
        sums, counts = zip(*self._blocks, strict=True)
        got = min(self._n_times, end - self.clean.oldest)
        data = np.zeros((self._info.n_chans, self._n_times), np.float32)
        valid = np.zeros(self._n_times, bool)
        if got:
            data[:, -got:] = np.nan_to_num(self.clean.read(end - got, end).data.T)
            valid[-got:] = self._received.read(end - got, end).data[:, 0] == 1
        valid[: max(0, self._settled - (end - self._n_times))] = False
        raw = self._raw.read(max(self._raw.oldest, self._broken), end).data.T
        first = end - self._n_times
        return Window(data, valid, np.stack(sums), np.array(counts), raw, first, self._settled, self._broken, t_last)
