"""Turns filtered rows into windows, one per hop, with band power and electrode quality."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..ring import RingBuffer
from ..types import Chunk, Impedance, Quality, StreamInfo, Window
from .features import Resampler
from .filters import Filters
from .gaps import SampleRun, StepRemover
from .quality import ElectrodeQuality, Hop
from .spec import FeatureSpec

RAW_S = 1.0  # what electrode quality is judged on, s


class Slicer:
    """Filters runs of rows, sums band power over each hop, judges electrodes, and cuts a window at the end of each hop.

    Windows always end at ``spec.grid(k, sfreq)``. This is the one place where (n_times, n_chans) becomes
    (n_chans, n_times).
    """

    def __init__(self, info: StreamInfo, spec: FeatureSpec, filters: Filters, memory_s: float) -> None:
        self._info, self._spec, self._filters = info, spec, filters
        self.clean = RingBuffer(info, round(memory_s * info.sfreq))
        """Filtered signal, for windows and for the screen; NaN in long gaps."""
        self._raw = RingBuffer(info, round(RAW_S * info.sfreq))
        self._received = RingBuffer(StreamInfo(("received",), info.sfreq), self.clean.capacity)
        self._n_times = Resampler(spec, info.sfreq).n_in
        self._n_blocks = spec.n_steps * spec.hops_per_step
        self._level = StepRemover(info.n_chans)
        self._judge = ElectrodeQuality(info.n_chans, info.sfreq, spec.hop_s, spec.context_s)
        self._impedances: deque[Impedance] = deque()
        self._kohm = np.full(info.n_chans, np.nan, np.float32)
        self._restart(0)
        self._settled = self._broken = 0
        self._k = 1

    def _restart(self, at: int) -> None:
        n_chans = self._info.n_chans
        empty = np.zeros((n_chans, self._spec.n_bands)), 0, np.zeros(n_chans, bool)
        self._blocks = deque([empty] * self._n_blocks, maxlen=self._n_blocks)  # power, samples, dead channels of hops
        self._cleaned: list[np.ndarray] = []  # of the current hop
        self._power: list[np.ndarray] = []
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
            if run.first > 0:
                self._broken = run.first
            self._restart(run.first)
            self._k = max(self._k, int(run.first / sfreq / self._spec.hop_s))
            while self._spec.grid(self._k, sfreq) <= run.first:  # no reading ends inside a long gap
                self._k += 1
        at = 0
        while at < len(run.rows):
            stop = min(len(run.rows), at + self._spec.grid(self._k, sfreq) - (run.first + at))
            t_last = t_first + (stop - 1) / sfreq
            end = self._fill(run, at, stop, t_last)
            if end == self._spec.grid(self._k, sfreq):
                yield self._window(end, t_last)
                self._k += 1
            at = stop

    def _fill(self, run: SampleRun, at: int, stop: int, t_last: float) -> int:
        """Add ``run.rows[at:stop]`` to the current hop; return the index after them."""
        rows, first = run.rows[at:stop], run.first + at
        clean, banded = self._filters(self._level(rows))
        received = np.full((len(rows), 1), run.received)
        for ring, data in ((self._raw, rows), (self.clean, clean), (self._received, received)):
            ring.write(Chunk(data, first, t_last))
        settled = slice(max(0, self._settled - first), None) if run.received else slice(0)
        self._cleaned.append(clean[settled])
        self._power.append(np.square(banded[settled]))
        return first + len(rows)

    def _window(self, end: int, t_last: float) -> Window:
        quality = self._close_hop(end)
        sums, counts, dead = zip(*self._blocks, strict=True)
        got = min(self._n_times, end - self.clean.oldest)
        data = np.zeros((self._info.n_chans, self._n_times), np.float32)
        valid = np.zeros(self._n_times, bool)
        if got:
            data[:, -got:] = np.nan_to_num(self.clean.read(end - got, end).data.T)
            valid[-got:] = self._received.read(end - got, end).data[:, 0] == 1
        first = end - self._n_times
        valid[: max(0, self._settled - first)] = False
        self._silence(data, first, dead)
        return Window(
            data, valid, np.stack(sums), np.array(counts), np.stack(dead), quality, first, self._settled,
            self._broken, t_last,
        )  # fmt: skip

    def _close_hop(self, end: int) -> Quality:
        """Sum up the hop that ends at `end`, and judge its electrodes."""
        while self._impedances and self._impedances[0].index < end:
            self._kohm = self._impedances.popleft().kohm
        power, clean = np.concatenate(self._power), np.concatenate(self._cleaned)
        total = power.sum(axis=0)
        recent = [(total, len(power)), *((s, n) for s, n, _ in reversed(self._blocks))][: self._spec.hops_per_step]
        squares, n = sum(s for s, _ in recent), sum(n for _, n in recent)
        raw = self._raw.read(max(self._raw.oldest, self._broken), end).data.astype(np.float64)
        n_new = end - max(self._spec.grid(self._k - 1, self._info.sfreq), self._broken)
        band_rms = np.sqrt(squares / max(n, 1))
        quality, dead = self._judge(Hop(raw, n_new, clean, band_rms, self._level.end_hop(), self._kohm))
        self._blocks.append((total, len(power), dead))
        self._cleaned, self._power = [], []
        return quality

    def _silence(self, data: np.ndarray, first: int, dead: Sequence[np.ndarray]) -> None:
        """Set `data` (n_chans, n_times) to zero where an electrode had no usable signal, hop by hop."""
        for back, unusable in enumerate(reversed(dead)):
            start, stop = (self._spec.grid(self._k - back - i, self._info.sfreq) - first for i in (1, 0))
            if stop <= 0:
                return
            if unusable.any():
                data[unusable, max(0, start) : stop] = 0
