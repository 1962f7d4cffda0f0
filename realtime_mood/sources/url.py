"""The options of source URLs, and URLs that are written from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from .units import MICROVOLTS, unit_name

SKIP = "-"
"""Stands in ``channels=`` for a channel to leave out."""


def _names(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip().replace("%2C", ",") for part in value.split(",") if part.strip())


def _speed(value: object) -> object:
    return float("inf") if value == "max" else value


def _unit(value: str) -> str:
    if unit := unit_name(value):
        return unit
    raise ValueError(f"say {', '.join(MICROVOLTS)}, or how many of one: 0.1uV")


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Speed = Annotated[float, BeforeValidator(_speed), Field(gt=0)]


class CommonOptions(BaseModel):
    """What may stand after the ``?`` of every source URL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: Names = ()
    """Electrode names for a source that gives none, in the order of its channels, ``-`` for one to leave out."""
    drop: Names = ()
    """Channels to leave out, by the name the source gives or by 10-05 name."""
    drop_must_exist: ClassVar[bool] = True
    """Whether a name in `drop` that the source lacks is an error, as for any single source."""
    units: Annotated[str, AfterValidator(_unit)] | None = None
    """The unit the numbers are in (``uV``, ``0.1uV``, …), where the source does not say or says it wrongly."""
    reference: str | None = None
    """What the channels are measured against; ``F3-Cz`` is then F3 where it is ``Cz``."""


class FiniteOptions(CommonOptions):
    """Also for sources with an end."""

    speed: Speed = 1.0
    """1 is real time, N is N times as fast, ``max`` (infinity) as fast as the pipeline takes it."""


def pasted(key: str, words: Sequence[str]) -> str:
    """An option to paste into a URL, as in ``drop=ECG,Fp1``."""
    return f"{key}={','.join(map(_escaped, words))}"


def _escaped(word: str) -> str:
    """A word as one of a list in a URL: a comma in it is escaped once more than the rest."""
    plain = word.strip().replace(",", "%2C")
    return "".join(char if char.isprintable() and char not in "%&+" else quote(char) for char in plain)


def with_options(url: str, options: Mapping[str, str]) -> str:
    """`url` with these options, in place of those it has by the same names."""
    base, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and part.partition("=")[0] not in options]
    added = [f"{key}={quote(value, safe=',/:')}" for key, value in options.items()]
    return "?".join(filter(None, (base, "&".join([*kept, *added]))))
