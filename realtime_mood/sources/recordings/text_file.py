"""Recordings in text tables of known programs (`layouts` and its neighbours)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from ...errors import StreamMismatch
from ...montage import electrode
from ...types import Marker
from ..channels import choose_channels
from ..units import microvolts
from .board_tables import brainflow_layout, is_openbci, openbci_layout
from .head import Dialect, TableHead, read_head
from .layouts import Layout, named_layout
from .placing import indices, measured_rate, played_once, usual_rate, without_hours
from .recording import PlaybackOptions, Rows, by_index, check_rate, check_unit, finite
from .table import Cells, Columns, lines_of, read_cells
from .tracks import ChannelGroup, channel_groups, stored_tracks

LEAST_HZ = 50.0  # a table with fewer rows a second holds snapshots of the EEG
FINER = 1e11
"""Numbers beyond this are milli-, micro- or nanoseconds since 1970; as seconds they would lie 3000 years ahead."""
MOST_TORN = 0.05  # a table with a larger share of rows of a wrong length has been understood wrongly
DAY_S = 86_400.0
UNITS = {"Mind Monitor": {"ACC": "g", "GYRO": "deg/s", "Battery": "%"}, "the OpenBCI GUI": {"ACC": "g"}}
"""Units of other signals, by program and content type, where they are known."""
_CLOCK = re.compile(r"(\d{1,2}):(\d\d):(\d\d(?:\.\d+)?)")


def open_text(path: Path, options: PlaybackOptions, asked: str) -> Rows:
    """Raises `StreamMismatch` or `ConfigError`."""
    with lines_of(path, asked) as lines:
        head = read_head(lines, asked)
        layout = _layout(head, options, asked)
        chosen = choose_channels(layout.labels, [True] * len(layout.labels), options, asked)
        picked = [layout.eeg[i] for i in chosen.columns]
        groups = layout.beside or _beside(head, layout)
        others = [column for group in groups for column in group.columns]
        cells = read_cells(chain(head.rows, lines), head.dialect, _columns(head, layout, picked, others))
    _check_widths(cells, layout, asked)
    data = np.stack([cells.numbers[column] for column in picked], axis=1)
    event = layout.n_columns if layout.event is None else layout.event
    words = [_event(text, head.dialect) for text in cells.texts.get(event, [""] * len(data))]
    # Mind Monitor writes what the user did on rows of their own.
    is_sample = np.array([not (word and layout.has_word_rows) for word in words], bool) | ~np.isnan(data).all(axis=1)
    stamps, clock_notes = _seconds(cells, layout, head.dialect, is_sample)
    counter = None if layout.counter is None else cells.numbers[layout.counter][is_sample]
    data, notes = _measured(data, cells, layout, is_sample, asked)
    sfreq, rate_notes = _rate(stamps, layout, asked)
    if options.units:
        data = data * microvolts(options.units)
    else:
        check_unit(asked, data, sfreq, "uV")
    at, gap_notes = indices(len(data), sfreq, stamps, counter, layout.cycles)
    index, order, repeated = played_once(at)
    markers = by_index(Marker(int(at[min(row, len(at) - 1)]), text) for row, text in _events(words, is_sample))
    notes = [*rate_notes, *layout.notes, *notes, *clock_notes, *repeated, *gap_notes, *chosen.notes]
    beside = np.stack([cells.numbers[i] for i in others], axis=1)[is_sample][order] if others else np.empty((0, 0))
    return Rows(
        finite(data[order]), index, chosen.ch_names, sfreq, markers=markers, reference=chosen.reference, notes=notes,
        tracks=stored_tracks(groups, beside, index, asked, sfreq),
    )  # fmt: skip


def _layout(head: TableHead, options: PlaybackOptions, asked: str) -> Layout:
    if is_openbci(head):
        return openbci_layout(head, options, asked)
    return named_layout(head, asked) or brainflow_layout(head, options, asked)


def _beside(head: TableHead, layout: Layout) -> tuple[ChannelGroup, ...]:
    """The other signals that the names of a table tell."""
    read = {layout.stamp, layout.counter, layout.event}
    labels = {i: name for i, name in enumerate(head.names) if i not in read and not electrode(name)}
    groups, units = channel_groups(labels, {}, {}), UNITS.get(layout.program, {})
    return tuple(group._replace(units=(units.get(group.type, ""),) * len(group.columns)) for group in groups)


def _columns(head: TableHead, layout: Layout, picked: list[int], others: list[int]) -> Columns:
    cells = [row[layout.stamp or 0 :][:1] for row in map(head.dialect.cells, (line.text for line in head.rows))]
    dates = [cell for cell in cells if cell and not head.dialect.is_number(cell[0])]
    is_dated = layout.stamp is not None and len(dates) > len(cells) / 2
    made_up = layout.made_up and layout.made_up[0]
    one_more = layout.named and layout.event is None
    numbers = (None if is_dated else layout.stamp, layout.counter, made_up)
    texts = (layout.stamp if is_dated else None, layout.n_columns if one_more else layout.event)
    return Columns(
        layout.n_columns,
        (*picked, *(column for column in (*numbers, *others) if column is not None)),
        tuple(column for column in texts if column is not None),
        len(picked),
        last_may_lack=layout.event == layout.n_columns - 1,
        has_word_rows=layout.has_word_rows,
        one_more=one_more,
    )


def _check_widths(cells: Cells, layout: Layout, asked: str) -> None:
    """Raise `StreamMismatch` where many rows have another number of cells, which then may be those of other columns."""
    if cells.torn.sum() <= MOST_TORN * len(cells.torn):
        return
    first = int(np.argmax(cells.torn))
    found = f"line {cells.lines[first]} holds {cells.widths[first]} cells, a row of {layout.program} {layout.n_columns}"
    commas = cells.widths[first] >= 1.5 * layout.n_columns
    do = "export it with a decimal point, or a semicolon between cells" if commas else "the file may be damaged"
    raise StreamMismatch(asked, found, do)


def _measured(
    data: np.ndarray, cells: Cells, layout: Layout, is_sample: np.ndarray, asked: str
) -> tuple[np.ndarray, list[str]]:
    """The rows that are samples, NaN where they cannot be read or were not measured; and notes."""
    kept, lines = data[is_sample], cells.lines[is_sample]
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
        made_up = cells.numbers[column][is_sample] == value
        share = f"{made_up.sum()} of {len(kept)} rows"
        if made_up.mean() > 0.5:
            raise StreamMismatch(asked, f"{share} are marked as not measured", "give a recording that holds EEG")
        if made_up.any():
            kept = np.where(made_up[:, None], np.nan, kept)
            notes.append(f"{share} were filled in by {layout.program} and are not looked at")
    return kept, notes


def _rate(stamps: np.ndarray | None, layout: Layout, asked: str) -> tuple[float, list[str]]:
    """The sampling rate that the file states, or else that of its stamps; and notes."""
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


def _seconds(
    cells: Cells, layout: Layout, dialect: Dialect, is_sample: np.ndarray
) -> tuple[np.ndarray | None, list[str]]:
    """The stamps of the samples (s), None where there are none; and notes on a local clock that was set."""
    if layout.stamp is None:
        return None, []
    if layout.stamp in cells.numbers:
        stamps = cells.numbers[layout.stamp]
        while np.isfinite(stamps).any() and np.nanmedian(stamps) > FINER:
            stamps = stamps / 1e3
        return stamps[is_sample], []
    texts = cells.texts[layout.stamp]
    clocks = [_CLOCK.fullmatch(text.replace(",", ".")) for text in texts]
    if any(clocks):
        times = [int(hms[1]) * 3600 + int(hms[2]) * 60 + float(hms[3]) if hms else np.nan for hms in clocks]
        stamps = np.array(times, np.float64)
        known = np.isfinite(stamps)
        stamps[known] = np.unwrap(stamps[known], period=DAY_S)  # midnight
    else:
        stamps = np.array([_date(text.replace(",", ".") if dialect.comma else text) for text in texts])
    return without_hours(stamps[is_sample])


def _date(text: str) -> float:
    try:
        date = np.datetime64(text.replace(" ", "T", 1), "ms")
    except ValueError:
        return float("nan")
    return float("nan") if np.isnat(date) else float(date.astype(np.int64)) / 1e3


def _event(text: str, dialect: Dialect) -> str:
    """What happened at a row, as a word; empty where it is a 0 or no number."""
    if not text or not dialect.is_number(text):
        return text
    code = dialect.number(text)
    return f"{code:g}" if np.isfinite(code) and code else ""


def _events(words: Sequence[str], is_sample: np.ndarray) -> list[tuple[int, str]]:
    """(row among the samples, text) of what happened: a code or a word that was not there a row before."""
    row = np.cumsum(is_sample) - is_sample
    before = ["", *words[:-1]]
    return [(int(row[i]), text) for i, text in enumerate(words) if text and (text != before[i] or not is_sample[i])]
