"""Turns arrays of microvolts into recordings in several formats, for tests that must know every sample."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

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


def write_eeglab(path: Path, data: np.ndarray, sfreq: float) -> None:
    import mne

    raw = mne.io.RawArray(data.T * 1e-6, mne.create_info(CH_NAMES, sfreq, "eeg"), verbose="ERROR")
    mne.export.export_raw(path, raw, fmt="eeglab", verbose="ERROR")


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

NAMED = f"channels={','.join(CH_NAMES)}"
EPOCH_S = 1_600_000_000.0


def _lines(rows: Sequence[Sequence[object]], delimiter: str = ",") -> str:
    return "".join(delimiter.join(map(str, row)) + "\n" for row in rows)


def write_openbci_old(path: Path, data: np.ndarray, sfreq: float, index: np.ndarray) -> None:
    head = f"%OpenBCI Raw EEG Data\n%Number of channels = {data.shape[1]}\n%Sample Rate = {sfreq} Hz\n"
    stamps = (EPOCH_S + index / sfreq) * 1e3
    rows = zip(index % 256, *data.T, [0.0] * len(data), ["12:00:53.329"] * len(data), stamps.astype(int), strict=True)
    path.write_text(head + "%First Column = SampleIndex\n" + _lines(list(rows), ", "))


def write_openbci_v6(path: Path, data: np.ndarray, sfreq: float, index: np.ndarray) -> None:
    head = f"%OpenBCI Raw EXG Data\n%Number of channels = {data.shape[1]}\n%Sample Rate = {sfreq:g} Hz\n"
    exg = ", ".join(f"EXG Channel {i}" for i in range(data.shape[1]))
    names = f"Sample Index, {exg}, Accel Channel 0, Timestamp, Marker Channel, Timestamp (Formatted)\n"
    rows = zip(index % 256, *data.T, index * 0.0, EPOCH_S + index / sfreq, (index == 700) * 3, index, strict=True)
    path.write_bytes((head + names + _lines(list(rows), ", ")).replace("\n", "\r\n").encode())


def write_brainflow(path: Path, data: np.ndarray, sfreq: float, index: np.ndarray) -> None:
    """As of a Ganglion: 4 channels, two samples a package, numbers 0 to 99."""
    rows = np.zeros((len(data), 15))
    rows[:, 0], rows[:, 1:5], rows[:, 13], rows[:, 14] = index // 2 % 100, data, EPOCH_S + index / sfreq, index == 700
    path.write_text(_lines([[f"{value:.6f}" for value in row] for row in rows], "\t"))


def write_muse(path: Path, data: np.ndarray, sfreq: float, index: np.ndarray) -> None:
    rows = zip(np.round(EPOCH_S + index / sfreq, 3), *data.T, index * 0.5, (index == 700) * 1, strict=True)
    path.write_text(f"timestamps,{','.join(CH_NAMES)},Right AUX,Marker0\n" + _lines(list(rows)))


def write_mind_monitor(path: Path, data: np.ndarray, sfreq: float, index: np.ndarray) -> None:
    stamps = np.datetime64("2024-03-01T12:00:00") + (index * 1e3 / sfreq).astype("timedelta64[ms]")
    times = [str(stamp).replace("T", " ") for stamp in stamps]
    raw = ",".join(f"RAW_{name}" for name in CH_NAMES)
    rows: list[Sequence[object]] = list(zip(times, [0.5] * len(data), *(data.T + 850), [1] * len(data), strict=True))
    if 700 in index:  # what the person did stands on a row of its own
        at = int(np.searchsorted(index, 700))
        rows.insert(at, (times[at], *[""] * 6, "/muse/elements/blink"))
    path.write_text(f"TimeStamp,Delta_TP9,{raw},HeadBandOn,Elements\n" + _lines(rows))


def write_openvibe(path: Path, data: np.ndarray, sfreq: float, index: np.ndarray) -> None:
    labels = np.where(index < 700, "goose", "thought")
    rows = zip(index / sfreq, index * 0, *(data.T + 4200), labels, index * 0, strict=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", f"Time:{sfreq:g}Hz,Epoch,{','.join(CH_NAMES)},Label,Stage\n" + _lines(list(rows)))


def xdf_chunk(tag: int, content: bytes, stream: int | None = None) -> bytes:
    head = struct.pack("<H", tag) + (b"" if stream is None else struct.pack("<I", stream))
    return struct.pack("<BI", 4, len(head) + len(content)) + head + content


def xdf_header(
    stream: int, name: str, kind: str, n_chans: int, sfreq: float, form: str, desc: str = "", **more: str
) -> bytes:
    told = {"name": name, "type": kind, "channel_count": n_chans, "nominal_srate": sfreq, "channel_format": form} | more
    words = "".join(f"<{key}>{escape(str(value))}</{key}>" for key, value in told.items())
    return xdf_chunk(2, f"<info>{words}<desc>{desc}</desc></info>".encode(), stream)


def xdf_samples(stream: int, data: np.ndarray, stamps: Sequence[float] | np.ndarray) -> bytes:
    rows = b"".join(struct.pack("<Bd", 8, at) + row.tobytes() for at, row in zip(stamps, data, strict=True))
    return xdf_chunk(3, struct.pack("<BI", 4, len(data)) + rows, stream)


def xdf_words(stream: int, stamp: float, text: str | bytes) -> bytes:
    said = text.encode() if isinstance(text, str) else text
    return xdf_chunk(3, struct.pack("<BBBd", 1, 1, 8, stamp) + struct.pack("<BI", 4, len(said)) + said, stream)


XDF_BOUNDARY = xdf_chunk(5, bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4"))
XDF_DESC = "<channels>{}</channels><reference><label>Cz</label></reference>".format(
    "".join(f"<channel><label>{name}</label><unit>microvolts</unit><type>EEG</type></channel>" for name in CH_NAMES)
)


def write_xdf(path: Path, data: np.ndarray, sfreq: float, index: np.ndarray, desc: str = XDF_DESC) -> None:
    """Stamps of the sender's clock, 1000 s behind that of the markers and of the file."""
    rows, stamps = data.astype("<f4"), 5000.0 + index / sfreq
    parts = [b"XDF:", xdf_chunk(1, b"<info><version>1.0</version></info>")]
    parts += [xdf_header(1, "headset", "EEG", data.shape[1], sfreq, "float32", desc)]
    parts += [xdf_header(2, "keys", "Markers", 1, 0.0, "string")]
    for at in range(0, len(rows), 100):
        parts.append(xdf_samples(1, rows[at : at + 100], stamps[at : at + 100]))
        parts.append(xdf_chunk(4, struct.pack("<dd", stamps[at], 1000.0), 1))
        parts.append(XDF_BOUNDARY if at % 1000 == 0 else b"")
    parts += [xdf_chunk(4, struct.pack("<dd", 6000.0 + k, 0.0), 2) for k in range(3)]
    parts += [xdf_words(2, 6000.0 + 700 / sfreq, "a key")]
    path.write_bytes(b"".join(parts))


GAPPY: dict[str, tuple[str, float, str, Callable[..., None]]] = {
    "openbci_old.txt": (NAMED, 250.0, "", write_openbci_old),
    "openbci_v6.txt": (NAMED, 250.0, "3", write_openbci_v6),
    "brainflow.csv": (f"board=ganglion&{NAMED}", 200.0, "1", write_brainflow),
    "muse.csv": ("", 256.0, "1", write_muse),
    "mind_monitor.csv": ("", 256.0, "/muse/elements/blink", write_mind_monitor),
    "openvibe.zip": ("", 256.0, "thought", write_openvibe),
    "labrecorder.xdf": ("", 256.0, "a key", write_xdf),
}
"""Formats that can leave samples out: what to say in the URL, the rate, what happens at sample 700, the writer."""
