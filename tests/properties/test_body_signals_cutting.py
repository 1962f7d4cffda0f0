"""What a simulated headset carries beside the EEG is the same however it is read, and changes no sample of the EEG."""

from __future__ import annotations

from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.sources.synthetic.beside import BesideStreams, VirtualSignals
from realtime_mood.sources.synthetic.person import Script, VirtualPerson

NAMES = ("Fp1", "T7", "Cz", "P4", "O2")
RATES = (100.0, 128.0, 250.5)
SECONDS = 5


def person(sfreq: float) -> VirtualPerson:
    return VirtualPerson(7, NAMES, sfreq, Script.parse("neutral:1.3,positive:2,negative:1.1", loop=True), "easy")


def taken(sfreq: float, ends: list[int]) -> dict[str, np.ndarray]:
    """Values of each stream, with their stamps, read up to each of these samples of the EEG."""
    streams, first = BesideStreams(VirtualSignals(person(sfreq)), "synthetic://", "x"), 0
    rows: dict[str, list[np.ndarray]] = {info.name: [] for info in streams.infos}
    for end in ends:
        for info, chunk in streams.take(first, end, lambda stream_s: (stream_s, stream_s)):
            rows[info.name].append(np.column_stack([chunk.sent, chunk.values]))
            assert chunk.lost == 0
            assert (chunk.sent <= end / sfreq + 1e-9).all()
        first = end
    return {name: np.concatenate(parts) for name, parts in rows.items()}


@cache
def whole(sfreq: float) -> dict[str, np.ndarray]:
    return taken(sfreq, [round(SECONDS * sfreq)])


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(RATES), st.lists(st.integers(1, round(SECONDS * 100)), max_size=20))
def test_cutting_changes_no_sample_beside_the_eeg(sfreq: float, cuts: list[int]) -> None:
    found = taken(sfreq, [*sorted(cuts), round(SECONDS * sfreq)])
    for name, rows in whole(sfreq).items():
        np.testing.assert_array_equal(found[name], rows)


def test_streams_have_their_rates_and_change_no_eeg() -> None:
    both = person(128.0)
    signals = VirtualSignals(both)
    eeg = []
    for second in range(SECONDS):
        eeg.append(both.take(128))
        signals.take(128 * (second + 1))
    np.testing.assert_array_equal(np.concatenate(eeg), person(128.0).take(128 * SECONDS))
    n = {name: len(rows) for name, rows in whole(128.0).items()}
    assert n == {"gaze": 600, "ppg": 320, "eda": 20, "respiration": 160, "acceleration": 260}
