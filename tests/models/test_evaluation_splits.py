"""Nobody is on both sides of anything, and who cannot be evaluated is told why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evaluation_people import SPEC, planted

from realtime_mood.errors import ConfigError, WeightsError
from realtime_mood.models.datasets.person import NO_LABEL, signal_sha256
from realtime_mood.models.datasets.recordings import find
from realtime_mood.models.evaluation import cohorts
from realtime_mood.models.evaluation.contexts import check_track
from realtime_mood.models.evaluation.run import methods_of, records_seen
from realtime_mood.models.evaluation.splits import Fold, Split, check_apart, plan
from realtime_mood.models.executor import SerialExecutor


@pytest.fixture(scope="module")
def people():
    return [planted(seed) for seed in range(6)]


@pytest.mark.parametrize("protocol", ["groups", "loso"])
@pytest.mark.parametrize(("n", "n_folds", "inner"), [(24, 8, 4), (24, 8, 7), (7, 3, 1), (11, 5, 2)])
def test_everybody_is_tested_once_and_has_no_say_in_what_tests_them(protocol, n, n_folds, inner):
    folds = plan(n, protocol, n_folds, inner, seed=3)
    assert sorted(i for fold in folds for i in fold.split.left) == list(range(n))
    assert len(folds) == (n if protocol == "loso" else n_folds)
    for fold in folds:
        tested = set(fold.split.left)
        assert set(fold.split.train) == set(range(n)) - tested
        assert len(fold.inner) >= inner
        for split, chosen_on in fold.inner:
            assert not tested & {*split.train, *chosen_on}
            assert not set(split.train) & set(split.left)
            assert set(chosen_on) <= set(split.left)


def test_a_pair_of_groups_is_left_out_once_for_both():
    folds = plan(24, "groups", 8, 4, seed=0)
    assert len({split.name for fold in folds for split, _ in fold.inner}) == 8 * 4 // 2
    assert plan(24, "loso", 8, 4, seed=0)[0].inner[0][0] in {split for fold in folds for split, _ in fold.inner}


def test_the_seed_says_who_is_in_which_group():
    assert plan(9, "groups", 3, 1, 0) == plan(9, "groups", 3, 1, 0) != plan(9, "groups", 3, 1, 1)


@pytest.mark.parametrize("protocol", ["groups", "loso"])
def test_people_apart_pass(people, protocol):
    check_apart(people, plan(6, protocol, 3, 2, 0), {"virtual-3": ["x"], "eegmat-1": ["y"]})


@pytest.mark.parametrize(
    "change",
    [{"name": "Planted-0"}, {"sha256": "sha-0"}],
    ids=["same name", "same signal"],
)
def test_a_person_on_both_sides_of_a_split_stops_the_run(people, change):
    copy = [*people[:5], replace(people[5], **change)]
    folds = plan(6, "loso", 3, 1, 0)
    with pytest.raises(ConfigError, match="both sides"):
        check_apart(copy, folds)


def test_choices_made_on_the_people_tested_stop_the_run(people):
    outer, pair = Split("one", (2, 3, 4, 5), (0, 1)), Split("pair", (4, 5), (2, 3))
    check_apart(people, [Fold(outer, ((pair, (2, 3)),))])
    for bad in (Split("pair", (0, 4, 5), (2, 3)), Split("pair", (4, 5), (1, 2, 3))):
        with pytest.raises(ConfigError, match="choices were based on"):
            check_apart(people, [Fold(outer, ((bad, bad.left),))])


@pytest.mark.parametrize("seen", [{"planted-4": ["other"]}, {"Planted_4": ["other"]}, {"other": ["a", "sha-4"]}])
def test_people_an_encoder_was_pre_trained_on_are_not_tested(people, seen):
    with pytest.raises(ConfigError, match="pre-trained on them"):
        check_apart(people, plan(6, "groups", 3, 1, 0), seen)


def test_a_virtual_seed_is_one_person_however_it_is_named(people):
    folds = plan(6, "groups", 3, 1, 0)
    virtual = [replace(p, name=f"virtual-{i}") for i, p in enumerate(people)]
    check_apart(virtual, folds, {"virtual-77-easy": []})
    with pytest.raises(ConfigError, match="virtual-4"):
        check_apart(virtual, folds, {"virtual-4-medium": []})
    assert cohorts.FIRST_SEED > 9_999  # those below are trained on


def test_a_person_of_parts_is_known_by_the_whole_record(people):
    folds = plan(6, "groups", 3, 1, 0)
    check_apart(people, folds, {"other": ["whole"]}, {"planted-1": ["whole too"]})
    with pytest.raises(ConfigError, match=r"by signal: whole\)"):
        check_apart(people, folds, {"other": ["whole"]}, {"planted-1": ["whole"]})


def test_eegmat_is_known_again_in_a_pre_training_corpus(data_dir):
    """As pre-training names and hashes it, whatever the minutes that evaluation cuts it into."""
    path = data_dir / "eegmat_dev24_125hz.npz"
    jobs, _ = find([str(path)], with_eegmat=True)
    subject = jobs[0].pick
    person = replace(planted(0), name=f"eegmat-{subject}")
    folds = [Fold(Split("one", (), (0,)), ())]
    with pytest.raises(ConfigError, match="by name"):
        check_apart([person], folds, {jobs[0].subject: []})
    hashes = [signal_sha256(piece) for piece in jobs[0].read().pieces]
    with pytest.raises(ConfigError, match="by signal"):
        check_apart([person], folds, {"renamed": hashes[:1]}, cohorts.records_behind([person], path))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((5, "groups", 8, 4, 0), "5 subjects"),
        ((24, "groups", 2, 1, 0), "--folds 3"),
        ((24, "once", 8, 4, 0), "groups or loso"),
        ((24, "groups", 8, 8, 0), "--inner"),
    ],
)
def test_what_cannot_be_split_is_said(args, said):
    with pytest.raises(ConfigError, match=said):
        plan(*args)


def test_tracks_that_cannot_be_had():
    with pytest.raises(ConfigError, match="use z, c1, c5"):
        check_track("x")


def test_people_who_cannot_be_evaluated(people):
    cohorts.check_subjects(people, ("a", "b"), "c1", SPEC)
    with pytest.raises(ConfigError, match="planted-0 has 60 s"):
        cohorts.check_subjects(people, ("a", "b"), "c5", SPEC)
    with pytest.raises(ConfigError, match=r"more than once: again, planted-2"):
        cohorts.check_subjects([*people, replace(people[2], name="again")], ("a", "b"), "c1", SPEC)
    with pytest.raises(ConfigError, match="more than once: planted-2"):
        cohorts.check_subjects([*people, replace(people[2], sha256="new")], ("a", "b"), "c1", SPEC)
    one_sided = replace(people[0], label=np.where(people[0].label == 1, NO_LABEL, people[0].label))
    with pytest.raises(ConfigError, match="planted-0 has none of b"):
        cohorts.check_subjects([one_sided, *people[1:]], ("a", "b"), "c1", SPEC)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(ConfigError, match="other labels"):
        cohorts.load("effort", "virtual", "c1", 4, SPEC, SerialExecutor())
    with pytest.raises(ConfigError, match="no forest"):
        methods_of("lr,forest", (), None)
    with pytest.raises(WeightsError, match=r"no encoder\.json"):
        records_seen(tmp_path)


def test_differing_montages_share_what_they_share(people):
    said = []
    fewer = replace(people[0], info=replace(people[0].info, ch_names=("C3", "C4", "Pz", "O1", "O2", "Fp1")))
    common = cohorts.common_channels([people[1], fewer], said.append)
    assert common == ("Fp1", "C3", "C4", "O1", "O2")
    assert "5 channels" in said[0]
    with pytest.raises(ConfigError, match="some subjects lack Fp2"):
        cohorts.channel_sets("Fp1,Fp2", common)
    with pytest.raises(ConfigError, match="no set of 12"):
        cohorts.channel_sets("12", common)
    assert cohorts.channel_sets("all, C3,C4", common) == {"all": common, "2 of yours": ("C3", "C4")}
    apart = replace(people[0], info=replace(people[0].info, ch_names=("P3", "P4", "Pz", "T7", "T8", "Cz")))
    with pytest.raises(ConfigError, match="none"):
        cohorts.common_channels([people[1], apart], said.append)
