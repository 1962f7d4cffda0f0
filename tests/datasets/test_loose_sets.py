"""GAMEEMO, SAM-40 and EKM-ED: names of files, order, ratings, duplicates, and damaged files."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import io

from realtime_mood.dsp.spec import BANDS
from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.models.datasets.fixtures import loose as writer
from realtime_mood.models.datasets.guards import duplicate_groups, log_power
from realtime_mood.models.datasets.sets import ekm_ed, gameemo, sam40
from tests.datasets.reading import state_effect, trial_signals

READERS = {"gameemo": gameemo.READER, "sam40": sam40.READER, "ekm-ed": ekm_ed.READER}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("loose")
    writer.write_gameemo(root / "gameemo", 6, 9750, 8.0, duplicates=1)
    writer.write_sam40(root / "sam40", 1, 9760, 4.0)
    writer.write_ekm_ed(root / "ekm-ed", 2, 9770, 5.0)
    return root


@pytest.mark.parametrize("name", READERS)
def test_trials_come_in_order_with_their_signals(written, name):
    for recording in READERS[name].recordings(written / name):
        pairs = trial_signals(recording)
        assert [trial for trial, _ in pairs] == list(recording.trials)
        assert [t.position for t in recording.trials] == list(range(len(pairs)))
        assert all(x.shape[1] == recording.info.n_chans and np.isfinite(x).all() for _, x in pairs)
        assert {t.label for t in recording.trials} <= set(READERS[name].info.labels)
        assert recording.info.virtual


@pytest.mark.parametrize("name", READERS)
def test_another_folder_is_refused(tmp_path, name):
    with pytest.raises(ConfigError):
        READERS[name].recordings(tmp_path)


# -- GAMEEMO -------------------------------------------------------------------------------------------------------


def test_raw_signals_are_taken_whatever_their_names(written):
    recordings = gameemo.READER.recordings(written / "gameemo")
    assert [r.subject for r in recordings] == [f"S{k:02}" for k in range(1, 7)]
    assert all("Raw EEG Data" in path.parts for r in recordings for path in r.files)
    assert {path.name for path in recordings[2].files} == {f"S03G{i}AllChannels.csv" for i in (1, 2, 3, 4)}
    assert [t.label for t in recordings[0].trials] == ["boring", "calm", "horror", "funny"]
    assert state_effect(recordings[0], {3}, {2}) > 0.1


def test_copies_among_the_subjects_are_named(written):
    recordings = gameemo.READER.recordings(written / "gameemo")
    powers = {r.subject: log_power(list(r.segments()), r.info.sfreq, BANDS) for r in recordings}
    assert duplicate_groups(powers) == [{"S01", "S06"}]


def test_a_game_without_raw_signal_is_read_preprocessed_and_said(written, tmp_path):
    root = shutil.copytree(written / "gameemo", tmp_path / "g")
    next(root.rglob("S01G2AllRawChannels.csv")).unlink()
    recording = gameemo.READER.recordings(root)[0]
    assert "Preprocessed EEG Data" in recording.files[1].parts
    assert "mixed" in recording.notes[0]


@pytest.mark.parametrize("content", [b"", b"AF3,AF4\n1,2\n", b"\xff\xfe\x00", b"AF3"])
def test_a_broken_table_is_refused(written, tmp_path, content):
    root = shutil.copytree(written / "gameemo", tmp_path / "g")
    next(root.rglob("S01G1AllRawChannels.csv")).write_bytes(content)
    with pytest.raises(MoodError, match=r"table S01G1AllRawChannels\.csv"):
        list(gameemo.READER.recordings(root)[0].segments())


# -- SAM-40 --------------------------------------------------------------------------------------------------------


def test_the_first_relaxation_is_the_baseline(written):
    (recording,) = sam40.READER.recordings(written / "sam40")
    spans = [segment.spans[0] for segment in recording.segments()]
    assert [span.trial is None for span in spans] == [True, *[False] * 11]
    assert [t.label for t in recording.trials[:4]] == ["stroop", "arithmetic", "mirror_image", "relax"]
    assert all(path.parent.name == "raw_data" for path in recording.files)


def test_filtered_signals_are_read_where_there_are_no_raw_ones(written, tmp_path):
    root = shutil.copytree(written / "sam40", tmp_path / "s")
    shutil.rmtree(root / "raw_data")
    (recording,) = sam40.READER.recordings(root)
    stored = io.loadmat(recording.files[0])["Clean_data"].T
    np.testing.assert_allclose(next(recording.segments()).signal, stored, rtol=1e-5)


def test_signals_of_another_shape_are_refused(written, tmp_path):
    root = shutil.copytree(written / "sam40", tmp_path / "s")
    io.savemat(root / "raw_data" / "Relax_sub_1_trial1.mat", {"Data": np.zeros((31, 3200))})
    with pytest.raises(MoodError, match=r"Data of the shape \(31, 3200\)"):
        list(sam40.READER.recordings(root)[0].segments())


# -- EKM-ED --------------------------------------------------------------------------------------------------------


def test_clips_follow_the_order_of_the_subject(written):
    root = written / "ekm-ed"
    for recording in ekm_ed.READER.recordings(root):
        order = (root / "muse_wearable_data" / "raw" / recording.subject / "order.txt").read_text().lower().split(",")
        assert [t.stimulus for t in recording.trials] == [n for e in order for n in (f"neutral_{e}", e)]
        assert [t.label for t in recording.trials[::2]] == ["neutral"] * 4
        assert {t.label: t.ratings["valence"] for t in recording.trials} == {
            "neutral": 5, "happiness": 8, "anger": 2, "fear": 2, "sadness": 2,
        }  # fmt: skip
        assert recording.notes == ()


def test_an_unknown_order_is_said(written, tmp_path):
    root = shutil.copytree(written / "ekm-ed", tmp_path / "e")
    shutil.rmtree(root / "muse_wearable_data" / "raw" / "1")
    first, second = ekm_ed.READER.recordings(root)
    assert first.notes == ("the order in which clips were played is not known for all of them",)
    assert second.notes == ()


def test_without_ratings_clips_have_none(written, tmp_path):
    root = shutil.copytree(written / "ekm-ed", tmp_path / "e")
    shutil.rmtree(root / "questionnaires")
    assert all(t.ratings == {} for t in ekm_ed.READER.recordings(root)[0].trials)
