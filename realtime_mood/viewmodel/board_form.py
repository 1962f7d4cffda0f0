"""The form of a board in Connect: which fields it has, and the source URL that they make."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..language import N_, _
from ..plugins import split
from ..sources.boards.catalogue import MAY, NEEDS
from ..sources.devices import EXAMPLES
from ..sources.url import with_options

SCHEME = "brainflow://"
LABELS = {
    "serial_port": N_("Serial port"), "mac_address": N_("MAC address"), "ip_address": N_("IP address"),
    "ip_port": N_("IP port"), "serial_number": N_("Serial number"), "file": N_("File"),
    "master_board": N_("Data are of board"),
}  # fmt: skip
PLACEHOLDERS = ("mac_address", "file", "serial_port")  # whose examples in URLs stand for a value that is not known


@dataclass(frozen=True, slots=True)
class BoardField:
    """One parameter of a board: the option of its URL, its name as shown, and whether the board needs it."""

    key: str
    label: str
    is_required: bool
    value: str


def fields_of(url: str) -> tuple[BoardField, ...]:
    """The fields of the board that `url` names, with their values; empty for another source."""
    if not url.startswith(SCHEME):
        return ()
    _scheme, board, values = split(url)
    needs = NEEDS.get(board, ())
    keys = (*needs, *(key for key in MAY.get(board, ()) if key not in needs))
    return tuple(BoardField(key, _(LABELS[key]), key in needs, values.get(key, "")) for key in keys)


def missing(url: str) -> str:
    """Which fields have to be filled in, in words; empty if none has."""
    names = [field.label for field in fields_of(url) if field.is_required and not field.value]
    return _("Fill in: {names}", names=", ".join(names)) if names else ""


def filled(url: str, values: Mapping[str, str]) -> str:
    """`url` with the values of the fields; an empty one is left out."""
    given = with_options(url, {key: value.strip() for key, value in values.items()})
    base, _sign, query = given.partition("?")
    kept = [part for part in query.split("&") if part.partition("=")[2] or part.partition("=")[0] not in values]
    return "?".join(filter(None, (base, "&".join(kept))))


def without_examples(url: str, ports: Collection[str]) -> str:
    """`url` of a board without values that only stand for one; `ports` are the serial ports that are there."""
    examples = {field.key: "" for field in fields_of(url) if field.key in PLACEHOLDERS
                and field.value == EXAMPLES[field.key] and field.value not in ports}  # fmt: skip
    return filled(url, examples) if examples else url
