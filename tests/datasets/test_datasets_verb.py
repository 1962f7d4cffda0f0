"""The verb `datasets`: what it lists, what a check finds, what it writes; and the page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import planted_set
import pytest

import app
from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.models.datasets import page
from realtime_mood.models.datasets.checking import DatasetCheck, check
from realtime_mood.models.datasets.commands import lines_of
from realtime_mood.models.datasets.sets import READERS, reader_of
from realtime_mood.models.datasets.trials import DatasetInfo, Recording, Segment

ROOT = Path(__file__).parents[2]


class PlantedReader:
    """Reads four subjects from memory; `change` is what is wrong with them."""

    def __init__(self, change=lambda recordings: recordings) -> None:
        self.info: DatasetInfo = replace(planted_set.info_of(), subjects=("01", "02", "03", "04"))
        self.change = change

    def recordings(self, root: Path) -> Sequence[Recording]:
        return self.change([planted_set.recording(seed) for seed in (1, 2, 3, 4)])


def checked(change=lambda recordings: recordings) -> DatasetCheck:
    return check(PlantedReader(change), ROOT)


def with_segments(recording: Recording, change) -> Recording:
    def segments() -> Iterator[Segment]:
        return (change(segment) for segment in recording.segments())

    return replace(recording, segments=segments)


def raising(error: Exception):
    def change(recordings: Sequence[Recording]) -> Sequence[Recording]:
        raise error

    return change


# -- what a check finds --------------------------------------------------------------------------------------------


def test_a_complete_set_is_counted() -> None:
    result = checked()
    assert result.verdict == "complete"
    assert result.found == result.expected == {"subjects": 4, "recordings": 4, "trials": 24}
    assert result.hours == pytest.approx(4 * (30 + 6 * 24) / 3600)
    assert result.simulated
    assert lines_of(result)[0] == "SIMULATED · planted: complete"


def test_missing_subjects_sessions_and_trials_are_named() -> None:
    result = checked(lambda recordings: recordings[1:])
    assert (result.verdict, result.missing) == ("missing", ("1 of 4 subjects: 01",))
    two_sessions = PlantedReader()
    two_sessions.info = replace(two_sessions.info, n_sessions=2)
    assert "subject 03: 1 of 2 sessions" in check(two_sessions, ROOT).missing
    dropped = checked(lambda rs: [with_segments(rs[0], lambda s: replace(s, spans=())), *rs[1:]])
    assert dropped.missing == ("6 trials of subject 01, session 1",)
    assert dropped.found["trials"] == 18


def test_subjects_whose_names_are_not_known_are_counted_only() -> None:
    result = checked(lambda recordings: [replace(r, subject=f"mit{r.subject}") for r in recordings[1:]])
    assert result.missing == ("1 subjects",)


def test_a_damaged_file_does_not_hide_the_others() -> None:
    def breaks(segment: Segment) -> Segment:
        raise MoodError("s01.dat", "a damaged pickle", "download it again")

    result = checked(lambda rs: [with_segments(rs[0], breaks), *rs[1:]])
    assert result.verdict == "damaged"
    assert result.damaged == ("subject 01, session 1: s01.dat · a damaged pickle · download it again",)
    assert result.found["trials"] == 18


def test_another_set_and_contradicting_labels() -> None:
    wrong = checked(raising(ConfigError("a", "it holds b", "give c")))
    assert (wrong.verdict, wrong.wrong) == ("wrong version", "it holds b; give c")
    assert checked(raising(MoodError("labels", "-1", "again"))).damaged == ("labels · -1 · again",)


def test_numbers_that_cannot_be_eeg_are_damage() -> None:
    volts = checked(
        lambda rs: [with_segments(rs[0], lambda s: replace(s, signal=s.signal * np.float32(1e-6))), *rs[1:]]
    )
    assert "volts taken for µV" in volts.damaged[0]


def test_copies_under_other_names_are_noted() -> None:
    result = checked(lambda rs: [*rs[:3], replace(rs[0], subject="04")])
    assert result.verdict == "complete"
    assert result.notes == ("subjects 01, 04 have nearly the same recording: copies?",)


def test_notes_are_counted() -> None:
    noted = checked(lambda rs: [replace(r, notes=("no rest", *(["odd"] if i else []))) for i, r in enumerate(rs)])
    assert noted.notes == ("no rest", "odd (3 of 4 recordings)")


@pytest.mark.parametrize("name", READERS)
def test_every_simulated_set_is_read_whole(name: str, written) -> None:
    result = check(reader_of(name), written(name, 1, 1.0))
    assert result.simulated
    assert result.verdict in ("complete", "missing"), lines_of(result)
    assert result.found["subjects"] == 1
    assert result.found["trials"]


# -- the verb ------------------------------------------------------------------------------------------------------


def test_every_set_is_listed_with_its_licence(capsys) -> None:
    assert app.command(["datasets"]) == 0
    listed = capsys.readouterr().out
    assert app.command(["datasets", "list"]) == 0
    assert capsys.readouterr().out == listed
    for name in READERS:
        assert name in listed
        assert reader_of(name).info.licence.split()[0] in listed


def test_a_set_is_shown_with_its_layout_and_figures(capsys) -> None:
    assert app.command(["datasets", "show", "seed-v"]) == 0
    shown = capsys.readouterr().out
    assert "doi 10.1109/TCDS.2021.3071170" in shown
    assert "EEG_DE_features/        1_123.npz … 16_123.npz" in shown
    assert "chosen on the test subject: yes" in shown
    assert app.command(["datasets", "show", "faces"]) == 2


def test_a_check_says_what_is_missing_and_exits_with_1(written, capsys) -> None:
    assert app.command(["datasets", "check", str(written("seed-v")), "--as", "seed-v"]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "SIMULATED · seed-v: missing (some data are missing; the rest can be used)"
    assert "2 of 16 subjects, 6 of 48 recordings, 90 of 720 trials" in out[1]
    assert out[2] == "  missing: 14 of 16 subjects: 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 …"


def test_a_check_of_another_set_and_of_no_folder(written, capsys, tmp_path: Path) -> None:
    assert app.command(["datasets", "check", str(written("seed-v")), "--as", "dreamer"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("dreamer: wrong version\n  it holds EEG_DE_features, Eye_movement_features, Read me.txt")
    assert app.command(["datasets", "check", str(tmp_path / "absent"), "--as", "dreamer"]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_a_simulated_set_is_written_into_an_empty_folder_only(capsys, tmp_path: Path) -> None:
    words = ["datasets", "write", str(tmp_path / "dreamer"), "--as", "dreamer", "--subjects", "1", "--seconds", "1"]
    assert app.command(words) == 0
    assert capsys.readouterr().out == f"SIMULATED · dreamer: 1 simulated subjects in {tmp_path / 'dreamer'}\n"
    assert "SIMULATED" in (tmp_path / "dreamer" / "SIMULATED.txt").read_text()
    assert app.command(words) == 2
    assert "it is not empty · give a new folder" in capsys.readouterr().err


# -- the documentation ---------------------------------------------------------------------------------------------


def test_the_page_says_of_every_set_what_its_reader_says() -> None:
    text = (ROOT / "docs" / "datasets.md").read_text("utf-8")
    assert text == page.rewritten(text), "make datasets writes it"
    for name in READERS:
        assert f"### `{name}` · " in text
