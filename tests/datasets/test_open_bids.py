"""DENS, MUSIN-G and Imagined Emotion: onsets in samples, events of other files, and electrodes with other names."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.models.datasets.fixtures import open_bids as writer
from realtime_mood.models.datasets.sets import dens, imagined_emotion, musin_g
from tests.datasets.reading import state_effect, trial_signals

READERS = {"dens": dens.READER, "musin-g": musin_g.READER, "imagined-emotion": imagined_emotion.READER}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("open")
    writer.write_dens(root / "dens", 2, 9780, 5.0)
    writer.write_musin_g(root / "musin-g", 1, 9785, 8.0)
    writer.write_imagined_emotion(root / "imagined-emotion", 1, 9790, 4.0)
    return root


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "open")


@pytest.mark.parametrize("name", READERS)
def test_trials_come_in_order_with_their_signals(written, name):
    for recording in READERS[name].recordings(written / name):
        pairs = trial_signals(recording)
        assert [trial for trial, _ in pairs] == list(recording.trials)
        assert [t.position for t in recording.trials] == list(range(len(pairs)))
        assert len(set(recording.info.ch_names)) == recording.info.n_chans > 50
        assert {t.label for t in recording.trials} <= {*READERS[name].info.labels, ""}
        assert recording.info.virtual


@pytest.mark.parametrize("name", READERS)
def test_another_folder_is_refused(tmp_path, name):
    with pytest.raises(ConfigError):
        READERS[name].recordings(tmp_path)


# -- DENS ----------------------------------------------------------------------------------------------------------


def test_onsets_in_samples_and_names_in_another_capital(written):
    first, second = dens.READER.recordings(written / "dens")
    spans = [span for segment in first.segments() for span in segment.spans]
    assert np.allclose([(s.start, s.stop) for s in spans[:3]], [(2, 32), (34, 39), (45, 50)], atol=0.01)
    assert [s.trial is None for s in spans] == [True, *[False] * 8]
    assert first.trials[0].stimulus == "neutral_1"
    assert {t.label for t in first.trials} == {"negative", "neutral", "positive"}
    assert [t.ratings["valence"] for t in first.trials] == [writer.MEANT[t.label] for t in first.trials]
    assert second.notes == ("the subject's ratings are missing",)
    assert all(t.ratings == {} for t in second.trials)


def test_the_net_s_sensors_have_names_of_sites(written):
    recording = dens.READER.recordings(written / "dens")[0]
    assert {"Fp1", "F3", "T7", "Oz"} < set(recording.info.ch_names)
    assert recording.info.reference == "Cz"
    label = {t.position: t.label for t in recording.trials}
    positive, negative = ({i for i, it in label.items() if it == sign} for sign in ("positive", "negative"))
    assert state_effect(recording, positive, negative) > 0.1


def test_onsets_in_seconds_are_read_as_such(folder):
    path = next((folder / "dens").glob("sub-mit003/eeg/*_events.tsv"))
    head, *lines = path.read_text("utf-8").splitlines()
    cells = [line.split("\t") for line in lines]
    path.write_text("\n".join([head, *("\t".join([str(float(c[0]) / 250), *c[1:]]) for c in cells)]), "utf-8")
    spans = [s for segment in dens.READER.recordings(folder / "dens")[0].segments() for s in segment.spans]
    assert np.allclose([(s.start, s.stop) for s in spans[:2]], [(2, 32), (34, 39)], atol=0.01)


def test_events_that_fit_as_neither_are_refused(folder):
    path = next((folder / "dens").glob("sub-mit003/eeg/*_events.tsv"))
    path.write_text(path.read_text("utf-8") + "99999999.0\t1000\tstm\t8_9\tn/a\n", "utf-8")
    with pytest.raises(MoodError, match="as seconds and as samples"):
        dens.READER.recordings(folder / "dens")[0].segments()


def test_ratings_of_another_subject_are_refused(folder):
    path = next((folder / "dens").glob("sub-mit003/beh/*.tsv"))
    head, *lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([head, *lines[::-1]]) + "\n", "utf-8")
    with pytest.raises(MoodError, match="they belong to another subject"):
        dens.READER.recordings(folder / "dens")[0].segments()


def test_a_recording_without_signal_or_events_is_left_out(folder):
    for path in (folder / "dens").glob("sub-mit003/eeg/*.set"):
        path.unlink()
    assert [r.subject for r in dens.READER.recordings(folder / "dens")] == ["mit004"]


def test_a_signal_cut_short_is_refused(folder):
    path = next((folder / "dens").glob("sub-mit003/eeg/*.fdt"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(MoodError):
        list(dens.READER.recordings(folder / "dens")[0].segments())


# -- MUSIN-G -------------------------------------------------------------------------------------------------------


def test_a_song_is_all_of_its_file_and_events_are_not_used(written):
    (recording,) = musin_g.READER.recordings(written / "musin-g")
    assert [t.stimulus for t in recording.trials] == ["song01", "song03", "song10"]
    assert [len(x) / 250 for _, x in trial_signals(recording)] == [8.0] * 3
    assert recording.notes == (musin_g.NOTE,)


def test_files_of_two_rates_are_two_recordings(folder):
    path = next((folder / "musin-g").glob("sub-001/ses-10/eeg/*_eeg.json"))
    path.write_text(path.read_text("utf-8").replace("250.0", "1000.0"), "utf-8")
    first, second = musin_g.READER.recordings(folder / "musin-g")
    assert (len(first.trials), len(second.trials)) == (2, 1)
    with pytest.raises(MoodError, match="at 250 Hz; 70 at 1000 expected"):
        list(second.segments())


# -- Imagined Emotion ----------------------------------------------------------------------------------------------


def test_an_emotion_is_from_the_first_press_to_its_end(written):
    (recording,) = imagined_emotion.READER.recordings(written / "imagined-emotion")
    spans = [span for segment in recording.segments() for span in segment.spans]
    assert np.allclose([(s.start, s.stop) for s in spans[:2]], [(2, 32), (38, 42)], atol=0.01)
    assert spans[3].stop - spans[3].start == pytest.approx(7.9, abs=0.02), "no press: from the name on"
    assert len(recording.trials) == 15
    assert recording.trials[0].label == recording.trials[0].stimulus


def test_electrodes_are_named_after_the_nearest_sites(written):
    (recording,) = imagined_emotion.READER.recordings(written / "imagined-emotion")
    assert {"Fp1", "T7", "T8", "Oz"} < set(recording.info.ch_names)
    label = {t.position: t.label in imagined_emotion.POSITIVE for t in recording.trials}
    assert state_effect(recording, {i for i in label if label[i]}, {i for i in label if not label[i]}) > 0.1


def test_a_file_without_positions_is_refused(folder):
    path = next((folder / "imagined-emotion").glob("sub-01/eeg/*_eeg.set"))
    signal = np.random.default_rng(0).standard_normal((2560, 12))
    writer.write_set(path, signal, [f"A{i}" for i in range(1, 13)], 256.0)
    with pytest.raises(MoodError, match="0 of its 12 channels have a position"):
        imagined_emotion.READER.recordings(folder / "imagined-emotion")


def test_events_without_emotions_are_refused(folder):
    path = next((folder / "imagined-emotion").glob("sub-01/eeg/*_events.tsv"))
    path.write_text(path.read_text("utf-8").replace("\texit\t", "\tend\t"), "utf-8")
    with pytest.raises(MoodError, match="no emotion from its name to 'exit'"):
        imagined_emotion.READER.recordings(folder / "imagined-emotion")
