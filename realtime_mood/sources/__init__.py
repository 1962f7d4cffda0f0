"""Sources by URL: looks up the source, reads its options, and guards sources of other packages."""

from __future__ import annotations

from ..contracts import NamedSource
from ..plugins import find, made, split


def open_source(url: str) -> NamedSource:
    """The source behind `url`, not opened yet.

    Parameters
    ----------
    url : str
        ``synthetic://…``, ``lsl://NAME?…``, ``playback://PATH?…``, ``brainflow://BOARD?…``, or the name of a source
        of another package in place of these.

    Raises
    ------
    ConfigError
        Unknown scheme, option or value, or a source of another package that cannot be used.
    """
    scheme, target, query = split(url, do="write SCHEME://…: synthetic://, lsl://NAME or playback://PATH")
    plugin = find("sources", scheme, f"source {url!r}")
    source: NamedSource = made(plugin, url, target, query)
    if not plugin.is_built_in:
        from .guarded import GuardedSource

        source = GuardedSource(plugin, source)
    source.name = url
    return source
