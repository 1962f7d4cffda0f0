"""Faults of the sender process itself (stopped, killed, removed): when they were reported, and when they ended."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.fault_cells import STALE_S, Build, Check, outlet
from benchmarks.fault_rows import SFREQ, SenderFault
from benchmarks.witness import Witness, watch
from realtime_mood import clock
from realtime_mood.health import State
from realtime_mood.types import Why

BLOW_S = 10.0
"""When it happens (s of stream time)."""
BACK_S = 3.0


class Sender:
    """A source whose fault can begin and end."""

    def __init__(self, fault: SenderFault, stack: contextlib.ExitStack, seconds: float) -> None:
        self._fault, self._stack, self._seconds = fault, stack, seconds
        self._name = f"reliability-{uuid.uuid4().hex[:10]}"
        if fault.column == "lsl":
            self.url = f"lsl://{self._name}?timeout=30"
            self._process = self._start()
        else:
            self.url = "brainflow://synthetic"

    def _start(self) -> subprocess.Popen:
        faults = "anonymous" if self._fault.anonymous else ""
        return self._stack.enter_context(outlet(self._name, faults, self._seconds))

    def begin(self) -> None:
        """The source goes away."""
        if self._fault.column == "brainflow":
            from brainflow.board_shim import BoardShim

            BoardShim.release_all_sessions()
        elif self._fault.continues:
            self._process.send_signal(signal.SIGSTOP)
        else:
            self._process.kill()

    def end(self) -> None:
        """The source is there again."""
        if self._fault.continues:
            self._process.send_signal(signal.SIGCONT)
        elif self._fault.column == "lsl":
            self._process = self._start()


def cell(fault: SenderFault, build: Build | None = None, seconds: float = 30.0) -> list[Check]:
    """Run the program, let the fault begin and end, and check what was reported."""
    witness, moments = Witness(), []

    def act(over: threading.Event, sender: Sender) -> None:
        while not over.wait(0.02):
            if witness.chunks and witness.chunks[-1].end >= BLOW_S * SFREQ:
                break
        sender.begin()
        moments.append(clock.now())
        over.wait(fault.away_s)
        sender.end()
        moments.append(clock.now())

    with contextlib.ExitStack() as stack, running(act, sender := Sender(fault, stack, seconds + 15)):
        watch(sender.url, seconds, within_s=seconds + 60, build=build, witness=witness)
    began, back_at = moments
    return looked_at(fault, witness, began, back_at)


@contextlib.contextmanager
def running(act: Callable[[threading.Event, Sender], None], sender: Sender) -> Iterator[None]:
    """`act` beside what is done within."""
    over = threading.Event()
    thread = threading.Thread(target=act, args=(over, sender))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def looked_at(fault: SenderFault, witness: Witness, began: float, back_at: float) -> list[Check]:
    """Whether it was reported at once, nothing was made up, and the reported loss is the true one."""
    longest = int(np.diff(witness.arrived).argmax())
    lost, gap = witness.health.lost, witness.arrived[longest + 1] - witness.arrived[longest]
    missed = gap * SFREQ - len(witness.chunks[longest + 1])  # what comes first was gathered for a while
    if fault.continues:
        checks = [Check(f"lost {lost} of 0", lost == 0)]
    else:
        checks = [Check(f"{lost} lost, by the clock {max(0, missed):.0f} ± 75", abs(lost - max(0, missed)) <= 75)]
    stale = witness.first(began, lambda it: it.why is Why.STALE)
    if gap > STALE_S:
        text = "never stale" if stale is None else f"stale after {stale:.2f} s"
        checks.append(Check(text, stale is not None and stale <= STALE_S))
    made_up = sum(it.answered and began + STALE_S < it.at < back_at for it in witness.seen)
    if made_up:
        checks.append(Check(f"{made_up} answers without a sample", False))
    for what, that, most in (
        ("back", lambda it: it.why is not Why.STALE, BACK_S),
        ("answers", lambda it: it.answered, 12.0),
    ):
        if what == "answers" and fault.column == "brainflow":
            continue  # nobody wears that board
        after = witness.first(max(back_at, began + 0.5), that)
        checks.append(Check(f"{what} after {after:.1f} s" if after else f"no {what}", bool(after and after <= most)))
    if any(state.value == "reconnecting" for state in witness.states()):
        checks.append(Check("reconnecting seen"))
    if beside := witness.health.streams:
        checks.append(Check(f"{len(beside)} streams carried beside it: each lost as much",
                            all(abs(it.lost - lost) <= 2 and it.state is State.LIVE for it in beside)))  # fmt: skip
    if witness.health.fault:
        checks.append(Check(f"ended: {witness.health.fault}", False))
    return checks
