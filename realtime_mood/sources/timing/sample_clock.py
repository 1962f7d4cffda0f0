"""Sample clock: smooth times from jittery stamps, and detection of lost, late and repeated samples."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from .line import LEAST_BATCHES, ClockLine, Index

BEGIN_S = 0.5
"""Seconds of the first samples that are examined together for how they are stamped; more if in few batches."""
SURE_S = 0.2  # a jump counts as a gap once the stamps have stayed beyond it for this long (s)
HOLD_S = 5.0  # longest time samples are held back (s)
SILENT_S = 0.5  # held samples are judged when nothing has followed them for this long (s)
LEAST_GAP_S = 0.1  # jumps below these (s) are jitter: while the jitter is unknown, and always
FUTURE_S = 0.05  # stamps further ahead of their arrival than this (s) cannot be right
SENSELESS_S = 1e10  # stamps further from their arrival than this (s), or not finite, are replaced by the arrival time
BACKLOG_S = 120.0  # a gap longer than the time since the start plus this (s) is not a gap
BORNE_OUT_S = 0.1
"""How long computed stamps must have been on whole samples (s) before a jump by whole samples is meaningful."""
EXACT = 1 / 20  # a computed stamp this close to a whole sample, as a share of its length, belongs to that sample
LEAST_STEP_S = 0.1  # clocks are slowed down, not set back, by less than this: ntpd does so up to 0.128 s
STALL_S = 0.5
"""A longer jump of computed stamps (s) may be a delay after which they were recomputed; a shorter one is a gap."""
LATE_S = 0.5  # samples at most this late (s) are recognised by the gap they left
GAPS = 64  # number of recent gaps remembered, to recognise samples that arrive too late for them


class Piece(NamedTuple):
    """Decision on the oldest samples: `dropped` are omitted, `n` released, after `lost` that never arrived."""

    n: int
    lost: int
    dropped: int = 0  # samples that were repeated, or so late that they were reported as lost: they do not count


class SampleClock:
    """Counts samples by their stamps, at a nominal rate of `sfreq` (Hz).

    Stamps of a live stream are late by some ms at random, drift against our clock, come late by seconds after a stall
    that lost nothing, and jump for good when samples were lost. So a slowly adapting line through (count, stamp) gives
    the time of each sample. Samples whose stamps leave the line are held back until it is clear which it was: after a
    late burst the stamps return to the line, after a loss they stay away. A jump that the arrival times do not share
    is a step of the sender's clock: the line moves, nothing was lost. Where the sender computes its stamps, a jump by
    whole samples is a gap, down to one sample: at once if it is short, else when the stamps stay there.

    Computed stamps also show repeated samples, by stamps that occurred before, once newer ones follow. These are
    dropped, and so are late samples, whose gap has been reported as lost: each sample is either released once in its
    place, or counted as lost. Stamps that were set back by whole samples look the same, but arrive when new samples are
    due. Measured stamps show none of this, and repeated samples are then released twice.
    """

    def __init__(self, sfreq: float) -> None:
        self._nominal = sfreq
        self.count = 0  # index of the next sample to be released, lost ones included
        self.stepped = 0.0  # total steps of the sender's clock so far (s)
        self.dropped = 0  # number of repeated or late samples so far
        self._line = ClockLine(sfreq)
        self._begun = False
        self._most = LEAST_GAP_S  # jumps up to this are jitter in any case (s)
        self._batches: deque[int] = deque([round(0.02 * sfreq) or 1], maxlen=32)
        self._lags: deque[float] = deque(maxlen=32)
        self._held = np.empty(0)
        self._held_at = np.empty(0)
        self._held_lags: list[float] = []
        self._began: float | None = None
        self._heard = 0.0
        self._gaps = deque([(-round(LATE_S * sfreq), 0)], maxlen=GAPS)  # samples before the first one are not counted

    @property
    def sfreq(self) -> float:
        """The sampling rate as measured (Hz); nominal for the first seconds."""
        return 1.0 / self._line.period

    @property
    def holding(self) -> int:
        """How many samples are held back."""
        return len(self._held)

    @property
    def least_gap_s(self) -> float:
        """The shortest gap that is certainly distinguished from jitter (s): one sample where stamps are computed."""
        if self._line.regular:
            return self._line.period
        return self._tolerance + 3 * (self._line.jitter_s or 0.0)

    @property
    def _tolerance(self) -> float:
        return self._line.tolerance(self._most)

    def stamp(self, index: Index) -> Index:
        """When sample `index` was taken, on the stamps' clock as it is now set (s)."""
        return self._line.at(index)

    def feed(self, stamps: np.ndarray, arrived: float) -> list[Piece]:
        """Process the `stamps` (n,) of the newest samples, which may be none; return which samples to release.

        They `arrived` at this time (s, on the stamps' clock).
        """
        if len(stamps):
            stamps = np.where(np.abs(stamps - arrived) < SENSELESS_S, stamps, arrived)
            self._began = arrived if self._began is None else self._began
            self._heard = arrived
            self._batches.append(len(stamps))
            self._line.n_batches += 1
            if len(stamps) / self._nominal > LEAST_GAP_S / 3 or self._most > LEAST_GAP_S:
                self._most = max(LEAST_GAP_S, 3 * min(float(np.median(self._batches)) / self._nominal, 0.2))
            self._held_lags.append(arrived - float(stamps[-1]))
            self._held = np.concatenate((self._held, stamps))
            self._held_at = np.concatenate((self._held_at, np.full(len(stamps), arrived)))
        elif not self.holding or arrived - self._heard < SILENT_S:
            return []
        return self._judge(final=not len(stamps))

    def release(self) -> list[Piece]:
        """Judge the samples held back now, because nothing will follow."""
        return self._judge(final=True)

    def _judge(self, final: bool) -> list[Piece]:
        if not self._begun:
            least_s = BEGIN_S if self._line.n_batches >= LEAST_BATCHES else 4 * BEGIN_S
            if not self.holding or not (final or self.holding >= least_s * self._nominal):
                return []
            self._line.begin(self.count, self._held)
            self._begun = True
        pieces: list[Piece] = []
        while self.holding and (piece := self._next(final)):
            pieces.append(piece)
        if not self.holding:
            self._lags.extend(self._held_lags)
            self._held_lags.clear()
        return _joined(pieces)

    def _next(self, final: bool) -> Piece | None:
        """The next samples that can be judged; None when it is too early for any."""
        residual = self._held - self.stamp(self.count + np.arange(self.holding))
        tolerance = self._tolerance
        away = np.abs(residual) > tolerance
        on_line = int(np.argmax(away)) if away.any() else len(residual)
        if on_line:
            return self._accept(min(on_line, self._line.room), 0)
        side = 1.0 if residual[0] > 0 else -1.0
        lowest = np.minimum.accumulate(side * residual)
        off = (self._held - self.stamp(self.count)) / self._line.period - self._places
        exact = self._line.regular and bool((np.abs(off) <= EXACT).all())
        if exact and not final and self._heard - self._held_at[0] < BORNE_OUT_S:
            return None  # stamps that begin to jitter are on whole samples now and then, but do not stay there
        if exact and side > 0 and self._is_gap(residual, final):
            return self._rebase(float(self._places[0]) * self._line.period)
        if exact and side < 0 and (n := self._seen_before(final)) != 0:
            return None if n is None else self._drop(n)
        if lowest[-1] <= tolerance:  # a late burst: keep the count, and keep its stamps out of the line
            return self._pass_by(int(np.argmax(lowest <= tolerance)))
        # When the stamps last came clearly closer to the line: a burst still being delivered does so all the time.
        closer = int(np.argmax(lowest <= lowest[-1] + tolerance / 2))
        sure = self._heard - self._held_at[closer] >= SURE_S or self._heard - self._held_at[0] >= HOLD_S
        if not (final or sure):
            return None
        same = np.abs(residual[closer:] - residual[closer]) <= tolerance
        n_same = len(same) if same.all() else int(np.argmin(same))
        return self._rebase(float(np.median(residual[closer : closer + n_same])))

    @property
    def _places(self) -> np.ndarray:
        """(holding,) the place of each sample held back, by its stamp: 0 for the next one that is due."""
        return np.round((self._held - self.stamp(self.count)) / self._line.period)

    def _is_gap(self, residual: np.ndarray, final: bool) -> bool:
        """Whether the first of computed stamps is ahead because samples were lost, not because stamps were late."""
        # Stamps recomputed after a delay are all ahead, the first of them the most, and come back to the line.
        late = self._held.min() < self._held[0] - self._line.period / 2  # late samples prove the gap
        stays = bool(residual.min() > self._tolerance)
        return residual[0] <= STALL_S or late or (stays and (final or self._heard - self._held_at[0] >= SURE_S))

    def _seen_before(self, final: bool) -> int | None:
        """How many of the first samples held, stamped as older ones, are repeated or late; None if not known yet."""
        places, period = self._places, self._line.period
        breaks = np.flatnonzero(np.diff(places) != 1)
        back = -int(places[0])
        n = min(int(breaks[0]) + 1 if len(breaks) else len(places), back)
        newer = int(np.argmax(places >= 0))  # 0 where there are none, for the first is not
        sure = final or self._heard - self._held_at[newer] >= max(SURE_S, 2 * n * period if newer else 0.0)
        if not (newer or sure):
            return None
        first = self.count - back
        late = any(begin <= first and first + n <= end for begin, end in self._gaps)
        before_due = self.stamp(self.count + np.arange(len(places))) - self._held_at
        too_soon = before_due.max() + min((*self._lags, *self._held_lags)) > n * period / 2
        if too_soon or (late and back * period <= LATE_S):
            return n
        if n < back:  # older ones again, or wrong stamps: then the count goes on behind them
            return n if newer and places[newer] < newer else 0
        # The newest again, or a clock that was set back by as much: until the stamps are as far on as the count.
        if n * period <= LEAST_STEP_S or (places >= np.arange(len(places))).any():
            return n
        return 0 if sure else None

    def _drop(self, n: int) -> Piece:
        self._forget(n)
        self.dropped += n
        return Piece(0, 0, n)

    def _forget(self, n: int) -> None:
        self._held, self._held_at = self._held[n:], self._held_at[n:]

    def _rebase(self, jump: float) -> Piece:
        """Take a jump for real: samples lost if time went by here too, else a step of the sender's clock."""
        period, tolerance = self._line.period, self._tolerance
        lost = 0 if self._is_step(jump) else max(0, round(jump / period))
        step = jump - lost * period
        if abs(step) > min(tolerance, LEAST_GAP_S):
            self._line.move(step)
            later = min(self._held_lags, default=0.0) - min(self._lags, default=math.inf)
            self.stepped += step if abs(step + later) < abs(step) / 2 else 0.0
            self._lags.clear()
        if lost:
            self._gaps.append((self.count, self.count + lost))
        self.count += lost
        residual = self._held - self.stamp(self.count + np.arange(self.holding))
        near = np.abs(residual) <= tolerance
        n_near = len(near) if near.all() else int(np.argmin(near))
        # At least one sample goes, so that judging always comes to an end.
        return self._accept(min(n_near, self._line.room), lost) if n_near else self._pass_by(1, lost)

    def _is_step(self, jump: float) -> bool:
        """Whether it was the sender's clock that jumped: by our clock no time went by."""
        usual, now = min(self._lags, default=0.0), min(self._held_lags, default=math.inf)
        if self._began is not None and jump > self._heard - self._began + BACKLOG_S:
            return True
        if now >= usual - 0.5 * jump:
            return False
        steady = len(self._lags) == self._lags.maxlen and max(self._lags) - usual < jump / 4
        return now < -FUTURE_S or (steady and jump > LEAST_GAP_S)

    def _pass_by(self, n: int, lost: int = 0) -> Piece:
        self._forget(n)
        self.count += n
        return Piece(n, lost)

    def _accept(self, n: int, lost: int) -> Piece:
        """Release `n` samples and let their stamps move the line."""
        self._line.add(self.count, self._held[:n])
        return self._pass_by(n, lost)


def _joined(pieces: list[Piece]) -> list[Piece]:
    """The same pieces, joined where nothing was lost or dropped between them."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last and (not last.n or not (piece.lost or piece.dropped)):
            joined[-1] = Piece(*(a + b for a, b in zip(last, piece, strict=True)))
        else:
            joined.append(piece)
    return joined
