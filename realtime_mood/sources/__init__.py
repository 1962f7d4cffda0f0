"""Sources by URL: finds the one that a URL names, reads its options, and puts one of another package under guard."""

from __future__ import annotations

from ..contracts import NamedSource
from ..errors import ConfigError
from ..plugins import find
from .url import CommonOptions, read_options, split


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
    scheme, target, query = split(url)
    plugin = find("sources", scheme, f"source {url!r}")
    if plugin.is_built_in:
        kind = plugin.load()
        source: NamedSource = kind(target, read_options(kind.Options, url, query))
    else:
        from .guarded import GuardedSource

        kind = plugin.check(callable, "a class of sources")
        options = getattr(kind, "Options", CommonOptions)
        try:
            source = GuardedSource(plugin, kind(target, read_options(options, url, query)))
        except ConfigError:
            raise
        except Exception as error:
            raise plugin.error(f"{url} cannot be made", error) from error
    source.name = url
    return source
