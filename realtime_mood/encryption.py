"""Encrypts finished files in the format of age, which other programs read; decrypts them; reads and makes key files.

A file is replaced only when its encrypted form has been decrypted again and gave the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pyrage import DecryptError, IdentityError, RecipientError, decrypt_io, encrypt_io
from pyrage.x25519 import Identity, Recipient

from .errors import ConfigError, MoodError, SourceNotFound, StreamMismatch
from .files import AGE, PRIVATE, encrypted_name, is_being_written, whole_file
from .sources.recordings.headers import ENCRYPTED, beginning

KEY_BYTES = 2**16  # of a key file, at most
SECRET = b"AGE-SECRET-KEY-"
NO_KEY = "No matching keys found"  # pyrage's word for a file that none of the keys opens
LOST = "without its key nobody can read it, nor can this program; nothing was changed"


class EncryptedFile(NamedTuple):
    """Result of `encrypt`."""

    path: Path
    original: str  # what has become of the original

    def __str__(self) -> str:
        return f"{self.path} · {self.original}"


class _Passing:
    """A file that pyrage reads or writes: what passes is hashed, and an error keeps its kind, which pyrage loses."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest, self.n_bytes = file, hashlib.sha256(), 0
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self._count(self._file.read(size))
        except BaseException as error:  # also Ctrl-C
            self.error = error
            raise

    def write(self, piece: bytes) -> int:
        try:
            self._file.write(piece)
            return len(self._count(piece))
        except BaseException as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Nothing: a file is flushed when it is complete."""

    def _count(self, piece: bytes) -> bytes:
        self.digest.update(piece)
        self.n_bytes += len(piece)
        return piece


def make_key(path: Path) -> Identity:
    """Create a key file, as ``age-keygen`` does, which only this user can read.

    Raises `ConfigError` where there is a file, or none can be written.
    """
    identity = Identity.generate()
    text = f"# created: {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n# public key: {identity.to_public()}\n{identity}\n"
    try:
        with whole_file(path, PRIVATE, is_new=True) as f:
            f.write(text.encode())
    except OSError as error:
        raise ConfigError(f"create the key {path}", str(error.strerror or error), "choose another name") from None
    return identity


def read_key(path: Path) -> list[Identity]:
    """The secret keys in a key file of age. Raises `ConfigError` where there is no such file, or no key in it."""
    try:
        with path.open("rb") as f:
            lines = f.read(KEY_BYTES).splitlines()
    except FileNotFoundError:
        raise ConfigError(f"key {path}", "no such file", f"find the copy that you kept: {LOST}") from None
    except OSError as error:
        raise ConfigError(f"key {path}", str(error.strerror or error), "use a key file that you can read") from None
    secrets = [line.strip().decode("ascii", "replace") for line in lines if line.strip() and line[:1] != b"#"]
    try:
        keys = [Identity.from_str(secret) for secret in secrets]
    except IdentityError:
        keys = []
    if not keys:
        do = "a key file of age has lines AGE-SECRET-KEY-…; `encrypt --key NEW` makes one"
        raise ConfigError(f"key {path}", "it is no key file of age, or damaged", do)
    return keys


def recipient_of(public: str) -> Recipient:
    """The recipient with a public key ``age1…``; raises `ConfigError` where it is none."""
    try:
        return Recipient.from_str(public.strip())
    except RecipientError as error:
        do = "give the whole public key of the recipient, age1…, from the second line of the key file"
        raise ConfigError(f"encrypt to {public!r}", f"not a public key of age ({error})", do) from None


def check_encryptable(path: Path) -> None:
    """Raise `MoodError` where a file is not to be encrypted: it says why."""
    asked, found, do = f"encrypt {path}", "", "name the file itself"
    try:
        mode = path.lstat().st_mode
        head = beginning(path, KEY_BYTES) if stat.S_ISREG(mode) else b""
    except FileNotFoundError:
        raise SourceNotFound(asked, "no such file", "check the path") from None
    except OSError as error:
        raise SourceNotFound(asked, str(error.strerror or error), "use a file that you can read") from None
    if not stat.S_ISREG(mode):
        found = "a link: it is not followed" if stat.S_ISLNK(mode) else "a folder, or no regular file"
    elif head.startswith(ENCRYPTED):
        found, do = "it is encrypted already (age)", "leave it as it is"
    elif SECRET in head:
        found, do = "it holds a secret key: encrypted with itself it would be lost", "keep it where the files are not"
    elif is_being_written(path):
        found, do = "it is being written", "encrypt it when its run has ended"
    if found:
        raise StreamMismatch(asked, found, do)
    _check_new(asked, encrypted_name(path))


def encrypt(
    path: Path, recipients: Iterable[Recipient], keys: Sequence[Identity] = (), *, keep: bool = False
) -> EncryptedFile:
    """Encrypt a file to recipients and to `keys`, beside it, with ``.age`` behind its name.

    The new file is decrypted again with the keys, and compared. Then the original is removed: not without keys, nor
    with `keep`, nor when it has changed meanwhile. Raises `MoodError` as `check_encryptable` does, and where the new
    file could not be written or differs; the original is as it was then.
    """
    check_encryptable(path)
    asked, target = f"encrypt {path}", encrypted_name(path)
    to = [*recipients, *(key.to_public() for key in keys)]
    try:
        with path.open("rb") as f, whole_file(target, PRIVATE, is_new=True) as out:
            before = os.fstat(f.fileno())
            original = _Passing(f)
            _run(encrypt_io, original, _Passing(out), to)
            out.seek(0)
            if keys and _digest_in(out, keys) != original.digest.digest():
                raise MoodError(asked, "decrypted again, it differs", f"the disk may be failing; {path} is as it was")
        _date_as(target, before)
        now = path.lstat()
        if not keys:
            return EncryptedFile(target, f"{path} is kept: without its key the new file cannot be checked")
        if (now.st_ino, now.st_size, now.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns):
            return EncryptedFile(target, f"{path} is kept: it has changed meanwhile")
        if keep:
            return EncryptedFile(target, f"decrypted again and compared; {path} is kept")
        path.unlink()
    except OSError as error:
        raise ConfigError(asked, str(error.strerror or error), f"{path} is as it was") from None
    others = f", and {now.st_nlink - 1} other names of it (hard links) are not" if now.st_nlink > 1 else ""
    return EncryptedFile(target, f"decrypted again and compared; {path} is removed{others}")


def decrypt(path: Path, keys: Sequence[Identity], *, partial: bool = False) -> Path:
    """Decrypt a file beside it, under its name without ``.age``, which is returned. The encrypted file is kept.

    Where it is damaged or cut short, `partial` writes what was intact before the damage as ``…_partial`` as well.

    Raises
    ------
    MoodError
        Where nothing, or not everything, was decrypted. No file is left then that is not named in the message.
    """
    asked, target = f"decrypt {path}", path.with_suffix("")
    try:
        head = beginning(path, max(map(len, ENCRYPTED)))
        path.lstat()
    except OSError as error:
        raise SourceNotFound(asked, str(error.strerror or error), "check the path") from None
    if not head.startswith(ENCRYPTED):
        raise StreamMismatch(asked, "it is not encrypted by age", "use it as it is")
    if path.suffix.lower() != AGE:
        raise ConfigError(asked, f"its name does not end in {AGE}", "rename it")
    _check_new(asked, target)
    try:
        damaged = _write_decrypted(path, target, keys, may_be_cut=False)
        if not damaged:
            return target
        n_bytes, why = damaged
        found = f"it is damaged or cut short ({why})"
        if not n_bytes or not partial:
            can = f"--partial writes the {n_bytes:,} bytes before that" if n_bytes else "nothing in it can be read"
            raise StreamMismatch(asked, found, f"use another copy; {can}; nothing was changed")
        part = target.with_stem(f"{target.stem}_partial")
        _check_new(asked, part)
        _write_decrypted(path, part, keys, may_be_cut=True)
    except OSError as error:
        raise ConfigError(asked, f"{target} is not written: {error.strerror or error}", "nothing was changed") from None
    do = f"{part} has the {n_bytes:,} bytes before that; of a recording, recover reads them"
    raise StreamMismatch(asked, found, do)


class _Damaged(Exception):
    """A file cannot be decrypted to its end."""


def _write_decrypted(path: Path, target: Path, keys: Sequence[Identity], *, may_be_cut: bool) -> tuple[int, str] | None:
    """Write the decrypted file; how many bytes can be decrypted and why no more, or None where all can.

    A file that is cut short is only written where it `may_be_cut`. Raises `OSError`, and `ConfigError` for a key that
    does not open it.
    """
    why, n_bytes = "", 0
    try:
        with path.open("rb") as f, whole_file(target, PRIVATE, is_new=True) as out:
            before, new = os.fstat(f.fileno()), _Passing(out)
            try:
                _run(decrypt_io, _Passing(f), new, keys)
            except _Damaged as error:
                why, n_bytes = str(error), new.n_bytes
                if not may_be_cut:
                    raise
        _date_as(target, before)
    except _Damaged:
        pass
    except DecryptError as error:
        if NO_KEY in str(error):
            do = f"use the key it was encrypted with: {LOST}"
            raise ConfigError(f"decrypt {path}", "this key does not open it", do) from None
        why = str(error)
    return (n_bytes, why) if why else None


def _digest_in(file: BinaryIO, keys: Sequence[Identity]) -> bytes | None:
    """Hash of what a file holds decrypted; None where it cannot be decrypted."""
    with Path(os.devnull).open("wb") as nowhere:
        new = _Passing(nowhere)
        try:
            _run(decrypt_io, _Passing(file), new, keys)
        except (_Damaged, DecryptError):
            return None
    return new.digest.digest()


def _run(work: Callable[..., None], old: _Passing, new: _Passing, keys: Sequence[Identity | Recipient]) -> None:
    """Call pyrage; what its files raised is raised as it was, and an error of its own about the data as `_Damaged`."""
    try:
        work(old, new, keys)
    except BaseException as error:
        if cause := old.error or new.error:
            raise cause from None
        if isinstance(error, OSError):
            raise _Damaged(str(error)) from None
        raise


def _date_as(path: Path, stat_of: os.stat_result) -> None:
    """Give a file the date of another, by which `forget` knows how old the data are."""
    with suppress(OSError):
        os.utime(path, ns=(stat_of.st_atime_ns, stat_of.st_mtime_ns))


def _check_new(asked: str, target: Path) -> None:
    if os.path.lexists(target):
        raise ConfigError(asked, f"{target} exists already", "move or delete one of them")
