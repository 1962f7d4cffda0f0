"""Nothing of a participant is left where it was looked for, nothing of another is touched, and what stays is named."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from written import REAL, session

from realtime_mood import app
from realtime_mood.calibration import store
from realtime_mood.cli import config as config_module
from realtime_mood.cli import feedback as feedback_run
from realtime_mood.cli import forget as verb
from realtime_mood.cli.config import RunConfig
from realtime_mood.cli.setups import NamedSetups
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.export.bids import without_participant
from realtime_mood.export.files import Formats, export_recordings
from realtime_mood.forget import data_set
from realtime_mood.forget.kinds import GENERATORS
from realtime_mood.health import Health
from realtime_mood.profile import Profile, head_file
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.recover import recover
from realtime_mood.report import write_report
from realtime_mood.report.pages import CALIBRATION, html
from realtime_mood.sinks.csv_file import COLUMNS
from realtime_mood.types import Chunk, StreamInfo
from realtime_mood.viewmodel.actions import RunRequest

pytestmark = pytest.mark.usefixtures("no_figures")
LINES = json.dumps({"kind": "session", "plan": {}, "lags": []}) + "\n"
PAGE = '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="generator" content="{}">\n'


def name(participant: str) -> str:
    return f"sub-{participant}_ses-2_task-mood_run-01_eeg.xdf"


def profile(path: Path, participant: str = "") -> None:
    info, de = StreamInfo(("C3", "C4"), 128.0), np.random.default_rng(0).normal(3, 0.5, (40, 2, 5))
    made = Profile.from_steps(info, FeatureSpec(), de, np.ones((40, 2), bool))
    made.model_copy(update={"participant": participant}).save(path)
    for part in (head_file(path), path.with_suffix(".html")):
        part.write_text(PAGE.format(CALIBRATION))
    session(REAL).write(path.with_suffix(".xdf"))


def fill(folder: Path, participant: str) -> None:
    """Everything that the program writes of a participant."""
    path = session(REAL).write(folder / name(participant))
    formats = Formats(folder / "study", edf=True, fif=True, csv=True, parquet=True)
    export_recordings([path], formats, lambda _: None)
    write_report(path)
    (folder / "feedback").mkdir(exist_ok=True)
    lines = folder / "feedback" / f"sub-{participant}_alpha_up.jsonl"
    lines.write_text(LINES)
    lines.with_suffix(".html").write_text(PAGE.format("realtime_mood training report"))
    (folder / f"{participant}.csv").write_text(",".join(COLUMNS) + ",valid\n")
    calibration = f"20260101-101010-effort-ab12_sub-{participant}.json"
    for encrypted in (name(participant), f"me-{participant[::-1]}.json", lines.name, f"{calibration[:-4]}safetensors"):
        (folder / f"{encrypted}.age").write_bytes(b"age-encryption.org/v1\n-> X25519 \n")
    profile(folder / calibration)
    profile(folder / f"me-{participant[::-1]}.json", participant)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def forget(capsys):
    """The verb with these options; its exit code, output and errors."""

    def call(*words: object):
        code = app.command(["forget", *map(str, words)])
        return code, *capsys.readouterr()

    return call


def test_all_of_a_participant_goes_and_nothing_of_another(tmp_path, forget):
    fill(tmp_path, "P10")
    others = content(tmp_path)
    fill(tmp_path, "P1")
    killed = tmp_path / "study" / ".export-0123" / "sub-P1" / "sub-P1_task-mood_run-02_eeg.edf"
    killed.parent.mkdir(parents=True)
    killed.touch()
    (killed.parents[1] / data_set.DESCRIPTION).write_text("{}")
    assert len(content(tmp_path)) > len(others)
    code, out, _ = forget("--participant", "P1", "--in", tmp_path, "--yes")
    assert code == 0
    (killed.parents[1] / data_set.DESCRIPTION).unlink()
    assert content(tmp_path) == others  # also participants.tsv
    assert not list(tmp_path.rglob("*sub-P1"))
    assert "sealed files" in out
    for gone in (name("P1"), "me-1P.safetensors", "me-1P.xdf", "sub-P1_alpha_up.jsonl", "_readings.parquet"):
        assert any(line.startswith("removed") and gone in line for line in out.splitlines())
    assert "its row of participants.tsv" in out
    assert forget("--participant", "P1", "--in", tmp_path, "--yes")[0] == 1  # nothing is found any more


def test_without_a_terminal_or_an_answer_it_is_only_listed(tmp_path, forget, monkeypatch):
    session(REAL).write(tmp_path / name("P1"))
    code, out, err = forget("--participant", "P1", "--in", tmp_path)
    assert (code, list(content(tmp_path))) == (2, [name("P1")])
    assert name("P1") in out
    assert "no terminal" in err
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    for answer, expected in (("", 1), ("n", 1), ("y", 0)):
        monkeypatch.setattr("builtins.input", lambda _, answer=answer: answer)
        assert forget("--participant", "P1", "--in", tmp_path)[0] == expected
        assert bool(content(tmp_path)) == bool(expected)


def test_what_is_not_the_program_s_or_a_link_stays_and_is_named(tmp_path, forget):
    away = session(REAL).write(tmp_path / "away.xdf")
    folder = tmp_path / "lab"
    folder.mkdir()
    session(REAL).write(folder / name("P1"))
    stays = {
        "sub-P1_notes.txt": "not recognised",
        "sub-P1_task-rest_eeg.edf": "not recognised",  # of another program: it has no recording here
        "sub-P1_broken.xdf": "not recognised",
        "P1-pre.csv": "may be of another",
    }
    for file in stays:
        (folder / file).write_text("x")
    (folder / "P1-pre.csv").write_text(",".join(COLUMNS))
    shared = folder / "sub-P2_alpha_up.html"
    shared.write_text(PAGE.format("realtime_mood training report") + "sub-P1_alpha_up.jsonl")
    (folder / "sub-P1_link.xdf").symlink_to(away)
    (folder / "sub-P1").symlink_to(tmp_path)
    code, out, _ = forget("--participant", "P1", "--in", folder, "--yes")
    assert code == 1
    assert not (folder / name("P1")).exists()
    assert not shared.exists()
    assert "of others too" in out
    assert away.exists()
    for file, why in (stays | {"sub-P1_link.xdf": "a link", "sub-P1": "a link"}).items():
        assert os.path.lexists(folder / file)
        assert any(f"{file}: " in line and why in line for line in out.splitlines()), file


def test_a_data_set_of_others_is_not_touched(tmp_path, forget):
    for place in ("study/sub-P1/eeg", "study/derivatives/mine/sub-P1"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "sub-P1_task-mood_eeg.edf").touch()
    (tmp_path / "study" / "dataset_description.json").write_text("{}")
    (tmp_path / "study" / "participants.tsv").write_text("participant_id\nsub-P1\n")
    before = content(tmp_path)
    code, out, _ = forget("--participant", "P1", "--in", tmp_path, "--yes")
    assert (code, content(tmp_path)) == (1, before)
    assert "study/sub-P1: not recognised" in out
    assert "mine/sub-P1: not recognised" in out


def test_a_table_of_participants_that_is_a_link_is_not_changed(tmp_path, forget):
    root, table = tmp_path / "lab" / "study", tmp_path / "table.tsv"
    (root / "derivatives" / "realtime_mood").mkdir(parents=True)
    for folder in (root, root / "derivatives" / "realtime_mood"):
        (folder / "dataset_description.json").write_text("{}")
    (root / "sub-P1").mkdir()
    table.write_text("participant_id\nsub-P1\n")
    (root / "participants.tsv").symlink_to(table)
    code, out, _ = forget("--participant", "P1", "--in", tmp_path / "lab", "--yes")
    assert (code, table.read_text(), (root / "sub-P1").exists()) == (1, "participant_id\nsub-P1\n", False)
    assert "participants.tsv: a link" in out


@pytest.mark.parametrize(("table", "made"), [
    (b"participant_id\tage\nsub-P1\t20\nsub-P10\t30\n", b"participant_id\tage\nsub-P10\t30\n"),
    (b"\xef\xbb\xbfparticipant_id\r\nsub-P2\r\nsub-P1\r\n", b"\xef\xbb\xbfparticipant_id\r\nsub-P2\r\n"),
    (b"age\tparticipant_id\n20\tsub-P2\n7\tsub-P1", b"age\tparticipant_id\n20\tsub-P2"),
    (b"age\nsub-P1\n", b"age\nsub-P1\n"),
    (b"", b""),
])  # fmt: skip
def test_only_the_participant_s_row_goes(table, made):
    assert without_participant(table, "sub-P1") == made


def test_what_cannot_be_removed_is_named_and_the_rest_goes(tmp_path, forget, monkeypatch):
    fill(tmp_path, "P1")

    def stuck(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(data_set.shutil, "rmtree", stuck)
    code, out, _ = forget("--participant", "P1", "--in", tmp_path, "--yes")
    assert code == 1
    assert "not removed: part of the BIDS data set" in out
    assert "Permission denied" in out
    assert not [file for file in content(tmp_path) if not file.startswith("study/")]


def test_only_what_is_older_goes(tmp_path, forget):
    fill(tmp_path, "P1")
    now = content(tmp_path)
    fill(tmp_path, "P2")
    (tmp_path / "notes.csv").write_text("not ours\n")
    long_ago = (datetime.now(UTC) - timedelta(days=40)).isoformat(timespec="seconds").encode()
    for path in tmp_path.rglob("*"):
        if path.is_file() and ("P2" in str(path) or "2P" in path.name or path.name == "notes.csv"):
            text = path.read_bytes()
            if path.suffix == ".xdf":  # of the same length: chunks have one
                made = text[text.index(b"<datetime>") + 10 : text.index(b"</datetime>")]
                path.write_bytes(text.replace(made, long_ago, 1))
            elif path.suffix == ".json" and path.parent == tmp_path:
                path.write_text(json.dumps(json.loads(text) | {"made": long_ago.decode()}))
            elif path.name.endswith("_scans.tsv"):
                head, row = text.decode("utf-8-sig").splitlines()
                path.write_text(f"{head}\n{row.split()[0]}\t{long_ago.decode()}\n")
            os.utime(path, (0, 0))
    assert forget("--older-than", 60, "--in", tmp_path / "feedback", "--yes")[0] == 0  # by the change of the file
    assert forget("--older-than", 60, "--in", tmp_path, "--yes")[0] == 0  # tables, as well
    assert (tmp_path / name("P2")).exists()
    code, out, _ = forget("--older-than", 30, "--in", tmp_path, "--yes")
    assert code == 0
    assert "older than 30 days" in out
    assert content(tmp_path) == now | {"notes.csv": b"not ours\n"}
    assert forget("--participant", "P1", "--older-than", 30, "--in", tmp_path, "--yes")[0] == 1
    assert content(tmp_path) == now | {"notes.csv": b"not ours\n"}


def test_a_retention_period_is_applied_on_request_only(tmp_path, forget, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "lab"
    folder.mkdir()
    lines = folder / "sub-P1_alpha_up.jsonl"
    lines.write_text(LINES)
    os.utime(lines, (0, 0))
    (tmp_path / "c.toml").write_text("retention = 365\n")
    (tmp_path / "realtime_mood.toml").write_text("retention = 1\n")
    code, _, err = forget("--retention", "--in", folder, "--yes")  # the file of a folder has no say
    assert (code, "no retention period is set" in err) == (2, True)
    assert forget("--in", folder, "--yes", "--config", "c.toml")[0] == 2
    code, out, _ = forget("--retention", "--in", folder, "--yes", "--config", "c.toml")
    assert (code, "older than 365 days" in out, list(folder.iterdir())) == (0, True, [])


@pytest.mark.parametrize(("words", "said"), [
    ([], "neither whom nor what"),
    (["--participant", "P*"], "letters and digits"),
    (["--participant", "P1", "--in", "none"], "no such folder"),
    (["--older-than", "1e300"], "too many days"),
    (["--older-than", "3", "--retention"], "give one of them"),
])  # fmt: skip
def test_what_is_not_understood_is_one_line(tmp_path, monkeypatch, forget, words, said):
    monkeypatch.chdir(tmp_path)
    code, out, err = forget(*words)
    assert (code, out) == (2, "")
    assert said in err


def test_it_looks_in_the_data_folder_where_all_names_have_the_participant(tmp_path, monkeypatch, forget):
    monkeypatch.setattr(config_module, "user_config_path", lambda _: tmp_path / "settings")
    setups = NamedSetups(RunConfig())
    setups.remember(RunRequest("playback:///lab/a%20b/sub-P1_ses-2.xdf?speed=2"))
    setups.save("Mine", RunRequest("lsl://Cap", also=("lsl://Belt",)))
    setups.save("Other", RunRequest("playback:///lab/sub-P10/x.edf"))
    setups.save("Folder", RunRequest("playback://lab/P1/x.edf"))
    setups.save("Broken", RunRequest("lsl://Cap"))
    with (config_module.setup_folder() / "Broken.toml").open("a") as f:
        f.write('participant = "P1"\nsource =')
    monkeypatch.setattr(verb, "user_data_path", lambda _: tmp_path)
    monkeypatch.setattr(store, "user_data_path", lambda _: tmp_path)
    monkeypatch.setattr(feedback_run, "user_data_path", lambda _: tmp_path)
    config = RunConfig(participant="P1")
    path = store.new_name("effort", "P1")
    path.parent.mkdir()
    profile(path)
    cut = session(REAL).write(tmp_path / "sub-P1_cut.xdf")
    cut.write_bytes(cut.read_bytes()[:20000])
    assert recover(cut).path.name == "sub-P1_cut_recovered.xdf"
    ended = Recorder(tmp_path / "lab", {}, participant="P1")  # the folder is not there: it is a file
    ended.open(REAL)
    ended.take(Chunk(np.zeros((25, 4), np.float32), 0, 0.25))
    ended.close(Health())
    cut = Path(ended.recording.path)
    cut.write_bytes(cut.read_bytes()[:-9])
    assert recover(cut).path == tmp_path / "lab_recovered.xdf"
    loop = feedback_run.session_of("alpha_up", config, feedback_run.Draw())[1]
    assert loop._lines._path == tmp_path / "feedback" / "sub-P1_alpha_up.jsonl"
    loop = feedback_run.session_of("alpha_up", config, feedback_run.Draw(), tmp_path)[1]
    assert loop._lines._path.name.startswith("sub-P1_ses-")
    assert store.kept(path.parent)[0].path == path
    assert "last used source" in forget("--participant", "P1", "--in", tmp_path / "settings", "--yes")[1]
    assert len(setups.listed()) == 4
    assert forget("--older-than", "0", "--in", tmp_path / "settings", "--yes")[0] == 1
    assert forget("--participant", "P1", "--yes")[0] == 0
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["Mine.toml", "Other.toml"]


def test_every_page_about_a_subject_is_recognised():
    assert CALIBRATION in GENERATORS
    assert all(PAGE.format(it) in html("page.html", it, {}, simulated=True) for it in GENERATORS)
