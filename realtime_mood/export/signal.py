"""The signal of a recording as an MNE Raw: gaps filled and annotated, markers as annotations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..errors import StreamMismatch
from ..recording.reader import Recorded
from ..report.session import made

if TYPE_CHECKING:
    import mne

GAP = "BAD_gap"
"""Annotation of lost samples; MNE leaves out what is called BAD."""
VOLTS = 1e-6  # of a microvolt


def raw_of(recorded: Recorded) -> mne.io.RawArray:
    """All samples of a recording, each at its index.

    Lost samples are zero, and annotated as `GAP`; every marker is an annotation of the sample that it belongs to. At a
    rate that is no whole number, there is a gap at the end up to a whole record of EDF, which MNE does not add.

    Raises
    ------
    StreamMismatch
        The file has no samples, or is too damaged.
    """
    import mne

    info, chunks = recorded.info, list(recorded.chunks())
    if not chunks:
        raise StreamMismatch(f"export {recorded.path}", "it has no samples", "choose another recording")
    end = chunks[-1].end
    missing = 0 if info.sfreq.is_integer() else -end % math.floor(info.sfreq)
    data = np.zeros((info.n_chans, end + missing))
    gaps = [(chunk.first - chunk.lost, chunk.lost) for chunk in chunks if chunk.lost]
    if missing:
        gaps.append((end, missing))
    for chunk in chunks:
        data[:, chunk.first : chunk.end] = chunk.data.T * VOLTS
    raw = mne.io.RawArray(data, mne.create_info(list(info.ch_names), info.sfreq, "eeg"), verbose="ERROR")
    notes = [(first / info.sfreq, n / info.sfreq, GAP) for first, n in gaps]
    notes += [(marker.index / info.sfreq, 0.0, marker.text) for marker in recorded.markers() if marker.text]
    onset, duration, text = zip(*sorted(notes), strict=True) if notes else ((), (), ())
    raw.set_meas_date(made(recorded.path))
    raw.set_annotations(mne.Annotations(onset, duration, text, orig_time=raw.info["meas_date"]), verbose="ERROR")
    return raw
