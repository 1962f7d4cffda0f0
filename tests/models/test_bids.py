"""BIDS folders: whose recordings they hold, and what a sidecar leaves out; a broken one costs only itself."""

from __future__ import annotations

import json

import pytest
from integration.recordings import CH_NAMES, write_edf
from pretraining_people import SFREQ, eeg

from realtime_mood.models.datasets.recordings import find

pytest.importorskip("mne_bids")


def test_a_bids_folder_gives_subjects_and_leaves_bad_channels_out(tmp_path):
    root = tmp_path / "study"
    for subject in ("01", "02"):
        folder = root / f"sub-{subject}" / "eeg"
        folder.mkdir(parents=True)
        write_edf(folder / f"sub-{subject}_task-rest_eeg.edf", eeg(int(subject), len(CH_NAMES), 12), SFREQ)
        rows = "name\ttype\tstatus", f"{CH_NAMES[1]}\tEEG\tbad", f"{CH_NAMES[2]}\tEEG\tgood"
        (folder / f"sub-{subject}_task-rest_channels.tsv").write_text("\n".join(rows) + "\n")
    (root / "dataset_description.json").write_text(json.dumps({"Name": "x", "BIDSVersion": "1.9.0", "License": "CC0"}))
    jobs, _ = find([str(root)])
    assert [(job.subject, job.licence) for job in jobs] == [("study-sub-01", "CC0"), ("study-sub-02", "CC0")]
    session = jobs[0].read()
    assert session.info.ch_names == (CH_NAMES[0], *CH_NAMES[2:])


def bids_folder(root, description=None, sidecars=None):
    """One subject's recording, beside `sidecars` (name: bytes) and a description."""
    eeg_folder = root / "sub-01" / "eeg"
    eeg_folder.mkdir(parents=True)
    write_edf(eeg_folder / "sub-01_task-rest_eeg.edf", eeg(1, len(CH_NAMES), 12), SFREQ)
    usual = b'{"Name": "x", "BIDSVersion": "1.9.0", "License": "CC0"}'
    (root / "dataset_description.json").write_bytes(usual if description is None else description)
    for name, content in (sidecars or {}).items():
        (root / name).write_bytes(content)
    return root


BESIDE = "sub-01/eeg/sub-01_task-rest_channels.tsv"
ROW = f"{CH_NAMES[1]}\tEEG\tµV\tbad\n"
UNUSED = "sub-01_task-rest_channels.tsv not used"
SIDECARS = {
    "empty": ({BESIDE: b""}, "", f"{UNUSED}: empty"),
    "blank": ({BESIDE: b"\n \n"}, "", f"{UNUSED}: empty"),
    "without names": ({BESIDE: f"channel\ttype\tunits\tstatus\n{ROW}".encode()}, "", f"{UNUSED}: it has no column"),
    "with commas": ({BESIDE: b"name,type,status\nFp1,EEG,bad\n"}, "", f"{UNUSED}: it has no column"),
    "heads only": ({BESIDE: b"name\ttype\tunits\tstatus\n"}, "", ""),
    "Latin-1": ({BESIDE: f"name\ttype\tunits\tstatus\n{ROW}".encode("latin-1")}, "bad", "left out C3 (bad)"),
    "UTF-16": ({BESIDE: f"name\ttype\tunits\tstatus\n{ROW}".encode("utf-16")}, "bad", "left out C3 (bad)"),
    "with a BOM": ({BESIDE: f"name\ttype\tunits\tstatus\r\n{ROW}".encode("utf-8-sig")}, "bad", "left out C3 (bad)"),
    "in capitals": ({BESIDE: f"Name\tType\tUnits\tStatus\n{ROW}".upper().encode()}, "bad", "left out C3 (BAD)"),
    "torn": ({BESIDE: b"name\ttype\tunits\tstatus\nFp1\n\tEEG\nC3\tEEG\tuV\tbad\tx\ty\n"}, "bad", "left out C3 (bad)"),
    "not of it": ({BESIDE: f"name\ttype\tunits\tstatus\nT9\tEEG\tµV\tbad\n{ROW}".encode()}, "bad", "no such channel"),
    "not EEG": ({BESIDE: b"name\ttype\nC3\tEOG\nO2\tn/a\nFp1\teeg\n"}, "bad", "left out C3 (EOG)"),
    "of the set": ({"task-rest_channels.tsv": f"name\ttype\tx\tstatus\n{ROW}".encode()}, "bad", "left out C3 (bad)"),
    "of another task": ({"task-eat_channels.tsv": f"name\ttype\tx\tstatus\n{ROW}".encode()}, "", ""),
}


@pytest.mark.parametrize("kind", SIDECARS)
def test_a_sidecar_of_channels_costs_at_most_itself_and_is_named(tmp_path, kind):
    sidecars, bad, note = SIDECARS[kind]
    (job,), notes = find([str(bids_folder(tmp_path / "study", sidecars=sidecars))])
    session = job.read()
    said = "\n".join([*notes, *session.info.notes])
    assert session.info.ch_names == tuple(name for name in CH_NAMES if not (bad and name == CH_NAMES[1]))
    assert note.lower() in said.lower()
    assert bool(note) == bool(said)


@pytest.mark.parametrize(
    ("description", "licence"),
    [
        ('{"License": "CC0"}'.encode("utf-8-sig"), "CC0"),
        ('{"License": "CC0 for Müller"}'.encode("latin-1"), "CC0 for Müller"),
        ('{"License": "CC0"}'.encode("utf-16"), "CC0"),
        (b'{"License": ["CC0"]}', "['CC0']"),
        (b"", "unknown"),
        (b"[1]", "unknown"),
        (b'{"License": "CC0"', "unknown"),
    ],
)
def test_a_description_of_a_bids_folder_costs_at_most_its_licence(tmp_path, description, licence):
    (job,), notes = find([str(bids_folder(tmp_path / "study", description))])
    assert job.licence == licence
    assert ("study/dataset_description.json not used" in "".join(notes)) == (licence == "unknown")


def test_channels_to_leave_out_by_hand_and_by_a_sidecar_add_up(tmp_path):
    root = bids_folder(tmp_path / "study", sidecars={BESIDE: f"name\ttype\tunits\tstatus\n{ROW}".encode()})
    (job,), _ = find([f"{root}?drop={CH_NAMES[0]}"])
    assert job.read().info.ch_names == tuple(CH_NAMES[2:])


def test_bad_channels_of_a_bids_folder_may_be_lacking_and_have_any_name(tmp_path):
    folder = tmp_path / "study" / "sub-01" / "eeg"
    folder.mkdir(parents=True)
    write_edf(folder / "sub-01_task-rest_eeg.edf", eeg(1, len(CH_NAMES), 12), SFREQ)
    rows = "name\ttype\tstatus", f"{CH_NAMES[1]}\tEEG\tbad", "a,b&c+d\tEEG\tbad"
    (folder / "sub-01_task-rest_channels.tsv").write_text("\n".join(rows) + "\n")
    (tmp_path / "study" / "dataset_description.json").write_text(json.dumps({"Name": "x", "BIDSVersion": "1.9.0"}))
    jobs, _ = find([f"{tmp_path / 'study'}?drop={CH_NAMES[3]}"])
    session = jobs[0].read()
    assert session.info.ch_names == (CH_NAMES[0], *CH_NAMES[2:3], *CH_NAMES[4:])
    assert session.info.notes == ("drop=a,b&c+d: it has no such channel",)
