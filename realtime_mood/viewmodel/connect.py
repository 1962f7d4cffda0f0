"""Turns what was found into choices with a source URL each. Knows no toolkit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from ..errors import MoodError
from ..sources import open_source
from ..sources.devices import Device

UNNAMED = "channels=…"
MONTAGES = {
    "Muse: 4": "TP9, AF7, AF8, TP10",
    "OpenBCI Cyton: 8": "Fp1, Fp2, C3, C4, P7, P8, O1, O2",
    "OpenBCI Cyton with Daisy: 16": "Fp1, Fp2, C3, C4, P7, P8, O1, O2, F7, F8, F3, F4, T7, T8, P3, P4",
    "10–20: 19": "Fp1, Fp2, F7, F3, Fz, F4, F8, T7, C3, Cz, C4, T8, P7, P3, Pz, P4, P8, O1, O2",
}
"""Names in the order in which a usual cap is wired; to be checked against one's own."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to read from."""

    title: str
    detail: str
    url: str
    previews: bool = True
    """Whether looking at it costs and disturbs nothing; a board is only opened when asked."""

    @property
    def needs_names(self) -> bool:
        return UNNAMED in self.url


SYNTHETIC = (
    Choice("Synthetic headset · 32 electrodes", "a virtual person with a known state", "synthetic://"),
    Choice("Synthetic headset · 8 electrodes", "the same person with a small cap", "synthetic://?n_chans=8"),
)  # fmt: skip


def choice_of(device: Device) -> Choice:
    """A stream or a board as a choice."""
    stream = device.kind == "lsl"
    parts = [
        device.trouble,
        device.type if stream else "board" if device.kind == "board" else device.kind,
        f"{device.n_chans} channels" if device.n_chans else "",
    ]
    parts.append(f"{device.sfreq:g} Hz" if device.sfreq else "no regular rate" if stream else "")
    parts.append(f"from {device.host}" if device.host else "")
    return Choice(device.name, " · ".join(part for part in parts if part), device.url, stream)


def choices_of(devices: Iterable[Device]) -> list[Choice]:
    """Devices as choices; those that look alike show the options that tell them apart."""
    choices = [choice_of(device) for device in devices]
    alike = Counter((it.title, it.detail) for it in choices)
    return [
        it if alike[it.title, it.detail] == 1 else replace(it, detail=f"{it.detail} · {it.url.partition('?')[2]}")
        for it in choices
    ]


def recording(path: Path) -> Choice:
    """A file as a choice."""
    return Choice(path.name, "a recording, played in real time", f"playback://{quote(str(path))}")


def with_names(url: str, names: str) -> str:
    """`url` with the electrodes' names in it, where there are any."""
    listed = ",".join(name.strip() for name in names.replace(";", ",").split(",") if name.strip())
    if not listed:
        return url
    if UNNAMED in url:
        return url.replace(UNNAMED, f"channels={listed}")
    base, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("channels=")]
    return f"{base}?{'&'.join([*kept, f'channels={listed}'])}"


def trouble(url: str) -> str:
    """Why a run on `url` could not begin; empty where it could be tried."""
    if UNNAMED in url:
        return "Give each channel its electrode's name, in the order of the plugs"
    try:
        open_source(url)
    except MoodError as error:
        return str(error)
    return ""
