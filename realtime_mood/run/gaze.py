"""Intake of gaze for the readings: which stream it is taken from, and the eye movements for each window."""

from __future__ import annotations

import threading
from functools import partial

from .. import clock
from ..auxiliary import AuxChunk, AuxInfo
from ..entropy import Population
from ..errors import StreamMismatch
from ..eyes.layout import SCREEN_DEG, layout_of
from ..eyes.track import EegPlace, GazeTrack
from ..eyes.watch import EyeWatch
from ..guard import words_of
from ..health import Vitals
from ..modalities import EyeInput, EyeState
from ..pipeline import Pipeline
from ..types import Chunk, StreamInfo, Window

NOWHERE = EegPlace()
AWAY_S = 5.0  # another stream is used once the present one has sent nothing for so long


class GazeIntake:
    """Chooses the gaze stream of a run, and gives eye movements to its pipelines. No failure of it costs a reading."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals, self._lock = vitals, threading.Lock()
        self._tracks: dict[AuxInfo, GazeTrack | None] = {}  # None for one that cannot be used
        self._chosen: GazeTrack | None = None
        self._arrived = 0.0
        self._is_ready = False
        self._population: Population | None = None
        self._watch: EyeWatch | None = None
        self.place = NOWHERE  # of the newest chunk, for streams that come with it

    def equip(self, pipeline: Pipeline) -> Pipeline:
        """Give `pipeline` the eye movements of this run, if its readings use any; returns it."""
        self._population = pipeline.eye_population
        if self._population is not None:
            self._watch = self._watch or EyeWatch(self._population, pipeline.info.sfreq)
            pipeline.eyes = partial(self._input, self._watch)
        self._is_ready = True
        return pipeline

    def follow(self, chunk: Chunk, info: StreamInfo) -> None:
        """Note the place of a chunk of the EEG, before the streams that came with it are taken.

        Without a pace, all stamps are counted from those of the first chunk.
        """
        end, is_first = chunk.end / info.sfreq, self.place is NOWHERE
        place = self.place._replace(first=chunk.first / info.sfreq)
        if is_first or info.paced:
            place = place._replace(origin=chunk.t_last, zero=end, speed=info.speed if info.paced else 1.0)
        self.place = place

    def take(self, info: AuxInfo, chunk: AuxChunk, *, is_carried: bool) -> None:
        """Take a chunk of any stream beside the EEG, from its thread."""
        if info.kind != "eyes" or not self._is_ready:
            return
        try:
            with self._lock:
                if info not in self._tracks:
                    self._tracks[info] = self._begun(info, is_carried)
                track = self._tracks[info]
                if track is None or not self._is_chosen(track, is_carried):
                    return
            track.take(chunk, self.place)
        except Exception as error:
            self._vitals.fault(f"the gaze of {info.name} failed: {words_of(error)}")

    def _begun(self, info: AuxInfo, is_carried: bool) -> GazeTrack | None:
        """The track of a stream that has begun, if readings can use it."""
        if self._population is None:
            if not is_carried:  # the user asked for it
                self._vitals.note(f"{info.name}: recorded and shown; the weights were trained without eye movements")
            return None
        try:
            layout = layout_of(info)
        except StreamMismatch as error:
            self._vitals.note(f"{error} · readings rest on the EEG alone")
            return None
        if layout.is_share:
            width, height = SCREEN_DEG
            note = f"its gaze is taken as a share of a screen of {width:g} × {height:g} degrees"
            self._vitals.note(f"{info.name}: {note}")
        self._vitals.note(f"{info.name}: eye movements take part in readings")
        return GazeTrack(info, layout, is_carried=is_carried)

    def _is_chosen(self, track: GazeTrack, is_carried: bool) -> bool:
        now = clock.now()
        is_away = not is_carried and now - self._arrived > AWAY_S
        if self._chosen is None or is_away:
            self._chosen = track
        if self._chosen is track:
            self._arrived = now
        return self._chosen is track

    def _input(self, watch: EyeWatch, window: Window) -> EyeInput | None:
        """The eye movements for `window`; None while there has been no tracker."""
        track = self._chosen
        if track is None:
            return None
        try:
            return watch(window, track)
        except Exception as error:
            self._vitals.fault(f"the gaze of {track.info.name} failed: {words_of(error)}")
            return EyeInput(EyeState.LOST)
