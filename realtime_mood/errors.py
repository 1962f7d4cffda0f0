"""All exceptions that this project raises on purpose; messages say what was asked, what was found, and what to do."""

from __future__ import annotations

import unicodedata


def one_line(text: str) -> str:
    """`text` on one line, control and direction characters escaped: it may hold a name from a file or a network."""
    line = " ".join(text.splitlines())
    escaped = ("Cc", "Cf", "Cs")  # categories of Unicode
    return "".join(c.encode("unicode_escape").decode() if unicodedata.category(c) in escaped else c for c in line)


EXTRAS = {
    "PyQt6": "gui", "pyqtgraph": "gui", "qtawesome": "gui", "brainflow": "boards", "pkg_resources": "boards",
    "antio": "formats", "curryreader": "formats", "defusedxml": "formats", "mffpy": "formats", "pymef": "formats",
    "accelerate": "train", "pyriemann": "train", "sklearn": "train", "torch": "train", "distributed": "cluster",
    "edfio": "bids", "mne_bids": "bids", "pyarrow": "bids", "onnx": "export",
    "pyrage": "encryption",
}  # fmt: skip
"""The extra of pyproject.toml that installs each of these packages."""


def install_extra(module: str) -> str:
    """The command that installs a module with its extra; empty for a module that is not in `EXTRAS`."""
    extra = EXTRAS.get(module.partition(".")[0])
    return f"pip install 'realtime-mood[{extra}]'" if extra else ""


class MoodError(Exception):
    """Base class of every error this project raises on purpose."""

    exit_code = 1
    """Exit code of the program; docs/guide.md has the table."""

    def __init__(self, asked: str, found: str = "", do: str = "") -> None:
        self.asked, self.found, self.do = map(one_line, (asked, found, do))
        super().__init__(" · ".join(part for part in (self.asked, self.found, self.do) if part))


class ConfigError(MoodError, ValueError):
    """A setting is missing, unknown, or out of range."""

    exit_code = 2


class PluginError(ConfigError):
    """A part of another package cannot be imported, or is not what its group asks for."""


class SourceError(MoodError):
    """The device, stream or file could not be used."""

    exit_code = 3


class SourceNotFound(SourceError):
    """No source, or more than one, matches the one asked for."""


class SourceLost(SourceError):
    """The stream was open and is lost for good."""

    exit_code = 4


class StreamMismatch(SourceError):
    """The source is there, but what it sends cannot be used as it is."""


class StreamEnded(SourceError):
    """A finite source has played to its end: the only way a run ends without a fault."""


class Overrun(MoodError):
    """Samples were asked for that the ring has already overwritten."""


class ProfileError(MoodError):
    """A subject's profile is unreadable, altered, or does not fit this stream or these weights."""

    exit_code = 5


class WeightsError(MoodError):
    """Network weights are missing, unreadable, altered, or do not reproduce their golden pair."""

    exit_code = 5


class OutputError(MoodError):
    """Standard output cannot be written to."""

    exit_code = 6


class ReaderGone(OutputError):
    """The program that read standard output has ended, as ``head`` does; not a fault."""

    exit_code = 141  # what a shell reports for a program that SIGPIPE ended


class EngineError(MoodError):
    """The engine's state does not allow what was asked for."""


class EngineStuck(EngineError):
    """A worker thread did not stop within its deadline."""
