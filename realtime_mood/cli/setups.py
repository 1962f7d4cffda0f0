"""Named setups: a source and its options, each a TOML file in the user's configuration folder."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import get_args

from ..errors import ConfigError
from ..files import read_toml, write_private
from ..viewmodel.actions import RunRequest
from ..viewmodel.setups import LAST
from .config import PREFIX, RunConfig, leaving, resolve, setup_file, setup_files, setup_folder

OF_SESSION = ("view", "participant", "session", "seconds", "record", "profile", "requests")
"""Options that belong to one session or one subject: a setup is saved without them."""
OF_SOURCE = ("source", "also", "markers")
CHOSEN = ("weights", "device", "notch", "repair")  # settings of the window of which one value is chosen
SETTINGS = (*CHOSEN, "lsl_out", "osc", "ws")  # also where readings are sent
NAME = re.compile(r"\w(?:[\w .-]{0,58}[\w-])?")


def as_toml(value: object) -> str:
    """An option's value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(as_toml, value))}]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def settings_file() -> Path:
    """The file of the window's settings, for its runs where nothing else gives these options."""
    return setup_folder().with_name("window.toml")


def with_settings(config: RunConfig) -> RunConfig:
    """`config` with the settings of the window, where nothing else has given them."""
    return config.model_copy(
        update={key: value for key, value in _remembered().items() if key not in config.model_fields_set}
    )


def _remembered() -> dict[str, str | bool]:
    """The settings of the window; none where the file is not what the window wrote."""
    try:
        read = RunConfig.model_validate({k: v for k, v in read_toml(settings_file()).items() if k in SETTINGS})
    except (OSError, ValueError):
        return {}
    return {key: getattr(read, key) for key in SETTINGS if key in read.model_fields_set}


def _write(path: Path, values: Mapping[str, object], what: str) -> None:
    text = "".join(f"{key} = {as_toml(value)}\n" for key, value in values.items())
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, text.encode())
    except (OSError, ValueError) as error:
        raise ConfigError(what, f"could not be saved: {error}", "check the disk") from None


def _file_of(name: str) -> Path:
    """The file of a setup to be; raises `ConfigError`."""
    if not NAME.fullmatch(name):
        raise ConfigError(f"setup {name!r}", "not a name for a file", "use letters, digits, spaces and - . _")
    return setup_folder() / f"{name}.toml"


def _each() -> dict[str, RunConfig | ConfigError]:
    """The options of each setup, or why they cannot be read; the last used first."""
    found: dict[str, RunConfig | ConfigError] = {}
    for name in sorted(setup_files(), key=lambda name: (name != LAST, name.casefold())):
        try:
            found[name] = resolve({}, environment={}, setup=name)
        except ConfigError as error:
            found[name] = error
    return found


class NamedSetups:
    """The setups of this user; `config` are the options with which the window makes its runs."""

    def __init__(self, config: RunConfig, networks: Sequence[str] = ()) -> None:
        self.config, self._networks = with_settings(config), tuple(networks)

    @property
    def weights(self) -> str:
        """The name of the network in use."""
        return self.config.weights

    @property
    def settings(self) -> dict[str, str | bool]:
        """The options in use that the settings of the window have; an address is empty where nothing is sent."""
        return {key: "" if (value := getattr(self.config, key)) is None else value for key in SETTINGS}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """The values that each of them may have."""
        fixed = {key: get_args(RunConfig.model_fields[key].annotation) for key in CHOSEN if key != "weights"}
        return {"weights": self._networks, **fixed}

    def change(self, settings: Mapping[str, str | bool]) -> None:
        """Use other settings from the next run on, and remember them; raises `ConfigError`, also for an address."""
        from ..sinks.osc import host_and_port  # it takes a while to import

        for key, host in {"osc": "", "ws": "127.0.0.1"}.items():
            if address := settings.get(key):
                host_and_port(str(address), f"--{key}", host)
        if settings:
            self.config = self.config.model_copy(update=dict(settings))
            _write(settings_file(), _remembered() | dict(settings), "the settings of the window")

    def leaving(self, settings: Mapping[str, str | bool]) -> list[str]:
        """What other computers could receive with these settings, as notes of a run."""
        return leaving(self.config.model_copy(update=dict(settings)))

    def listed(self) -> list[tuple[str, str]]:
        """Name and source of each that can be read, the last used first."""
        return [(name, read.source) for name, read in _each().items() if isinstance(read, RunConfig)]

    def unreadable(self) -> dict[str, str]:
        """Why each of the others cannot be read, by name."""
        return {name: str(read) for name, read in _each().items() if isinstance(read, ConfigError)}

    def rename(self, name: str, to: str) -> None:
        """Give a setup another name; raises `ConfigError` for one that cannot be, or that another one has."""
        file, others = setup_file(name), {one.casefold() for one in setup_files() if one != name}
        if to.casefold() in others | {LAST}:
            raise ConfigError(f"setup {to!r}", "there is one of that name", "choose another name")
        file.rename(_file_of(to))

    def delete(self, name: str) -> Callable[[], None]:
        """Delete a setup; what is returned brings it back. Raises `ConfigError` and `OSError`."""
        file = setup_file(name)
        content = file.read_bytes()
        file.unlink()
        return partial(write_private, file, content)

    def save(self, name: str, request: RunRequest) -> None:
        """Save the source of `request` and the options in use; raises `ConfigError` for a name or an error of disk."""
        file = _file_of(name)
        used = {key: getattr(self.config, key) for key in RunConfig.model_fields if key not in OF_SESSION}
        used |= {"source": request.url, "also": request.also, "markers": request.markers}
        set_here = _remembered()  # a setup is independent of them
        changed = {k: v for k, v in used.items() if v != RunConfig.model_fields[k].default or (k in set_here and v)}
        _write(file, {"source": request.url} | changed, f"setup {name!r}")

    def remember(self, request: RunRequest) -> None:
        """Keep what was started as the last used setup, simulated subjects excepted; a failure costs nothing else."""
        if not request.url.startswith("synthetic:"):
            with suppress(ConfigError):
                self.save(LAST, request)

    def use(self, name: str) -> RunRequest:
        """Take over the options of a setup; raises `ConfigError`.

        Those of this session and the environment's take precedence, except for its source.
        """
        kept = {key: getattr(self.config, key) for key in OF_SESSION if key != "profile"}
        given = {key: value for key, value in kept.items() if value != RunConfig.model_fields[key].default}
        sources = {PREFIX + key.upper() for key in OF_SOURCE}
        environment = {key: value for key, value in os.environ.items() if key not in sources}
        self.config = config = with_settings(resolve(given, environment=environment, setup=name))
        return RunRequest(config.source, config.profile, None, None, config.also, config.markers)
