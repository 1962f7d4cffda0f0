"""Rehearsal scenarios: the layouts of published programs, filled with the signals of one simulated subject."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from realtime_mood.auxiliary import kind_of
from realtime_mood.errors import ConfigError
from realtime_mood.sources.lsl.scenario_outlets import ScenarioSignals, rehearse
from realtime_mood.sources.lsl.scenarios import SCENARIOS, listing
from realtime_mood.sources.synthetic.beside import true_body
from realtime_mood.sources.synthetic.person import Script

SCRIPT = Script((("neutral", 1.5), ("positive", 1.5)))


def taken(name: str, seconds: float, n_cuts: int = 1) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Rows and times of each outlet, by its name and type."""
    scenario = SCENARIOS[name]
    signals = ScenarioSignals(scenario, 5, SCRIPT)
    ends = np.linspace(0, seconds * scenario.sfreq, n_cuts + 1).round().astype(int)
    parts = [signals.take(int(end)) for end in ends[1:]]
    rows, times = (
        [np.concatenate([part[k][i] for part in parts]) for k in range(len(scenario.streams))] for i in (0, 1)
    )
    keys = [f"{it.name} {it.type}" for it in scenario.streams]
    return dict(zip(keys, zip(rows, times, strict=True), strict=True))


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_outlet_has_its_layout_and_rate_however_it_is_sent(name: str) -> None:
    whole, cut = taken(name, 4), taken(name, 4, 29)
    for stream, (rows, times), (same, _) in zip(SCENARIOS[name].streams, whole.values(), cut.values(), strict=True):
        np.testing.assert_array_equal(rows, same)
        assert rows.shape == (len(times), len(stream.channels))
        assert not stream.sfreq or len(rows) == pytest.approx(4 * stream.sfreq, abs=3)
        assert (np.diff(times) > 0).all()
        assert kind_of(stream.type) != "other"


def test_the_numbers_are_those_of_the_device() -> None:
    muse, pupil, tobii, lab = (taken(name, 12) for name in ("muse", "pupil", "tobii", "lab"))
    light = muse["Muse PPG"][0]
    assert light[:, 1].min() > 9e4
    assert np.linalg.norm(muse["Muse ACC"][0].mean(axis=0)) == pytest.approx(1, abs=0.05)
    gaze, seen = pupil["pupil_capture Gaze"][0], pupil["pupil_capture Gaze"][0][:, 0] > 0
    assert np.isfinite(gaze).all()
    closed = true_body(ScenarioSignals(SCENARIOS["pupil"], 5, SCRIPT).person, 12).blinks
    assert (~seen).sum() == pytest.approx(120 * np.diff(closed).sum(), abs=1)
    assert np.ptp(gaze[seen, 20:22]) < 3
    screen = tobii["Tobii Eyetracker"][0]
    assert 0.02 < np.isnan(screen).mean() < 0.2
    # y points down on the screen and up in the camera; both are of one movement
    at = (np.arange(len(screen)) * 120 / 600).astype(int)
    both = np.isfinite(screen[:, 1]) & seen[at]
    assert np.corrcoef(screen[both, 1], gaze[at[both], 2])[0, 1] < -0.9
    states, times = lab["LabMarkers Markers"]
    assert list(states[:4, 0]) == ["neutral", "positive", "neutral", "positive"]
    assert times[:3] == pytest.approx([0.002, 1.502, 3.002])


def test_annotations_of_the_player_are_durations_in_the_channel_of_their_name() -> None:
    rows, times = taken("mne-lsl", 4)["MNE-LSL-Player-annotations annotations"]
    assert rows.tolist() == [[0, 1.5, 0], [0, 0, 1.5], [0, 1.5, 0]]
    assert all(b - a == pytest.approx(1.5) for a, b in pairwise(times))
    assert np.abs(taken("mne-lsl", 4)["MNE-LSL-Player eeg"][0]).max() < 0.1  # volts


def test_scenarios_are_listed_and_an_unknown_one_is_refused() -> None:
    assert [line.split(":")[0] for line in listing() if not line.startswith(" ")] == list(SCENARIOS)
    with pytest.raises(ConfigError, match="muse, pupil, tobii, mne-lsl, lab"):
        rehearse("emotiv")
