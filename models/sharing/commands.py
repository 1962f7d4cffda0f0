"""The command ``export``: recordings in formats of other programs, or weights. Large imports come late."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from realtime_mood.errors import ConfigError
from realtime_mood.files import check_writable


def export(
    files: Annotated[list[Path] | None, typer.Argument(help="Recordings made with --record or in the window.")] = None,
    bids: Annotated[Path | None, typer.Option(help="Add the recordings to the BIDS data set in this folder.")] = None,
    edf: Annotated[bool, typer.Option("--edf", help="Write the signal as EDF.")] = False,
    fif: Annotated[bool, typer.Option("--fif", help="Write the signal as FIF, for MNE.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write the readings as CSV.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write the readings as Parquet.")] = False,
    participant: Annotated[str, typer.Option(help="With --bids: participant ID (default: the recording's).")] = "",
    session: Annotated[str, typer.Option(help="With --bids: session ID (default: in the file's name).")] = "",
    weights: Annotated[str | None, typer.Option(help="Instead of recordings: weights by name, or a folder.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the files (default: beside each recording), or a new one for weights."),
    ] = None,
    onnx: Annotated[bool, typer.Option("--onnx", help="With --weights: also write the network as ONNX.")] = False,
) -> None:
    """Write recordings for other programs, or weights to share."""
    say, out = partial(print, flush=True), out.expanduser() if out else None
    if weights is None and files:
        from realtime_mood.export.files import Formats, export_recordings

        formats = Formats(bids and bids.expanduser(), edf, fif, csv, parquet, out, participant, session)
        export_recordings(files, formats, say)
        return
    if weights is None or out is None or files:
        raise ConfigError("export", "not one of recordings and weights", "give FILE --edf, or --weights NAME --out DIR")
    check_writable(out, "weights in")
    from .folder import export_weights

    export_weights(weights, out, onnx=onnx, say=say)
