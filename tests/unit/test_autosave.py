"""Automatic recordings: the newest stay within a limit, and one that is kept is moved and overwrites nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from realtime_mood.cli.config import RunConfig
from realtime_mood.cli.parts import autosave_of
from realtime_mood.recording import autosave

NAME = "sub-unnamed_ses-20261130T1000{:02d}_task-mood_run-01_eeg.xdf"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
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


def test_one_that_is_kept_is_moved_beside_the_others(folder: Path, tmp_path: Path) -> None:
    first, second = (autosave.recordings_in(folder)[k] for k in (4, 5))
    second = second.rename(folder / "twin").rename(folder / first.name.replace("run-01", "run-02"))
    kept = autosave.keep(first, tmp_path / "recordings")
    assert kept == tmp_path / "recordings" / NAME.format(4)
    assert autosave.keep(second, tmp_path / "recordings").name == NAME.format(4).replace("run-01", "run-02")
    assert kept.read_bytes() == b"x" * 100
    assert not first.exists()


def test_without_links_it_is_moved_all_the_same(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError("not here")))
    assert autosave.keep(folder / NAME.format(2), tmp_path / "recordings").read_bytes() == b"x" * 100
    assert not (folder / NAME.format(2)).exists()


def test_a_run_starts_where_it_cannot_be_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert autosave_of(RunConfig(), {}, tmp_path / "file" / "autosave") is None
    assert "not recorded automatically" in capsys.readouterr().err
    assert autosave_of(RunConfig(autosave=False), {}, tmp_path) is None
    assert autosave_of(RunConfig(record=tmp_path / "a.xdf"), {}, tmp_path) is None
    made = autosave_of(RunConfig(), {}, tmp_path / "autosave")
    assert made is not None
    assert made.recording.automatic
