"""The choices of the connect dialog: devices, streams and recordings, each with its source URL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, unquote

from ..errors import MoodError
from ..language import N_, _
from ..sources import open_source
from ..sources.devices import Device
from .setups import Setups, title_of

UNNAMED = "channels=…"
# electrode names in the order in which common caps are wired; the operator checks them
MONTAGES = {
    N_("Muse: 4"): "TP9, AF7, AF8, TP10",
    N_("OpenBCI Cyton: 8"): "Fp1, Fp2, C3, C4, P7, P8, O1, O2",
    N_("OpenBCI Cyton with Daisy: 16"): "Fp1, Fp2, C3, C4, P7, P8, O1, O2, F7, F8, F3, F4, T7, T8, P3, P4",
    N_("10–20: 19"): "Fp1, Fp2, F7, F3, Fz, F4, F8, T7, C3, Cz, C4, T8, P7, P3, Pz, P4, P8, O1, O2",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A source to read from, or a heading; title and detail are translated."""

    title: str
    detail: str
    url: str  # empty: a heading
    previews: bool = True  # whether a preview may start by itself; a board is opened only on request
    setup: str = ""  # the name of the setup that this is

    @property
    def needs_names(self) -> bool:
        """Whether the electrode names are missing."""
        return UNNAMED in self.url


def synthetic() -> tuple[Choice, ...]:
    """The simulated subjects."""
    return (
        Choice(_("Synthetic headset · 32 electrodes"), _("a simulated subject with a known state"), "synthetic://"),
        Choice(_("Synthetic headset · 8 electrodes"), _("the same subject with a small cap"), "synthetic://?n_chans=8"),
    )


def setup_choices(setups: Setups | None) -> tuple[Choice, ...]:
    """The setups as choices; a board is not opened for a preview."""
    listed = setups.listed() if setups is not None else []
    return tuple(
        Choice(title_of(name), _("setup · {source}", source=source), source, not source.startswith("brainflow:"), name)
        for name, source in listed
    )


def choice_of(device: Device) -> Choice:
    """A stream or a board as a choice."""
    stream = device.kind == "lsl"
    n = _("{n} channels", n=device.n_chans) if device.n_chans else ""
    rate = f"{device.sfreq:g} Hz" if device.sfreq else _("irregular rate") if stream else ""
    host = _("from {host}", host=device.host) if device.host else ""
    kind = device.type if stream else _("board") if device.kind == "board" else device.kind
    parts = (device.trouble, kind, n, rate, host)
    return Choice(device.name, " · ".join(part for part in parts if part), device.url, stream)


def choices_of(devices: Iterable[Device]) -> list[Choice]:
    """Devices as choices; those that look alike also show the options of their URL."""
    choices = [choice_of(device) for device in devices]
    alike = Counter((choice.title, choice.detail) for choice in choices)
    for i, choice in enumerate(choices):
        if alike[choice.title, choice.detail] > 1:
            choices[i] = replace(choice, detail=f"{choice.detail} · {choice.url.partition('?')[2]}")
    return choices


def matches(choices: Sequence[Choice], words: str) -> list[bool]:
    """Whether each of `choices` has all of `words`; a heading, whether one below it has."""
    wanted, shown, below = words.casefold().split(), [], False
    for choice in reversed(choices):
        text = f"{choice.title} {choice.detail} {unquote(choice.url.partition('?')[0])}".casefold()
        has = all(word in text for word in wanted) if choice.url else below
        below = (below or has) if choice.url else False
        shown.append(has)
    return shown[::-1]


def recording(path: Path) -> Choice:
    """A file as a choice."""
    return Choice(path.name, _("a recording, played in real time"), f"playback://{quote(str(path))}")


def with_names(url: str, names: str) -> str:
    """`url` with the electrode names in it, if there are any."""
    listed = ",".join(name.strip() for name in names.replace(";", ",").split(",") if name.strip())
    if not listed:
        return url
    if UNNAMED in url:
        return url.replace(UNNAMED, f"channels={listed}")
    base, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("channels=")]
    return f"{base}?{'&'.join([*kept, f'channels={listed}'])}"


def trouble(url: str) -> str:
    """Why a run on `url` cannot start; empty if it can be tried."""
    if UNNAMED in url:
        return _("Name the electrode of each channel, in the order of the inputs")
    try:
        open_source(url)
    except MoodError as error:
        return str(error)
    return ""
