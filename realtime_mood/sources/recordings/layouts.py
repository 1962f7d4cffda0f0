"""Columns of text tables, by their names: one function for each program that writes such tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ...errors import StreamMismatch
from ..timing.counter import Cycle
from .head import TableHead
from .tracks import ChannelGroup

MUSE_HZ = (220.0, 256.0)  # rates of the headsets that muse-lsl and Mind Monitor record: Muse 2014, and all since
EMOTIV_HZ = (128.0, 256.0)
UNICORN_HZ = 250.0
UNICORN_SITES = ("Fz", "C3", "Cz", "C4", "Pz", "PO7", "Oz", "PO8")
"""Usual sites of the electrodes EEG 1 to 8 of a Unicorn Hybrid Black."""
_NOT_EEG_OF_OPENVIBE = ("time", "epoch", "label", "stage", "flag", "event")
_NOT_EEG_OF_EMOTIV = ("counter", "interpolated", "rawcq", "battery", "batterypercent", "markerhardware", "markers")
_NOT_EEG_OF_TESTBENCH = re.compile(r"raw_cq|gyro\w*|marker\w*|sync|time_stamp\w*|cq_\w*|counter|interpolated", re.I)
_STAMPS = ("timestamps", "timestamp")
_MARKER = re.compile(r"markers?\d*|stim|trigger", re.I)
"""Columns of marker codes, in tables of muse-lsl and what builds on it."""
_INDEX = re.compile(r"(unnamed: ?\d+|index)?", re.I)  # columns that pandas writes without being asked


class Layout(NamedTuple):
    """The columns of a table and the program that wrote it."""

    program: str
    n_columns: int
    eeg: tuple[int, ...]  # columns that hold EEG, in µV, and `labels` for them
    labels: tuple[str, ...]
    stamp: int | None = None  # seconds or finer since 1970 or since the start, a time of day, or a date and time
    counter: int | None = None
    event: int | None = None  # text or a code that is empty or 0 where nothing happened
    sfreq: float | None = None  # sampling rate where the file states it (Hz)
    device: tuple[float, ...] = ()  # the rates of the device (Hz), where the file states none
    has_word_rows: bool = False
    """Whether rows with words only are no samples; the words come last, and may be left out with their comma."""
    advice: str = ""  # what to do when the rate is too low for EEG
    made_up: tuple[int, float] | None = None  # a column, and its value where the samples were not measured
    cycles: tuple[Cycle, ...] = ()  # how the board is known to count; empty where that is not known
    named: bool = True  # whether a line of names states the number of columns
    notes: tuple[str, ...] = ()
    beside: tuple[ChannelGroup, ...] = ()  # other signals; in a table with names, also those that its names tell


def named_layout(head: TableHead, asked: str) -> Layout | None:
    """The columns of a table with names; None where no program is known by them."""
    names = head.names
    lower = [name.lower() for name in names]
    plain = [re.sub(r"[ _]", "", name) for name in lower]
    is_emotiv = any(name.startswith("EEG.") for name in names)
    if is_emotiv or ("counter" in plain and "interpolated" in plain):
        return _emotiv(head, plain, "eeg." if is_emotiv else "", asked)
    if "eeg1" in plain and any(name in plain for name in ("validationindicator", "batterylevel", "counter")):
        return _unicorn(plain)
    if any(name.startswith("RAW_") for name in names) and "timestamp" in lower:
        return _mind_monitor(names, lower)
    if rate := next((found[1] for name in lower if (found := re.fullmatch(r"time:([\d.]+)hz", name))), None):
        return _openvibe(names, lower, rate, asked)
    if any(name in _STAMPS for name in lower) and len(names) > 1:
        return _muse(names, lower)
    return None


def _emotiv(head: TableHead, plain: list[str], prefix: str, asked: str) -> Layout:
    """EmotivPRO, or without `prefix` TestBench: ``labels:COUNTER INTERPOLATED AF3 …`` in line 1, and no other names."""
    if prefix:
        eeg = [i for i, name in enumerate(plain) if name.startswith(prefix) and name[4:] not in _NOT_EEG_OF_EMOTIV]
        events = ["markervalueint", "eeg.markerhardware", "markerhardware", "markerindex"]
    else:
        eeg = [i for i, name in enumerate(head.names) if name and not _NOT_EEG_OF_TESTBENCH.fullmatch(name)]
        events = ["markerhardware", "marker"]
    interpolated = column_of(plain, f"{prefix}interpolated")
    # The line above the names states the rate, among those of other things: ``eeg_128;mot_32``, or ``128``.
    rate = head.fields.get("sampling rate") or head.fields.get("sampling") or ""
    of_eeg = re.search(r"eeg_([\d.]+)", rate, re.I)
    return Layout(
        "EmotivPRO",
        len(plain),
        tuple(eeg),
        tuple(head.names[i][len(prefix) :] for i in eeg),
        column_of(plain, "timestamp") if prefix else None,
        column_of(plain, f"{prefix}counter"),
        column_of(plain, *events),
        sfreq=rate_of(of_eeg[1] if of_eeg else rate.partition(";")[0], asked) if rate else None,
        device=EMOTIV_HZ,
        made_up=None if interpolated is None else (interpolated, 1.0),
    )


def _unicorn(plain: list[str]) -> Layout:
    eeg = tuple(i for i, name in enumerate(plain) if re.fullmatch(r"eeg\d+", name))
    valid, is_usual = column_of(plain, "validationindicator"), len(eeg) == len(UNICORN_SITES)
    labels = UNICORN_SITES if is_usual else tuple(f"EEG {i + 1}" for i in range(len(eeg)))
    return Layout(
        "the Unicorn Suite",
        len(plain),
        eeg,
        labels,
        column_of(plain, "timestamp", "timestamps"),
        column_of(plain, "counter"),
        column_of(plain, "trigger", "marker"),
        sfreq=UNICORN_HZ,
        made_up=None if valid is None else (valid, 0.0),
        notes=(f"EEG 1 to 8 are read as {', '.join(labels)}; channels= names others",) * is_usual,
    )


def _muse(names: tuple[str, ...], lower: list[str]) -> Layout:
    stamp = next(i for i, name in enumerate(lower) if name in _STAMPS)
    markers = [i for i, name in enumerate(names) if _MARKER.fullmatch(name)]
    event = markers[0] if markers else None if names[-1] else len(names) - 1
    others = (stamp, event, *markers)
    eeg = tuple(i for i, name in enumerate(names) if i not in others and not _INDEX.fullmatch(name))
    labels = tuple(names[i] for i in eeg)
    device = MUSE_HZ if "TP9" in labels else ()
    return Layout("muse-lsl", len(names), eeg, labels, stamp, event=event, device=device)


def _mind_monitor(names: tuple[str, ...], lower: list[str]) -> Layout:
    eeg = tuple(i for i, name in enumerate(names) if name.startswith("RAW_"))
    return Layout(
        "Mind Monitor",
        len(names),
        eeg,
        tuple(names[i].removeprefix("RAW_") for i in eeg),
        lower.index("timestamp"),
        event=column_of(names, "Elements"),
        device=MUSE_HZ,
        has_word_rows=True,
        advice="set the recording interval in Mind Monitor's settings to Constant",
    )


def _openvibe(names: tuple[str, ...], lower: list[str], rate: str, asked: str) -> Layout:
    stamp = next(i for i, name in enumerate(lower) if name.startswith("time:"))
    eeg = tuple(i for i, name in enumerate(lower) if name and not name.startswith(_NOT_EEG_OF_OPENVIBE))
    event = next((i for i, name in enumerate(lower) if name in ("label", "event id")), None)
    labels = tuple(names[i] for i in eeg)
    return Layout("OpenViBE", len(names), eeg, labels, stamp, event=event, sfreq=rate_of(rate, asked))


def column_of(names: Sequence[str], *wanted: str) -> int | None:
    """The column of the first of `wanted` that is among `names`; None where none is."""
    return next((names.index(name) for name in wanted if name in names), None)


def rate_of(text: str, asked: str) -> float:
    """The sampling rate in a header (Hz); raises `StreamMismatch` where that is no number."""
    try:
        return float(text.lower().removesuffix("hz").replace(",", "."))
    except ValueError:
        found = f"its header says no sampling rate: {text[:40]!r}"
        raise StreamMismatch(asked, found, "the file may be damaged") from None
