"""Pickles of data sets: arrays and plain values are read, programs and damage are refused in words."""

from __future__ import annotations

import io
import os
import pickle
import random
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fuzz import broken
from realtime_mood.errors import MoodError
from realtime_mood.models.datasets import restricted

VALUES = [
    np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.array(["a", "bc"]),
    np.array([b"ab"]), np.zeros((0, 3), np.float32), np.array(3.0), {0: np.ones(3), "x": [1, 2.5, None, b"y", "µ"]},
    (np.float64(2), np.int64(3), True, np.bool_(False)),
]  # fmt: skip


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", VALUES, ids=str)
def test_arrays_and_plain_values_come_back(value: object, protocol: int) -> None:
    found = restricted.loads(pickle.dumps(value, protocol), "x")
    assert repr(found) == repr(value)
    if isinstance(value, np.ndarray):
        assert type(found) is np.ndarray
        assert found.dtype == value.dtype


def test_an_array_of_objects_and_the_names_of_other_numpy_versions() -> None:
    content = pickle.dumps(np.array([1, None, np.ones(2)], dtype=object), 2)
    old, new = b"numpy.core.multiarray", b"numpy._core.multiarray"
    for names in (content.replace(new, old), content.replace(old, new)):
        found = restricted.loads(names, "x")
        assert found.dtype == object
        assert found[1] is None
        assert found[2].tolist() == [1, 1]


def test_a_python_2_pickle_of_arrays_is_read() -> None:
    """DEAP's files: protocol 2, text as bytes of one letter each."""
    state = pickle.dumps({"data": np.arange(4.0)}, 2).replace(b"X\x04\x00\x00\x00data", b"U\x04data")
    assert restricted.loads(state, "x")["data"].tolist() == [0, 1, 2, 3]


class Evil:
    def __init__(self, call: object, *args: object) -> None:
        self.call, self.args = call, args

    def __reduce__(self) -> tuple:
        return self.call, self.args


@pytest.mark.parametrize(
    "call", [os.system, eval, getattr, np.fromfile, np.load, io.open, __import__, type, np.dtypes.Float64DType]
)
def test_a_program_in_a_pickle_is_not_run(call: object, tmp_path: Path) -> None:
    planted = tmp_path / "run"
    for protocol in range(6):
        content = pickle.dumps({"data": [np.ones(3), Evil(call, f"touch {planted}")]}, protocol)
        with pytest.raises(MoodError, match=r"s01 · a pickle that is not read: it asks for [\w.]+ · download it again"):
            restricted.loads(content, "s01")
    assert not planted.exists()


def test_a_data_type_cannot_be_made_to_read_addresses() -> None:
    """Objects whose flags say that they are plain bytes would be pointers to anywhere."""
    kind = b"cnumpy\ndtype\n(X\x02\x00\x00\x00O8I00\nI01\ntR(I3\nX\x01\x00\x00\x00|NNNI-1\nI-1\nI0\ntb"
    array = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntU\x01btR(I1\n(I1\nt"
    content = array + kind + b"I00\nU\x08" + struct.pack("<Q", 0xDEADBEEF) + b"tb."
    with pytest.raises(MoodError, match="content is not of its type"):
        restricted.loads(content, "x")


def test_attributes_of_what_a_pickle_is_given_do_not_last() -> None:
    restricted.loads(b"\x80\x02cnumpy\ndtype\n}U\x04evilK\x01sb.", "x")
    assert not hasattr(restricted._Type, "evil")
    assert restricted.loads(pickle.dumps(np.ones(2)), "x").tolist() == [1, 1]


def test_a_place_far_away_in_the_memo_takes_no_memory() -> None:
    with pytest.raises(MoodError):
        restricted.loads(b"\x80\x02]r\xff\xff\xff\xffj\xfe\xff\xff\xff.", "x")


def test_broken_pickles_are_refused_or_read() -> None:
    seed = pickle.dumps({0: np.ones((3, 2)), "label": [1, 2.5, "x"]}, 2)
    for number in range(400):
        with suppress(MoodError):
            restricted.loads(broken(seed, random.Random(number)), "x")


def seed_v(path: Path) -> dict[int, np.ndarray]:
    """An archive as those of SEED-V: zero-dimensional bytes that are pickles."""
    data = {0: np.arange(620.0).reshape(2, 310), 1: np.ones((1, 310))}
    np.savez(path, data=pickle.dumps(data), label=pickle.dumps({0: np.array([4.0, 4.0]), 1: np.array([1.0])}))
    return data


def test_an_archive_of_pickles_as_bytes(tmp_path: Path) -> None:
    data = seed_v(tmp_path / "1_123.npz")
    with np.load(tmp_path / "1_123.npz") as archive:
        assert archive["data"].shape == ()
    found = restricted.load_npz(tmp_path / "1_123.npz", "1_123.npz")
    assert list(found) == ["data", "label"]
    assert np.array_equal(found["data"][0], data[0])
    assert found["label"][1].tolist() == [1.0]


def test_an_archive_that_is_damaged_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "1_123.npz"
    with pytest.raises(MoodError, match=r"1 · a damaged archive: .*Errno 2"):
        restricted.load_npz(path, "1")
    seed_v(path)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(MoodError, match="1 · a damaged archive: "):
        restricted.load_npz(path, "1")
    np.savez(path, data=pickle.dumps(Evil(os.system, "true")))
    with pytest.raises(MoodError, match=r"data of 1 · .* it asks for \w+\.system"):
        restricted.load_npz(path, "1")


def test_an_array_file_of_numbers_or_of_objects(tmp_path: Path) -> None:
    for value in (np.arange(3.0), np.array([np.ones(2), None], object)):
        np.save(tmp_path / "a.npy", value, allow_pickle=True)
        found = restricted.load_npy((tmp_path / "a.npy").read_bytes(), "a")
        assert found.dtype == value.dtype
        assert np.array_equal(found[0], value[0])
    np.save(tmp_path / "a.npy", np.array([Evil(os.system, "true")], object), allow_pickle=True)
    with pytest.raises(MoodError, match=r"it asks for \w+\.system"):
        restricted.load_npy((tmp_path / "a.npy").read_bytes(), "a")
    with pytest.raises(MoodError, match="a · a damaged array"):
        restricted.load_npy(b"\x93NUMPY\x01", "a")
