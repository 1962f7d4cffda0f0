"""Turns a text table of the OpenBCI GUI, BrainFlow, muse-lsl, Mind Monitor or OpenViBE into a recording."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from ...errors import StreamMismatch
from ...types import Marker
from ..channels import Chosen, choose_channels
from ..units import microvolts
from . import brainflow_table
from .layouts import Layout, layout_of
from .placing import indices, measured_rate, played_once, usual_rate
from .recording import PlaybackOptions, Rows, check_rate, check_unit, finite
from .table import Cells, lines_of, read_cells

LEAST_HZ = 50.0
"""A table with fewer rows a second holds snapshots of the EEG."""
MILLISECONDS = 1e11
"""Numbers beyond this are milliseconds since 1970; as seconds they would lie 3000 years ahead."""


def open_text(path: Path, options: PlaybackOptions, asked: str) -> Rows:
    """Raises `StreamMismatch` or `ConfigError`."""
    with lines_of(path, asked) as lines:
        comments: list[str] = []
        line = next(lines, None)
        while line is not None and (not line.strip() or line.startswith("%")):
            comments.append(line)
            line = next(lines, None)
        if line is None:
            raise StreamMismatch(asked, "a table without a row", "give a recording that holds EEG")
        header, first = ("", line) if _starts_with_number(line) else (line, next(lines, ""))
        layout = layout_of(comments, header, first, asked) or brainflow_table.layout_of(header, first, options, asked)
        chosen = choose_channels(layout.labels, [True] * len(layout.labels), options, asked)
        picked = [layout.eeg[i] for i in chosen.columns]
        cells = _read(layout, picked, chain([first], lines), first)
    data = np.stack([cells.numbers[column] for column in picked], axis=1)
    return _placed(data, cells, layout, chosen, options, asked)


def _read(layout: Layout, picked: list[int], lines: chain[str], first: str) -> Cells:
    cells = first.split(layout.delimiter)
    dated = layout.stamp is not None and layout.stamp < len(cells) and not _is_number(cells[layout.stamp])
    stamp = None if dated else layout.stamp
    numbers = [*picked, *(column for column in (stamp, layout.counter, layout.marker) if column is not None)]
    texts = [column for column in (layout.stamp if dated else None, layout.words) if column is not None]
    return read_cells(lines, layout.delimiter, layout.n_columns, numbers, texts, last_may_lack=layout.spoken)


def _placed(
    data: np.ndarray, cells: Cells, layout: Layout, chosen: Chosen, options: PlaybackOptions, asked: str
) -> Rows:
    """The recording that the cells make."""
    words = [""] * len(data) if layout.words is None else cells.texts[layout.words]
    # Mind Monitor writes what the person did on rows of their own.
    sample = np.array([not word for word in words], bool) if layout.spoken else np.ones(len(data), bool)
    sample = sample | ~np.isnan(data).all(axis=1)
    stamps = _seconds(cells, layout)
    stamps = None if stamps is None else stamps[sample]
    counter = None if layout.counter is None else cells.numbers[layout.counter][sample]
    said, kept = _said(cells, words, layout, sample), data[sample]
    unread = int(np.isnan(kept).any(axis=1).sum())
    if len(kept) < 2 or unread > len(kept) / 2:
        found = f"{len(kept)} rows of {layout.program}, {unread} of them unreadable"
        raise StreamMismatch(asked, found, "the file may be damaged")
    sfreq, notes = _rate(stamps, layout, asked)
    if unread:
        notes.append(f"{unread} of {len(kept)} rows cannot be read whole; what is missing is not looked at")
    if options.units:
        kept = kept * microvolts(options.units)
    else:
        check_unit(asked, kept, sfreq, "uV")
    at, odd = indices(len(kept), sfreq, stamps, counter)
    index, order, repeated = played_once(at)
    markers = sorted((Marker(int(at[min(row, len(at) - 1)]), text) for row, text in said), key=lambda m: m.index)
    notes += [*repeated, *odd, *chosen.notes]
    names, reference = chosen.ch_names, chosen.reference
    return Rows(finite(kept[order]), index, names, sfreq, markers=markers, reference=reference, notes=notes)


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


def _seconds(cells: Cells, layout: Layout) -> np.ndarray | None:
    """The stamps in seconds; None where there are none."""
    if layout.stamp is None:
        return None
    if layout.stamp in cells.numbers:
        stamps = cells.numbers[layout.stamp]
        return stamps / 1e3 if len(stamps) and np.nanmedian(stamps) > MILLISECONDS else stamps
    return np.array([_date(text) for text in cells.texts[layout.stamp]])


def _date(text: str) -> float:
    try:
        date = np.datetime64(text.replace(" ", "T", 1), "ms")
    except ValueError:
        return float("nan")
    return float("nan") if np.isnat(date) else float(date.astype(np.int64)) / 1e3


def _said(cells: Cells, words: Sequence[str], layout: Layout, sample: np.ndarray) -> list[tuple[int, str]]:
    """(row among the samples, text) of what happened: a code or a word that was not there a row before."""
    texts = list(words)
    if layout.marker is not None:
        texts = [f"{code:g}" if np.isfinite(code) and code else "" for code in cells.numbers[layout.marker]]
    row = np.cumsum(sample) - sample
    before = ["", *texts[:-1]]
    return [(int(row[i]), text) for i, text in enumerate(texts) if text and (text != before[i] or not sample[i])]


def _starts_with_number(line: str) -> bool:
    return _is_number(line.replace("\t", ",").partition(",")[0])


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
