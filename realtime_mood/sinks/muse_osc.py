"""Band powers as OSC messages with Mind Monitor's addresses, for programs that were made for a Muse.

``/muse/elements/BAND_absolute`` with four numbers (TP9, AF7, AF8, TP10; log10 of µV², which Mind Monitor calls Bels),
``/muse/elements/horseshoe`` with four (1 good, 4 poor), ten times a second. Other caps use their nearest electrodes.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..dsp.filters import Filters, Notch, RunningMean
from ..dsp.gaps import GapFiller
from ..dsp.spec import FeatureSpec
from ..files import Strict
from ..health import Emission, RecordingState
from ..montage import locate
from ..types import Chunk, Marker, Quality, StreamInfo
from .osc import Datagrams
from .outbox import Outbox

SENSORS = ("TP9", "AF7", "AF8", "TP10")
RATE_HZ = 10.0
SMOOTHING_S = 0.5


class MuseOptions(Strict):
    """Options after ``osc-muse://HOST:PORT?``: the line frequency to remove from the signal (Hz)."""

    notch: Literal["auto", "50", "60", "none"] = "auto"


class MuseOsc(Outbox[Chunk]):
    """Filters chunks on its own thread, and sends band powers to ``HOST:PORT``; raises `ConfigError` for any other."""

    Options = MuseOptions
    limit = 64

    def __init__(self, address: str, options: MuseOptions = MuseOptions()) -> None:  # noqa: B008 - frozen
        super().__init__(f"OSC {address}, band powers")
        self._datagrams, notch = Datagrams(address), options.notch
        self._notch: Notch = "auto" if notch == "auto" else () if notch == "none" else (float(notch),)
        self._quality: Quality | None = None

    @property
    def recording(self) -> RecordingState | None:
        """None: nothing is recorded here."""
        return None

    def open(self, info: StreamInfo) -> None:
        """Set up the filters for this stream."""
        self._info, self._spec = info, FeatureSpec()
        at = locate(info.ch_names)
        self._picks = np.array([int(np.argmax(at @ sensor)) for sensor in locate(SENSORS)])
        self._filters = Filters(self._spec, info.sfreq, info.n_chans, self._notch)
        self._gaps = GapFiller(info.n_chans, round(self._spec.max_hole_s * info.sfreq))
        self._restart(0)
        self._sent = 0

    def _restart(self, first: int) -> None:
        self._mean = RunningMean(SMOOTHING_S, self._info.sfreq, (len(SENSORS), self._spec.n_bands))
        self._settled = first + round(self._spec.settle_s * self._info.sfreq)

    def take(self, chunk: Chunk) -> None:
        self.put(chunk)

    def mark(self, marker: Marker, t: float) -> None:
        """Ignored: Mind Monitor has no address for markers."""

    def put(self, item: Chunk | Emission) -> None:
        """Queue a chunk; keep the quality of a reading's electrodes for the next message."""
        if isinstance(item, Emission):
            self._quality = item.reading.quality
        else:
            super().put(item)

    def deliver(self, item: Chunk) -> None:
        for run in self._gaps(item):
            if run.restart:
                self._filters.restart(run.rows[0])
                self._restart(run.first)
            _, banded = self._filters(run.rows)
            mean = self._mean(np.square(banded[:, self._picks]))
            end = run.first + len(run.rows)
            if end >= self._settled and end - self._sent >= self._info.sfreq / RATE_HZ:
                self._sent = end
                self._send(np.log10(np.maximum(mean[-1], 1e-6)))

    def _send(self, bels: np.ndarray) -> None:
        good = np.ones(self._info.n_chans, bool) if self._quality is None else self._quality.good
        messages = [(f"/muse/elements/{band}_absolute", bels[:, k].tolist()) for k, band in enumerate(self._spec.bands)]
        messages.append(("/muse/elements/horseshoe", [1.0 if good[i] else 4.0 for i in self._picks]))
        self._datagrams.send(messages)

    def shut(self) -> None:
        self._datagrams.close()
