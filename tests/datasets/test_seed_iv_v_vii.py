"""SEED-IV, SEED-V and SEED-VII: sessions, classes, axes, eye movements, and what is refused."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from quick_person import copy_of, cut, recordings, refused, segments, states
from scipy.io import loadmat, savemat

from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.models.datasets.sets import bcmi, seed_iv, seed_v, seed_v_raw, seed_vii

IV, V, VII = "seed-iv", "seed-v", "seed-vii"
EYES_IV = "eye_feature_smooth"


def change_mat(path: Path, change) -> None:
    savemat(path, change({key: value for key, value in loadmat(path).items() if not key.startswith("__")}))


# -- SEED-IV -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["", "eeg_feature_smooth"])
def test_the_folder_is_the_session_of_seed_iv(written, folder: str) -> None:
    found = recordings(IV, written(IV) / folder)
    assert [(r.subject, r.session) for r in found] == [(s, k) for s in "12" for k in "123"]
    for r in found[:3]:
        assert [t.label for t in r.trials] == [seed_iv.INFO.labels[code] for code in seed_iv.CODES[r.session]]
        assert [t.stimulus for t in r.trials][::23] == [f"{r.session}-1", f"{r.session}-24"]
        assert r.files[0].parent.name == r.session
        by_class = states(r)
        assert by_class["happy"] > 1.5 * by_class["neutral"] > 1.5 * max(by_class["sad"], by_class["fear"])
    assert (found[0].window_s, found[0].info.n_chans) == (4.0 if folder else 0.0, 60)


def test_eye_movements_are_31_features_in_the_windows_of_the_eeg(written) -> None:
    root = written(IV)
    first = segments(recordings(IV, root / "eeg_feature_smooth")[0])[0]
    assert first.eye.shape == (1, 31)
    path = recordings(IV, root / "eeg_feature_smooth")[0].files[1]
    assert np.allclose(first.eye[0], loadmat(path)["eye_1"][:, 0])
    assert path.parts[-3:-1] == (EYES_IV, "1")


def test_eye_movements_that_are_missing_longer_or_turned(written, tmp_path: Path) -> None:
    root = copy_of(written(IV), tmp_path)
    shutil.rmtree(root / "eeg_raw_data")
    path = recordings(IV, root)[0].files[1]
    change_mat(path, lambda eyes: {key: np.hstack([value, value]) for key, value in eyes.items()})
    assert segments(recordings(IV, root)[0])[0].eye.shape == (1, 31)
    change_mat(path, lambda eyes: {key: value.T for key, value in eyes.items()})
    assert "an array of shape (2, 31); 31 × time expected" in refused(IV, root)
    path.unlink()
    first = recordings(IV, root)[0]
    assert segments(first)[0].eye is None
    assert any(f"{EYES_IV}/1/{path.name} is missing" in note for note in first.notes)


def test_files_in_swapped_folders_are_refused_by_their_dates(written, tmp_path: Path) -> None:
    folder = copy_of(written(IV), tmp_path) / "eeg_feature_smooth"
    one, two = (next((folder / s).glob("1_*.mat")) for s in "12")
    one.rename(two.with_name(one.name))
    two.rename(one.with_name(two.name))
    with pytest.raises(MoodError, match=r"files of subject 1 lie in the wrong folders: 201401\d\d in folder 1, 2014"):
        recordings(IV, folder)


def test_a_session_or_subject_that_is_missing_is_left_out(written, tmp_path: Path) -> None:
    folder = copy_of(written(IV), tmp_path) / "eeg_feature_smooth"
    next((folder / "1").glob("1_*.mat")).unlink()
    next((folder / "3").glob("2_*.mat")).unlink()
    found = recordings(IV, folder)
    assert [(r.subject, r.session) for r in found] == [("1", "2"), ("1", "3"), ("2", "1"), ("2", "2")]
    assert [t.label for t in found[0].trials] == [seed_iv.INFO.labels[code] for code in seed_iv.CODES["2"]]


def test_a_copy_of_seeds_tree_is_no_seed_iv(written, tmp_path: Path) -> None:
    shutil.copytree(written("seed") / "Preprocessed_EEG", tmp_path / "eeg_raw_data")
    with pytest.raises(ConfigError, match="eeg_raw_data has no folders 1, 2 and 3"):
        recordings(IV, tmp_path)


# -- SEED-V --------------------------------------------------------------------------------------------------------


def change_npz(path: Path, change) -> None:
    with np.load(path) as archive:
        content = {key: pickle.loads(archive[key].item()) for key in archive}
    np.savez(path, **{key: np.array(pickle.dumps(value)) for key, value in change(content).items()})


def test_the_trials_of_a_subject_of_seed_v_are_three_sessions(written) -> None:
    root = written(V)
    found = recordings(V, root)
    assert [(r.subject, r.session) for r in found] == [(s, k) for s in "12" for k in "123"]
    for r in found[:3]:
        assert [t.label for t in r.trials] == [seed_v.INFO.labels[code] for code in seed_v.CODES[r.session]]
        assert [t.stimulus for t in r.trials][::14] == [f"{r.session}-1", f"{r.session}-15"]
        by_class = states(r)
        assert by_class["happy"] > 1.5 * by_class["neutral"] > 1.5 * by_class["disgust"]
    assert found[1].trials[0].label == found[2].trials[0].label == "sad"  # same classes, other clips
    assert any("sessions are in the order of their numbers" in note for note in found[0].notes)


def test_310_numbers_are_62_channels_of_5_bands(written, tmp_path: Path) -> None:
    root = copy_of(written(V), tmp_path)
    path = root / seed_v.FEATURES / "1_123.npz"
    change_npz(path, lambda content: content | {"data": {k: np.arange(620.0).reshape(2, 310) for k in range(45)}})
    recording = recordings(V, root)[0]
    first = segments(recording)[0]
    oz = bcmi.CHANNELS.index("OZ")
    assert first.de[1, recording.info.ch_names.index("Oz")].tolist() == [310 + 5 * oz + band for band in range(5)]


def test_the_windows_of_eye_movements_may_differ_and_the_fewer_count(written, tmp_path: Path) -> None:
    root = copy_of(written(V), tmp_path)
    for folder, n in ((seed_v.FEATURES, 3), (seed_v.EYES, 2)):
        for subject, more in ((1, 0), (2, 5)):

            def longer(content: dict, n: int = n + more * (n == 2)) -> dict:
                return {key: {k: np.repeat(v[:1], n, axis=0) for k, v in it.items()} for key, it in content.items()}

            change_npz(root / folder / f"{subject}_123.npz", longer)
    found = recordings(V, root)
    for r, n in ((found[0], 2), (found[3], 3)):
        first = segments(r)[0]
        assert (len(first.de), len(first.eye), first.spans[0].stop) == (n, n, 4.0 * n)
        assert first.eye.shape[1] == 33


def test_what_contradicts_the_classes_or_is_not_of_the_set_is_refused(written, tmp_path: Path) -> None:
    root = copy_of(written(V), tmp_path)
    path = root / seed_v.FEATURES / "1_123.npz"
    whole = path.read_bytes()
    change_npz(path, lambda content: content | {"label": content["label"] | {15: np.array([4.0])}})
    assert "trial 15 of 1_123.npz · windows labelled 4.0; the clip's class is 2" in refused(V, root)
    path.write_bytes(whole)
    change_npz(path, lambda content: content | {"data": {k: content["data"][k] for k in range(44)}})
    assert "data of 1_123.npz · 44 trials; 45 expected" in refused(V, root)
    path.write_bytes(whole)
    change_npz(path, lambda content: content | {"data": {k: v[:, :300] for k, v in content["data"].items()}})
    assert "an array of shape (1, 300); windows × 310 expected" in refused(V, root)
    path.write_bytes(whole)
    cut(path)
    assert "a damaged archive" in refused(V, root)


class Evil:
    def __reduce__(self) -> tuple:
        return os.mkdir, ("planted",)


def test_a_program_in_the_archive_is_not_run(written, tmp_path: Path, monkeypatch) -> None:
    root = copy_of(written(V), tmp_path)
    monkeypatch.chdir(tmp_path)
    path = root / seed_v.FEATURES / "1_123.npz"
    change_npz(path, lambda content: content | {"data": content["data"] | {44: Evil()}})
    assert "data of 1_123.npz · a pickle that is not read: it asks for" in refused(V, root)
    assert not (tmp_path / "planted").exists()


def test_dates_of_raw_files_give_the_order_of_sessions_and_numbers_their_classes(written, tmp_path: Path) -> None:
    root = copy_of(written(V), tmp_path)
    (root / "EEG_raw").mkdir()
    for name in ("1_1_20180804", "1_2_20180810", "1_3_20180808", "2_1_20180416"):
        (root / "EEG_raw" / f"{name}.cnt").touch()
    found = recordings(V, root)
    assert [r.session for r in found] == ["1", "3", "2", "1", "2", "3"]
    assert [t.label for t in found[2].trials] == [seed_v.INFO.labels[code] for code in seed_v.CODES["2"]]


@pytest.fixture
def raw_v(written) -> Path:
    return written("seed-v-raw")


def test_recordings_of_seed_v_are_cut_at_the_shipped_times(raw_v: Path) -> None:
    found = recordings("seed-v-raw", raw_v)
    assert [(r.subject, r.session) for r in found] == [*[("1", s) for s in "123"], *[("2", s) for s in "213"]]
    for r in found[:4]:
        assert [t.label for t in r.trials] == [seed_v.INFO.labels[code] for code in seed_v.CODES[r.session]]
        by_class = states(r)
        assert by_class["happy"] > 1.5 * by_class["neutral"] > 1.5 * by_class["disgust"]
    assert found[0].info.n_chans == 60
    assert found[0].info.virtual
    first = segments(found[0])[0]
    assert [round(span.start) for span in first.spans][:2] == [3, 10]
    at = slice(3 * 200, 7 * 200)
    assert 15 < first.signal[at].std() < 25


def test_a_repaired_recording_is_taken_and_a_short_one_refused(raw_v: Path, tmp_path: Path) -> None:
    root = copy_of(raw_v, tmp_path)
    path = recordings("seed-v-raw", root)[0].files[0]
    repaired = path.with_name(f"{path.stem}_repaired.cnt")
    shutil.copy(path, repaired)
    path.write_bytes(b"damaged")
    assert recordings("seed-v-raw", root)[0].files == (repaired,)
    times = (root / seed_v_raw.TIMES).read_text().replace("101]", "9101]").replace("105]", "9105]")
    (root / seed_v_raw.TIMES).write_text(times)
    assert "events lie outside it" in refused("seed-v-raw", root)
    (root / seed_v_raw.TIMES).write_text(times.replace("end_second", "end"))
    assert "no begin and end of 15 clips for each of 3 sessions" in refused("seed-v-raw", root)


def test_without_the_table_the_published_times_are_used(raw_v: Path, tmp_path: Path) -> None:
    root = copy_of(raw_v, tmp_path)
    (root / seed_v_raw.TIMES).unlink()
    first = recordings("seed-v-raw", root)[0]
    assert any("published times of clips are used" in note for note in first.notes)
    spans = first.segments.args[1]
    assert [(s.start, s.stop) for s in spans][::14] == [(30.0, 102.0), (3204.0, 3359.0)]
    assert "events lie outside it" in refused("seed-v-raw", root)


# -- SEED-VII ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["", "EEG_features"])
def test_each_file_of_seed_vii_holds_four_sessions(written, folder: str) -> None:
    found = recordings(VII, written(VII) / folder)
    assert [(r.subject, r.session) for r in found] == [(s, k) for s in "12" for k in "1234"]
    for i, r in enumerate(found[:4]):
        assert [t.label for t in r.trials] == [seed_vii.INFO.labels[code] for code in seed_vii.CODES[r.session]]
        assert [int(t.stimulus) for t in r.trials] == list(range(20 * i + 1, 20 * i + 21))
        by_class = states(r)
        rising = [label for label in ("happy", "surprise") if label in by_class]
        assert rising
        assert min(by_class[label] for label in rising) > 1.5 * by_class[r.trials[2].label]
    assert sum(label == "neutral" for r in found[:4] for label in (t.label for t in r.trials)) == 8
    assert sum(label == "anger" for r in found[:4] for label in (t.label for t in r.trials)) == 12


def test_bands_come_before_channels_in_seed_vii(written, tmp_path: Path) -> None:
    folder = copy_of(written(VII), tmp_path) / "EEG_features"
    path = folder / "1.mat"
    numbered = np.arange(2 * 5 * 62.0).reshape(2, 5, 62)
    change_mat(path, lambda content: dict.fromkeys(content, numbered))
    recording = recordings(VII, folder)[0]
    first = segments(recording)[0]
    assert first.de.shape == (2, 60, 5)
    assert (
        first.de[1, recording.info.ch_names.index("Cz")].tolist() == numbered[1, :, bcmi.CHANNELS.index("CZ")].tolist()
    )
    change_mat(path, lambda content: dict.fromkeys(content, numbered.transpose(2, 0, 1)))  # as in SEED and SEED-IV
    assert "an array of shape (62, 2, 5); time × 5 × 62 expected" in refused(VII, folder)


def test_damaged_files_and_other_sets_are_refused(written, tmp_path: Path) -> None:
    root = copy_of(written(VII), tmp_path)
    cut(root / "EEG_preprocessed" / "1.mat", 0.3)
    assert "trials; a session file of this set has 80" in refused(VII, root)
    with pytest.raises(ConfigError, match="data set seed-vii"):
        recordings(VII, written("seed"))
