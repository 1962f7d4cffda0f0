"""Guarded threads, calls and closings: a fault is reported and counted, and what hangs is left behind and named."""

from __future__ import annotations

import ast
import threading
from pathlib import Path

import pytest
from waiting import until

from realtime_mood import clock, guard
from realtime_mood.guard import FAILURES, Closings, Guarded, GuardedThread

ROOT = Path(__file__).parents[2]


def test_every_thread_of_the_program_is_guarded():
    found = {
        path.relative_to(ROOT).as_posix()
        for package in ("realtime_mood", "calibration", "models")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("threading.Thread", "Thread", "threading.Timer")
    }
    assert found <= {"realtime_mood/testing/waiting.py"}  # its call hands every error to the caller


def test_work_that_raises_is_reported_counted_and_started_again(monkeypatch):
    monkeypatch.setattr(guard, "RETRY_S", 0.001)
    over, reported, runs = threading.Event(), [], []

    def work():
        runs.append(1)
        if len(runs) < 4:
            raise UnicodeDecodeError("utf-8", b"f\xfcr", 1, 2, "invalid\nstart byte")
        over.wait(5)

    thread = GuardedThread(work, "mood-markers", reported.append, restart_until=over)
    thread.start()
    until(lambda: len(runs) == 4)
    assert thread.is_alive()
    over.set()
    thread.join(5)
    assert thread.faults == 3
    assert len(reported) == 3
    assert reported[0].startswith("markers failed and was started again: 'utf-8' codec can't decode")
    assert "\n" not in reported[0]


@pytest.mark.parametrize("restart", [False, True])
def test_work_that_is_over_is_not_started_again(restart):
    over, reported, runs = threading.Event(), [], []

    def work():
        runs.append(1)
        over.set()
        raise ValueError("broken")

    thread = GuardedThread(work, "mood-x", reported.append, restart_until=over if restart else None)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    assert runs == [1]
    assert reported == ["x failed: broken"]


def test_a_reporter_that_raises_ends_no_thread(monkeypatch):
    monkeypatch.setattr(guard, "RETRY_S", 0.001)
    over, runs = threading.Event(), []

    def report(what):
        raise RuntimeError("the window is gone")

    def work():
        runs.append(1)
        raise ValueError("broken")

    thread = GuardedThread(work, "mood-x", report, restart_until=over)
    thread.start()
    until(lambda: len(runs) > 2)
    over.set()
    thread.join(5)


def test_a_part_is_let_go_after_failing_in_a_row_and_not_before():
    reported, gone, calls = [], [], []
    part = Guarded("plot", reported.append, lambda: gone.append(1))

    def draw(fails):
        calls.append(fails)
        if fails:
            raise OSError("no window")

    for _ in range(FAILURES - 1):
        assert not part.call(draw, True)
    assert part.call(draw, False)
    for _ in range(FAILURES - 1):
        part.call(draw, True)
    assert not gone
    assert not part.call(draw, True)
    assert part.is_gone
    assert gone == [1]
    assert reported[-1] == f"plot failed {FAILURES} times and was removed: no window"
    assert reported.count("plot failed: no window") == 2 * FAILURES - 2
    n = len(calls)
    assert not part.call(draw, False)
    assert len(calls) == n


def test_calls_that_go_well_do_not_hide_another_kind_that_always_fails():
    part = Guarded("tap", lambda what: None)

    def take():
        raise ValueError

    def put(): ...

    for _ in range(FAILURES):
        part.call(take)
        part.call(put)
    assert part.is_gone


def test_what_hangs_while_it_is_closed_is_named_at_the_deadline_and_holds_up_nobody():
    hang, closed, reported = threading.Event(), [], []
    closings = Closings(reported.append)
    for name in "abc":
        closings.add(name, hang.wait)
    closings.add("d", lambda: closed.append("d"))
    began = clock.now()
    assert closings.wait(lambda: began + 0.1) == ("a", "b", "c")
    assert clock.now() - began < 1.0
    assert closed == ["d"]
    assert reported == [f"{name} did not close in time and was left behind" for name in "abc"]
    hang.set()
