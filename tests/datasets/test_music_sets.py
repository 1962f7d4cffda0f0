"""The music sets of Reading and EmoEEG-MC: answers by question, targets, and triggers that differ between subjects."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.models.datasets.fixtures import reading as writer
from realtime_mood.models.datasets.sets import emoeeg_mc, reading_music
from realtime_mood.models.datasets.sets.reading_music import answers_of, clips_of, events_of, targets_of
from tests.datasets.reading import state_effect, trial_signals

MUSIC = {f"ds00272{n}": getattr(reading_music, f"ds00272{n}") for n in (1, 2, 3, 4)}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("reading")
    for name in MUSIC:
        getattr(writer, f"write_{name}")(root / name, 1, 9800, 5.0)
    writer.write_emoeeg_mc(root / "emoeeg-mc", 2, 9805, 4.0)
    return root


@pytest.fixture
def emotions(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written / "emoeeg-mc", tmp_path / "emoeeg-mc")


@pytest.mark.parametrize("name", MUSIC)
def test_music_comes_in_order_with_its_signals(written, name):
    for recording in MUSIC[name].recordings(written / name):
        pairs = trial_signals(recording)
        assert [trial for trial, _ in pairs] == list(recording.trials)
        assert [t.position for t in recording.trials] == list(range(len(pairs)))
        assert recording.info.n_chans == (19 if name == "ds002721" else 32)
        assert recording.info.virtual
        assert recording.info.reference == "FCz"


@pytest.mark.parametrize("reader", [*MUSIC.values(), emoeeg_mc.READER])
def test_another_folder_is_refused(tmp_path, reader):
    with pytest.raises(ConfigError):
        reader.recordings(tmp_path)


# -- ds002721 ------------------------------------------------------------------------------------------------------


def test_an_answer_belongs_to_the_question_shown_before_it():
    """As in the real files: the next question is written at the time of the answer, and 9xx repeats wrongly."""
    events = [(22.3, 805), (22.3, 903), (28.4, 800), (28.4, 904), (28.4, 836), (34.0, 801), (34.0, 909), (34.0, 835)]
    assert answers_of(events) == {"valence": 4.0, "tender": 3.0}


def test_clips_and_their_answers(written):
    (recording,) = MUSIC["ds002721"].recordings(written / "ds002721")
    spans = [span for segment in recording.segments() for span in segment.spans]
    assert [span.trial is None for span in spans] == [True, *[False] * 6]
    assert spans[0].start == pytest.approx(3.0)
    assert [t.stimulus for t in recording.trials] == [f"clip{i:03}" for i in (20, 21, 22, 30, 31, 32)]
    assert all(set(t.ratings) == set(reading_music.QUESTIONS) for t in recording.trials)
    assert all(span.stop - span.start == 12 for span in spans[1:])
    valence = {t.position: t.ratings["valence"] for t in recording.trials}
    assert state_effect(recording, {i for i in valence if valence[i] == 8}, {i for i in valence if valence[i] == 2}) > 0


def test_a_clip_that_is_not_named_is_refused():
    with pytest.raises(MoodError, match="1 clips are named and 2 begin"):
        list(clips_of([(5.0, 788), (5.0, 362), (65.0, 788)], 0))


def test_real_answers_are_those_of_the_rule(data_dir):
    folder = data_dir / "bids_text" / "ds002721"
    if not folder.is_dir():
        pytest.skip("no bids_text")
    with (folder / "derived_trials_answers_by_shown_question.csv").open() as file:
        known = [row for row in csv.DictReader(file) if row["sub"] == "sub-01"]
    spans = [
        span
        for run in (2, 3, 4, 5)
        for span in clips_of(events_of(folder / "sub-01" / "eeg" / f"sub-01_task-run{run}_events.tsv"), 0)
    ]
    assert len(spans) == len(known) == 40
    for span, row in zip(spans, known, strict=True):
        assert span.trial.stimulus == f"clip{int(float(row['clip'])):03}"
        assert span.trial.ratings == {name: float(row[f"C{i}"]) for i, name in enumerate(reading_music.QUESTIONS)}


# -- ds002722 to 724 -----------------------------------------------------------------------------------------------


def test_targets_of_each_set(written):
    for name, sessions in (("ds002722", 1), ("ds002723", 1), ("ds002724", 2)):
        recordings = MUSIC[name].recordings(written / name)
        assert len(recordings) == sessions
        for recording in recordings:
            assert len(recording.trials) == 6
            assert {t.label for t in recording.trials} <= set(reading_music.VALENCES)
            assert ("piece" in recording.trials[0].stimulus) == (name == "ds002722")


def test_the_second_state_online_is_reached_after_twenty_seconds():
    spans = list(targets_of([(16.964, 9), (36.964, 3), (97.769, 6), (117.769, 2)], 0, 20.0))
    assert [span.start for span in spans] == pytest.approx([16.964, 56.964, 97.769, 137.769])
    assert [span.trial.label for span in spans] == ["positive", "positive", "positive", "neutral"]
    assert [span.start for span in targets_of([(8.66, 2), (28.66, 9)], 0, 0.0)] == [8.66, 28.66]


@pytest.mark.parametrize(("name", "n"), [("ds002722", 18), ("ds002723", 20), ("ds002724", 36)])
def test_real_targets(data_dir, name, n):
    tables = sorted((data_dir / "bids_text" / name).rglob("*_events.tsv"))
    if not tables:
        pytest.skip("no bids_text")
    for table in tables:
        spans = list(targets_of(events_of(table), 0, MUSIC[name].delay_s))
        assert len(spans) == n
        assert all(a.stop <= b.start + 1.5 for a, b in pairwise(spans))


# -- EmoEEG-MC -----------------------------------------------------------------------------------------------------


def test_triggers_and_orders_are_the_subject_s_own(written):
    first, second = emoeeg_mc.READER.recordings(written / "emoeeg-mc")
    for recording in (first, second):
        assert len(recording.trials) == 18
        assert [t.stimulus.split("-")[0] for t in recording.trials] == [*["imagery"] * 3, *["video"] * 3] * 3
        names = [t.stimulus.split("-")[1] for t in recording.trials]
        assert all(names[i : i + 3] == names[i + 3 : i + 6] for i in range(0, 18, 6))
        assert Counter(names) == dict.fromkeys(writer.SHOWN_STIMULI, 2)
        scale = {"sad": "sadness"}
        rated = [t.ratings[scale.get(t.label, t.label)] for t in recording.trials if t.label != "neutral"]
        assert rated == [6.0] * 12
        assert recording.notes == ()
        assert [trial for trial, _ in trial_signals(recording)] == list(recording.trials)
    assert (first.info.sfreq, second.info.sfreq) == (1200.0, 600.0)
    assert len([path for path in second.files if path.suffix == ".edf"]) == 2
    assert [t.stimulus for t in first.trials] != [t.stimulus for t in second.trials]


def test_what_is_seen_is_in_the_signal(written):
    recording = emoeeg_mc.READER.recordings(written / "emoeeg-mc")[1]
    valence = {t.position: t.ratings["valence"] for t in recording.trials}
    assert (
        state_effect(recording, {i for i in valence if valence[i] == 6}, {i for i in valence if valence[i] == 1}) > 0.1
    )


def test_ratings_of_another_subject_are_said(emotions):
    first, second = sorted(emotions.glob("sub-*/beh/*.tsv"))
    lines = first.read_text("utf-8").splitlines()
    second.write_text("\n".join([lines[0], *lines[10:], *lines[1:10]]) + "\n", "utf-8")
    note = emoeeg_mc.READER.recordings(emotions)[1].notes
    assert "ratings do not fit the stimuli" in note[0]


def test_a_trial_that_was_not_rated_costs_the_ratings_not_the_subject(emotions):
    path = next(emotions.glob("sub-01/beh/*.tsv"))
    path.write_text("\n".join(path.read_text("utf-8").splitlines()[:-1]) + "\n", "utf-8")
    first = emoeeg_mc.READER.recordings(emotions)[0]
    assert first.notes == ("17 trials are rated and 18 took place: ratings are not used",)
    assert all(t.ratings == {} for t in first.trials)


def test_another_s_triggers_are_refused_for_this_subject_alone(emotions):
    readme = emotions / "README.md"
    readme.write_text(readme.read_text("utf-8").replace("sub-01: fade-3", "sub-01: fade-13"), "utf-8")
    readme.write_text(readme.read_text("utf-8").replace("ima-5", "ima-7"), "utf-8")
    first, second = emoeeg_mc.READER.recordings(emotions)
    with pytest.raises(MoodError, match=r"0 triggers of imagery, 9 stimuli in README\.md"):
        first.segments()
    assert len(second.trials) == 18


def test_without_the_readme_nothing_is_read(emotions):
    (emotions / "README.md").unlink()
    with pytest.raises(ConfigError, match=r"no README\.md, which alone names triggers and orders"):
        emoeeg_mc.READER.recordings(emotions)


def test_the_real_readme_names_every_subject(data_dir):
    path = data_dir / "bids_text" / "ds005540" / "README.md"
    if not path.is_file():
        pytest.skip("no bids_text")
    tables = emoeeg_mc.readme_tables(path.read_text("utf-8"))
    assert len(tables.triggers) == 60
    assert all(set(numbers) == set("virf") for numbers in tables.triggers.values())
    assert len(tables.orders) == 120
    assert {len(tables.orders[f"{i:02}", context]) for i in range(1, 55) for context in ("ima", "vid")} == {21}
    assert [len(tables.orders["60", context]) for context in ("ima", "vid")] == [7, 9]
    assert tables.orders["54", "ima"][:2] == ["ten8", "ten5"]
    assert tables.orders["54", "vid"][:2] == ["joy8", "joy5"]


@pytest.mark.parametrize("subject", ["01", "02", "03"])
def test_real_ratings_follow_blocks_of_both_contexts(data_dir, subject):
    folder = data_dir / "bids_text" / "ds005540"
    if not folder.is_dir():
        pytest.skip("no bids_text")
    tables = emoeeg_mc.readme_tables((folder / "README.md").read_text("utf-8"))
    orders = {context: tables.orders[subject, context] for context in ("ima", "vid")}
    path = folder / f"sub-{subject}" / "beh" / f"sub-{subject}_task-emotion_beh.tsv"
    in_blocks, fitting = emoeeg_mc._trials([*["ima"] * 3, *["vid"] * 3] * 7, orders, path)
    apart, _ = emoeeg_mc._trials([*["ima"] * 21, *["vid"] * 21], orders, path)
    assert emoeeg_mc._above_others(in_blocks) > 2.5
    assert emoeeg_mc._above_others(apart) < 0.5
    assert fitting == ()
