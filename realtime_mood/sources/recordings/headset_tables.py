"""What the columns of tables of headsets' own programs mean: EmotivPRO and g.tec's Unicorn Suite."""

from __future__ import annotations

import re

from .head import TableHead
from .layouts import Layout, rate_of

EMOTIV_HZ = (128.0, 256.0)
UNICORN_HZ = 250.0
UNICORN_SITES = ("Fz", "C3", "Cz", "C4", "Pz", "PO7", "Oz", "PO8")
"""Where the electrodes EEG 1 to 8 of a Unicorn Hybrid Black belong."""
_EMOTIV_OTHERS = ("counter", "interpolated", "rawcq", "battery", "batterypercent", "markerhardware", "markers")
_EMOTIV_OLD_OTHERS = re.compile(r"raw_cq|gyro\w*|marker\w*|sync|time_stamp\w*|cq_\w*|counter|interpolated", re.I)


def headset_layout(head: TableHead, asked: str) -> Layout | None:
    """What the columns mean; None where another program wrote them."""
    plain = [re.sub(r"[ _]", "", name).lower() for name in head.names]
    if any(name.startswith("EEG.") for name in head.names):
        return _emotiv(head, plain, asked)
    if "counter" in plain and "interpolated" in plain:
        return _emotiv_old(head, plain, asked)
    if "eeg1" in plain and any(name in plain for name in ("validationindicator", "batterylevel", "counter")):
        return _unicorn(plain)
    return None


def _emotiv(head: TableHead, plain: list[str], asked: str) -> Layout:
    eeg = tuple(i for i, name in enumerate(plain) if name.startswith("eeg.") and name[4:] not in _EMOTIV_OTHERS)
    events = ("markervalueint", "eeg.markerhardware", "markerhardware", "markerindex")
    interpolated = _where(plain, "eeg.interpolated")
    return Layout(
        "EmotivPRO",
        len(plain),
        eeg,
        tuple(head.names[i][4:] for i in eeg),
        _where(plain, "timestamp"),
        _where(plain, "eeg.counter"),
        _where(plain, *events),
        sfreq=_emotiv_rate(head, asked),
        device=EMOTIV_HZ,
        made_up=None if interpolated is None else (interpolated, 1.0),
    )


def _emotiv_old(head: TableHead, plain: list[str], asked: str) -> Layout:
    """As EmotivPRO 1 and TestBench: ``labels:COUNTER INTERPOLATED AF3 …`` in the first line, and no line of names."""
    eeg = tuple(i for i, name in enumerate(head.names) if name and not _EMOTIV_OLD_OTHERS.fullmatch(name))
    return Layout(
        "EmotivPRO",
        len(plain),
        eeg,
        tuple(head.names[i] for i in eeg),
        counter=_where(plain, "counter"),
        event=_where(plain, "markerhardware", "marker"),
        sfreq=_emotiv_rate(head, asked),
        device=EMOTIV_HZ,
        made_up=(plain.index("interpolated"), 1.0),
    )


def _emotiv_rate(head: TableHead, asked: str) -> float | None:
    """What the line above the names says, among the rates of other things: ``eeg_128;mot_32``, or ``128``."""
    text = head.said.get("sampling rate") or head.said.get("sampling")
    if not text:
        return None
    eeg = re.search(r"eeg_([\d.]+)", text, re.I)
    return rate_of(eeg[1] if eeg else text.partition(";")[0], asked)


def _unicorn(plain: list[str]) -> Layout:
    eeg = tuple(i for i, name in enumerate(plain) if re.fullmatch(r"eeg\d+", name))
    valid = _where(plain, "validationindicator")
    labels = UNICORN_SITES if len(eeg) == len(UNICORN_SITES) else tuple(f"EEG {i + 1}" for i in range(len(eeg)))
    return Layout(
        "the Unicorn Suite",
        len(plain),
        eeg,
        labels,
        _where(plain, "timestamp", "timestamps"),
        _where(plain, "counter"),
        _where(plain, "trigger", "marker"),
        sfreq=UNICORN_HZ,
        made_up=None if valid is None else (valid, 0.0),
        notes=(f"EEG 1 to 8 are read as {', '.join(labels)}; channels= names others",)
        if labels == UNICORN_SITES
        else (),
    )


def _where(plain: list[str], *names: str) -> int | None:
    """The column of the first of `names` that is there; None where none is."""
    return next((plain.index(name) for name in names if name in plain), None)
