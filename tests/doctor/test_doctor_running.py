"""Checks run side by side, each within its deadline; what fails, hangs or crashes is a finding."""

from __future__ import annotations

import threading

import pytest

from realtime_mood.doctor.finding import Check, Finding, Level, exit_code
from realtime_mood.doctor.running import ChildFailed, ChildSlow, examine, in_child


def finding(check, level):
    return Finding(check, level, f"{check} is {level.label}")


def test_the_most_serious_comes_first_then_the_most_likely():
    levels = {"a": Level.OK, "b": Level.WARNING, "c": Level.NOT_CHECKED, "d": Level.WRONG, "e": Level.WARNING}
    checks = [Check(name, lambda name=name, level=level: [finding(name, level)]) for name, level in levels.items()]
    assert [one.check for one in examine(checks)] == ["d", "b", "e", "a", "c"]


def test_a_check_that_hangs_is_a_finding_and_holds_up_no_other():
    release = threading.Event()

    def hang():
        release.wait()
        return []

    checks = [Check("hangs", hang, 0.05, "pull the plug"), Check("works", lambda: [finding("works", Level.OK)])]
    hung, works = examine(checks)
    release.set()
    assert (hung.check, hung.level, hung.do) == ("hangs", Level.WARNING, "pull the plug")
    assert "no answer within 0.05 s" in hung.found
    assert works.check == "works"


def test_a_check_that_fails_is_a_finding():
    (found,) = examine([Check("broken", lambda: [][0])])
    assert found.level == Level.WARNING
    assert "IndexError" in found.found


@pytest.mark.parametrize(("levels", "code"), [
    ([], 0), ([Level.OK, Level.NOT_CHECKED], 0), ([Level.OK, Level.WARNING], 1), ([Level.WRONG, Level.WARNING], 2),
])  # fmt: skip
def test_the_worst_finding_is_the_exit_code(levels, code):
    assert exit_code([finding("x", level) for level in levels]) == code


def test_a_child_process_gives_its_value():
    assert in_child("posixpath:join", "a", "b", deadline_s=60) == "a/b"


@pytest.mark.parametrize(("target", "words", "deadline_s", "error", "says"), [
    ("os:abort", (), 60, ChildFailed, "SIGABRT"),
    ("json:loads", ("x",), 60, ChildFailed, "JSONDecodeError"),
    ("nowhere:f", (), 60, ChildFailed, "No module named 'nowhere'"),
    ("signal:pause", (), 0.2, ChildSlow, "no answer within 0.2 s"),
])  # fmt: skip
def test_a_child_that_crashes_fails_or_hangs_says_so(target, words, deadline_s, error, says):
    with pytest.raises(error, match=says):
        in_child(target, *words, deadline_s=deadline_s)
