"""The verbs ``encrypt`` and ``decrypt``: files that a run has finished, in the format of age."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError, MoodError, install_extra

if TYPE_CHECKING:
    from pyrage.x25519 import Identity

    from ..recording.recorder import Recorder

_at_end: list[tuple[Recorder, list[Identity]]] = []


def encrypt(
    files: Annotated[list[Path], typer.Argument(help="Recordings, profiles, feedback lines, reports or other files.")],
    key: Annotated[Path | None, typer.Option(help="Key file of age; created if there is none.")] = None,
    to: Annotated[
        list[str] | None, typer.Option(help="Public key (age1…) of somebody who shall read it too; may be repeated.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the original as well.")] = False,
) -> None:
    """Encrypt finished files. FILE.age replaces the original once it has been checked with the key."""
    if key is None and not to:
        raise ConfigError("encrypt", "neither a key nor a recipient is given", "add --key FILE, or --to age1…")
    from .. import encryption

    recipients, files = [encryption.recipient_of(public) for public in to or ()], list(dict.fromkeys(files))
    for file in files:
        encryption.check_encryptable(file)
    keys = [] if key is None else key_of(key)
    for file in files:
        print(encryption.encrypt(file, recipients, keys, keep=keep), flush=True)


def key_of(path: Path) -> list[Identity]:
    """The secret keys of a key file, which is created and said so where there is none."""
    from .. import encryption

    if os.path.lexists(path):
        return encryption.read_key(path)
    made = encryption.make_key(path)
    print(f"New key {path}, public {made.to_public()}", file=sys.stderr)
    print("Who has this file can read what it encrypts; without it nobody can. Keep a copy elsewhere.", file=sys.stderr)
    return [made]


def decrypt(
    files: Annotated[list[Path], typer.Argument(help="Files encrypted by encrypt or age.")],
    key: Annotated[Path, typer.Option(help="Key file of age that they were encrypted with.")],
    partial: Annotated[
        bool, typer.Option("--partial", help="Of a damaged file, write what is intact before the damage.")
    ] = False,
) -> None:
    """Decrypt files beside themselves. The encrypted ones are kept."""
    from .. import encryption

    keys = encryption.read_key(key)
    for file in dict.fromkeys(files):
        print(f"{encryption.decrypt(file, keys, partial=partial)} · {file} is kept", flush=True)


def encrypt_at_end(recorder: Recorder, key: Path) -> None:
    """Have what a recorder writes encrypted when the verb has ended; raises `ConfigError` for the key at once."""
    try:
        _at_end.append((recorder, key_of(key)))
    except ModuleNotFoundError:  # not left to the command line: the window shows it
        do = install_extra("pyrage")
        raise ConfigError(f"encrypt with {key}", "the package pyrage is not installed", do) from None


def encrypt_recorded() -> None:
    """Encrypt what was recorded, and say so on standard error; raises the first error when all were tried."""
    errors = []
    while _at_end:
        from .. import encryption

        recorder, keys = _at_end.pop(0)
        for path in filter(Path.exists, recorder.written):
            try:
                print(encryption.encrypt(path, (), keys), file=sys.stderr, flush=True)
            except MoodError as error:
                errors.append(error)
    if errors:
        raise errors[0]
