"""Derivations give what the montage can give, and refuse the rest."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_mood.dsp.reference import derive
from realtime_mood.errors import ConfigError
from realtime_mood.montage import SPREAD, locate

CAP19 = [
    "Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz", "C4", "T8", "P7", "P3", "Pz", "P4", "P8", "O1", "O2"
]  # fmt: skip
MUSE = ["TP9", "AF7", "AF8", "TP10"]
DATA = np.random.default_rng(0).normal(0, 10, (200, 64))


@pytest.mark.parametrize("kind", ["average", "ears", "bipolar", "laplacian"])
def test_what_all_electrodes_have_in_common_is_gone(kind):
    names = [*CAP19, "A1", "A2"]
    data = DATA[:, : len(names)]
    made = derive(kind, names)
    assert made(data + 1000 * np.sin(np.arange(200))[:, None]) == pytest.approx(made(data), abs=1e-9)
    assert made.matrix.sum(axis=1) == pytest.approx(0, abs=1e-12)


def test_as_recorded_is_the_signal_itself():
    made = derive("recorded", CAP19)
    assert np.array_equal(made(DATA[:, :19]), DATA[:, :19])
    assert made.names == tuple(CAP19)


def test_electrodes_left_out_are_not_averaged_but_shown():
    data = DATA[:, :19].copy()
    data[:, 3] = 1e6
    made = derive("average", CAP19, left_out=["F3"])(data)
    rest = np.delete(np.arange(19), 3)
    assert made[:, rest] == pytest.approx(data[:, rest] - data[:, rest].mean(axis=1, keepdims=True))
    assert made[:, 3] == pytest.approx(1e6 - data[:, rest].mean(axis=1))


def test_ears_are_taken_from_the_channels_or_believed_to_be_the_reference():
    made = derive("ears", MUSE)
    assert made.against == ("TP9", "TP10")
    assert made(DATA[:, :4]) == pytest.approx(DATA[:, :4] - DATA[:, [0, 3]].mean(axis=1, keepdims=True))
    for reference in ("A1/A2", "A1A2", "LE", "linked", "A1+A2"):
        assert np.array_equal(derive("ears", CAP19, reference)(DATA[:, :19]), DATA[:, :19])
    with pytest.raises(ConfigError, match=r"linked ears · neither A1 and A2"):
        derive("ears", CAP19, "Cz")
    with pytest.raises(ConfigError, match="linked ears"):
        derive("ears", MUSE, left_out=["TP9"])


def test_bipolar_chains_run_from_front_to_back():
    made = derive("bipolar", CAP19)
    assert len(made.names) == 18
    assert made.names[:4] == ("Fp1–F7", "F7–T7", "T7–P7", "P7–O1")
    at = made.names.index("C3–P3")
    assert made(DATA[:, :19])[:, at] == pytest.approx(DATA[:, 8] - DATA[:, 13])
    assert made.of[at] == (8, 13)


def test_the_laplacian_finds_a_source_where_it_is():
    """A potential that is even in space, and a bump that only C3 has."""
    where = locate(SPREAD)
    even = where[:, 2].astype(float)
    made = derive("laplacian", SPREAD)
    sizes = made((even + 3 * np.eye(64)[SPREAD.index("C3")])[None])[0]
    assert made.names[int(np.argmax(sizes))] == "C3"
    assert {"Cz", "FC1", "P3"} <= set(made.names)
    assert not {"Fp1", "Iz", "TP9"} & set(made.names)  # at the edge of the cap
    ten_twenty = derive("laplacian", CAP19)
    at = ten_twenty.names.index("Cz")
    near = {CAP19[i] for i in np.flatnonzero(ten_twenty.matrix[at] < 0)}
    assert near == {"Fz", "C3", "C4", "Pz"}
    assert set(ten_twenty.names) == {"F3", "Fz", "F4", "C3", "Cz", "C4", "P3", "Pz", "P4"}


@pytest.mark.parametrize(
    ("kind", "names", "says"),
    [
        ("average", MUSE, "4 electrodes, whose mean is no reference"),
        ("average", CAP19[:7], "use 8 or more"),
        ("bipolar", MUSE, "no two electrodes that follow each other"),
        ("laplacian", MUSE, "no electrode has neighbours on all sides"),
        ("laplacian", ["Fp1", "Fp2", "T7", "T8", "O1", "O2"], "Laplacian"),
    ],
)
def test_what_the_montage_cannot_give_is_refused(kind, names, says):
    with pytest.raises(ConfigError, match=says):
        derive(kind, names)


def test_an_unknown_value_stays_in_what_rests_on_it():
    data = DATA[:5, :19].copy()
    data[2, 8] = np.nan  # C3
    data[4] = np.nan
    made = derive("bipolar", CAP19)
    found = np.isnan(made(data))
    assert [made.names[i] for i in np.flatnonzero(found[2])] == ["F3–C3", "C3–P3"]
    assert found[4].all()
    assert not found[[0, 1, 3]].any()


def test_neighbours_surround_an_electrode_and_agree_on_both_sides():
    made = derive("laplacian", CAP19)
    near = {
        name: {CAP19[i] for i in np.flatnonzero(row < 0)} for name, row in zip(made.names, made.matrix, strict=True)
    }
    assert near["C3"] == {"F3", "P3", "T7", "Cz"}
    assert near["Fz"] == {"F3", "F4", "Cz", "Fp1", "Fp2"}
    assert near["Pz"] == {"P3", "P4", "Cz", "O1", "O2"}
    assert (made.matrix.max(axis=1) == 1).all()
    dense = derive("laplacian", SPREAD)
    assert {SPREAD[i] for i in np.flatnonzero(dense.matrix[dense.names.index("C3")] < 0)} == {"C1", "C5", "FC3", "CP3"}


def test_a_neighbour_left_out_is_replaced_or_its_electrode_is_gone():
    made = derive("laplacian", CAP19, left_out=["Fz"])
    assert "Fz" in made.names  # it is shown all the same
    assert not made.matrix[:, CAP19.index("Fz")][[name != "Fz" for name in made.names]].any()
