"""Turns arrays of microvolts into recordings in several formats, for tests that must know every sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

CH_NAMES = ["Fp1", "C3", "O2", "T8"]


def counting(seconds: float, sfreq: float) -> np.ndarray:
    """(n_times, 4) µV: the first channel counts samples, the others are noise in whole µV."""
    n = round(seconds * sfreq)
    noise = np.random.default_rng(1).normal(0, 12, (n, 3)).round()
    return np.column_stack((np.arange(n), noise)).astype(np.float64)


def write_fif(
    path: Path, data: np.ndarray, sfreq: float, said: str = "", notes: Sequence[tuple[float, str]] = ()
) -> None:
    import mne

    info = mne.create_info(CH_NAMES, sfreq, "eeg")
    info["description"] = said
    raw = mne.io.RawArray(data.T * 1e-6, info, verbose="ERROR")
    raw.set_annotations(mne.Annotations([at for at, _ in notes], 0.0, [text for _, text in notes]))
    raw.save(path, fmt="double", verbose="ERROR")


def write_edf(path: Path, data: np.ndarray, sfreq: float, said: str = "X") -> None:
    import edfio

    whole = (-32768, 32767)
    signals = [
        edfio.EdfSignal(column, sfreq, label=name, physical_dimension="uV", physical_range=whole, digital_range=whole)
        for name, column in zip(CH_NAMES, data.T, strict=True)
    ]
    recording = edfio.Recording(equipment_code=said.replace(" ", "_"))
    edfio.Edf(signals, recording=recording).write(path)


def write_brainvision(path: Path, data: np.ndarray, sfreq: float, said: str = "") -> None:
    data.astype("<f4").tofile(path.with_suffix(".eeg"))
    channels = "\n".join(f"Ch{i + 1}={name},,1,µV" for i, name in enumerate(CH_NAMES))
    path.write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n"
        f"; {said}\n[Common Infos]\nCodepage=UTF-8\nDataFile={path.stem}.eeg\nMarkerFile={path.stem}.vmrk\n"
        f"DataFormat=BINARY\nDataOrientation=MULTIPLEXED\nNumberOfChannels={len(CH_NAMES)}\n"
        f"SamplingInterval={1e6 / sfreq:g}\n[Binary Infos]\nBinaryFormat=IEEE_FLOAT_32\n[Channel Infos]\n{channels}\n",
        encoding="utf-8",
    )
    path.with_suffix(".vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n"
        f"[Common Infos]\nDataFile={path.stem}.eeg\n[Marker Infos]\n"
    )


WRITERS: dict[str, Callable[..., None]] = {"_raw.fif": write_fif, ".edf": write_edf, ".vhdr": write_brainvision}
