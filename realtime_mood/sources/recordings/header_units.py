"""The units and references that the headers of EDF, BDF and BrainVision files state: MNE keeps not all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_CHANNEL = re.compile(r"(?im)^Ch\d+[ \t]*=[ \t]*([^,\r\n]*),([^,\r\n]*),?([^,\r\n]*),?([^,\r\n]*)")
"""A channel of a BrainVision header: its name, reference, resolution and unit."""


class BrainVisionChannel(NamedTuple):
    """What the header says of a channel."""

    name: str
    reference: str
    unit: str


def edf_units(path: Path, columns: Sequence[int]) -> list[str]:
    """The units of some of the channels in the header of an EDF or BDF file."""
    with path.open("rb") as f:
        f.seek(252)
        n_chans = int(f.read(4))
        f.seek(256 + n_chans * (16 + 80))
        units = [f.read(8).decode("latin-1").replace("\x83\xca", "µ").strip(" \0") for _ in range(n_chans)]
    return [units[i] for i in columns]


def text_of(path: Path) -> str:
    """A text that is UTF-8 or else Latin-1."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def brainvision_channels(path: Path) -> list[BrainVisionChannel]:
    """The channels in the header of a BrainVision file; the unit is µV where it names none, as the format has it."""
    infos = re.split(r"(?im)^\[(?:Channel Infos)\]", text_of(path))[-1].partition("\n[")[0]
    return [
        BrainVisionChannel(name.replace(r"\1", ",").strip(), reference.strip(), unit.strip() or "µV")
        for name, reference, _, unit in _CHANNEL.findall(infos)
    ]
