"""The parts of a run that its options ask for: streams beside the EEG, recorders and outputs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .. import liblsl
from ..errors import ConfigError
from .config import RunConfig
from .encryption import encrypt_at_end

if TYPE_CHECKING:
    from ..auxiliary import AuxSource
    from ..contracts import Sink
    from ..recording.recorder import Recorder


def streams_beside(config: RunConfig) -> list[AuxSource]:
    """The sources of the streams beside the EEG."""
    if not config.also and not config.markers:
        return []
    from ..sources.lsl.aux_source import LslAux

    return [*map(LslAux, config.also), *(LslAux(url, in_markers=True) for url in config.markers)]


def recorder_of(config: RunConfig, about: Mapping[str, object]) -> Recorder | None:
    """The recorder of a run, if one is requested; what it writes is encrypted at the end, if that is, too."""
    if config.record is None:
        return None
    recorder = _recorder(config, config.record, about)
    if config.encrypt is not None:
        encrypt_at_end(recorder, config.encrypt)
    return recorder


def autosave_of(
    config: RunConfig, about: Mapping[str, object], folder: Path | None
) -> tuple[Recorder | None, list[str]]:
    """The automatic recorder of a run in the window, in `folder`; and a note where there is none although there should.

    The oldest automatic recordings are deleted where all of them take too much space.
    """
    if folder is None or config.record is not None or not config.autosave:
        return None, []
    from ..recording.autosave import make_room

    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_room(folder)
        return _recorder(config, folder, about, automatic=True), []
    except (OSError, ConfigError) as error:  # a full or read-only disk must not keep a run from starting
        return None, [f"this run is not recorded automatically: {error}"]


def _recorder(config: RunConfig, path: Path, about: Mapping[str, object], *, automatic: bool = False) -> Recorder:
    from ..recording.announced import AnnouncedStreams
    from ..recording.recorder import Recorder

    announced = AnnouncedStreams() if config.on_lsl else None
    to_stamps, ids = liblsl.to_stamps() if config.on_lsl else 0.0, (config.participant, config.session)
    return Recorder(
        path, about, participant=ids[0], session=ids[1], to_stamps=to_stamps, automatic=automatic, announced=announced
    )


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
