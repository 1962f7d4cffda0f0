"""Archives of several subjects in one ``.npz`` file: recordings as integers, each described by a line of JSON.

``meta`` (JSON: ``fs`` in Hz, ``channels``, ``uV_per_lsb``, ``source``, ``licence``), ``index`` (JSON of each recording:
``key``, ``subject``, ``record`` and what else is known of it), and the arrays (n_chans, n_times) named by the keys.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.montage import canonical_name
from realtime_mood.types import StreamInfo

DO = "get the archive again; its layout is in docs/datasets.md"
BROKEN = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, KeyError, TypeError, NotImplementedError,
          RuntimeError, MemoryError, RecursionError, IndexError, SyntaxError, AttributeError)  # fmt: skip
"""What NumPy, zipfile and json raise for a damaged file."""
UNDESCRIBED = "its meta and index do not describe recordings"


class ArchiveFile:
    """The description and the arrays of an archive, read one by one.

    Raises
    ------
    MoodError
        It is damaged, or has another layout.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                self.names = {name.removesuffix(".npy") for name in archive.namelist()}
            self.meta: dict[str, Any] = json.loads(str(self._array("meta")))
            self.entries: list[dict[str, Any]] = [json.loads(str(line)) for line in self._array("index")]
            self.sfreq = float(self.meta["fs"])
            self.to_uv = np.float32(self.meta["uV_per_lsb"])
            self.labels = [str(label) for label in self.meta["channels"]]
            self.virtual = "SIMULATED" in str(self.meta)
            missing = [e for e in self.entries if not {"key", "subject"} <= e.keys()]
        except BROKEN as error:
            raise self._damaged(error) from None
        if missing or not self.entries or not self.labels or not 0 < self.sfreq < 1e5:
            raise MoodError(f"archive {path.name}", UNDESCRIBED, DO)

    def array(self, key: str) -> np.ndarray:
        """One recording as it is stored, (n_chans, n_times), or what is known of each of its numbers.

        Raises
        ------
        MoodError
            It is damaged or absent.
        """
        try:
            whole = self._array(key)
            if whole.ndim != 2 or whole.dtype.kind not in "iuf":
                raise ValueError(f"an array of the shape {whole.shape} and type {whole.dtype}")
            return whole
        except BROKEN as error:
            raise self._damaged(error) from None

    def n_times(self, key: str) -> int:
        """Samples of one recording, from the head of its array; raises as `array` does."""
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{key}.npy") as file:
                version = np.lib.format.read_magic(file)
                head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                return int(head(file)[0][1])
        except BROKEN as error:
            raise self._damaged(error) from None

    def _array(self, name: str) -> np.ndarray:
        with zipfile.ZipFile(self.path) as archive, archive.open(f"{name}.npy") as file:
            return np.lib.format.read_array(file, allow_pickle=False)

    def _damaged(self, error: BaseException) -> MoodError:
        found = f"cannot be read: {' '.join(str(error).split()) or type(error).__name__}"
        return MoodError(f"archive {self.path.name}", found[:200], DO)


class Archive(ArchiveFile):
    """The archive of a data set, of whose channels the electrodes are taken.

    Parameters
    ----------
    root : Path
        The file, or a folder that holds it.
    pattern : str
        Of the file's name in a folder.
    what : str
        The data set, for messages.

    Raises
    ------
    ConfigError
        There is no such file.
    MoodError
        It is damaged, has another layout, or there are several.
    """

    def __init__(self, root: Path, pattern: str, what: str) -> None:
        found = [root] if root.suffix == ".npz" else sorted(root.glob(pattern))
        if not found or not found[0].is_file():
            raise ConfigError(f"{what} in {root}", f"no {pattern}", "give the archive, or the folder that holds it")
        if len(found) > 1:
            several = ", ".join(path.name for path in found)
            raise MoodError(f"{what} in {root}", f"several archives: {several}", "give the path of one of them")
        super().__init__(found[0])
        names = [canonical_name(label) for label in self.labels]
        self.columns = [i for i, name in enumerate(names) if name]
        self.ch_names = tuple(name for name in names if name)
        if not self.ch_names:
            raise MoodError(f"archive {self.path.name}", UNDESCRIBED, DO)

    def info(self, name: str) -> StreamInfo:
        """Electrodes, rate and reference of all recordings."""
        reference = str(self.meta.get("reference") or "unknown")
        return StreamInfo(self.ch_names, self.sfreq, name, reference, virtual=self.virtual)

    def signal(self, key: str) -> np.ndarray:
        """One recording: (n_times, n_chans) float32, µV; raises as `array` does."""
        return np.ascontiguousarray(self.array(key)[self.columns].T, np.float32) * self.to_uv
