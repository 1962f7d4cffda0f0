"""List of available sources: LSL streams on the network and supported boards, each with the URL to use."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .. import clock, liblsl
from ..errors import install_extra
from ..guard import words_of
from ..montage import canonical_name
from ..plugins import ignored, plugins
from .boards import catalogue as boards
from .boards.session import library
from .lsl.info import url_of

LOOK_S = 0.1  # interval (s) of checks for answers from the network
# placeholder for a parameter that cannot be detected
EXAMPLES = {
    "serial_port": "COM3" if sys.platform == "win32" else "/dev/ttyUSB0",
    "mac_address": "XX:XX:XX:XX:XX:XX",
    "ip_address": "225.1.1.1",
    "ip_port": "6677",
    "file": "FILE",
    "master_board": "cyton",
}


@dataclass(frozen=True, slots=True)
class Device:
    """A possible source."""

    # ``"lsl"`` for a stream that is present, ``"board"`` for a supported board, a scheme for another package's
    kind: str
    name: str
    url: str  # URL for ``--source``
    ch_names: tuple[str, ...]  # as far as known; empty where ``channels=`` must name them
    n_chans: int
    sfreq: float  # sampling rate (Hz); 0 where there is no regular one
    type: str = "EEG"
    source_id: str = ""
    host: str = ""
    trouble: str = ""  # why it cannot be read from, in words; empty where it may be

    def __str__(self) -> str:
        words = [self.name, self.type if self.kind == "lsl" else ""]
        words.append(f"{self.n_chans} channel{'s' * (self.n_chans != 1)}" if self.n_chans else "")
        words.append(f"{self.sfreq:g} Hz" if self.sfreq else "")
        words.append(f"from {self.host}" if self.host else "")
        return f"{' · '.join(word for word in words if word)}: {self.trouble or shlex.quote(self.url)}"


def devices(seconds: float = 2.0) -> list[Device]:
    """The streams that answer within `seconds`, what other packages' sources find, and every board that records EEG.

    Raises `SourceNotFound` where the board library is installed, but cannot be loaded.
    """
    return [*streams(seconds), *installed(seconds), *all_boards()]


def installed(seconds: float) -> list[Device]:
    """What the sources of other packages find within `seconds`; one that cannot look is listed by its scheme.

    Such a source may have a function `devices` on its class, given `seconds`, which lists `Device`.
    """
    listed = []
    for name, plugin in ((name, plugin) for name, plugin in plugins("sources").items() if not plugin.is_built_in):
        general = Device(name, f"{name} ({plugin.package})", f"{name}://", (), 0, 0.0, "")
        try:
            look = getattr(plugin.load(), "devices", None)
            found = list(look(seconds)) if callable(look) else [general]
            if not all(isinstance(device, Device) for device in found):
                raise TypeError("devices() has to list objects of type Device")
        except Exception as error:  # after any error the other boards are still listed
            found = [replace(general, trouble=words_of(error))]
        listed += found
    return listed


def streams(seconds: float) -> list[Device]:
    """The streams of the Lab Streaming Layer that answer within `seconds`, EEG first."""
    resolver = liblsl.pylsl().ContinuousResolver()
    end = clock.now() + seconds
    while (left := end - clock.now()) > 0:
        time.sleep(min(LOOK_S, left))
    there = resolver.results()
    found = []
    for info in there:
        n_chans, sfreq, url = info.channel_count(), info.nominal_srate(), url_of(info, there)
        found.append(
            Device("lsl", info.name(), url, (), n_chans, sfreq, info.type(), info.source_id(), info.hostname())
        )
    return sorted(found, key=lambda stream: (stream.type.lower() != "eeg", stream.name, stream.source_id))


def all_boards() -> list[Device]:
    """Every board of the library that records EEG, its serial port filled in where one is plugged in.

    None where the library is not installed: streams do without it.
    """
    if why_no_boards():
        return []
    ports = serial_ports()
    shim = library().BoardShim
    listed = []
    for name, board in boards.names(library().BoardIds).items():
        needs = boards.NEEDS.get(name, ())
        description = shim.get_board_descr(int(board))
        n_chans, sfreq = len(description.get("eeg_channels", ())), float(description.get("sampling_rate", 0))
        if not n_chans and "master_board" not in needs:
            continue
        labels = tuple(label for label in description.get("eeg_names", "").split(",") if label)
        values = {need: quote(ports[0]) if need == "serial_port" and ports else EXAMPLES[need] for need in needs}
        query = "&".join(f"{key}={value}" for key, value in (values | _to_name(labels, n_chans)).items())
        url = f"brainflow://{name}" + (f"?{query}" if query else "")
        listed.append(Device("board", description["name"], url, labels, n_chans, sfreq))
    return listed


def board_names() -> list[str]:
    """The boards whose data a file or a stream may hold; none where the library is not installed."""
    return [] if why_no_boards() else [name for name in boards.names(library().BoardIds) if name not in boards.NEEDS
                                       or "master_board" not in boards.NEEDS[name]]  # fmt: skip


def why_no_boards() -> str:
    """Why no board is listed, and what to install; empty where the library of boards is installed."""
    if find_spec("brainflow"):
        return ""
    return f"no boards are listed without the BrainFlow library: {install_extra('brainflow')}"


def _to_name(labels: tuple[str, ...], n_chans: int) -> dict[str, str]:
    """URL options for channels without electrode names."""
    unknown = [label for label in labels if canonical_name(label) is None]
    if n_chans and len(unknown) == len(labels):
        return {"channels": "…"}
    return {"drop": ",".join(unknown)} if unknown else {}


def serial_ports() -> list[str]:
    """The serial ports with a device."""
    try:
        found = [port.device for port in import_module("serial.tools.list_ports").comports() if port.vid is not None]
    except ImportError:  # pyserial gives better results, and is not needed for anything else
        kinds = ("ttyUSB*", "ttyACM*", "cu.usbserial*", "cu.usbmodem*")
        found = [str(port) for kind in kinds for port in Path("/dev").glob(kind)]
    return sorted(found)


def listing(seconds: float = 2.0) -> Iterator[str]:
    """Lines of text: what was found, each with its URL quoted for a shell."""
    found = streams(seconds)
    yield f"{len(found)} stream{'s' * (len(found) != 1)} on the network within {seconds:g} s" + (":" if found else "")
    yield from (f"  {device}" for device in found)
    if others := installed(seconds):
        yield "Sources of installed packages:"
        yield from (f"  {device}" for device in others)
    yield from (f"  {text}" for text in ignored("sources"))
    yield f"Boards ({', '.join(serial_ports()) or 'nothing on a serial port'}):"
    yield from (f"  {device}" for device in all_boards())
    if why := why_no_boards():
        yield f"  {why}"
    yield "For channels=…, give the electrode name of each channel, in order."


def as_object(device: Device) -> dict[str, Any]:
    """A device as a JSON object."""
    return {"kind": "device", "source": device.kind, **{k: v for k, v in asdict(device).items() if k != "kind"}}
