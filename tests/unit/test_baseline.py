"""The baseline of a run with a profile: the alarm, half a minute of rest on request, and the same again in a replay."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from fakes import INFO, POPULATION, FakeNetwork, FakeSource, Keep, cut, pink, pipeline
from waiting import until

from realtime_mood import drift
from realtime_mood.baseline import REST_S, BaselineWatch
from realtime_mood.cli.requests import carry_out, follow
from realtime_mood.drift import DriftStatus
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.estimator import MoodEstimator
from realtime_mood.pipeline import Pipeline
from realtime_mood.profile import Normaliser, Profile
from realtime_mood.recording.reader import open_recorded
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.replay import replay
from realtime_mood.run.engine import Engine
from realtime_mood.sinks.jsonlines import as_dict
from realtime_mood.types import Marker, StreamInfo

SPEC, GOOD = FeatureSpec(), np.ones(8, bool)


def rest(n: int, mean: float = 3.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 0.3, (n, 8, 5))


def profile() -> Profile:
    return Profile.from_steps(INFO, SPEC, rest(60), np.ones((60, 8), bool))


def watch() -> BaselineWatch:
    return BaselineWatch(profile(), INFO, SPEC, POPULATION.sd)


def feed(it: BaselineWatch, steps: np.ndarray, good: np.ndarray | None = GOOD) -> BaselineWatch:
    for step in steps:
        it.take_in(step, good)
    return it


def test_the_alarm_lasts_until_the_baseline_is_renewed_and_nothing_adapts_before():
    it, stored = feed(watch(), rest(600, 4.0)), profile()
    assert it.drift.status is DriftStatus.MOVED
    assert it.drift.change_sd == pytest.approx(1 / 0.3, abs=0.5)
    feed(it, rest(600))  # it has returned; the user decides
    assert it.drift.moved
    assert it.profile.mean == stored.mean
    assert it.request("use") is None  # there is nothing to use yet
    it.request("rest")
    feed(it, rest(20, 4.0))
    assert it.drift.status is DriftStatus.RESTING
    assert 0 < it.drift.rest_s < 20  # not the seconds of the request itself
    feed(it, rest(15, 4.0))
    assert it.drift.status is DriftStatus.READY
    assert [sd for _, sd in it.drift.bands_sd] == pytest.approx([1 / 0.3] * 5, abs=0.5)
    assert it.profile.mean == stored.mean
    statistics = it.request("use")
    assert statistics is not None
    assert statistics.mean == pytest.approx(np.full((8, 5), 4.0), abs=0.3)
    assert it.profile.seconds == REST_S
    assert (it.drift.status, it.drift.moved, it.drift.renewed) == (DriftStatus.STEADY, False, 1)
    assert not feed(it, rest(900, 4.0, seed=1)).drift.moved  # the new baseline is the one that is watched
    assert feed(it, rest(900, 3.0)).drift.moved


def test_refusing_keeps_everything_and_the_warning():
    it = feed(watch(), rest(600, 4.0))
    it.request("rest")
    feed(it, rest(40, 4.0))
    it.request("keep")
    assert it.drift.status is DriftStatus.MOVED
    assert it.profile.mean == profile().mean
    assert it.request("use") is None
    steady = watch()
    steady.request("rest")
    steady.request("keep")
    assert steady.drift.status is DriftStatus.STEADY


def test_too_little_usable_rest_changes_nothing_and_says_so():
    it = watch()
    it.request("rest")
    feed(it, rest(100), np.zeros(8, bool))
    assert (it.drift.status, it.drift.failed) == (DriftStatus.STEADY, True)
    it.request("rest")
    half = np.arange(8) < 4
    feed(it, rest(40, 4.0), half)
    assert it.drift.status is DriftStatus.READY
    it.request("use")
    assert np.array(it.profile.mean)[half] == pytest.approx(np.full((4, 5), 4.0), abs=0.3)
    assert it.profile.mean[4:] == profile().mean[4:]  # electrodes without rest keep their baseline


class Swinging(FakeNetwork):
    """Probabilities that depend on every feature."""

    def __call__(self, features):
        p = float(1 / (1 + np.exp(-2 - features.de.astype(np.float64).mean())))
        self.probs = (p, 1 - p)
        return super().__call__(features)


def build(info: StreamInfo) -> Pipeline:
    """A pipeline with a profile of quiet rest: `pink` is far from it."""
    start = profile().statistics(info, SPEC, POPULATION.sd)
    normaliser = Normaliser(start, info.sfreq, frozen=True)
    it = BaselineWatch(profile(), info, SPEC, POPULATION.sd)
    return Pipeline(info, SPEC, MoodEstimator(info, Swinging(), normaliser, SPEC.step_s, it))


SIGNAL = np.tile(pink(round(50 * INFO.sfreq), 8), (3, 1))


@pytest.fixture(scope="module")
def quick_alarm():
    """An alarm after one minute, so that runs are short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drift, "THRESHOLD_SD", 6 * drift.MOST_SD)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory, quick_alarm):
    """A recorded run with an alarm, a rest and a new baseline, requested while the stream plays."""
    keep, info = Keep(), replace(INFO, paced=False)
    path = tmp_path_factory.mktemp("baseline") / "run.xdf"

    class Requesting(Keep):
        def put(self, emission):
            status = emission.reading.drift.status
            if what := {DriftStatus.MOVED: "rest", DriftStatus.READY: "use"}.get(status):
                engine.renew_baseline(what)

    engine = Engine(FakeSource(cut(SIGNAL, [400]), info), build, [Recorder(path, {}), Requesting(), keep])
    engine.start()
    until(engine.done.is_set, 60)
    engine.stop()
    return open_recorded(path), [e.reading for e in keep.items], engine, keep.items


def test_a_run_marks_the_alarm_and_the_requests_and_its_replay_is_identical(run):
    recorded, readings, engine, _ = run
    texts = [marker.text for marker in recorded.markers()]
    assert texts[0].startswith("drift: ")
    assert {"baseline: rest", "baseline: use"} <= set(texts)
    statuses = [reading.drift.status for reading in readings]
    assert set(statuses) == set(DriftStatus)
    assert readings[-1].drift.renewed == 1
    assert engine.profile.seconds == REST_S
    result = replay(recorded, build)
    assert result.identical, str(result)


def test_without_the_request_the_replay_differs_and_names_the_drift(run):
    recorded, *_ = run
    markers = [m for m in recorded.markers() if m.text != "baseline: use"]

    class Without:
        def __getattr__(self, name):
            return getattr(recorded, name)

        def markers(self):
            return markers

    first = replay(Without(), build).first_difference
    assert first is not None


def test_the_new_baseline_is_used_by_the_readings_that_follow(run):
    _, readings, *_ = run
    p = np.array([reading.probs[0] if reading.probs else np.nan for reading in readings])
    renewed = np.array([reading.drift.renewed for reading in readings])
    before, after = np.nanmedian(p[renewed == 0]), np.nanmedian(p[renewed == 1])
    assert after > before + 0.1  # `pink` has less power than the profile's rest: once renewed, it is normal


def test_json_has_the_drift_of_each_reading(run):
    line = as_dict(run[3][-1])["drift"]
    assert line["status"] == "steady"
    assert line["renewed"] == 1
    moved = next(as_dict(e)["drift"] for e in run[3] if e.reading.drift.moved)
    assert moved["what"]
    assert abs(moved["change_sd"]) > 1


def test_without_a_profile_there_is_no_drift_and_no_renewal():
    assert pipeline().profile is None
    windows = pipeline().push(cut(SIGNAL[:2000], [2000])[0])
    assert windows[-1].drift is None


class Asked:
    """An engine that keeps what it was asked."""

    def __init__(self, answer: bool) -> None:
        self.answer, self.asked = answer, []

    def renew_baseline(self, what):
        self.asked.append(what)
        return self.answer


def test_lines_of_standard_input_are_requests(capsys):
    engine = Asked(True)
    lines = io.TextIOWrapper(io.BytesIO("rest\n\n  use \nsing\nfröhlich\nkeep\n".encode("latin-1")), "utf-8")
    follow(engine, None, lines)
    until(lambda: engine.asked == ["rest", "use", "keep"])
    assert carry_out(engine, None, "sing") == "unknown · use rest, use, keep, was LABEL or save"
    assert "no profile" in carry_out(Asked(False), None, "rest")
    assert "no profile" in carry_out(engine, None, "save")


def test_a_rebuilt_pipeline_keeps_the_renewed_baseline():
    old = build(INFO)
    old.request("baseline: rest", 0)
    chunks = cut(SIGNAL[: round(45 * INFO.sfreq)], [1000])
    for chunk in chunks[:-1]:
        old.push(chunk)
    old.request("baseline: use", 0)
    old.push(chunks[-1])
    new = build(INFO)
    new.take_over(old)
    assert new.profile.mean == old.profile.mean != profile().mean


def test_a_marker_is_at_the_sample_of_the_alarm(run):
    recorded, readings, *_ = run
    alarm = next(m for m in recorded.markers() if m.text.startswith("drift: "))
    first = next(r for r in readings if r.drift.moved)
    assert isinstance(alarm, Marker)
    assert abs(alarm.index - first.end) <= 1


def test_what_is_learnt_goes_on_from_its_state():
    """The state passes through JSON without loss, at any moment, with a renewal of the baseline under way."""
    rng = np.random.default_rng(3)
    one, other = watch(), watch()
    for k in range(200):
        if k == 90:
            one.request("rest")
        if k in (40, 100, 130):
            other = watch()
            other.restore(json.loads(json.dumps(one.state())))
        de, good = rng.normal(2, 1, (INFO.n_chans, SPEC.n_bands)), rng.random(INFO.n_chans) > 0.1
        one.take_in(de, good)
        if k >= 40:
            if k == 90:
                other.request("rest")
            other.take_in(de, good)
            assert other.drift == one.drift
            assert other.state() == one.state()
