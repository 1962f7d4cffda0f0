"""Writing and reading of files: written completely or appended to, private from the start, links not followed."""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib.resources import files
from io import TextIOWrapper
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from platformdirs import user_log_path
from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import ConfigError

try:
    import fcntl
except ImportError:  # Windows, where nothing else can delete a file that is open
    fcntl = None  # type: ignore[assignment]

PRIVATE, SHARED = 0o600, 0o666  # the user's umask is applied
AGE = ".age"  # ending of encrypted files
NAME_BYTES = 255  # where the system gives no maximum length of a name
FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | sum(getattr(os, it, 0) for it in ("O_CLOEXEC", "O_BINARY", "O_NOFOLLOW"))


def write_whole(path: Path, blob: bytes, mode: int = SHARED) -> None:
    """Write a file completely or not at all, as `whole_file` does; raises `OSError`."""
    with whole_file(path, mode) as f:
        f.write(blob)


@contextmanager
def whole_file(path: Path, mode: int = SHARED, *, is_new: bool = False) -> Iterator[BinaryIO]:
    """A file to write and read, that is at `path` when it is complete; until then, and after an error, nothing changes.

    The bytes first go to a new file with a random name. A link at `path` is replaced, not followed; where the file has
    to be new, anything there is left, and the error is `FileExistsError`. Raises `OSError`.
    """
    path.parent.mkdir(mode=0o700 if mode == PRIVATE else 0o777, parents=True, exist_ok=True)
    partial = path.with_name(f".{secrets.token_hex(8)}.part")
    descriptor = os.open(partial, FLAGS, mode)
    try:
        with os.fdopen(descriptor, "w+b") as f:
            yield f
            f.flush()
            os.fsync(f.fileno())
        if is_new:
            rename_new(partial, path)
        else:
            partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def rename_new(old: Path, path: Path) -> None:
    """Rename a file, unless there is one already; its name is on the disk then, as far as the system can do that.

    Raises `FileExistsError`, and `OSError` where it cannot be renamed, as to another disk; then it is where it was.
    """
    try:
        os.link(old, path)  # fails where the file exists, unlike a rename
        old.unlink()
    except OSError:
        if os.path.lexists(path):
            raise
        old.replace(path)  # a disk without links
    with suppress(OSError):  # not on Windows
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def write_private(path: Path, blob: bytes) -> None:
    """Write a file that only this user can read; raises as `write_whole` does."""
    write_whole(path, blob, PRIVATE)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file (UTF-8, or UTF-16 as some editors save); raises `OSError`, or `ValueError` if it is wrong."""
    blob = path.read_bytes()
    is_utf16 = blob.startswith((b"\xff\xfe", b"\xfe\xff"))
    return tomllib.loads(blob.decode("utf-16" if is_utf16 else "utf-8-sig"))


class PrivateLog(logging.FileHandler):
    """A log that only this user can read; links are not followed; the first message opens the file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self.baseFilename, flags, PRIVATE)
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, PRIVATE)  # an earlier version created it readable by others
        return os.fdopen(descriptor, "a", encoding=self.encoding)


def log_exception() -> str:
    """Write the exception being handled to the user's log file; return where it is, or why it could not be written."""
    try:
        path = user_log_path("realtime_mood", ensure_exists=True) / "realtime_mood.log"
        logging.basicConfig(handlers=[PrivateLog(path)], format="%(asctime)s %(threadName)s %(name)s %(message)s")
        logging.getLogger("realtime_mood").exception("unexpected")
    except OSError as error:
        return f"the log could not be written: {error}"
    return f"details are in {path}"


def is_being_written(path: Path) -> bool:
    """Whether a program has this `GrowingFile` open; False where that cannot be known."""
    if fcntl is None:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(descriptor)
    return False


def lock(descriptor: int, *, wait: bool) -> None:
    """Lock an open file or folder until it is closed; nothing on Windows, and on network disks without locks."""
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


class GrowingFile:
    """A private file that is only appended to, in complete pieces: the first of `paths` that is free.

    It is locked until it is closed or its program ends, however that ends. Every method may raise `OSError`.
    """

    def __init__(self, paths: Iterator[Path]) -> None:
        for self.path in paths:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                self._fd = os.open(self.path, FLAGS, PRIVATE)
                break
            except FileExistsError:
                continue
        else:
            raise FileExistsError(errno.EEXIST, "it exists already")
        lock(self._fd, wait=False)
        self.n_bytes = 0

    def append(self, data: bytes) -> None:
        """Pass `data` to the operating system, all of it or nothing."""
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError:
            os.ftruncate(self._fd, self.n_bytes)
            os.lseek(self._fd, self.n_bytes, os.SEEK_SET)
            raise
        self.n_bytes += len(data)

    def sync(self) -> None:
        """Flush it to the disk. Raises `FileNotFoundError` when it has been deleted."""
        os.fsync(self._fd)
        if not os.fstat(self._fd).st_nlink:
            raise FileNotFoundError(errno.ENOENT, "deleted while it was written", str(self.path))

    def close(self) -> None:
        """Close it, and delete it if it is empty."""
        os.close(self._fd)
        if not self.n_bytes:
            self.path.unlink(missing_ok=True)


def free_paths(path: Path, participant: str = "", session: str = "", ending: str = "eeg.xdf") -> Iterator[Path]:
    """Candidate paths of a recording, best first: `path`, ``…_2.xdf``, …; in a folder, BIDS names with rising runs.

    A name that an encrypted file has, with its ending behind it, is none: it could not be decrypted any more.
    """
    return (it for it in _names(path, participant, session, ending) if not os.path.lexists(encrypted_name(it)))


def encrypted_name(path: Path) -> Path:
    """The path of a file when it is encrypted."""
    return path.with_name(path.name + AGE)


def _names(path: Path, participant: str, session: str, ending: str) -> Iterator[Path]:
    suffix = ending[ending.rindex(".") :]
    path = path.expanduser()
    if os.path.isdir(path):  # noqa: PTH112 - never raises
        made = f"{datetime.now():%Y%m%dT%H%M%S}"  # local time, for the user who looks for the file
        stem = f"sub-{_label(participant) or 'unnamed'}_ses-{_label(session) or made}_task-mood"
        yield from (path / f"{stem}_run-{run:02d}_{ending}" for run in count(1))
    if path.suffix.lower() != suffix:
        path = path.with_name(path.name + suffix)
    yield path
    yield from (path.with_stem(f"{path.stem}_{n}") for n in count(2))


def _label(text: str) -> str:
    """The characters of `text` that BIDS allows in a file name."""
    return re.sub(r"[^0-9A-Za-z]", "", text)


def first_free(paths: Iterator[Path]) -> Path:
    """The first of `paths` where nothing exists, not even a broken link, and no encrypted file."""
    return next(path for path in paths if not any(map(os.path.lexists, (path, encrypted_name(path)))))


def check_writable(path: Path, what: str = "record to") -> None:
    """Raise `ConfigError` if no file could be created at `path`, as far as is known without creating it.

    `what` is the purpose of the file, for the message.
    """
    folder, most, name = path.parent, NAME_BYTES, max(path.parts, key=_n_bytes, default="")
    while not os.path.exists(folder) and folder != folder.parent:  # noqa: PTH110 - never raises
        folder = folder.parent
    if hasattr(os, "pathconf"):
        most = os.pathconf(folder, "PC_NAME_MAX")
    if "\0" in str(path) or not _can_be_encoded(path):
        trouble = "not a valid file name"
    elif _n_bytes(name) > most:
        trouble = f"{name[:20]}… is a name of {_n_bytes(name)} bytes, the maximum is {most}"
    elif not folder.is_dir():
        trouble = f"{folder} is not a folder"
    elif not os.access(folder, os.W_OK | os.X_OK):
        trouble = f"{folder} is not writable"
    else:
        return
    text = str(path).replace("\0", "\\0")
    shown = text if len(text) <= 160 else f"{text[:80]}…{text[-60:]}"
    raise ConfigError(f"{what} {shown}", trouble, "choose another folder or name")


def _can_be_encoded(path: Path) -> bool:
    try:
        return bool(os.fsencode(path))
    except UnicodeError:
        return False


def _n_bytes(name: str) -> int:
    return len(name.encode(sys.getfilesystemencoding(), "replace"))


class Strict(BaseModel):
    """Base of immutable settings that reject unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Plan = TypeVar("Plan", bound=Strict)


def shipped_in(package: str, folder: str) -> dict[str, Path]:
    """Paths of the TOML files in a folder of a package, by name."""
    return {path.stem: path for path in sorted((Path(str(files(package))) / folder).glob("*.toml"))}


def load(kind: type[Plan], what: str, name_or_path: str, known: Mapping[str, Path]) -> Plan:
    """Load a protocol or session plan: one of `known` by its name, or any by its path.

    Raises `ConfigError` where there is none of the kind that is called `what`, or the file is invalid; it names the
    key.
    """
    path, asked = known.get(name_or_path) or Path(name_or_path), f"{what} {name_or_path!r}"
    try:
        return kind.model_validate(read_toml(path))
    except FileNotFoundError:
        do = f"use {', '.join(known)}, or the path of a TOML file"
        raise ConfigError(asked, f"no such {what}", do) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole file"
        raise ConfigError(asked, f"{where}: {first['msg']}", "correct that line (docs/guide.md lists all)") from None
    except (OSError, ValueError) as error:
        raise ConfigError(asked, f"not valid TOML: {error}", "correct it, or use another file") from None
