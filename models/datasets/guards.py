"""Checks of recordings of any data set: their scale, events outside the signal, units of onsets, and duplicates.

Nothing is corrected silently: a scale is corrected only where the reader of a set declares which mistake its files
have, and everything else is refused, or named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy import signal as sps

from realtime_mood.errors import MoodError

from .trials import Segment, Span

if TYPE_CHECKING:
    from .person import Person

PLAUSIBLE_UV = (2.0, 200.0)
"""Median over channels of the sd in 1–45 Hz of EEG that is worn by a person."""
BAND_HZ = (1.0, 45.0)
LONGEST_S = 60.0
"""Seconds that the scale is measured on."""
MISTAKES = {1e6: "volts taken for µV", 1e3: "mV taken for µV", 1e-3: "nV taken for µV, or µV for mV",
            1e-6: "µV taken for volts"}  # fmt: skip
"""What the numbers have to be multiplied by to be µV, and what it is called."""
TOLERANCE_S = 1.0
"""By how much an event may pass the end of a recording: programs round times and write whole seconds."""
LEAST_SHARE = 0.2
"""Of a recording that its events reach, if they are given in samples."""
SLICES = 16
"""Parts of a recording, equally long, whose log power is compared between subjects."""
FEW = 4
"""With fewer subjects, what they have in common is not taken out: it would be the duplicates themselves."""
SAME = 0.75
"""Correlation of the courses of log power above which two subjects are duplicates.

Different subjects reach .40 on 8 to 60 electrodes (207 subjects of six data sets) and .64 on four (69 subjects); a copy
that was filtered, scaled, cleaned, or cut by some seconds has .8 to 1 (tests/datasets/test_duplicates.py).
"""


# -- scale ---------------------------------------------------------------------------------------------------------


def typical_sd(signal: np.ndarray, sfreq: float) -> float | None:
    """Median over channels of the standard deviation in 1–45 Hz.

    Parameters
    ----------
    signal : array (n_times, n_chans)
        In any unit; samples that are NaN are left out.
    sfreq : float
        Hz.

    Returns
    -------
    float or None
        In the unit of `signal`; None where fewer than two seconds move at all.
    """
    whole = np.asarray(signal[: round(LONGEST_S * sfreq)], np.float64)
    whole = whole[np.isfinite(whole).all(axis=1)]
    if len(whole) < 2 * sfreq:
        return None
    top = min(BAND_HZ[1], 0.45 * sfreq)
    sos = sps.butter(2, (BAND_HZ[0], top), "bandpass", fs=sfreq, output="sos")
    filtered = sps.sosfilt(sos, whole - whole[0], axis=0)[round(sfreq) :]
    n = round(sfreq)
    seconds = filtered[: len(filtered) // n * n].reshape(-1, n, filtered.shape[1])
    sd = np.median(seconds.std(axis=1), axis=0)
    moving = sd[sd > 1e-9 * max(np.abs(whole).max(initial=0.0), 1e-30)]
    return float(np.median(moving)) if len(moving) else None


def scale_factor(signal: np.ndarray, sfreq: float, asked: str, declared: Sequence[float] = ()) -> float:
    """What to multiply a recording by so that it is in µV.

    Parameters
    ----------
    signal : array (n_times, n_chans)
        What is taken to be µV.
    sfreq : float
        Hz.
    asked : str
        The recording, for messages.
    declared : sequence of float
        Factors (keys of `MISTAKES`) that files of this set are known to need.

    Returns
    -------
    float
        1, or one of `declared`.

    Raises
    ------
    MoodError
        The numbers cannot be EEG in µV; the likely mistake is named.
    """
    sd = typical_sd(signal, sfreq)
    if sd is None:
        return 1.0
    low, high = PLAUSIBLE_UV
    for factor in (1.0, *declared):
        if low <= sd * factor <= high:
            return factor
    likely = [words for factor, words in MISTAKES.items() if low <= sd * factor <= high]
    why = f"; {likely[0]}" if likely else ""
    found = f"its channels have a typical sd of {sd:.3g} µV in 1–45 Hz, EEG has {low:g} to {high:g} µV{why}"
    raise MoodError(asked, found, "check the unit that the file states for its numbers, and whether it is EEG")


# -- events --------------------------------------------------------------------------------------------------------


def check_spans(spans: Sequence[Span], length_s: float, asked: str) -> None:
    """Check that trials lie within a recording.

    Parameters
    ----------
    spans : sequence of Span
        In seconds from the recording's start.
    length_s : float
        Length of the recording (s).
    asked : str
        The recording, for messages.

    Raises
    ------
    MoodError
        One of them begins before the recording, ends after it, or has no length.
    """
    outside = [s for s in spans if s.start < -TOLERANCE_S or s.stop > length_s + TOLERANCE_S]
    if outside:
        found = (
            f"{len(outside)} of {len(spans)} events lie outside it: one from {outside[0].start:.1f} to "
            f"{outside[0].stop:.1f} s in a recording of {length_s:.1f} s"
        )
        raise MoodError(
            asked, found, "the events belong to another recording, or the file is cut short: get both again"
        )
    if empty := [s for s in spans if not s.stop > max(s.start, 0.0)]:
        raise MoodError(asked, f"an event at {empty[0].start:.1f} s has no length", "check its events file")


def onset_unit(onsets: Sequence[float], sfreq: float, length_s: float) -> str:
    """Whether onsets are seconds, as BIDS has it, or samples.

    Parameters
    ----------
    onsets : sequence of float
        As written.
    sfreq : float
        Hz.
    length_s : float
        Length of the recording (s).

    Returns
    -------
    str
        ``"s"``; ``"samples"`` where the last onset lies within the recording only as a number of samples, and not in
        its first fifth alone; else ``"unknown"``.
    """
    last = max((onset for onset in onsets if np.isfinite(onset)), default=0.0)
    if last <= length_s + TOLERANCE_S:
        return "s"
    return "samples" if LEAST_SHARE * length_s <= last / sfreq <= length_s + TOLERANCE_S else "unknown"


# -- duplicates ----------------------------------------------------------------------------------------------------


def log_power(segments: Iterable[Segment], sfreq: float, bands: Mapping[str, tuple[float, float]]) -> np.ndarray:
    """Log power over the course of a recording: what `duplicate_groups` compares.

    Parameters
    ----------
    segments : iterable of Segment
        Signal, or shipped features, in playing order.
    sfreq : float
        Hz.
    bands : mapping of str to (float, float)
        Hz.

    Returns
    -------
    array (SLICES, n_chans, n_bands)
    """
    rows = []
    for segment in segments:
        if segment.de is not None:
            rows.append(np.asarray(segment.de, np.float64))
            continue
        signal, n = np.asarray(segment.signal, np.float64), round(sfreq)
        seconds = signal[: len(signal) // n * n].reshape(-1, n, signal.shape[1])
        power = (
            np.abs(np.fft.rfft((seconds - seconds.mean(axis=1, keepdims=True)) * np.hanning(n)[:, None], axis=1)) ** 2
        )
        hz = np.fft.rfftfreq(n, 1 / sfreq)
        inside = [(hz >= low) & (hz < high) for low, high in bands.values()]
        rows.append(np.log(np.stack([power[:, band].mean(axis=1) for band in inside], axis=-1) + 1e-12))
    return slices(np.concatenate(rows))


def slices(by_second: np.ndarray) -> np.ndarray:
    """Means over `SLICES` equal parts of features by second: (n_seconds, …) to (SLICES, …); NaN is left out."""
    parts = np.array_split(by_second, SLICES) if len(by_second) >= SLICES else [by_second] * SLICES
    with np.errstate(invalid="ignore"):
        return np.array([mean_there(part) for part in parts])


def mean_there(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of the values that are not NaN; NaN where there are none."""
    there = np.isfinite(values)
    n = there.sum(axis=0)
    return np.where(n, np.where(there, values, 0).sum(axis=0) / np.maximum(n, 1), np.nan)


def duplicate_groups(people: Mapping[str, np.ndarray] | Sequence[Person], least: float = SAME) -> list[set[str]]:
    """Subjects that are the same recording: exact copies, and copies that were filtered, cleaned, scaled or cut.

    The course of log power over the recording is compared: its mean is taken out, so that a filter or another scale
    changes nothing, and so is what all subjects have in common, such as the order of stimuli. Groups are to stay on
    one side of a split.

    Parameters
    ----------
    people : mapping of str to array (SLICES, n_chans, n_bands), or sequence of Person
        Log power by subject, from `log_power`; subjects with other shapes are not compared with each other.
    least : float
        Correlation from which on two are the same.

    Returns
    -------
    list of set of str
        Groups of two and more, in the order of their first names; empty where all differ.
    """
    features = people if isinstance(people, Mapping) else _of_persons(people)
    by_shape: dict[tuple[int, ...], list[str]] = {}
    for name, array in features.items():
        by_shape.setdefault(np.shape(array), []).append(name)
    groups: list[set[str]] = []
    for names in by_shape.values():
        rows = np.array([_course(features[name]) for name in names])
        if len(names) >= FEW:
            rows = rows - mean_there(rows)
        for (i, one), (j, other) in combinations(enumerate(names), 2):
            if _correlation(rows[i], rows[j]) >= least:
                groups = _joined(groups, {one, other})
    return groups


def _joined(groups: list[set[str]], pair: set[str]) -> list[set[str]]:
    """`groups` with a pair added to the group that holds one of the two."""
    touched = [group for group in groups if group & pair]
    merged = pair.union(*touched)
    if not touched:
        return [*groups, merged]
    return [merged if group is touched[0] else group for group in groups if group is touched[0] or not group & pair]


def _course(power: np.ndarray) -> np.ndarray:
    """Log power less its mean over the recording, flat."""
    array = np.asarray(power, np.float64)
    return (array - mean_there(array)).ravel()


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < SLICES:
        return 0.0
    a, b = a[both] - a[both].mean(), b[both] - b[both].mean()
    return float(a @ b / max(np.sqrt((a @ a) * (b @ b)), 1e-30))


def _of_persons(people: Sequence[Person]) -> dict[str, np.ndarray]:
    """Log power of prepared subjects, on the electrodes that all of them have, where there are two or more."""
    common = set.intersection(*(set(p.info.ch_names) for p in people)) if people else set()
    found = {}
    for p in people:
        kept = [i for i, name in enumerate(p.info.ch_names) if name in common or len(common) < 2]
        names = [p.info.ch_names[i] for i in kept]
        order = [kept[i] for i in np.argsort(names)]
        de = np.where((p.good & p.there[:, None])[:, order, None], p.de[:, order], np.nan)
        found[p.name] = slices(de)
    return found
