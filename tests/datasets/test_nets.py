"""10-10 names of sensors of EGI's net and of measured positions."""

from __future__ import annotations

import mne
import numpy as np
import pytest

from realtime_mood.models.datasets.nets import HYDROCEL_128, hydrocel_sites, nearest_sites
from realtime_mood.montage import SPREAD, locate


def test_the_net_of_128_is_where_mne_has_it():
    places = mne.channels.make_standard_montage("GSN-HydroCel-128").get_positions()["ch_pos"]
    xyz = np.array([places[f"E{number}"] for number in HYDROCEL_128])
    unit = xyz / np.linalg.norm(xyz, axis=1, keepdims=True)
    degrees = np.rad2deg(np.arccos(np.clip((unit * locate(list(HYDROCEL_128.values()))).sum(axis=1), -1, 1)))
    assert len(HYDROCEL_128) == len(set(HYDROCEL_128.values())) == 70
    assert degrees.max() < 26
    assert degrees.mean() < 10


@pytest.mark.parametrize(
    ("label", "site"), [("E22", "Fp1"), ("e9", "Fp2"), ("EEG 24", "F3"), ("36", "C3"), ("E129", ""), ("E125", ""),
                        ("ECG", ""), ("Cz", ""), ("E1234", "")],
)  # fmt: skip
def test_labels_of_the_net(label, site):
    assert hydrocel_sites([label]) == [site]


def test_measured_positions_are_named_after_the_nearest_site():
    rng = np.random.default_rng(0)
    xyz = locate(SPREAD).astype(float)
    moved = xyz + 0.05 * rng.standard_normal(xyz.shape)
    moved = 92 * moved / np.linalg.norm(moved, axis=1, keepdims=True) + [2, -15, 40]  # millimetres, another origin
    order = rng.permutation(len(SPREAD))
    named = nearest_sites({f"A{i}": moved[i] for i in order})
    assert named == {f"A{i}": SPREAD[i] for i in order}


def test_more_electrodes_than_sites_are_named_once_each():
    rng = np.random.default_rng(1)
    dense = rng.standard_normal((400, 3))
    dense[:, 2] = np.abs(dense[:, 2])
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    named = nearest_sites({f"E{i}": xyz for i, xyz in enumerate(dense)})
    assert len(named) == len(set(named.values())) > 50


@pytest.mark.parametrize("places", [{}, {"A": (0, 0, 1)}, {str(i): (np.nan, 0, 0) for i in range(20)}])
def test_without_positions_nothing_is_named(places):
    assert nearest_sites(places) == {}
