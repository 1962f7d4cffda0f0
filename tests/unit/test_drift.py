"""Planted changes of a signal: a lasting one is an alarm, a state of two minutes and slow noise are not."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_mood.drift import BLOCK_S, MOST_SD, THRESHOLD_SD, DriftTest

BANDS, CHANS = ("delta", "theta", "alpha", "beta", "gamma"), ("F3", "F4", "P3", "P4")
FASTEST_S = THRESHOLD_SD / MOST_SD * BLOCK_S


def seconds(n: int, shift: np.ndarray | float = 0.0, seed: int = 0, correlation: float = 0.4) -> np.ndarray:
    """(n, n_chans, n_bands) of a signal with SD 1, correlated in time and between electrodes; plus `shift`."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 0.7, (n, 1, 5)) + rng.normal(0, 0.7, (n, 4, 5))
    for t in range(1, n):
        noise[t] = correlation * noise[t - 1] + np.sqrt(1 - correlation**2) * noise[t]
    return noise + shift


def alarm(z: np.ndarray, good: np.ndarray | None = None, **how) -> tuple[int, DriftTest]:
    """The second of the alarm, 0 for none, and the test."""
    test = DriftTest(BANDS, CHANS, 60.0, **how)
    for t, row in enumerate(z, 1):
        if test.take_in(row, np.ones(4, bool) if good is None else good[t - 1]):
            return t, test
    return 0, test


def one_band(at: int, sd: float) -> np.ndarray:
    shift = np.zeros((4, 5))
    shift[:, at] = sd
    return shift


@pytest.mark.parametrize("seed", range(3))
def test_an_hour_without_drift_is_no_alarm(seed):
    assert alarm(seconds(3600, seed=seed))[0] == 0


@pytest.mark.parametrize(("at", "sd"), [(2, 1.5), (4, -1.5), (0, 3.0)])
def test_a_lasting_change_of_one_band_is_an_alarm_that_names_it(at, sd):
    z = np.concatenate([seconds(300), seconds(900, one_band(at, sd), seed=1)])
    when, test = alarm(z)
    assert 300 + FASTEST_S <= when <= 300 + 1.5 * FASTEST_S
    what, change = test.largest()
    assert what == BANDS[at]
    assert change == pytest.approx(sd, abs=0.3)


def test_an_electrode_that_drifts_alone_is_named():
    shift = np.zeros((4, 5))
    shift[3] = -2.5
    when, test = alarm(seconds(900, shift))
    assert FASTEST_S <= when <= 1.5 * FASTEST_S
    assert test.largest()[0] == "P4"
    good = np.ones((900, 4), bool)
    good[:, 3] = False  # not the subject's signal
    assert alarm(seconds(900, shift), good)[0] == 0


def test_a_slow_ramp_is_an_alarm():
    ramp = np.linspace(0, 3, 1800)[:, None, None] * one_band(2, 1.0)
    assert 600 < alarm(seconds(1800) + ramp)[0] < 1800


def test_states_of_two_minutes_are_no_alarm_however_strong_and_often():
    one = np.concatenate([seconds(120, one_band(4, 6.0)), seconds(120, seed=1)])
    assert alarm(np.tile(one, (15, 1, 1)))[0] == 0


def test_what_a_state_of_the_calibration_does_is_no_drift_however_long_but_more_is():
    state = one_band(4, 2.0)
    lasting = seconds(3600, state)
    assert alarm(lasting)[0]
    assert alarm(lasting, states=state[None])[0] == 0
    assert alarm(-lasting, states=state[None])[0]  # in the other direction
    assert alarm(seconds(1800, 2 * state), states=state[None])[0]


def test_a_shorter_baseline_allows_for_its_error():
    tests = [DriftTest(BANDS, CHANS, s) for s in (20.0, 120.0)]
    for row in seconds(600, one_band(2, 0.9)):
        for test in tests:
            test.take_in(row, np.ones(4, bool))
    assert tests[0].level < tests[1].level


def test_seconds_without_a_good_electrode_do_not_count():
    test = DriftTest(BANDS, CHANS, 60.0)
    for row in seconds(900, 5.0):
        assert not test.take_in(row, np.zeros(4, bool))
    assert test.level == 0
