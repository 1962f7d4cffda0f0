"""MATLAB files of both versions: one variable at a time, nested ones by path, damage refused in words."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from benchmarks.fuzz import broken
from realtime_mood.errors import MoodError
from realtime_mood.models.datasets.matfiles import MatFile, MatNode

NUMBERS = np.arange(6, dtype=np.float32).reshape(2, 3)
PEOPLE = [{"id": "S1", "clips": [np.ones((4, 2)), np.zeros((1, 2))]}, {"id": "S22", "clips": [np.eye(3), np.eye(2)]}]


def version_5(path: Path) -> None:
    people = np.empty((1, 2), [("id", object), ("clips", object)])
    for i, person in enumerate(PEOPLE):
        clips = np.empty((2, 1), object)
        clips[:, 0] = person["clips"]
        people[0, i] = (person["id"], clips)
    savemat(path, {"a": NUMBERS, "word": "µV, 5", "top": {"people": people, "n": 2.0}, "none": np.zeros((0, 3))})


def version_73(path: Path) -> None:
    """The same as MATLAB saves it: HDF5, columns first, values of structures by reference."""
    with h5py.File(path, "w", userblock_size=512) as file:
        shelf = file.create_group("#refs#")

        def put(where: h5py.Group, name: str, value: np.ndarray, of: str) -> h5py.Dataset:
            stored = where.create_dataset(name, data=value)
            if of:
                stored.attrs["MATLAB_class"] = np.bytes_(of)
            return stored

        def text(where: h5py.Group, name: str, words: str) -> h5py.Dataset:
            return put(where, name, np.frombuffer(words.encode("utf-16-le"), "<u2")[:, None], "char")

        put(file, "a", NUMBERS.T, "single")
        text(file, "word", "µV, 5")
        put(file, "none", np.array([0, 3], "u8"), "double").attrs["MATLAB_empty"] = np.uint8(1)
        top = file.create_group("top")
        put(top, "n", np.array([[2.0]]), "double")
        people = top.create_group("people")
        ids = [text(shelf, f"id{i}", person["id"]).ref for i, person in enumerate(PEOPLE)]
        put(people, "id", np.array([[r] for r in ids], h5py.ref_dtype), "")
        cells = []
        for i, person in enumerate(PEOPLE):
            refs = [put(shelf, f"c{i}{k}", clip.T, "double").ref for k, clip in enumerate(person["clips"])]
            cells.append(put(shelf, f"cell{i}", np.array([refs], h5py.ref_dtype), "cell").ref)
        put(people, "clips", np.array([[r] for r in cells], h5py.ref_dtype), "")
    with path.open("r+b") as begin:
        begin.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM")


@pytest.fixture(params=[version_5, version_73])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    request.param(tmp_path / "x.mat")
    return tmp_path / "x.mat"


def test_each_variable_is_found_by_its_path(path: Path) -> None:
    with MatFile(path) as mat:
        assert sorted(mat.names()) == ["a", "none", "top", "word"]
        found = mat.read("a")
        assert found.dtype == np.float32
        assert np.array_equal(found, NUMBERS)
        assert mat.read("word") == "µV, 5"
        assert mat.read("none").shape == (0, 3)
        assert mat.read("top").fields in (("people", "n"), ("n", "people"))
        assert mat.read("top", "n").tolist() == [[2.0]]
        people = mat.read("top", "people")
        assert people.shape == (1, 2)
        assert sorted(people.fields) == ["clips", "id"]
        assert mat.read("top", "people", 1, "id") == "S22"
        assert mat.read("top", "people", 0, "clips") == MatNode((2, 1), ())
        for i, person in enumerate(PEOPLE):
            for k, clip in enumerate(person["clips"]):
                assert np.array_equal(mat.read("top", "people", i, "clips", k), clip)


@pytest.mark.parametrize("where", [("b",), ("top", "b"), ("top", "people", 7, "id"), ("top", "people", 0, "clips", 2)])
def test_a_path_that_leads_nowhere_is_named(path: Path, where: tuple[str | int, ...]) -> None:
    with MatFile(path, "subject 3") as mat:
        with pytest.raises(MoodError, match=f"{'/'.join(map(str, where))} of subject 3 · "):
            mat.read(*where)
        assert mat.read("top", "n").item() == 2  # and the file can be read on


@pytest.mark.parametrize("content", [b"", b"MATLAB 5.0 MAT-file", b"MATLAB 7.3 MAT-file" + bytes(600), b"PK\x03\x04"])
def test_no_such_file_and_files_of_another_kind(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(MoodError, match=r"x\.mat · cannot be read: No such file"):
        MatFile(tmp_path / "x.mat")
    (tmp_path / "x.mat").write_bytes(content)
    with MatFile(tmp_path / "x.mat") as mat, pytest.raises(MoodError, match=r"x\.mat · a MATLAB file that cannot be"):
        mat.names()


def test_a_crash_of_the_library_is_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crashes = tmp_path / "child.py"
    crashes.write_text("import os, sys; sys.stdin.readline(); os.abort()")
    monkeypatch.setattr("realtime_mood.models.datasets.matfiles.CHILD", crashes)
    monkeypatch.setattr("realtime_mood.models.datasets.matfiles._idle", [])
    (tmp_path / "x.mat").touch()
    with MatFile(tmp_path / "x.mat") as mat:
        for _ in range(2):
            with pytest.raises(MoodError, match="the library that reads it crashes"):
                mat.read("a")


def test_a_file_that_was_written_again_is_read_again(path: Path) -> None:
    with MatFile(path) as mat:
        mat.read("a")
    savemat(path, {"a": 2 * NUMBERS})
    with MatFile(path) as mat:
        assert np.array_equal(mat.read("a"), 2 * NUMBERS)


def test_files_that_are_open_at_once(path: Path, tmp_path: Path) -> None:
    savemat(tmp_path / "y.mat", {"a": 3 * NUMBERS})
    with MatFile(path) as one, MatFile(tmp_path / "y.mat") as other:
        assert np.array_equal(3 * one.read("a"), other.read("a"))
        assert np.array_equal(3 * one.read("a"), other.read("a"))


@pytest.mark.parametrize("write", [version_5, version_73])
def test_broken_files_are_read_or_refused(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path / "whole.mat")
    seed = (tmp_path / "whole.mat").read_bytes()
    for number in range(20):
        (tmp_path / "x.mat").write_bytes(broken(seed, random.Random(number)))
        with MatFile(tmp_path / "x.mat") as mat, suppress(MoodError):
            for name in mat.names():
                mat.read(name)
