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
from benchmarks.fault_rows import SFREQ, Blow
from benchmarks.witness import Witness, watch
from realtime_mood import clock
from realtime_mood.types import Why

BLOW_S = 10.0
"""When it happens (s of stream time)."""
BACK_S = 3.0


class Sender:
    """What can be struck, and comes back."""

    def __init__(self, blow: Blow, stack: contextlib.ExitStack, seconds: float) -> None:
        self._blow, self._stack, self._seconds = blow, stack, seconds
        self._name = f"reliability-{uuid.uuid4().hex[:10]}"
        if blow.column == "lsl":
            self.url = f"lsl://{self._name}?timeout=30"
            self._process = self._start()
        else:
            self.url = "brainflow://synthetic"

    def _start(self) -> subprocess.Popen:
        faults = "anonymous" if self._blow.anonymous else ""
        return self._stack.enter_context(outlet(self._name, faults, self._seconds))

    def strike(self) -> None:
        """It goes."""
        if self._blow.column == "brainflow":
            from brainflow.board_shim import BoardShim

            BoardShim.release_all_sessions()
        elif self._blow.continues:
            self._process.send_signal(signal.SIGSTOP)
        else:
            self._process.kill()

    def come_back(self) -> None:
        """It is there again."""
        if self._blow.continues:
            self._process.send_signal(signal.SIGCONT)
        elif self._blow.column == "lsl":
            self._process = self._start()


def cell(blow: Blow, build: Build | None = None, seconds: float = 30.0) -> list[Check]:
    """Run the program, strike, and look."""
    witness, moments = Witness(), []

    def act(over: threading.Event, sender: Sender) -> None:
        while not over.wait(0.02):
            if witness.chunks and witness.chunks[-1].end >= BLOW_S * SFREQ:
                break
        sender.strike()
        moments.append(clock.now())
        over.wait(blow.away_s)
        sender.come_back()
        moments.append(clock.now())

    with contextlib.ExitStack() as stack, running(act, sender := Sender(blow, stack, seconds + 15)):
        watch(sender.url, seconds, within_s=seconds + 60, build=build, witness=witness)
    struck, back_at = moments
    return looked_at(blow, witness, struck, back_at)


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


def looked_at(blow: Blow, witness: Witness, struck: float, back_at: float) -> list[Check]:
    """Whether it was said at once, nothing was made up, and what was missed is what is told as lost."""
    longest = int(np.diff(witness.arrived).argmax())
    lost, gap = witness.health.lost, witness.arrived[longest + 1] - witness.arrived[longest]
    missed = gap * SFREQ - len(witness.chunks[longest + 1])  # what comes first was gathered for a while
    if blow.continues:
        checks = [Check(f"lost {lost} of 0", lost == 0)]
    else:
        checks = [Check(f"{lost} lost, by the clock {max(0, missed):.0f} ± 75", abs(lost - max(0, missed)) <= 75)]
    stale = witness.first(struck, lambda it: it.why is Why.STALE)
    if gap > STALE_S:
        said = "never stale" if stale is None else f"stale after {stale:.2f} s"
        checks.append(Check(said, stale is not None and stale <= STALE_S))
    made_up = sum(it.answered and struck + STALE_S < it.at < back_at for it in witness.seen)
    if made_up:
        checks.append(Check(f"{made_up} answers without a sample", False))
    for what, that, most in (
        ("back", lambda it: it.why is not Why.STALE, BACK_S),
        ("answers", lambda it: it.answered, 12.0),
    ):
        if what == "answers" and blow.column == "brainflow":
            continue  # nobody wears that board
        after = witness.first(max(back_at, struck + 0.5), that)
        checks.append(Check(f"{what} after {after:.1f} s" if after else f"no {what}", bool(after and after <= most)))
    if any(state.value == "reconnecting" for state in witness.states()):
        checks.append(Check("reconnecting seen"))
    if witness.health.fault:
        checks.append(Check(f"ended: {witness.health.fault}", False))
    return checks
