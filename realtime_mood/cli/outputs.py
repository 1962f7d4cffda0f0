"""Turns a run's options into its recorder and the sinks that send its readings elsewhere, loaded when asked for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .. import liblsl
from ..contracts import Sink
from .config import RunConfig

if TYPE_CHECKING:
    from ..recording.recorder import Recorder


def recorder_of(config: RunConfig, about: Mapping[str, object]) -> Recorder | None:
    """The recording of a run, where one is asked for."""
    if config.record is None:
        return None
    from ..recording.recorder import Recorder

    to_stamps = liblsl.to_stamps() if config.on_lsl else 0.0
    return Recorder(config.record, about, participant=config.participant, session=config.session, to_stamps=to_stamps)


def outputs_of(config: RunConfig) -> list[Sink]:
    """Where readings are sent besides the view."""
    made: list[Sink] = []
    if config.lsl_out:
        from ..sinks.lsl_readings import LslReadings

        made.append(LslReadings(config.lsl_name))
    if config.osc:
        from ..sinks.osc import Osc

        made.append(Osc(config.osc))
    if config.osc_muse:
        from ..sinks.muse_osc import MuseOsc

        made.append(MuseOsc(config.osc_muse, config.notches))
    if config.ws:
        from ..sinks.websocket import WebSocketReadings

        made.append(server := WebSocketReadings(config.ws))
        print(f"WebSocket: {server.url}", file=sys.stderr, flush=True)
    if config.csv:
        from ..sinks.csv_file import CsvFile

        made.append(CsvFile(config.csv, config.participant, config.session))
    return made
