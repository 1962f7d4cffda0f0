"""A calibration without a screen, by the Python interface."""

from __future__ import annotations

from pathlib import Path

import pytest

import realtime_mood as rm
from realtime_mood.calibration.session import CalibrationSession
from realtime_mood.errors import ConfigError, ProfileError

URL = "synthetic://?n_chans=8&speed=max"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[rm.Profile, list[str]]:
    lines: list[str] = []
    folder = tmp_path_factory.mktemp("calibration")
    return rm.calibrate(URL, folder / "me.json", seconds=30, seed=1, say=lines.append), [str(folder), *lines]


def test_a_profile_is_made_written_and_used(made):
    profile, (folder, *lines) = made
    assert profile == rm.Profile.load(Path(folder) / "me.json")
    assert profile.seconds > 20
    assert profile.virtual
    assert any("Close your eyes" in line for line in lines)
    *_, last = rm.read(URL, profile=profile, seconds=10)
    assert last.calibrated
    *_, plain = rm.read(URL, seconds=10)
    assert not plain.calibrated


def test_a_source_of_ones_own_is_calibrated_too(tmp_path):
    source = rm.open_source(URL)
    profile = rm.calibrate(source, tmp_path / "own.json", seconds=30, record=tmp_path / "own.xdf")
    assert len(profile.ch_names) == 8
    assert (tmp_path / "own.xdf").is_file()
    assert (tmp_path / "own.html").is_file()


def test_too_little_rest_is_said_and_the_recording_kept(tmp_path):
    with pytest.raises(ProfileError, match=r"20 s of usable rest.* the recording is .*short.xdf"):
        rm.calibrate(URL, tmp_path / "short.json", seconds=10)
    assert (tmp_path / "short.xdf").is_file()
    assert not (tmp_path / "short.json").exists()


@pytest.mark.parametrize(("options", "words"), [({"protocol": "nap"}, "nap"), ({"notch": 55}, "notch")])
def test_wrong_options_are_said_before_anything_is_written(tmp_path, options, words):
    with pytest.raises(ConfigError, match=words):
        rm.calibrate(URL, tmp_path / "a.json", **options)
    assert list(tmp_path.iterdir()) == []


def test_interrupted_before_the_first_sample_a_calibration_says_so(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(CalibrationSession, "start", lambda session: None)  # a source that is still searched for
    monkeypatch.setattr(CalibrationSession, "wait", interrupted)
    lines: list[str] = []
    with pytest.raises(ProfileError, match="stopped"):
        rm.calibrate(URL, tmp_path / "a.json", say=lines.append)
    assert lines == ["Stopped before the first sample; nothing was recorded."]
