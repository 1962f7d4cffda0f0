"""Recordings in use: killed at any moment, played again, opened by others' programs."""

from __future__ import annotations

import logging
import random
import signal
from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pytest
import pyxdf
from fakes import INFO, FakeSource, Keep, cut, live, pink, pipeline
from forking import Start
from waiting import until

from realtime_mood.recording.reader import open_recorded
from realtime_mood.recording.recorder import WRITE_S, Recorder
from realtime_mood.recording.recover import recover
from realtime_mood.run.engine import Engine
from realtime_mood.sources import open_source
from realtime_mood.types import Chunk, Marker

SPOKEN = """
import sys
from pathlib import Path
from fakes import pipeline
from realtime_mood.run.engine import Engine
from realtime_mood.recording.recorder import Recorder
from realtime_mood.sources import open_source

class Speaking(Recorder):
    def take(self, chunk):
        super().take(chunk)
        print(len(chunk), chunk.end, self._n_passes, flush=True)

engine = Engine(open_source("synthetic://?n_chans=4"), pipeline, [Speaking(Path(sys.argv[1]), {})])
engine.start()
engine.done.wait()
"""


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Path, list[Chunk]]:
    """A recording with a hole, a marker of the source's own and a key that was pressed; and what came."""
    signal_uv = pink(2400, len(INFO.ch_names))
    before, after = cut(signal_uv[:700], [40]), cut(signal_uv[1000:], [40])
    later = [replace(c, first=c.first + 1000, t_last=c.t_last + 5.0) for c in after]
    chunks = live(
        [replace(before[0], markers=(Marker(30, "began"),)), *before[1:], replace(later[0], lost=300), *later[1:]]
    )
    recorder, keep = Recorder(tmp_path / "a.xdf", {}), Keep()
    info = replace(INFO, paced=True, virtual=True, reference="Cz")
    engine = Engine(FakeSource(chunks, info, after=lambda: None), pipeline, [recorder, keep])
    engine.start()
    until(lambda: engine.health.samples == 2100 and keep.items)
    assert engine.mark("key")
    engine.stop()
    return tmp_path / "a.xdf", chunks


def test_it_plays_with_its_holes_and_markers(recorded: tuple[Path, list[Chunk]]) -> None:
    path, chunks = recorded
    stream = open_source(f"playback://{path}?speed=max&units=uV").open()
    assert stream.info.ch_names == INFO.ch_names
    assert (stream.info.sfreq, stream.info.virtual, stream.info.reference) == (INFO.sfreq, True, "Cz")
    played: list[Chunk] = []
    while sum(map(len, played)) < 2100:
        if (chunk := stream.read(1.0)) is not None:
            played.append(chunk)
    stream.close()
    np.testing.assert_array_equal(np.concatenate([c.data for c in played]), np.concatenate([c.data for c in chunks]))
    assert [(c.first, c.lost) for c in played if c.lost] == [(1000, 300)]
    assert [(m.index, m.text) for c in played for m in c.markers] == [(30, "began"), (2399, "key")]


def test_mne_opens_it_by_the_recipe(recorded: tuple[Path, list[Chunk]]) -> None:
    path, chunks = recorded
    streams, _ = pyxdf.load_xdf(path)
    eeg, gaps = (next(s for s in streams if s["info"]["type"] == [kind]) for kind in ("EEG", "Gaps"))
    names = [channel["label"][0] for channel in eeg["info"]["desc"][0]["channels"][0]["channel"]]
    sfreq = float(eeg["info"]["nominal_srate"][0])
    lost = [(index, n) for index, n, _ in gaps["time_series"] if n]
    data = eeg["time_series"] * 1e-6
    for index, n in lost:  # in order, so that every index is right when its turn comes
        data = np.insert(data, index - n, np.zeros((n, 1)), axis=0)
    raw = mne.io.RawArray(data.T, mne.create_info(names, sfreq, "eeg"), verbose="ERROR")
    raw.set_annotations(mne.Annotations([(i - n) / sfreq for i, n in lost], [n / sfreq for _, n in lost], "BAD_gap"))
    for chunk in chunks:
        np.testing.assert_allclose(raw.get_data(start=chunk.first, stop=chunk.end).T * 1e6, chunk.data, rtol=1e-5)
    assert raw.get_data(reject_by_annotation="omit").shape[1] == 2100


def killed(program: Start, path: Path, after: int) -> tuple[int, int]:
    """A run that is killed once sample `after` has come: where a recording of it must and may end.

    The writer's passes are counted instead of seconds, for a busy machine may not let it run in time: what was taken
    two passes before the kill has been handed to the system. Of the last chunk we may not have heard.
    """
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n{SPOKEN}"
    run = program(path, code=code)
    said = []
    for line in run.stdout:
        n, end, passes = map(int, line.split())
        said.append((end, passes))
        if end >= after and passes > 2:
            run.send_signal(signal.SIGKILL)
    run.wait()
    return max((end for end, then in said if then <= passes - 2), default=0), end + 2 * n


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_run_leaves_all_but_its_last_moment(
    program: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    path = tmp_path / "a.xdf"
    least, most = killed(program, path, random.Random(seed).randrange(128, 768))
    assert least > 0
    assert 2 * WRITE_S < 1.0  # what is promised: all but the last second
    made = recover(path).path
    assert made is not None
    with caplog.at_level(logging.WARNING, "pyxdf"):
        loaded = [pyxdf.load_xdf(it)[0][0] for it in (path, made)]
    assert not caplog.records
    for eeg in loaded:
        assert least <= len(eeg["time_stamps"]) <= most
        assert np.all(np.diff(eeg["time_stamps"]) > 0)
    chunks = list(open_recorded(made).chunks())
    assert [chunk.first for chunk in chunks] == [0, *(chunk.end for chunk in chunks[:-1])]
    whole = open_source("synthetic://?n_chans=4&speed=max").open()
    truth = np.concatenate([whole.read(1.0).data for _ in range(8)])
    whole.close()
    np.testing.assert_array_equal(np.concatenate([c.data for c in chunks]), truth[: chunks[-1].end])
