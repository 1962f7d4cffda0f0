"""The budget of corrections, and a run with some: readings, markers and the replay."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from fakes import INFO, POPULATION, FakeNetwork, FakeSource, Keep, cut, pink
from waiting import until

from realtime_mood.cli.requests import carry_out
from realtime_mood.corrections import APART_S, BUDGET, Corrections, CorrectionStatus
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Statistics
from realtime_mood.errors import StreamMismatch
from realtime_mood.estimator import MoodEstimator
from realtime_mood.labelling import CorrectionBudget
from realtime_mood.pipeline import Pipeline
from realtime_mood.profile import Normaliser
from realtime_mood.recording.reader import open_recorded
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.replay import replay
from realtime_mood.run.engine import Engine
from realtime_mood.sinks.jsonlines import as_dict
from realtime_mood.viewmodel.corrections import badge, sentence


class Corrected(FakeNetwork):
    """A network that says, from each correction on, what it was told."""

    def __init__(self) -> None:
        super().__init__((0.9, 0.1))
        self.asked: list[tuple[str, int, float]] = []
        self.since = np.inf

    def correct(self, label, features, time):
        self.asked.append((label, len(features), time))
        self.since = time
        return Corrections(status=CorrectionStatus.COUNTS, gain=0.4, p=0.02)

    def corrections(self):
        return self.asked

    def restore(self, corrections):
        self.asked, self.since = list(map(tuple, corrections)), corrections[-1][2] if corrections else np.inf

    def kept(self, profile):
        return profile

    def __call__(self, features):
        self.probs = (0.9, 0.1) if features.time <= self.since else (0.1, 0.9)
        return super().__call__(features)


def test_the_budget_refuses_what_is_too_soon_too_much_too_poor_or_unknown():
    network = Corrected()
    budget, ten = CorrectionBudget(network, ("a", "b")), [None] * 10
    budget.request("c", ten, 100.0)
    assert (budget.state.refused, budget.state.made) == ("label", 0)
    budget.request("a", ten[:2], 100.0)
    assert budget.state.refused == "signal"
    budget.request("a", ten, 100.0)
    assert (budget.state.refused, budget.state.made, budget.state.left) == ("", 1, BUDGET - 1)
    budget.request("b", ten, 100.0 + APART_S / 2)
    assert (budget.state.refused, budget.state.made, budget.state.label) == ("too_soon", 1, "b")
    for k in range(2, BUDGET + 5):
        budget.request("b", ten, 100.0 + k * APART_S)
    assert (budget.state.refused, budget.state.made) == ("budget", BUDGET)
    assert len(network.asked) == BUDGET


class Remembering(Corrected):
    """A network whose readings depend on all that was labelled so far, to the last digit."""

    def correct(self, label, features, time):
        found = super().correct(label, features, time)
        self.asked[-1] = (*self.asked[-1], float(np.mean([it.de for it in features], dtype=float)))
        return found

    def __call__(self, features):
        self.probs = (p := 1 / (1 + np.exp(-float(features.de.mean()) - sum(it[3] for it in self.asked))), 1 - p)
        return FakeNetwork.__call__(self, features)


def build(info, network=Corrected):
    spec = FeatureSpec()
    start = Statistics.of_population(POPULATION.mean, POPULATION.sd, info.n_chans)
    normaliser = Normaliser(start, info.sfreq, frozen=False)
    return Pipeline(info, spec, MoodEstimator(info, network(), normaliser, spec.step_s))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A recorded run of 40 s with a correction after half of it."""
    keep, path = Keep(), tmp_path_factory.mktemp("labelling") / "run.xdf"
    answers = []

    class Correcting(Keep):
        def put(self, emission):
            if not answers and emission.t > 20:
                answers.extend([engine.correct("nonsense"), carry_out(engine, None, "was arithmetic")])

    signal = pink(round(40 * INFO.sfreq), 8)
    source = FakeSource(cut(signal, [400]), replace(INFO, paced=False))
    engine = Engine(source, build, [Recorder(path, {}), Correcting(), keep])
    engine.start()
    until(engine.done.is_set, 60)
    engine.stop()
    assert answers == [False, ""]
    return open_recorded(path), keep.items


def test_a_correction_is_valid_from_its_sample_on_and_the_replay_is_identical(run):
    recorded, emissions = run
    marker = next(m for m in recorded.markers() if m.text == "correction: arithmetic")
    for emission in emissions:
        later = emission.reading.end > marker.index
        assert (emission.reading.corrections is not None) == later
        if emission.reading.probs:
            assert (emission.reading.probs[1] > 0.5) == later
    result = replay(recorded, build)
    assert result.identical, str(result)


@pytest.mark.parametrize("damage", [None, "recent", "corrections"])
def test_a_recording_that_begins_between_two_corrections_reads_on_as_the_run_did(damage):
    sfreq = INFO.sfreq
    first, at, parts = round(15 * sfreq), round(45 * sfreq), cut(pink(round(70 * sfreq), 8), [200])
    requests = [
        (round(s * sfreq) + 7, f"correction: {label}") for s, label in ((12, "rest"), (32, "rest"), (53, "arithmetic"))
    ]
    run, beside, again = (build(INFO, Remembering) for _ in range(3))
    for request in requests[:2]:
        run.request(request[1], request[0])
    for part in parts:
        if part.end <= at:
            run.push(part)
        if first < part.end <= at:
            beside.push(part)
    begun = json.loads(json.dumps(run.begun(first, at)))
    if damage:
        (begun if damage == "recent" else begun["learner"])[damage] = [3]
    beside.succeed(run, at)
    again.resume(begun)
    for request in requests[1:]:  # those whose markers are in the file
        again.request(request[1], request[0])
    beside.request(requests[2][1], requests[2][0])
    later = [beside.read(window) for part in parts if part.end > at for window in beside.push(part)]
    if damage:
        with pytest.raises(StreamMismatch, match="the state at its beginning"):
            [again.push(part) for part in parts if part.end > first]
        return
    replayed = [again.read(window) for part in parts if part.end > first for window in again.push(part)]
    found = {reading.end: reading for reading in replayed if reading.end > at}
    assert later[-1].corrections.made == 3
    assert [it.end for it in later] == list(found)
    for reading in later:
        assert (reading.probs, reading.corrections) == (found[reading.end].probs, found[reading.end].corrections)


def test_json_says_what_became_of_it(run):
    assert as_dict(run[1][0])["corrections"] is None
    assert as_dict(run[1][-1])["corrections"] == {
        "made": 1, "left": BUDGET - 1, "status": "counts", "label": "arithmetic", "refused": None, "gain": 0.4,
        "p": 0.02,
    }  # fmt: skip


def test_each_outcome_has_a_sentence():
    made = Corrections(1, CorrectionStatus.COUNTS, "rest", p=0.031)
    assert "p = 0.031" in sentence(made).text
    assert badge(made).text == "CORRECTED"
    assert badge(replace(made, status=CorrectionStatus.WAITING)).text == "1 of 12 corrections"
    assert badge(Corrections(refused="signal")) is None
    assert badge(None) is None
    texts = {sentence(replace(made, status=status)).text for status in CorrectionStatus}
    texts |= {sentence(replace(made, refused=why)).text for why in ("budget", "too_soon", "signal", "label")}
    assert len(texts) == 8
