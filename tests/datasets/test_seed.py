"""SEED: order of clips and sessions, classes, channels, features or signals, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from quick_person import copy_of, cut, read_all, recordings, refused, segments, states
from scipy.io import loadmat, savemat

from realtime_mood.errors import ConfigError
from realtime_mood.models.datasets.fixtures import clips
from realtime_mood.models.datasets.fixtures.seed_family import write_seed
from realtime_mood.models.datasets.sets import bcmi, seed

RAW, FEATURES = "Preprocessed_EEG", "ExtractedFeatures"
LABELS = [{1: "positive", 0: "neutral", -1: "negative"}[code] for code in seed.CODES]


@pytest.fixture
def root(written, tmp_path: Path) -> Path:
    return copy_of(written("seed"), tmp_path)


def replace_variables(path: Path, change) -> None:
    content = {key: value for key, value in loadmat(path).items() if not key.startswith("__")}
    savemat(path, change(content))


@pytest.mark.parametrize("folder", ["", RAW, FEATURES])
def test_clips_classes_and_sessions(written, folder: str) -> None:
    root = written("seed") / folder
    found = recordings("seed", root)
    assert [(r.subject, r.session) for r in found] == [(s, k) for s in "12" for k in "123"]
    assert [int(r.files[0].stem[2:]) for r in found[:3]] == sorted(int(r.files[0].stem[2:]) for r in found[:3])
    for recording in found[::3]:
        assert [t.label for t in recording.trials] == LABELS
        assert [t.stimulus for t in recording.trials] == [str(k) for k in range(1, 16)]
        assert [t.position for t in recording.trials] == list(range(15))
        played = [span.trial for segment in segments(recording) for span in segment.spans]
        assert tuple(played) == recording.trials
        assert recording.info.virtual
        by_class = states(recording)
        assert by_class["positive"] > 1.5 * by_class["neutral"] > 1.5 * by_class["negative"]


def test_signals_are_microvolts_and_features_have_a_window_a_second(written) -> None:
    signal, de = recordings("seed", written("seed"))[0], recordings("seed", written("seed") / FEATURES)[0]
    (first, *_), (same, *_) = segments(signal), segments(de)
    assert (signal.info.sfreq, signal.window_s, de.window_s) == (200.0, 0.0, 1.0)
    assert first.signal.shape == (800, 60)
    assert first.spans[0].stop == 4.0
    assert 15 < first.signal.std() < 25  # the amplitude of positive states
    assert same.de.shape == (4, 60, 5)
    assert first.de is same.signal is None
    assert {first.signal.dtype, same.de.dtype} == {np.dtype(np.float32)}


def test_channels_have_their_names_and_those_without_a_place_are_left_out(root: Path) -> None:
    def number_channels(content: dict) -> dict:
        return {key: np.tile(np.arange(62.0)[:, None], 800) for key in content}

    path = recordings("seed", root)[0].files[0]
    replace_variables(path, number_channels)
    recording = recordings("seed", root)[0]
    names = recording.info.ch_names
    assert names[:3] + names[-5:] == ("Fp1", "Fpz", "Fp2", "PO6", "PO8", "O1", "Oz", "O2")
    assert "PO9" not in names
    assert any("CB1, CB2 left out" in note for note in recording.notes)
    columns = dict(zip(names, segments(recording)[0].signal[0], strict=True))
    assert columns["Cz"] == bcmi.CHANNELS.index("CZ")
    assert columns["O2"] == bcmi.CHANNELS.index("O2")


def test_trials_are_those_of_their_numbers_in_whatever_order_the_file_has_them(root: Path) -> None:
    before = [segment.signal.mean() for segment in segments(recordings("seed", root)[0])]
    path = recordings("seed", root)[0].files[0]
    replace_variables(path, lambda content: dict(sorted(content.items())))  # eeg1 eeg10 eeg11 … eeg2
    assert [segment.signal.mean() for segment in segments(recordings("seed", root)[0])] == before


def test_sessions_are_numbered_by_date_and_a_missing_one_is_noted(root: Path) -> None:
    first, second, _third = (r.files[0] for r in recordings("seed", root)[:3])
    first.rename(first.with_name("1_20150101.mat"))
    assert [r.files[0].name for r in recordings("seed", root)[:3]][::2] == [second.name, "1_20150101.mat"]
    second.unlink()
    found = [r for r in recordings("seed", root) if r.subject == "1"]
    assert [r.session for r in found] == ["1", "2"]
    assert any("2 of 3 sessions" in note for note in found[0].notes)


def test_a_missing_subject_is_left_out(root: Path) -> None:
    for path in (root / RAW).glob("1_*.mat"):
        path.unlink()
    assert {r.subject for r in recordings("seed", root)} == {"2"}


def test_classes_that_contradict_the_set_are_refused(root: Path) -> None:
    savemat(root / RAW / "label.mat", {"label": -np.array([seed.CODES])})
    assert "labels of SEED in label.mat · -1, 0, 1, 1" in refused("seed", root)
    (root / RAW / "label.mat").unlink()
    assert any("label.mat is missing" in note for note in recordings("seed", root)[0].notes)


def test_damaged_and_wrong_files_are_refused(root: Path) -> None:
    path = recordings("seed", root)[0].files[0]
    whole = path.read_bytes()
    cut(path)
    assert "9 trials; a session file of this set has 15" in refused("seed", root)
    path.write_bytes(whole[:20])
    assert "a MATLAB file that cannot be read" in refused("seed", root)
    path.write_bytes(whole)
    replace_variables(path, lambda content: {key: content[key] for key in list(content)[:-1]})
    assert "14 trials; a session file of this set has 15" in refused("seed", root)
    path.write_bytes(whole)
    replace_variables(path, lambda content: {key: value.T for key, value in content.items()})
    assert "an array of shape (800, 62); 62 × time expected" in refused("seed", root)


def test_files_of_seed_iv_and_folders_of_other_sets_are_refused(root: Path, written) -> None:
    iv = next((written("seed-iv") / "eeg_raw_data" / "1").glob("1_*.mat"))
    shutil.copy(iv, recordings("seed", root)[0].files[0])
    assert "24 trials; a session file of this set has 15" in refused("seed", root)
    with pytest.raises(
        ConfigError, match=r"seed in .* · it holds .*EEG_DE_features.* · give the folder that holds Prep"
    ):
        recordings("seed", written("seed-v"))
    with pytest.raises(ConfigError, match="no such folder"):
        recordings("seed", root / "absent")


def test_what_no_simulation_wrote_is_not_marked_as_simulated(root: Path) -> None:
    (root / "SIMULATED.txt").unlink()
    assert not recordings("seed", root)[0].info.virtual


def test_virtual_people_follow_the_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beta and gamma at the temples rise with positive clips, alpha at the back with neutral ones."""
    monkeypatch.setattr(clips, "DIFFICULTY", "easy")
    write_seed(tmp_path / "seed", 1, 4, 8.0, n_sessions=1)
    assert "SIMULATED" in (tmp_path / "seed" / RAW / "readme.txt").read_text()
    recording = recordings("seed", tmp_path / "seed" / FEATURES)[0]
    names = recording.info.ch_names
    by_class = {label: [] for label in LABELS}
    for segment in segments(recording):
        by_class[segment.spans[0].trial.label].append(segment.de.mean(axis=0))
    temples, back = [names.index(n) for n in ("T7", "T8")], [names.index(n) for n in ("Pz", "Oz")]
    means = {label: np.mean(rows, axis=0) for label, rows in by_class.items()}
    assert means["positive"][temples, 4].mean() > means["negative"][temples, 4].mean() + 0.2
    assert means["neutral"][back, 2].mean() > means["negative"][back, 2].mean() + 0.1
    assert 5 < np.median(segments(recordings("seed", tmp_path / "seed")[0])[0].signal.std(axis=0)) < 60
    assert read_all("seed", tmp_path / "seed") == 15
