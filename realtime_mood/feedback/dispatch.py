"""The receivers of feedback in one run: displays and outputs, isolated from each other's faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ..contracts import Prepared, Receiver, Reporting
from ..guard import Closings, Guarded, Report
from ..health import Feedback, Health, Output


class Receivers:
    """All receivers of a run's feedback: one that fails or hangs does not affect the others.

    Parameters
    ----------
    receivers : sequence of Receiver
    report : Report
        Where their faults are reported.
    """

    def __init__(self, receivers: Sequence[Receiver], report: Report) -> None:
        self._all, self._report = tuple(receivers), report
        self._closings = Closings(report)
        self._parts: dict[Guarded, Receiver] = {}

    def prepare(self) -> None:
        """Prepare all receivers for a run."""
        self._parts = {Guarded(_name_of(it), self._report, partial(self._let_go, it)): it for it in self._all}
        for part, receiver in self._parts.items():
            if isinstance(receiver, Reporting):
                receiver.on_fault = self._report
            if isinstance(receiver, Prepared):
                part.call(receiver.prepare)

    def put(self, item: Feedback) -> None:
        """Pass feedback to each receiver."""
        for part, receiver in self._parts.items():
            part.call(receiver.put, item)

    def tell(self, text: str, t: float) -> None:
        """Pass a block or a reward to each receiver."""
        for part, receiver in self._parts.items():
            part.call(receiver.tell, text, t)

    def close(self, health: Health, deadline: Callable[[], float]) -> None:
        """Close all in parallel; one that hangs is abandoned at the deadline (s, our clock)."""
        for part, receiver in self._parts.items():
            if not part.is_gone:
                part.is_gone = True
                self._closings.add(part.name, partial(receiver.close, health))
        self._closings.wait(deadline)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """State of each receiver."""
        return tuple(receiver.output for receiver in self._all)

    def _let_go(self, receiver: Receiver) -> None:
        self._closings.add(_name_of(receiver), partial(receiver.close, Health()))


def _name_of(receiver: Receiver) -> str:
    return receiver.output.name
