"""Reads pickles of data sets: NumPy arrays, numbers, text, bytes and built-in containers of these, nothing else.

A pickle is a program. What it may call here are stand-ins of this module, never NumPy's own functions, because the
state of a NumPy data type in a damaged or hostile pickle can make an array of addresses.
"""

from __future__ import annotations

import io
import pickle
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from realtime_mood.errors import MoodError

DO = "download it again from the set's own page; a pickle from elsewhere may hold a program, which is never run here"
KINDS = "biufcSU"
"""Kinds of data types whose bytes are plain values."""


class _Type:
    """A data type as pickled: a code such as ``f8``, and the byte order that follows it."""

    def __init__(self, code: str, *_: object) -> None:
        self.type = np.dtype(code if isinstance(code, str) else "V")
        if self.type.kind not in KINDS + "O":
            raise pickle.UnpicklingError(f"an array of the type {code!r}")

    def __setstate__(self, state: tuple) -> None:
        order = state[1]
        if self.type.kind != "O" and order in ("<", ">"):
            self.type = self.type.newbyteorder(order)


class _Array(np.ndarray):
    """An array that takes over no state but plain values, or a list of objects."""

    def __setstate__(self, state: Any) -> None:
        _version, shape, of, by_columns, content = state
        wanted = list if of.type.kind == "O" else bytes
        if not isinstance(content, wanted):
            raise pickle.UnpicklingError("an array whose content is not of its type")
        checked: Any = (shape, of.type, bool(by_columns), content)
        super().__setstate__(checked)


def _empty(*_: object) -> _Array:
    return _Array((0,), np.uint8)


def _scalar(of: _Type, content: bytes = b"") -> Any:
    return np.frombuffer(content, of.type)[0]


def _from_buffer(content: bytes, of: _Type, shape: tuple[int, ...], order: str) -> np.ndarray:
    return np.frombuffer(content, of.type).reshape(shape, order="F" if order == "F" else "C")


def _encode(text: str, codec: str = "latin1") -> bytes:
    if codec not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"text in {codec!r}")
    return text.encode("latin1")


def _bytes(content: bytes = b"") -> bytes:
    return bytes(content) if isinstance(content, bytes | bytearray) else b""


def _nothing(*_: object) -> None:
    """Stands for the class of an array, which `_empty` does not look at."""


_NUMPY: dict[str, Callable[..., Any]] = {
    "multiarray._reconstruct": _empty, "multiarray.scalar": _scalar, "numeric._frombuffer": _from_buffer,
}  # fmt: skip
_ALLOWED: dict[str, Callable[..., Any]] = {
    **{f"numpy.{core}.{name}": stand_in for core in ("core", "_core") for name, stand_in in _NUMPY.items()},
    "numpy.dtype": _Type, "numpy.ndarray": _nothing, "_codecs.encode": _encode,
    "builtins.bytes": _bytes, "__builtin__.bytes": _bytes,
}  # fmt: skip


class _Restricted(pickle._Unpickler):
    # The unpickler written in Python: that in C reserves memory for whatever place a damaged pickle names.
    dispatch: ClassVar[dict[int, Any]]

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        stand_in = _ALLOWED.get(f"{module}.{name}")
        if stand_in is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")

        def fresh(*args: Any) -> Any:  # a pickle may set attributes of what it is given
            return stand_in(*args)

        return fresh


def loads(content: bytes, asked: str) -> Any:
    """What is in a pickle, of Python 2 or 3.

    Parameters
    ----------
    content : bytes
    asked : str
        What is read, for messages.

    Returns
    -------
    Any
        Arrays, numbers, text, bytes, and lists, tuples, dicts and sets of them.

    Raises
    ------
    MoodError
        It is damaged, or asks for anything else.
    """
    try:
        return _plain(_Restricted(io.BytesIO(content), encoding="latin1").load())
    except pickle.UnpicklingError as error:
        found = f"a pickle that is not read: {error}"
    except MemoryError:
        found = "a damaged pickle: it asks for more memory than there is"
    except Exception as error:  # a damaged pickle makes any operation fail
        found = f"a damaged pickle: {type(error).__name__}: {error}"
    raise MoodError(asked, found[:200], DO)


def _plain(value: Any) -> Any:
    """Arrays, and those in a dict, as NumPy's own class."""
    if isinstance(value, dict):
        return {key: np.asarray(it) if isinstance(it, np.ndarray) else it for key, it in value.items()}
    return np.asarray(value) if isinstance(value, np.ndarray) else value


def load(path: Path, asked: str) -> Any:
    """What is in the pickle `path`; see `loads`."""
    return loads(contents(path, asked), asked)


def contents(path: Path, asked: str) -> bytes:
    """The bytes of a file.

    Raises
    ------
    MoodError
        It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise MoodError(asked, f"cannot be read: {error.strerror}", "check the file and its permissions") from None


def load_npy(content: bytes, asked: str) -> Any:
    """The array in a ``.npy`` file, also one of objects, which NumPy pickles.

    Raises
    ------
    MoodError
        It is damaged, or its pickle asks for something else than arrays and numbers.
    """
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        of = head(file)[2]
        if not of.hasobject:
            return np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError, MemoryError, SyntaxError, TypeError) as error:
        raise MoodError(asked, f"a damaged array: {error}"[:200], DO) from None
    return loads(file.read(), asked)


def load_npz(path: Path, asked: str) -> dict[str, Any]:
    """The arrays in a ``.npz`` archive by name; one that holds a pickle as bytes, as those of SEED-V, is unpickled.

    Raises
    ------
    MoodError
        It is damaged, or holds what `loads` does not read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            files = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise MoodError(asked, f"a damaged archive: {error}"[:200], DO) from None
    return {name: _unpacked(load_npy(it, f"{name} of {asked}"), f"{name} of {asked}") for name, it in files.items()}


def _unpacked(value: Any, asked: str) -> Any:
    is_pickle = isinstance(value, np.ndarray) and value.dtype.kind == "S" and value.ndim == 0
    return loads(value.item(), asked) if is_pickle else value
