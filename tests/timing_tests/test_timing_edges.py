"""Onsets of light and sound are found where they were planted, under noise and flicker, and not where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from planted_stimuli import FLASH_S, beeps, light, marker_times

from realtime_mood.timing_tests.edges import Levels, levels_of, onsets_of, prepared

SFREQ = 1000.0


def found(values, sfreq, kind="light", flicker_hz=None, edge="rise"):
    signal = prepared(values, sfreq, kind, flicker_hz)
    return onsets_of(np.arange(len(signal)) / sfreq, signal, levels_of(signal), edge)


@pytest.mark.parametrize("sfreq", [250.0, 512.0, 5000.0])
def test_light_is_found_between_the_samples(sfreq):
    onsets = marker_times(30)
    at = found(light(onsets, 35, sfreq, noise=0.01), sfreq)
    assert len(at) == 30
    assert np.abs(at - onsets).max() < 0.2 / sfreq


def test_noise_and_flicker_of_the_mains_neither_hide_nor_add_an_onset():
    onsets = marker_times(40)
    at = found(light(onsets, 45, SFREQ, noise=0.08, flicker=0.2), SFREQ)
    assert len(at) == 40
    assert np.abs(at - onsets).max() < 1.5 / SFREQ


def test_strong_flicker_is_averaged_over_without_moving_the_onsets():
    onsets = marker_times(40)
    values = light(onsets, 45, SFREQ, noise=0.05, flicker=1.0)
    assert levels_of(values) is None
    at = found(values, SFREQ, flicker_hz=60.0)
    assert len(at) == 40
    assert abs(np.median(at - onsets)) < 5e-4
    assert np.abs(at - onsets).max() < 5e-3


def test_a_screen_that_draws_each_image_with_a_flash_is_on_without_a_break():
    t = np.arange(10_000) / SFREQ
    is_on = (t % 1.0 > 0.3) & (t % 1.0 < 0.5)
    values = is_on * ((t * 60) % 1 < 0.2)
    assert len(found(values, SFREQ)) == len(found(values, SFREQ, edge="fall")) == 10


@pytest.mark.parametrize(("edge", "after", "n"), [("fall", FLASH_S, 20), ("both", 0.0, 40)])
def test_falls_are_found_too(edge, after, n):
    onsets = marker_times(20)
    at = found(light(onsets, 25, SFREQ, noise=0.01), SFREQ, edge=edge)
    assert len(at) == n
    assert np.abs(at[:: n // 20] - onsets - after).max() < 2e-4


def test_a_sound_begins_with_its_first_wave():
    onsets = marker_times(20)
    at = found(beeps(onsets, 25, 8000.0), 8000.0, "sound")
    assert len(at) == 20
    assert np.abs(at - onsets).max() < 3e-4


@pytest.mark.parametrize(
    "values",
    [np.zeros(1000), np.random.default_rng(1).normal(size=5000), np.sin(np.arange(5000) / 7), np.linspace(0, 1, 5000),
     np.empty(0)],
    ids=["constant", "noise", "wave", "ramp", "nothing"],
)  # fmt: skip
def test_what_has_no_two_levels_is_refused(values):
    assert levels_of(values) is None


def test_a_signal_that_begins_in_the_light_has_no_onset_there():
    values = np.r_[np.ones(50), np.zeros(50), np.ones(50)]
    assert onsets_of(np.arange(150) / SFREQ, values, Levels(0, 1)).tolist() == pytest.approx([0.0995])
    assert not len(onsets_of(np.arange(9.0), np.full(9, 0.5), Levels(0, 1)))
