"""Files broken in any way are played as far as they go or refused in words."""

from __future__ import annotations

import random
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz import SLOW, TARGETS, broken, outcome


@pytest.mark.parametrize("name", TARGETS)
def test_the_whole_files_play(name: str) -> None:
    assert all(outcome(TARGETS[name], seed) == "played" for seed in TARGETS[name].seeds())


@pytest.mark.parametrize("name", TARGETS)
def test_a_broken_file_plays_or_is_refused_in_words(name: str) -> None:
    @settings(max_examples=4 if name in SLOW else 15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.integers(0, 2**32))
    def use(number: int) -> None:
        rng = random.Random(number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other people's readers, on files that nobody should have
            assert outcome(TARGETS[name], broken(rng.choice(TARGETS[name].seeds()), rng)) in ("played", "refused")

    use()
