"""Turns a run's options into the sinks that send its readings elsewhere, each library loaded only when asked for."""

from __future__ import annotations

import sys

from .config import RunConfig
from .health import Sink


def outputs_of(config: RunConfig) -> list[Sink]:
    """Where readings are sent besides the view."""
    made: list[Sink] = []
    if config.lsl_out:
        from .sinks.lsl_readings import LslReadings

        made.append(LslReadings())
    if config.osc:
        from .sinks.osc import Osc

        made.append(Osc(config.osc))
    if config.osc_muse:
        from .sinks.muse_osc import MuseOsc

        made.append(MuseOsc(config.osc_muse, config.notches))
    if config.ws:
        from .sinks.websocket import WebSocketReadings

        made.append(server := WebSocketReadings(config.ws))
        print(f"WebSocket: {server.url}", file=sys.stderr, flush=True)
    if config.csv:
        from .sinks.csv_file import CsvFile

        made.append(CsvFile(config.csv, config.participant, config.session))
    return made
