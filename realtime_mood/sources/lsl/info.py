"""Metadata of LSL streams, the URL options that select among them, and their URLs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field

from ..url import CommonOptions, Identity, choices, distinguishing, with_options

MOST_CHANS, MOST_HZ = 4096, 100_000.0


class LslOptions(CommonOptions):
    """Options after ``lsl://NAME?``."""

    type: str | None = None  # the stream's content type; by default EEG is preferred
    source_id: str | None = None
    host: str | None = None  # the computer that sends it
    # identifies one outlet; it changes when the sender restarts, so the stream is not found again then
    uid: str | None = None
    timeout: Annotated[float, Field(gt=0, le=600)] = 5.0  # how long to search for the stream (s)
    # the sampling rate (Hz), where the stream states none or a wrong one; measured if not given
    sfreq: Annotated[float, Field(gt=0, le=MOST_HZ)] | None = None


def is_chosen(info: Any, name: str, options: LslOptions) -> bool:
    """Whether ``lsl://name?options`` means this stream; an empty name means any."""
    return (
        (not name or info.name() == name)
        and (options.type is None or info.type().lower() == options.type.lower())
        and (options.source_id is None or info.source_id() == options.source_id)
        and (options.host is None or info.hostname().lower() == options.host.lower())
        and (options.uid is None or info.uid() == options.uid)
    )


def is_virtual(full: Any) -> bool:
    """Whether a stream states in its whole description that the subject is simulated."""
    return bool(full.desc().child("realtime_mood").child_value("virtual") == "1")


def identity_of(info: Any) -> Identity:
    """Name and URL options that distinguish a stream from others."""
    values = info.name(), info.type(), info.source_id(), info.hostname(), info.uid()
    return dict(zip(("name", "type", "source_id", "host", "uid"), values, strict=True))


def url_of(info: Any, there: Sequence[Any]) -> str:
    """The URL that selects this stream and no other of `there`, if possible also after a restart of its sender."""
    one = identity_of(info)
    query = {key: one[key] for key in ("type", "source_id") if one[key]}
    options = LslOptions.model_validate(query)
    matching = [identity_of(stream) for stream in there if is_chosen(stream, one["name"], options)]
    return with_options(f"lsl://{quote(info.name())}", query | distinguishing(one, matching))


def urls_of(asked: str, several: Sequence[Any]) -> str:
    """The URLs that select each of `several` streams that match the URL `asked`, for a message."""
    _, _, query = asked.partition("?")
    urls = [f"lsl://{quote(info.name())}" + (f"?{query}" if query else "") for info in several]
    return choices(urls, [identity_of(info) for info in several])


def channels_of(info: Any) -> list[tuple[str, str, str]]:
    """(label, unit, type) of each channel that a stream describes; ``""`` where it states none."""
    described: list[tuple[str, str, str]] = []
    channel = info.desc().child("channels").child("channel")
    if channel.empty():  # Mitsar writes no <channels> around them
        channel = info.desc().child("channel")
    while not channel.empty() and len(described) < MOST_CHANS:
        label = channel.child_value("label") or channel.child_value("name")
        described.append((label.strip(), channel.child_value("unit").strip(), channel.child_value("type").strip()))
        channel = channel.next_sibling("channel")
    return described


def described(info: Any, *, with_host: bool = False) -> str:
    """One-line description of a stream, for lists and messages."""
    name, kind, source_id = info.name(), info.type() or "no type", info.source_id() or "none"
    host = f", host {info.hostname()}" if with_host else ""
    return f"{name!r} ({kind}, source_id {source_id}{host}, {info.channel_count()} ch, {info.nominal_srate():g} Hz)"
