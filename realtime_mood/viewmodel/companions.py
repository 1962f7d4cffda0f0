"""The streams that the connect dialog offers to record beside the EEG, and which of them it ticks by itself."""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from ..auxiliary import kind_of
from ..language import _
from ..sources.devices import Device
from .connect import Choice, choice_of, choices_of

OWN = "realtime_mood_"  # how the source_id of an outlet of this program begins
STEM_CHARS = 3  # a shorter beginning of a name does not identify a device
SAME_SUBJECT = ("eyes", "pulse", "skin", "motion", "markers")  # kinds that one computer usually has of one subject


@dataclass(frozen=True, slots=True)
class Companion:
    """A stream beside the EEG that can be ticked; title and detail are translated."""

    url: str
    title: str
    detail: str
    host: str
    is_marker: bool  # whether its samples become markers of the run
    ticked: bool


def is_source(device: Device) -> bool:
    """Whether a stream may be the EEG: its type says so, or says nothing and it has a regular rate."""
    kind = kind_of(device.type)
    return kind == "eeg" or (kind == "other" and device.sfreq > 0)


def companions(
    url: str, found: Sequence[Device], also: Collection[str] = (), markers: Collection[str] = (),
    by_hand: Mapping[str, bool] | None = None,
) -> list[Companion]:  # fmt: skip
    """The streams to offer beside the source `url`, those of its own host first.

    `also` and `markers` are URLs of the present run: they are ticked, also while they are not there. `by_hand` is what
    the user ticked (True) or not, by URL. Of the rest, those of the source's device are ticked, and those of its host
    whose kind belongs to a subject; of this program's own outlets none.
    """
    source = next((device for device in found if device.url == url), None)
    host = source.host if source else socket.gethostname() if url.startswith("brainflow://") else ""
    offered = list[Companion]()
    for device in found:
        kind = kind_of(device.type)
        if device.kind != "lsl" or device is source or kind == "eeg":
            continue
        is_marker = device.url in markers or (device.url not in also and kind == "markers" and not device.sfreq)
        near = bool(host) and device.host.lower() == host.lower()
        usual = (near and kind in SAME_SUBJECT) or (source is not None and _same_device(source, device))
        ticked = device.url in (*also, *markers) or (usual and not device.source_id.startswith(OWN))
        choice = choice_of(replace(device, host=""))  # the heading says it
        offered.append(Companion(device.url, choice.title, choice.detail, device.host, is_marker, ticked))
    there = {companion.url for companion in offered}
    for missing in dict.fromkeys((*also, *markers)):
        if missing not in there:
            offered.append(Companion(missing, missing, _("not there at present"), "", missing in markers, True))
    by_hand = by_hand or {}
    offered = [replace(companion, ticked=by_hand.get(companion.url, companion.ticked)) for companion in offered]
    return sorted(offered, key=lambda one: (one.host.lower() != host.lower(), one.host, one.is_marker, one.title))


def _same_device(one: Device, other: Device) -> bool:
    """Whether two streams come from one device: the same source_id, or names that begin alike on one host."""
    if one.source_id and one.source_id == other.source_id:
        return True
    return one.host == other.host and bool(_stem(one.name)) and _stem(one.name) == _stem(other.name)


def _stem(name: str) -> str:
    """The first word of a name, without what follows a hyphen, a bracket or the like."""
    word = re.split(r"[^\w]|_", name.lower(), maxsplit=1)[0]
    return word if len(word) >= STEM_CHARS else ""


def grouped(found: Sequence[Device]) -> list[Choice]:
    """The streams that may be the EEG as choices, under a heading for each host."""
    choices = list[Choice]()
    streams = [device for device in found if device.kind == "lsl" and is_source(device)]
    for host in sorted({stream.host for stream in streams}):
        choices.append(Choice(_("Streams from {host}", host=host) if host else _("Streams"), "", ""))
        choices += choices_of(replace(stream, host="") for stream in streams if stream.host == host)
    return choices
