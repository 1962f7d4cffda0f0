"""FACED's pickles: clips in playing order, both endings of names, features, and what may be wrong with the files."""

from __future__ import annotations

import pickle
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import io

from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.models.datasets.fixtures import faced as writer
from realtime_mood.models.datasets.sets.faced import CHANNELS, EMOTIONS, READER, emotion_of, sign_of
from tests.datasets.reading import state_effect, trial_signals

SECONDS = 3.0
SUBJECTS = (7, 100)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("faced")
    writer.write(root, 0, 9900, SECONDS, subjects=SUBJECTS)
    return root


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "faced")


def test_labels_by_video_index():
    assert [emotion_of(i) for i in (1, 3, 4, 12, 13, 16, 17, 28)] == [
        "anger", "anger", "disgust", "sadness", "neutral", "neutral", "amusement", "tenderness",
    ]  # fmt: skip
    assert [sign_of(i) for i in (1, 12, 13, 16, 17, 28)] == [*["negative"] * 2, *["neutral"] * 2, *["positive"] * 2]


def test_clips_come_in_the_order_in_which_they_were_played(written):
    recordings = READER.recordings(written)
    assert [r.subject for r in recordings] == ["007", "100"]
    for subject, recording in zip(SUBJECTS, recordings, strict=True):
        clips = writer.clips_of(subject)
        assert [t.stimulus for t in recording.trials] == [f"clip{clip.video:02}" for clip in clips]
        assert [t.label for t in recording.trials] == [emotion_of(clip.video) for clip in clips]
        assert [t.position for t in recording.trials] == list(range(28))
        assert [t.ratings["valence"] for t in recording.trials] == [clip.scores[9] for clip in clips]
        assert set(READER.info.labels) == {t.label for t in recording.trials} == set(EMOTIONS)


def test_the_signal_of_a_clip_is_that_of_its_video_index(written):
    recording = READER.recordings(written)[0]
    array = pickle.loads((written / "Processed_data" / "sub007.pkl").read_bytes())
    for trial, signal in trial_signals(recording):
        np.testing.assert_allclose(signal, array[int(trial.stimulus[4:]) - 1, :30].T, rtol=1e-6)


def test_thirty_electrodes_without_mastoids(written):
    info = READER.recordings(written)[0].info
    assert info.n_chans == 30
    assert [name.upper() for name in info.ch_names] == list(CHANNELS)
    assert (info.sfreq, info.reference, info.virtual) == (250.0, "average", True)


def test_the_state_that_was_felt_is_in_the_signal(written):
    recording = READER.recordings(written)[0]
    clips = writer.clips_of(SUBJECTS[0])
    positive, negative = ({i for i, c in enumerate(clips) if c.felt == sign} for sign in ("positive", "negative"))
    assert state_effect(recording, positive, negative) > 0.1


def test_features_are_read_where_there_are_no_signals(tmp_path):
    writer.write(tmp_path, 0, 9700, SECONDS, features=True, subjects=SUBJECTS[:1])
    (recording,) = READER.recordings(tmp_path)
    assert recording.window_s == 1.0
    pairs = trial_signals(recording)
    array = pickle.loads((tmp_path / "EEG_Features" / "DE" / "sub007.pkl").read_bytes())
    for trial, de in pairs:
        assert de.shape == (3, 30, 5)
        np.testing.assert_allclose(de, array[int(trial.stimulus[4:]) - 1, :30].transpose(1, 0, 2), rtol=1e-5)


def test_without_a_playing_order_a_subject_is_left_out(folder):
    shutil.rmtree(folder / "Data" / "sub007")
    assert [r.subject for r in READER.recordings(folder)] == ["100"]


def test_without_any_playing_order_nothing_is_read(folder):
    shutil.rmtree(folder / "Data")
    with pytest.raises(ConfigError, match=r"After_remarks.mat: the order in which clips were played is unknown"):
        READER.recordings(folder)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="it is empty · give the folder that holds Processed_data"):
        READER.recordings(tmp_path)


def test_an_order_with_a_clip_twice_is_refused(folder):
    path = folder / "Data" / "sub007" / "After_remarks.mat"
    content = io.loadmat(path)["After_remark"]
    content[3, 0]["vid"] = content[4, 0]["vid"]
    io.savemat(path, {"After_remark": content})
    first, second = READER.recordings(folder)
    with pytest.raises(MoodError, match="28 different ones with 12 expected"):
        first.segments()
    assert (len(first.trials), len(second.trials)) == (0, 28)
    assert "28 different ones" in first.notes[0]
    shutil.rmtree(folder / "Data" / "sub100")
    with pytest.raises(MoodError, match="28 different ones with 12 expected"):
        READER.recordings(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros((27, 32, 750)), "an array of the shape"),
        (np.zeros((28, 32, 30, 5)), "an array of the shape"),
        ({"data": 1}, "an array of the shape"),
        (np.full((28, 32, 750), 1e-5) * np.random.default_rng(0).standard_normal((28, 32, 750)), "volts taken for µV"),
    ],
)
def test_what_is_no_processed_data_is_refused(folder, content, message):
    (folder / "Processed_data" / "sub007.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(MoodError, match=message):
        list(READER.recordings(folder)[0].segments())


def test_a_truncated_pickle_is_refused(folder):
    path = folder / "Processed_data" / "sub007.pkl"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(MoodError, match="a damaged pickle"):
        list(READER.recordings(folder)[0].segments())


def test_a_pickle_that_would_run_something_is_refused(folder):
    class Hostile:
        def __reduce__(self):
            return (print, ("ran",))

    (folder / "Processed_data" / "sub007.pkl").write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(MoodError, match=r"it asks for builtins\.print"):
        list(READER.recordings(folder)[0].segments())


def test_without_the_real_table_orders_and_ratings_have_its_statistics(monkeypatch, tmp_path):
    monkeypatch.setenv("REALTIME_MOOD_DATA", str(tmp_path))
    sessions = [writer.clips_of(subject) for subject in range(123)]
    signs = [[sign_of(clip.video) for clip in clips] for clips in sessions]
    assert all(sorted(c.video for c in clips) == list(range(1, 29)) for clips in sessions)
    assert not any(row[0] == "neutral" for row in signs)
    assert 0.75 < np.mean([a == b for row in signs for a, b in pairwise(row)]) < 0.9
    felt = [
        clip.felt == sign_of(clip.video) for clips in sessions for clip in clips if sign_of(clip.video) != "neutral"
    ]
    assert 0.77 < np.mean(felt) < 0.83


def test_the_real_table_gives_the_real_orders(monkeypatch, data_dir):
    monkeypatch.setenv("REALTIME_MOOD_DATA", str(data_dir))
    if not (data_dir / writer.TABLE).is_file():
        pytest.skip(f"no {writer.TABLE}")
    assert [clip.video for clip in writer.clips_of(0)][:4] == [11, 8, 2, 5]
    assert [clip.felt for clip in writer.clips_of(0)][:2] == ["negative", "negative"]
