"""Profiles kept in a folder."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest

import app
from realtime_mood import language
from realtime_mood.calibration import store
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError
from realtime_mood.profile import Profile
from realtime_mood.report.pages import CALIBRATION, html
from realtime_mood.types import StreamInfo


def page(code: str) -> str:
    """The beginning of a calibration page in a language, as the template makes it."""
    language.use(code)
    made = html("page.html", CALIBRATION, {}, simulated=True)
    language.use("en")
    return made


@pytest.fixture
def delete(monkeypatch, capsys):
    """`profiles --delete` with an answer to its question; its exit code and what it printed."""

    def call(name, folder, answer=None):
        monkeypatch.setattr("sys.stdin", io.StringIO("" if answer is None else f"{answer}\n"))
        words = ["profiles", name, "--in", str(folder), "--delete", *(["--yes"] if answer == "--yes" else [])]
        code = app.command(words)
        return code, "".join(capsys.readouterr())

    return call


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path):
    info = StreamInfo(("Fp1", "Fp2", "C3", "C4"), 128.0, virtual=True)
    for seed, name in enumerate(("20260101-a", "20260102-b")):
        de = np.random.default_rng(seed).normal(3, 0.5, (40, 4, 5))
        Profile.from_steps(info, FeatureSpec(), de, np.ones((40, 4), bool)).save(tmp_path / f"{name}.json")
    (tmp_path / "20260101-a.xdf").touch()
    (tmp_path / "broken.json").write_text("{}")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "._20260101-a.json").write_bytes(b"\0")  # as macOS leaves on other disks
    return tmp_path


def test_they_are_listed_with_what_they_are_good_for_and_the_broken_ones_with_why(folder):
    found = store.kept(folder)
    assert [it.path.stem for it in found] == ["20260101-a", "20260102-b", "broken", "deep"]
    assert "SIMULATED" in store.summary(found[0].profile)
    assert "4 electrodes · 40 s of rest" in store.summary(found[0].profile)
    assert found[2].profile is None
    assert "broken" in found[2].trouble


def test_one_is_found_by_the_beginning_of_its_name_if_that_is_its_alone(folder):
    assert store.find("20260102", folder).stem == "20260102-b"
    assert store.find(str(folder / "broken.json"), folder).stem == "broken"
    with pytest.raises(ConfigError, match="2 profiles"):
        store.find("2026", folder)
    with pytest.raises(ConfigError, match="no such profile"):
        store.find("2027", folder)


def test_what_belongs_to_one_is_its_recording_too(folder):
    assert [p.name for p in store.files_of(folder / "20260101-a.json")] == ["20260101-a.json", "20260101-a.xdf"]


def test_a_new_name_says_when_and_nothing_about_whom():
    one, other = store.new_name("emotion"), store.new_name("emotion")
    assert one != other
    assert one.name.split("-")[2] == "emotion"


@pytest.mark.parametrize("language_of_page", ["en", "de"])
@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("--yes", 0), ("n", 1), ("", 1), (None, 2)])
def test_a_profile_is_deleted_after_a_question(folder, delete, answer, code, language_of_page):
    (folder / "20260101-a.html").write_text(page(language_of_page))
    before = content(folder)
    assert delete("20260101-a", folder, answer)[0] == code
    gone = {"20260101-a.json", "20260101-a.html"} if code == 0 else set()
    assert before.keys() - content(folder).keys() == gone


def test_what_only_has_its_name_is_left(folder, delete):
    """A recording that is no calibration's, a page of something else, numbers that no readout asks for, a link."""
    (folder / "20260101-a.html").write_text("<!DOCTYPE html><p>my thesis</p>")
    (folder / "20260101-a.safetensors").write_bytes(b"weights")
    code, said = delete("20260101-a", folder, "--yes")
    assert code == 0
    assert not (folder / "20260101-a.json").exists()
    for ending in ("xdf", "html", "safetensors"):
        assert (folder / f"20260101-a.{ending}").exists()
        assert f"20260101-a.{ending}: it was not made with this profile" in said


ELSEWHERE = ["", " ", ".", "..", "../other", "../other.json", "*", "?", "2026", "20260101-a.xdf", "broken", "package",
             "{other}", "{other}.json", "20260101-a/..", "/", "~", ".hidden", "linked", "a\0b", "x" * 300]  # fmt: skip


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_no_profile_of_the_store_is_refused(folder, delete, name, monkeypatch):
    whole = (folder / "20260101-a.json").read_bytes()
    kept = folder / "store"
    kept.mkdir()
    for path in [path for path in folder.iterdir() if path.is_file()]:
        path.rename(kept / path.name)
    (folder / "other.json").write_bytes(whole)
    (kept / "package.json").write_text('{"name": "realtime", "version": "1"}')
    (kept / ".hidden.json").write_bytes(whole)
    if os.name == "posix":
        (kept / "linked.json").symlink_to(folder / "other.json")
    monkeypatch.chdir(folder)
    before = content(folder)
    code, said = delete(name.format(other=folder / "other"), kept, "--yes")
    assert code == 2, said
    assert said.startswith("error: ")
    assert content(folder) == before


def test_an_empty_name_is_refused_where_there_is_only_one_profile(folder, delete):
    (folder / "20260102-b.json").unlink()
    (folder / "broken.json").unlink()
    assert delete("", folder, "--yes")[0] == 2
    assert delete("2026", folder, "--yes")[0] == 0


def test_a_whole_name_is_that_profile_even_where_others_begin_like_it(folder, delete):
    (folder / "20260101-ab.json").write_bytes((folder / "20260101-a.json").read_bytes())
    assert delete(str(folder / "20260101-a.json"), folder, "--yes")[0] == 0
    assert (folder / "20260101-ab.json").exists()
