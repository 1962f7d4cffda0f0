"""Band power and differential entropy of arrays, against plain sums over segments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import realtime_mood as rm
from realtime_mood.dsp.spec import BANDS
from realtime_mood.errors import ConfigError

SFREQ = 128.0


def reference(x: np.ndarray, sfreq: float, low: float, high: float) -> float:
    """Mean over half overlapping Hann segments of the squared Fourier coefficients in a band (one channel)."""
    n = min(len(x), round(sfreq * max(2.0, 4 / low)))
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
    powers = []
    for at in range(0, len(x) - n + 1, n - n // 2):
        segment = x[at : at + n]
        spectrum = np.fft.rfft((segment - segment.mean()) * hann)
        each = np.abs(spectrum) ** 2 / (n * np.sum(hann**2)) * 2
        each[0] /= 2
        if n % 2 == 0:
            each[-1] /= 2
        freqs = np.arange(len(each)) * sfreq / n
        powers.append(each[(freqs >= low) & (freqs < high)].sum())
    return float(np.mean(powers))


signals = arrays(np.float64, st.integers(520, 900), elements=st.floats(-200, 200, width=32))


@given(signals, st.sampled_from(sorted(BANDS)))
def test_it_is_the_plain_sum(x, band):
    expected = reference(x, SFREQ, *BANDS[band])
    assert rm.bandpower(x, SFREQ, band) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(
        rm.differential_entropy(x, SFREQ, band), 0.5 * np.log(2 * np.pi * np.e * (expected + 0.01)), atol=1e-6
    )


@given(signals, st.floats(0.1, 100.0))
def test_neighbouring_bands_add_up_and_power_is_quadratic(x, gain):
    parts = rm.bandpower(x, SFREQ, (4, 8)) + rm.bandpower(x, SFREQ, (8, 30))
    assert parts == pytest.approx(rm.bandpower(x, SFREQ, (4, 30)), rel=1e-9, abs=1e-9)
    assert rm.bandpower(gain * x, SFREQ) == pytest.approx(gain**2 * rm.bandpower(x, SFREQ), rel=1e-6, abs=1e-9)


def test_a_sine_has_half_its_amplitude_squared():
    t = np.arange(0, 8, 1 / 256)
    two = np.stack([10 * np.sin(2 * np.pi * 10 * t), 4 * np.sin(2 * np.pi * 20 * t)])
    np.testing.assert_allclose(rm.bandpower(two, 256, "alpha"), [50, 0], atol=1e-3)
    np.testing.assert_allclose(rm.bandpower(two, 256, "beta", relative=True), [0, 1], atol=1e-3)
    assert rm.bandpower(two[None], 256).shape == (1, 2)


def test_a_flat_signal_has_no_power_and_a_finite_entropy():
    flat = np.zeros((2, 600))
    np.testing.assert_array_equal(rm.bandpower(flat, SFREQ, relative=True), [0, 0])
    assert np.isfinite(rm.differential_entropy(flat, SFREQ)).all()


@pytest.mark.parametrize(
    ("array", "sfreq", "band", "words"),
    [
        (np.empty(0), 128, "alpha", r"shape \(0,\)"),
        (1.0, 128, "alpha", r"shape \(\)"),
        (np.empty((3, 0)), 128, "alpha", r"shape \(3, 0\)"),
        (np.full(500, np.nan), 128, "alpha", "500 of 500 samples are not finite"),
        (np.ones(500), 128, "mu", "use delta, theta"),
        (np.ones(500), 128, (4, 8, 12), "use delta, theta"),
        (np.ones(500), 128, None, "use delta, theta"),
        (np.ones(500), 128, (8, 70), "sampling rate is 128 Hz"),
        (np.ones(500), 128, (13, 8), "the lower first"),
        (np.ones(500), 0, "alpha", "0 Hz"),
        (np.ones(10), 128, (1, 2), "longer array"),
    ],
)
def test_what_has_no_band_power_is_said(array, sfreq, band, words):
    with pytest.raises(ConfigError, match=words):
        rm.bandpower(array, sfreq, band)
