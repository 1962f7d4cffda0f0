"""Encrypted files: they give the same bytes again, and neither a lost key nor damage nor a kill destroys anything."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import app
import realtime_mood
from realtime_mood import encryption
from realtime_mood.encryption import decrypt, encrypt, make_key, read_key, recipient_of
from realtime_mood.errors import ConfigError, MoodError, SourceNotFound, StreamMismatch
from realtime_mood.files import GrowingFile

CHUNK = 2**16  # bytes that age encrypts together
CONTENT = bytes(range(256)) * 700  # almost three of them


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "mood.key"
    make_key(path)
    return path


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "a.xdf"
    path.write_bytes(CONTENT)
    os.utime(path, (1e9, 1e9))
    return path


@pytest.fixture
def encrypted(recording, key):
    return encrypt(recording, (), read_key(key)).path


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.is_dir()}


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 3), st.integers(-1, 1))
@example(b"AGE-SECRET-KEY", 0, 0)
def test_any_bytes_come_back(tmp_path_factory, key, some, n_chunks, more):
    whole = (some + bytes(n_chunks * CHUNK))[: max(0, n_chunks * CHUNK + more)] if n_chunks else some
    assume(not whole.startswith(encryption.ENCRYPTED) and encryption.SECRET not in whole)  # these are refused
    path = tmp_path_factory.mktemp("any") / "b.json"
    path.write_bytes(whole)
    made = encrypt(path, (), read_key(key)).path
    assert content(path.parent) == {"b.json.age": made.read_bytes()}
    assert decrypt(made, read_key(key)).read_bytes() == whole


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_both_files_and_the_key_are_private_and_keep_their_date(encrypted, key):
    for path in (encrypted, decrypt(encrypted, read_key(key))):
        assert (path.stat().st_mode & 0o777, path.stat().st_mtime) == (0o600, 1e9)  # `forget` asks how old it is
    assert key.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(shutil.which("age") is None, reason="age is not installed")
def test_age_reads_what_is_written_here_and_the_other_way_round(tmp_path, encrypted, key):
    assert subprocess.run(["age", "-d", "-i", key, encrypted], capture_output=True).stdout == CONTENT
    public = str(read_key(key)[0].to_public())
    for armour in ([], ["-a"]):
        theirs = tmp_path / "theirs.xdf.age"
        subprocess.run(["age", *armour, "-r", public, "-o", theirs], input=CONTENT, check=True)
        made = decrypt(theirs, read_key(key))
        assert made.read_bytes() == CONTENT
        made.unlink()


def test_without_the_right_key_nothing_is_read_and_nothing_changes(tmp_path, encrypted, key):
    before = content(tmp_path)
    with pytest.raises(ConfigError, match=r"no such file .* without its key nobody can read it.* nothing was changed"):
        decrypt(encrypted, read_key(tmp_path / "lost.key"))
    make_key(tmp_path / "other.key")
    with pytest.raises(ConfigError, match=r"this key does not open it .* nothing was changed"):
        decrypt(encrypted, read_key(tmp_path / "other.key"))
    (tmp_path / "other.key").unlink()
    assert content(tmp_path) == before


@pytest.mark.parametrize("words", ["", "# a comment\n", "AGE-SECRET-KEY-1XX\n", "\0\xff", "age1abc\n"])
def test_what_is_no_key_file_is_refused(tmp_path, words):
    (tmp_path / "k").write_text(words)
    with pytest.raises(ConfigError, match="no key file of age"):
        read_key(tmp_path / "k")


def test_a_key_file_is_never_overwritten(tmp_path, key):
    before = key.read_bytes()
    with pytest.raises(ConfigError, match="exists"):
        make_key(key)
    assert key.read_bytes() == before
    assert [path.name for path in key.parent.iterdir()] == [key.name]


def altered(whole: bytes, at: int) -> bytes:
    return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]


@pytest.mark.parametrize(
    ("damage", "n_bytes"),
    [
        (lambda it: it[:-1], 2 * CHUNK),
        (lambda it: it[: -(len(CONTENT) % CHUNK + 16)], 2 * CHUNK),  # between two chunks: there is no last one
        (lambda it: altered(it, len(it) - CHUNK - 9), CHUNK),
        (lambda it: it + b"more", 2 * CHUNK),
        (lambda it: it[:100], 0),
        (lambda it: altered(it, 30), 0),
        (lambda it: altered(it, 150), 0),
    ],
)  # fmt: skip
def test_a_damaged_file_is_named_so_and_what_is_intact_is_written_on_request(tmp_path, encrypted, key, damage, n_bytes):
    encrypted.write_bytes(damage(encrypted.read_bytes()))
    before = content(tmp_path)
    can = f"--partial writes the {n_bytes:,} bytes" if n_bytes else "does not open it|nothing in it can be read"
    with pytest.raises(MoodError, match=can):
        decrypt(encrypted, read_key(key))
    assert content(tmp_path) == before
    with pytest.raises(MoodError, match=r"a_partial\.xdf has" if n_bytes else can):
        decrypt(encrypted, read_key(key), partial=True)
    assert content(tmp_path) == before | ({"a_partial.xdf": CONTENT[:n_bytes]} if n_bytes else {})


def test_what_must_not_be_encrypted_stays(tmp_path, encrypted, recording, key):
    link, secret, growing = tmp_path / "link.xdf", tmp_path / "c.key", GrowingFile(iter([tmp_path / "g.xdf"]))
    recording.write_bytes(CONTENT)
    link.symlink_to(recording)
    shutil.copy(key, secret)
    growing.append(b"XDF:")
    before = content(tmp_path)
    for path, kind, found in (
        (tmp_path / "none.xdf", SourceNotFound, "no such file"), (tmp_path, StreamMismatch, "folder"),
        (link, StreamMismatch, "a link"), (secret, StreamMismatch, "a secret key"),
        (encrypted, StreamMismatch, "encrypted already"), (recording, ConfigError, "exists already"),
        (growing.path, StreamMismatch, "being written"),
    ):  # fmt: skip
        if growing.path == path and sys.platform == "win32":
            continue
        with pytest.raises(kind, match=found):
            encrypt(path, (), read_key(key))
    with pytest.raises(ConfigError, match="exists already"):
        decrypt(encrypted, read_key(key))
    growing.close()
    assert content(tmp_path) == before


def test_encrypted_to_somebody_else_the_original_is_kept(tmp_path, recording, key):
    made = encrypt(recording, [recipient_of(str(read_key(key)[0].to_public()))])
    assert "kept" in str(made)
    assert recording.read_bytes() == CONTENT
    recording.unlink()
    assert decrypt(made.path, read_key(key)).read_bytes() == CONTENT
    with pytest.raises(ConfigError, match="not a public key"):
        recipient_of("age1xyz")


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError(errno.ENOSPC, "No space left"), ConfigError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_full_disk_and_ctrl_c_leave_the_original_alone(tmp_path, recording, key, monkeypatch, error, raised):
    def write(self, piece):
        self.error = error
        raise error

    monkeypatch.setattr(encryption._Passing, "write", write)
    with pytest.raises(raised):
        encrypt(recording, (), read_key(key))
    assert content(tmp_path) == {"a.xdf": CONTENT}


def test_what_differs_when_decrypted_again_replaces_nothing(tmp_path, recording, key, monkeypatch):
    monkeypatch.setattr(encryption, "_digest_in", lambda *_: None)
    with pytest.raises(MoodError, match="differs"):
        encrypt(recording, (), read_key(key))
    assert content(tmp_path) == {"a.xdf": CONTENT}


def test_an_original_that_changes_meanwhile_is_kept(recording, key, monkeypatch):
    date_as = encryption._date_as
    monkeypatch.setattr(encryption, "_date_as", lambda *of: (recording.write_bytes(b"new"), date_as(*of)))
    assert "changed meanwhile" in str(encrypt(recording, (), read_key(key)))
    assert recording.read_bytes() == b"new"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no such signal there")
def test_killed_in_the_middle_the_original_is_there(tmp_path, recording, key):
    keys = read_key(key)
    if not (child := os.fork()):
        encryption._digest_in = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        encrypt(recording, (), keys)
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    left = content(tmp_path)
    assert left.pop("a.xdf") == CONTENT
    assert [Path(name).suffix for name in left] == [".part"]


def test_the_verbs_make_a_key_once_and_say_what_it_means(tmp_path, recording, capsys):
    other, key = tmp_path / "b.json", tmp_path / "mood.key"
    other.write_text("{}")
    for path in (recording, other):
        assert app.command(["encrypt", str(path), "--key", str(key)]) == 0
    out, err = capsys.readouterr()
    assert err.count("New key") == err.count("without it nobody can") == 1
    assert out.count("is removed") == 2
    assert app.command(["decrypt", f"{recording}.age", f"{other}.age", "--key", str(key)]) == 0
    assert (recording.read_bytes(), other.read_text()) == (CONTENT, "{}")
    Path(f"{other}.age").unlink()
    assert app.command(["encrypt", str(other), str(tmp_path / "none"), "--key", str(tmp_path / "new.key")]) == 3
    assert other.exists()  # nothing is begun where one of them cannot be done
    assert not (tmp_path / "new.key").exists()


@pytest.mark.parametrize(
    "words", [["encrypt", "a.xdf"], ["decrypt", "a.age"], ["run", "--view", "json", "--record", "a.xdf", "--encrypt"]]
)
def test_without_the_package_the_line_that_installs_it_is_named(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "realtime_mood.encryption")
    monkeypatch.delattr(realtime_mood, "encryption")
    monkeypatch.setitem(sys.modules, "pyrage", None)
    assert app.command([*words, *["--key"] * (words[0] != "run"), "k"]) == 2
    assert "pip install 'realtime-mood[encryption]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
