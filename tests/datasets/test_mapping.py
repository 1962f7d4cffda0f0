"""Data sets described by a TOML file: tables, annotations, whole files, and descriptions that do not fit."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.models.datasets.description import DatasetMapping
from realtime_mood.models.datasets.fixtures import open_bids
from realtime_mood.models.datasets.fixtures.files import played, write_edf, write_tsv
from realtime_mood.models.datasets.preparing import jobs_of
from realtime_mood.models.datasets.sets import reader_of
from tests.datasets.reading import trial_signals

DOC = Path(__file__).parents[2] / "docs" / "own-datasets.md"
EXAMPLES = re.findall(r"```toml\n(.*?)```", DOC.read_text(), re.DOTALL)
NAMES = ("Fp1", "Fp2", "C3", "C4", "O1", "O2")
HEAD = ("onset", "duration", "emotion", "video", "Valence")
EVENTS = [
    (1.0, 0, "n/a", "n/a", "n/a"),
    (8.0, 4.0, "Joy", "a", 8),
    (16.0, 4.0, "Fear", "b", 2),
    (24.0, 4.0, "?", "c", 99),
]


@pytest.fixture(scope="module")
def signal() -> np.ndarray:
    x = played(9810, NAMES, 128.0, [("neutral", 32.0)])
    return x - x[0]


def described(tmp_path: Path, text: str):
    path = tmp_path / "set.toml"
    path.write_text(text, "utf-8")
    return reader_of(str(path))


def write_bids(root: Path, signal: np.ndarray, rows=EVENTS) -> None:
    for subject in ("01", "02"):
        for session in ("a", "b"):
            stem = root / f"sub-{subject}" / "eeg" / f"sub-{subject}_ses-{session}"
            labels = [*NAMES, "ECG"]
            write_edf(stem.with_name(f"{stem.name}_eeg.edf"), np.column_stack([signal, signal[:, 0]]), labels, 128.0)
            write_tsv(stem.with_name(f"{stem.name}_events.tsv"), HEAD, rows)


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_of_the_documentation_are_valid(text):
    assert DatasetMapping.model_validate(tomllib.loads(text)).signals
    assert len(EXAMPLES) == 3


def test_tables_beside_recordings(tmp_path, signal):
    write_bids(tmp_path, signal)
    reader = described(tmp_path, EXAMPLES[0])
    recordings = reader.recordings(tmp_path)
    assert [(r.subject, r.session) for r in recordings] == [("01", "a"), ("01", "b"), ("02", "a"), ("02", "b")]
    first = recordings[0]
    assert [(t.position, t.stimulus, t.label, t.ratings) for t in first.trials] == [
        (0, "a", "positive", {"valence": 8.0}), (1, "b", "negative", {"valence": 2.0}), (2, "c", "", {}),
    ]  # fmt: skip
    assert (first.info.ch_names, first.info.reference, first.info.virtual) == (NAMES, "FCz", True)
    spans = [span for segment in first.segments() for span in segment.spans]
    assert np.allclose([(s.start, s.stop) for s in spans[:2]], [(3, 8), (8, 12)])
    assert reader.info.labels == ("positive", "negative", "neutral")
    assert reader.info.baseline == "pre-clip"


def test_what_was_prepared_by_another_description_is_not_used(tmp_path, signal):
    write_bids(tmp_path, signal)

    def folder(text: str) -> Path:
        reader = described(tmp_path, text)
        return jobs_of(reader.recordings(tmp_path), reader.info, FeatureSpec(), tmp_path)[0].folder

    first = folder(EXAMPLES[0])
    assert folder(EXAMPLES[0]) == first
    others = {folder(EXAMPLES[0].replace(*change)) for change in (("seconds = 5", "seconds = 4"), ('"FCz"', '"Cz"'))}
    others.add(folder(EXAMPLES[0].replace('duration = "duration"', "duration = 3")))
    assert len(others - {first}) == 3


def test_annotations_in_the_files(tmp_path, signal):
    notes = [(2.0, "eyes open"), (12.0, "music on"), (20.0, "music off"), (26.0, "end")]
    write_edf(tmp_path / "p7.edf", signal, NAMES, 128.0, notes=notes)
    text = EXAMPLES[1].replace("seconds = 60", "seconds = 6")
    (recording,) = described(tmp_path, text).recordings(tmp_path)
    assert recording.subject == "p7"
    assert [(t.label, t.stimulus) for t in recording.trials] == [("music on", "music on"), ("music off", "music off")]
    spans = [span for segment in recording.segments() for span in segment.spans]
    assert np.allclose([(s.start, s.stop) for s in spans], [(2, 8), (12, 20), (20, 26)], atol=0.01)
    assert spans[0].trial is None


def test_a_loose_folder_of_one_file_a_trial(tmp_path, signal):
    for subject in ("S1", "S2"):
        (tmp_path / subject).mkdir()
        for game, mood in (("game1", "calm"), ("game2", "funny")):
            table = np.column_stack([np.arange(len(signal)) / 128, signal])
            np.savetxt(tmp_path / subject / f"x_{game}_{mood}.csv", table, delimiter=",", comments="",
                       header=",".join(("time", *NAMES)))  # fmt: skip
    recordings = described(tmp_path, EXAMPLES[2]).recordings(tmp_path)
    assert [r.subject for r in recordings] == ["S1", "S2"]
    assert [(t.stimulus, t.label) for t in recordings[0].trials] == [("game1", "calm"), ("game2", "funny")]
    assert [len(x) for _, x in trial_signals(recordings[0])] == [len(signal)] * 2


def test_onsets_that_look_like_samples_are_refused_until_the_description_says_so(tmp_path, signal):
    rows = [(round(128 * float(row[0])), round(128 * float(row[1])), *row[2:]) for row in EVENTS]
    write_bids(tmp_path, signal, rows)
    with pytest.raises(MoodError, match=r'these look like samples · write unit = "samples" in \[trial\]'):
        described(tmp_path, EXAMPLES[0]).recordings(tmp_path)
    recordings = described(tmp_path, EXAMPLES[0].replace("[trial]", '[trial]\nunit = "samples"')).recordings(tmp_path)
    spans = [span for segment in recordings[0].segments() for span in segment.spans]
    assert np.allclose([(s.start, s.stop) for s in spans[:2]], [(3, 8), (8, 12)])


def test_events_of_the_whole_session_beside_each_file_are_refused(tmp_path):
    """As in MUSIN-G, which its own reader knows."""
    open_bids.write_musin_g(tmp_path, 1, 9815, 40.0)
    text = """
        name = "music"
        signals = "sub-*/ses-*/eeg/*_eeg.set"
        subject = "sub-([^_/]+)"
        events = "_events.tsv"
        electrodes = "hydrocel-128"
        [trial]
        label = "value"
        duration = 5
    """
    (recording,) = described(tmp_path, text).recordings(tmp_path)
    with pytest.raises(MoodError, match=r"11 of 12 events lie outside it: .* the events belong to another recording"):
        list(recording.segments())


def test_a_missing_table_costs_one_subject(tmp_path, signal):
    write_bids(tmp_path, signal)
    for path in tmp_path.glob("sub-01/eeg/*_ses-a_events.tsv"):
        path.unlink()
    recordings = described(tmp_path, EXAMPLES[0]).recordings(tmp_path)
    assert [len(r.trials) for r in recordings] == [0, 3, 3, 3]
    with pytest.raises(MoodError, match=r"no sub-01_ses-a_events\.tsv beside it"):
        recordings[0].segments()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("subject =", "person ="), "subject: Field required"),
        (('"sub-([^_/]+)"', '"sub-"'), "needs one group in parentheses"),
        (('"sub-([^_/]+)"', '"sub-("'), "no regular expression"),
        (('kind = "pre-clip"', 'kind = "calm"'), "baseline.kind"),
        (("name =", "name"), "not valid TOML"),
    ],
)
def test_a_wrong_description_is_refused_by_its_key(tmp_path, change, message):
    assert change[0] in EXAMPLES[0]
    with pytest.raises(ConfigError, match=message):
        described(tmp_path, EXAMPLES[0].replace(*change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"sub-*/eeg/*_eeg.edf"', '"*.bdf"'), "with a subject in its path"),
        (('label = "emotion"', 'label = "mood"'), "it has no column mood"),
        (('stimulus = "video"', 'rows = { column = "video", values = ["z"] }'), "none of its rows is a trial"),
    ],
)
def test_a_description_that_does_not_fit_the_files_is_refused(tmp_path, signal, change, message):
    write_bids(tmp_path, signal)
    assert change[0] in EXAMPLES[0]
    with pytest.raises(MoodError, match=message):
        described(tmp_path, EXAMPLES[0].replace(*change)).recordings(tmp_path)


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match=r"data set 'mine\.toml' · no such file"):
        reader_of("mine.toml")
