"""Protocols and what is drawn from them."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_mood.calibration.protocol import Protocol, draw, least_p, load_protocol, shipped
from realtime_mood.errors import ConfigError

TWO = {
    "name": "two", "title": "Two", "about": "this and that", "rounds": 3, "block_s": 8, "settle_s": 1, "washout_s": 2,
    "rest": [{"seconds": 20, "text": "rest", "eyes": "open"}, {"seconds": 10, "text": "rest", "eyes": "closed"}],
    "cues": [
        {"label": "this", "text": "do this", "virtual": "positive", "coordinates": [0.5, 0.5]},
        {"label": "that", "text": "do that", "virtual": "negative", "coordinates": [-0.5, 0.5]},
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", ["baseline", "effort", "emotion"])
def test_what_comes_with_the_program_can_be_loaded_and_drawn(name):
    assert name in shipped()
    plan = draw(load_protocol(name), seed=1)
    assert 30 <= plan.seconds <= 480
    assert load_protocol(name).title in plan.listing()


def test_the_emotion_protocol_takes_six_minutes_and_ends_well():
    for seed in range(20):
        plan = draw(load_protocol("emotion"), seed)
        assert plan.seconds == pytest.approx(366)
        assert [s for s in plan.steps if s.kind == "block"][-1].label in ("neutral", "positive")
        assert plan.protocol.consent


@given(seed=st.integers(0, 10_000))
def test_every_label_comes_once_a_round_and_none_twice_in_a_row(seed):
    plan = draw(load_protocol("emotion"), seed)
    labels = [step.label for step in plan.steps if step.kind == "block"]
    for i in range(0, len(labels), 3):
        assert Counter(labels[i : i + 3]) == Counter(("negative", "neutral", "positive"))
    assert all(a != b for a, b in itertools.pairwise(labels))
    assert draw(load_protocol("emotion"), seed) == plan


def test_a_listing_says_every_step_and_the_total():
    text = draw(Protocol.model_validate(TWO), 0).listing()
    assert text.count("block ") == 6
    assert text.splitlines()[-2].startswith("1:30")  # 30 s of rest and six times 10


def test_too_few_blocks_to_prove_anything_are_said_before_anybody_sits():
    assert not draw(Protocol.model_validate(TWO | {"rounds": 4}), 0).provable
    assert "too few blocks" in draw(Protocol.model_validate(TWO | {"rounds": 4}), 0).listing()
    assert draw(Protocol.model_validate(TWO | {"rounds": 5}), 0).provable
    assert least_p([4, 4]) == pytest.approx(2 / 70)
    assert least_p([2, 2, 2]) == pytest.approx(6 / 90)
    assert least_p([40] * 9) < 1e-300  # of more orders than a float can count
    for name in shipped():
        assert draw(load_protocol(name), 0).provable


def test_rest_can_be_made_longer_or_shorter_as_a_whole():
    plan = draw(Protocol.model_validate(TWO), 0, rest_s=60)
    assert [s.seconds for s in plan.steps if s.kind == "rest"] == [40, 20]


def test_the_longest_protocol_of_three_labels_is_drawn_too():
    """Only one random order in seven million has none of them twice in a row."""
    plan = draw(load_protocol("emotion").model_copy(update={"rounds": 40}), 0)
    labels = [step.label for step in plan.steps if step.kind == "block"]
    assert Counter(labels) == dict.fromkeys(("negative", "neutral", "positive"), 40)
    assert all(a != b for a, b in itertools.pairwise(labels))


@pytest.mark.parametrize("wrong", [{"seed": -1}, *({"rest_s": s} for s in (0.0, -5.0, float("nan"), float("inf")))])
def test_a_seed_or_a_duration_that_is_none_is_refused(wrong):
    with pytest.raises(ConfigError, match=r"seed -1 · it is negative|seconds of rest · not a duration"):
        draw(load_protocol("baseline"), **wrong)


def test_media_are_dealt_out_to_blocks_each_once(tmp_path):
    for label in ("this", "that"):
        (tmp_path / label).mkdir()
        for i in range(7):
            (tmp_path / label / f"{i}.png").touch()
        (tmp_path / label / "readme.txt").touch()
    plan = draw(Protocol.model_validate(TWO), 0, tmp_path)
    shown = [name for step in plan.steps for name in step.media]
    assert len(shown) == len(set(shown)) == 14
    for step in plan.steps:
        assert all(f"/{step.label}/" in name.replace("\\", "/") for name in step.media)
        assert bool(step.media) == (step.kind == "block")


def test_a_label_without_enough_media_is_named(tmp_path):
    (tmp_path / "this").mkdir()
    with pytest.raises(ConfigError, match=r"0 pictures.*'this'.*at least 3"):
        draw(Protocol.model_validate(TWO), 0, tmp_path)


WRONG = {
    "a key there is none of": ({"colour": "red"}, "colour"),
    "one label only": ({"cues": TWO["cues"][:1]}, "two or more different labels"),
    "a label twice": ({"cues": [TWO["cues"][0]] * 2}, "two or more different labels"),
    "one round": ({"rounds": 1}, "rounds"),
    "neither rest nor cues": ({"cues": [], "rest": []}, "neither rest nor cues"),
    "settling longer than the block": ({"settle_s": 9}, "settle_s"),
    "an end that no cue has": ({"last": ["joy"]}, "joy"),
    "a word for a number": ({"block_s": "long"}, "block_s"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_protocol_is_refused_and_the_key_named(what, tmp_path):
    change, says = WRONG[what]
    lines = []
    for key, value in (TWO | change).items():
        if key in ("rest", "cues"):
            continue
        lines.append(f"{key} = {value!r}".replace("'", '"'))
    for key in ("rest", "cues"):
        for table in (TWO | change)[key]:
            lines += [f"[[{key}]]", *(f"{k} = {v!r}".replace("'", '"') for k, v in table.items())]
    path = tmp_path / "p.toml"
    path.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match=says):
        load_protocol(str(path))


def test_no_protocol_and_no_toml_are_said(tmp_path):
    with pytest.raises(ConfigError, match=r"tarot.*baseline, effort, emotion"):
        load_protocol("tarot")
    (tmp_path / "p.toml").write_text("name = ")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_protocol(str(tmp_path / "p.toml"))
