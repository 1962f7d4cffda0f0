"""A simulated Muse of another process: recorded with its companions, it has the true heart beats and blinks."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import numpy as np
import pytest
import pyxdf
from fakes import pipeline
from forking import Start
from scipy import signal
from waiting import until

from realtime_mood import liblsl
from realtime_mood.recording.recorder import Recorder
from realtime_mood.run.engine import Engine
from realtime_mood.sources import open_source
from realtime_mood.sources.lsl.aux_source import LslAux
from realtime_mood.sources.lsl.scenario_outlets import ScenarioSignals
from realtime_mood.sources.lsl.scenarios import SCENARIOS
from realtime_mood.sources.synthetic.beside import true_body

SUBJECT, SECONDS = 10, 4.5


def test_a_muse_of_another_process_has_the_true_heart_beats_and_blinks(program: Start, tmp_path: Path) -> None:
    own, path = f"Muse{uuid.uuid4().hex}", tmp_path / "muse.xdf"
    sender = program("outlet", "--scenario", "muse", "--subject", str(SUBJECT), "--source-id", own)
    urls = [f"lsl://Muse?type={kind}&source_id={own}" for kind in ("EEG", "PPG", "ACC", "GYRO")]
    also = [LslAux(url) for url in urls[1:]]
    recorder = Recorder(path, {}, to_stamps=liblsl.to_stamps())
    with Engine(open_source(urls[0]), pipeline, [recorder], also=also) as engine:
        until(lambda: min(it.samples for it in engine.health.streams) > 52 * SECONDS, 60)
        assert engine.health.info.ch_names == ("TP9", "AF7", "AF8", "TP10")
        assert engine.health.info.virtual
    sender.terminate()
    out, _ = sender.communicate()
    assert sender.returncode == 0
    truth = json.loads(next(line for line in out.splitlines() if line.startswith("truth")).removeprefix("truth "))
    streams, _ = pyxdf.load_xdf(str(path), verbose=False)
    found = {it["info"]["type"][0]: (it["time_stamps"] - truth["begins"], it["time_series"]) for it in streams}
    since, until_s = found["PPG"][0][[0, -1]]
    body = true_body(ScenarioSignals(SCENARIOS["muse"], SUBJECT).person, until_s)

    times, light = found["PPG"]
    peaks, _ = signal.find_peaks(-signal.savgol_filter(light[:, 1], 7, 2), prominence=500, distance=25)
    beats = body.beats[(body.beats > since) & (body.beats < until_s)]
    assert len(peaks) == pytest.approx(len(beats), abs=1)
    assert np.median(np.abs(body.beats[:, None] - times[peaks]).min(axis=0)) < 0.05

    times, eeg = found["EEG"]
    frontal = eeg[:, 1:3].mean(axis=1) - np.median(eeg[:, 1:3].mean(axis=1))
    blinks = [(a, b) for a, b in body.blinks if since < a and b < min(until_s, times[-1])]
    assert blinks
    assert all(frontal[(times >= a) & (times <= b)].max() > 40 for a, b in blinks)
    assert np.linalg.norm(found["ACC"][1].mean(axis=0)) == pytest.approx(1, abs=0.05)
