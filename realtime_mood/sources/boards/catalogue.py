"""Catalogue of BrainFlow boards: names, required parameters, options, and how each numbers its packages."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import Field

from ...errors import ConfigError
from ..timing.counter import Cycle
from ..url import CommonOptions, Names

ALIASES = {
    "athena": "muse_s_athena",
    "daisy": "cyton_daisy",
    "knight": "neuropawn_knight",
    "knight_imu": "neuropawn_knight_imu",
    "notion": "notion_2",
    "playback": "playback_file",
}

_SERIAL = ("serial_port",)
NEEDS: dict[str, tuple[str, ...]] = {
    "playback_file": ("file", "master_board"),
    "streaming": ("ip_address", "ip_port", "master_board"),
    "cyton": _SERIAL,
    "cyton_daisy": _SERIAL,
    "ganglion": _SERIAL,
    "brainbit_bled": _SERIAL,
    "muse_s_bled": _SERIAL,
    "muse_2_bled": _SERIAL,
    "muse_2016_bled": _SERIAL,
    "freeeeg32": _SERIAL,
    "freeeeg128": _SERIAL,
    "ironbci_32": _SERIAL,
    "neuropawn_knight": _SERIAL,
    "neuropawn_knight_imu": _SERIAL,
    "pieeg": _SERIAL,
    "cyton_wifi": ("ip_port",),
    "cyton_daisy_wifi": ("ip_port",),
    "ganglion_wifi": ("ip_port",),
    "ntl_wifi": ("ip_port",),
    "biolistener": ("ip_port",),
    "enophone": ("mac_address",),
    "explore_4_chan": ("mac_address",),
    "explore_8_chan": ("mac_address",),
    "explore_plus_8_chan": ("mac_address",),
    "explore_plus_32_chan": ("mac_address",),
}
"""Parameters required to find a board; other boards are found without, or by optional parameters."""

_BYTE = (Cycle(),)
# It sends two samples per package. With and without acceleration, firmware 3; then firmware 2, which sends a full
# sample alone as number 0.
_GANGLION = (
    Cycle(range(100), 2),
    Cycle(range(100, 200), 2),
    Cycle(range(101), 2, alone=0),
    Cycle((0, *range(101, 201)), 2, alone=0),
)
_MUSE = (Cycle(range(65536), 12),)
_CYCLES: dict[str, tuple[Cycle, ...]] = {
    "synthetic": _BYTE,
    "cyton": _BYTE,
    "cyton_wifi": _BYTE,
    "galea": _BYTE,
    "freeeeg32": _BYTE,
    "freeeeg128": _BYTE,
    "neuropawn_knight": _BYTE,
    "neuropawn_knight_imu": _BYTE,
    # Two packages of 8 channels become one sample of 16.
    "cyton_daisy": (Cycle(range(128), every=2),),
    "cyton_daisy_wifi": (Cycle(range(128), every=2),),
    "ganglion": _GANGLION,
    "ganglion_native": _GANGLION,
    "muse_s": _MUSE,
    "muse_2": _MUSE,
    "muse_2016": _MUSE,
    "muse_s_bled": _MUSE,
    "muse_2_bled": _MUSE,
    "muse_2016_bled": _MUSE,
}

IMPEDANCE_PACKAGES = range(201, 206)
"""A Ganglion that measures impedance sends rows with these numbers, which contain no sample."""


Port = Annotated[int, Field(ge=0, le=65535)]


class BrainflowOptions(CommonOptions):
    """Options after ``brainflow://BOARD?``: the parameters of the library."""

    serial_port: str = ""
    mac_address: str = ""
    ip_address: str = ""
    ip_address_aux: str = ""
    ip_address_anc: str = ""
    ip_port: Port = 0
    ip_port_aux: Port = 0
    ip_port_anc: Port = 0
    ip_protocol: Literal["", "udp", "tcp"] = ""
    other_info: str = ""
    serial_number: str = ""
    timeout: Annotated[int, Field(ge=0, le=600)] = 0
    """How long the library searches for the board (s); 0 is the library's default."""
    file: str = ""
    file_aux: str = ""
    file_anc: str = ""
    master_board: str = ""  # for ``playback`` and ``streaming``: the board whose data it is
    config: Names = ()  # commands sent to the board, in this order, before it streams
    log: str = ""  # a file for the library's own log; without it there is none


def names(board_ids: Any) -> dict[str, Any]:
    """Every board of the library, ``cyton`` for ``CYTON_BOARD`` and so on."""
    return {board.name.lower().replace("_board", ""): board for board in board_ids if board.name != "NO_BOARD"}


def find(name: str, board_ids: Any, asked: str) -> tuple[str, Any]:
    """The board named `name` in any spelling; raises `ConfigError` with similar names.

    Returns
    -------
    name : str
        As in `names`.
    board : BoardIds
    """
    known = names(board_ids)
    plain = {_plain(it): it for it in known} | {_plain(alias): it for alias, it in ALIASES.items() if it in known}
    if found := plain.get(_plain(name)):
        return found, known[found]
    near = [plain[it] for it in get_close_matches(_plain(name), plain, 5, 0.5)] or ["cyton", "muse_2", "synthetic"]
    raise ConfigError(
        asked, f"no board {name!r}", f"perhaps {', '.join(dict.fromkeys(near))}; `devices` lists them all"
    )


def cycles_of(name: str) -> tuple[Cycle, ...]:
    """How a board numbers its packages, the most likely way first; empty where it must be learnt from the data."""
    return _CYCLES.get(ALIASES.get(name, name), ())


def _plain(name: str) -> str:
    return "".join(c for c in name.lower().replace("_board", "") if c.isalnum())
