"""Profiles kept in a folder."""

from __future__ import annotations

import numpy as np
import pytest

from calibration import store
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError
from realtime_mood.profile import Profile
from realtime_mood.types import StreamInfo


@pytest.fixture
def folder(tmp_path):
    info = StreamInfo(("Fp1", "Fp2", "C3", "C4"), 128.0, virtual=True)
    for seed, name in enumerate(("20260101-a", "20260102-b")):
        de = np.random.default_rng(seed).normal(3, 0.5, (40, 4, 5))
        Profile.from_steps(info, FeatureSpec(), de, np.ones((40, 4), bool)).save(tmp_path / f"{name}.json")
    (tmp_path / "20260101-a.xdf").touch()
    (tmp_path / "broken.json").write_text("{}")
    return tmp_path


def test_they_are_listed_with_what_they_are_good_for_and_the_broken_ones_with_why(folder):
    found = store.kept(folder)
    assert [it.path.stem for it in found] == ["20260101-a", "20260102-b", "broken"]
    assert "VIRTUAL PERSON" in store.summary(found[0].profile)
    assert "4 electrodes · 40 s of rest" in store.summary(found[0].profile)
    assert found[2].profile is None
    assert "broken" in found[2].trouble


def test_one_is_found_by_the_beginning_of_its_name_if_that_is_its_alone(folder):
    assert store.find("20260102", folder).stem == "20260102-b"
    assert store.find(str(folder / "broken.json"), folder).stem == "broken"
    with pytest.raises(ConfigError, match="2 profiles"):
        store.find("2026", folder)
    with pytest.raises(ConfigError, match="no such profile"):
        store.find("2027", folder)


def test_what_belongs_to_one_is_its_recording_too(folder):
    assert [p.name for p in store.files_of(folder / "20260101-a.json")] == ["20260101-a.json", "20260101-a.xdf"]


def test_a_new_name_says_when_and_nothing_about_whom():
    one, other = store.new_name("emotion"), store.new_name("emotion")
    assert one != other
    assert one.name.split("-")[2] == "emotion"
