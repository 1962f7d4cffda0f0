"""Turns rows of known cells into text tables as programs and spreadsheets write them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.integration.recordings import EPOCH_S

SITES = ("TP9", "AF7", "AF8", "TP10")
EPOC = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")


def signal(n: int, n_chans: int) -> np.ndarray:
    """(n, n_chans) µV with three decimals, no two cells alike within a row."""
    noise = np.random.default_rng(5).normal(0, 12, (n, n_chans))
    return np.asarray(np.round(noise + 0.5 * np.arange(n_chans), 3))


def muse_cells(data: np.ndarray, sfreq: float = 256.0) -> list[list[str]]:
    """The rows of a muse-lsl table, names first."""
    stamps = [f"{EPOCH_S + i / sfreq:.6f}" for i in range(len(data))]
    rows = [[at, *(f"{cell:.3f}" for cell in row), "0.000"] for at, row in zip(stamps, data, strict=True)]
    return [["timestamps", *SITES, "Right AUX"], *rows]


def text_of(rows: Sequence[Sequence[str]], delimiter: str = ",", end: str = "\n") -> str:
    """A table of those cells."""
    return "".join(delimiter.join(row) + end for row in rows)


def with_commas(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The same with decimal commas."""
    return [[cell.replace(".", ",") for cell in row] for row in rows]


def openbci_old(data: np.ndarray, sfreq: float, *, decimal: str = ".", counts: int = 256, said: str = "") -> str:
    """As the OpenBCI GUI wrote before v4: no names, three cells of acceleration, the time of day."""
    head = f"%OpenBCI Raw EEG Data\n%{said}\n%Sample Rate = {sfreq} Hz\n%First Column = SampleIndex\n"
    head += "%Last Column = Timestamp \n%Other Columns = EEG data in microvolts followed by Accel Data (in G)\n"
    rows = []
    for i, row in enumerate(data):
        s = 86_390 + i / sfreq  # over midnight
        clock = f"{int(s // 3600) % 24:02d}:{int(s // 60) % 60:02d}:{s % 60:06.3f}"
        cells = [*(f"{cell:.3f}" for cell in row), "0.000", "0.010", "0.000"]
        rows.append([str(i % counts), *(cell.replace(".", decimal) for cell in cells), clock])
    return head + text_of(rows, ", ")


def emotiv(data: np.ndarray, sfreq: float, index: np.ndarray, *, first_line: str = "", counts: int = 128) -> str:
    """As EmotivPRO: contact quality, battery and markers beside the EEG, and rates of other things blank."""
    eeg = [f"EEG.{name}" for name in EPOC]
    names = ["Timestamp", "OriginalTimestamp", "EEG.Counter", "EEG.Interpolated", *eeg, "EEG.RawCq", "EEG.Battery"]
    names += ["EEG.MarkerHardware", "MarkerIndex", "MarkerType", "MarkerValueInt", "CQ.AF3", "CQ.Overall", "MOT.Q0"]
    rows = [names]
    for i, row in zip(index.tolist(), data, strict=True):
        at = f"{EPOCH_S + i / sfreq:.6f}"
        marks = ["0", "1", "1", "7"] if i == 700 else ["0", "", "", ""]
        cells = (f"{cell + 4200:.6f}" for cell in row)
        rows.append([at, at, str(i % counts), "0", *cells, "0", "80", *marks, "4", "100", ""])
    return first_line + text_of(rows)


def unicorn(data: np.ndarray, index: np.ndarray) -> str:
    """As the Unicorn Recorder: no stamps, a counter without an end, whether each row was measured."""
    others = ["Accelerometer X", "Accelerometer Y", "Accelerometer Z", "Gyroscope X", "Gyroscope Y", "Gyroscope Z"]
    others += ["Battery Level", "Counter", "Validation Indicator"]
    rows = [[*(f"EEG {k + 1}" for k in range(8)), *others]]
    for i, row in zip(index.tolist(), data, strict=True):
        rows.append([*(f"{cell:.3f}" for cell in row), *["0.1"] * 6, "66.667", f"{308202 + i}.0", "1.0"])
    return text_of(rows)
