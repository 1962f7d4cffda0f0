"""The recorder and the sinks of a run, made from its options; each is imported only if it is requested."""

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
    """The recorder of a run, if one is requested."""
    if config.record is None:
        return None
    from ..recording.recorder import Recorder

    to_stamps = liblsl.to_stamps() if config.on_lsl else 0.0
    return Recorder(config.record, about, participant=config.participant, session=config.session, to_stamps=to_stamps)


def outputs_of(config: RunConfig) -> list[Sink]:
    """The sinks for readings besides the view: of the options ``--lsl-out`` to ``--csv``, and of each ``--sink``."""
    from ..sinks import make_sink, open_sink

    ids = {"participant": config.participant, "session": config.session}
    options: list[tuple[str, object, dict[str, str]]] = [
        ("lsl", config.lsl_name if config.lsl_out else None, {}),
        ("osc", config.osc, {}),
        ("osc-muse", config.osc_muse, {"notch": config.notch}),
        ("ws", config.ws, {}),
        ("csv", config.csv, ids),
    ]
    made = [make_sink(name, str(target), query) for name, target, query in options if target]
    made += map(open_sink, config.sink)
    for sink in made:
        if url := getattr(sink, "url", None):
            print(f"WebSocket: {url}", file=sys.stderr, flush=True)
    return made
