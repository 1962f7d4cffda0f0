"""Choosing one of several streams that answer to the same words, and the URLs that choose each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .url import with_options

LASTING = ("stream", "type", "source_id", "host")
"""What a stream keeps when its sender is started again, as options of a URL."""
EXACT = ("number", "uid")
"""What no two streams share, as long as they run."""
MOST = 3
"""URLs in a message."""

Identity = Mapping[str, str]
"""What a stream says about itself, under the names of the options that choose by it."""


def distinguishing(one: Identity, streams: Sequence[Identity]) -> dict[str, str]:
    """The options that choose `one` and no other of `streams`: those that last where they suffice.

    Parameters
    ----------
    one : Identity
    streams : sequence of Identity
        Those that answer otherwise, `one` among them or not.
    """
    others = [it for it in streams if it != one]
    lasting = {key: one[key] for key in LASTING if one.get(key)}
    exact = [{key: one[key]} for key in EXACT if one.get(key)]
    for options in ({}, *({key: value} for key, value in lasting.items()), lasting, *exact):
        if not any(_chosen(other, options) for other in others):
            return options
    return {}


def choices(urls: Sequence[str], streams: Sequence[Identity]) -> str:
    """The URLs that choose each of `streams`, for a message.

    Parameters
    ----------
    urls : sequence of str
        What each was asked for with.
    streams : sequence of Identity
        Those that answer; of different ``name``, where their URLs have them.
    """
    rivals = ([it for it in streams if it.get("name") == one.get("name")] for one in streams)
    told = [
        with_options(url, distinguishing(one, others)) for url, one, others in zip(urls, streams, rivals, strict=True)
    ]
    more = f", or {len(told) - MOST} more" if len(told) > MOST else ""
    return " or ".join(told[:MOST]) + more


def _chosen(stream: Identity, options: Mapping[str, str]) -> bool:
    return all(stream.get(key, "").lower() == value.lower() for key, value in options.items())
