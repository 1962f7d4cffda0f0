"""Checks of channels, rate and breaks as stated by a file or stream: one function per kind."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks import stated_inputs as inputs
from benchmarks.fault_cells import Check
from benchmarks.stated_inputs import BREAK, BROKEN, DATA, LABELLED, LOST_S, RATE, TABLES, Labelling, N
from benchmarks.stated_playing import play, refused, true_to, url_of
from tests.integration import broken_off, recordings
from tests.integration.recordings import CH_NAMES


def a_break(name: str, folder: Path) -> Check:
    """15 s are missing: by the format's own words, or by stamps and counter."""
    path, sfreq, query, truth = folder / name, RATE, "", DATA
    begin = BREAK
    if name == "lsl":
        with inputs.sending(stream := uuid.uuid4().hex, Labelling(), missing=range(2 * RATE, 4 * RATE)):
            played = play(f"lsl://{stream}")
        return Check(f"counted {played.lost} of {2 * RATE}", played.lost == 2 * RATE)
    if name in TABLES:
        table = TABLES[name]
        sfreq, query = round(table.sfreq), table.query
        index = np.where(np.arange(N) < begin, np.arange(N), np.arange(N) + LOST_S * sfreq)
        table.write(path, DATA, sfreq, index)
        played = play(url_of(path, query))
    else:
        BROKEN[name](path)
        played = play(url_of(path))
    missing = LOST_S * sfreq
    if "unknown length" in played.notes:
        right = played.lost == sfreq and played.index[begin] == begin + sfreq
        return Check("its length is not stated: counted as 1 s, noted", bool(right))
    place = played.index[begin] == begin + missing
    values = name in TABLES or np.allclose(played.data, truth, atol=0.02)
    return Check(f"counted {played.lost} of {missing}", bool(played.lost == missing and place and values))


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
    played = play(url_of(path))
    return Check(f"{played.sfreq:g} Hz, as stored", played.sfreq == RATE and true_to(played))


def labelled(name: str, folder: Path, labelling: Labelling, judge: Callable[[str], Check]) -> Check | None:
    """`judge` of a file or stream that says this of its channels."""
    if name == "lsl":
        with inputs.sending(stream := uuid.uuid4().hex, labelling):
            return judge(f"lsl://{stream}")
    if name not in LABELLED:
        return None
    LABELLED[name](folder / name, labelling)
    return judge(url_of(folder / name))


def derivations(name: str, folder: Path) -> Check | None:
    """``F3-C3`` and the like are no electrodes."""
    return labelled(name, folder, Labelling(inputs.DERIVED), lambda url: refused(url, r"derivations.*(channels=\S+)"))


def a_reference(name: str, folder: Path) -> Check | None:
    """``F3-A1`` is one, against A1."""

    def judge(url: str) -> Check:
        played = play(url)
        right = played.reference == "A1" and played.ch_names == tuple(CH_NAMES) and true_to(played)
        return Check(f"kept: {played.reference}", right)

    return labelled(name, folder, Labelling(inputs.REFERENCED), judge)


def has_units(name: str) -> bool:
    """Whether the format says the unit of its numbers in words."""
    return name in ("a.edf", "a.bdf", "a.vhdr", "a.xdf", "lsl")


def an_odd_unit(name: str, folder: Path) -> Check | None:
    """``counts``: nobody knows how many microvolts those are."""
    judge = lambda url: refused(url, "(units=0.1uV)", 0.1)  # noqa: E731
    return labelled(name, folder, Labelling(unit="counts"), judge) if has_units(name) else None


def a_scale(name: str, folder: Path) -> Check | None:
    """``0.5uV``: a number is half a microvolt."""

    def judge(url: str) -> Check:
        played = play(url)
        return Check("half a µV each", true_to(played, 0.5))

    return labelled(name, folder, Labelling(unit="0.5uV"), judge) if has_units(name) else None


def other_labels(name: str, folder: Path) -> Check | None:
    """Two labels more than channels, and one less."""
    if name not in ("a.vhdr", "a.set", "v73.set", "a.xdf", "lsl"):
        return None
    counts = [Labelling([*CH_NAMES, "Cz", "Pz"]), Labelling(CH_NAMES[:3])]
    pattern = r"(?:describes|holds|labels) \d"
    found = [labelled(name, folder, it, lambda url: refused(url, pattern)) for it in counts]
    return next((it for it in found if it and not it.right), found[0])


def twins(name: str, folder: Path) -> Check | None:
    """Two streams of one name; the second is half as large."""
    if name == "lsl":
        stream = uuid.uuid4().hex
        with ExitStack() as stack:
            for identity, worth in (("a", 1.0), ("b", 0.5)):
                stack.enter_context(inputs.sending(stream, Labelling(), identity=identity, worth=worth))
            return refused(f"lsl://{stream}", r"(lsl://\S+source_id=b)", 0.5)
    if name != "a.xdf":
        return None
    stamps = 10.0 + np.arange(N) / RATE
    parts = [b"XDF:"]
    for number, worth in ((1, 1.0), (2, 0.5)):
        desc = inputs.described(Labelling())
        parts.append(recordings.xdf_header(number, "EEG", "EEG", 4, RATE, "float32", desc, source_id="ab"[number - 1]))
        parts.append(recordings.xdf_samples(number, (worth * DATA).astype("<f4"), stamps))
    (folder / name).write_bytes(b"".join(parts))
    return refused(url_of(folder / name), r"(playback://\S+source_id=b)", 0.5)


def no_rate(name: str, folder: Path) -> Check | None:
    """EEG announced without a rate."""
    if name == "lsl":
        with inputs.sending(stream := uuid.uuid4().hex, Labelling(), announced=0.0):
            return refused(f"lsl://{stream}", r"(lsl://\S+sfreq=250)")
    if name != "a.xdf":
        return None
    desc, stamps = inputs.described(Labelling()), 10.0 + np.arange(N) / RATE
    head = recordings.xdf_header(1, "EEG", "EEG", 4, 0.0, "float32", desc)
    (folder / name).write_bytes(b"XDF:" + head + recordings.xdf_samples(1, DATA.astype("<f4"), stamps))
    return refused(url_of(folder / name), r"(playback://\S+sfreq=250)")
