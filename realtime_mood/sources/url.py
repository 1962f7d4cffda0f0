"""Turns a source URL into validated options, or says which word of it is wrong."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar
from urllib.parse import parse_qsl, unquote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ..errors import ConfigError
from .units import unit_name


def _names(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _speed(value: object) -> object:
    return float("inf") if value == "max" else value


def _unit(value: object) -> object:
    return unit_name(value) or value if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Speed = Annotated[float, BeforeValidator(_speed), Field(gt=0)]


class CommonOptions(BaseModel):
    """What may stand after the ``?`` of every source URL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: Names = ()
    """Electrode names for a source that gives none, in the order of its channels."""
    drop: Names = ()
    """Channels to leave out, by the name the source gives or by 10-05 name."""
    units: Annotated[Literal["uV", "mV", "V", "nV"] | None, BeforeValidator(_unit)] = None
    """The unit the numbers are in, where the source does not say or says it wrongly."""
    reference: str | None = None


class FiniteOptions(CommonOptions):
    """Also for sources with an end."""

    speed: Speed = 1.0
    """1 is real time, N is N times as fast, ``max`` (infinity) as fast as the pipeline takes it."""


Options = TypeVar("Options", bound=CommonOptions)


def split(url: str) -> tuple[str, str, dict[str, str]]:
    """Scheme, target and query of a source URL. The target keeps its slashes, so a path may be relative or absolute."""
    scheme, separator, rest = url.partition("://")
    if not separator or not scheme:
        raise ConfigError(
            f"source {url!r}", "no scheme", "write SCHEME://…: synthetic://, lsl://NAME or playback://PATH"
        )
    target, _, query = rest.partition("?")
    return scheme.lower(), unquote(target), dict(parse_qsl(query, keep_blank_values=True))


def read_options(kind: type[Options], url: str, query: dict[str, str]) -> Options:
    """The query as a validated `kind`; raises `ConfigError` naming the first wrong word."""
    try:
        return kind.model_validate(query)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"][:1])
        known = ", ".join(kind.model_fields)
        raise ConfigError(
            f"source {url!r}", f"{key}={query.get(key, '')!r}: {first['msg']}", f"options here are {known}"
        ) from None
