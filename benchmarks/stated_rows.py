"""Checks of markers, rows, counters and clocks of a file: one function per kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks import stated_inputs as inputs
from benchmarks.fault_cells import Check
from benchmarks.stated_inputs import DATA, RATE, TABLES, Labelling, N
from benchmarks.stated_playing import play, true_to, url_of
from tests.integration import broken_off, matlab, recordings
from tests.integration.recordings import CH_NAMES


def odd_words(name: str, folder: Path) -> Check | None:
    """A marker at sample 500 in Latin-1, where the format asks for UTF-8 or says nothing."""
    path = folder / name
    if name in ("a.edf", "a.bdf"):
        inputs.write_edf(path, Labelling(), notes=[(0, b"+2\x14" + inputs.WORD + b"\x14")])
    elif name == "a.vhdr":
        recordings.write_brainvision(path, DATA, RATE)
        with path.with_suffix(".vmrk").open("ab") as f:
            f.write(b"Mk1=Comment," + inputs.WORD + b",501,1,0\n")
    elif name == "a.xdf":
        inputs.write_xdf(path, Labelling())
        with path.open("ab") as f:
            f.write(recordings.xdf_words(2, 6000.0 + 500 / RATE, inputs.WORD))
    else:
        return None
    played = play(url_of(path))
    texts = [text for at, text in played.markers if at == 500]
    right = len(texts) == 1 and "Augen ge" in texts[0] and true_to(played)
    return Check(f"plays: “{texts[0] if texts else 'no word'}”", right)


def markers_outside(name: str, folder: Path) -> Check | None:
    """One before the signal, one long after it, and one at sample 500; MNE reads no EEGLAB file with one before it."""
    path, n_outside = folder / name, 2
    if name in ("a.edf", "a.bdf"):
        words = [f"{at:+g}\x14word\x14".encode() for at in (-3, 2, 1000)]
        inputs.write_edf(path, Labelling(), notes=[(0, word) for word in words])
    elif name in ("a.set", "v73.set"):
        events, n_outside = [("word", at, 1.0) for at in (501.0, 250_000.0)], 1
        if name == "a.set":
            broken_off.write_set(path, DATA, RATE, events)
        else:
            matlab.write_v73(path, DATA, RATE, CH_NAMES, kept=events)
    elif name == "a.vhdr":
        recordings.write_brainvision(path, DATA, RATE)
        with path.with_suffix(".vmrk").open("a") as f:
            f.write("".join(f"Mk{k}=Comment,word,{at},1,0\n" for k, at in enumerate((-749, 501, 250_000), 1)))
    elif name == "a.xdf":
        inputs.write_xdf(path, Labelling())
        with path.open("ab") as f:
            f.write(b"".join(recordings.xdf_words(2, 6000.0 + at, b"word") for at in (-3, 2, 1000)))
    else:
        return None
    played = play(url_of(path))
    there = [at for at, text in played.markers if "word" in text]
    noted = f"{n_outside} marker" in played.notes
    return Check(f"{n_outside} left out, {'noted' if noted else 'not noted'}", there == [500] and noted)


def a_damaged_row(name: str, folder: Path) -> Check | None:
    """Row 1000 lacks a cell: its neighbours must stay what they are."""
    if name not in TABLES:
        return None
    table, path, index = TABLES[name], folder / name, np.arange(N)
    table.write(path, DATA, table.sfreq, index)
    whole = play(url_of(path, table.query))
    lines = path.read_bytes().split(b"\n")
    at = next(i for i, line in enumerate(lines) if line[:1].isdigit() or line[:1] == b"-") + 1000
    delimiter = b"\t" if b"\t" in lines[at] else b","
    cells = lines[at].split(delimiter)
    lines[at] = delimiter.join(cells[:2] + cells[3:])
    path.write_bytes(b"\n".join(lines))
    played = play(url_of(path, table.query))
    torn = np.flatnonzero(np.isnan(played.data).all(axis=1))
    rest = np.delete(np.arange(N), torn)
    same = len(played.data) == N and np.array_equal(played.data[rest], whole.data[rest])
    noted = f"line {at + 1}" in played.notes
    return Check(f"{len(torn)} row ignored, {'its line noted' if noted else 'not noted'}",
                 bool(len(torn) == 1 and same and noted))  # fmt: skip


def an_odd_counter(name: str, folder: Path) -> Check | None:
    """An intact file whose counter wraps at unusual numbers."""
    if name not in ("openbci.txt", "brainflow.csv", "emotiv.csv", "unicorn.csv"):
        return None
    table, write = TABLES[name], {"openbci.txt": inputs.openbci_counting_to, "emotiv.csv": inputs.emotiv_counting_to}
    if name not in write:  # BrainFlow's Ganglion counts two rows as one, to 99; Unicorn's counter has no end
        table.write(folder / name, DATA, table.sfreq, np.arange(N))
        lost = play(url_of(folder / name, table.query)).lost
        return Check(f"{lost} lost of {N}, the board's counter is known", not lost)
    lost = 0
    for wrap in (100, 129, 151, 4096):
        write[name](folder / f"{wrap}-{name}", wrap)
        lost = max(lost, play(url_of(folder / f"{wrap}-{name}", table.query)).lost)
    return Check(f"{lost} lost of {N}", not lost)


def an_hour(name: str, folder: Path) -> Check | None:
    """Local time jumps from 01:59 to 03:00, and nothing is missing."""
    if name != "mind_monitor.csv":
        return None
    table, path = TABLES[name], folder / name
    table.write(path, DATA, table.sfreq, np.arange(N))
    text = path.read_text()
    at = text.index("2024-03-01 12:00:10")
    path.write_text(text[:at] + text[at:].replace("2024-03-01 12:", "2024-03-01 13:"))
    played = play(url_of(path, table.query))
    right = played.lost == 0 and "whole hours" in played.notes
    return Check("nothing lost, noted" if right else f"{played.lost} lost of none: {played.notes}", right)
