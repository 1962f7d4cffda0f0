"""Turns a marker stream of the Lab Streaming Layer into words and times on our clock, for as long as a run lasts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .. import clock, liblsl
from ..errors import ConfigError
from .lsl import LslOptions
from .url import read_options, split

PULL_S = 0.1
"""How long one look for a marker, or for the stream, takes."""
OPEN_S = 0.5
"""How long a stream that is announced may take to answer."""
FORGET_S = 2.0
"""How long a stream that has fallen silent is still thought to be there."""
FOREIGN_S = 60.0
"""Stamps further than this from our clock are on another one, and say nothing: the marker came just now."""
CLOSE_S = 1.0
"""How long closing may take."""


class LslMarkers:
    """Listens to the irregular stream that `url` names; waits for it to come, and to come back.

    Parameters
    ----------
    url : str
        ``lsl://NAME?type=…&source_id=…``; without a name, any stream of type Markers.
    tell : callable
        Told of each marker: its text, and when it was sent (s, our clock). Called from a thread of its own.

    Raises
    ------
    ConfigError
        When `url` names no marker stream.
    """

    def __init__(self, url: str, tell: Callable[[str, float], None]) -> None:
        scheme, self._name, query = split(url)
        if scheme != "lsl":
            raise ConfigError(f"markers {url!r}", "not a stream of the network", "write lsl://NAME")
        self._options = read_options(LslOptions, url, query)
        if not self._name and not self._options.type:
            self._options = self._options.model_copy(update={"type": "Markers"})
        self._tell, self._closing = tell, threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen; returns at once."""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(self._closing,), name="mood-markers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening. May be called twice."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(CLOSE_S)
            self._thread = None

    def _listen(self, closing: threading.Event) -> None:
        pylsl = liblsl.pylsl()

        to_ours = clock.offset_to(pylsl.local_clock)
        resolver, tried = pylsl.ContinuousResolver(forget_after=FORGET_S), set[str]()
        while not closing.wait(PULL_S):
            # One that is gone is shown for a while, and what comes back in its place has another uid.
            for found in sorted(resolver.results(), key=lambda found: found.uid() in tried):
                if self._is_meant(found) and not closing.is_set():
                    tried.add(found.uid())
                    self._hear(pylsl, found, to_ours, closing)

    def _is_meant(self, found: Any) -> bool:
        want = self._options
        return (
            found.nominal_srate() == 0
            and (not self._name or found.name() == self._name)
            and (want.source_id is None or found.source_id() == want.source_id)
            and (want.type is None or found.type().lower() == want.type.lower())
        )

    def _hear(self, pylsl: Any, found: Any, to_ours: float, closing: threading.Event) -> None:
        """Pass on the markers of one stream until it is gone."""
        inlet = pylsl.StreamInlet(found, recover=False, processing_flags=pylsl.proc_clocksync)
        try:
            inlet.open_stream(timeout=OPEN_S)
            while not closing.is_set():
                words, stamp = inlet.pull_sample(timeout=PULL_S)
                if words is not None:
                    here = pylsl.local_clock()
                    t = stamp if abs(here - stamp) < FOREIGN_S else here
                    self._tell(" ".join(str(word) for word in words), t + to_ours)
        except (pylsl.util.LostError, pylsl.util.TimeoutError):
            pass
