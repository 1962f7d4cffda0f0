"""Recordings in text tables of known programs (`layouts` and its neighbours)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from ...errors import StreamMismatch
from ...types import Marker
from ..channels import ChannelChoice, choose_channels
from ..units import microvolts
from .brainflow_table import brainflow_layout
from .dialect import Dialect
from .head import TableHead, read_head
from .headset_tables import headset_layout
from .layouts import Layout, named_layout
from .openbci_table import is_openbci, openbci_layout
from .placing import indices, measured_rate, played_once, usual_rate, without_hours
from .recording import PlaybackOptions, Rows, check_rate, check_unit, finite
from .table import Cells, Columns, lines_of, read_cells

LEAST_HZ = 50.0  # a table with fewer rows a second holds snapshots of the EEG
FINER = 1e11
"""Numbers beyond this are milli-, micro- or nanoseconds since 1970; as seconds they would lie 3000 years ahead."""
MOST_TORN = 0.05  # a table with a larger share of rows of a wrong length has been understood wrongly
DAY_S = 86_400.0
_CLOCK = re.compile(r"(\d{1,2}):(\d\d):(\d\d(?:\.\d+)?)")


def open_text(path: Path, options: PlaybackOptions, asked: str) -> Rows:
    """Raises `StreamMismatch` or `ConfigError`."""
    with lines_of(path, asked) as lines:
        head = read_head(lines, asked)
        layout = _layout(head, options, asked)
        chosen = choose_channels(layout.labels, [True] * len(layout.labels), options, asked)
        picked = [layout.eeg[i] for i in chosen.columns]
        cells = read_cells(chain(head.rows, lines), head.dialect, _columns(head, layout, picked))
    _check_widths(cells, layout, asked)
    data = np.stack([cells.numbers[column] for column in picked], axis=1)
    return _placed(data, cells, layout, head.dialect, chosen, options, asked)


def _layout(head: TableHead, options: PlaybackOptions, asked: str) -> Layout:
    if is_openbci(head):
        return openbci_layout(head, options, asked)
    return headset_layout(head, asked) or named_layout(head, asked) or brainflow_layout(head, options, asked)


def _columns(head: TableHead, layout: Layout, picked: list[int]) -> Columns:
    cells = [row[layout.stamp or 0 :][:1] for row in map(head.dialect.cells, (line.text for line in head.rows))]
    dates = [cell for cell in cells if cell and not head.dialect.is_number(cell[0])]
    dated = layout.stamp is not None and len(dates) > len(cells) / 2
    made_up = layout.made_up and layout.made_up[0]
    numbers = [*picked, *(it for it in (None if dated else layout.stamp, layout.counter, made_up) if it is not None)]
    one_more = layout.named and layout.event is None
    texts = [it for it in (layout.stamp if dated else None, layout.event) if it is not None]
    return Columns(
        layout.n_columns,
        tuple(numbers),
        (*texts, layout.n_columns) if one_more else tuple(texts),
        len(picked),
        last_may_lack=layout.event == layout.n_columns - 1,
        spoken=layout.spoken,
        one_more=one_more,
    )


def _check_widths(cells: Cells, layout: Layout, asked: str) -> None:
    """Raise `StreamMismatch` where rows do not hold what they must, so that their cells may be others' cells."""
    if cells.torn.sum() <= MOST_TORN * len(cells.torn):
        return
    first = int(np.argmax(cells.torn))
    found = f"line {cells.lines[first]} holds {cells.widths[first]} cells, a row of {layout.program} {layout.n_columns}"
    commas = cells.widths[first] >= 1.5 * layout.n_columns
    do = "export it with a decimal point, or a semicolon between cells" if commas else "the file may be damaged"
    raise StreamMismatch(asked, found, do)


def _placed(
    data: np.ndarray,
    cells: Cells,
    layout: Layout,
    dialect: Dialect,
    chosen: ChannelChoice,
    options: PlaybackOptions,
    asked: str,
) -> Rows:
    """The recording that the cells make."""
    event = layout.event if layout.event is not None else layout.n_columns
    words = [_event(text, dialect) for text in cells.texts.get(event, [""] * len(data))]
    # Mind Monitor writes what the person did on rows of their own.
    sample = np.array([not word for word in words], bool) if layout.spoken else np.ones(len(data), bool)
    sample = sample | ~np.isnan(data).all(axis=1)
    stamps, local = _seconds(cells, layout, dialect)
    stamps = None if stamps is None else stamps[sample]
    set_: list[str] = []
    if stamps is not None and local:
        stamps, set_ = without_hours(stamps)
    counter = None if layout.counter is None else cells.numbers[layout.counter][sample]
    kept, notes = _measured(data, cells, layout, sample, asked)
    sfreq, odd_rate = _rate(stamps, layout, asked)
    if options.units:
        kept = kept * microvolts(options.units)
    else:
        check_unit(asked, kept, sfreq, "uV")
    at, odd = indices(len(kept), sfreq, stamps, counter, layout.cycles)
    index, order, repeated = played_once(at)
    events = _events(words, sample)
    markers = sorted((Marker(int(at[min(row, len(at) - 1)]), text) for row, text in events), key=lambda m: m.index)
    notes = [*odd_rate, *layout.notes, *notes, *set_, *repeated, *odd, *chosen.notes]
    names, reference = chosen.ch_names, chosen.reference
    return Rows(finite(kept[order]), index, names, sfreq, markers=markers, reference=reference, notes=notes)


def _measured(
    data: np.ndarray, cells: Cells, layout: Layout, sample: np.ndarray, asked: str
) -> tuple[np.ndarray, list[str]]:
    """The rows that are samples, NaN where they cannot be read or were not measured; and what to say about that."""
    kept, lines = data[sample], cells.lines[sample]
    bad = np.isnan(kept).any(axis=1)
    unread = int(bad.sum())
    if len(kept) < 2 or unread > len(kept) / 2:
        where = f", line {lines[np.argmax(bad)]} first" if unread else ""
        found = f"{len(kept)} rows of {layout.program}, {unread} of them unreadable{where}"
        raise StreamMismatch(asked, found, "the file may be damaged")
    notes = []
    if unread:
        where = f"line {lines[np.argmax(bad)]} is the first"
        notes.append(f"{unread} of {len(kept)} rows cannot be read whole ({where}); what is missing is not looked at")
    if layout.made_up is not None:
        column, value = layout.made_up
        made_up = cells.numbers[column][sample] == value
        if made_up.mean() > 0.5:
            found = f"{made_up.sum()} of {len(kept)} rows are marked as not measured"
            raise StreamMismatch(asked, found, "give a recording that holds EEG")
        if made_up.any():
            kept = np.where(made_up[:, None], np.nan, kept)
            notes.append(
                f"{made_up.sum()} of {len(kept)} rows were filled in by {layout.program} and are not looked at"
            )
    return kept, notes


def _rate(stamps: np.ndarray | None, layout: Layout, asked: str) -> tuple[float, list[str]]:
    """The sampling rate that the file says, or its stamps; and what to say about it."""
    if layout.sfreq is not None:
        sfreq = layout.sfreq
    elif stamps is not None and (measured := measured_rate(stamps)):
        sfreq = usual_rate(measured, layout.device)
    else:
        raise StreamMismatch(asked, "neither a sampling rate nor time stamps that tell it", "the file may be damaged")
    check_rate(asked, sfreq)
    if sfreq >= LEAST_HZ:
        return sfreq, []
    return sfreq, [f"it holds {sfreq:.3g} rows a second{layout.advice and ': '}{layout.advice}"]


def _seconds(cells: Cells, layout: Layout, dialect: Dialect) -> tuple[np.ndarray | None, bool]:
    """The stamps in seconds, None where there are none; and whether they are of a local clock."""
    if layout.stamp is None:
        return None, False
    if layout.stamp in cells.numbers:
        stamps = cells.numbers[layout.stamp]
        while np.isfinite(stamps).any() and np.nanmedian(stamps) > FINER:
            stamps = stamps / 1e3
        return stamps, False
    texts = cells.texts[layout.stamp]
    clocks = [_CLOCK.fullmatch(text.replace(",", ".")) for text in texts]
    if not any(clocks):
        return np.array([_date(text.replace(",", ".") if dialect.comma else text) for text in texts]), True
    times = [int(it[1]) * 3600 + int(it[2]) * 60 + float(it[3]) if it else np.nan for it in clocks]
    stamps = np.array(times, np.float64)
    known = np.isfinite(stamps)
    stamps[known] = np.unwrap(stamps[known], period=DAY_S)  # midnight
    return stamps, True


def _date(text: str) -> float:
    try:
        date = np.datetime64(text.replace(" ", "T", 1), "ms")
    except ValueError:
        return float("nan")
    return float("nan") if np.isnat(date) else float(date.astype(np.int64)) / 1e3


def _event(text: str, dialect: Dialect) -> str:
    """What happened at a row, as a word; empty where it is a 0 or no number."""
    if not text:
        return ""
    code = dialect.number(text)
    if not dialect.is_number(text):
        return text
    return f"{code:g}" if np.isfinite(code) and code else ""


def _events(words: Sequence[str], sample: np.ndarray) -> list[tuple[int, str]]:
    """(row among the samples, text) of what happened: a code or a word that was not there a row before."""
    row = np.cumsum(sample) - sample
    before = ["", *words[:-1]]
    return [(int(row[i]), text) for i, text in enumerate(words) if text and (text != before[i] or not sample[i])]
