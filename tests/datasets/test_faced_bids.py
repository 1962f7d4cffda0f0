"""FACED in BIDS: two montages and rates, volts in some files, `video_index`, and events that do not fit."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.models.datasets.fixtures import faced_bids as writer
from realtime_mood.models.datasets.fixtures.faced import clips_of
from realtime_mood.models.datasets.guards import typical_sd
from realtime_mood.models.datasets.sets.faced_bids import READER
from tests.datasets.reading import state_effect, trial_signals

SUBJECTS = (30, 61)
"""One of the first montage at 250 Hz, in volts; one of the second at 1000 Hz."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("faced-bids")
    writer.write(root, 0, 9710, 3.0, subjects=SUBJECTS)
    return root


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "faced-bids")


def events_of(root: Path, subject: int) -> Path:
    return next(root.glob(f"sub-{subject:03}/eeg/*_events.tsv"))


def test_both_montages_give_the_same_electrodes(written):
    first, second = READER.recordings(written)
    assert first.info.ch_names == second.info.ch_names
    assert first.info.n_chans == 30
    assert not {"A1", "A2", "T9", "T10", "F9", "F10"} & set(first.info.ch_names)
    assert (first.info.sfreq, second.info.sfreq) == (250.0, 1000.0)
    assert first.info.virtual


def test_clips_are_the_rows_with_a_video_index(written):
    for subject, recording in zip(SUBJECTS, READER.recordings(written), strict=True):
        clips = clips_of(subject)
        assert [t.stimulus for t in recording.trials] == [f"clip{clip.video:02}" for clip in clips]
        assert [t.ratings["arousal"] for t in recording.trials] == [clip.scores[8] for clip in clips]
        assert set(recording.trials[0].ratings) == set(READER.info.scales)
        assert [trial for trial, _ in trial_signals(recording)] == list(recording.trials)


def test_a_file_in_volts_is_read_in_microvolts(written):
    for recording in READER.recordings(written):
        signal = trial_signals(recording)[0][1]
        assert 4 < typical_sd(signal, recording.info.sfreq) < 60


def test_the_cross_before_each_clip_is_the_baseline(written):
    recording = READER.recordings(written)[0]
    spans = [span for segment in recording.segments() for span in segment.spans]
    assert [span.trial is None for span in spans] == [True, False] * 28
    assert np.allclose([span.stop - span.start for span in spans], [5.0, 3.0] * 28, atol=0.01)


def test_the_state_that_was_felt_is_in_the_signal(written):
    recording = READER.recordings(written)[1]
    clips = clips_of(SUBJECTS[1])
    positive, negative = ({i for i, c in enumerate(clips) if c.felt == sign} for sign in ("positive", "negative"))
    assert state_effect(recording, positive, negative) > 0.1


def test_a_subject_whose_signal_was_not_downloaded_is_left_out(folder):
    signal = next(folder.glob("sub-030/eeg/*.bdf"))
    signal.unlink()
    signal.symlink_to("../../.git/annex/objects/missing.bdf")
    assert [r.subject for r in READER.recordings(folder)] == ["061"]


def test_events_of_another_subject_are_refused(folder):
    path = events_of(folder, 30)
    path.write_text(path.read_text("utf-8").replace("\tnegative\t", "\tpositive\t"), "utf-8")
    with pytest.raises(MoodError, match="is positive, by its index negative"):
        READER.recordings(folder)[0].segments()


def test_a_clip_twice_is_refused(folder):
    path = events_of(folder, 30)
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([*lines, lines[-1]]), "utf-8")
    with pytest.raises(MoodError, match="each of 1 to 28 at most once"):
        READER.recordings(folder)[0].segments()


def test_onsets_in_samples_are_refused(folder):
    path = events_of(folder, 30)
    head, *lines = path.read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    path.write_text("\n".join([head, *("\t".join([str(float(r[0]) * 250), *r[1:]]) for r in rows)]), "utf-8")
    with pytest.raises(MoodError, match="unit of onsets: samples"):
        READER.recordings(folder)[0].segments()


def test_a_signal_that_is_cut_short_is_refused(folder):
    path = next(folder.glob("sub-061/eeg/*.bdf"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(MoodError):
        [list(r.segments()) for r in READER.recordings(folder)]


def test_events_without_ratings_are_refused(folder):
    path = events_of(folder, 30)
    path.write_text(path.read_text("utf-8").replace("Valence", "valenz"), "utf-8")
    with pytest.raises(MoodError, match="it has no column Valence"):
        READER.recordings(folder)[0].segments()


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="sub-000"):
        READER.recordings(tmp_path)
