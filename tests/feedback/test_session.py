"""Sessions, rules, conditions and sealed codes, on planted samples; and learners who close the loop."""

from __future__ import annotations

import json
import math
import traceback
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learner import learn

from realtime_mood.body.measure import BodyMeasure, BodyReading, invalid
from realtime_mood.cli.feedback import Draw
from realtime_mood.errors import ConfigError
from realtime_mood.feedback import sealed
from realtime_mood.feedback.conditions import NAMES, Blinded, condition, shown_in
from realtime_mood.feedback.measures import RATE_HZ, Sample, lag_of
from realtime_mood.feedback.plan import FeedbackPlan, Reward, load_plan, shipped
from realtime_mood.feedback.rules import Rule
from realtime_mood.feedback.session import LEAST_BASELINE_S, FeedbackSample, FeedbackSession

SFREQ = 120.0
STEP = round(SFREQ / RATE_HZ)


def plan(reward: Reward | None = None, feedback_s: float = 60, **more) -> FeedbackPlan:
    whole = {
        "name": "test", "title": "t", "about": "a", "consent": "c", "debrief": "d",
        "measures": [{"kind": "band", "electrodes": ["O1", "O2"]}],
        "blocks": [
            {"kind": "baseline", "seconds": 15}, {"kind": "feedback", "seconds": feedback_s},
            {"kind": "transfer", "seconds": 5},
        ],
    }  # fmt: skip
    it = FeedbackPlan.model_validate(whole | more)
    return it if reward is None else it.model_copy(update={"reward": reward})


def samples(seconds: float, seed: int = 0, bad=lambda k: ""):
    rng, value = np.random.default_rng(seed), 0.0
    for k in range(round(seconds * RATE_HZ)):
        value = 0.9 * value + rng.normal()
        why = bad(k)
        yield Sample((k + 1) * STEP, (math.nan if why else value,), why)


def session(it: FeedbackPlan, name: str = "contingent", on_event=None, seed: int = 0) -> FeedbackSession:
    made = condition(name, smoothing_s=0.5, rate_hz=RATE_HZ, seed=seed)
    return FeedbackSession(it, SFREQ, made, *([on_event] if on_event else []))


# -- measures of the body -----------------------------------------------------------------------------------------


def test_a_measure_of_the_body_is_fed_back_and_its_faults_are_not():
    it = plan(measures=[{"kind": "heart_rate"}])
    assert lag_of(it.measures[0], SFREQ).total_s == 5.0
    led, fed = session(it), list[FeedbackSample]()
    for k in range(round(30 * RATE_HZ)):
        if k % RATE_HZ == 0 and k:  # once a second: rest, then faster, then a finger that moves
            rate = 70 + 2 * (k // RATE_HZ % 2) if k < 15 * RATE_HZ else 78.0
            measure = BodyMeasure("heart_rate", rate) if k < 24 * RATE_HZ else invalid("heart_rate", "noisy")
            led.use_body(BodyReading(k / RATE_HZ, k / RATE_HZ, (measure,)))
        fed.append(led.step(Sample((k + 1) * STEP, (), "")))
    assert fed[0].why == "heart rate: no stream gives it"
    faster = [it for it in fed if it.kind == "feedback" and it.index < 23 * SFREQ]
    assert all(it.valid and it.z > 5 and it.level == 1.0 for it in faster[60:])
    assert {(it.why, it.level) for it in fed[-60:]} == {("heart rate: noisy", 0.5)}


def test_a_measure_of_the_body_names_no_electrodes():
    with pytest.raises(ValueError, match="name none"):
        plan(measures=[{"kind": "heart_rate", "electrodes": ["O1"]}])


# -- plans --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", shipped())
def test_shipped_sessions_are_whole(name):
    it = load_plan(name)
    assert it.name == name
    assert it.consent
    assert it.debrief
    assert {"baseline", "feedback"} <= {block.kind for block in it.blocks}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"blocks": [{"kind": "feedback", "seconds": 5}] * 2}, "first block must be a baseline"),
        ({"measures": [{"kind": "band", "electrodes": ["Zz"]}]}, "no electrode 'Zz'"),
        ({"measures": [{"kind": "ratio", "electrodes": ["O1"]}]}, "needs `over`"),
        ({"measures": [{"kind": "readout"}]}, "needs a label"),
        ({"measures": [{"kind": "asymmetry", "electrodes": ["F3"]}]}, "left as right"),
        ({"measures": [{"kind": "band", "band": [12, 8], "electrodes": ["O1"]}]}, "lower edge first"),
    ],
)
def test_a_session_that_cannot_be_says_why(tmp_path, change, says):
    content = json.loads(plan().model_dump_json())
    for measure in content["measures"]:
        measure.pop("over")
    content = {k: v for k, v in content.items() if k != "reward"} | change
    with pytest.raises(ValueError, match=says):
        FeedbackPlan.model_validate(content)


def test_a_session_that_is_not_there_says_what_is():
    with pytest.raises(ConfigError, match="alpha_up"):
        load_plan("nowhere")


# -- rules --------------------------------------------------------------------------------------------------------


def rewards(rule: Rule, zs, valid=lambda k: True) -> list[int]:
    return [k for k, z in enumerate(zs) if rule.step(z, valid(k)).reward]


def test_a_threshold_wants_to_be_held_and_then_pauses():
    it = Reward(rule="threshold", z=1.0, dwell_s=0.5, pause_s=2.0)
    found = rewards(Rule(it, RATE_HZ), [0.0] * 30 + [2.0] * 300)
    assert found[0] == pytest.approx(30 + 0.5 * RATE_HZ, abs=1)
    assert min(np.diff(found)) >= 2.0 * RATE_HZ
    down = Reward(rule="threshold", z=1.0, direction="down", dwell_s=0.1)
    assert rewards(Rule(down, RATE_HZ), [2.0] * 60) == []
    assert rewards(Rule(down, RATE_HZ), [-2.0] * 60)


def test_what_is_shown_and_rewarded_rises_in_the_wanted_direction():
    fed = {}
    for direction in ("up", "down"):
        it = session(plan(Reward(rule="threshold", z=0.5, direction=direction, dwell_s=0.1, pause_s=0.5)))
        fed[direction] = [f for f in map(it.step, samples(80)) if f and f.kind == "feedback" and f.valid]
    ups, downs = fed["up"], fed["down"]
    assert [f.z for f in ups] == [f.z for f in downs]
    assert all((f.level - 0.5) * f.shown > 0 for f in ups)
    assert all((f.level - 0.5) * f.shown < 0 for f in downs)
    np.testing.assert_allclose([f.level for f in downs], [1 - f.level for f in ups])
    assert {f.threshold for f in ups} == {0.5}
    assert {f.threshold for f in downs} == {-0.5}
    for some in (ups, downs):
        rewarded = [f.level for f in some if f.reward]
        assert len(rewarded) > 5
        assert min(rewarded) > 0.5


def test_a_percentile_gives_about_its_share():
    it = Reward(rule="percentile", percent=70, over_s=20, dwell_s=0)
    rule, rng = Rule(it, RATE_HZ), np.random.default_rng(0)
    above = [rule.step(z, True).above for z in rng.normal(5, 3, 3000)]
    assert np.mean(above[600:]) == pytest.approx(0.3, abs=0.03)


def test_a_staircase_follows_success_and_failure():
    it = Reward(rule="staircase", z=0.0, step=0.2, patience_s=2, dwell_s=0.1, pause_s=0.5)
    rule = Rule(it, RATE_HZ)
    for _ in range(300):
        high = rule.step(3.0, True).threshold
    assert high > 1
    for _ in range(600):
        low = rule.step(-3.0, True).threshold
    assert low < high - 0.5


def test_an_invalid_moment_breaks_the_holding_and_is_no_failure():
    it = Reward(rule="staircase", z=0.0, step=0.2, patience_s=1, dwell_s=1.0)
    rule = Rule(it, RATE_HZ)
    assert rewards(rule, [1.0] * 600, lambda k: k % 20 != 0) == []  # never held for a second
    level = rule.step(1.0, True).threshold
    for _ in range(600):
        rule.step(math.nan, False)
    assert rule.step(1.0, True).threshold == level


# -- conditions ---------------------------------------------------------------------------------------------------


def test_conditions_are_what_they_say(tmp_path):
    made = {name: condition(name, smoothing_s=0.5, rate_hz=RATE_HZ, seed=1) for name in NAMES if name != "yoked"}
    assert (made["contingent"](1.5), made["inverse"](1.5)) == (1.5, -1.5)
    assert math.isnan(made["none"](1.5))
    sham = np.array([made["sham"](z) for z in np.linspace(-2, 2, 30_000)])
    assert abs(np.corrcoef(sham, np.linspace(-2, 2, 30_000))[0, 1]) < 0.2
    assert sham.std() == pytest.approx(1, abs=0.15)
    lines = [{"kind": "feedback", "shown": value} for value in (0.5, None, -0.5)] + [{"kind": "health"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert shown_in(tmp_path / "a.jsonl") == [0.5, -0.5]
    yoked = condition("yoked", smoothing_s=0.5, rate_hz=RATE_HZ, seed=1, yoke=tmp_path / "a.jsonl")
    assert [yoked(9.0) for _ in range(4)] == [0.5, -0.5, 0.5, -0.5]


def test_conditions_that_cannot_be_say_why(tmp_path):
    for name, says in (("yoked", "--yoke"), ("magic", "known are")):
        with pytest.raises(ConfigError, match=says):
            condition(name, smoothing_s=0.5, rate_hz=RATE_HZ, seed=1)
    (tmp_path / "a.jsonl").write_text("not json")
    with pytest.raises(ConfigError, match="cannot be used"):
        shown_in(tmp_path / "a.jsonl")


# -- sealed codes -------------------------------------------------------------------------------------------------


def test_codes_are_balanced_private_and_opened_only_with_a_line_in_the_log(tmp_path):
    path = tmp_path / "study.json"
    codes = sealed.seal(path, ("contingent", "sham"), 20, seed=3)
    assert len(set(codes)) == 20
    text = path.read_text()
    assert text.count("contingent") == 1  # as one of what may be drawn, not beside a code
    assert path.stat().st_mode & 0o077 == 0
    drawn = Counter(sealed.condition_of(path, code) for code in codes)
    assert drawn == {"contingent": 10, "sham": 10}
    assert json.loads(path.read_text())["log"] == []
    sealed.use(path, codes[0])
    assert sealed.unblind(path, codes[0], "me") in drawn
    assert [line["what"] for line in json.loads(path.read_text())["log"]] == ["used", "opened"]
    with pytest.raises(ConfigError, match="used or opened before"):
        sealed.use(path, codes[0])


def test_sealed_files_that_cannot_be_used_say_why(tmp_path):
    path = tmp_path / "study.json"
    (code,) = sealed.seal(path, ("sham",), 1)
    with pytest.raises(ConfigError, match="the file exists"):
        sealed.seal(path, ("sham",), 1)
    with pytest.raises(ConfigError, match="not in"):
        sealed.condition_of(path, "XXXXX")
    content = json.loads(path.read_text())
    content["codes"][code]["sha256"] = "0" * 64
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="was changed"):
        sealed.condition_of(path, code)
    path.write_text("{}")
    with pytest.raises(ConfigError, match="not a sealed file"):
        sealed.unblind(path, code)


@pytest.mark.parametrize(
    "text",
    ["[1]", '{"format": 1, "codes": {"A": 5}, "log": []}', '{"format": 1, "conditions": [], "codes": {}, "log": [3]}'],
)
def test_a_file_that_is_no_sealed_file_is_refused_by_name(tmp_path, text):
    path = tmp_path / "study.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"study\.json.*realtime-mood seal"):
        sealed.unblind(path, "A")


def test_a_study_without_conditions_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="--conditions"):
        sealed.seal(tmp_path / "study.json", (), 4)


def test_nothing_is_opened_that_cannot_be_logged(tmp_path, monkeypatch):
    path = tmp_path / "study.json"
    (code,) = sealed.seal(path, ("sham",), 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sealed, "write_private", full)
    with pytest.raises(ConfigError, match="No space left") as said:
        sealed.unblind(path, code)
    assert "sham" not in str(said.value)


def yoked_study(tmp_path) -> dict[str, str]:
    """A study with two conditions; returns a code of each."""
    codes = sealed.seal(tmp_path / "study.json", ("sham", "yoked"), 2)
    return {sealed.condition_of(tmp_path / "study.json", code): code for code in codes}


def test_what_a_yoked_session_lacks_is_asked_of_every_code_alike(tmp_path):
    said = set()
    for code in yoked_study(tmp_path).values():
        with pytest.raises(ConfigError) as refused:
            Draw(file=tmp_path / "study.json", code=code).condition(plan())
        said.add(str(refused.value))
    assert len(said) == 1
    assert "--yoke" in said.pop()


@pytest.mark.parametrize("text", ["", "[1]"])
def test_a_yoked_session_that_cannot_be_read_is_asked_of_every_code_alike(tmp_path, text):
    (tmp_path / "empty.jsonl").write_text(text)
    said = set()
    for code in yoked_study(tmp_path).values():
        with pytest.raises(ConfigError) as refused:
            Draw(file=tmp_path / "study.json", code=code, yoke=tmp_path / "empty.jsonl").condition(plan())
        said.add(str(refused.value))
    assert len(said) == 1


def test_a_blinded_condition_that_fails_does_not_say_which_it_is():
    class Sham:
        def __call__(self, z: float) -> float:
            raise ValueError("sham")

    blinded = Blinded(Sham())
    with pytest.raises(RuntimeError) as failed:
        blinded(1.0)
    assert "sham" not in "".join(traceback.format_exception(failed.value)).lower()


# -- sessions -----------------------------------------------------------------------------------------------------


def test_blocks_follow_one_another_and_only_feedback_feeds_back():
    events = []
    it = session(plan(), on_event=lambda text, index: events.append((text, index)))
    fed = [it.step(sample) for sample in samples(90)]
    kinds = Counter(one.kind for one in fed if one)
    assert kinds == pytest.approx({"baseline": 450, "feedback": 1800, "transfer": 150}, abs=3)
    assert all(one.level == 0.5 and not one.reward for one in fed if one and one.kind != "feedback")
    assert it.is_over
    assert fed[-1] is None
    texts = [text for text, _ in events if text != "reward"]
    assert texts == [
        "feedback/0/begin/baseline", "feedback/0/end", "feedback/1/begin/feedback", "feedback/1/end",
        "feedback/2/begin/transfer", "feedback/2/end",
    ]  # fmt: skip
    assert sum(text == "reward" for text, _ in events) == it.rewards > 5


def test_a_baseline_lasts_until_there_is_enough_of_it():
    it = session(plan())
    fed = [it.step(sample) for sample in samples(60, bad=lambda k: "flat" if k < 20 * RATE_HZ else "")]
    first = next(one for one in fed if one and one.kind == "feedback")
    assert first.index / SFREQ == pytest.approx(20 + LEAST_BASELINE_S, abs=0.2)


def test_a_slow_measure_is_heard_and_its_silence_freezes():
    slow = plan(measures=[{"kind": "readout", "label": "positive"}])
    it, rng = session(slow), np.random.default_rng(0)
    for k in range(round(40 * RATE_HZ)):
        it.use_reading({"p_positive": float(rng.uniform())}, "")
        fed = it.step(Sample((k + 1) * STEP, (), ""))
    assert fed.valid
    it.use_reading({"p_positive": math.nan}, "poor signal")
    fed = it.step(Sample((k + 2) * STEP, (), ""))
    assert (fed.level, fed.why, fed.reward) == (0.5, "poor signal", False)


FAULTS = ("flat", "too loud", "samples lost", "poor signal", "settling", "no data")


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(["contingent", "inverse", "sham"]), st.sampled_from(
    ["threshold", "percentile", "staircase"]))  # fmt: skip
def test_nothing_invalid_is_ever_rewarded(seed, name, rule):
    """Twelve times 3,000 readings under faults that come and go as they like."""
    rng = np.random.default_rng(seed)
    faults, state = [], ""
    for _ in range(3000):
        if rng.random() < 0.02:
            state = "" if state or rng.random() < 0.5 else str(rng.choice(FAULTS))
        faults.append(state)
    it = session(plan(Reward(rule=rule, dwell_s=0.1, z=-1.0), feedback_s=1000), name, seed=seed)
    for fed, fault in zip((it.step(s) for s in samples(100, seed, lambda k: faults[k])), faults, strict=True):
        if fed is not None and fault:
            assert not fed.reward
            assert not fed.valid
            assert fed.level == 0.5
    assert it.invalid > 150 or it.fed == 0


# -- the loop -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_learners_go_where_they_are_rewarded_whatever_the_code_hides(tmp_path, seed):
    """The loop's sign, timing and blinding, on signal that goes through the filters."""
    path = tmp_path / "study.json"
    codes = sealed.seal(path, ("contingent", "sham", "inverse"), 3, seed)
    blocks = [{"kind": "baseline", "seconds": 12}, {"kind": "feedback", "seconds": 30}]
    it = plan(Reward(rule="percentile", percent=60, over_s=10, dwell_s=0.25), blocks=blocks)
    ends = {code: learn(it, sealed.condition_of(path, code), seed)[0] for code in codes}
    best = max(ends, key=lambda code: ends[code])
    assert sealed.unblind(path, best) == "contingent"
