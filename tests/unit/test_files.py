"""Files that the program writes: private from their first byte, whole, and never through somebody's link."""

from __future__ import annotations

import json
import logging
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from realtime_mood import files
from realtime_mood.calibration.commands import calibrate
from realtime_mood.errors import ConfigError
from realtime_mood.feedback import sealed
from realtime_mood.files import (
    GrowingFile,
    PrivateLog,
    check_writable,
    first_free,
    free_paths,
    read_toml,
    write_private,
    write_whole,
)
from realtime_mood.models.commands import evaluate, interpret, pretrain, train
from realtime_mood.profile import Profile
from realtime_mood.recording.recorder import Recorder
from realtime_mood.report.pages import place
from realtime_mood.sinks.csv_file import CsvFile, CsvOptions

posix = pytest.mark.skipif(os.name != "posix", reason="modes and links are those of POSIX")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture(autouse=True)
def open_umask():
    """The widest mask: a private mode has to be asked for."""
    before = os.umask(0)
    yield
    os.umask(before)


@posix
@pytest.mark.parametrize("name", ["me.json", "x" * 250 + ".json"[:5]])
def test_a_private_file_is_private_while_it_is_written(tmp_path, monkeypatch, name):
    seen = []

    def watched(descriptor):
        (partial,) = tmp_path.glob(".*.part")
        seen.append((mode(partial), (tmp_path / name).exists()))

    monkeypatch.setattr(files.os, "fsync", watched)
    write_private(tmp_path / name, b"brain")
    assert seen == [(0o600, False)]
    assert (mode(tmp_path / name), (tmp_path / name).read_bytes()) == (0o600, b"brain")
    assert [path.name for path in tmp_path.iterdir()] == [name]


@posix
def test_planted_files_and_links_are_not_written_through(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "p.json.part").symlink_to(victim)
    (tmp_path / "p.json").symlink_to(victim)
    write_private(tmp_path / "p.json", b"brain")
    assert victim.read_text() == "precious"
    assert not (tmp_path / "p.json").is_symlink()
    assert mode(tmp_path / "p.json") == 0o600


@posix
def test_a_log_is_private_and_not_written_through_a_link(tmp_path):
    old = tmp_path / "old.log"
    old.write_text("before\n")
    old.chmod(0o644)
    log = PrivateLog(old)
    log.emit(logging.makeLogRecord({"msg": "µV"}))
    log.close()
    assert (mode(old), old.read_text(encoding="utf-8")) == (0o600, "before\nµV\n")
    (tmp_path / "planted.log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        PrivateLog(tmp_path / "planted.log").emit(logging.makeLogRecord({"msg": "x"}))
    assert not (tmp_path / "elsewhere").exists()


@posix
def test_weights_may_be_read_by_others_and_what_a_growing_file_holds_may_not(tmp_path):
    write_whole(tmp_path / "w" / "model.safetensors", b"x")
    assert mode(tmp_path / "w" / "model.safetensors") == 0o666
    (tmp_path / "a.xdf").symlink_to(tmp_path / "elsewhere")
    file = GrowingFile(free_paths(tmp_path / "a.xdf"))
    file.append(b"x")
    file.close()
    assert (file.path.name, mode(file.path)) == ("a_2.xdf", 0o600)
    assert not (tmp_path / "elsewhere").exists()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    write_private(tmp_path / "p", b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(tmp_path / "p", b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"p": b"old"}


NAMES = {
    "too long": ("x" * 256, r"name of \d+ bytes"),
    "too long in bytes": ("ä" * 130, r"name of \d+ bytes"),
    "NUL": ("a\0b", "not a valid file name"),
    "too long a folder": ("y" * 300 + "/a", "300 bytes"),
}
WRITERS = {
    "record": lambda path: Recorder(path, {}),
    "csv": CsvFile,
    "seal": lambda path: sealed.seal(path, ["sham"], 2),
    "report": lambda path: place(path, Path("a.xdf"), "x"),
    "profile": lambda path: calibrate(profile=path, view="terminal"),
    "pretrain": lambda path: pretrain(["none"], path),
    "train": lambda path: train(Path("none"), path),
    "evaluate": evaluate,
    "interpret": interpret,
    "any": check_writable,
}


@posix
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("kind", NAMES)
def test_an_impossible_name_is_refused_before_anything_runs(tmp_path, kind, writer):
    name, says = NAMES[kind]
    with pytest.raises(ConfigError, match=says) as refused:
        WRITERS[writer](tmp_path / name)
    assert len(str(refused.value)) < 350
    assert "\0" not in str(refused.value)
    assert not list(tmp_path.iterdir())


@posix
def test_a_participant_too_long_for_a_name_is_refused_before_a_run(tmp_path):
    for make in (
        lambda who: Recorder(tmp_path, {}, participant=who),
        lambda who: CsvFile(tmp_path, CsvOptions(participant=who)),
    ):
        make("P" * 150)
        with pytest.raises(ConfigError, match="bytes"):
            make("P" * 250)


def test_the_first_free_place_is_not_a_broken_link(tmp_path):
    (tmp_path / "a.xdf").touch()
    if os.name == "posix":
        (tmp_path / "a_2.xdf").symlink_to(tmp_path / "nothing")
    else:
        (tmp_path / "a_2.xdf").touch()
    (tmp_path / "a_3.xdf.age").touch()  # encrypted: where would it be decrypted to?
    assert first_free(free_paths(tmp_path / "a.xdf")).name == "a_4.xdf"
    assert next(free_paths(tmp_path / "a_3.xdf")).name == "a_3_2.xdf"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_toml_with_any_byte_order_mark_is_read(tmp_path, encoding):
    (tmp_path / "c.toml").write_text('who = "Zoë"\r\nn = 1\n', encoding=encoding)
    assert read_toml(tmp_path / "c.toml") == {"who": "Zoë", "n": 1}


@posix
def test_every_part_of_a_profile_is_private(tmp_path):
    from realtime_mood.dsp.spec import FeatureSpec
    from realtime_mood.types import StreamInfo

    info = StreamInfo(("Fp1", "Fp2", "C3", "C4"), 128.0)
    de = np.random.default_rng(1).normal(3, 0.5, (40, 4, 5))
    made = Profile.from_steps(info, FeatureSpec(), de, np.ones((40, 4), bool))
    made.model_copy(update={"head": b"numbers"}).save(tmp_path / "new" / "me.json")
    assert {path.name: mode(path) for path in (tmp_path / "new").iterdir()} == {
        "me.json": 0o600,
        "me.safetensors": 0o600,
    }
    assert mode(tmp_path / "new") == 0o700
    assert json.loads((tmp_path / "new" / "me.json").read_text())["ch_names"] == list(info.ch_names)
