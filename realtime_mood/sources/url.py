"""Parsing and writing of source URLs and their options, also of those that tell similar streams apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, Field

from ..files import Strict
from .units import MICROVOLTS, unit_name

SKIP = "-"  # in ``channels=``: leave this channel out
LASTING = ("stream", "type", "source_id", "host")  # options that stay the same when the sender restarts
UNIQUE = ("number", "uid")  # options that are unique to a stream while it runs
MOST_URLS = 3  # in a message

Identity = Mapping[str, str]  # a stream's metadata, under the names of the URL options that select by them


def _names(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip().replace("%2C", ",") for part in value.split(",") if part.strip())


def _speed(value: object) -> object:
    return float("inf") if value == "max" else value


def _unit(value: str) -> str:
    if unit := unit_name(value):
        return unit
    raise ValueError(f"give {', '.join(MICROVOLTS)}, or a multiple of one: 0.1uV")


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Speed = Annotated[float, BeforeValidator(_speed), Field(gt=0)]


class CommonOptions(Strict):
    """Options of every source URL."""

    channels: Names = ()
    """Electrode names for a source that gives none, in the order of its channels, ``-`` for one to leave out."""
    drop: Names = ()  # channels to leave out, by the name the source gives or by 10-05 name
    drop_must_exist: ClassVar[bool] = True  # whether a name in `drop` that the source lacks is an error
    units: Annotated[str, AfterValidator(_unit)] | None = None
    """Unit of the numbers (``uV``, ``0.1uV``, …), where the source states none or a wrong one."""
    reference: str | None = None  # reference of the channels; with ``Cz``, ``F3-Cz`` is read as F3


class FiniteOptions(CommonOptions):
    """Options of sources with an end."""

    speed: Speed = 1.0  # 1 is real time, N is N times as fast, ``max`` (infinity) as fast as the pipeline takes it


def pasted(key: str, words: Sequence[str]) -> str:
    """An option to paste into a URL, as in ``drop=ECG,Fp1``."""
    return f"{key}={','.join(map(_escaped, words))}"


def _escaped(word: str) -> str:
    """Escape a word of a list in a URL; its commas are escaped twice."""
    plain = word.strip().replace(",", "%2C")
    return "".join(char if char.isprintable() and char not in "%&+" else quote(char) for char in plain)


def with_options(url: str, options: Mapping[str, str]) -> str:
    """`url` with these options, replacing those of the same names."""
    base, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and part.partition("=")[0] not in options]
    added = [f"{key}={quote(value, safe=',/:')}" for key, value in options.items()]
    return "?".join(filter(None, (base, "&".join([*kept, *added]))))


def distinguishing(one: Identity, streams: Sequence[Identity]) -> dict[str, str]:
    """The options that select `one` and no other of `streams`, preferably ones that survive a restart of the sender."""
    others = [stream for stream in streams if stream != one]
    lasting = {key: one[key] for key in LASTING if one.get(key)}
    unique = [{key: one[key]} for key in UNIQUE if one.get(key)]
    for options in ({}, *({key: value} for key, value in lasting.items()), lasting, *unique):
        if not any(_is_selected(other, options) for other in others):
            return options
    return {}


def choices(urls: Sequence[str], streams: Sequence[Identity]) -> str:
    """The URLs that select each of `streams`, for a message; `urls` are those that matched each of them."""
    rivals = ([stream for stream in streams if stream.get("name") == one.get("name")] for one in streams)
    shown = [
        with_options(url, distinguishing(one, others)) for url, one, others in zip(urls, streams, rivals, strict=True)
    ]
    more = f", or {len(shown) - MOST_URLS} more" if len(shown) > MOST_URLS else ""
    return " or ".join(shown[:MOST_URLS]) + more


def _is_selected(stream: Identity, options: Mapping[str, str]) -> bool:
    return all(stream.get(key, "").lower() == value.lower() for key, value in options.items())
