"""Turns the import of the LSL library into one that does not chat, and looks no further than it is told to."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from . import clock
from .errors import ConfigError

PLACES = ("lsl_api.cfg", "~/lsl_api/lsl_api.cfg", "/etc/lsl_api/lsl_api.cfg")  # where the library looks by itself

SCOPES = {
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
QUIET = "[log]\nlevel = -3\n"  # every trouble reaches us as an exception as well

_scope: list[str] = []  # the one that was set


def set_scope(name: str | None) -> None:
    """How far to look for streams: ``loopback``, ``machine``, ``link`` or ``site``; None leaves it as it is.

    To be said before anything loads the library. A configuration of the user's wins.

    Raises
    ------
    ConfigError
        No such scope, or the library has been loaded with another.
    """
    if name is None:
        return
    if name not in SCOPES:
        raise ConfigError(f"LSL scope {name!r}", "unknown", f"one of {', '.join(SCOPES)}")
    if pylsl.cache_info().currsize and _scope != [name] and not _is_configured():
        raise ConfigError(f"LSL scope {name!r}", "LSL is already in use with another", "start the program anew")
    _scope[:] = [name]


@cache
def pylsl() -> Any:
    """The library, told to log nothing and how far to look, unless the user has a configuration of their own."""
    import pylsl as library

    if not _is_configured() and hasattr(library, "set_config_content"):
        library.set_config_content(QUIET + "".join(SCOPES[name] for name in _scope))
    return library


def to_stamps() -> float:
    """What to add to a time of ours to put it on LSL's clock (s)."""
    return -clock.offset_to(pylsl().local_clock)


def _is_configured() -> bool:
    return "LSLAPICFG" in os.environ or any(Path(place).expanduser().is_file() for place in PLACES)
