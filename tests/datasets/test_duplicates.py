"""Subjects that are one recording are found, whatever was done to the copy; different subjects are told apart."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from realtime_mood.dsp.spec import BANDS
from realtime_mood.models.datasets.guards import duplicate_groups, log_power
from realtime_mood.models.datasets.person import Person
from realtime_mood.models.datasets.trials import Segment
from realtime_mood.sources.synthetic.person import Script, VirtualPerson
from realtime_mood.types import StreamInfo

SFREQ = 128.0
NAMES = ("AF3", "F7", "T7", "P7", "O1", "O2", "T8", "AF4")
SCRIPT = Script.parse(",".join(f"{state}:12" for state in ("positive", "neutral", "negative") * 2))


def features(signal: np.ndarray, sfreq: float = SFREQ) -> np.ndarray:
    return log_power([Segment((), signal=signal)], sfreq, BANDS)


@pytest.fixture(scope="module")
def signals() -> dict[str, np.ndarray]:
    """Eight people who see the same clips in the same order, and respond strongly."""
    return {str(k): VirtualPerson(9730 + k, NAMES, SFREQ, SCRIPT, "easy").signal(72) for k in range(8)}


@pytest.fixture(scope="module")
def people(signals) -> dict[str, np.ndarray]:
    return {name: features(signal) for name, signal in signals.items()}


def lowpassed(x: np.ndarray) -> np.ndarray:
    return sosfilt(butter(2, (1, 40), "bandpass", fs=SFREQ, output="sos"), x - x[0], axis=0)


def noisy(x: np.ndarray) -> np.ndarray:
    return x + np.random.default_rng(0).standard_normal(x.shape)


def without_blinks(x: np.ndarray) -> np.ndarray:
    slow = sosfilt(butter(2, 3, fs=SFREQ, output="sos"), x[:, 0] - x[0, 0])
    return x - 0.5 * slow[:, None]


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exact": lambda x: x, "scaled": lambda x: 3 * x + 100, "filtered": lowpassed, "noisy": noisy,
    "cut by a second": lambda x: x[round(SFREQ) :], "cleaned": without_blinks,
    "another reference": lambda x: x - 0.4 * x.mean(axis=1, keepdims=True),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_is_found_and_named(signals, people, change):
    copy = features(CHANGES[change](signals["3"]))
    assert duplicate_groups({**people, "17": copy}) == [{"3", "17"}]


def test_different_people_with_the_same_course_of_clips_are_no_duplicates(people):
    assert duplicate_groups(people) == []


@pytest.mark.parametrize("n", [2, 3])
def test_few_people_are_compared_as_well(signals, people, n):
    few = {name: people[name] for name in list(people)[:n]}
    assert duplicate_groups(few) == []
    assert duplicate_groups({**few, "copy": features(noisy(signals["0"]))}) == [{"0", "copy"}]


def test_every_pair_of_a_set_of_pairs_is_found_as_in_gameemo(signals, people):
    """Subject k and k+14 were near copies of one another, for ten pairs of fourteen."""
    copies = {f"{int(name) + 14}": features(noisy(signals[name])) for name in list(people)[:6]}
    assert duplicate_groups({**people, **copies}) == [{str(k), str(k + 14)} for k in range(6)]


def test_three_copies_are_one_group(signals, people):
    more = {"a": features(noisy(signals["5"])), "b": features(lowpassed(signals["5"]))}
    assert duplicate_groups({**people, **more}) == [{"5", "a", "b"}]


def test_other_montages_are_not_compared(people):
    assert duplicate_groups({**people, "few": people["0"][:, :4]}) == []


def test_missing_bands_do_not_hide_a_copy(people):
    gappy = people["2"].copy()
    gappy[:, 3], gappy[5:7] = np.nan, np.nan
    assert duplicate_groups({**people, "copy": gappy}) == [{"2", "copy"}]
    assert duplicate_groups({**people, "nothing": np.full_like(gappy, np.nan)}) == []


def person(name: str, names: tuple[str, ...], de: np.ndarray) -> Person:
    n = len(de)
    there = np.ones(n, bool)
    good = np.ones((n, len(names)), bool)
    good[10:20, 1], there[:4] = False, False
    zeros = np.zeros(n, int)
    return Person(
        name, StreamInfo(names, SFREQ), de, np.empty((n, len(names), 0)), there, good, zeros, zeros, there, sha256=""
    )


def test_prepared_people_are_compared_on_the_electrodes_that_all_have(signals):
    def de(signal: np.ndarray) -> np.ndarray:
        n = round(SFREQ)
        return np.array([features(signal[at : at + n])[0] for at in range(0, len(signal) - n + 1, n)]) / 2

    all_but_one = (*NAMES[:0:-1],)
    found = [person(name, NAMES, de(signals[name])) for name in ("0", "1", "2", "3")]
    found.append(person("copy", all_but_one, de(signals["2"])[:, :0:-1]))
    assert duplicate_groups(found) == [{"2", "copy"}]


@pytest.mark.parametrize(
    "name", ["eegmat_dev24_125hz", "dasps_epoc_128hz", "ssvep_exo_256hz", "biohack2025_muse_256hz"]
)
def test_there_is_no_false_alarm_among_real_people_and_a_copy_is_found(data_dir, name):
    with np.load(data_dir / f"{name}.npz") as archive:
        meta = json.loads(str(archive["meta"]))
        signals: dict[str, list[np.ndarray]] = {}
        for entry in map(json.loads, archive["index"]):
            signal = archive[entry["key"]].T[:: 1 + (meta["fs"] > 200)] * np.float32(meta["uV_per_lsb"])
            signals.setdefault(entry["subject"], []).append(signal - signal[0])
    sfreq = meta["fs"] / (1 + (meta["fs"] > 200))
    people = {who: features(np.concatenate(parts), sfreq) for who, parts in signals.items()}
    assert duplicate_groups(people) == []
    first, parts = next(iter(signals.items()))
    assert duplicate_groups({**people, "copy": features(noisy(np.concatenate(parts)), sfreq)}) == [{first, "copy"}]
