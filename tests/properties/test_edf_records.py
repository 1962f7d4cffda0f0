"""Whatever records of an EDF+D or BDF+D file are late, by whole samples, every sample and annotation has its place."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.sources.recordings.mne_file import MneFile
from realtime_mood.sources.recordings.recording import PlaybackOptions
from tests.integration.broken_off import edf_channels, write_edf_plus
from tests.integration.recordings import counting


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_every_sample_and_annotation_has_its_place(data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from(("a.edf", "a.bdf")))
    sfreq, record_s = data.draw(st.sampled_from((100, 128, 250, 512))), data.draw(st.sampled_from((0.5, 1.0, 2.0)))
    late = data.draw(st.lists(st.just(0) | st.integers(1, 5000), min_size=2, max_size=12))
    start = data.draw(st.sampled_from((0.0, 0.25, 3600.0)))
    faster = data.draw(st.booleans())
    rate, places = round(sfreq * record_s), np.cumsum(late) - late[0]
    begins = places + np.arange(len(late)) * rate
    at = data.draw(st.integers(0, len(late) - 1)), data.draw(st.integers(0, rate - 1))
    when = begins[at[0]] + at[1]
    signal = counting(len(late) * record_s, sfreq) % 1000
    ecg = [("ECG", np.arange(len(late) * rate * 2) % 500, rate * 2)] if faster else []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / suffix
        said = [f"{start + begin / sfreq:.7f}" for begin in begins]
        notes = [(0, f"+{start + when / sfreq:.7f}\x14here\x14".encode())]
        write_edf_plus(path, [*ecg, *edf_channels(signal, rate)], said, notes=notes, record_s=record_s)
        file = MneFile(path, PlaybackOptions(), "a file")
        index = np.concatenate([np.arange(first, end) for first, end in file.runs])
        rows = np.concatenate([file.rows(first, end) for first, end in file.runs])
        markers = [(m.index, m.text) for m in file.markers()]
        file.close()
    assert file.sfreq == sfreq
    np.testing.assert_array_equal(index, (begins[:, None] + np.arange(rate)).ravel())
    np.testing.assert_array_equal(rows, signal)
    assert markers == [(when, "here")]
    assert file.notes == ()
