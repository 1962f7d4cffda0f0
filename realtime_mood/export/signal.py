"""The signal of a recording as an MNE Raw: what is missing is filled and annotated, markers are annotations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import StreamMismatch, one_line
from ..recording.reader import Recorded
from ..report.session import made

if TYPE_CHECKING:
    import mne

GAP = "BAD_gap"
"""Annotation of lost samples; MNE leaves out what is called BAD."""
VOLTS = 1e-6  # of a microvolt
HIGHEST = 9_999_999 * VOLTS  # V: the limit of a header of EDF; no amplifier measures as much
MOSTLY = 0.5  # share of the time without a value for which an electrode is bad as a whole
CELL_S = 0.25  # resolution of the annotations of what single electrodes miss
STEP = 1e-7  # V: a signal that EDF would store in larger steps needs BDF


def raw_of(recorded: Recorded, *, whole_records: bool = False) -> mne.io.RawArray:
    """All samples of a recording, each at its index.

    Lost samples repeat the one before them, and are annotated as `GAP`. So are samples of single electrodes that are no
    number; where that is most of the time, the electrode is bad instead. Every marker is an annotation of the sample
    that it belongs to, on one line. With `whole_records` there is a gap at the end up to a whole record of EDF, which
    MNE would fill unmarked.

    Raises
    ------
    StreamMismatch
        The file has no samples, or is too damaged.
    """
    import mne

    info, end, gaps = recorded.info, recorded.end, []
    missing = -end % math.floor(info.sfreq) if whole_records else 0
    data = np.zeros((info.n_chans, end + missing))
    for chunk in recorded.chunks():
        data[:, chunk.first : chunk.end] = chunk.data.T * VOLTS
        if chunk.lost:
            gaps.append((chunk.first - chunk.lost, chunk.lost))
    if end <= 0:
        raise StreamMismatch(f"export {recorded.path}", "it has no samples", "choose another recording")
    if missing:
        gaps.append((end, missing))
    raw = mne.io.RawArray(data, mne.create_info(list(info.ch_names), info.sfreq, "eeg"), copy=None, verbose="ERROR")
    gaps += _fill(raw, gaps)
    notes = [(first / info.sfreq, n / info.sfreq, GAP) for first, n in gaps]
    notes += [(it.index / info.sfreq, 0.0, text) for it in recorded.markers() if (text := _text(it.text))]
    onset, duration, texts = zip(*sorted(notes), strict=True) if notes else ((), (), ())
    raw.set_meas_date(made(recorded.path))
    raw.set_annotations(mne.Annotations(onset, duration, texts, orig_time=raw.info["meas_date"]), verbose="ERROR")
    return raw


def _fill(raw: mne.io.RawArray, gaps: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Hold values where none is; name the electrodes that mostly have none, and return where others have none."""
    data, cell = raw._data, max(1, round(CELL_S * raw.info["sfreq"]))
    lost, places = np.zeros(data.shape[1], bool), np.arange(data.shape[1])
    for first, n in gaps:
        lost[first : first + n] = True
    cells = np.zeros(-(-len(lost) // cell) + 2, np.int8)
    for name, samples in zip(raw.ch_names, data, strict=True):
        absent = ~(np.abs(samples) <= HIGHEST) | lost
        held = np.maximum.accumulate(np.where(absent, absent.argmin(), places))  # before the first value: the first
        samples[:] = 0 if absent.all() else samples[held]
        own = np.flatnonzero(absent & ~lost)
        if len(own) >= MOSTLY * np.count_nonzero(~lost):
            raw.info["bads"].append(name)
        else:
            cells[1 + own // cell] = 1
    edges = np.flatnonzero(np.diff(cells)) * cell
    return [(begin, min(stop, len(lost)) - begin) for begin, stop in edges.reshape(-1, 2).tolist()]


def _text(marker: str) -> str:
    """The text of a marker on one line, as tables and annotations need it."""
    return one_line(" ".join(marker.split()))


def coarsest(raw: mne.io.RawArray) -> str:
    """Which channel EDF would store in the largest steps, where these are larger than `STEP`; otherwise empty."""
    steps = [float(np.ptp(raw.get_data([k]))) / (2**16 - 2) for k in range(len(raw.ch_names))]  # copies a channel each
    k = int(np.argmax(steps))
    return f"{raw.ch_names[k]} in steps of {steps[k] / VOLTS:.2g} µV" if steps[k] > STEP else ""
