"""Automatic recordings: the newest stay within a limit, and one that is kept is moved and overwrites nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from fakes import INFO, cut, pink

from realtime_mood.cli.config import RunConfig
from realtime_mood.cli.parts import autosave_of
from realtime_mood.files import GrowingFile
from realtime_mood.health import Health
from realtime_mood.recording import autosave
from realtime_mood.recording.reader import open_recorded
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.recover import recover

NAME = "sub-unnamed_ses-20261130T1000{:02d}_task-mood_run-01_eeg.xdf"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(autosave, "FREE_BYTES", 0)
    folder = tmp_path / "autosave"
    folder.mkdir()
    for k in range(6):
        path = folder / NAME.format(k)
        path.write_bytes(b"x" * 100)
        os.utime(path, (k, k))
    (folder / "notes.txt").write_text("of the user")
    return folder


def test_the_oldest_are_deleted_until_the_rest_is_within_the_limit(folder: Path) -> None:
    assert autosave.make_room(folder, 600) == []
    assert [path.name for path in autosave.make_room(folder, 450)] == [NAME.format(0), NAME.format(1)]
    assert len(autosave.make_room(folder, 0)) == 1  # the newest three stay
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", *map(NAME.format, (3, 4, 5))]


def test_on_a_disk_that_is_almost_full_the_oldest_make_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autosave, "FREE_BYTES", shutil.disk_usage(folder).free + 10**9)
    assert [path.name for path in autosave.make_room(folder)] == [NAME.format(k) for k in (0, 1, 2)]


def test_one_that_another_window_deletes_meanwhile_is_passed_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosave, "is_being_written", lambda path: path.name == NAME.format(0) and path.unlink())
    assert [path.name for path in autosave.make_room(folder, 450)] == [NAME.format(1)]


def recorded(path: Path, *, is_cut_off: bool) -> None:
    recorder = Recorder(path)
    recorder.open(INFO)
    for chunk in cut(pink(400, len(INFO.ch_names)), [40]):
        recorder.take(chunk)
    recorder.close(Health())
    if is_cut_off:
        os.truncate(path, path.stat().st_size - 1000)  # in the last samples


def test_what_was_left_is_found_and_what_is_being_made_or_has_a_profile_is_not(folder: Path) -> None:
    profiles = folder.with_name("profiles")
    recorded(profiles / "with.xdf", is_cut_off=False)
    (profiles / "with.json").write_text("{}")
    recorded(profiles / "calibration.xdf", is_cut_off=False)
    recorded(folder / "killed.xdf", is_cut_off=True)
    file = GrowingFile(iter([folder / "growing.xdf"]))
    file.append(b"x")
    for k, path in enumerate((profiles / "with.xdf", profiles / "calibration.xdf", folder / "killed.xdf", file.path)):
        os.utime(path, (100 + k, 100 + k))
    left = autosave.left_in([folder, profiles, folder / "none"], 4.5)
    assert [(it.path.name, it.is_complete) for it in left] == [
        (NAME.format(5), False), ("calibration.xdf", True), ("killed.xdf", False)
    ]  # fmt: skip
    assert [it.path.name for it in autosave.left_in([folder, profiles], None)] == ["killed.xdf"]
    assert len(autosave.make_room(folder, 0, least=0)) == 7
    assert file.path.exists()
    file.close()
    assert [it.path.name for it in autosave.left_in([folder], 0.0)] == ["growing.xdf"]


def test_one_that_was_cut_off_is_repaired_where_it_is_kept(tmp_path: Path) -> None:
    recorded(tmp_path / "a_run-01_eeg.xdf", is_cut_off=True)
    kept = autosave.keep(tmp_path / "a_run-01_eeg.xdf", tmp_path / "recordings")
    assert kept.name == "a_run-01_eeg.xdf"
    assert recover(kept).path is None  # nothing more to repair
    assert 300 < sum(map(len, open_recorded(kept).chunks())) < 400
    assert not (tmp_path / kept.name).exists()


def test_one_that_is_kept_is_moved_beside_the_others(folder: Path, tmp_path: Path) -> None:
    first, second = (autosave.recordings_in(folder)[k] for k in (4, 5))
    second = second.rename(folder / "twin").rename(folder / first.name.replace("run-01", "run-02"))
    kept = autosave.keep(first, tmp_path / "recordings")
    assert kept == tmp_path / "recordings" / NAME.format(4)
    assert autosave.keep(second, tmp_path / "recordings").name == NAME.format(4).replace("run-01", "run-02")
    assert kept.read_bytes() == b"x" * 100
    assert not first.exists()


def test_it_replaces_none_that_another_window_has_just_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosave, "first_free", next)  # the first name was free a moment ago
    (tmp_path / NAME.format(4)).write_bytes(b"of the other")
    kept = autosave.keep(folder / NAME.format(4), tmp_path)
    assert kept.name == NAME.format(4).replace("run-01", "run-02")
    assert (tmp_path / NAME.format(4)).read_bytes() == b"of the other"


def test_without_links_it_is_moved_all_the_same(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError("not here")))
    assert autosave.keep(folder / NAME.format(2), tmp_path / "recordings").read_bytes() == b"x" * 100
    assert not (folder / NAME.format(2)).exists()


def test_a_run_starts_where_it_cannot_be_recorded(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    made, notes = autosave_of(RunConfig(), {}, tmp_path / "file" / "autosave")
    assert made is None
    assert notes[0].startswith("this run is not recorded automatically: ")
    assert autosave_of(RunConfig(autosave=False), {}, tmp_path) == (None, [])
    assert autosave_of(RunConfig(record=tmp_path / "a.xdf"), {}, tmp_path) == (None, [])
    made, notes = autosave_of(RunConfig(), {}, tmp_path / "autosave")
    assert notes == []
    assert made is not None
    assert made.recording.automatic
