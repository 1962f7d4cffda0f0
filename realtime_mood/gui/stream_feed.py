"""Polls the streams beside the EEG for their panel: several times a second, and only while it is visible."""

from __future__ import annotations

from PyQt6.QtCore import QObject, pyqtSignal

from .. import clock
from ..viewmodel.state import ViewState
from ..viewmodel.streams import StreamsView, streams_view
from .bridge import RunBridge

EVERY = 10  # frames between two looks: three a second; each costs a hundredth of one


class StreamFeed(QObject):
    """Emits the state of the streams of the run of `bridge`."""

    streams_changed = pyqtSignal(object)  # a `StreamsView`
    presence_changed = pyqtSignal(bool)  # whether there are streams beside the EEG

    def __init__(self, bridge: RunBridge) -> None:
        super().__init__(bridge)
        self.width_px = 0  # of the traces while the panel is visible, else 0
        self._bridge, self._frame, self._is_there = bridge, 0, False
        bridge.state_changed.connect(self._look)

    def _look(self, state: ViewState) -> None:
        self._frame += 1
        if self._frame % EVERY:
            return
        engine = self._bridge.engine
        health = engine.health if engine else None
        is_there = health is not None and bool(health.streams)
        if is_there != self._is_there:
            self._is_there = is_there
            self.presence_changed.emit(is_there)
            self.streams_changed.emit(StreamsView())
        if engine is not None and health is not None and is_there and self.width_px:
            self.streams_changed.emit(
                streams_view(health, engine.streams, engine.markers, engine.raw, clock.now(), self.width_px, state.body)
            )
