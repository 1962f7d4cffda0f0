"""Cache of results on disk, so that a second run continues where the first one stopped.

A result is kept under a hash of everything it depends on: signals, labels, settings, seed, and the source code that
made it. What cannot be written (a full disk) stays in memory and is written with the next result.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from realtime_mood.errors import MoodError
from realtime_mood.files import write_whole

from ..datasets.mapped import release
from ..datasets.person import Person

BLOCK = 512  # seconds that are read at a time


def digest(*parts: object) -> str:
    """SHA-256 of settings, and of modules by their code."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=_as_json).encode()).hexdigest()


def _as_json(part: object) -> object:
    if isinstance(part, ModuleType):
        return _code(part)
    if isinstance(part, Mapping):
        return dict(part)
    raise TypeError(f"no digest of {type(part).__name__}")


@cache
def _code(module: ModuleType) -> str:
    """SHA-256 of a module's source without comments and docstrings, which change no result."""
    assert module.__file__
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def digest_of_person(p: Person) -> str:
    """SHA-256 of the features and labels of one subject."""
    h = hashlib.sha256(f"{p.name} {p.info.ch_names} {p.info.sfreq} {p.trials} {p.sha256} {p.every}".encode())
    for array in (p.de, p.patches, p.there, p.good, p.piece, p.label, p.rest, p.session, p.trial, p.eye):
        if array is None:
            h.update(b"-")
            continue
        for first in range(0, len(array), BLOCK):
            h.update(np.ascontiguousarray(array[first : first + BLOCK]).data)
        release(array)
    return h.hexdigest()


class Store:
    """A folder of arrays by key; without a folder, results are kept in memory only.

    `log` receives a message when a result could not be written.
    """

    def __init__(self, folder: Path | None, log: Callable[[str], None] = lambda _: None) -> None:
        self._folder, self._log = folder, log
        self._memory: dict[str, dict[str, np.ndarray]] = {}

    def get(self, key: str) -> dict[str, np.ndarray] | None:
        """The arrays under `key`; None where there are none, or the file is damaged."""
        if key in self._memory or self._folder is None:
            return self._memory.get(key)
        try:
            blob = io.BytesIO((self._folder / f"{key}.npz").read_bytes())
            with np.load(blob, allow_pickle=False) as arrays:
                return dict(arrays)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def put(self, key: str, arrays: dict[str, np.ndarray]) -> None:
        """Keep `arrays` under `key`, whole or not at all."""
        self._memory[key] = arrays
        if self._folder is None:
            return
        for name in list(self._memory):
            blob = io.BytesIO()
            np.savez(blob, **self._memory[name])  # type: ignore[arg-type]
            try:
                write_whole(self._folder / f"{name}.npz", blob.getvalue())
            except OSError as error:
                self._log(f"no room for a result in {self._folder} ({error.strerror}); free space; it is tried again")
                return
            del self._memory[name]


class StoredResults(Mapping[str, dict[str, np.ndarray]]):
    """Results of a store by key; each is read when it is used, for all together can be larger than memory."""

    def __init__(self, store: Store, keys: Collection[str]) -> None:
        self._store, self._keys = store, keys

    def __getitem__(self, key: str) -> dict[str, np.ndarray]:
        found = self._store.get(key)
        if found is None:
            raise MoodError(f"result {key[:12]}", "it was removed from the cache, or damaged", "run again")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
