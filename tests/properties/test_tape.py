"""However the input is cut, whatever is missing, repeated or out of order: each sample once, at its index."""

from __future__ import annotations

import io
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyxdf
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.recording.reader import open_recorded
from realtime_mood.recording.xdf_session import XdfSession
from realtime_mood.types import Chunk, StreamInfo

INFO = StreamInfo(("C3", "Cz"), 100.0, "planted")

# (step from the end of the last chunk, length, lateness of its stamp in s, whether it could be written)
steps = st.tuples(st.integers(-60, 200), st.integers(0, 120), st.floats(-3, 3), st.booleans())


def planted(first: int, n: int) -> np.ndarray:
    """Samples that say their own index."""
    index = np.arange(first, first + n, dtype=np.float32)
    return np.column_stack((index, -index))


@given(st.lists(steps, min_size=1, max_size=40), st.booleans())
@settings(max_examples=150, deadline=None)
def test_each_sample_is_once_at_its_index(steps: list[tuple[int, int, float, bool]], paced: bool) -> None:
    info = replace(INFO, paced=paced)
    tape = XdfSession(info, {})
    written, expected, end, missed = [tape.begin()], list[int](), 0, 0
    for step, n, late, kept in steps:
        first = max(0, end + step)
        chunk = Chunk(planted(first, n), first, (first + n) / INFO.sfreq + late, max(0, step))
        end = max(end, chunk.end)
        before = tape.position
        piece = tape.take(chunk)
        if kept:
            written.append(piece)
            expected += range(max(first, expected[-1] + 1 if expected else 0), chunk.end)
        else:
            tape.position = before
            tape.leave_out(n)
            missed += n
    written.append(tape.end())

    streams, _ = pyxdf.load_xdf(io.BytesIO(b"".join(written)), verbose=False)
    eeg, gaps = streams[0], np.asarray(streams[4]["time_series"]).reshape(-1, 3)
    rows = np.asarray(eeg["time_series"]).reshape(-1, 2)
    assert rows[:, 0].astype(int).tolist() == expected
    np.testing.assert_array_equal(rows[:, 1], -rows[:, 0])
    assert np.all(np.diff(eeg["time_stamps"]) > 0)
    if len(expected):
        # The file alone says where every sample belongs, and how many are not there.
        assert gaps[:, 1].sum() == expected[-1] + 1 - len(expected)
        assert gaps[:, 2].sum() <= min(missed, gaps[:, 1].sum())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.xdf")
            path.write_bytes(b"".join(written))
            _assert_places(path)
        # Stamps keep to the rate within what they may slew, so the holes take their time.
        took = np.diff(eeg["time_stamps"]) / (np.diff(expected) / INFO.sfreq)
        assert np.all(np.abs(took - 1) < (0.016 if paced else 1e-6))


def _assert_places(path: Path) -> None:
    # Without a reading there is nothing to replay, but the samples are all there.
    for chunk in open_recorded(path).chunks():
        np.testing.assert_array_equal(chunk.data, planted(chunk.first, len(chunk)))
