"""10-10 names for caps whose electrodes have other names: nets of EGI, and positions measured on the head.

References
----------
.. [1] Luu & Ferree (2005), Determination of the HydroCel Geodesic Sensor Nets' average electrode positions and their
   10-10 international equivalents, Electrical Geodesics technical note.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from realtime_mood.montage import SPREAD, locate

HYDROCEL_128 = {
    int(number): site
    for site, number in re.findall(
        r"(\w+) (\d+)",
        "Fp1 22 Fpz 15 Fp2 9 AF7 26 AF3 23 AFz 16 AF4 3 AF8 2 F9 32 F7 33 F5 27 F3 24 F1 19 Fz 11 F2 4 F4 124 F6 123"
        " F8 122 F10 1 FT9 38 FT7 34 FC5 28 FC3 29 FC1 13 FCz 6 FC2 112 FC4 111 FC6 117 FT8 116 FT10 121 T9 44 T7 45"
        " C5 41 C3 36 C1 30 C2 105 C4 104 C6 103 T8 108 T10 114 TP9 57 TP7 46 CP5 47 CP3 42 CP1 37 CPz 55 CP2 87"
        " CP4 93 CP6 98 TP8 102 TP10 100 P9 64 P7 58 P5 51 P3 52 P1 60 Pz 62 P2 85 P4 92 P6 97 P8 96 P10 95 PO7 65"
        " PO3 67 POz 72 PO4 77 PO8 90 O1 70 Oz 75 O2 83",
    )
}
"""The 10-10 equivalent of sensors of EGI's net of 128, by number [1]_; the others lie between sites, or on the face.

Sensor 129 (Cz) is the reference: it has no signal of its own.
"""
FARTHEST_DEG = 18.0
"""A sensor farther from a site than this is not named after it; sites of the 10-10 system are some 18° apart."""


def labels_of(text: str) -> tuple[str, ...]:
    """The labels in a text, between spaces."""
    return tuple(text.split())


def hydrocel_sites(labels: Sequence[str]) -> list[str]:
    """The site of each sensor of EGI's net of 128 by its label (``E22``, ``EEG 22``, ``22``); ``""`` for the others."""
    numbers = [re.fullmatch(r"(?:EEG)?[ _]?E?[ _]?(\d{1,3})", label.strip(), re.IGNORECASE) for label in labels]
    return [HYDROCEL_128.get(int(number[1]), "") if number else "" for number in numbers]


def nearest_sites(places: Mapping[str, Sequence[float]], sites: Sequence[str] = SPREAD) -> dict[str, str]:
    """The 10-10 site that each electrode is nearest to, no site twice.

    Parameters
    ----------
    places : mapping of str to (x, y, z)
        Positions of at least eight electrodes all over the head, in one unit: x to the right ear, y to the nose, z up.
    sites : sequence of str
        10-10 names.

    Returns
    -------
    dict of str to str
        Label to site, for electrodes within `FARTHEST_DEG` of the one they are given.
    """
    labels = [label for label, xyz in places.items() if np.isfinite(xyz).all() and np.any(xyz)]
    if len(labels) < 8:
        return {}
    xyz = np.array([places[label] for label in labels], float)
    # The centre of the sphere through the electrodes: |x - c|² = r² is linear in c and r² - |c|².
    design = np.column_stack([2 * xyz, np.ones(len(xyz))])
    centre = np.linalg.lstsq(design, (xyz**2).sum(axis=1), rcond=None)[0][:3]
    out = xyz - centre
    unit = out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
    degrees = np.rad2deg(np.arccos(np.clip(unit @ locate(sites).astype(float).T, -1, 1)))
    rows, columns = linear_sum_assignment(np.minimum(degrees, 2 * FARTHEST_DEG) ** 2)
    return {labels[i]: sites[j] for i, j in zip(rows, columns, strict=True) if degrees[i, j] <= FARTHEST_DEG}
