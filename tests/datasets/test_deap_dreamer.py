"""DEAP and DREAMER: order and ratings of trials, channels, baselines, and what is refused."""

from __future__ import annotations

import csv
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from quick_person import QuickPerson, copy_of, cut, recordings, refused, segments
from scipy.io import loadmat, savemat

from realtime_mood.errors import ConfigError
from realtime_mood.models.datasets.fixtures import clips, dreamer
from realtime_mood.models.datasets.fixtures.deap import write_raw
from realtime_mood.models.datasets.fixtures.dreamer import write
from realtime_mood.models.datasets.sets import deap, deap_raw

PICKLES, RATINGS = "data_preprocessed_python", "metadata_csv/participant_ratings.csv"


@pytest.fixture
def root(written, tmp_path: Path) -> Path:
    return copy_of(written("deap"), tmp_path)


def change_pickle(path: Path, change) -> None:
    content = pickle.loads(path.read_bytes())
    path.write_bytes(pickle.dumps(content | change(content), 2))


def rows(root: Path) -> list[dict[str, str]]:
    with (root / RATINGS).open(newline="") as file:
        return list(csv.DictReader(file))


def write_rows(root: Path, table: list[dict[str, str]]) -> None:
    with (root / RATINGS).open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)


def amplitude_of_valence(recording) -> np.ndarray:
    """Typical amplitude of each trial, and its valence: (n_trials, 2)."""
    found = []
    for segment in segments(recording):
        for span in segment.spans:
            if span.trial:
                at = slice(round(span.start * recording.info.sfreq), round(span.stop * recording.info.sfreq))
                found.append((segment.signal[at].std(), span.trial.ratings["valence"]))
    return np.array(found)


# -- DEAP, preprocessed --------------------------------------------------------------------------------------------


def test_videos_are_in_the_order_in_which_they_were_played(root: Path) -> None:
    first, second = recordings("deap", root)
    own = [row for row in rows(root) if row["Participant_id"] == "1"]
    assert [t.stimulus for t in first.trials] == [row["Experiment_id"] for row in own]
    assert [t.position for t in first.trials] == list(range(40))
    assert [t.stimulus for t in second.trials] != [t.stimulus for t in first.trials]
    played = [span.trial for segment in segments(first) for span in segment.spans if span.trial]
    assert tuple(played) == first.trials
    amplitude, valence = amplitude_of_valence(first).T
    assert np.median(amplitude[valence > 5.5]) > 2 * np.median(amplitude[valence < 4.5])


def test_ratings_are_the_subjects_own_and_those_not_given_are_left_out(root: Path) -> None:
    first, second = recordings("deap", root)
    video = next(t for t in first.trials if t.stimulus == "7")
    content = pickle.loads((root / PICKLES / "s01.dat").read_bytes())
    assert [video.ratings[s] for s in ("valence", "arousal", "dominance", "liking")] == content["labels"][6].tolist()
    assert 1 <= video.ratings["familiarity"] <= 5
    assert "familiarity" not in second.trials[0].ratings  # subject 2 was not asked


def test_three_seconds_before_each_video_and_32_channels_of_eeg(root: Path) -> None:
    def number_channels(content: dict) -> dict:
        return {"data": np.broadcast_to(np.arange(40.0)[:, None], content["data"].shape).copy()}

    change_pickle(root / PICKLES / "s01.dat", number_channels)
    recording = recordings("deap", root)[0]
    first = segments(recording)[0]
    assert [(s.start, s.stop, s.trial is None) for s in first.spans] == [(0.0, 3.0, True), (3.0, 5.0, False)]
    columns = dict(zip(recording.info.ch_names, first.signal[0], strict=True))
    assert (columns["Fp1"], columns["T7"], columns["Fz"], columns["O2"]) == (0, 7, 18, 31)
    assert recording.info.reference == "average"


def test_without_the_table_the_order_is_unknown_and_said_so(root: Path) -> None:
    (root / RATINGS).unlink()
    recording = recordings("deap", root)[0]
    assert any("order in which videos were played is unknown" in note for note in recording.notes)
    assert [t.stimulus for t in recording.trials] == [str(k) for k in range(1, 41)]
    assert recording.trials[3].ratings.keys() == {"valence", "arousal", "dominance", "liking"}


def test_ratings_of_another_subject_are_refused(root: Path) -> None:
    table = rows(root)
    swapped = {"1": "2", "2": "1"}
    write_rows(root, [row | {"Participant_id": swapped[row["Participant_id"]]} for row in table])
    assert "s01.dat and participant_ratings.csv · video" in refused("deap", root)
    write_rows(root, [row | {"Experiment_id": "1"} for row in table])
    assert "subject 1 in participant_ratings.csv · not 40 different videos" in refused("deap", root)
    (root / RATINGS).write_text("a;b\n1;2\n")
    assert "no table of ratings" in refused("deap", root)


def test_damaged_and_wrong_pickles_are_refused(root: Path) -> None:
    path = root / PICKLES / "s01.dat"
    whole = path.read_bytes()
    cut(path)
    assert "a damaged pickle" in refused("deap", root)
    path.write_bytes(whole)
    change_pickle(path, lambda content: {"data": content["data"][:, :32]})
    assert "an array of float64 of shape (40, 32, 640); 40 × 40 expected" in refused("deap", root)
    path.write_bytes(pickle.dumps([1, 2]))
    assert "no pickle of data and labels" in refused("deap", root)


class Evil:
    def __reduce__(self) -> tuple:
        return os.mkdir, ("planted",)


def test_a_program_in_a_pickle_is_not_run(root: Path, monkeypatch) -> None:
    monkeypatch.chdir(root)
    (root / PICKLES / "s01.dat").write_bytes(pickle.dumps({"data": Evil(), "labels": np.ones((40, 4))}))
    assert "it asks for" in refused("deap", root)
    assert not (root / "planted").exists()


def test_missing_subjects_and_other_folders(root: Path, written) -> None:
    (root / PICKLES / "s01.dat").unlink()
    assert [r.subject for r in recordings("deap", root / PICKLES)] == ["2"]
    with pytest.raises(ConfigError, match="give the folder that holds data_preprocessed_python/"):
        recordings("deap", written("seed"))


# -- DEAP, recordings ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A subject of Twente and one of Geneva."""
    root = tmp_path_factory.mktemp("raw")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clips, "VirtualPerson", QuickPerson)
        write_raw(root, 2, 3, 1.0, subjects=(1, 24))
    return root


def test_codes_find_videos_in_both_laboratories_and_names_their_channels(raw: Path) -> None:
    one, other = recordings("deap-raw", raw)
    assert one.info.ch_names == tuple(deap_raw.TWENTE)
    assert other.info.ch_names == tuple(deap.CHANNELS)
    assert sorted(one.info.ch_names) == sorted(other.info.ch_names)
    assert one.info.sfreq == 512
    for recording in (one, other):
        rest, *videos = segments(recording)
        assert [span.trial for span in rest.spans] == [None]
        assert rest.spans[0].stop > 20
        assert [s.trial for v in videos for s in v.spans] == list(recording.trials)
        assert all(abs(s.stop - s.start - 0.9) < 0.01 for v in videos for s in v.spans)
        amplitude, valence = amplitude_of_valence(recording).T
        assert np.median(amplitude[valence > 5.5]) > 2 * np.median(amplitude[valence < 4.5])
        assert 5 < np.median(amplitude) < 30


def test_videos_are_those_of_the_table_in_playing_order(raw: Path) -> None:
    own = [row["Experiment_id"] for row in rows(raw) if row["Participant_id"] == "24"]
    assert [t.stimulus for t in recordings("deap-raw", raw)[1].trials] == own


def test_channels_without_names_are_in_the_order_of_their_laboratory(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(clips, "VirtualPerson", QuickPerson)
    write_raw(tmp_path, 1, 3, 1.0, subjects=(24,), with_labels=False)
    recording = recordings("deap-raw", tmp_path)[0]
    assert recording.info.ch_names == tuple(deap.CHANNELS)
    assert any("in the order of Geneva" in note for note in recording.notes)


def test_recordings_without_the_table_or_cut_short_are_refused(raw: Path, tmp_path: Path) -> None:
    root = copy_of(raw, tmp_path)
    (root / "data_original" / "s24.bdf").unlink()
    path = root / "data_original" / "s01.bdf"
    cut(path, 0.7)
    assert "beginnings of videos (code 4); 40 expected" in refused("deap-raw", root)
    path.write_bytes(b"damaged")
    assert "s01.bdf · it cannot be read" in refused("deap-raw", root)
    (root / RATINGS).unlink()
    with pytest.raises(ConfigError, match="which video was played when is unknown without it"):
        recordings("deap-raw", root)


# -- DREAMER -------------------------------------------------------------------------------------------------------


def test_clips_of_unequal_length_each_after_its_baseline(written) -> None:
    one, other = recordings("dreamer", written("dreamer"))
    assert (one.subject, one.session, len(one.trials), one.info.sfreq) == ("1", "1", 18, 128.0)
    assert one.info.ch_names == ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")
    parts = segments(one)
    assert [segment.spans[0].trial for segment in parts] == [t for trial in one.trials for t in (None, trial)]
    assert len({len(segment.signal) for segment in parts[1::2]}) > 10
    assert {len(segment.signal) for segment in parts[::2]} == {256}
    assert abs(parts[0].signal.mean() - 4200) < 50  # the offset of an EPOC
    amplitude, valence = amplitude_of_valence(one).T
    assert np.median(amplitude[valence > 3.3]) > 1.5 * np.median(amplitude[valence < 2.7])
    assert other.trials[0].ratings != one.trials[0].ratings or other.trials[5].ratings != one.trials[5].ratings
    assert {s for t in one.trials for s in t.ratings} == {"valence", "arousal", "dominance"}


def test_channels_are_named_by_the_file(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(clips, "VirtualPerson", QuickPerson)
    order = tuple(reversed(dreamer.CHANNELS))
    write(tmp_path, 1, 3, 1.0, channels=order)
    recording = recordings("dreamer", tmp_path)[0]
    assert recording.info.ch_names == order
    assert segments(recording)[1].signal.shape[1] == 14


def test_a_wrong_or_damaged_file_is_refused(written, tmp_path: Path) -> None:
    root = copy_of(written("dreamer"), tmp_path)
    path = root / "DREAMER.mat"
    cut(path, 0.5)
    assert "cannot be read" in refused("dreamer", root)
    savemat(path, {"other": 1.0})
    assert "DREAMER/Data of DREAMER.mat · no variable DREAMER; there are other" in refused("dreamer", root)
    path.unlink()
    with pytest.raises(
        ConfigError, match=r"data set dreamer in .* · it holds SIMULATED.txt · give the folder that holds"
    ):
        recordings("dreamer", root)


def test_ratings_that_are_missing_are_refused(written, tmp_path: Path) -> None:
    root = copy_of(written("dreamer"), tmp_path)
    content = loadmat(root / "DREAMER.mat")["DREAMER"]
    content["Data"][0, 0][0, 1]["ScoreValence"][0, 0] = np.ones((17, 1))
    savemat(root / "DREAMER.mat", {"DREAMER": content})
    assert "ratings of subject 2 of DREAMER · not 18 on each scale" in refused("dreamer", root)
