"""Head model of a simulated subject: positions of cortical patches, and their lead field.

References
----------
.. [1] Ary, Klein & Fender 1981, Location of sources of evoked scalp potentials: corrections for skull and scalp
   thicknesses, IEEE Trans. Biomed. Eng. 28(6).
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import legendre


def cortex(n: int = 48, lowest: float = -0.35) -> np.ndarray:
    """Patch centres spread evenly over the upper part of a sphere: (n, 3) unit vectors."""
    z = 1 - (1 - lowest) * (np.arange(n) + 0.5) / n
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(n)
    return np.column_stack((np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z))


def lead_field(electrodes: np.ndarray, patches: np.ndarray, skull: float, depth: float = 0.82) -> np.ndarray:
    """Potential of radial dipoles in a head of brain, skull and scalp [1]_: (n_chans, n_patches), arbitrary units.

    The reference is at infinity. `electrodes` (n_chans, 3) and `patches` (n_patches, 3) are unit vectors; `skull` is
    the conductivity of the skull over that of brain and scalp, about 1/80 to 1/20, and `depth` the distance of the
    dipoles from the centre, in head radii.
    """
    n = np.arange(1, 41)
    inner, outer = 0.87, 0.92
    x, y = inner ** (2 * n + 1), outer ** (2 * n + 1)
    d = ((n + 1) * skull + n) * (n * skull / (n + 1) + 1) + (1 - skull) * ((n + 1) * skull + n) * (x - y)
    d -= n * (1 - skull) ** 2 * x / y
    patch = np.exp(-0.5 * n * (n + 1) * 0.15**2)  # a patch of about 0.15 rad, not a point
    terms = skull * (2 * n + 1) ** 3 / (d * (n + 1)) * depth ** (n - 1) * patch
    return legendre.legval(electrodes @ patches.T, np.concatenate(([0.0], terms)))
