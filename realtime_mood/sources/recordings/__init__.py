"""Recordings in files: the format is detected by content, not by name alone."""

from __future__ import annotations

from pathlib import Path

from ...errors import StreamMismatch
from .headers import beginning, refuse_encrypted
from .recording import SELECT, PlaybackOptions
from .signal_file import SignalFile

TEXT = (".csv", ".txt", ".tsv", ".zip")


def open_recording(path: Path, options: PlaybackOptions, asked: str) -> SignalFile:
    """The recording in `path`; `asked` is the source, for messages.

    Raises `StreamMismatch` where it holds no EEG that could be played, `ConfigError` where an option does not fit it.
    """
    # A reader is imported when its kind of file turns up: each brings a library that the others do not need.
    begin = beginning(path, 4)
    if path.is_file() and not begin:
        raise StreamMismatch(asked, "the file is empty", "give a recording that holds EEG")
    refuse_encrypted(path, asked)
    if begin == b"XDF:" or path.suffix.lower() == ".xdf":
        from .xdf import open_xdf

        return open_xdf(path, options, asked)
    for key in (*SELECT, "sfreq"):
        if (value := getattr(options, key)) is not None:
            raise StreamMismatch(asked, f"{key}={value}: only an XDF file holds streams", "leave it out")
    if path.suffix.lower() in TEXT:
        from .text_file import open_text

        return open_text(path, options, asked)
    from .mne_file import MneFile

    return MneFile(path, options, asked)
