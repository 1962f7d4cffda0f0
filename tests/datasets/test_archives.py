"""BioHack, SSVEP, EEGMAT and DASPS: the real archives where they are at hand, simulated ones, and damaged ones."""

from __future__ import annotations

import json
import pickle
import shutil
from collections import Counter
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.models.datasets.archives import Archive
from realtime_mood.models.datasets.fixtures import archives as writer
from realtime_mood.models.datasets.person import NO_LABEL
from realtime_mood.models.datasets.preparing import jobs_of, load, prepare
from realtime_mood.models.datasets.preparing import labelled as with_labels
from realtime_mood.models.datasets.sets import biohack, dasps, eegmat, ssvep_exo
from realtime_mood.models.evaluation import labelled, run
from tests.datasets.reading import log_power, state_effect, trial_signals

NAMES = {"biohack": biohack.READER, "dasps": dasps.READER, "eegmat": eegmat.READER, "ssvep-exo": ssvep_exo.READER}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("archives")
    writer.write_biohack(root, 2, 9740, 8.0)
    writer.write_ssvep(root, 1, 9741, 0.0)
    writer.write_eegmat(root, 2, 9742, 0.0)
    writer.write_dasps(root, 2, 9743, 8.0)
    return root


# -- all of them ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_trials_come_in_order_and_are_marked_as_simulated(written, name):
    for recording in NAMES[name].recordings(written):
        assert [t.position for t in recording.trials] == list(range(len(recording.trials)))
        assert [trial for trial, _ in trial_signals(recording)] == list(recording.trials)
        assert recording.info.virtual
        assert {t.label for t in recording.trials} <= set(NAMES[name].info.labels)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_without_the_archive_is_refused(tmp_path, name):
    with pytest.raises(ConfigError):
        NAMES[name].recordings(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_damaged_archives_are_refused(written, tmp_path, name):
    pattern = {"biohack": "bio*", "dasps": "das*", "eegmat": "eeg*", "ssvep-exo": "ss*"}[name]
    path = next(written.glob(pattern))
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for at in rng.integers(0, len(content), 30):
        broken = bytearray(content)
        broken[at : at + 4] = rng.bytes(4)
        (tmp_path / path.name).write_bytes(broken if at % 3 else content[:at])
        try:
            for recording in NAMES[name].recordings(tmp_path)[:1]:
                list(recording.segments())
        except MoodError:
            refused += 1
    assert refused > 8


@pytest.mark.parametrize(
    ("meta", "index"),
    [
        ({"fs": 0, "channels": ["Fp1"], "uV_per_lsb": 1}, [{"key": "x", "subject": "1"}]),
        ({"fs": 128, "channels": ["?"], "uV_per_lsb": 1}, [{"key": "x", "subject": "1"}]),
        ({"fs": 128, "channels": ["Fp1"], "uV_per_lsb": 1}, [{"subject": "1"}]),
        ({"fs": 128, "channels": ["Fp1"]}, [{"key": "x", "subject": "1"}]),
    ],
)
def test_an_archive_that_does_not_describe_recordings_is_refused(tmp_path, meta, index):
    lines = np.array([json.dumps(entry) for entry in index])
    np.savez(tmp_path / "a.npz", meta=json.dumps(meta), index=lines, x=np.zeros((1, 9), np.int16))
    with pytest.raises(MoodError, match=r"archive a\.npz"):
        Archive(tmp_path, "*.npz", "a set")


# -- BioHack -------------------------------------------------------------------------------------------------------


def test_takes_of_a_day_are_a_session_in_the_order_of_their_starts(written):
    recordings = biohack.READER.recordings(written)
    assert [(r.subject, r.session) for r in recordings] == [("P1", "1"), ("P1", "2"), ("P2", "1"), ("P2", "2")]
    assert all(Counter(t.label for t in r.trials) == dict.fromkeys(biohack.LABELS, 1) for r in recordings)


def test_a_take_that_is_there_twice_is_read_once(written):
    first = biohack.READER.recordings(written)[0]
    assert first.notes == (f"a take of {first.trials[0].label} is there twice: one copy left out",)
    assert len(list(first.segments())) == 3


def test_real_takes_of_biohack(data_dir):
    recordings = biohack.READER.recordings(data_dir)
    assert Counter(r.subject for r in recordings) == {"P1": 3, "P2": 5, "P3": 1, "P4": 4}
    assert sum(len(r.trials) for r in recordings) == 39
    assert [r.notes for r in recordings if r.notes] == [("a take of confused is there twice: one copy left out",)]
    assert [t.label for t in recordings[1].trials] == ["understanding", "confused", "control"]
    signal = next(recordings[0].segments()).signal
    assert signal.shape == (44987, 4)


# -- SSVEP ---------------------------------------------------------------------------------------------------------


def frequency_of(signal: np.ndarray, sfreq: float) -> str:
    """The light that the occipital electrodes follow, by power against its neighbours."""
    hz = {"13hz": 13, "17hz": 17, "21hz": 21}
    at = {
        name: (log_power(signal, sfreq, f - 0.3, f + 0.3) - log_power(signal, sfreq, f - 1.5, f + 1.5)).mean()
        for name, f in hz.items()
    }
    return max(at, key=at.__getitem__)


def test_lights_are_named_after_their_frequency(written):
    (recording,) = ssvep_exo.READER.recordings(written)
    lights = [(t.label, frequency_of(x, 256.0)) for t, x in trial_signals(recording) if t.label != "rest"]
    assert len(lights) == 9
    assert all(label == found for label, found in lights)


def test_trials_begin_half_a_second_after_the_light(written):
    (recording,) = ssvep_exo.READER.recordings(written)
    for segment, trial in zip(recording.segments(), recording.trials, strict=True):
        (span,) = segment.spans
        assert (span.start, span.stop, span.trial) == (10, 14.5, trial)
        assert len(segment.signal) == 14.5 * 256


def test_real_lights_are_seen_in_the_signal(data_dir):
    recordings = ssvep_exo.READER.recordings(data_dir)
    assert len({r.subject for r in recordings}) == 12
    for r in recordings:
        assert set(Counter(t.label for t in r.trials).values()) == {len(r.trials) // 4}
        assert [t.position for t in r.trials] == list(range(len(r.trials)))
    assert sum(len(r.trials) for r in recordings) == 32 * 32
    found = [
        t.label == frequency_of(x, 256.0) for r in recordings[::6] for t, x in trial_signals(r) if t.label != "rest"
    ]
    assert np.mean(found) > 0.45, "chance is one in three"


# -- EEGMAT --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("files", [False, True])
def test_rest_and_arithmetic_minute_by_minute(written, tmp_path, files):
    if files:
        writer.write_eegmat(tmp_path, 1, 9742, 0.0, files=True)
    recordings = pickle.loads(pickle.dumps(eegmat.READER.recordings(tmp_path if files else written)))
    segments = list(recordings[0].segments())
    labels = [segment.spans[0].trial and segment.spans[0].trial.label for segment in segments]
    assert labels == [None, "rest", "arithmetic"]
    assert recordings[0].info.reference == "linked ears"
    assert recordings[0].info.n_chans == 19
    assert {"T7", "P8"} < set(recordings[0].info.ch_names)
    lengths = [round(len(s.signal) / recordings[0].info.sfreq) for s in segments]
    assert lengths == ([60, 58, 58] if files else [60, 60, 60])
    assert all(np.ptp(s.signal[-50:], axis=0).min() > 0 for s in segments), "the zeros at a file's end"


@pytest.mark.parametrize("rest_s", [89.9, 90.0, 90.1, 150.0, 180.0])
def test_the_minutes_of_rest_and_arithmetic_are_never_mixed_up(tmp_path, rest_s):
    rng, sfreq = np.random.default_rng(0), 125
    entries = [{"subject": "00", "label": label} for label in ("rest", "arithmetic")]
    signals = [rng.normal(0, 10, (round(seconds * sfreq), len(writer.OLD_TEN_TWENTY))) for seconds in (rest_s, 60.0)]
    meta = {"fs": sfreq, "channels": writer.OLD_TEN_TWENTY, "uV_per_lsb": 0.1}
    writer._write_archive(tmp_path / "eegmat_125hz.npz", meta, entries, signals)
    (recording,) = eegmat.READER.recordings(tmp_path)
    segments = list(recording.segments())
    assert [segment.spans[0].trial for segment in segments] == [None, *recording.trials]
    np.testing.assert_allclose(segments[-1].signal, signals[1], atol=0.06)
    assert segments[-1].spans[0].trial.label == "arithmetic"


def test_a_subject_with_one_of_the_two_files_is_left_out(tmp_path):
    writer.write_eegmat(tmp_path, 1, 9742, 0.0, files=True)
    shutil.copy(tmp_path / "Subject00_1.edf", tmp_path / "Subject07_1.edf")
    assert [r.subject for r in eegmat.READER.recordings(tmp_path)] == ["00"]


def test_real_eegmat(data_dir):
    recordings = eegmat.READER.recordings(data_dir)
    assert len(recordings) == 24
    assert all([t.label for t in r.trials] == ["rest", "rest", "arithmetic"] for r in recordings)
    assert all(len(list(r.segments())) == 4 for r in recordings[:3])


def test_eegmat_as_downloaded_gets_the_table_of_any_labelled_set(tmp_path, monkeypatch):
    writer.write_eegmat(tmp_path, 3, 9742, 0.0, files=True)
    monkeypatch.setattr(labelled, "user_cache_path", lambda _: tmp_path / "prepared")
    monkeypatch.setattr(run.report, "pictures", lambda *_: [])
    options = run.Options("effort", tmp_path / "out.json", tmp_path, "eegmat", "loso", "z", "4", "lr", n_folds=3,
                          n_inner=1)  # fmt: skip
    run.evaluate(options, [], lambda _: None, Console(file=StringIO()))
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["about"]["labels_mean"] == "what the subject was asked to do"
    with pytest.raises(ConfigError, match="300 s of baseline from all subjects · eegmat-00 has 56 s"):
        run.evaluate(replace(options, track="c5"), [], lambda _: None, Console(file=StringIO()))
    assert found["control_rows"]["position"]["balanced_accuracy"]["mean"] == 1, "rest comes first"
    assert found["results"]["4"]["lr"]["people"][0]["seconds"] == 2 * 46, "58 s of a minute, without 12"


def test_the_first_minute_is_baseline_and_rest_and_every_minute_starts_again(written, tmp_path):
    (job, *_) = jobs_of(eegmat.READER.recordings(written), eegmat.READER.info, FeatureSpec(), tmp_path)
    prepare(job)
    p = with_labels(load(job), eegmat.READER.info, "effort", felt=False, baseline_s=60, spec=FeatureSpec())
    assert [set(p.label[p.piece == i][12:]) for i in range(3)] == [{0}, {0}, {1}]
    assert set(p.label[np.arange(len(p.label)) % 60 < 12]) == {NO_LABEL}
    assert set(np.flatnonzero(p.rest)) <= set(range(60))
    assert p.session is None, "running statistics restart with each minute"


def test_several_archives_are_refused(written, tmp_path):
    for name in ("eegmat_one.npz", "eegmat_two.npz"):
        shutil.copy(next(written.glob("eegmat*.npz")), tmp_path / name)
    with pytest.raises(MoodError, match=r"several archives: eegmat_one\.npz, eegmat_two\.npz"):
        eegmat.READER.recordings(tmp_path)


# -- DASPS ---------------------------------------------------------------------------------------------------------


def test_each_situation_is_listened_to_and_imagined(written):
    for recording in dasps.READER.recordings(written):
        assert [t.stimulus for t in recording.trials] == [f"situation{i}" for i in range(1, 7) for _ in range(2)]
        assert [t.label for t in recording.trials] == ["listen", "imagine"] * 6
        pairs = zip(recording.trials[::2], recording.trials[1::2], strict=True)
        assert all(one.ratings == other.ratings and set(one.ratings) == {"valence", "arousal"} for one, other in pairs)


def test_the_files_of_the_authors_are_unwrapped(tmp_path):
    writer.write_dasps(tmp_path, 2, 9743, 0.0, files=True)
    recordings = dasps.READER.recordings(tmp_path)
    assert [r.subject for r in recordings] == ["S02", "S03"]
    raw = trial_signals(recordings[1])
    assert max(np.abs(np.diff(x, axis=0)).max() for _, x in raw) < 300
    assert not [note for note in recordings[1].notes if "VIRTUAL" in note.upper()], "the subject's name"
    shutil.rmtree(tmp_path / "Raw data .edf")
    cut = trial_signals(dasps.READER.recordings(tmp_path)[1])
    for (trial, x), (same, y) in zip(raw, cut, strict=True):
        assert trial == same
        np.testing.assert_allclose(x - x.mean(axis=0), y - y.mean(axis=0), atol=0.2)


def test_what_was_felt_is_in_the_signal(written):
    recording = dasps.READER.recordings(written)[0]
    valence = [t.ratings["valence"] for t in recording.trials]
    positive, negative = {i for i, v in enumerate(valence) if v > 5}, {i for i, v in enumerate(valence) if v < 3}
    if not positive:
        positive = {i for i, v in enumerate(valence) if 3 <= v <= 5}
    assert state_effect(recording, positive, negative) > 0


def test_signals_without_ratings_are_refused_by_name(tmp_path):
    writer.write_dasps(tmp_path, 1, 9743, 0.0, files=True)
    shutil.rmtree(tmp_path / "Raw data.mat")
    with pytest.raises(ConfigError, match="which hold the ratings"):
        dasps.READER.recordings(tmp_path)


def test_ratings_that_differ_between_the_parts_are_refused(tmp_path):
    import h5py

    writer.write_dasps(tmp_path, 1, 9743, 0.0, files=True)
    with h5py.File(tmp_path / "Raw data.mat" / "S02.mat", "r+") as file:
        file["labels"][0, 1] += 1
    with pytest.raises(MoodError, match="each value twice"):
        dasps.READER.recordings(tmp_path)


def test_real_dasps(data_dir):
    recordings = dasps.READER.recordings(data_dir)
    assert len(recordings) == 23
    valence = Counter(t.ratings["valence"] for r in recordings for t in r.trials[::2])
    assert valence == {1: 53, 2: 7, 3: 36, 4: 1, 5: 39, 7: 2}
    third = recordings[2]
    (segment,) = third.segments()
    assert [span.start for span in segment.spans[::2]] == [39.5 * i for i in range(6)]
    assert max(np.abs(np.diff(x[:, 1])).max() for _, x in trial_signals(third)) < 345, "unwrapped"
