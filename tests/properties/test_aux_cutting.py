"""However streams beside the EEG are cut, and in whatever order their chunks come, the recording is the same."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

import numpy as np
import pyxdf
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.auxiliary import AuxChunk, AuxInfo, SenderClock
from realtime_mood.recording.xdf_session import XdfSession
from realtime_mood.types import Chunk, StreamInfo

N = 60
FORMATS = {"float32": np.float32, "double64": np.float64, "int8": np.int8, "int64": np.int64, "string": object}
CUTS = st.lists(st.integers(0, N), max_size=6)
INFO = StreamInfo(("C3", "Cz"), 100.0, "planted")


def aux(k: int, form: str, sfreq: float) -> AuxInfo:
    return AuxInfo(f"lsl://{k}", f"stream {k}", "Gaze", ("x", ""), ("px", "ü<&"), sfreq, form, "id", "host")


def planted(form: str) -> np.ndarray:
    numbers = np.column_stack((np.arange(N), -np.arange(N)))
    if form == "string":
        return np.array([[f"{a} grün\n", ""] for a, _ in numbers], object)
    return numbers.astype(FORMATS[form])


def pieces(k: int, info: AuxInfo, cuts: list[int], offset_s: float) -> list[tuple[AuxInfo, AuxChunk]]:
    """The same samples, cut at these places; equal cuts make empty chunks."""
    values, sent = planted(info.format), 1000.0 * k + np.arange(N) / 50
    edges = [0, *sorted(cuts), N]
    return [
        (info, AuxChunk(values[a:b], sent[a:b] + offset_s, sent[a:b], a, SenderClock(float(sent[0]), offset_s)))
        for a, b in pairwise(edges)
    ]


def recorded(order: list[tuple[Any, Any]]) -> dict[str, Any]:
    session = XdfSession(INFO, {}, to_stamps=5.0)
    written = [session.begin()]
    for info, chunk in order:
        written.append(session.take(chunk) if info is INFO else session.take_aux(info, chunk))
    streams, _ = pyxdf.load_xdf(io.BytesIO(b"".join([*written, session.end()])), verbose=False)
    return {stream["info"]["name"][0]: stream for stream in streams}


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_recording_does_not_depend_on_how_its_streams_were_cut(data: st.DataObject) -> None:
    forms = data.draw(st.lists(st.sampled_from(sorted(FORMATS)), min_size=1, max_size=3))
    infos = [aux(k, form, 50.0 if k % 2 and form != "string" else 0.0) for k, form in enumerate(forms)]
    eeg = np.random.default_rng(0).normal(size=(N, 2)).astype(np.float32)
    made = []
    for _ in range(2):
        queues: list[list[Any]] = [
            pieces(k, info, data.draw(st.lists(st.integers(0, N), max_size=6)), 0.25 * k)
            for k, info in enumerate(infos)
        ]
        edges = [0, *sorted(data.draw(st.lists(st.integers(0, N), max_size=6))), N]
        queues.append([(INFO, Chunk(eeg[a:b], a, b / 100)) for a, b in pairwise(edges)])
        order = data.draw(st.permutations([k for k, queue in enumerate(queues) for _ in queue]))
        made.append(recorded([queues[k].pop(0) for k in order]))
    for k, info in enumerate(infos):
        one, other = (streams[info.name] for streams in made)
        values = np.asarray(one["time_series"], object if info.format == "string" else None).reshape(N, 2)
        np.testing.assert_array_equal(values, planted(info.format))
        assert values.dtype == FORMATS[info.format]
        np.testing.assert_allclose(one["time_stamps"], 1000.0 * k + np.arange(N) / 50 + 0.25 * k + 5.0, atol=1e-6)
        np.testing.assert_array_equal(one["time_stamps"], other["time_stamps"])
        assert one["time_series"] == other["time_series"] if info.format == "string" else True
        assert one["info"]["desc"] == other["info"]["desc"]
        assert one["footer"] == other["footer"]
        assert [it["unit"][0] for it in one["info"]["desc"][0]["channels"][0]["channel"]] == ["px", "ü<&"]
    rows = [np.asarray(streams["planted"]["time_series"]) for streams in made]
    np.testing.assert_array_equal(rows[0], eeg)
    np.testing.assert_array_equal(rows[0], rows[1])
