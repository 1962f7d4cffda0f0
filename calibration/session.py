"""Turns a source into a saved profile, saying in words or JSON lines how it goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from models.checkpoint import load_weights
from realtime_mood.config import RunConfig
from realtime_mood.sinks.jsonlines import own_stdout
from realtime_mood.types import Source, StreamInfo

from .baseline import record


def baseline(
    source: Source, settings: RunConfig, seconds: float, path: Path, view: Literal["terminal", "json"]
) -> None:
    """Sit through `seconds` of rest and write the profile to `path`.

    Raises
    ------
    ProfileError
        When too little of it was usable.
    """
    with own_stdout() as out:

        def say(kind: str, text: str, **facts: object) -> None:
            line = json.dumps({"kind": kind, **facts}) if view == "json" else text
            print(line, file=out, flush=True)

        def progress(info: StreamInfo, t: float) -> None:
            badge = "VIRTUAL PERSON · " if info.virtual else ""
            facts = {"t": round(t, 3), "of": seconds, "virtual": info.virtual}
            if view == "json" or round(t) % 10 == 0:
                say("progress", f"{badge}rest, {t:.0f} of {seconds:.0f} s", **facts)

        spec = load_weights(settings.weights).card.spec
        wanted = None if settings.readout == "auto" else settings.readout
        made = record(source, spec, seconds, wanted, settings.notches, progress)
        made.save(path)
        text = f"{made.seconds:.0f} s of usable rest on {len(made.ch_names)} channels: {path}"
        facts = {
            "path": str(path),
            "seconds": made.seconds,
            "channels": list(made.ch_names),
            "virtual": made.virtual,
        }
        say("profile", text, **facts)
