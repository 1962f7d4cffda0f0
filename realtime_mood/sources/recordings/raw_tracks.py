"""The channels of an ``mne.io.Raw`` beside its EEG, each at its own rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...montage import electrode
from .timeline import Timeline
from .tracks import ChannelGroup, RawTrack, channel_groups

IN_VOLTS = ("eeg", "ecg", "eog", "emg", "bio")  # types of channels that MNE keeps in volts


class RawGroup(NamedTuple):
    """Channels of one kind and one rate."""

    group: ChannelGroup
    names: list[str]
    scale: NDArray[np.float64]  # from MNE's numbers to the units of the group
    sfreq: float


def raw_groups(raw: Any, picks: Sequence[int], units: Sequence[str] | None, taken: np.ndarray) -> list[RawGroup]:
    """The channels that are not the `picks`, by kind and rate.

    `units` are those of the channels in the file, None where it states none, and `taken` what MNE takes a 1 for.
    """
    types, rates = raw.get_channel_types(), _rates(raw)
    labels = {
        i: name
        for i, name in enumerate(raw.ch_names)
        if i not in picks and types[i] != "stim" and not electrode(name) and rates[i] > 0
    }
    stated = dict(enumerate(units or ["V" if kind in IN_VOLTS else "" for kind in types]))
    found = []
    for sfreq in sorted({rates[i] for i in labels}):
        here = {i: name for i, name in labels.items() if rates[i] == sfreq}
        for group in channel_groups(here, stated, {i: types[i] for i in here}):
            columns = list(group.columns)
            found.append(RawGroup(group, [raw.ch_names[i] for i in columns], 1.0 / taken[columns], sfreq))
    return found


def raw_tracks(
    groups: Sequence[RawGroup],
    raw: Any,
    opened: Callable[[list[str]], Any],
    time: Timeline,
    source: str,
    *,
    virtual: bool,
) -> tuple[RawTrack, ...]:
    """The `groups` as tracks, from `raw` where it has them at their rate, else from what `opened` returns for names."""
    tracks, sfreq = [], float(raw.info["sfreq"])
    names = [group.group.name for group in groups]
    for k, (group, wanted, scale, rate) in enumerate(groups):
        own = raw if rate == sfreq and set(wanted) <= set(raw.ch_names) else opened(wanted)
        if names.count(group.name) > 1:  # of several rates
            group = group._replace(name=f"{group.name} {names[: k + 1].count(group.name)}")
        picks = [own.ch_names.index(name) for name in wanted]
        info = group.info(source, float(own.info["sfreq"]), virtual=virtual)
        tracks.append(RawTrack(info, own, picks, scale, time, sfreq))
    return tuple(tracks)


def _rates(raw: Any) -> list[float]:
    """The rate of each channel in its file (Hz); 0 for one that MNE reads wrongly."""
    extras = (raw._raw_extras or [{}])[0] or {}
    usual = float(raw.info["sfreq"])
    if type(raw).__name__ not in ("RawEDF", "RawBDF", "RawGDF") or "n_samps" not in extras:
        return [usual] * len(raw.ch_names)
    counts = np.asarray(extras["n_samps"])[extras["sel"]]
    if type(raw).__name__ == "RawGDF":  # MNE mixes up channels of several rates
        return [usual if len(set(counts.tolist())) == 1 else 0.0] * len(raw.ch_names)
    return (counts / extras["max_samp"] * usual).tolist()
