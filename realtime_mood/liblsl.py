"""Turns the import of the LSL library into one that does not chat, and looks no further than it is told to."""

from __future__ import annotations

import math
import os
import socket
import uuid
from collections.abc import Sequence
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

LEAST_STEP_S = 1e-4
"""Between the stamps of two samples of an outlet of ours."""

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


def described(
    name: str, kind: str, channels: Sequence[tuple[str, str]], sfreq: float, source_id: str, virtual: bool
) -> tuple[Any, list[Any]]:
    """What an outlet says about itself, in XDF's words.

    Parameters
    ----------
    name, kind : str
        Of the stream; the channels are of the same kind.
    channels : sequence of (str, str)
        Label and unit of each.
    sfreq : float
        Hz; 0 where samples come at no regular rate.
    source_id : str
    virtual : bool
        Nobody wears the electrodes.

    Returns
    -------
    told : pylsl.StreamInfo
    elements : list
        Of each channel, for more to be said of it.
    """
    told = pylsl().StreamInfo(name, kind, len(channels), sfreq, pylsl().cf_float32, source_id)
    desc = told.desc()
    desc.append_child_value("manufacturer", "realtime_mood")
    desc.append_child("realtime_mood").append_child_value("virtual", "1" if virtual else "0")
    whole, elements = desc.append_child("channels"), []
    for label, unit in channels:
        channel = whole.append_child("channel")
        for key, value in (("label", label), ("unit", unit), ("type", kind)):
            channel.append_child_value(key, value)
        elements.append(channel)
    return told, elements


def own_id(name: str) -> str:
    """A ``source_id`` for an outlet of this name, which no other has.

    A receiver that recovers a stream by it finds the very outlet, and never slides to that of another run or program.
    """
    return f"realtime_mood_{socket.gethostname()}_{name}_{uuid.uuid4().hex[:12]}"


class Stamps:
    """LSL stamps for times of ours: strictly rising, as receivers and recorders expect.

    Times rise by themselves in real time. At another speed several readings share a moment, and are put in order.
    """

    def __init__(self) -> None:
        self._to_stamps, self._last = to_stamps(), -math.inf

    def __call__(self, t: float) -> float:
        """The stamp of `t` (s, our clock), or one just after the stamp before."""
        self._last = max(t + self._to_stamps, self._last + LEAST_STEP_S)
        return self._last


def to_stamps() -> float:
    """What to add to a time of ours to put it on LSL's clock (s)."""
    return -clock.offset_to(pylsl().local_clock)


def _is_configured() -> bool:
    return "LSLAPICFG" in os.environ or any(Path(place).expanduser().is_file() for place in PLACES)
