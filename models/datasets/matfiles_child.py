"""Child process of `matfiles`: answers each line of standard input, a file and a path into it, on standard output.

A question is a line of JSON; an answer is another, and after it the bytes of an array. Nothing of this project is
imported.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

V73 = b"MATLAB 7.3"
HDF5 = b"\x89HDF\r\n\x1a\n"


class Missing(LookupError):
    """The path leads nowhere."""


class _Version5:
    def __init__(self, path: str) -> None:
        from scipy import io

        self._io, self._path = io, path
        self._name = ""
        self._value: Any = None

    def names(self) -> list[str]:
        return [name for name, *_ in self._io.whosmat(self._path)]

    def find(self, path: list[str | int]) -> Any:
        name = str(path[0])
        if self._name != name:  # the last variable stays: a structure is read in many steps
            found = self._io.loadmat(self._path, variable_names=[name], struct_as_record=True, chars_as_strings=True)
            if name not in found:
                raise Missing(f"no variable {name}; there are {', '.join(self.names()[:6])} …")
            self._name, self._value = name, found[name]
        node: Any = self._value
        for step in path[1:]:
            if isinstance(step, int):
                flat = np.asarray(node).ravel(order="F")
                if not 0 <= step < len(flat):
                    raise Missing(f"{len(flat)} elements")
                node = flat[step]
                continue
            if isinstance(node, np.ndarray) and node.size == 1:
                node = node.ravel()[0]
            of = getattr(node, "dtype", None)
            if isinstance(node, np.ndarray) or of is None or step not in (of.names or ()):
                raise Missing(f"no field {step}")
            node = node[step]
        return node

    def describe(self, node: Any) -> Any:
        array = np.asarray(node)
        if array.dtype.names or array.dtype == object:
            return {"shape": array.shape, "fields": array.dtype.names or ()}
        if array.dtype.kind in "US":
            return {"text": "\n".join(str(row) for row in array.ravel())}
        return array


class _Version73:
    def __init__(self, path: str) -> None:
        import h5py

        self._h5py, self._file = h5py, h5py.File(path, "r")

    def names(self) -> list[str]:
        return [name for name in self._file if not name.startswith("#")]

    def find(self, path: list[str | int]) -> Any:
        node: Any = self._file
        element: int | None = None  # of an array of structures, whose fields are lists of the elements' values
        for step in path:
            if isinstance(step, int):
                if isinstance(node, self._h5py.Group):
                    element = step
                else:
                    node = self._link(node, step)
                continue
            if not isinstance(node, self._h5py.Group) or step not in node:
                raise Missing(
                    f"no {step}" + (f"; there are {', '.join(self.names()[:6])} …" if node is self._file else "")
                )
            node = node[step]
            if element is not None or (self._is_listed(node) and node.size == 1):
                node, element = self._link(node, element or 0) if self._is_listed(node) else node, None
        return node

    def _is_listed(self, node: Any) -> bool:
        """Whether `node` is the field of an array of structures; the references of a cell array have a class."""
        is_set = isinstance(node, self._h5py.Dataset)
        return is_set and node.dtype == self._h5py.ref_dtype and "MATLAB_class" not in node.attrs

    def _link(self, node: Any, index: int) -> Any:
        flat = np.asarray(node[()]).T.ravel(order="F")
        if node.dtype != self._h5py.ref_dtype or not 0 <= index < len(flat):
            raise Missing(f"{len(flat)} elements")
        return self._file[flat[index]]

    def describe(self, node: Any) -> Any:
        if isinstance(node, self._h5py.Group):
            lists = [field for field in node.values() if self._is_listed(field)]
            return {"shape": lists[0].shape[::-1] if lists else (1, 1), "fields": list(node)}
        if node.attrs.get("MATLAB_empty", 0):
            return np.zeros(tuple(int(n) for n in node[()]))
        if node.dtype == self._h5py.ref_dtype:
            return {"shape": node.shape[::-1], "fields": ()}
        value = np.asarray(node[()]).T
        if node.attrs.get("MATLAB_class") in (b"char", "char"):
            return {"text": "\n".join(bytes(row.astype("<u2")).decode("utf-16-le", "replace") for row in value)}
        return value


def _limit(most_bytes: int) -> None:
    """Of memory, and of the processor's time: a damaged file can make a library read for ever."""
    try:
        import resource

        seconds = resource.getrusage(resource.RUSAGE_SELF).ru_utime + 300 + most_bytes // 10**8
        for what, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, most_bytes), (resource.RLIMIT_CPU, seconds)):
            resource.setrlimit(what, (int(most), resource.getrlimit(what)[1]))
    except (ImportError, ValueError, OSError):  # not on this system, or a lower limit is in force
        pass


def _opened(path: str, most_bytes: int) -> Any:
    with Path(path).open("rb") as start:
        head = start.read(520)
    is_hdf5 = head.startswith((V73, HDF5)) or head[512:] == HDF5
    file = (_Version73 if is_hdf5 else _Version5)(path)
    _limit(most_bytes)  # after the imports, which reserve more than they use
    return file


def _answer(file: Any, path: list[str | int]) -> tuple[dict[str, Any], bytes]:
    if not path:
        return {"names": file.names()}, b""
    found = file.describe(file.find(path))
    if isinstance(found, dict):
        return found, b""
    array = np.atleast_2d(found)
    if array.dtype.kind not in "biufc":
        raise Missing(f"values of the type {array.dtype}")
    return {"dtype": array.dtype.str, "shape": array.shape, "bytes": array.nbytes}, array.tobytes(order="F")


def main() -> int:
    """Answer until standard input ends."""
    key, file = "", None
    for line in sys.stdin.buffer:
        content = b""
        try:
            asked = json.loads(line)
            if asked["key"] != key:
                file, key = None, asked["key"]
            file = file or _opened(asked["file"], asked["most_bytes"])
            answer, content = _answer(file, asked["path"])
        except Missing as error:
            answer = {"missing": str(error)}
        except MemoryError:
            answer = {"error": "it asks for more memory than such a file needs"}
        except Exception as error:
            answer = {"error": (" ".join(str(error).split()) or type(error).__name__)[:120]}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + content)
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
