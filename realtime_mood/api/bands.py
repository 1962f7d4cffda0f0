"""Band power and differential entropy of arrays, by Welch's method [1]_.

The live features are made by causal filters instead (`features`), which is what a stream needs; over a stretch of
stationary signal both estimate the same power.

References
----------
.. [1] Welch (1967), "The use of fast Fourier transform for the estimation of power spectra", IEEE Trans. Audio
   Electroacoust. 15.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.signal import welch

from .. import entropy
from ..dsp.spec import BANDS
from ..errors import ConfigError

SEGMENT_S = 2.0
CYCLES = 4  # segments are at least so many cycles of the band's lower edge long

Band = str | tuple[float, float]


def bandpower(array: ArrayLike, sfreq: float, band: Band = "alpha", *, relative: bool = False) -> np.ndarray:
    """Power in a frequency band.

    Parameters
    ----------
    array : array (..., n_times)
        In µV; channels first, as in MNE. Each is split into segments of 2 s, or of four cycles of the band's lower
        edge where those are longer, half overlapping, without their means, and under a Hann window.
    sfreq : float
        Sampling rate (Hz).
    band : str or (float, float)
        ``"delta"``, ``"theta"``, ``"alpha"``, ``"beta"`` or ``"gamma"``, or its edges (Hz): the lower one is in it,
        the upper is not, so that neighbouring bands add up.
    relative : bool
        As a share of the power in all frequencies above zero.

    Returns
    -------
    array (...)
        µV², or a share; 0 where the signal is flat.

    Raises
    ------
    ConfigError
        An array that is empty, too short for the band, or not finite; a band that is unknown or too high.

    Examples
    --------
    >>> import numpy as np, realtime_mood as rm
    >>> t = np.arange(0, 8, 1 / 256)
    >>> rm.bandpower(10 * np.sin(2 * np.pi * 10 * t), 256, "alpha").round(1)
    np.float64(50.0)
    """
    x, low, high = _checked(array, sfreq, band)
    n = min(x.shape[-1], round(sfreq * max(SEGMENT_S, CYCLES / low if low > 0 else 0.0)))
    freqs, density = welch(x, sfreq, window="hann", nperseg=n, axis=-1)
    inside = (freqs >= low) & (freqs < high)
    if not inside.any():
        raise ConfigError(
            f"power from {low:g} to {high:g} Hz", f"{x.shape[-1] / sfreq:.3g} s resolve {sfreq / n:.2g} Hz",
            "give a longer array or a wider band",
        )  # fmt: skip
    power = density[..., inside].sum(axis=-1) * (freqs[1] - freqs[0])
    if relative:
        total = density[..., 1:].sum(axis=-1) * (freqs[1] - freqs[0])
        power = np.divide(power, total, out=np.zeros_like(power), where=total > 0)
    return power


def differential_entropy(array: ArrayLike, sfreq: float, band: Band = "alpha") -> np.ndarray:
    """Differential entropy of the signal in a frequency band: ½ ln(2πe · power) of a Gaussian signal.

    Parameters
    ----------
    array, sfreq, band
        As for `bandpower`.

    Returns
    -------
    array (...)
        In nats; a power of 0.01 µV² is added, so that a flat signal has a finite one.

    Raises
    ------
    ConfigError
        As `bandpower` does.

    Examples
    --------
    >>> import numpy as np, realtime_mood as rm
    >>> noise = np.random.default_rng(0).normal(0, 10, (4, 2560))
    >>> rm.differential_entropy(noise, 256, (4, 45)).shape
    (4,)
    """
    return entropy.differential_entropy(bandpower(array, sfreq, band))


def _checked(array: ArrayLike, sfreq: float, band: Band) -> tuple[np.ndarray, float, float]:
    x = np.asarray(array, np.float64)
    try:
        low, high = BANDS[band] if isinstance(band, str) else map(float, band)
    except (KeyError, TypeError, ValueError):
        do = f"use {', '.join(BANDS)}, or two edges in Hz"
        raise ConfigError(f"band {band!r}", "unknown", do) from None
    if not np.isfinite(sfreq) or sfreq <= 0:
        raise ConfigError("band power", f"a sampling rate of {sfreq:g} Hz", "give it in Hz")
    if not 0 <= low < high <= sfreq / 2:
        raise ConfigError(
            f"power from {low:g} to {high:g} Hz", f"the sampling rate is {sfreq:g} Hz",
            f"give edges between 0 and {sfreq / 2:g} Hz, the lower first",
        )  # fmt: skip
    if x.ndim == 0 or x.shape[-1] < 4:
        raise ConfigError("band power", f"an array of shape {x.shape}", "give (…, n_times), time last")
    if not np.isfinite(x).all():
        found = f"{np.size(x) - np.isfinite(x).sum()} of {np.size(x)} samples are not finite"
        raise ConfigError("band power", found, "leave the gaps out first")
    return x, low, high
