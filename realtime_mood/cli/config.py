"""The options of a run: command line first, then environment, then TOML file."""

from __future__ import annotations

import os
import re
import sys
from collections import ChainMap
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_config_path
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from .. import liblsl
from ..api.options import ReadingOptions
from ..errors import ConfigError
from ..files import read_toml

PREFIX = "REALTIME_MOOD_"
GIVE_UP_S = 60.0  # outside the window
FOUND = Path("realtime_mood.toml")  # an options file that is read from the current folder, if it is there
NOT_OPTIONS = {"REALTIME_MOOD_DATA"}  # the recordings for the tests


def _several(value: object) -> object:
    """URLs that are separated by spaces; a name in one may contain spaces."""
    return tuple(filter(None, re.split(r"\s+(?=[\w-]+://)", value.strip()))) if isinstance(value, str) else value


Urls = Annotated[tuple[str, ...], BeforeValidator(_several), AfterValidator(lambda urls: tuple(dict.fromkeys(urls)))]


class RunConfig(ReadingOptions):
    """The options of a run. Each name is also a command-line option and a key of the TOML file."""

    source: str = "synthetic://"
    view: Literal["auto", "gui", "terminal", "json"] = "auto"
    seconds: float | None = Field(default=None, gt=0)
    record: Path | None = None
    encrypt: Path | None = None  # key file, for what is recorded to `record`, when the program ends
    autosave: bool = True  # whether the window records every run automatically
    also: Urls = ()  # streams beside the EEG
    markers: Urls = ()  # likewise, whose samples are markers of the run
    participant: str = Field(default="", pattern="^[A-Za-z0-9]*$")
    session: str = Field(default="", pattern="^[A-Za-z0-9]*$")
    give_up: float | None = Field(default=None, gt=0)  # s; None: no limit in the window, `GIVE_UP_S` elsewhere
    lsl_out: bool = False
    lsl_name: str = Field(default="RealtimeMood", min_length=1)  # the names of the feedback streams begin with it
    osc: str | None = None
    osc_muse: str | None = None
    ws: str | None = None
    csv: Path | None = None
    sink: Urls = ()  # sinks by URL, built in or of other packages
    lsl_scope: Literal["loopback", "machine", "link", "site"] | None = None
    retention: float | None = Field(default=None, gt=0)  # days that `forget --retention` keeps files; no run uses it
    requests: bool = False  # whether lines of standard input are requests: see `cli.requests`

    @property
    def on_lsl(self) -> bool:
        """Whether anything comes or goes over LSL: then recordings are on its clock, as other programs' are."""
        urls = (self.source, *self.sink, *self.also, *self.markers)
        return self.lsl_out or any(url.startswith("lsl:") for url in urls)


def setup_folder() -> Path:
    """The folder of the user's named setups."""
    return user_config_path("realtime_mood") / "setups"


def setup_files() -> dict[str, Path]:
    """The user's named setups: TOML files with options of a run."""
    return {path.stem: path for path in sorted(setup_folder().glob("*.toml"))}


def setup_file(name: str) -> Path:
    """The file of a named setup; raises `ConfigError` with the names there are."""
    known = setup_files()
    if name not in known:
        do = f"one of {', '.join(known)}" if known else "save one in the window: the arrow beside Connect"
        raise ConfigError(f"setup {name!r}", "no such setup", do)
    return known[name]


def resolve(
    given: Mapping[str, object],
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    *,
    setup: str | None = None,
) -> RunConfig:
    """Collect the options of a run: those `given`, None where the command line does not have one, over those of files.

    Without a `file` (TOML), `FOUND` and the user's own file are read, if they exist. A named `setup` is stronger than
    any file, and `FOUND` is not read with it. Raises `ConfigError` for an unknown key or setup, a value out of range,
    or an unreadable file.
    """
    names = (key for key in environment if key.startswith(PREFIX) and key not in NOT_OPTIONS)
    environ: dict[str, object] = {name.removeprefix(PREFIX).lower(): environment[name] for name in names}
    line = {key: value for key, value in given.items() if value not in (None, [])}
    own = user_config_path("realtime_mood") / "config.toml"
    files: dict[Path, dict[str, object]] = {}
    if path := file or (own if own.is_file() else None):
        files[path] = _read(path)
    if file is None and setup is None and FOUND.is_file():
        files[FOUND] = _found(given, ChainMap(line, environ, *files.values()))
    if setup is not None:
        chosen = setup_file(setup)
        files[chosen] = _read(chosen)
    merged = ChainMap(line, environ, *reversed(files.values()))
    try:
        return RunConfig.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        key, known = str(first["loc"][0]), ", ".join(RunConfig.model_fields)
        paths = [path for path, layer in files.items() if key in layer and key not in environ and key not in line]
        where = f" in {paths[-1]}" if paths else ""
        found = "no such option" if first["type"] == "extra_forbidden" else f"{merged[key]!r}: {first['msg']}"
        raise ConfigError(f"option {key!r}{where}", found, f"options are {known}") from None


def _found(given: Mapping[str, object], stronger: Mapping[str, object]) -> dict[str, object]:
    """The options of the file in the current folder. Others may have made it: it may not write files or send data.

    `given` has all options of the verb, `stronger` those of the command line, the environment and the user's own file.
    """
    values = _read(FOUND)
    for key, value in list(values.items()):
        if why := _reach(key, value, stronger):
            if key in given and key not in stronger:
                raise ConfigError(
                    f"{FOUND} in this folder", f"{key} = {value!r} {why}",
                    f"give --{key.replace('_', '-')} on the command line, or trust the file: --config {FOUND}",
                )  # fmt: skip
            del values[key]  # the verb does not have it, or it is overridden
    print(f"Options from {FOUND} in this folder: {', '.join(values) or 'none'}", file=sys.stderr)
    return values


def _reach(key: str, value: object, stronger: Mapping[str, object]) -> str:
    """What an option would do that only the user may request; empty if nothing."""
    if key in ("record", "csv"):
        return "would write a file"
    if key == "encrypt":
        return "would encrypt recordings with a key of others"
    if key == "autosave" and value:
        return "would write files"
    if key == "retention":
        return "would have files deleted"
    if key == "sink" and value:
        return "would send readings elsewhere"
    if key == "lsl_out" and value:
        return "would let others listen"
    if key in ("osc", "osc_muse", "ws"):
        return "would reach other machines" if _leaves(key.replace("_", "-"), str(value)) else ""
    if key == "lsl_scope":
        limit, scopes = stronger.get(key, "machine"), list(liblsl.SCOPES)  # from near to far
        near = scopes[: scopes.index(str(limit)) + 1] if limit in scopes else ()
        return "" if value in near else "would reach other machines"
    return ""


def _leaves(kind: str, address: str) -> bool:
    """Whether a WebSocket server, or a receiver of OSC, at this address is beyond this computer."""
    from ..sinks.websocket import LOOPBACK

    host = address.rpartition(":")[0].strip("[]")
    return kind in ("osc", "osc-muse", "ws") and host not in LOOPBACK and not (kind == "ws" and not host)


def leaving(config: RunConfig) -> list[str]:
    """What other computers can receive of a run, as notes of it. LSL's scope must be set."""
    options: list[tuple[str, str, str]] = [("--lsl-out", "lsl", "")] * config.lsl_out
    for name in ("osc", "osc-muse", "ws"):
        if address := getattr(config, name.replace("-", "_")):
            options.append((f"--{name} {address}", name, address))
    for url in config.sink:
        name, _, rest = url.partition("://")
        options.append((f"--sink {url}", name, rest.partition("?")[0]))
    found = [option for option, kind, to in options if (liblsl.leaves() if kind == "lsl" else _leaves(kind, to))]
    notes = [f"other computers can receive readings: {', '.join(found)}"] if found else []
    if config.lsl_scope in liblsl.WIDE and config.on_lsl and not config.lsl_out:
        notes.append(f"LSL looks for streams beyond this computer: --lsl-scope {config.lsl_scope}")
    return notes


def _read(path: Path) -> dict[str, object]:
    try:
        return read_toml(path)
    except FileNotFoundError:
        raise ConfigError(f"config file {path}", "no such file", "check the path") from None
    except (OSError, ValueError) as error:
        found = f"not readable as TOML: {error}"
        raise ConfigError(f"config file {path}", found, "correct it, or leave it out") from None
