"""Plays what a file or a live stream says about itself, kind by kind, and judges it by what is true."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import stated_inputs as inputs
from benchmarks.fault_cells import Check
from benchmarks.stated_inputs import BREAK, BROKEN, DATA, LABELLED, LOST_S, RATE, TABLES, N, Said
from realtime_mood.errors import MoodError, StreamEnded
from realtime_mood.sources import open_source
from tests.integration import broken_off, recordings
from tests.integration.recordings import CH_NAMES

LIVE_S = 5.0
"""How long a live stream is heard."""


class Heard(NamedTuple):
    """What came of a source."""

    ch_names: tuple[str, ...]
    sfreq: float
    reference: str
    notes: str
    data: np.ndarray
    index: np.ndarray
    lost: int
    markers: list[tuple[int, str]]


def hear(url: str) -> Heard:
    """Play it to its end, or for a while where it is live; raises what the program says."""
    stream, chunks = open_source(url).open(), []
    try:
        while not url.startswith("lsl:") or sum(map(len, chunks)) < LIVE_S * RATE:
            if (chunk := stream.read(1.0)) is not None:
                chunks.append(chunk)
    except StreamEnded:
        pass
    finally:
        stream.close()
    info = stream.info
    index = np.concatenate([np.arange(it.first, it.end) for it in chunks])
    markers = [(it.index, it.text) for chunk in chunks for it in chunk.markers]
    data, lost = np.concatenate([it.data for it in chunks]), sum(it.lost for it in chunks)
    return Heard(info.ch_names, info.sfreq, info.reference, " · ".join(info.notes), data, index, lost, markers)


def true_to(heard: Heard, worth: float = 1.0) -> bool:
    """Whether the signal is the one that was written or, of a live stream, some of it, from wherever it was joined."""
    if len(heard.data) == N:
        return bool(np.allclose(heard.data, worth * DATA[:, : heard.data.shape[1]], atol=0.02))
    at = np.round(heard.data[:, 0] / worth).astype(int) % 1000  # 1000 divides N's length but for the rest
    return bool(np.allclose(heard.data[:, 0], worth * at, atol=0.02) and (np.diff(at) % 1000 == 1).mean() > 0.99)


def refused(url: str, way: str, worth: float = 1.0) -> Check:
    """Whether `url` is refused with a way out that matches `way`, and plays truly with it."""
    try:
        hear(url)
    except MoodError as error:
        found = re.search(way, str(error))
        said = str(error)
    else:
        return Check("played without a word", False)
    if not found:
        return Check(f"refused without the way out: {said.split(' · ', 1)[-1]}", False)
    offer = found[1] if found.groups() else ""
    again = offer if "://" in offer else f"{url}{'&' if '?' in url else '?'}{offer}"
    right = not offer or true_to(hear(again), worth)
    return Check(f"refused: `{'the URL' if '://' in offer else offer}`" if offer else "refused", right)


# -- kinds ----------------------------------------------------------------------------------------------------------


def url_of(path: Path, query: str = "") -> str:
    """Of a recording, played as fast as it is read."""
    return f"playback://{path}?speed=max" + (f"&{query}" if query else "")


def a_break(name: str, folder: Path) -> Check:
    """15 s are missing: by the format's own words, or by stamps and counter."""
    path, sfreq, query, truth = folder / name, RATE, "", DATA
    begin = BREAK
    if name == "lsl":
        with inputs.sending(stream := uuid.uuid4().hex, Said(), missing=range(2 * RATE, 4 * RATE)):
            heard = hear(f"lsl://{stream}")
        return Check(f"counted {heard.lost} of {2 * RATE}", heard.lost == 2 * RATE)
    if name in TABLES:
        its = TABLES[name]
        sfreq, query = round(its.sfreq), its.query
        index = np.where(np.arange(N) < begin, np.arange(N), np.arange(N) + LOST_S * sfreq)
        its.write(path, DATA, sfreq, index)
        heard = hear(url_of(path, query))
    else:
        BROKEN[name](path)
        heard = hear(url_of(path))
    missing = LOST_S * sfreq
    if "unknown length" in heard.notes:
        right = heard.lost == sfreq and heard.index[begin] == begin + sfreq
        return Check("its length is not stated: counted as 1 s, noted", bool(right))
    place = heard.index[begin] == begin + missing
    values = name in TABLES or np.allclose(heard.data, truth, atol=0.02)
    return Check(f"counted {heard.lost} of {missing}", bool(heard.lost == missing and place and values))


def mixed_rates(name: str, folder: Path) -> Check | None:
    """A channel of another kind, of twice the rate, beside the EEG."""
    if name not in ("a.edf", "a.bdf", "a.gdf"):
        return None
    path, fast = folder / name, ("ECG", np.repeat(DATA[:, 1], 2), 2 * RATE)
    signals = [*broken_off.edf_channels(DATA, RATE), fast]
    if name == "a.gdf":
        broken_off.write_gdf(path, signals, N // RATE)
    else:
        broken_off.write_edf_plus(path, signals, [str(k) for k in range(N // RATE)], kind="+C")
    heard = hear(url_of(path))
    return Check(f"{heard.sfreq:g} Hz, as stored", heard.sfreq == RATE and true_to(heard))


def labelled(name: str, folder: Path, said: Said, judge: Callable[[str], Check]) -> Check | None:
    """`judge` of a file or stream that says this of its channels."""
    if name == "lsl":
        with inputs.sending(stream := uuid.uuid4().hex, said):
            return judge(f"lsl://{stream}")
    if name not in LABELLED:
        return None
    LABELLED[name](folder / name, said)
    return judge(url_of(folder / name))


def derivations(name: str, folder: Path) -> Check | None:
    """``F3-C3`` and the like are no electrodes."""
    return labelled(name, folder, Said(inputs.DERIVED), lambda url: refused(url, r"derivations.*(channels=\S+)"))


def a_reference(name: str, folder: Path) -> Check | None:
    """``F3-A1`` is one, against A1."""

    def judge(url: str) -> Check:
        heard = hear(url)
        right = heard.reference == "A1" and heard.ch_names == tuple(CH_NAMES) and true_to(heard)
        return Check(f"kept: {heard.reference}", right)

    return labelled(name, folder, Said(inputs.REFERENCED), judge)


def has_units(name: str) -> bool:
    """Whether the format says the unit of its numbers in words."""
    return name in ("a.edf", "a.bdf", "a.vhdr", "a.xdf", "lsl")


def an_odd_unit(name: str, folder: Path) -> Check | None:
    """``counts``: nobody knows how many microvolts those are."""
    judge = lambda url: refused(url, "(units=0.1uV)", 0.1)  # noqa: E731
    return labelled(name, folder, Said(unit="counts"), judge) if has_units(name) else None


def a_scale(name: str, folder: Path) -> Check | None:
    """``0.5uV``: a number is half a microvolt."""

    def judge(url: str) -> Check:
        heard = hear(url)
        return Check("half a µV each", true_to(heard, 0.5))

    return labelled(name, folder, Said(unit="0.5uV"), judge) if has_units(name) else None


def other_labels(name: str, folder: Path) -> Check | None:
    """Two labels more than channels, and one less."""
    if name not in ("a.vhdr", "a.set", "v73.set", "a.xdf", "lsl"):
        return None
    counts = [Said([*CH_NAMES, "Cz", "Pz"]), Said(CH_NAMES[:3])]
    found = [labelled(name, folder, said, lambda url: refused(url, "(?:describes|holds|labels) \\d")) for said in counts]
    return next((it for it in found if it and not it.right), found[0])


def twins(name: str, folder: Path) -> Check | None:
    """Two streams of one name; the second is half as large."""
    way = r"\S+://\S+.*?(?:or|,|\|) (\S+://\S+)"
    if name == "lsl":
        stream = uuid.uuid4().hex
        with ExitStack() as stack:
            for identity, worth in (("a", 1.0), ("b", 0.5)):
                stack.enter_context(inputs.sending(stream, Said(), identity=identity, worth=worth))
            return refused(f"lsl://{stream}", way.replace(r"\S+)", r"\S+source_id=b)"), 0.5)
    if name != "a.xdf":
        return None
    stamps = 10.0 + np.arange(N) / RATE
    parts = [b"XDF:"]
    for number, worth in ((1, 1.0), (2, 0.5)):
        desc = inputs.described(Said())
        parts.append(recordings.xdf_header(number, "EEG", "EEG", 4, RATE, "float32", desc, source_id="ab"[number - 1]))
        parts.append(recordings.xdf_samples(number, (worth * DATA).astype("<f4"), stamps))
    (folder / name).write_bytes(b"".join(parts))
    return refused(url_of(folder / name), way, 0.5)


def no_rate(name: str, folder: Path) -> Check | None:
    """EEG announced without a rate."""
    if name == "lsl":
        with inputs.sending(stream := uuid.uuid4().hex, Said(), announced=0.0):
            return refused(f"lsl://{stream}", r"(lsl://\S+sfreq=250)")
    if name != "a.xdf":
        return None
    desc, stamps = inputs.described(Said()), 10.0 + np.arange(N) / RATE
    head = recordings.xdf_header(1, "EEG", "EEG", 4, 0.0, "float32", desc)
    (folder / name).write_bytes(b"XDF:" + head + recordings.xdf_samples(1, DATA.astype("<f4"), stamps))
    return refused(url_of(folder / name), r"(playback://\S+sfreq=250)")


# -- words and rows -------------------------------------------------------------------------------------------------


def odd_words(name: str, folder: Path) -> Check | None:
    """A marker at sample 500 in Latin-1, where the format asks for UTF-8 or says nothing."""
    path = folder / name
    if name in ("a.edf", "a.bdf"):
        inputs.write_edf(path, Said(), notes=[(0, b"+2\x14" + inputs.WORD + b"\x14")])
    elif name == "a.vhdr":
        recordings.write_brainvision(path, DATA, RATE)
        with path.with_suffix(".vmrk").open("ab") as f:
            f.write(b"Mk1=Comment," + inputs.WORD + b",501,1,0\n")
    elif name == "a.xdf":
        inputs.write_xdf(path, Said())
        with path.open("ab") as f:
            f.write(recordings.xdf_words(2, 6000.0 + 500 / RATE, inputs.WORD))
    else:
        return None
    heard = hear(url_of(path))
    said = [text for at, text in heard.markers if at == 500]
    right = len(said) == 1 and "Augen ge" in said[0] and true_to(heard)
    return Check(f"plays: “{said[0] if said else 'no word'}”", right)


def markers_outside(name: str, folder: Path) -> Check | None:
    """One before the signal, one long after it, and one at sample 500."""
    path = folder / name
    if name in ("a.edf", "a.bdf"):
        words = [f"{at:+g}\x14word\x14".encode() for at in (-3, 2, 1000)]
        inputs.write_edf(path, Said(), notes=[(0, word) for word in words])
    elif name in ("a.set", "v73.set"):
        events = [("word", at, 1.0) for at in (-749.0, 501.0, 250_000.0)]
        if name == "a.set":
            broken_off.write_set(path, DATA, RATE, events)
        else:
            inputs.matlab.write_v73(path, DATA, RATE, CH_NAMES, kept=events)
    elif name == "a.vhdr":
        recordings.write_brainvision(path, DATA, RATE)
        with path.with_suffix(".vmrk").open("a") as f:
            f.write("".join(f"Mk{k}=Comment,word,{at},1,0\n" for k, at in enumerate((-749, 501, 250_000), 1)))
    elif name == "a.xdf":
        inputs.write_xdf(path, Said())
        with path.open("ab") as f:
            f.write(b"".join(recordings.xdf_words(2, 6000.0 + at, b"word") for at in (-3, 2, 1000)))
    else:
        return None
    heard = hear(url_of(path))
    there = [at for at, text in heard.markers if "word" in text]
    return Check(f"left out, {'noted' if 'left out' in heard.notes else 'not noted'}", there == [500] and "2 " in heard.notes)


def a_damaged_row(name: str, folder: Path) -> Check | None:
    """Row 1000 lacks a cell: its neighbours must stay what they are."""
    if name not in TABLES:
        return None
    its, path, index = TABLES[name], folder / name, np.arange(N)
    its.write(path, DATA, its.sfreq, index)
    whole = hear(url_of(path, its.query))
    lines = path.read_bytes().split(b"\n")
    at = next(i for i, line in enumerate(lines) if line[:1].isdigit() or line[:1] == b"-") + 1000
    delimiter = b"\t" if b"\t" in lines[at] else b","
    cells = lines[at].split(delimiter)
    lines[at] = delimiter.join(cells[:2] + cells[3:])
    path.write_bytes(b"\n".join(lines))
    heard = hear(url_of(path, its.query))
    torn = np.flatnonzero(np.isnan(heard.data).all(axis=1))
    rest = np.delete(np.arange(N), 1000)
    same = len(heard.data) == N and np.array_equal(heard.data[rest], whole.data[rest])
    noted = f"line {at + 1}" in heard.notes
    return Check(f"{len(torn)} row not looked at, {'its line noted' if noted else 'not noted'}",
                 bool(torn.tolist() == [1000] and same and noted))  # fmt: skip


def an_odd_counter(name: str, folder: Path) -> Check | None:
    """An intact file whose counter comes round at unusual numbers."""
    if name not in ("openbci.txt", "brainflow.csv", "emotiv.csv", "unicorn.csv"):
        return None
    found = []
    for wrap in (100, 129, 151, 4096):
        path = folder / f"{wrap}-{name}"
        if name == "openbci.txt":
            inputs.openbci_counting_to(path, wrap)
        elif name == "emotiv.csv":
            inputs.emotiv_counting_to(path, wrap)
        else:
            TABLES[name].write(path, DATA, TABLES[name].sfreq, np.arange(N))
        found.append(hear(url_of(path, TABLES[name].query)).lost)
    return Check(f"nothing lost of {N}" if not any(found) else f"{max(found)} lost of none", not any(found))


def an_hour(name: str, folder: Path) -> Check | None:
    """Local time jumps from 01:59 to 03:00, and nothing is missing."""
    if name != "mind_monitor.csv":
        return None
    its, path = TABLES[name], folder / name
    its.write(path, DATA, its.sfreq, np.arange(N))
    text = path.read_text()
    at = text.index("2024-03-01 12:00:10")
    path.write_text(text[:at] + text[at:].replace("2024-03-01 12:", "2024-03-01 13:"))
    heard = hear(url_of(path, its.query))
    right = heard.lost == 0 and "whole hours" in heard.notes
    return Check("nothing lost, noted" if right else f"{heard.lost} lost of none: {heard.notes}", right)


KINDS: dict[str, Callable[[str, Path], Check | None]] = {
    "a stated break of 15 s (live: 2 s)": a_break,
    "a faster channel of another kind": mixed_rates,
    "derivations: `F3-C3`": derivations,
    "a stated reference: `C3-A1`": a_reference,
    "a unit nobody understands: `counts`": an_odd_unit,
    "a unit with a factor: `0.5uV`": a_scale,
    "more or fewer labels than channels": other_labels,
    "two streams of one name": twins,
    "EEG at rate 0": no_rate,
    "a word in Latin-1": odd_words,
    "markers before and after the signal": markers_outside,
    "a row that lacks a cell": a_damaged_row,
    "a counter that comes round at 100, 129, 151, 4096": an_odd_counter,
    "a clock that jumps by an hour": an_hour,
}
