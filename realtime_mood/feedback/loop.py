"""The feedback loop: runs a feedback session on the chunks of a run, on its own thread, in parallel to the network.

The newest sample is fed back as soon as it is filtered; readings of the network are used when they arrive. Where no
valid data arrive, the feedback is neutral within half a second.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from .. import clock
from ..body.measure import BodyReading
from ..contracts import Condition, Receiver
from ..dsp.filters import Notch
from ..dsp.reference import RECORDED
from ..errors import ConfigError, MoodError
from ..guard import GuardedThread, Report, to_log
from ..health import Emission, Feedback, Health, Output, RecordingState
from ..sinks.values import values_of
from ..types import Abstained, Chunk, Marker, StreamInfo
from .measures import FastMeasures, lag_of
from .outputs import FeedbackRecord, Receivers
from .plan import FeedbackPlan
from .session import FeedbackSample, FeedbackSession

PATIENCE_S = 0.5  # time without a sample after which the feedback is neutral
WAITING = 4096  # length of the queue of chunks and readings; the oldest are dropped, and leave a gap
JOIN_S, CLOSE_S = 0.5, 1.2  # how long closing waits for the thread, and how long it may take in all

Item = Chunk | Emission | BodyReading


class FeedbackLoop:
    """A feedback session on a run: a `Tap` of the engine.

    The `receivers` get every run; `send_to` adds those of one. `record` is the path of the private record, whose first
    line also holds `about`: it has the subject's own z-score beside the one that was fed back, so it must not be read
    before the code is opened. `begins` is called when the first block of feedback begins. Raises `ConfigError` where
    the record cannot be written.
    """

    def __init__(
        self,
        plan: FeedbackPlan,
        condition: Condition,
        receivers: Sequence[Receiver] = (),
        record: Path | None = None,
        about: dict[str, Any] | None = None,
        notch: Notch = "auto",
        begins: Callable[[], object] = lambda: None,
        now: clock.Clock = clock.now,
    ) -> None:
        self._begins, self._begun = begins, False
        self.plan, self._condition, self._notch, self._now = plan, condition, notch, now
        self.on_fault: Report = to_log
        self._own = tuple(receivers)
        self.send_to(())
        self._lines, self._about = FeedbackRecord(record), about or {}
        # called with blocks and rewards, and their time (s, our clock): the engine's `mark`
        self.tell: Callable[[str, float], object] = lambda *_: None
        # called with a row for each moment, as `xdf_session.FEEDBACK_ROW` has it: a recorder's `feed`
        self.keep: Callable[[int, tuple[float, ...]], object] = lambda *_: None
        self.latest: Feedback | None = None
        self.over = threading.Event()  # the session is over
        self.fault: MoodError | None = None
        self._items: deque[tuple[Item, float]] = deque(maxlen=WAITING)
        self._new, self._closing, self._dropped = threading.Condition(), threading.Event(), 0
        self._thread: GuardedThread | None = None

    def send_to(self, receivers: Sequence[Receiver]) -> None:
        """Set the receivers of the next run, besides those of every run."""
        self._receivers = Receivers((*self._own, *receivers), lambda text: self.on_fault(text))
        self._is_prepared = False

    # -- what the engine calls ----------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Open the receivers, before the stream is open."""
        self._is_prepared = True
        self._receivers.prepare()

    def open(self, info: StreamInfo) -> None:
        """Begin the session on a stream."""
        if not self._is_prepared:
            self.prepare()
        self._info, self._closing, self._dropped = info, threading.Event(), 0
        self.fault, self.latest = None, None
        self.over.clear()
        self._items.clear()
        try:
            self._fast = FastMeasures(
                self.plan.measures, info, self._notch, lambda text: self.on_fault(text), self.plan.reference
            )
            self._lines.open()
        except MoodError as fault:
            self._give_up(fault)
            return
        self.session = FeedbackSession(self.plan, info.sfreq, self._condition, self._tell)
        self._stamp = (0, 0.0)
        lags = [asdict(lag_of(measure, info.sfreq)) for measure in self.plan.measures]
        self._lines.write({
            "kind": "session", "plan": self.plan.model_dump(mode="json"), "lags": lags, "sfreq": info.sfreq,
            "ch_names": info.ch_names, "virtual": info.virtual, **self._about,
        })  # fmt: skip
        self._thread = GuardedThread(self._run, "mood-feedback", self._failed, restart_until=self._closing)
        self._thread.start()

    def take(self, chunk: Chunk) -> None:
        """Queue a chunk as it was received."""
        self._put(chunk)

    def put(self, emission: Emission) -> None:
        """Queue a reading of the network."""
        self._put(emission)

    def put_body(self, reading: BodyReading) -> None:
        """Queue measures of the body."""
        self._put(reading)

    def mark(self, marker: Marker, t: float) -> None:
        """Markers are not used."""

    recording: RecordingState | None = None  # None: this tap does not record the signal

    @property
    def outputs(self) -> tuple[Output, ...]:
        """State of the receivers, and problems of the loop itself."""
        record = (Output("the record of feedback", trouble=self._lines.trouble),) if self._lines.trouble else ()
        late = (Output("feedback", dropped=self._dropped, trouble="falls behind the signal"),) if self._dropped else ()
        return (*self._receivers.outputs, *record, *late)

    def close(self, health: Health) -> None:
        """End the session, completed or not."""
        began, thread, self._thread, self._is_prepared = clock.now(), self._thread, None, False
        with self._new:
            self._closing.set()
            self._new.notify()
        if thread is not None:
            thread.join(JOIN_S)
            if thread.is_alive():
                self._items.clear()  # it is abandoned, with its queue
            else:
                self._end()
        self.over.set()
        self._receivers.close(health, lambda: began + CLOSE_S)

    def summary(self) -> dict[str, Any]:
        """Summary of the session; it does not reveal the condition."""
        if self.latest is None:
            return {"rewards": 0, "fed_s": 0.0, "invalid_s": 0.0, "whole": False}
        session = self.session
        seconds = {"fed_s": round(session.fed_s, 2), "invalid_s": round(session.invalid_s, 2)}
        return {"rewards": session.rewards, **seconds, "whole": session.is_over}

    # -- the thread that feeds back -----------------------------------------------------------------------------

    def _put(self, item: Item) -> None:
        if self._thread is None:
            return
        with self._new:
            self._dropped += len(self._items) == WAITING
            self._items.append((item, self._now()))
            self._new.notify()

    def _run(self) -> None:
        while True:
            with self._new:
                came = self._new.wait_for(lambda: bool(self._items) or self._closing.is_set(), PATIENCE_S)
                item, arrived = self._items.popleft() if self._items else (None, 0.0)
            if not came:
                self._show_neutral("no data")
            elif item is None:
                break
            elif isinstance(item, Chunk):
                self._use_chunk(item, arrived)
            elif isinstance(item, BodyReading):
                self.session.use_body(item)
            else:
                self._use_reading(item)
        self._end()

    def _failed(self, what: str) -> None:
        """After an error the display must not keep the last feedback."""
        self.on_fault(what)
        self._show_neutral("feedback failed")

    def _give_up(self, fault: MoodError) -> None:
        self.fault = fault
        self.on_fault(f"no feedback: {fault}")
        self.over.set()

    def _use_reading(self, emission: Emission) -> None:
        reading = emission.reading
        if reading.quality is not None:
            self._fast.judge(reading.quality)
        why = reading.why.value.replace("_", " ") if isinstance(reading, Abstained) else ""
        self.session.use_reading(values_of(emission), why)

    def _use_chunk(self, chunk: Chunk, arrived: float) -> None:
        if self.fault is not None:
            return
        self._stamp = chunk.end, chunk.t_last
        for sample in self._fast.push(chunk):
            try:
                fed = self.session.step(sample)
            except MoodError as fault:  # the code cannot be used, so no feedback may be given
                self._show_neutral("feedback failed")
                self._give_up(fault)
                return
            if fed is None:
                self.over.set()
                return
            self._send(fed, 1e3 * (self._now() - arrived))

    def _send(self, fed: FeedbackSample, delay_ms: float) -> None:
        block = self.plan.blocks[fed.block]
        t, at = self._time(fed.index), fed.index / self._info.sfreq
        left_s = max(0.0, block.seconds - self.session.elapsed_s(fed.index))
        self._show(Feedback(
            t, at, fed.block, fed.kind, block.text, fed.level, fed.reward, fed.valid, fed.why, self.session.rewards,
            left_s, self._info.virtual,
        ))  # fmt: skip
        row = fed.level, fed.shown, fed.threshold, fed.reward, fed.valid, fed.block, delay_ms
        self.keep(fed.index, tuple(map(float, row)))
        self._lines.write({
            "kind": fed.kind, "t": round(at, 4), "block": fed.block, "level": round(fed.level, 5), "reward": fed.reward,
            "why": fed.why, "delay_ms": round(delay_ms, 2), "z": _number(fed.z), "shown": _number(fed.shown),
            "threshold": _number(fed.threshold),
        })  # fmt: skip

    def _show_neutral(self, why: str) -> None:
        """Make the feedback neutral."""
        if self.latest is not None:
            self._show(replace(self.latest, level=0.5, reward=False, valid=False, why=why))

    def _show(self, feedback: Feedback) -> None:
        self.latest = feedback
        self._receivers.put(feedback)

    def _tell(self, text: str, index: int) -> None:
        if not self._begun and text.endswith("/begin/feedback"):  # a baseline alone does not use the code
            self._begun = True
            try:
                self._begins()
            except OSError as error:
                found = error.strerror or str(error)
                raise ConfigError("the sealed file", found, "put it where it can be written") from error
        t = self._time(index)
        if self.plan.reference != RECORDED and text.startswith("feedback/0/begin/"):
            self.tell(f"feedback/reference/{self.plan.reference}", t)
        self.tell(text, t)
        self._receivers.tell(text, t)

    def _time(self, index: int) -> float:
        end, t_last = self._stamp
        return t_last - (end - index) / self._info.sfreq

    def _end(self) -> None:
        self._lines.close({"kind": "end", **self.summary()})
        self.over.set()


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
