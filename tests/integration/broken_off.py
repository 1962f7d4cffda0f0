"""Writes recordings in formats that can state breaks: whole microvolts, interrupted where a test says."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tests.integration.recordings import CH_NAMES, write_brainvision


def write_edf_plus(
    path: Path,
    channels: Sequence[tuple[str, np.ndarray, int]],
    begins: Sequence[str],
    *,
    notes: Sequence[tuple[int, bytes]] = (),
    kind: str = "+D",
    record_s: float = 1.0,
    transducer: str = "",
    unit: str = "uV",
) -> None:
    """EDF+ or BDF+ by the suffix.

    Parameters
    ----------
    path : Path
    channels : sequence of (label, whole µV, samples a record)
    begins : sequence of str
        What each record says of its beginning; ``""`` for nothing.
    notes : sequence of (record, annotation list as it stands in the file)
    kind : str
        What follows "EDF" or "BDF" in the header.
    record_s : float
    transducer : str
        Of the last channel.
    unit : str
        As the header says it of every channel.
    """
    width, bits = (3, 23) if path.suffix == ".bdf" else (2, 15)
    room = 120
    labels = [label for label, _, _ in channels] + [f"{path.suffix[1:].upper()} Annotations"]
    per_record = [n for _, _, n in channels] + [room // width]
    n, low, high = len(labels), str(-(1 << bits)), str((1 << bits) - 1)

    def fields(values: Sequence[object], size: int) -> bytes:
        return b"".join(str(value).encode("latin-1").ljust(size) for value in values)

    head = b"0".ljust(8) if width == 2 else b"\xffBIOSEMI"
    head += fields(["X X X X", "Startdate 01-JAN-2024 X X X"], 80) + fields(["01.01.24", "12.00.00", 256 * (n + 1)], 8)
    head += fields([f"{path.suffix[1:].upper()}{kind}" if kind else ""], 44) + fields([len(begins), f"{record_s:g}"], 8)
    head += fields([n], 4) + fields(labels, 16) + fields([""] * (n - 2) + [transducer, ""], 80)
    head += fields([unit] * (n - 1) + [""], 8) + fields([low] * n, 8) + fields([high] * n, 8) + fields([low] * n, 8)
    head += fields([high] * n, 8) + fields([""] * n, 80) + fields(per_record, 8) + fields([""] * n, 32)
    body = []
    for i, begin in enumerate(begins):
        for _, signal, size in channels:
            whole = signal[i * size : (i + 1) * size].astype("<i4")
            body.append(whole.view("u1").reshape(-1, 4)[:, :width].tobytes())
        said = f"+{begin}\x14\x14\x00".encode() if begin else b""
        said += b"".join(note + b"\x00" for at, note in notes if at == i)
        body.append(said.ljust(room, b"\x00"))
    path.write_bytes(head + b"".join(body))


def edf_channels(signal: np.ndarray, rate: int) -> list[tuple[str, np.ndarray, int]]:
    return [(name, column, rate) for name, column in zip(CH_NAMES, signal.T, strict=True)]


def write_set(path: Path, signal: np.ndarray, sfreq: float, events: Sequence[tuple[object, float, float]]) -> None:
    """EEGLAB, with events as it keeps them: type, latency in samples counted from 1, duration in samples."""
    from scipy.io import savemat

    kept = [{"type": kind, "latency": at, "duration": duration} for kind, at, duration in events]
    eeg = {
        "setname": "a", "nbchan": signal.shape[1], "trials": 1, "pnts": len(signal), "srate": sfreq, "xmin": 0.0,
        "xmax": (len(signal) - 1) / sfreq, "data": signal.T.astype(np.float32), "event": np.array(kept, object),
        "chanlocs": np.array([{"labels": name} for name in CH_NAMES], object),
    }  # fmt: skip
    savemat(path, {"EEG": eeg})


def write_segments(path: Path, signal: np.ndarray, sfreq: float, segments: Sequence[tuple[int, str]]) -> None:
    """BrainVision, with a marker "New Segment" at each sample, counted from 0."""
    write_brainvision(path, signal, sfreq)
    marks = "".join(f"Mk{i + 1}=New Segment,,{at + 1},1,0,{stamp}\n" for i, (at, stamp) in enumerate(segments))
    marks += f"Mk{len(segments) + 1}=Stimulus,S  1,{len(signal) - 99},1,0\n"
    with path.with_suffix(".vmrk").open("a") as f:
        f.write(marks)


def write_persyst(path: Path, signal: np.ndarray, sfreq: float, times: Sequence[tuple[int, float]]) -> None:
    """With what ``[SampleTimes]`` says of each sample, and a comment 100 samples before the end."""
    signal.astype("<i2").tofile(path.with_suffix(".dat"))
    names = "".join(f"{name}-Ref={i + 1}\n" for i, name in enumerate(CH_NAMES))
    stamps = "".join(f"{at}={second:.3f}\n" for at, second in times)
    path.write_text(
        f"[FileInfo]\nFile={path.stem}.dat\nFileType=Interleaved\nSamplingRate={sfreq:g}\nHeaderLength=0\n"
        f"Calibration=1\nWaveformCount={signal.shape[1]}\nDataType=0\n[ChannelMap]\n{names}[SampleTimes]\n{stamps}"
        "[Patient]\nFirst=\nLast=\nSex=\nHand=\nBirthDate=01/01/00\nID=1\nTestDate=2024.01.01\nTestTime=23:59:00\n"
        f"[Comments]\n{(len(signal) - 100) / sfreq:.6f},0.000,0,100,late\n"
    )


def write_nihon_kohden(path: Path, blocks: Sequence[tuple[np.ndarray, bytes]], sfreq: int) -> None:
    """Data blocks, each with when it began as YYMMDDhhmmss in BCD; channel numbers of Fp1, C3, O2, T4."""
    at, addresses, parts = 0x2000, [], []
    for signal, began in blocks:
        head = bytearray(0x27)
        head[20:26] = began
        struct.pack_into("<HI", head, 0x1A, sfreq | 0xC000, len(signal) * 10 // sfreq)
        head[0x26] = len(CH_NAMES)
        head += b"".join(struct.pack("<B9x", number) for number in (0, 4, 9, 13))
        # A step is 3200 µV a 32768th; an event channel follows the others.
        steps = np.column_stack((np.round(signal / 3200 * 32768), np.zeros(len(signal)))).astype("<i4") + 0x8000
        parts.append(bytes(head) + steps.astype("<u2").tobytes())
        addresses.append(at)
        at += len(parts[-1])
    content = bytearray(0x2000)
    content[:16] = content[0x81 : 0x81 + 16] = b"EEG-1100C V01.00"
    content[0x91], content[0x17FE] = 1, 1
    struct.pack_into("<I", content, 0x92, 0x400)
    content[0x400 + 17] = len(blocks)
    for i, address in enumerate(addresses):
        struct.pack_into("<I", content, 0x400 + 18 + 20 * i, address)
    path.write_bytes(bytes(content) + b"".join(parts))


def write_gdf(
    path: Path, channels: Sequence[tuple[str, np.ndarray, int]], n_records: int, events: Sequence[tuple[int, int]] = ()
) -> None:
    """GDF 2.2, records of 1 s of int16 µV; events at samples counted from 0, of the highest rate."""
    n = len(channels)
    fixed = bytearray(256)
    fixed[:8] = b"GDF 2.20"
    fixed[184:186] = struct.pack("<H", n + 1)
    fixed[236:256] = struct.pack("<qIIHH", n_records, 1, 1, n, 0)
    names = b"".join(label.encode().ljust(16, b"\x00") for label, _, _ in channels)
    limits = struct.pack(f"<{4 * n}d", *[-32768.0] * n, *[32767.0] * n, *[-32768.0] * n, *[32767.0] * n)
    head = names + bytes(86 * n) + struct.pack(f"<{n}H", *[4275] * n) + limits + bytes(80 * n)
    head += struct.pack(f"<{2 * n}I", *(size for _, _, size in channels), *[3] * n) + bytes(32 * n)
    body = [
        signal[i * size : (i + 1) * size].astype("<i2").tobytes()
        for i in range(n_records)
        for _, signal, size in channels
    ]
    rate = max(size for _, _, size in channels)
    table = struct.pack("<B", 1) + len(events).to_bytes(3, "little") + struct.pack("<f", rate)
    table += b"".join(struct.pack("<I", at + 1) for at, _ in events) + b"".join(struct.pack("<H", k) for _, k in events)
    path.write_bytes(bytes(fixed) + head + b"".join(body) + table)


def write_cnt(path: Path, signal: np.ndarray, sfreq: int, events: Sequence[tuple[int, int, int]]) -> None:
    """Neuroscan, int16 µV; events as sample, type and what stands in the upper half of the fourth byte."""
    n = signal.shape[1]
    setup = bytearray(900)
    end = 900 + 75 * n + 2 * n * len(signal)
    for at, form, value in ((370, "<H", n), (376, "<H", sfreq), (864, "<i", len(signal)), (886, "<i", end)):
        struct.pack_into(form, setup, at, value)
    setup[225:245] = b"01/01/24  12:00:00\x00\x00"
    electrodes = []
    for name in CH_NAMES:
        electrode = bytearray(75)
        electrode[: len(name)] = name.encode()
        struct.pack_into("<f", electrode, 59, 1.0)
        struct.pack_into("<f", electrode, 71, 204.8)
        electrodes.append(bytes(electrode))
    table = b"".join(
        struct.pack("<HBBi11x", kind, 0, accept << 4, 900 + 75 * n + 2 * n * at) for at, kind, accept in events
    )
    content = bytes(setup) + b"".join(electrodes) + signal.astype("<i2").tobytes()
    path.write_bytes(content + struct.pack("<Bii", 2, len(table), 0) + table)


def write_discontinuous(path: Path, signal: np.ndarray, sfreq: float, at: int = 1, lost_s: int = 15) -> None:
    """EDF+D or BDF+D in records of 1 s, `lost_s` missing before record `at`, and a word in the last record."""
    rate = round(sfreq)
    n = len(signal) // rate
    begins = [f"{i + (lost_s if i >= at else 0)}" for i in range(n)]
    notes = [(0, f"+{n + lost_s - 0.5:g}\x14late\x14".encode())]
    write_edf_plus(path, edf_channels(signal, rate), begins, notes=notes)


def write_discontinuity(path: Path, signal: np.ndarray, sfreq: float) -> None:
    """CNT with a discontinuity in its middle."""
    write_cnt(path, signal, round(sfreq), [(50, 3, 0), (len(signal) // 2, 0, 14)])


def write_mff(path: Path, stretches: Sequence[np.ndarray], sfreq: int, lost_s: int) -> None:
    """EGI, with `lost_s` missing between two stretches."""
    from mffpy.writer import BinWriter, Writer

    binary = BinWriter(sampling_rate=sfreq, data_type="EEG")
    for i, signal in enumerate(stretches):
        binary.add_block(np.ascontiguousarray(signal.T, np.float32), offset_us=lost_s * 10**6 if i else 0)
    writer = Writer(str(path))
    writer.addxml("fileInfo", recordTime=datetime(2024, 1, 1, tzinfo=UTC))
    writer.addbin(binary)
    writer.write()
    sensors = "".join(f"<sensor><number>{i + 1}</number><type>0</type></sensor>" for i in range(len(CH_NAMES)))
    (path / "sensorLayout.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><sensorLayout xmlns="http://www.egi.com/sensorLayout_mff">'
        f"<name>four</name><sensors>{sensors}</sensors></sensorLayout>"
    )
