"""Catalogue of BrainFlow boards: names, required parameters, options, and how each numbers its packages."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from ...errors import ConfigError
from ..timing.counter import Cycle
from ..url import CommonOptions, Names

T = TypeVar("T")
ALIASES = {
    "athena": "muse_s_athena",
    "daisy": "cyton_daisy",
    "knight": "neuropawn_knight",
    "knight_imu": "neuropawn_knight_imu",
    "notion": "notion_2",
    "playback": "playback_file",
}


def _each(value: T, boards: str) -> dict[str, T]:
    return dict.fromkeys(boards.split(), value)


NEEDS: dict[str, tuple[str, ...]] = {
    "playback_file": ("file", "master_board"),
    "streaming": ("ip_address", "ip_port", "master_board"),
    **_each(
        ("serial_port",),
        "cyton cyton_daisy ganglion brainbit_bled muse_s_bled muse_2_bled muse_2016_bled freeeeg32 freeeeg128"
        " ironbci_32 neuropawn_knight neuropawn_knight_imu pieeg",
    ),
    **_each(("ip_port",), "cyton_wifi cyton_daisy_wifi ganglion_wifi ntl_wifi biolistener"),
    **_each(("mac_address",), "enophone explore_4_chan explore_8_chan explore_plus_8_chan explore_plus_32_chan"),
}
"""Parameters required to find a board; other boards are found without, or by optional parameters."""

MAY: dict[str, tuple[str, ...]] = {
    **_each(("ip_address",), "cyton_wifi cyton_daisy_wifi ganglion_wifi ntl_wifi biolistener galea"),
    **_each(("mac_address",), "ganglion brainbit_bled"),
    **_each(("serial_number",), "unicorn brainbit notion_1 notion_2 crown"),
    **_each(
        ("mac_address", "serial_number"),
        "muse_s muse_2 muse_2016 muse_s_athena muse_s_bled muse_2_bled muse_2016_bled ganglion_native brainalive",
    ),
}
"""Parameters that choose one of several boards, or one that is not found by itself."""

_CYCLES: dict[str, tuple[Cycle, ...]] = {
    **_each((Cycle(),), "synthetic cyton cyton_wifi galea freeeeg32 freeeeg128 neuropawn_knight neuropawn_knight_imu"),
    # Two packages of 8 channels become one sample of 16.
    **_each((Cycle(range(128), every=2),), "cyton_daisy cyton_daisy_wifi"),
    # It sends two samples per package. With and without acceleration, firmware 3; then firmware 2, which sends a full
    # sample alone as number 0.
    **_each(
        (
            Cycle(range(100), 2),
            Cycle(range(100, 200), 2),
            Cycle(range(101), 2, alone=0),
            Cycle((0, *range(101, 201)), 2, alone=0),
        ),
        "ganglion ganglion_native",
    ),
    **_each((Cycle(range(65536), 12),), "muse_s muse_2 muse_2016 muse_s_bled muse_2_bled muse_2016_bled"),
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
    """The board named `name` in any spelling, as in `names`; raises `ConfigError` with similar names."""
    known = names(board_ids)
    plain = {_plain(board): board for board in known}
    plain |= {_plain(alias): board for alias, board in ALIASES.items() if board in known}
    if found := plain.get(_plain(name)):
        return found, known[found]
    close = get_close_matches(_plain(name), plain, 5, 0.5)
    near = ", ".join(dict.fromkeys(plain[board] for board in close)) or "cyton, muse_2, synthetic"
    raise ConfigError(asked, f"no board {name!r}", f"perhaps {near}; `devices` lists them all")


def cycles_of(name: str) -> tuple[Cycle, ...]:
    """How a board numbers its packages, the most likely way first; empty where it must be learnt from the data."""
    return _CYCLES.get(ALIASES.get(name, name), ())


def _plain(name: str) -> str:
    return "".join(c for c in name.lower().replace("_board", "") if c.isalnum())
