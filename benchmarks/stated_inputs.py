"""Input files of `benchmarks.stated`: every format with each kind of metadata that it can hold."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realtime_mood import liblsl
from tests.integration import broken_off, matlab, recordings, tables
from tests.integration.recordings import CH_NAMES

RATE = 250
N = 30 * RATE
BREAK = 8 * RATE
LOST_S = 15
DATA = recordings.counting(N / RATE, RATE) % 1000
"""(n_times, 4) whole µV: the first channel counts, so that each sample is known again."""
PAUSED = np.r_[0:BREAK, BREAK + LOST_S * RATE : N + LOST_S * RATE]
"""Where its samples stand when 15 s are missing."""
DERIVED = ("F3-C3", "C3-P3", "Fp2-F4", "O2-T8")
REFERENCED = tuple(f"{name}-A1" for name in CH_NAMES)
WORD = "Augen geöffnet".encode("latin-1")
STAMPS = ("20240131235950000000", "20240201000013000000")
"""When two segments of BrainVision began: 23 s apart."""


@dataclass(frozen=True)
class Labelling:
    """What a recording or stream says of its channels."""

    labels: Sequence[str] = tuple(CH_NAMES)
    unit: str = "uV"


def described(labelling: Labelling) -> str:
    """The same in the XML of an LSL stream."""
    rest = f"<unit>{labelling.unit}</unit><type>EEG</type>"
    return f"<channels>{''.join(f'<channel><label>{it}</label>{rest}</channel>' for it in labelling.labels)}</channels>"


def write_edf(path: Path, labelling: Labelling, **more: object) -> None:
    """EDF+ or BDF+ in records of a second, as many channels as labels."""
    signals = zip(labelling.labels, DATA.T, [RATE] * 4, strict=False)
    begins = [str(second) for second in range(N // RATE)]
    broken_off.write_edf_plus(path, list(signals), begins, unit=labelling.unit, **({"kind": "+C"} | more))


def write_brainvision(path: Path, labelling: Labelling) -> None:
    """Fewer or more channels described than stored, where `labelling` has fewer or more labels."""
    recordings.write_brainvision(path, DATA, RATE)
    head, _, _ = path.read_text("utf-8").partition("Ch1=")
    unit = labelling.unit.replace("u", "µ")
    path.write_text(head + "\n".join(f"Ch{k + 1}={it},,1,{unit}" for k, it in enumerate(labelling.labels)), "utf-8")


def write_set(path: Path, labelling: Labelling) -> None:
    """EEGLAB's as MATLAB 5 stores it."""
    path.write_bytes(matlab.mat_file(matlab.eeglab(DATA, RATE, labelling.labels)))


def write_v73(path: Path, labelling: Labelling) -> None:
    """EEGLAB's as HDF5."""
    matlab.write_v73(path, DATA, RATE, labelling.labels)


def write_fif(path: Path, labelling: Labelling) -> None:
    """FIF, in volts as always."""
    import mne

    raw = mne.io.RawArray(DATA.T * 1e-6, mne.create_info(list(labelling.labels), RATE, "eeg"), verbose="ERROR")
    raw.save(path, fmt="double", verbose="ERROR")


def write_gdf(path: Path, labelling: Labelling) -> None:
    """GDF 2.2, in µV as always."""
    columns = zip(labelling.labels, DATA.T, strict=True)
    broken_off.write_gdf(path, [(label, column, RATE) for label, column in columns], N // RATE)


def write_xdf(path: Path, labelling: Labelling) -> None:
    """As the LabRecorder writes it."""
    recordings.write_xdf(path, DATA, RATE, np.arange(N), described(labelling))


LABELLED: dict[str, Callable[[Path, Labelling], None]] = {
    "a.edf": write_edf, "a.bdf": write_edf, "a.vhdr": write_brainvision, "a.set": write_set, "v73.set": write_v73,
    "a_raw.fif": write_fif, "a.gdf": write_gdf, "a.xdf": write_xdf,
}  # fmt: skip
"""Formats that name their channels freely."""


# -- breaks ---------------------------------------------------------------------------------------------------------


def _skip(path: Path) -> None:
    import mne

    whole = np.insert(DATA, BREAK, np.zeros((LOST_S * RATE, 4)), axis=0)
    raw = mne.io.RawArray(whole.T * 1e-6, mne.create_info(CH_NAMES, RATE, "eeg"), verbose="ERROR")
    raw.set_annotations(mne.Annotations([BREAK / RATE], [LOST_S], ["BAD_ACQ_SKIP"]))
    raw.save(path, fmt="double", verbose="ERROR")


def _records(path: Path) -> None:
    broken_off.write_discontinuous(path, DATA, RATE, BREAK // RATE, LOST_S)


BOUNDARY = ("boundary", BREAK + 0.5, float(LOST_S * RATE))
BROKEN: dict[str, Callable[[Path], None]] = {
    "a.edf": _records,
    "a.bdf": _records,
    "a.vhdr": lambda path: broken_off.write_segments(path, DATA, RATE, [(0, STAMPS[0]), (BREAK, STAMPS[1])]),
    "a.set": lambda path: broken_off.write_set(path, DATA, RATE, [BOUNDARY]),
    "v73.set": lambda path: matlab.write_v73(path, DATA, RATE, CH_NAMES, kept=[BOUNDARY]),
    "a_raw.fif": _skip,
    "a.gdf": lambda path: broken_off.write_gdf(path, broken_off.edf_channels(DATA, RATE), 30, [(BREAK, 32766)]),
    "a.xdf": lambda path: recordings.write_xdf(path, DATA, RATE, PAUSED),
}
"""Formats that state a break in words of their own; of GDF's the length is not known."""


# -- tables ---------------------------------------------------------------------------------------------------------


def _emotiv(path: Path, data: np.ndarray, sfreq: float, index: np.ndarray) -> None:
    path.write_text(tables.emotiv(np.tile(data, 4)[:, :14], sfreq, index))


def _unicorn(path: Path, data: np.ndarray, sfreq: float, index: np.ndarray) -> None:
    path.write_text(tables.unicorn(np.tile(data, 2), index))


@dataclass(frozen=True)
class Table:
    """A program's text table: how to write it, its rate, and what to say in the URL."""

    write: Callable[[Path, np.ndarray, float, np.ndarray], None]
    sfreq: float
    query: str = ""


EIGHT = "channels=Fp1,Fp2,C3,C4,P7,P8,O1,O2"
TABLES = {
    "openbci.txt": Table(recordings.write_openbci_v6, 250, recordings.NAMED),
    "brainflow.csv": Table(recordings.write_brainflow, 200, f"board=ganglion&{recordings.NAMED}"),
    "muse.csv": Table(recordings.write_muse, 256),
    "mind_monitor.csv": Table(recordings.write_mind_monitor, 256),
    "emotiv.csv": Table(_emotiv, 128),
    "unicorn.csv": Table(_unicorn, 250, EIGHT),
}


def openbci_counting_to(path: Path, wrap: int) -> None:
    """A file of the OpenBCI GUI's whose board begins to count again after `wrap`."""
    path.write_text(tables.openbci_old(DATA + 0.5, RATE, counts=wrap))


def emotiv_counting_to(path: Path, wrap: int) -> None:
    """EmotivPRO's table likewise."""
    path.write_text(tables.emotiv(np.tile(DATA, 4)[:, :14], 128.0, np.arange(N), counts=wrap))


# -- live streams ---------------------------------------------------------------------------------------------------


@contextmanager
def sending(
    name: str, labelling: Labelling, *, identity: str = "a", announced: float = RATE, worth: float = 1.0,
    missing: range = range(0),
) -> Iterator[None]:  # fmt: skip
    """An LSL stream of 4 channels in real time, that never sends the samples of `missing`."""
    pylsl, off = liblsl.pylsl(), threading.Event()
    info = pylsl.StreamInfo(name, "EEG", 4, announced, pylsl.cf_float32, identity)
    channels = info.desc().append_child("channels")
    for label in labelling.labels:
        channel = channels.append_child("channel")
        for key, value in (("label", label), ("unit", labelling.unit), ("type", "EEG")):
            channel.append_child_value(key, value)
    outlet = pylsl.StreamOutlet(info)

    def send() -> None:
        began, sent = pylsl.local_clock() - 0.1, 0
        while not off.wait(0.02):
            n = int((pylsl.local_clock() - began) * RATE) - sent
            if n > 0:
                at = np.setdiff1d(np.arange(sent, sent + n), missing)
                if len(at):
                    outlet.push_chunk((worth * DATA[at % N]).astype(np.float32), list(began + at / RATE))
                sent += n

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        off.set()
        thread.join()
