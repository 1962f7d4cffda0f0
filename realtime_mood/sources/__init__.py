"""Sources by URL: looks up the source, reads its options, and guards sources of other packages."""

from __future__ import annotations

from ..contracts import NamedSource
from ..plugins import find, made, split


def open_source(url: str) -> NamedSource:
    """The source behind `url`, not opened yet.

    Its scheme is ``synthetic``, ``lsl``, ``playback``, ``brainflow``, or the name of a source of another package.
    Raises `ConfigError` for an unknown scheme, option or value, or a source of another package that cannot be used.
    """
    scheme, target, query = split(url, do="write SCHEME://…: synthetic://, lsl://NAME or playback://PATH")
    plugin = find("sources", scheme, f"source {url!r}")
    source: NamedSource = made(plugin, url, target, query)
    if not plugin.is_built_in:
        from .guarded import GuardedSource

        source = GuardedSource(plugin, source)
    source.name = url
    return source
