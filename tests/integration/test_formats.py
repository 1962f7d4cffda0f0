"""Recordings whose reading hangs on an option or on another package: played, or refused by what is wrong."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import edfio
import matlab
import numpy as np
import pytest
from broken_off import write_cnt, write_edf_plus, write_set
from recordings import CH_NAMES, counting, write_brainvision
from test_playback import joined, play

from realtime_mood.errors import StreamMismatch
from realtime_mood.montage import SPREAD

SFREQ = 125.0
DATA = counting(6.0, SFREQ)


def assert_plays(path: Path, query: str = "") -> list[tuple[int, str]]:
    stream, chunks = play(f"playback://{path}?speed=max{query}")
    assert stream.info.ch_names == tuple(CH_NAMES)
    assert stream.info.sfreq == SFREQ
    np.testing.assert_allclose(joined(chunks), DATA, atol=1e-3)
    return [(marker.index, marker.text) for chunk in chunks for marker in chunk.markers]


def refusal(path: Path) -> StreamMismatch:
    with pytest.raises(StreamMismatch) as raised:
        play(f"playback://{path}?speed=max")
    assert "\n" not in str(raised.value)
    assert raised.value.do
    return raised.value


@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
@pytest.mark.parametrize("text", ["Augen geöffnet".encode("latin-1"), "глаза".encode("cp1251"), bytes(range(128, 250))])
def test_annotations_in_any_encoding_play(tmp_path: Path, suffix: str, text: bytes) -> None:
    signal, file = (edfio.EdfSignal, edfio.Edf) if suffix == ".edf" else (edfio.BdfSignal, edfio.Bdf)
    limits = {"physical_range": (-32768, 32767), "digital_range": (-32768, 32767), "physical_dimension": "uV"}
    signals = [signal(column, SFREQ, label=name, **limits) for name, column in zip(CH_NAMES, DATA.T, strict=True)]
    file(signals, annotations=[edfio.EdfAnnotation(2.4, None, "@" * len(text))]).write(tmp_path / f"a{suffix}")
    whole = (tmp_path / f"a{suffix}").read_bytes()
    assert whole.count(b"@" * len(text)) == 1
    (tmp_path / f"a{suffix}").write_bytes(whole.replace(b"@" * len(text), text))
    assert assert_plays(tmp_path / f"a{suffix}") == [(300, text.decode("latin-1"))]


@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
def test_a_header_in_any_encoding_plays(tmp_path: Path, suffix: str) -> None:
    signals = list(zip(CH_NAMES, DATA.T, [125] * 4, strict=True))
    path = tmp_path / f"a{suffix}"
    write_edf_plus(path, signals, [str(second) for second in range(6)], kind="+C", transducer="Müller 5 µV")
    whole = bytearray(path.read_bytes())
    reserved = 256 + 224 * 5
    whole[reserved : reserved + 7] = "Müller ".encode("latin-1")
    path.write_bytes(whole)
    assert_plays(path)


@pytest.mark.parametrize("odd", ["", "sparse", "function_handle", "string", "table"])
def test_an_eeglab_file_of_version_7_3_plays(tmp_path: Path, odd: str) -> None:
    matlab.write_v73(tmp_path / "a.set", DATA, SFREQ, CH_NAMES, odd)
    assert assert_plays(tmp_path / "a.set") == [(100, "go"), (500, "stop")]


@pytest.mark.parametrize("where", ["field", "variable"])
@pytest.mark.parametrize("odd", matlab.ODD)
def test_an_odd_part_of_a_matlab_file_is_no_reason_to_refuse_the_rest(tmp_path: Path, odd: str, where: str) -> None:
    etc = {"etc": matlab.structure({"odd": matlab.ODD[odd]})} if where == "field" else {"comments": matlab.ODD[odd]}
    (tmp_path / "a.set").write_bytes(matlab.mat_file(matlab.eeglab(DATA, SFREQ, CH_NAMES, **etc)))
    assert assert_plays(tmp_path / "a.set") == []


def test_a_mat_file_with_a_recording_of_eeglab_or_fieldtrip_plays(tmp_path: Path) -> None:
    (tmp_path / "a.mat").write_bytes(matlab.mat_file(matlab.eeglab(DATA, SFREQ, CH_NAMES)))
    assert_plays(tmp_path / "a.mat")
    (tmp_path / "b.mat").write_bytes(matlab.mat_file(matlab.fieldtrip(DATA, SFREQ, CH_NAMES, "raw")))
    assert "units=uV" in str(refusal(tmp_path / "b.mat"))
    assert_plays(tmp_path / "b.mat", "&units=uV")


def test_a_matlab_file_that_cannot_be_played_is_refused_by_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.set"
    path.write_bytes(matlab.mat_file(matlab.structure({"x": matlab.numbers(1)}, "model")))
    assert "it holds model" in refusal(path).found
    whole = matlab.mat_file(matlab.eeglab(DATA, SFREQ, CH_NAMES))
    path.write_bytes(whole[: len(whole) // 2])
    assert "cannot be read" in refusal(path).found
    matlab.write_v73(path, DATA, SFREQ, CH_NAMES, "loop")
    assert "recursion" in refusal(path).found


def test_a_matlab_file_that_crashes_its_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.set").write_bytes(matlab.mat_file(matlab.nested(50_000)))
    assert "crashes" in refusal(tmp_path / "a.set").found


def write_mff(path: Path, data: np.ndarray) -> None:
    from mffpy.bin_writer import BinWriter
    from mffpy.writer import Writer

    signal, folder = BinWriter(sampling_rate=int(SFREQ), data_type="EEG"), Writer(str(path))
    signal.add_block(data.T.astype("<f4"))
    folder.addxml("fileInfo", recordTime=datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC))
    folder.add_coordinates_and_sensor_layout("HydroCel GSN 32 1.0")
    folder.addbin(signal)
    folder.write()


def test_an_mff_folder_plays_with_its_package(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = np.random.default_rng(0).normal(0, 12, (750, 33))
    write_mff(tmp_path / "a.mff", data)
    _, chunks = play(f"playback://{tmp_path / 'a.mff'}?speed=max&channels={','.join(SPREAD[:33])}")
    np.testing.assert_allclose(joined(chunks), data, atol=1e-3)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("package", "name", "begin"),
    [
        ("mffpy", "a.mff", None),
        ("antio", "a.cnt", b"RIFF"),
        ("curryreader", "a.cdt", b""),
        ("defusedxml", "a.nedf", b"<?xml"),
        ("pymef", "a.mefd", None),
    ],
)
def test_a_missing_package_is_named_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, name: str, begin: bytes | None
) -> None:
    path = tmp_path / name
    if begin is None:
        path.mkdir()
        (path / "signal1.bin").touch()
        (path / "info1.xml").write_text("<dataInfo><EEG/></dataInfo>")
    else:
        path.write_bytes(begin.ljust(5000))
    if package == "curryreader":
        path.with_suffix(".cdt.dpa").write_text(
            "DATA_PARAMETERS START\nSampleFreqHz = 125\nSampleTimeUsec = 8000\nNumSamples = 1\nDATA_PARAMETERS END\n"
        )
    monkeypatch.setitem(sys.modules, package, None)
    error = refusal(path)
    assert f"needs the package {package}" in error.found
    assert f"pip install '{package}" in error.do
    assert "realtime-mood[formats]" in error.do


def test_an_error_of_a_library_is_passed_on_without_its_place_in_the_code(tmp_path: Path) -> None:
    (tmp_path / "a.cnt").write_bytes(b"Version 3.0" + bytes(2000))
    error = refusal(tmp_path / "a.cnt")
    assert "File" not in error.found
    assert "ZeroDivisionError" in error.found


def test_a_nicolet_recording_plays(tmp_path: Path) -> None:
    DATA.astype("<i2").tofile(tmp_path / "a.data")
    (tmp_path / "a.head").write_text(
        f"start_ts=2024-01-01 12:00:00.000\nnum_samples={len(DATA)}\nsample_freq={SFREQ:g}\nconversion_factor=1.0\n"
        f"num_channels=4\nelec_names=[{','.join(CH_NAMES)}]\npat_id=1\nadm_id=1\nrec_id=1\nduration_in_sec=6\n"
        "sample_bytes=2\n"
    )
    assert_plays(tmp_path / "a.data")


def test_epochs_are_refused_as_what_they_are(tmp_path: Path) -> None:
    more = {"trials": matlab.numbers(3.0), "pnts": matlab.numbers(len(DATA) // 3)}
    (tmp_path / "a.set").write_bytes(matlab.mat_file(matlab.eeglab(DATA, SFREQ, CH_NAMES, **more)))
    assert "3 epochs" in refusal(tmp_path / "a.set").found


def test_a_cnt_file_that_does_not_say_its_width_is_refused_by_that(tmp_path: Path) -> None:
    write_cnt(tmp_path / "a.cnt", DATA, 125, [])
    whole = bytearray((tmp_path / "a.cnt").read_bytes())
    whole[864:868] = bytes(4)
    (tmp_path / "a.cnt").write_bytes(whole)
    assert "2 or 4 bytes" in refusal(tmp_path / "a.cnt").found


def test_brainvision_markers_in_latin_1_play_though_the_header_says_utf_8(tmp_path: Path) -> None:
    write_brainvision(tmp_path / "a.vhdr", DATA, SFREQ)
    with (tmp_path / "a.vmrk").open("ab") as f:
        f.write("Mk1=Comment,Augen geöffnet,301,1,0\n".encode("latin-1"))
    assert assert_plays(tmp_path / "a.vhdr") == [(300, "Comment/Augen geöffnet")]


def test_an_eeglab_event_before_the_signal_is_named(tmp_path: Path) -> None:
    write_set(tmp_path / "a.set", DATA, SFREQ, [("word", -100.0, 1.0)])
    assert "an event before its signal begins" in refusal(tmp_path / "a.set").found
