"""Maps over a data set find what was planted where it was planted, and nothing in permuted labels."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from evaluation_people import SPEC, planted, quick_reader, view

import app
from realtime_mood.errors import ConfigError
from realtime_mood.models.datasets.sets import reader_of
from realtime_mood.models.evaluation import interpretation, subject_maps
from realtime_mood.models.evaluation import run as running
from realtime_mood.models.evaluation.clusters import clusters_of, neighbours
from realtime_mood.models.evaluation.cohorts import TEN_TWENTY
from realtime_mood.models.evaluation.figures import Scores
from realtime_mood.models.evaluation.interpretation import ClusterOptions, alike, interpret, rank_correlations, summary
from realtime_mood.models.evaluation.mood_reader import READOUT, batch
from realtime_mood.models.evaluation.run import Options
from realtime_mood.models.evaluation.subject_maps import SubjectMaps, TrialMeans, integrated_gradients
from realtime_mood.models.reader import MoodReader, ReaderConfig
from realtime_mood.sources.synthetic.person import Script, VirtualPerson

STATES = ("negative", "neutral", "positive")
BANDS = list(SPEC.bands)
PAPER = "; ".join(f"10.1000/a-long-journal.{year}.{'9' * 40}" for year in range(2020, 2026))
STUDY = SimpleNamespace(ch_names=TEN_TWENTY, labels=STATES, spec=SPEC)


def simulated(seed: int) -> SubjectMaps:
    """TrialMeans whose DE has the effects of a simulated subject; attention is the same whatever the label is."""
    rng = np.random.default_rng([17, seed])
    brain = VirtualPerson(seed, TEN_TWENTY, 128.0, Script.parse("rest:60")).brain
    labels = rng.permutation(np.repeat(np.arange(3), 4))
    effects = np.stack([brain.planted(state) for state in STATES])
    de = effects[labels] + 0.1 * rng.standard_normal((12, len(TEN_TWENTY), 5))
    attention = np.broadcast_to(rng.standard_normal((len(TEN_TWENTY), 5)), (3, len(TEN_TWENTY), 5))
    scores = Scores(rng.standard_normal((60, 3)), np.repeat(np.arange(3), 20))
    return SubjectMaps(f"virtual-{seed}", attention, 0.1 * effects, TrialMeans(de, labels), scores, 0.0)


@pytest.fixture(scope="module")
def subjects():
    return [simulated(seed) for seed in range(50_000, 50_008)]


@pytest.fixture(scope="module")
def found(subjects):
    return summary(subjects, STUDY, ClusterOptions(200, 0))


def significant(found, kind: str, label: str, band: str, sign: int) -> set[str]:
    clusters = found["maps"][kind]["clusters"]
    same = [k for k in clusters if (k["label"], k["band"], k["sign"]) == (label, band, sign) and k["significant"]]
    return {name for k in same for name in k["electrodes"]}


@pytest.mark.parametrize(
    ("label", "band", "sign", "there", "elsewhere"),
    [
        ("positive", "gamma", 1, {"T7", "T8"}, {"Cz", "Pz", "Fz"}),
        ("positive", "beta", 1, {"T7", "T8"}, {"Cz", "Fz"}),
        ("neutral", "alpha", 1, {"O1", "O2", "Pz"}, set()),
        ("negative", "gamma", 1, {"Fp1", "Fp2"}, {"O1", "O2", "Pz"}),
        ("negative", "delta", 1, {"O1", "Pz"}, {"Fp1", "Fp2"}),
    ],
)
def test_clusters_are_where_the_effect_was_planted(found, label, band, sign, there, elsewhere):
    electrodes = significant(found, "de", label, band, sign)
    assert there <= electrodes
    assert not electrodes & elsewhere


def test_no_cluster_is_where_nothing_was_planted(found):
    assert not {k["band"] for k in found["maps"]["de"]["clusters"] if k["significant"]} & {"theta"}


def test_permuted_labels_find_nothing_and_the_same_attention_is_called_the_same(found):
    controls = found["controls"]
    assert controls["permuted"]["found"] <= 3
    assert controls["attention_of_labels"]["correlation"]["mean"] == pytest.approx(1)
    assert controls["attention_of_labels"]["between_labels"]["mean"] == pytest.approx(0, abs=1e-6)
    assert found["maps"]["attention_contrast"]["clusters"] == []
    assert abs(controls["agreement"]["attention, de"]["mean"]) < 0.2
    assert controls["agreement"]["gradients, de"]["mean"] > 0.3
    assert not controls["in_order"]


def test_p_values_are_the_same_again(subjects, found):
    assert summary(subjects, STUDY, ClusterOptions(200, 0)) == found


def test_few_subjects_are_not_tested(subjects):
    few = summary(subjects[:5], STUDY, ClusterOptions(200, 0))
    assert not few["statistics"]["done"]
    assert few["controls"]["permuted"] is None
    assert all("clusters" not in maps and "t" not in maps for maps in few["maps"].values())


def test_noise_has_no_cluster_in_most_data_sets():
    rng, adjacency = np.random.default_rng(1), neighbours(TEN_TWENTY)
    hits = 0
    for _ in range(12):
        _, clusters = clusters_of(rng.standard_normal((10, 2, 19, 5)), adjacency, 100, 0)
        hits += any(k.significant for k in clusters)
    assert hits <= 3


def test_neighbours_are_near_in_any_montage():
    joined = neighbours(TEN_TWENTY).toarray()
    assert (joined == joined.T).all()
    names = {TEN_TWENTY[i] for i in np.flatnonzero(joined[TEN_TWENTY.index("Cz")])}
    assert {"C3", "C4", "Fz", "Pz"} <= names
    assert not names & {"T7", "O1", "Fp1"}
    assert neighbours(("Fp1", "Fp2", "T7", "T8")).toarray().sum() == 6  # the two of the forehead, and itself each


def test_a_missing_label_is_not_counted(subjects):
    one = subjects[0].trials
    lacking = TrialMeans(one.means[one.labels != 2], one.labels[one.labels != 2])
    contrast = lacking.contrasts(3)
    assert np.isnan(contrast[2]).all()
    np.testing.assert_allclose(contrast[0], -contrast[1])
    assert TrialMeans(one.means, np.sort(one.labels)).in_order


def test_integrated_gradients_add_up_to_the_change_of_the_score():
    torch.manual_seed(0)
    people = [planted(seed) for seed in range(2)]
    c = view(people).contexts(people[0])
    reader = MoodReader(ReaderConfig(readouts={READOUT: 2}, dim=16, raw_dim=16, raw_depth=1)).eval()
    maps, missed = integrated_gradients(reader, batch(c, np.arange(4)), 1)
    assert maps.shape == (6, 5)
    assert missed < 0.05
    other, _ = integrated_gradients(reader, batch(c, np.arange(4)), 0)
    np.testing.assert_allclose(other, -maps, atol=1e-6)


def test_agreement_is_a_rank_correlation_by_subject():
    a = np.random.default_rng(0).random((3, 2, 9, 5))
    np.testing.assert_allclose(rank_correlations(a, np.exp(a)), 1)
    np.testing.assert_allclose(rank_correlations(a, -a), -1)
    assert (rank_correlations(a, np.ones_like(a)) == 0).all()
    assert alike(a - a.mean(axis=2, keepdims=True))[0].max() < 0.6


# -- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch):
    def use(n: int, steps: int, *, virtual: bool = False):
        people = [planted(seed, 1.5, n_blocks=6) for seed in range(n)]
        people = [replace(p, info=replace(p.info, virtual=virtual)) for p in people]
        info = replace(reader_of("eegmat").info, paper=PAPER)
        monkeypatch.setattr(running, "load_labelled", lambda *_: (people, info))
        monkeypatch.setattr(running, "methods_of", lambda *_: [quick_reader(steps)])
        monkeypatch.setattr(subject_maps, "PATH", 4)  # above, integrated gradients are tested as they are

    return use


def test_the_page_has_every_section_and_the_numbers_are_beside_it(small, tmp_path):
    small(7, 8)
    options = Options("effort", tmp_path / "page.html", tmp_path, n_folds=3)
    interpret(options, ClusterOptions(100, 0), ["interpret", "--out", "page.html"], lambda _: None)
    page, numbers = (tmp_path / "page.html").read_text(), json.loads((tmp_path / "page.json").read_text())
    for kind in interpretation.KINDS:
        assert f'id="{kind}-' in page
    for text in (
        "Clusters of DE contrasts", "Clusters of integrated gradients", "Controls", "labels permuted by trial",
        "Jain &amp; Wallace 2019", "Wiegreffe &amp; Pinter 2019", "ODC-By 1.0", "permutations of signs",
        "what the subject was asked to do", PAPER, "not a medical device", "correlation within subjects",
    ):  # fmt: skip
        assert text in page, text
    assert "SIMULATED" not in page
    clusters = numbers["maps"]["de"]["clusters"]
    assert [(k["label"], k["band"], k["sign"], k["electrodes"]) for k in clusters if k["significant"]] == [
        ("arithmetic", "beta", 1, ["Fp1", "Fp2"])
    ]
    assert set(numbers["maps"]["de"]["subjects"]) == {f"planted-{i}" for i in range(7)}


@pytest.mark.usefixtures("no_figures")
def test_the_page_of_few_simulated_subjects_says_both(small, tmp_path):
    small(4, 2, virtual=True)
    interpret(
        Options("effort", tmp_path / "page.html", tmp_path, n_folds=3), ClusterOptions(), ["interpret"], lambda _: None
    )
    page = (tmp_path / "page.html").read_text()
    assert "SIMULATED" in page
    assert "4 subjects are too few" in page
    assert "Clusters of" not in page


@pytest.mark.parametrize(
    ("changed", "permutations", "says"),
    [
        ({"protocol": "subject-clip"}, 100, "held out once"),
        ({"track": "l"}, 100, "personal"),
        ({"readout": "valence-rating"}, 100, "no labels to compare"),
        ({}, 10, "at least 100"),
    ],
)
def test_what_cannot_be_mapped_is_refused(tmp_path, changed, permutations, says):
    options = replace(Options("effort", tmp_path / "p.html"), **changed)
    with pytest.raises(ConfigError, match=says):
        interpret(options, ClusterOptions(permutations), [], lambda _: None)


def test_another_file_is_not_overwritten(tmp_path):
    (tmp_path / "page.json").write_text("[1]")
    with pytest.raises(ConfigError, match="another file"):
        interpret(Options("effort", tmp_path / "page.html"), ClusterOptions(), [], lambda _: None)
    assert app.command(["interpret", "--out", str(tmp_path / "x.html"), "--readout", "effort"]) == 2
