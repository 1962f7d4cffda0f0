"""Units and the judgement whether numbers can be EEG."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_mood.errors import StreamMismatch
from realtime_mood.sources.units import MICROVOLTS, NARROW, WIDE, check_spread, spread, unit_name


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
