"""Outboxes: short queues that drop the oldest, count everything once, and outlive nothing but a hanging delivery."""

from __future__ import annotations

import sys
import threading

from emissions import emission

from realtime_mood.health import Emission, Health
from realtime_mood.sinks.outbox import LIMIT, Outbox


class Slow(Outbox[Emission]):
    """A receiver that takes nothing until it is told to."""

    def __init__(self) -> None:
        super().__init__("slow")
        self.may, self.got = threading.Event(), []

    def deliver(self, item: Emission) -> None:
        self.may.wait(5)
        if item.reading.end < 1100:
            raise OSError("line one\nline two")
        self.got.append(item.reading.end)


def test_a_slow_receiver_loses_the_oldest_and_a_failing_one_is_tried_again():
    slow = Slow()
    for k in range(50):
        slow.put(emission(k))
    assert slow.output.dropped >= 50 - LIMIT - 1
    slow.may.set()
    slow.close(Health())
    assert slow.got[-1] == 1000 + 25 * 49
    assert slow.output.sent == len(slow.got)
    assert slow.output.sent + slow.output.dropped == 50
    assert slow.output.trouble == ""


class Gate(Outbox[int]):
    """A receiver that is busy with one item until the gate opens."""

    def __init__(self) -> None:
        super().__init__("gate")
        self.busy, self.may, self.got, self.n_shut = threading.Event(), threading.Event(), [], 0

    def deliver(self, item: int) -> None:
        self.busy.set()
        self.may.wait(20)
        self.got.append(item)

    def shut(self) -> None:
        self.n_shut += 1


def test_what_is_dropped_is_the_oldest_that_waits():
    gate = Gate()
    gate.put(0)
    assert gate.busy.wait(5)
    for item in range(1, 21):
        gate.put(item)
    assert gate.output.dropped == 20 - LIMIT
    gate.may.set()
    gate.close(Health())
    assert gate.got == [0, *range(21 - LIMIT, 21)]


def test_every_item_is_counted_once_whichever_thread_counts():
    class Fast(Outbox[int]):
        limit = 2

        def deliver(self, item: int) -> None:
            if not item % 7:
                raise OSError("refused")

    box, interval = Fast("fast"), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for item in range(5000):
            box.put(item)
        box.close(Health())
    finally:
        sys.setswitchinterval(interval)
    assert box.output.sent + box.output.dropped == 5000


def test_a_delivery_that_outlives_its_run_is_closed_once_and_holds_no_second_thread(monkeypatch):
    monkeypatch.setattr("realtime_mood.sinks.outbox.CLOSE_S", 0.05)
    gate = Gate()
    gate.put(0)
    assert gate.busy.wait(5)
    gate.put(1)
    gate.close(Health())
    assert "hangs" in gate.output.trouble
    assert (gate.output.dropped, gate.n_shut) == (1, 0)
    gate.prepare()  # the next run
    gate.put(2)
    assert [it.name for it in threading.enumerate()].count("mood-Gate") == 1
    gate.may.set()
    monkeypatch.undo()
    gate.close(Health())
    assert gate.got == [0, 2]
    assert gate.n_shut == 2
    assert (gate.output.sent, gate.output.dropped, gate.output.trouble) == (1, 0, "")


def test_an_output_that_cannot_be_opened_is_tried_again_with_each_item():
    class Late(Outbox[int]):
        tries = 0

        def start(self) -> None:
            self.tries += 1
            if self.tries < 3:
                raise OSError("not yet")

        def deliver(self, item: int) -> None: ...

    late = Late("late")
    late.put(0)
    late.put(1)
    late.put(2)
    late.close(Health())
    assert (late.output.sent, late.output.dropped, late.output.trouble) == (2, 1, "")
