"""From people to weights that load: what is chosen is chosen on people left out, and a full disk is said in time."""

from __future__ import annotations

import errno
import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from evaluation_people import SPEC, planted

from realtime_mood import files
from realtime_mood.errors import MoodError
from realtime_mood.models import crossfit, ship
from realtime_mood.models.checkpoint import load_weights
from realtime_mood.models.crossfit import FitOptions, LabelledReadout
from realtime_mood.models.datasets.labels import COORDINATES
from realtime_mood.models.datasets.person import population
from realtime_mood.models.evaluation.figures import Scores
from realtime_mood.models.executor import SerialExecutor
from realtime_mood.models.refit import refit
from realtime_mood.models.train import TrainingRecipe

RECIPE = TrainingRecipe(steps=2, batches={"effort": 4})


class Pickling:
    """Sends everything through pickle as processes do, which cost a start and all imports each (see test_executor)."""

    n_workers = 2

    def run(self, work, items, common=None):
        for i, item in enumerate(items):
            again, shared, sent = pickle.loads(pickle.dumps((work, common, item)))
            yield i, pickle.loads(pickle.dumps(again(shared, sent)))


@pytest.fixture
def people(monkeypatch):
    monkeypatch.setattr(ship, "ProcessesExecutor", lambda _: Pickling())
    made = [planted(seed) for seed in range(6)]
    for module in (ship, sys.modules["realtime_mood.models.refit"]):
        monkeypatch.setattr(module, "gather", lambda *_: {"effort": readout_of(made)})
    return made


def readout_of(people):
    return LabelledReadout(("rest", "arithmetic"), COORDINATES["effort"], "real", people)


def ships(tmp_path, log=lambda _: None):
    ship.ship(tmp_path, tmp_path / "tiny", n_virtual=0, recipe=RECIPE, seed=0, log=log)


def test_the_weights_load_and_say_on_whom_they_were_tuned(people, tmp_path):
    said = []
    ships(tmp_path, said.append)
    card = load_weights(str(tmp_path / "tiny")).card
    assert card.training["figures"]["effort"]["people"] == 6
    assert card.training["eye_trained"] is False
    assert set(card.training["records_sha256"]) == {p.name for p in people}
    np.testing.assert_allclose(card.readouts["effort"].population_mean, population(people).mean)
    assert {path.name for path in (tmp_path / "tiny").iterdir()} == {
        "config.json", "golden.safetensors", "model.safetensors",
    }  # fmt: skip
    assert "6 of 6 networks" in said
    assert set(card.training["figures"]["effort"]["unfamiliar"]) == {"own baseline", "no baseline"}
    again = refit(str(tmp_path / "tiny"), tmp_path, tmp_path / "again", 0, lambda _: None)
    assert again.readouts == card.readouts  # the same subjects and folds
    assert again.sha256 == card.sha256


def test_every_fold_is_scored_on_people_it_never_saw(people, monkeypatch):
    """A network that could not have learnt a person's mark does not know it."""
    found = {}
    real = crossfit.scores

    def remember(reader, name, sampler, i, *, frozen):
        found.setdefault(id(reader), set()).add(sampler.subjects[i].name)
        return real(reader, name, sampler, i, frozen=frozen)

    seen = []
    real_fit = crossfit.fit
    monkeypatch.setattr(crossfit, "scores", remember)
    monkeypatch.setattr(
        crossfit, "fit", lambda c, tasks, *a: seen.append({p.name for p in tasks[0].subjects}) or real_fit(c, tasks, *a)
    )
    readouts = {"effort": readout_of(people)}
    one = SimpleNamespace(num_processes=1, device=SimpleNamespace(type="cpu"))
    _, scored = crossfit.cross_fit(
        readouts, FitOptions(SPEC, RECIPE, 0), ship.N_FOLDS, one, SerialExecutor(), lambda _: None
    )
    assert sorted(scored["effort"][True]) == sorted(scored["effort"][False]) == list(range(6))
    assert len(seen) == ship.N_FOLDS + 1
    assert seen[-1] == {p.name for p in people}
    for trained, scored in zip(seen, found.values(), strict=False):
        assert not trained & scored
    assert set.union(*found.values()) == seen[-1]


def test_less_can_be_believed_where_people_are_read_worse():
    rng = np.random.default_rng(0)
    people = [planted(seed) for seed in range(4)]

    def scored(right: float) -> dict[int, Scores]:
        labels = np.tile([0, 1], 200)
        sign = np.where(rng.random(400) < right, 1, -1) * (2 * labels - 1)
        size = rng.gamma(4.0, 1.0, 400)
        return {0: Scores(np.stack([-sign * size, sign * size], axis=1), labels)}

    card, figures = crossfit.tune(readout_of(people), {True: scored(0.95), False: scored(0.65)})
    assert card.own_baseline.temperature < card.no_baseline.temperature
    assert card.own_baseline.least_confidence > card.no_baseline.least_confidence
    assert figures["own baseline"]["ece"] < 0.15
    assert figures["own baseline"]["balanced_accuracy"] == pytest.approx(0.95, abs=0.03)


def test_a_full_disk_is_said_before_anything_is_computed(people, tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    monkeypatch.setattr(ship, "cross_fit", lambda *_: pytest.fail("it trained"))
    with pytest.raises(MoodError, match=r"No space left.*free 20 MB"):
        ships(tmp_path)
    assert not list((tmp_path / "tiny").iterdir())
