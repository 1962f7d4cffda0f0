"""Sinks by URL: looks up the sink, reads its options, and guards sinks of other packages."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from ..contracts import Sink
from ..errors import PluginError
from ..plugins import find, made, split


def open_sink(url: str) -> Sink:
    """The sink behind `url`: ``lsl://NAME``, ``osc://HOST:PORT``, ``csv://PATH``, or one of another package.

    Raises `ConfigError` for an unknown scheme, option or value.
    """
    scheme, target, query = split(url, "sink", "write SCHEME://…: lsl://NAME, osc://HOST:PORT or csv://PATH")
    return make_sink(scheme, target, query, url)


def make_sink(name: str, target: str, options: Mapping[str, object], url: str = "") -> Sink:
    """The sink called `name`, with options as a URL's; raises as `open_sink` does.

    A broken sink of another package raises no error: it is part of the run, and its trouble is shown and noted.
    """
    url = url or f"{name}://{target}"
    plugin = find("sinks", name, f"sink {url!r}")
    if plugin.is_built_in:
        sink: Sink = made(plugin, url, target, options)
        return sink
    from .guarded import GuardedSink

    first: list[Sink] = []
    with suppress(PluginError):  # raised again, and reported, at the start of a run
        first.append(made(plugin, url, target, options))  # now, so that a wrong target or option is an error at once
    return GuardedSink(url, lambda: first.pop() if first else made(plugin, url, target, options))
