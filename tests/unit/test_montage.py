"""Names of electrodes as files and devices write them."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_mood.montage import SPREAD, canonical_name, derivation, electrode, locate, positions


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Fp1", "Fp1"),
        ("FP1", "Fp1"),
        ("EEG Fp1-REF", "Fp1"),
        ("EEG FP2-LE", "Fp2"),
        ("eeg_cz", "Cz"),
        ("T3", "T7"),
        ("EEG T6", "P8"),
        ("Fpz.", "Fpz"),
        ("C3..", "C3"),
        ("CB1", "PO9"),
        ("TP10", "TP10"),
        ("Fc5.", "FC5"),
        ("EEG.AF3", "AF3"),
        ("POL Fp1-Ref", "Fp1"),
        ("EEG Fp1-0", "Fp1"),
        ("C3-(A1+A2)/2", "C3"),
        ("FP1-F7", None),
        ("T8-P8-0", None),
        ("F3:C3", None),
        ("Pz EOG", None),
        ("Fp1 EMG", None),
        ("O2 saturation", None),
        ("C3'", None),
        ("ECG", None),
        ("EEG 001", None),
        ("A3", None),
        ("", None),
    ],
)
def test_canonical_name(label: str, name: str | None) -> None:
    assert canonical_name(label) == name


@pytest.mark.parametrize(
    ("label", "reference"),
    [
        ("EEG FP1-REF", "REF"),
        ("EEG FP1-LE", "LE"),
        ("Fp1-AA", "AA"),
        ("EEG Fp1-G2", "G2"),
        ("F3:A2", "A2"),
        ("F3/M2", "M2"),
        ("C3-A1A2", "A1A2"),
        ("C3-(A1+A2)/2", "A1+A2"),
        ("Fp1 linked ears", "LINKED EARS"),
        ("Fp1-avg", "AVG"),
        ("Cz", ""),
    ],
)
def test_the_reference_in_a_label_is_kept(label: str, reference: str) -> None:
    found = electrode(label)
    assert found is not None
    assert found.reference == reference


def test_another_reference_counts_only_where_it_is_given() -> None:
    assert electrode("F3-Cz") is None
    assert electrode("F3-Cz", "Cz") == ("F3", "CZ")
    assert electrode("F3-C3", "Cz") is None
    assert derivation("EEG F3-Cz") == ("F3", "Cz")
    assert derivation("F3-A2") is None


def test_positions_are_on_the_unit_sphere_and_the_right_way_round() -> None:
    at = locate(SPREAD)
    assert len(set(SPREAD)) == len(SPREAD) == 64
    np.testing.assert_allclose(np.linalg.norm(at, axis=1), 1, atol=1e-3)
    x, y, z = locate(["T8", "Fpz", "Cz"]).T
    assert x[0] > 0.9
    assert y[1] > 0.8
    assert z[2] > 0.9


def test_every_name_is_its_own_canonical_name() -> None:
    aliased = {"T3", "T4", "T5", "T6"}
    assert [name for name in positions() if name not in aliased and canonical_name(name) != name] == []


def test_locate_refuses_what_is_no_electrode() -> None:
    with pytest.raises(KeyError):
        locate(["Fp1", "Status"])
