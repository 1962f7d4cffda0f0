"""Turns a run into feedback: hears every chunk as it comes, on a thread of its own, beside whatever the network does.

The newest sample is fed back as soon as it is filtered; a reading of the network is heard when it comes. Where nothing
comes, or nothing valid, what is fed back is neutral within half a second.
"""

from __future__ import annotations

import json
import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from .. import clock
from ..dsp.filters import Notch
from ..errors import MoodError
from ..files import GrowingFile, check_writable, first_free, free_paths
from ..health import Emission, Health, Output, Recording
from ..sinks.values import values_of
from ..types import Abstained, Chunk, Estimate, Marker, StreamInfo
from .conditions import Condition
from .measures import FastMeasures, lag_of
from .moment import Feedback, Receiver
from .plan import Plan
from .session import Fed, Session

PATIENCE_S = 0.5  # without a sample, before what is fed back is neutral
log = logging.getLogger(__name__)


class FeedbackLoop:
    """A session on a run: a `Tap` of the engine.

    Parameters
    ----------
    plan : Plan
    condition : Condition
    receivers : sequence of Receiver
        Those of every run; `send_to` adds those of one.
    record : Path, optional
        JSON lines of everything fed back, private. They tell the person's own z-score beside what was fed back, so
        they are not to be looked at before the code is opened.
    about : dict
        Goes into their first line.
    notch : sequence of float or ``"auto"``
    begins : callable
        Called when the first block of feedback begins.

    Raises
    ------
    ConfigError
        The record cannot be written there.
    """

    def __init__(
        self,
        plan: Plan,
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
        self._own = self._receivers = tuple(receivers)
        if record is not None:
            check_writable(first_free(self._places(record)), "the lines at")
        self._record, self._about = record, about or {}
        self.tell: Callable[[str, float], object] = lambda *_: None
        """Told of blocks and rewards, and when (s, our clock): the engine's `mark`."""
        self.keep: Callable[[int, tuple[float, ...]], object] = lambda *_: None
        """Given a row for each moment, as `sinks.tape.FEEDBACK_ROW` has it: a recorder's `feed`."""
        self.latest: Feedback | None = None
        self.over = threading.Event()
        """The session is over."""
        self.fault: MoodError | None = None
        self._items: deque[tuple[Chunk | Emission, float]] = deque()
        self._new, self._closing = threading.Condition(), False
        self._thread: threading.Thread | None = None
        self._trouble = ""

    @staticmethod
    def _places(record: Path) -> Iterator[Path]:
        return free_paths(record, ending="feedback.jsonl")

    def send_to(self, receivers: Sequence[Receiver]) -> None:
        """Who hears of the next run, besides its own; those of the run before hear no more."""
        self._receivers = (*self._own, *receivers)

    # -- what the engine calls ----------------------------------------------------------------------------------

    def open(self, info: StreamInfo) -> None:
        """Begin, with the stream as it is."""
        self._info, self._closing = info, False
        try:
            self._fast = FastMeasures(self.plan.measures, info, self._notch)
        except MoodError as fault:
            self.fault = fault
            self.over.set()
            return
        self.session = Session(self.plan, info.sfreq, self._condition, self._tell)
        self._stamp = (0, 0.0)
        self._file = GrowingFile(self._places(self._record)) if self._record else None
        lags = [asdict(lag_of(it, info.sfreq)) for it in self.plan.measures]
        self._write({"kind": "session", "plan": self.plan.model_dump(mode="json"), "lags": lags, "sfreq": info.sfreq,
                     "ch_names": info.ch_names, "virtual": info.virtual, **self._about})  # fmt: skip
        self._thread = threading.Thread(target=self._run, name="mood-feedback", daemon=True)
        self._thread.start()

    def take(self, chunk: Chunk) -> None:
        """A chunk, as it came."""
        self._put(chunk)

    def put(self, emission: Emission) -> None:
        """What the network made of it."""
        self._put(emission)

    def mark(self, marker: Marker, t: float) -> None:
        """Markers of others are nothing to us."""

    @property
    def recording(self) -> Recording | None:
        """None: what is recorded here is not the signal."""
        return None

    @property
    def outputs(self) -> tuple[Output, ...]:
        """How the receivers are getting on, and the record where it is in trouble."""
        told = (Output("the record of feedback", trouble=self._trouble),) if self._trouble else ()
        return (*(receiver.output for receiver in self._receivers), *told)

    def close(self, health: Health) -> None:
        """End, wherever the session stands."""
        with self._new:
            self._closing = True
            self._new.notify()
        if self._thread is not None:
            self._thread.join(1.0)
            self._thread = None
        for receiver in self._receivers:
            receiver.close(health)

    def summary(self) -> dict[str, Any]:
        """How it went: nothing in it tells the condition."""
        if self.latest is None:
            return {"rewards": 0, "fed_s": 0.0, "invalid_s": 0.0, "whole": False}
        it = self.session
        told = {"rewards": it.rewards, "fed_s": round(it.fed_s, 2), "invalid_s": round(it.invalid_s, 2)}
        return {**told, "whole": it.is_over}

    # -- the thread that feeds back -----------------------------------------------------------------------------

    def _put(self, item: Chunk | Emission) -> None:
        if self._thread is None:
            return
        with self._new:
            self._items.append((item, self._now()))
            self._new.notify()

    def _run(self) -> None:
        try:
            while True:
                with self._new:
                    came = self._new.wait_for(lambda: bool(self._items) or self._closing, PATIENCE_S)
                    items = list(self._items)
                    self._items.clear()
                if not came:
                    self._say_nothing("no data")
                    continue
                for item, arrived in items:
                    self._hear(item) if isinstance(item, Emission) else self._follow(item, arrived)
                if self._closing and not items:
                    break
        except Exception:  # what is shown must not stay as it was
            log.exception("feedback failed")
            self._say_nothing("feedback failed")
        finally:
            self._end()

    def _hear(self, emission: Emission) -> None:
        reading = emission.reading
        if reading.quality is not None:
            self._fast.judge(reading.quality)
        why = "" if isinstance(reading, Estimate) else _words(reading)
        self.session.hear(values_of(emission), why)

    def _follow(self, chunk: Chunk, arrived: float) -> None:
        self._stamp = chunk.end, chunk.t_last
        for sample in self._fast.push(chunk):
            fed = self.session.step(sample)
            if fed is None:
                self.over.set()
                return
            self._send(fed, 1e3 * (self._now() - arrived))

    def _send(self, fed: Fed, delay_ms: float) -> None:
        block = self.plan.blocks[fed.block]
        t, at = self._time(fed.index), fed.index / self._info.sfreq
        left_s = max(0.0, block.seconds - self.session.elapsed_s(fed.index))
        self._show(Feedback(
            t, at, fed.block, fed.kind, block.text, fed.level, fed.reward, fed.valid, fed.why, self.session.rewards,
            left_s, self._info.virtual,
        ))  # fmt: skip
        row = (fed.level, fed.shown, fed.threshold, float(fed.reward), float(fed.valid), float(fed.block), delay_ms)
        self.keep(fed.index, row)
        told = {"z": _number(fed.z), "shown": _number(fed.shown), "threshold": _number(fed.threshold)}
        self._write({"kind": fed.kind, "t": round(at, 4), "block": fed.block, "level": round(fed.level, 5),
                     "reward": fed.reward, "why": fed.why, "delay_ms": round(delay_ms, 2), **told})  # fmt: skip

    def _say_nothing(self, why: str) -> None:
        """Neutral, whatever was fed back before."""
        if self.latest is not None:
            self._show(replace(self.latest, level=0.5, reward=False, valid=False, why=why))

    def _show(self, it: Feedback) -> None:
        self.latest = it
        for receiver in self._receivers:
            receiver.put(it)

    def _tell(self, text: str, index: int) -> None:
        if not self._begun and text.endswith("/begin/feedback"):  # a baseline alone uses no code up
            self._begun = True
            self._begins()
        t = self._time(index)
        self.tell(text, t)
        for receiver in self._receivers:
            receiver.tell(text, t)

    def _time(self, index: int) -> float:
        end, t_last = self._stamp
        return t_last - (end - index) / self._info.sfreq

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is not None:
            try:
                self._file.append((json.dumps(line, allow_nan=False, ensure_ascii=False) + "\n").encode())
            except OSError as error:  # a full disk: the session goes on without its lines, and says so
                self._trouble = f"not written: {error.strerror or error}"

    def _end(self) -> None:
        self._write({"kind": "end", **self.summary()})
        if self._file is not None:
            self._file.close()
        self.over.set()


def _words(reading: Abstained) -> str:
    return reading.why.value.replace("_", " ")


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
