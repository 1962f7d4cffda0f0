"""What is unlike the training is told from what is like it: planted subjects, a planted network, the shipped card."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from evaluation_people import NAMES, SPEC, planted
from fakes import INFO, FakeNetwork, pink, pipeline
from scipy.special import softmax

from realtime_mood.health import Emission, Health, State
from realtime_mood.models.card import Card, ReadoutCard, Trust
from realtime_mood.models.card_page import familiarity, lines_of
from realtime_mood.models.crossfit import splits_of, tune
from realtime_mood.models.datasets.person import population
from realtime_mood.models.evaluation.figures import Scores
from realtime_mood.models.familiarity import Familiarity, Gaussian
from realtime_mood.models.familiarity_fit import context_at, with_familiarity
from realtime_mood.models.ship import simulated_readout
from realtime_mood.models.subject_sampler import SubjectSampler
from realtime_mood.montage import locate
from realtime_mood.sinks.jsonlines import as_dict
from realtime_mood.sinks.osc import messages
from realtime_mood.sinks.values import values_of
from realtime_mood.types import Abstained, Chunk, Estimate, Features, Quality, Why
from realtime_mood.viewmodel.state import view


@pytest.fixture(scope="module")
def people():
    return [planted(seed) for seed in range(8)]


@pytest.fixture(scope="module")
def card(people) -> ReadoutCard:
    pop, trust = population(people), Trust(temperature=1.0, least_confidence=0.5)
    card = ReadoutCard(
        labels=("rest", "arithmetic"), coordinates=(), evidence="real", population_mean=tuple(pop.mean.tolist()),
        population_sd=tuple(pop.sd.tolist()), own_baseline=trust, no_baseline=trust,
    )  # fmt: skip
    fitted, shares = with_familiarity(card, people, SPEC, splits_of(len(people), 4, 0), 0)
    assert all(0.01 <= share <= 0.04 for share in shares.values())
    return fitted


def windows(people, card, change=lambda de: de) -> list[tuple[Features, Features]]:
    """Windows of subjects that nothing was fitted to, raw and standardised, with a changed DE."""
    pop = population(people)
    new = [replace(p, de=change(p.de)) for p in (planted(seed) for seed in range(20, 24))]
    sampler, found, chans = SubjectSampler(new, pop, SPEC), [], np.arange(len(NAMES))
    good = Quality(np.ones(len(NAMES)), (None,) * len(NAMES))
    there, kept = np.zeros(SPEC.n_steps, bool), np.zeros(SPEC.n_patches, bool)
    for i in range(len(new)):
        for t in (78, 104, 130, 156):
            c = context_at(sampler, i, t, chans, frozen=True)
            fill = SPEC.n_steps - len(c.de)
            de, z = (np.pad(x, ((fill, 0), (0, 0), (0, 0))) for x in (c.de, c.z))
            mask = there.copy()
            mask[:fill] = True
            raw = Features(de, c.patches, mask, kept, good, 1.0, 0.0)
            found.append((raw, replace(raw, de=z)))
    return found


def measured(card, found, names=NAMES) -> np.ndarray:
    measure = Familiarity(card.device, card.own_baseline.features, np.asarray(locate(names)))
    return np.array([measure(*each) for each in found])


def test_unseen_subjects_are_familiar_and_other_signals_and_sites_are_not(people, card):
    assert np.mean(measured(card, windows(people, card)) <= 1) >= 0.8
    louder = windows(people, card, lambda de: de + np.float32(2))
    assert measured(card, louder).min() > 1
    noisy = windows(people, card, lambda de: de + np.random.default_rng(0).normal(0, 1.5, de.shape).astype(np.float32))
    assert measured(card, noisy).min() > 1
    moved = measured(card, windows(people, card), ("TP9", "TP10", "C3", "C4", "FT9", "FT10"))
    assert moved.min() >= 4 / 6 / 0.5 - 1e-6


def test_a_state_far_from_rest_is_unfamiliar_though_the_device_is_not(people, card):
    raw, normal = windows(people, card)[0]
    far = replace(normal, de=normal.de + 6)
    measure = Familiarity(card.device, card.own_baseline.features, np.asarray(locate(NAMES)))
    assert measure(raw, normal) < measure(raw, far) > 1


def test_bad_electrodes_and_masked_steps_do_not_count(people, card):
    raw, normal = windows(people, card)[0]
    faulty = Quality(np.ones(6), (None,) * 6).without(frozenset({5}))
    de, z, patches = raw.de.copy(), normal.de.copy(), raw.patches.copy()
    de[:, 5], z[:, 5], patches[5] = 30, 8, 1e4
    some = [replace(it, quality=faulty) for it in (raw, normal)]
    spoilt = [replace(some[0], de=de, patches=patches), replace(some[1], de=z, patches=patches)]
    assert measured(card, [tuple(spoilt)]) == measured(card, [tuple(some)])


def test_the_distance_is_that_of_a_gaussian():
    x = np.random.default_rng(0).multivariate_normal([1, -2], [[4, 1], [1, 2]], 20_000)
    gaussian = Gaussian.of(x, limit=2.0)
    cov = 0.9 * np.cov(x.T) + 0.1 * np.diag(np.diag(np.cov(x.T)))
    off = np.array([3.0, 1.0]) - x.mean(axis=0)
    assert gaussian(np.array([[3.0, 1.0]]))[0] == pytest.approx(np.sqrt(off @ np.linalg.inv(cov) @ off) / 2, rel=1e-3)


class Measuring(FakeNetwork):
    """A network that measures what it is told to."""

    def __init__(self, measures: list[float]) -> None:
        super().__init__()
        self.measures = measures

    def unfamiliarity(self, features: Features, normal: Features) -> float:
        assert features.de.shape == normal.de.shape
        return self.measures.pop(0)

    def many(self, features):
        return [self(it) for it in features]


def test_an_unfamiliar_window_gets_no_estimate_and_the_network_is_not_asked():
    windows = pipeline().push(Chunk(pink(2250, 8), 0, 9.0))[-2:]
    alone, together = Measuring([0.4, 1.3]), Measuring([0.4, 1.3])
    one_by_one = [pipeline(network=alone).read(window) for window in windows]
    for known, unknown in (one_by_one, pipeline(network=together).read_many(windows)):
        assert isinstance(known, Estimate)
        assert isinstance(unknown, Abstained)
        assert (known.unfamiliarity, unknown.unfamiliarity, unknown.why) == (0.4, 1.3, Why.UNFAMILIAR)
        assert unknown.probs is None
    assert len(alone.seen) == len(together.seen) == 1
    settling = pipeline(network=Measuring([])).push(Chunk(pink(500, 8), 0, 2.0))[-1]
    assert math.isnan(pipeline(network=Measuring([])).read(settling).unfamiliarity)  # there is a reason already


def test_every_output_says_it():
    window = pipeline().push(Chunk(pink(2250, 8), 0, 9.0))[-1]
    reading = pipeline(network=Measuring([1.5])).read(window)
    emission = Emission(reading, INFO, State.LIVE, None, None)
    line = as_dict(emission)
    assert (line["kind"], line["why"], line["unfamiliarity"]) == ("abstained", "unfamiliar", 1.5)
    assert values_of(emission)["unfamiliarity"] == 1.5
    assert dict(messages(emission))["status"] == "unfamiliar"
    shown = view(Health(state=State.LIVE, info=INFO), reading, [reading], (), 9.0)
    assert shown.headline.text == "unfamiliar signal"
    assert (shown.banner.text.partition(":")[0], shown.banner.role) == ("Unfamiliar", "warn")
    plain = as_dict(Emission(pipeline().read(window), INFO, State.LIVE, None, None))
    assert (plain["kind"], plain["unfamiliarity"]) == ("estimate", None)  # a network that does not measure it


def test_a_card_without_it_stays_what_it_was(card, people):
    old = card.model_copy(update={"device": None} | {
        key: Trust(temperature=1.0, least_confidence=0.5) for key in ("own_baseline", "no_baseline")
    })  # fmt: skip
    assert not {"device", "features"} & {*old.model_dump(mode="json"), *old.model_dump(mode="json")["own_baseline"]}

    def whole(head: ReadoutCard, unfamiliar: dict) -> Card:
        training = {"figures": {"effort": {"people": 8, **unfamiliar}}}
        return Card(name="x", reader={}, spec=SPEC, readouts={"effort": head}, training=training, sha256={})

    measured = whole(card, {"unfamiliar": {"own baseline": 0.021}})
    assert Card.model_validate_json(measured.model_dump_json()) == measured
    assert "of held-out subjects 2.1 % (own baseline); 6 sites" in familiarity(measured, "effort")
    assert lines_of(whole(old, {}), "effort")[-1].startswith("unfamiliar signals: not measured")


def test_what_is_answered_of_subjects_without_an_effect_is_a_figure_of_its_own():
    rng = np.random.default_rng(0)

    def scored(size: float) -> Scores:
        labels = np.tile([0, 1, 2], 100)
        return Scores(size * np.eye(3)[labels] + rng.normal(0, 1, (300, 3)), labels)

    subjects = [replace(planted(seed), name=f"virtual-{seed}-{'none' if seed > 3 else 'medium'}") for seed in range(6)]
    rows = {i: scored(0.0 if i > 3 else 3.0) for i in range(6)}
    readout = simulated_readout(subjects)
    assert readout.without_effect == {"virtual-4-none", "virtual-5-none"}
    card, figures = tune(readout, {True: rows, False: rows})
    found = figures["no effect, no baseline"]
    assert found["right"] == pytest.approx(1 / 3, abs=0.08)
    confident = softmax(np.concatenate([rows[i].logits for i in (4, 5)]) / card.no_baseline.temperature, axis=1).max(
        axis=1
    )
    assert found["answered"] == pytest.approx((confident >= card.no_baseline.least_confidence).mean(), abs=1e-3)
    assert found["answered"] < 0.8
