"""What files and streams say of their channels: electrodes, references and units believed, checked or refused."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import edfio
import numpy as np
import pylsl
import pytest
from recordings import CH_NAMES, write_brainvision, write_xdf
from scipy.io import savemat

from realtime_mood.contracts import Stream
from realtime_mood.errors import StreamMismatch
from realtime_mood.models.datasets.recordings import find, readable
from realtime_mood.sources import open_source
from realtime_mood.types import StreamInfo

SFREQ, N = 250.0, 2500
EMOTIV = ["Timestamp", "Counter", "Interpolate", "AF3", "T7", "Pz", "T8", "AF4", "HardwareMarker", "Markers"]
SLEEP = ["EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal", "Resp oro-nasal", "EMG submental", "Temp rectal", "Event marker"]
Sender = Callable[..., str]


def signal(n_chans: int) -> np.ndarray:
    """(n_times, n_chans) µV: whole numbers with the spread of EEG."""
    return np.random.default_rng(4).normal(0, 12, (N, n_chans)).round()


def write_edf(path: Path, labels: Sequence[str], units: Sequence[str], numbers: np.ndarray) -> Path:
    whole = (-32768, 32767)
    signals = [
        edfio.EdfSignal(column, SFREQ, label=label, physical_dimension=unit, digital_range=whole, physical_range=whole)
        for label, unit, column in zip(labels, units, numbers.T, strict=True)
    ]
    edfio.Edf(signals).write(path)
    return path


def write_units(path: Path, units: Sequence[str], numbers: np.ndarray, reference: str = "") -> Path:
    """A BrainVision file."""
    write_brainvision(path, numbers, SFREQ)
    text = path.read_text(encoding="utf-8")
    for name, unit in zip(CH_NAMES, units, strict=True):
        text = text.replace(f"={name},,1,µV", f"={name},{reference},1,{unit}")
    path.write_text(text, encoding="utf-8")
    return path


def desc(labels: Sequence[str], unit: str = "microvolts", kind: str = "EEG", reference: str = "") -> str:
    said = f"<unit>{unit}</unit><type>{kind}</type>"
    channels = "".join(f"<channel><label>{label}</label>{said}</channel>" for label in labels)
    return f"<channels>{channels}</channels><reference><label>{reference}</label></reference>"


def write_stream(path: Path, described: str, numbers: np.ndarray) -> Path:
    write_xdf(path, numbers, SFREQ, np.arange(len(numbers)), described)
    return path


def play(path: Path, query: str = "") -> tuple[StreamInfo, np.ndarray]:
    """What a recording is said to be, and its first samples."""
    stream = open_source(f"playback://{path}?speed=max&{query}").open()
    chunk = stream.read(1.0)
    stream.close()
    assert chunk is not None
    return stream.info, chunk.data


@pytest.mark.parametrize(("unit", "worth"), [("uV", 1.0), ("0.1uV", 0.1), ("100 nV", 0.1), ("nV", 1e-3), ("UV", 1.0)])
@pytest.mark.parametrize("suffix", [".edf", ".vhdr", ".xdf"])
def test_a_stated_unit_gives_microvolts(tmp_path: Path, suffix: str, unit: str, worth: float) -> None:
    numbers = (signal(4) / worth / (40 if worth < 0.1 else 1)).round()
    path = tmp_path / f"a{suffix}"
    if suffix == ".edf":
        write_edf(path, CH_NAMES, [unit] * 4, numbers)
    elif suffix == ".vhdr":
        write_units(path, [unit] * 4, numbers)
    else:
        write_stream(path, desc(CH_NAMES, unit), numbers)
    info, data = play(path)
    assert info.ch_names == tuple(CH_NAMES)
    np.testing.assert_allclose(data, numbers[: len(data)] * worth, rtol=1e-4, atol=1e-3)
    _, data = play(path, "units=2uV")
    np.testing.assert_allclose(data, numbers[: len(data)] * 2, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("suffix", [".edf", ".vhdr"])
def test_channels_whose_unit_is_not_that_of_eeg_can_be_left_out(tmp_path: Path, suffix: str) -> None:
    numbers, units, path = signal(4), ["uV", "uV", "BS", "rpm"], tmp_path / f"a{suffix}"
    if suffix == ".edf":
        write_edf(path, CH_NAMES, units, numbers)
    else:
        write_units(path, units, numbers)
    left_out = ",".join(CH_NAMES[2:])
    with pytest.raises(StreamMismatch, match=rf"not EEG by their unit \(BS, rpm\).* drop={left_out}"):
        play(path)
    _, data = play(path, f"drop={left_out}")
    np.testing.assert_allclose(data, numbers[: len(data), :2], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("suffix", [".edf", ".vhdr", ".xdf"])
def test_a_unit_that_is_not_understood_is_refused_until_it_is_said(tmp_path: Path, suffix: str) -> None:
    numbers, path = signal(4), tmp_path / f"a{suffix}"
    if suffix == ".edf":
        write_edf(path, CH_NAMES, ["counts"] * 4, numbers)
    elif suffix == ".vhdr":
        write_units(path, ["counts"] * 4, numbers)
    else:
        write_stream(path, desc(CH_NAMES, "counts"), numbers)
    with pytest.raises(StreamMismatch, match=r"its unit is 'counts' .* units=0\.1uV"):
        play(path)
    _, data = play(path, "units=0.1uV")
    np.testing.assert_allclose(data, numbers[: len(data)] * 0.1, rtol=1e-4, atol=1e-3)


def test_each_channel_of_an_edf_file_has_its_own_unit(tmp_path: Path) -> None:
    numbers = np.column_stack((signal(2), signal(1) * 500, signal(1) + 50))
    path = write_edf(tmp_path / "a.edf", ["Fp1", "C3", "Cz", "O2"], ["uV", "uV", "nV", "%"], numbers)
    info, data = play(path)
    assert info.ch_names == ("Fp1", "C3", "Cz")
    assert info.notes == ("left out as not EEG: O2",)
    np.testing.assert_allclose(data, numbers[: len(data), :3] * [1, 1, 1e-3], rtol=1e-4, atol=1e-3)


def test_the_reference_of_a_brainvision_file_is_kept(tmp_path: Path) -> None:
    path = write_units(tmp_path / "a.vhdr", ["µV"] * 4, signal(4), "FCz")
    assert play(path)[0].reference == "FCz"
    assert play(path, "reference=nose")[0].reference == "nose"


def test_derivations_play_only_under_the_names_that_are_given(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "a.edf", SLEEP, ["uV"] * 7, signal(7))
    with pytest.raises(StreamMismatch, match=r"derivations, not electrodes: EEG Fpz-Cz, EEG Pz-Oz .*channels=Fpz,Pz$"):
        play(path)
    info, _ = play(path, "channels=Fpz,Pz")
    assert info.ch_names == ("Fpz", "Pz")
    assert "EEG Fpz-Cz as Fpz" in info.notes[0]


def test_electrodes_keep_their_reference(tmp_path: Path) -> None:
    labels = ["C3-A2", "C4-A1", "E1-A2", "SpO2"]
    info, _ = play(write_edf(tmp_path / "a.edf", labels, ["uV"] * 4, signal(4)))
    assert (info.ch_names, info.reference) == (("C3", "C4"), "A1/A2")
    assert info.notes == ("its channels have different references: A1, A2",)


@pytest.mark.parametrize("labels", [["Trig", *CH_NAMES, "Acc1"], CH_NAMES[:3]])
def test_an_xdf_stream_of_another_number_of_channels_than_described_is_refused(
    tmp_path: Path, labels: list[str]
) -> None:
    numbers = signal(4)
    path = write_stream(tmp_path / "a.xdf", desc(labels), numbers)
    with pytest.raises(StreamMismatch, match=f"describes {len(labels)} channels and sends 4"):
        play(path)
    info, data = play(path, "channels=Cz,-,Pz,Oz")
    assert info.ch_names == ("Cz", "Pz", "Oz")
    np.testing.assert_array_equal(data, numbers[: len(data), [0, 2, 3]])


@pytest.mark.parametrize("n_described", [3, 5])
def test_a_brainvision_header_of_another_number_of_channels_than_described_is_refused(
    tmp_path: Path, n_described: int
) -> None:
    path = write_units(tmp_path / "a.vhdr", ["µV"] * 4, signal(4))
    text = path.read_text(encoding="utf-8")
    text = text.replace("Ch4=T8,,1,µV", "") if n_described == 3 else text + "Ch5=Cz,,1,µV\n"
    path.write_text(text + "[Coordinates]\nCh1=1,-90,-72\n", encoding="utf-8")
    with pytest.raises(StreamMismatch, match=f"says 4 channels and describes {n_described}"):
        play(path)


def test_a_rate_that_no_device_has_is_refused(tmp_path: Path) -> None:
    numbers = signal(4)
    write_xdf(tmp_path / "a.xdf", numbers, 1e308, np.arange(len(numbers)))
    with pytest.raises(StreamMismatch, match="sampling rate"):
        play(tmp_path / "a.xdf")


def test_channels_described_without_a_list_around_them_are_found(tmp_path: Path) -> None:
    described = "".join(f"<channel><label>{name}-AA</label><unit>uV</unit></channel>" for name in CH_NAMES)
    info, _ = play(write_stream(tmp_path / "a.xdf", described, signal(4)))
    assert (info.ch_names, info.reference) == (tuple(CH_NAMES), "AA")


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("n_labels", [3, 5])
def test_an_eeglab_file_of_another_number_of_channels_than_labelled_is_refused(
    tmp_path: Path, n_labels: int, apart: bool
) -> None:
    numbers = signal(4).T.astype(np.float32)
    labels = np.array([(name,) for name in [*CH_NAMES, "Cz"][:n_labels]], [("labels", object)])
    none = np.array([])
    eeg = {"nbchan": 4, "trials": 1, "pnts": N, "srate": SFREQ, "xmin": 0.0, "xmax": N / SFREQ, "chanlocs": labels}
    eeg |= dict.fromkeys(("event", "epoch", "icawinv", "icasphere", "icaweights"), none)
    if apart:
        numbers.T.tofile(tmp_path / "a.fdt")
    savemat(tmp_path / "a.set", {"EEG": eeg | {"data": "a.fdt" if apart else numbers}}, oned_as="row")
    with pytest.raises(StreamMismatch, match=f"labels {n_labels} channels and holds 4"):
        play(tmp_path / "a.set")


@pytest.fixture
def sender() -> Iterator[Sender]:
    """Starts a stream that sends whole numbers of the spread of EEG, and gives its name."""
    off = threading.Event()
    threads: list[threading.Thread] = []

    def start(labels: Sequence[str], unit: str, n_chans: int) -> str:
        name = f"test-{uuid.uuid4().hex[:10]}"
        told = pylsl.StreamInfo(name, "EEG", n_chans, SFREQ, pylsl.cf_float32, f"{name}-id")
        channels = told.desc().append_child("channels")
        for label in labels:
            channel = channels.append_child("channel")
            for key, value in (("label", label), ("unit", unit), ("type", "EEG")):
                channel.append_child_value(key, value)
        outlet = pylsl.StreamOutlet(told)

        def send() -> None:
            rng, began, sent = np.random.default_rng(0), pylsl.local_clock(), 0
            while not off.wait(0.02):
                n = int((pylsl.local_clock() - began) * SFREQ) - sent
                if n > 0:
                    rows = rng.normal(0, 12, (n, n_chans)).astype(np.float32)
                    sent += n
                    outlet.push_chunk(rows, began + sent / SFREQ)

        threads.append(threading.Thread(target=send))
        threads[-1].start()
        return name

    yield start
    off.set()
    for thread in threads:
        thread.join()


def listen(url: str) -> Stream:
    return open_source(url).open()


def test_emotivs_stream_is_its_electrodes(sender: Sender) -> None:
    stream = listen(f"lsl://{sender(EMOTIV, 'microvolts', len(EMOTIV))}")
    stream.close()
    assert stream.info.ch_names == ("AF3", "T7", "Pz", "T8", "AF4")


@pytest.mark.parametrize("labels", [["Trig", "Fp1", "C3", "O2", "T8"], ["Fp1", "C3"]])
def test_a_live_stream_of_another_number_of_channels_than_described_is_refused(
    sender: Sender, labels: list[str]
) -> None:
    name = sender(labels, "microvolts", 4)
    with pytest.raises(StreamMismatch, match=f"describes {len(labels)} channels and sends 4"):
        listen(f"lsl://{name}")
    stream = listen(f"lsl://{name}?channels=Fp1,-,O2,T8")
    stream.close()
    assert stream.info.ch_names == ("Fp1", "O2", "T8")


def test_a_live_stream_whose_unit_is_not_understood_is_refused_until_it_is_said(sender: Sender) -> None:
    name = sender(CH_NAMES, "counts", 4)
    with pytest.raises(StreamMismatch, match=r"its unit is 'counts' .* units=0\.1uV"):
        listen(f"lsl://{name}")
    stream = listen(f"lsl://{name}?units=0.5uV")
    read = [chunk.data for _ in range(20) if (chunk := stream.read(0.1))]
    stream.close()
    assert np.concatenate(read).std() == pytest.approx(6.0, rel=0.1)


def test_a_channel_to_leave_out_may_be_lacking_in_some_files_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    write_edf(folder / "a.edf", [*CH_NAMES, "odd"], ["uV"] * 5, signal(5))
    write_edf(folder / "b.edf", CH_NAMES, ["uV"] * 4, signal(4))
    found = [readable(job) for job in find([f"{folder}?drop=odd"])[0]]
    assert [session and session.info.ch_names for session, _ in found] == [tuple(CH_NAMES)] * 2
    assert [session and session.info.notes for session, _ in found] == [(), ("drop=odd: it has no such channel",)]
    alone, why = readable(find([f"{folder / 'b.edf'}?drop=odd"])[0][0])
    assert alone is None
    assert "drop=odd: its channels are Fp1" in why
