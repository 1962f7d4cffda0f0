"""Playback of what a file holds beside its EEG, in step with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .. import clock
from ..auxiliary import STRING, AuxChunk, AuxInfo, SenderClock, Track

FORMATS = {"float32": "f4", "double64": "f8", "int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8"}
"""NumPy's names of XDF's formats of numbers."""


class TracksPlayer:
    """Turns the tracks of a file into chunks, with the EEG's time.

    Samples are stamped as the recorder stamps the EEG: at the pace of the recording, from the EEG's first sample on.
    Their live stamps are when they are due.
    """

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._tracks, self._counts = tuple(tracks), [0] * len(tracks)
        self._ready = [(track.info, _empty(track.info)) for track in self._tracks]

    def play(self, begin: float, end: float, shift: float, due: Callable[[np.ndarray], np.ndarray] | None) -> None:
        """Play what was taken from `begin` to before `end` (s, from the file's EEG sample 0).

        A sample taken at 0 is stamped with `shift` (s, our clock). `due` tells when samples are due, if not then.
        """
        for k, track in enumerate(self._tracks):
            times, values = track.between(begin, end)
            if len(times):
                sent = times + shift
                live, now, first = due(times) if due else sent, SenderClock(float(sent[-1]), 0.0), self._counts[k]
                self._ready.append((track.info, AuxChunk(values, live, sent, first, now)))
                self._counts[k] += len(times)

    def ready(self) -> list[tuple[AuxInfo, AuxChunk]]:
        """What was played since the last call; at first an empty chunk of each."""
        ready, self._ready = self._ready, []
        return ready


def _empty(info: AuxInfo) -> AuxChunk:
    form = object if info.format == STRING else FORMATS[info.format]
    return AuxChunk(np.empty((0, info.n_chans), form), np.empty(0), np.empty(0), 0, SenderClock(clock.now(), 0.0))
