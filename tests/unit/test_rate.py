"""Planted truth for the measured sampling rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.sources.timing.rate import Rate, measured_rate, real_rate


def batches(
    real: float,
    nominal: float,
    seconds: float,
    *,
    chunk: int = 5,
    jitter_s: float = 0.0,
    gone: tuple[int, int] = (0, 0),
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """(count, stamp) at the end of each batch of a device that stamps on leaving; `gone` = (first batch, how many)."""
    last = np.arange(chunk - 1, seconds * real, chunk)
    keep = np.ones(len(last), bool)
    keep[gone[0] : gone[0] + gone[1]] = False
    stamps = 1e5 + last / real + np.random.default_rng(seed).uniform(0, jitter_s, len(last))
    return np.arange(1, keep.sum() + 1) * chunk, stamps[keep]


@settings(deadline=None, max_examples=50)
@given(
    real=st.sampled_from([125.0, 128.0, 250.0, 256.0, 500.0, 242.7]),
    nominal=st.sampled_from([125.0, 128.0, 250.0, 256.0, 500.0]),
    ppm=st.floats(-200, 200),
    jitter_ms=st.floats(0, 30),
    chunk=st.integers(1, 12),
    seed=st.integers(0, 999),
)
def test_the_rate_is_the_real_one(
    real: float, nominal: float, ppm: float, jitter_ms: float, chunk: int, seed: int
) -> None:
    counts, stamps = batches(real * (1 + 1e-6 * ppm), nominal, 4.0, chunk=chunk, jitter_s=jitter_ms / 1e3, seed=seed)
    rate = measured_rate(counts, stamps)
    assert rate is not None
    assert rate.sfreq == pytest.approx(real, rel=max(5 * rate.error, 3e-4))
    sfreq, said = real_rate(nominal, rate)
    if real == nominal:
        assert (sfreq, said) == (nominal, "")
    elif rate.sure:
        assert sfreq == pytest.approx(real, rel=0.01)
        assert said.startswith(f"announces {nominal:g} Hz, sends ")


def test_half_a_second_is_enough_where_stamps_are_good() -> None:
    rate = measured_rate(*batches(250.0, 256.0, 0.5, jitter_s=0.0005))
    assert rate is not None
    assert rate.sure
    assert real_rate(256.0, rate) == (250.0, f"announces 256 Hz, sends {rate.sfreq:.4g} Hz: read as 250")


@pytest.mark.parametrize("jitter_ms", [0.0, 0.5, 5.0, 15.0])
@pytest.mark.parametrize("n_gone", [1, 2, 8])
@pytest.mark.parametrize("seed", range(5))
def test_a_hole_is_no_other_rate(jitter_ms: float, n_gone: int, seed: int) -> None:
    for seconds in (0.5, 1.0, 4.0):
        counts, stamps = batches(
            256.0, 256.0, seconds, jitter_s=jitter_ms / 1e3, gone=(5 + 3 * seed, n_gone), seed=seed
        )
        assert real_rate(256.0, measured_rate(counts, stamps))[0] == 256.0


def test_too_little_says_nothing() -> None:
    assert measured_rate(*batches(250.0, 250.0, 0.1, chunk=1)) is None
    assert measured_rate(*batches(250.0, 250.0, 3.0, chunk=250)) is None
    assert measured_rate(np.arange(20), np.full(20, 5.0)) is None
    assert measured_rate(np.arange(20), np.full(20, np.nan)) is None
    assert measured_rate(np.arange(20), -np.arange(20.0)) is None
    assert real_rate(250.0, None) == (250.0, "")


def test_an_unsure_rate_changes_nothing() -> None:
    assert real_rate(256.0, Rate(250.0, 0.02)) == (256.0, "")
