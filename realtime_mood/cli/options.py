"""Options that several verbs have on the command line, with their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..plugins import also

Source = Annotated[
    str | None, typer.Option(help="synthetic://…, lsl://NAME, brainflow://BOARD or playback://PATH." + also("sources"))
]
Sink = Annotated[
    list[str] | None, typer.Option(help="Send readings to this sink, as csv://PATH; may be repeated." + also("sinks"))
]
LslName = Annotated[str | None, typer.Option(help="Name of that LSL stream (default: RealtimeMood).")]
Profile = Annotated[Path | None, typer.Option(help="Profile of the subject (from calibrate).")]
Notch = Annotated[str | None, typer.Option(help="Mains frequency to filter out: 50, 60 or auto (detected).")]
Repair = Annotated[str | None, typer.Option(help="Repair of blinks: eog (by frontal electrodes), or none.")]
Record = Annotated[Path | None, typer.Option(help="Record to this XDF file, or into this folder.")]
Encrypt = Annotated[
    Path | None, typer.Option(help="Encrypt that file with this key file of age, when the run has ended.")
]
Autosave = Annotated[
    bool | None, typer.Option(help="Whether the window records every run automatically (default: yes).")
]
Participant = Annotated[str | None, typer.Option(help="Participant ID in file names (letters and digits).")]
Config = Annotated[Path | None, typer.Option("--config", help="A TOML file with any of these options.")]
Setup = Annotated[str | None, typer.Option("--setup", help="A setup saved in the window: source and options.")]
Also = Annotated[
    list[str] | None, typer.Option(help="Record this stream beside the EEG, as lsl://NAME; may be repeated.")
]
Markers = Annotated[
    list[str] | None, typer.Option(help="Record this stream of markers, as lsl://NAME; may be repeated.")
]
Runtime = Annotated[str | None, typer.Option(help="What runs the network: torch, onnx, or auto (torch, if installed).")]
GiveUp = Annotated[
    float | None, typer.Option(help="Seconds to reconnect to a lost source (default: 60; no limit in the window).")
]
Ws = Annotated[str | None, typer.Option(help="Send readings to browsers: page and WebSocket at [HOST:]PORT.")]
Requests = Annotated[
    bool | None,
    typer.Option("--requests", help="Take requests from standard input: rest, use, keep, was LABEL, save."),
]
Readout = Annotated[str | None, typer.Option(help="effort, emotion3, or auto (chosen for the source).")]
Seconds = Annotated[float | None, typer.Option(help="Stop after this many seconds of stream time.")]
FeedbackView = Annotated[
    Literal["auto", "gui", "json"] | None, typer.Option(help="gui or json (default: gui, with a display).")
]
View = Annotated[Literal["terminal", "json"], typer.Option(help="terminal or json.")]
Device = Annotated[str | None, typer.Option(help="Device of the network: auto, cpu or cuda.")]
Osc = Annotated[str | None, typer.Option(help="Send readings by OSC to HOST:PORT.")]
OscMuse = Annotated[str | None, typer.Option(help="Send band powers by OSC to HOST:PORT, as Mind Monitor.")]
Csv = Annotated[Path | None, typer.Option(help="Write readings to this CSV file, or into this folder.")]
