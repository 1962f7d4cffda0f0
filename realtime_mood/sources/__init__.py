"""Turns a source URL into something that can be opened."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

from ..contracts import NamedSource
from ..errors import ConfigError
from .url import read_options, split


class _Kind(NamedTuple):
    module: str
    source: str
    options: str


# A module is imported when its scheme is asked for, and its device library not before.
KINDS = {
    "synthetic": _Kind("synthetic.source", "SyntheticSource", "SyntheticOptions"),
    "lsl": _Kind("lsl.source", "LslSource", "LslOptions"),
    "playback": _Kind("playback", "PlaybackSource", "PlaybackOptions"),
    "brainflow": _Kind("boards.source", "BrainflowSource", "BrainflowOptions"),
}


def open_source(url: str) -> NamedSource:
    """The source behind `url`, not opened yet.

    Parameters
    ----------
    url : str
        ``synthetic://…``, ``lsl://NAME?…``, ``playback://PATH?…`` or ``brainflow://BOARD?…``.

    Raises
    ------
    ConfigError
        Unknown scheme, option or value.
    """
    scheme, target, query = split(url)
    if scheme not in KINDS:
        raise ConfigError(
            f"source {url!r}", f"no scheme {scheme}://", f"known are {', '.join(f'{k}://' for k in KINDS)}"
        )
    kind = KINDS[scheme]
    module = import_module(f".{kind.module}", __name__)
    options = read_options(getattr(module, kind.options), url, query)
    source: NamedSource = getattr(module, kind.source)(target, options)
    source.name = url
    return source
