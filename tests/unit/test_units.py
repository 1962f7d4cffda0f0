"""Units and the judgement whether numbers can be EEG."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_mood.errors import StreamMismatch
from realtime_mood.sources.units import (
    MICROVOLTS,
    NARROW,
    WIDE,
    check_spread,
    is_known_unit,
    microvolts,
    scales,
    spread,
    unit_name,
)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("microvolts", "uV"),
        ("uV", "uV"),
        ("µV", "uV"),
        ("μV", "uV"),
        ("V", "V"),
        ("Volts", "V"),
        ("mV", "mV"),
        ("millivolts", "mV"),
        ("nV", "nV"),
        ("", None),
        ("counts", None),
        ("0.1uV", "0.1uV"),
        ("0.1 µV", "0.1uV"),
        ("100 nV", "100.0nV"),
        ("1e-6 V", "1e-06V"),
        ("1 uV", "uV"),
        ("0,1 uV", "0.1uV"),
        ("0.0488uV/LSB", "0.0488uV"),
        ("uV/bit", "uV"),
        ("0uV", None),
        ("1e99uV", None),
        ("uV^2", None),
        ("%", None),
    ],
)
def test_unit_name(text: str, unit: str | None) -> None:
    assert unit_name(text) == unit


def test_spread_sees_neither_offset_nor_drift_nor_dead_channels() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(2500)[:, None] / 250
    signal = rng.normal(0, 10, (2500, 4)) + np.array([-60e3, 0, 4200, 1e3]) + 300 * t
    signal[:, 3] = 5.0
    assert spread(signal, 250.0) == pytest.approx(10, rel=0.1)
    assert spread(np.zeros((2500, 4)), 250.0) is None


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3])
def test_numbers_of_another_unit_are_refused_and_the_unit_is_named(scale: float) -> None:
    with pytest.raises(StreamMismatch, match="units=") as refused:
        check_spread("it", 12.0 * scale, WIDE, "taken as µV", 1.0)
    meant = refused.value.do.split("units=")[1]
    assert 12.0 * scale * MICROVOLTS[meant] == pytest.approx(12.0)


def test_eeg_passes() -> None:
    for found in (0.4, 8.5, 120.0, None):
        check_spread("it", found, WIDE, "taken as µV", 1.0)
    check_spread("it", 12.0, NARROW, "taken as µV", 1.0)


@pytest.mark.parametrize(("text", "worth"), [("0.1 uV", 0.1), ("100nV", 0.1), ("1e-6 V", 1.0), ("2.5mV", 2500.0)])
def test_a_factor_before_a_unit_is_understood(text: str, worth: float) -> None:
    assert microvolts(unit_name(text) or "") == pytest.approx(worth)


@pytest.mark.parametrize(
    ("units", "worth", "stated"),
    [
        (["uV", "mV"], [1, 1000], True),
        (["", ""], [1, 1], False),
        (["n/a", "unknown"], [1, 1], False),
        (["mV", ""], [1000, 1000], False),
        (["0.1uV", "100 nV"], [0.1, 0.1], True),
    ],
)
def test_each_channel_has_its_scale(units: list[str], worth: list[float], stated: bool) -> None:
    scale, said = scales("it", units)
    np.testing.assert_allclose(scale, worth)
    assert said is stated


@pytest.mark.parametrize("units", [["counts"], ["uV", "ADC"], ["uV/Hz", ""], ["uV", "mV", ""]])
def test_units_that_are_not_understood_are_refused(units: list[str]) -> None:
    with pytest.raises(StreamMismatch, match="units="):
        scales("it", units)


@pytest.mark.parametrize("unit", ["", "none", "px", "Pixels", "µS", "μS", "m/s^2", "deg/s", "counts", "mV"])
def test_common_units_of_streams_beside_the_eeg_are_known(unit: str) -> None:
    assert is_known_unit(unit)


@pytest.mark.parametrize("unit", ["furlongs", "\x00", "px px", "V" * 10_000])
def test_others_are_not(unit: str) -> None:
    assert not is_known_unit(unit)
