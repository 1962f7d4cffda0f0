"""Distinguishing several streams that match the same URL, and the URLs that select each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .url import with_options

LASTING = ("stream", "type", "source_id", "host")  # URL options that stay the same when the sender restarts
EXACT = ("number", "uid")  # URL option that is unique to a stream while it runs
MOST = 3  # largest number of URLs in a message

Identity = Mapping[str, str]  # a stream's metadata, under the names of the URL options that select by them


def distinguishing(one: Identity, streams: Sequence[Identity]) -> dict[str, str]:
    """The options that select `one` and no other of `streams`, preferably ones that survive a restart of the sender.

    Parameters
    ----------
    one : Identity
    streams : sequence of Identity
        All that match, with or without `one`.
    """
    others = [it for it in streams if it != one]
    lasting = {key: one[key] for key in LASTING if one.get(key)}
    exact = [{key: one[key]} for key in EXACT if one.get(key)]
    for options in ({}, *({key: value} for key, value in lasting.items()), lasting, *exact):
        if not any(_chosen(other, options) for other in others):
            return options
    return {}


def choices(urls: Sequence[str], streams: Sequence[Identity]) -> str:
    """The URLs that select each of `streams`, for a message.

    Parameters
    ----------
    urls : sequence of str
        URL that matched each of them.
    streams : sequence of Identity
        All that match; with different ``name``, where their URLs have it.
    """
    rivals = ([it for it in streams if it.get("name") == one.get("name")] for one in streams)
    shown = [
        with_options(url, distinguishing(one, others)) for url, one, others in zip(urls, streams, rivals, strict=True)
    ]
    more = f", or {len(shown) - MOST} more" if len(shown) > MOST else ""
    return " or ".join(shown[:MOST]) + more


def _chosen(stream: Identity, options: Mapping[str, str]) -> bool:
    return all(stream.get(key, "").lower() == value.lower() for key, value in options.items())
