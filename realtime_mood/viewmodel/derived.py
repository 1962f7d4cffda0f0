"""The signal to show against another reference or in one band, kept up with the ring buffer of the run.

What the network reads is not touched: this is a buffer of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from scipy.signal import sosfilt, sosfilt_zi

from ..dsp.filters import band_pass
from ..dsp.reference import RECORDED, Derivation, Reference, derive
from ..dsp.spec import BANDS
from ..errors import ConfigError, Overrun
from ..language import N_, _
from ..language.terms import REFERENCES
from ..ring import RingBuffer
from ..types import Chunk, StreamInfo
from .lanes import TraceSettings

REFUSED: dict[Reference, str] = {
    "average": N_("An average needs 8 electrodes or more · shown as recorded"),
    "ears": N_("Linked ears need A1 and A2, M1 and M2 or TP9 and TP10 · shown as recorded"),
    "bipolar": N_("Bipolar needs electrodes in a row · shown as recorded"),
    "laplacian": N_("A Laplacian needs electrodes on all sides · shown as recorded"),
}


class DerivedSignal:
    """The last minute of `base`, derived and filtered; `ring` is as long, and `update` brings it up to date.

    Raises `ConfigError` where the montage has not the electrodes for it.
    """

    def __init__(self, base: RingBuffer, reference: Reference, band: str, left_out: Iterable[str] = ()) -> None:
        info = base.info
        self.key = base, reference, band, frozenset(left_out)
        self.derivation: Derivation = derive(reference, info.ch_names, info.reference, self.key[3])
        self.ring = RingBuffer(StreamInfo(self.derivation.names, info.sfreq, info.name), base.capacity)
        high = BANDS[band][1] if band else 0.0
        self._sos = band_pass(BANDS[band], info.sfreq) if band and high < info.sfreq / 2 else None
        self._state: np.ndarray | None = None  # of the filter; None after a gap

    def update(self) -> RingBuffer:
        """Derive what is new."""
        base, ring = self.key[0], self.ring
        end = base.end
        try:
            chunk = base.read(max(ring.end, base.oldest), end)
        except Overrun:  # written to in between
            chunk = base.latest(max(0, base.end - ring.end))
        if len(chunk.data) and chunk.first >= ring.end:
            ring.write(Chunk(self._filtered(self.derivation(chunk.data)), chunk.first, chunk.t_last))
        return ring

    def _filtered(self, rows: np.ndarray) -> np.ndarray:
        if self._sos is None:
            return rows
        unknown = np.isnan(rows)
        lost = unknown.all(axis=1)
        edges = np.flatnonzero(np.diff(lost)) + 1
        for part in np.split(np.arange(len(rows)), edges):
            if lost[part[0]]:
                self._state = None
                continue
            known = np.where(unknown[part], 0, rows[part])
            if self._state is None:
                self._state = sosfilt_zi(self._sos)[:, :, None] * known[0]
            rows[part], self._state = sosfilt(self._sos, known, axis=0, zi=self._state)
        rows[unknown] = np.nan
        return rows


class Shows(Protocol):
    """What has a signal to show: an engine."""

    @property
    def raw(self) -> RingBuffer | None: ...

    @property
    def clean(self) -> RingBuffer | None: ...

    @property
    def repair(self) -> str: ...


class ShownSignal:
    """The last minute as the traces show it: that of the run, or one derived from it."""

    def __init__(self) -> None:
        self._derived: DerivedSignal | None = None
        self._settings, self._is_repaired = TraceSettings(), False
        self.refused = False  # the montage has not the electrodes for the reference asked for last

    @property
    def derivation(self) -> Derivation | None:
        """That of the signal shown last; None where it is the signal of the run."""
        return self._derived.derivation if self._derived else None

    def ring(self, engine: Shows, settings: TraceSettings, left_out: Iterable[str]) -> RingBuffer | None:
        """The signal, up to date; raw if nothing is filtered, and as recorded where the reference is refused."""
        self._settings, self.refused = settings, False
        self._is_repaired = engine.repair != "none" and not settings.raw
        base = engine.raw if settings.raw else engine.clean or engine.raw
        if base is None or (settings.reference == RECORDED and not settings.band):
            self._derived = None
            return base
        key = base, settings.reference, settings.band, frozenset(left_out)
        if self._derived is None or self._derived.key != key:
            self._derived = None
            try:
                self._derived = DerivedSignal(*key)
            except ConfigError:
                self.refused = True
                return base
        return self._derived.update()

    @property
    def words(self) -> str:
        """What the shown signal is: filter and reference."""
        settings = self._settings
        kind = band_words(settings.band) if settings.band else _("raw") if settings.raw else _("filtered")
        kind = kind + " · " + _("blinks repaired") if self._is_repaired else kind
        if settings.reference == RECORDED or self.refused:
            return kind
        name, against = _(REFERENCES[settings.reference]), self.derivation.against if self.derivation else ()
        return f"{kind} · {name}" + (f" ({', '.join(against)})" if against else "")


def band_words(band: str) -> str:
    """The limits of a band, in few letters: the controls of the traces are narrow."""
    low, high = BANDS[band]
    return f"{low:g}–{high:g} Hz"
