"""Loading of the LSL library with a fixed discovery scope and no log output; outlet descriptions and time stamps."""

from __future__ import annotations

import configparser
import io
import math
import os
import socket
import sys
import uuid
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from . import clock
from .errors import ConfigError

HERE = Path("lsl_api.cfg")  # the library would read it from the folder that the program is started in
OWN = ("~/lsl_api/lsl_api.cfg", "/etc/lsl_api/lsl_api.cfg")
HARMLESS = ("SessionID", "ports", "tuning")  # options and sections that neither extend the scope nor write a file

SCOPES = {  # from near to far
    # Discovery on 127.0.0.1 alone. An outlet's own port stays open on every interface: the library binds no other way.
    "loopback": """[ports]
IPv6 = disable
[multicast]
ResolveScope = machine
AddressesOverride = {127.0.0.1}
ListenAddress = 127.0.0.1
[lab]
KnownPeers = {127.0.0.1}
""",
    "machine": "[multicast]\nResolveScope = machine\n",
    "link": "[multicast]\nResolveScope = link\n",
    "site": "[multicast]\nResolveScope = site\n",
}
WIDE = ("link", "site")
"""Scopes that reach other computers, as LSL's own does."""
QUIET = "[log]\nlevel = -3\n"  # every error reaches us as an exception as well

LEAST_STEP_S = 1e-4  # between two stamps of one of our outlets
_scope: list[str] = []  # the scope that was set, if any


def set_scope(name: str | None) -> None:
    """Set how far to look for streams, before the library is loaded; None leaves it as it is.

    The user's own configuration takes precedence over the scope, and the scope over one in the current folder. Raises
    `ConfigError` where there is no such scope, or the library has been loaded with another.
    """
    if name is None:
        return
    if name not in SCOPES:
        raise ConfigError(f"LSL scope {name!r}", "unknown", f"one of {', '.join(SCOPES)}")
    if pylsl.cache_info().currsize and _scope != [name] and own_configuration() is None:
        raise ConfigError(f"LSL scope {name!r}", "LSL is already in use with another", "restart the program")
    _scope[:] = [name]


def leaves() -> bool:
    """Whether other computers can find our streams; a configuration of the user's own is taken to allow it."""
    return own_configuration() is not None or not _scope or _scope[0] in WIDE


def say_leaving(what: str) -> None:
    """Say on standard error that other computers can receive `what`, where they can."""
    if leaves():
        print(f"other computers can receive {what}: --lsl-scope loopback keeps it here", file=sys.stderr, flush=True)


@cache
def pylsl() -> Any:
    """Load the library without logging and with the scope set, unless the user has their own configuration."""
    import pylsl as library

    own = own_configuration()
    if own is None and hasattr(library, "set_config_content"):
        library.set_config_content(_content())
    elif own is not None:
        if HERE.is_file() and not HERE.samefile(own):
            print(f"{HERE} in this folder is not used: {own} is", file=sys.stderr)
        os.environ["LSLAPICFG"] = str(own)  # else the library would prefer the one in the current folder
    return library


def own_configuration() -> Path | None:
    """The user's LSL configuration: named by ``LSLAPICFG``, or in LSL's places outside the current folder."""
    paths = (Path(place).expanduser() for place in (os.environ.get("LSLAPICFG", ""), *OWN) if place)
    return next((path for path in paths if path.is_file()), None)


def _content() -> str:
    """Configuration where the user has none: the scope, and the harmless options of `HERE`."""
    made = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=(";", "#"))
    made.optionxform = str  # type: ignore[assignment,method-assign]  # LSL is case-sensitive
    if HERE.is_file():
        _read_here(made)
    for content in (*(SCOPES[name] for name in _scope), QUIET):
        made.read_string(content)
    text = io.StringIO()
    made.write(text)
    return text.getvalue()


def outlet_info(
    name: str,
    kind: str,
    channels: Sequence[tuple[str, ...]],
    sfreq: float,
    source_id: str,
    virtual: bool,
    *,
    form: str = "float32",
    manufacturer: str = "realtime_mood",
) -> tuple[Any, list[Any]]:
    """Describe an outlet with XDF's metadata names; also returns the XML element of each channel.

    `kind` is the type of the stream, and of its channels, each of which has a label, a unit, and perhaps a type of its
    own; `sfreq` is 0 if irregular.
    """
    number = {"float32": pylsl().cf_float32, "double64": pylsl().cf_double64, "string": pylsl().cf_string}[form]
    info = pylsl().StreamInfo(name, kind, len(channels), sfreq, number, source_id)
    desc = info.desc()
    desc.append_child_value("manufacturer", manufacturer)
    desc.append_child("realtime_mood").append_child_value("virtual", "1" if virtual else "0")
    parent, elements = desc.append_child("channels"), []
    for label, unit, *own in channels:
        channel = parent.append_child("channel")
        for key, value in (("label", label), ("unit", unit), ("type", own[0] if own else kind)):
            channel.append_child_value(key, value)
        elements.append(channel)
    return info, elements


def own_id(name: str) -> str:
    """A unique ``source_id``, by which a receiver that reconnects finds the same outlet, and no other, again."""
    return f"realtime_mood_{socket.gethostname()}_{name}_{uuid.uuid4().hex[:12]}"


class Stamps:
    """Converts times of our clock to LSL stamps: strictly rising, also where playback is faster than real time."""

    def __init__(self) -> None:
        self._to_stamps, self._last = to_stamps(), -math.inf

    def __call__(self, t: float) -> float:
        """The stamp of `t` (s, our clock), or one just after the previous stamp."""
        self._last = max(t + self._to_stamps, self._last + LEAST_STEP_S)
        return self._last


def to_stamps() -> float:
    """Offset (s) from our clock to LSL's."""
    return -clock.offset_to(pylsl().local_clock)


def _read_here(into: configparser.RawConfigParser) -> None:
    """Read the harmless options of `HERE`, and print which were used."""
    try:
        into.read_string(HERE.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, configparser.Error):
        into.clear()
        print(f"{HERE} in this folder is not used: it cannot be read", file=sys.stderr)
        return
    used, left_out = [], []
    for section, option in [(name, option) for name in into.sections() for option in into.options(name)]:
        if _is_harmless(section, option, into.get(section, option)):
            used.append(option)
        else:
            left_out.append(option)
            into.remove_option(section, option)
    ignored = f"; not used: {', '.join(left_out)} (LSLAPICFG={HERE} trusts all of it)" if left_out else ""
    print(f"Options from {HERE} in this folder: {', '.join(used) or 'none'}{ignored}", file=sys.stderr)


def _is_harmless(section: str, option: str, value: str) -> bool:
    addresses = [part.strip() for part in value.strip("{} ").split(",")]
    is_near = option == "ResolveScope" and value in SCOPES
    return bool({section, option} & {*HARMLESS}) or is_near or {*addresses} <= {"127.0.0.1", "::1", "localhost"}
