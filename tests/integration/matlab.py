"""Writes EEGLAB and FieldTrip files byte by byte, with the parts that MATLAB stores and SciPy cannot write."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

CELL, STRUCT, OBJECT, CHAR, SPARSE, DOUBLE, SINGLE, UINT32, FUNCTION, OPAQUE = 1, 2, 3, 4, 5, 6, 7, 13, 16, 17


def element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def flags_and_size(of: int, size: Sequence[int] = (1, 1), name: bytes = b"") -> bytes:
    return element(6, struct.pack("<II", of, 0)) + element(5, struct.pack(f"<{len(size)}i", *size)) + element(1, name)


def numbers(values: object) -> bytes:
    array = np.atleast_2d(np.asarray(values, "<f8"))
    return element(14, flags_and_size(DOUBLE, array.shape) + element(9, array.T.tobytes()))


def chars(text: str) -> bytes:
    codes = text.encode("utf-16-le")
    return element(14, flags_and_size(CHAR, (1, len(codes) // 2)) + element(4, codes))


def cell(*parts: bytes) -> bytes:
    return element(14, flags_and_size(CELL, (1, len(parts))) + b"".join(parts))


def names(fields: Sequence[str]) -> bytes:
    return struct.pack("<HHi", 5, 4, 32) + element(1, b"".join(field.encode().ljust(32, b"\0") for field in fields))


def structure(fields: dict[str, bytes], name: str = "") -> bytes:
    return element(14, flags_and_size(STRUCT, (1, 1), name.encode()) + names(list(fields)) + b"".join(fields.values()))


def struct_array(fields: Sequence[str], rows: Sequence[Sequence[bytes]]) -> bytes:
    body = b"".join(part for row in rows for part in row)
    return element(14, flags_and_size(STRUCT, (1, len(rows))) + names(fields) + body)


def opaque(of: str) -> bytes:
    """An object of a class, as MATLAB stores strings, tables and times."""
    where = element(14, flags_and_size(UINT32, (6, 1)) + element(6, struct.pack("<6I", 0xDD000000, 2, 1, 1, 1, 1)))
    words = element(1, b"") + element(1, b"MCOS") + element(1, of.encode())
    return element(14, element(6, struct.pack("<II", OPAQUE, 0)) + words + where)


def sparse() -> bytes:
    where = element(5, struct.pack("<2i", 0, 1)) + element(5, struct.pack("<3i", 0, 1, 2))
    head = element(6, struct.pack("<II", SPARSE, 2)) + element(5, struct.pack("<2i", 2, 2)) + element(1, b"")
    return element(14, head + where + element(9, struct.pack("<2d", 1, 2)))


def function_handle() -> bytes:
    inside = structure({"function": chars("sin"), "type": chars("simple")})
    return element(14, flags_and_size(FUNCTION) + structure({"function_handle": inside}))


def old_object() -> bytes:
    head = flags_and_size(OBJECT) + element(1, b"inline")
    return element(14, head + names(["expr"]) + chars("x + 1"))


def nested(depth: int) -> bytes:
    """A number in a cell in a cell and so on."""
    parts = [numbers(1)]
    size = len(parts[0])
    for _ in range(depth):
        head = flags_and_size(CELL)
        parts.append(struct.pack("<II", 14, len(head) + size) + head)
        size += 8 + len(head)
    return b"".join(reversed(parts))


ODD = {
    "a sparse matrix": sparse(),
    "a function handle": function_handle(),
    "a string": opaque("string"),
    "a table": opaque("table"),
    "an object": old_object(),
    "nothing": element(14, b""),
    "Latin letters": chars("Müller, 5 µV"),
    "Chinese": chars("中文"),
    "a pair for one letter": chars("a😀b"),
    "a cell of them": cell(sparse(), function_handle(), opaque("datetime")),
}


def mat_file(*variables: bytes) -> bytes:
    return b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM" + b"".join(variables)


def eeglab(data: np.ndarray, sfreq: float, labels: Sequence[str], **more: bytes) -> bytes:
    """The variable ``EEG`` with `data` (n_times, n_chans), and `more` fields."""
    stored = element(14, flags_and_size(SINGLE, data.T.shape) + element(7, data.astype("<f4").tobytes()))
    locations = struct_array(["labels", "type"], [(chars(label), chars("EEG")) for label in labels])
    said = {"nbchan": data.shape[1], "pnts": len(data), "trials": 1, "srate": sfreq, "xmin": 0, "xmax": 1}
    fields = {"setname": chars("x")} | {key: numbers(value) for key, value in said.items()}
    return structure(fields | {"data": stored, "chanlocs": locations} | more, "EEG")


def fieldtrip(data: np.ndarray, sfreq: float, labels: Sequence[str], name: str) -> bytes:
    seconds = cell(numbers(np.arange(len(data)) / sfreq))
    fields = {"label": cell(*map(chars, labels)), "time": seconds, "trial": cell(numbers(data.T))}
    return structure(fields | {"fsample": numbers(sfreq)}, name)


EVENTS = (("go", 101.0, 0.0), ("stop", 501.0, 0.0))
"""Type, latency in samples counted from 1, and duration in samples."""


def write_v73(
    path: Path,
    data: np.ndarray,
    sfreq: float,
    labels: Sequence[str],
    odd: str = "",
    kept: Sequence[tuple[str, float, float]] = EVENTS,
) -> None:
    """An EEGLAB file as MATLAB saves those of more than 2 GB: HDF5 behind 512 bytes of its own."""
    import h5py

    with h5py.File(path, "w", userblock_size=512) as file:
        shelf = file.create_group("#refs#")

        def put(where: h5py.Group, name: str, value: np.ndarray, of: str) -> h5py.Dataset:
            stored = where.create_dataset(name, data=value)
            stored.attrs["MATLAB_class"] = np.bytes_(of)
            return stored

        def group(where: h5py.Group, name: str, of: str = "struct") -> h5py.Group:
            made = where.create_group(name)
            made.attrs["MATLAB_class"] = np.bytes_(of)
            return made

        def text(where: h5py.Group, name: str, words: str) -> h5py.Dataset:
            return put(where, name, np.frombuffer(words.encode("utf-16-le"), "<u2")[:, None], "char")

        def links(where: h5py.Group, name: str, parts: Sequence[h5py.Dataset]) -> None:
            where.create_dataset(name, data=np.array([[part.ref] for part in parts], h5py.ref_dtype))

        eeg = group(file, "EEG")
        said = {"nbchan": data.shape[1], "pnts": len(data), "trials": 1, "srate": sfreq, "xmin": 0, "xmax": 1}
        for key, value in said.items():
            put(eeg, key, np.array([[value]], "<f8"), "double")
        put(eeg, "data", data.astype("<f4"), "single")
        text(eeg, "setname", "x")
        links(group(eeg, "chanlocs"), "labels", [text(shelf, f"l{i}", label) for i, label in enumerate(labels)])
        events = group(eeg, "event")
        links(events, "type", [text(shelf, f"e{i}", word) for i, (word, _, _) in enumerate(kept)])
        for column, name in ((1, "latency"), (2, "duration")):
            values = [np.array([[event[column]]], "<f8") for event in kept]
            links(events, name, [put(shelf, f"{name}{i}", value, "double") for i, value in enumerate(values)])
        etc = group(eeg, "etc")
        if odd == "sparse":
            matrix = group(etc, "odd", "double")
            matrix.attrs["MATLAB_sparse"] = np.uint64(2)
            matrix["data"], matrix["ir"], matrix["jc"] = np.ones(2), np.arange(2, dtype="u8"), np.arange(3, dtype="u8")
        elif odd == "function_handle":
            text(group(etc, "odd", odd), "function", "sin")
        elif odd in ("string", "table"):
            put(etc, "odd", np.array([[0xDD000000, 2, 1, 1, 1, 1]], "<u4"), odd)
        elif odd == "loop":
            etc["odd"] = eeg
    with path.open("r+b") as begin:
        begin.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM")
