"""Markers of other programs: receives an LSL marker stream and passes on text and time."""

from __future__ import annotations

import logging
import math
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ... import clock, liblsl
from ...errors import ConfigError
from ...guard import GuardedThread, Report, to_log
from ...plugins import read_options, split
from ..marker_words import is_marker_type, texts_of
from .info import LslOptions, channels_of, described, is_chosen, urls_of

PULL_S = 0.1  # timeout of one attempt to receive a marker or find the stream (s)
OPEN_S = 0.5  # how long an announced stream may take to answer (s)
FORGET_S = 2.0  # how long a silent stream is still assumed to exist (s)
FOREIGN_S = 60.0
"""Stamps further than this from our clock (s) are on another clock and ignored: the arrival time is used."""
LOYAL_S = 3.0  # how long to wait for an ended stream before switching to another that existed beside it (s)
CLOSE_S = 1.0  # how long closing may take (s)
log = logging.getLogger(__name__)


class LslMarkers:
    """Receives the irregular stream that `url` names; waits for it to appear, and to return.

    The URL is ``lsl://NAME?type=…&source_id=…&host=…&uid=…``; without a name, any stream of markers, else
    `ConfigError`. Of several matching streams it keeps the one it used last. It reports a choice among several, another
    stream in place of one that ended, and markers that came before the signal. `receive` gets each marker, its text and
    when it was sent (s, our clock), on a separate thread; it returns False while there is no signal yet that the marker
    could belong to.
    """

    def __init__(self, url: str, receive: Callable[[str, float], object]) -> None:
        scheme, self._name, query = split(url)
        if scheme != "lsl":
            raise ConfigError(f"markers {url!r}", "not a stream of the network", "write lsl://NAME")
        self._url, self._options = url, read_options(LslOptions, url, query)
        self._receive, self._closing = receive, threading.Event()
        self._thread: GuardedThread | None = None
        self._heard: tuple[str, ...] = ()  # the stream used last
        self._others: set[str] = set()  # that existed beside it, by uid
        self._ended = -math.inf
        self._early = 0
        self.report: Report = to_log  # receives reports; the engine sets it
        self.on_fault: Report = to_log  # receives failures, likewise

    def start(self) -> None:
        """Start receiving; returns at once."""
        self._closing = threading.Event()
        work = partial(self._listen, self._closing)
        self._thread = GuardedThread(work, "mood-markers", self.on_fault, restart_until=self._closing)
        self._thread.start()

    def close(self) -> None:
        """Stop receiving. May be called twice."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(CLOSE_S)
            self._thread = None

    def _listen(self, closing: threading.Event) -> None:
        resolver, tries = liblsl.pylsl().ContinuousResolver(forget_after=FORGET_S), Counter[str]()
        while not closing.wait(PULL_S):
            # A stream that is gone is still listed for a while, and one that returns has another uid.
            meant = self._meant(resolver.results())
            if clock.now() - self._ended < LOYAL_S:
                meant = [info for info in meant if info.uid() not in self._others]
            if meant:
                found = min(meant, key=lambda info: (tries[info.uid()], _identity(info) != self._heard, info.uid()))
                tries[found.uid()] += 1
                self._hear(found, resolver, tries, closing)

    def _meant(self, there: Sequence[Any]) -> list[Any]:
        named = [info for info in there if info.nominal_srate() == 0 and is_chosen(info, self._name, self._options)]
        markers = [info for info in named if is_marker_type(info.type())]
        return markers if markers or not (self._name or self._options.type) else named

    def _hear(self, found: Any, resolver: Any, tries: Counter[str], closing: threading.Event) -> None:
        """Pass on the markers of one stream until it is gone."""
        pylsl = liblsl.pylsl()
        to_ours = clock.offset_to(pylsl.local_clock)
        # Raw bytes: text that is not UTF-8 would raise in the library.
        inlet = pylsl.StreamInlet(found, recover=False, processing_flags=pylsl.proc_clocksync, as_numpy=True)
        try:
            labels = [label for label, _, _ in channels_of(inlet.info(timeout=OPEN_S))]
            inlet.open_stream(timeout=OPEN_S)
            self._begin(found)
            while not closing.is_set():
                others = [info for info in self._meant(resolver.results()) if not tries[info.uid()]]
                self._report_others(found, others)
                row, stamp = inlet.pull_sample(timeout=PULL_S)
                if row is None:
                    continue
                here = pylsl.local_clock()
                t = stamp if abs(here - stamp) < FOREIGN_S else here
                for text in texts_of(row, found.type(), labels):
                    self._pass_on(text, t + to_ours)
        except (pylsl.util.LostError, pylsl.util.TimeoutError):
            pass
        finally:
            self._ended = clock.now()

    def _begin(self, found: Any) -> None:
        before, self._heard = self._heard, _identity(found)
        if before and before != self._heard:
            self.report(f"markers {self._url}: now from {described(found, with_host=True)}, another stream than before")

    def _report_others(self, heard: Any, others: Sequence[Any]) -> None:
        if new := {info.uid() for info in others} - self._others:
            self._others |= new
            using, urls = described(heard, with_host=True), urls_of(self._url, [heard, *others])
            self.report(f"markers {self._url}: {len(others) + 1} streams answer, using {using}; choose one: {urls}")

    def _pass_on(self, text: str, t: float) -> None:
        if self._receive(text, t) is False:
            self._early += 1
        elif self._early:
            self.report(f"markers {self._url}: {self._early} came before the signal and were left out")
            self._early = 0


def _identity(info: Any) -> tuple[str, ...]:
    return info.name(), info.type(), info.source_id(), info.hostname()
