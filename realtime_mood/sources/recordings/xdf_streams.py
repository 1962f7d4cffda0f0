"""The streams of an XDF file beside its EEG, loaded once they are played."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from scipy.ndimage import uniform_filter1d

from ...auxiliary import AuxInfo
from .tracks import StampedTrack
from .xdf_chunks import IN_MARKERS, Chunks, StreamHeader, without_others
from .xdf_values import StreamValues, read_with_pyxdf, stamps_of

SMOOTH_S = 5.0  # seconds over which the stamps of the EEG are smoothed: they jitter, and its samples do not


def load(file: mmap.mmap, chunks: Chunks, wanted: list[StreamHeader]) -> dict[int, Any]:
    """Samples and stamps of the `wanted` streams, on the recorder's clock, by stream number."""
    return read_with_pyxdf(without_others(file, chunks, wanted))


def channels_of(stream: StreamHeader) -> list[tuple[str, str, str]]:
    """(label, unit, type) of each channel that a stream describes; ``""`` where it states none."""
    # Mitsar writes no <channels> around them.
    channels = stream.desc.findall("channels/channel") or stream.desc.findall("channel")
    keys = ("label", "name", "unit", "type")
    texts = ([(channel.findtext(key) or "").strip() for key in keys] for channel in channels)
    return [(label or name, unit, kind) for label, name, unit, kind in texts]


class OtherStreams:
    """The streams `beside` the EEG of an XDF file, of which `markers` are also the markers of the recording."""

    def __init__(
        self, path: Path, chunks: Chunks, beside: Sequence[StreamHeader], markers: Sequence[StreamHeader]
    ) -> None:
        self._path, self._chunks, self._beside, self._markers = path, chunks, list(beside), markers

    def tracks(self, stamps: np.ndarray, index: np.ndarray, sfreq: float, asked: str) -> tuple[StampedTrack, ...]:
        """They by the time of the EEG, whose samples at `index` have these `stamps` (s) and this rate (Hz)."""
        times = index / sfreq
        late = uniform_filter1d(stamps - times, max(1, round(SMOOTH_S * sfreq)), mode="nearest")
        line = np.maximum.accumulate(times + late)

        def placed(stream: StreamHeader) -> tuple[np.ndarray, StreamValues]:
            with self._path.open("rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as file:
                sent, rows = stamps_of(file, self._chunks, stream)
                values = StreamValues(self._path, file, self._chunks, stream)
            known = np.isfinite(sent)
            at = np.interp(sent, line, times) + np.minimum(sent - line[0], 0) + np.maximum(sent - line[-1], 0)
            return at[known], values.chosen(rows[known])

        urls = [f"{asked.partition('?')[0]}#{stream.name}" for stream in self._beside]
        urls = [
            url if urls.count(url) == 1 else f"{url} ({stream.number})"
            for url, stream in zip(urls, self._beside, strict=True)
        ]
        pairs = zip(self._beside, urls, strict=True)
        return tuple(StampedTrack(self._info(stream, url), partial(placed, stream)) for stream, url in pairs)

    def _info(self, stream: StreamHeader, url: str) -> AuxInfo:
        described = channels_of(stream)
        if len(described) != stream.n_chans:
            described = [("", "", "")] * stream.n_chans
        return AuxInfo(
            url,
            stream.name,
            stream.type,
            tuple(label for label, _, _ in described),
            tuple(unit for _, unit, _ in described),
            stream.sfreq,
            stream.format,
            stream.source_id,
            stream.host,
            in_markers=stream.role == IN_MARKERS or stream in self._markers,
            virtual=stream.virtual,
            desc=ElementTree.tostring(stream.desc, "unicode") if len(stream.desc) else "",
        )
