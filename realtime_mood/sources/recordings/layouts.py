"""What the columns of a text table mean, by the first lines of it: one function for each program that writes some."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ...errors import StreamMismatch
from ..timing.counter import Cycle
from .head import TableHead

MUSE_HZ = (220.0, 256.0)  # rates of the headsets that muse-lsl and Mind Monitor record: Muse 2014, and all since

_NOT_EEG_OF_OPENVIBE = ("time", "epoch", "label", "stage", "flag", "event")
_STAMPS = ("timestamps", "timestamp")
_MARKER = re.compile(r"markers?\d*|stim|trigger", re.I)
"""Columns of marker codes, in tables of muse-lsl and what builds on it."""
_INDEX = re.compile(r"(unnamed: ?\d+|index)?", re.I)  # columns that pandas writes without being asked


class Layout(NamedTuple):
    """What a program wrote where."""

    program: str
    n_columns: int
    eeg: tuple[int, ...]  # columns that hold EEG, in µV, and `labels` for them
    labels: tuple[str, ...]
    stamp: int | None = None  # seconds or finer since 1970 or since the start, a time of day, or a date and time
    counter: int | None = None
    event: int | None = None  # text or a code that is empty or 0 where nothing happened
    sfreq: float | None = None  # sampling rate where the file says it (Hz)
    device: tuple[float, ...] = ()  # the rates the device has, where the file does not
    spoken: bool = False
    """Whether rows with words only are no samples; the words come last, and may be left out with their comma."""
    advice: str = ""  # what to do when the rate is too low for EEG
    made_up: tuple[int, float] | None = None  # a column, and what stands there where the samples were not measured
    cycles: tuple[Cycle, ...] = ()  # how the board is known to count; empty where that is not known
    named: bool = True  # whether a line of names says how many columns there are
    notes: tuple[str, ...] = ()


def named_layout(head: TableHead, asked: str) -> Layout | None:
    """What the columns of a table with names mean; None where they do not say.

    Parameters
    ----------
    head : TableHead
    asked : str
        The source, for messages.
    """
    names = head.names
    lower = [name.lower() for name in names]
    if any(name.startswith("RAW_") for name in names) and "timestamp" in lower:
        return _mind_monitor(names)
    if rate := next((found[1] for name in lower if (found := re.fullmatch(r"time:([\d.]+)hz", name))), None):
        return _openvibe(names, rate, asked)
    if any(name in _STAMPS for name in lower) and len(names) > 1:
        return _muse(names)
    return None


def _muse(names: tuple[str, ...]) -> Layout:
    stamp = next(i for i, name in enumerate(names) if name.lower() in _STAMPS)
    event = next((i for i, name in enumerate(names) if _MARKER.fullmatch(name)), None)
    if event is None and not names[-1]:
        event = len(names) - 1
    eeg = tuple(
        i
        for i, name in enumerate(names)
        if i not in (stamp, event) and not (_INDEX.fullmatch(name) or _MARKER.fullmatch(name))
    )
    labels = tuple(names[i] for i in eeg)
    device = MUSE_HZ if "TP9" in labels else ()
    return Layout("muse-lsl", len(names), eeg, labels, stamp, event=event, device=device)


def _mind_monitor(names: tuple[str, ...]) -> Layout:
    eeg = tuple(i for i, name in enumerate(names) if name.startswith("RAW_"))
    return Layout(
        "Mind Monitor",
        len(names),
        eeg,
        tuple(names[i].removeprefix("RAW_") for i in eeg),
        stamp=[name.lower() for name in names].index("timestamp"),
        event=find(names, "Elements"),
        device=MUSE_HZ,
        spoken=True,
        advice="set the recording interval in Mind Monitor's settings to Constant",
    )


def _openvibe(names: tuple[str, ...], rate: str, asked: str) -> Layout:
    stamp = next(i for i, name in enumerate(names) if name.lower().startswith("time:"))
    eeg = tuple(i for i, name in enumerate(names) if name and not name.lower().startswith(_NOT_EEG_OF_OPENVIBE))
    event = next((i for i, name in enumerate(names) if name.lower() in ("label", "event id")), None)
    labels = tuple(names[i] for i in eeg)
    return Layout("OpenViBE", len(names), eeg, labels, stamp, event=event, sfreq=rate_of(rate, asked))


def find(names: Sequence[str], name: str) -> int | None:
    """Where `name` is among `names`; None where it is not."""
    return names.index(name) if name in names else None


def rate_of(text: str, asked: str) -> float:
    """The sampling rate that a header says (Hz); raises `StreamMismatch` where that is no number."""
    try:
        return float(text.lower().removesuffix("hz").replace(",", "."))
    except ValueError:
        found = f"its header says no sampling rate: {text[:40]!r}"
        raise StreamMismatch(asked, found, "the file may be damaged") from None
