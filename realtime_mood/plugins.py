"""Registry of sources, sinks, networks, measures and displays: the table `BUILT_IN`, and entry points of packages.

A part is imported only when it is used, so a broken one does not affect the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pkgutil import resolve_name
from typing import Any, Literal, TypeVar, get_args
from urllib.parse import parse_qsl, unquote

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import ConfigError, MoodError, PluginError

Group = Literal["sources", "sinks", "networks", "measures", "displays", "calibrations"]
GROUPS: tuple[Group, ...] = get_args(Group)
OURS = "realtime-mood"
BUILT_IN: dict[Group, dict[str, str]] = {
    "sources": {
        "synthetic": "realtime_mood.sources.synthetic.source:SyntheticSource",
        "lsl": "realtime_mood.sources.lsl.source:LslSource",
        "playback": "realtime_mood.sources.playback:PlaybackSource",
        "brainflow": "realtime_mood.sources.boards.source:BrainflowSource",
    },
    "sinks": {
        "lsl": "realtime_mood.sinks.lsl_readings:LslReadings",
        "osc": "realtime_mood.sinks.osc:Osc",
        "osc-muse": "realtime_mood.sinks.muse_osc:MuseOsc",
        "ws": "realtime_mood.sinks.websocket:WebSocketReadings",
        "csv": "realtime_mood.sinks.csv_file:CsvFile",
    },
    "networks": {"reader": "realtime_mood.models.building:ReaderWeights"},
    "measures": {
        "band": "realtime_mood.feedback.kinds:band",
        "ratio": "realtime_mood.feedback.kinds:ratio",
        "asymmetry": "realtime_mood.feedback.kinds:asymmetry",
    },
    "displays": {
        "circle": "realtime_mood.gui.feedback.displays:Circle",
        "bar": "realtime_mood.gui.feedback.displays:Bar",
        "landscape": "realtime_mood.gui.feedback.displays:Landscape",
    },
    "calibrations": {"protocol": "realtime_mood.calibration.headless:calibrate"},
}
"""``module:object`` of each, by name; `pyproject.toml` declares the same entry points."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One registered part, not imported yet."""

    group: Group
    name: str
    value: str  # ``module:object``
    package: str  # the distribution that offers it; ``realtime-mood`` for ours

    @property
    def is_built_in(self) -> bool:
        return self.package == OURS

    def load(self) -> Any:
        """The part; raises `PluginError` if it is another package's and cannot be imported."""
        if (self.group, self.name) in _registered:
            return _registered[self.group, self.name]
        try:
            return resolve_name(self.value)
        except MoodError:
            raise
        except (Exception, SystemExit) as error:
            if self.is_built_in:
                raise
            raise self.error(f"{self.value} cannot be imported", error, f"update or remove {self.package}") from error

    def check(self, is_right: Callable[[Any], object], shape: str) -> Any:
        """The part, if `is_right` accepts it; else raises `PluginError`, which says that it is not `shape`."""
        part = self.load()
        if not is_right(part):
            raise PluginError(str(self), f"{self.value} is not {shape}", f"update or remove {self.package}")
        return part

    def error(self, what: str, error: BaseException, do: str = "") -> PluginError:
        """A `PluginError` for `error`, in one line."""
        parts = (what, type(error).__name__, " ".join(str(error).split()))
        return PluginError(str(self), ": ".join(filter(None, parts)), do)

    @property
    def noun(self) -> str:
        """Word for a part of its group."""
        return self.group.removesuffix("s")

    def __str__(self) -> str:
        return f"{self.noun} {self.name!r} of {self.package}"


_registered: dict[tuple[Group, str], Any] = {}


def register(group: Group, name: str, part: Any) -> None:
    """Offer `part` in this process alone, as an installed package would: for notebooks, scripts and tests.

    Raises
    ------
    ConfigError
        No such group, or the name is that of a built-in part.
    """
    if group not in GROUPS:
        raise ConfigError(f"register in {group!r}", "no such group", f"groups are {', '.join(GROUPS)}")
    if name in BUILT_IN[group]:
        raise ConfigError(f"register {name!r} in {group}", "the name of a built-in part", "choose another name")
    _registered[group, name.lower()] = part


def unregister(group: Group, name: str) -> None:
    """Undo `register`."""
    _registered.pop((group, name.lower()), None)


def plugins(group: Group) -> dict[str, Plugin]:
    """All parts of a group by name: built-in ones first, then other packages', then those of `register`."""
    mine = {name: Plugin(group, name, repr(part), "this program")
            for (where, name), part in _registered.items() if where == group}  # fmt: skip
    return {**_installed(group)[0], **mine}


def also(group: Group) -> str:
    """A sentence for a help text that names the parts of other packages; empty where there are none."""
    names = [f"{name}://" for name, plugin in plugins(group).items() if not plugin.is_built_in]
    return f" Installed: {', '.join(names)}." if names else ""


def ignored(group: Group) -> tuple[str, ...]:
    """A line of text for each part of another package that is ignored, because its name is taken."""
    return _installed(group)[1]


def find(group: Group, name: str, asked: str) -> Plugin:
    """The part of this name; raises `ConfigError` if there is none, with `asked`, what it is needed for."""
    known = plugins(group)
    if (found := known.get(name.lower())) is None:
        by_url = group in ("sources", "sinks", "networks")
        noun, end = ("scheme", "://") if by_url else (group.removesuffix("s"), "")
        raise ConfigError(asked, f"no {noun} {name}{end}", f"known are {', '.join(f'{it}{end}' for it in known)}")
    return found


Options = TypeVar("Options", bound=BaseModel)


def split(url: str, what: str = "source", do: str = "write SCHEME://…") -> tuple[str, str, dict[str, str]]:
    """Scheme, target and query of a part's URL. The target keeps its slashes: a path may be relative or absolute."""
    scheme, separator, rest = url.partition("://")
    if not separator or not scheme:
        raise ConfigError(f"{what} {url!r}", "no scheme", do)
    target, _, query = rest.partition("?")
    return scheme.lower(), unquote(target), dict(parse_qsl(query, keep_blank_values=True))


def read_options(kind: type[Options], url: str, query: Mapping[str, object], what: str = "source") -> Options:
    """The query as a validated `kind`; raises `ConfigError` for the first wrong option."""
    try:
        return kind.model_validate(query)
    except ValidationError as error:
        first = error.errors()[0]
        key, known = "".join(map(str, first["loc"][:1])), ", ".join(kind.model_fields) or "none"
        found = f"{key}={query.get(key, '')!r}: {first['msg']}"
        raise ConfigError(f"{what} {url!r}", found, f"options here are {known}") from None


class NoOptions(BaseModel):
    """The options of a part that has no `Options`."""

    model_config = ConfigDict(extra="forbid")


def made(plugin: Plugin, url: str, target: str, query: Mapping[str, object]) -> Any:
    """What the part makes of a URL: ``Part(target, options)``, or ``Part(target)`` if it has no `Options`.

    Raises `ConfigError` for an option that the part does not have, or from the part itself about the target;
    `PluginError` where another package's part raises something else.
    """
    kind = plugin.check(callable, "a class")
    has_options = hasattr(kind, "Options")
    options = read_options(kind.Options if has_options else NoOptions, url, query, plugin.noun)
    try:
        return kind(target, options) if has_options else kind(target)
    except MoodError:
        raise
    except Exception as error:
        if plugin.is_built_in:
            raise
        raise plugin.error(f"{url} cannot be made", error) from error


@cache
def _installed(group: Group) -> tuple[dict[str, Plugin], tuple[str, ...]]:
    parts = {name: Plugin(group, name, value, OURS) for name, value in BUILT_IN[group].items()}
    left_out = []
    for point in sorted(entry_points(group=f"realtime_mood.{group}"), key=lambda it: (it.name, it.value)):
        package = point.dist.name if point.dist is not None else "an unnamed package"
        name = point.name.lower()
        if package == OURS or (name in parts and parts[name].value == point.value):
            continue  # ours, as another version of this program declared them
        if name in parts:
            left_out.append(f"{Plugin(group, name, point.value, package)} is ignored: {parts[name].package} has it")
        else:
            parts[name] = Plugin(group, name, point.value, package)
    return parts, tuple(left_out)
