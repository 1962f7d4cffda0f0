"""Observations of a run: indices of samples, silences, readings, electrodes.

The signal itself is the count: each received row is looked up among those that were sent, by its bit pattern.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

import app
from realtime_mood import clock
from realtime_mood.cli.config import resolve
from realtime_mood.errors import MoodError
from realtime_mood.health import Emission, Health, RecordingState, State
from realtime_mood.pipeline import Pipeline
from realtime_mood.run.engine import Engine
from realtime_mood.sources import open_source
from realtime_mood.types import Abstained, Chunk, Estimate, Fault, Marker, StreamInfo, Why

STOOD_S = 0.4
"""A thread that naps for 20 ms and wakes so late was not let run."""
SILENCE_S = 1.4
"""Nothing for so long is a silence that readings must tell of."""


@dataclass(frozen=True, slots=True)
class SeenReading:
    """One reading as it was seen."""

    at: float
    """When (s, our clock)."""
    end: int
    state: State
    why: Why | None
    """None for an estimate."""
    answered: bool
    """Whether the network was asked."""
    age_s: float
    """Of the window's last sample."""
    coverage: float
    faults: tuple[Fault | None, ...]


class Pulse:
    """Notices when the machine itself stands still, as busy ones do: nobody can tell of a silence then."""

    def __init__(self) -> None:
        self.stood: list[tuple[float, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        before = clock.now()
        while not self._over.wait(0.02):
            now = clock.now()
            if now - before > STOOD_S:
                self.stood.append((before, now))
            before = now

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


class Witness:
    """A tap that sees every chunk and every reading, and remembers."""

    recording = RecordingState("")

    def __init__(self) -> None:
        self.info: StreamInfo | None = None
        self.chunks: list[Chunk] = []
        self.arrived: list[float] = []
        self.seen: list[SeenReading] = []
        self.health = Health()
        self.stood: list[tuple[float, float]] = []
        """When the machine stood still (s, our clock)."""

    def open(self, info: StreamInfo) -> None:
        self.info = info

    def take(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)
        self.arrived.append(clock.now())

    def mark(self, marker: Marker, t: float) -> None:
        pass

    def put(self, emission: Emission) -> None:
        reading, now = emission.reading, clock.now()
        why = reading.why if isinstance(reading, Abstained) else None
        faults = reading.quality.faults if reading.quality else ()
        answered = isinstance(reading, Estimate) or why is Why.UNSURE
        age_s = now - reading.t_last
        self.seen.append(SeenReading(now, reading.end, emission.state, why, answered, age_s, reading.coverage, faults))

    def close(self, health: Health) -> None:
        self.health = health

    # -- what it makes of that --------------------------------------------------------------------------------------

    def states(self) -> list[State]:
        """Those the readings were made in, as they changed."""
        states = [it.state for it in self.seen]
        return [state for k, state in enumerate(states) if not k or state is not states[k - 1]]

    def silences(self) -> Iterator[tuple[float, float]]:
        """From when to when nothing came (s, our clock)."""
        for before, after in zip(self.arrived, self.arrived[1:], strict=False):
            if after - before > SILENCE_S and not self.stood_still(before, after):
                yield before, after

    def stood_still(self, begin: float, end: float) -> bool:
        """Whether the machine did, in that time."""
        return any(first < end and last > begin for first, last in self.stood)

    def first(self, after: float, that: Callable[[SeenReading], bool]) -> float | None:
        """How long after that moment the first such reading came (s)."""
        return next((it.at - after for it in self.seen if it.at > after and that(it)), None)


def watch(
    url: str,
    seconds: float,
    *,
    within_s: float,
    build: Callable[[StreamInfo], Pipeline] | None = None,
    witness: Witness | None = None,
) -> Witness:
    """Run the program on `url` for so much stream time. `build` stands in for the real network.

    Raises
    ------
    TimeoutError
        It was not over `within_s`.
    MoodError
        What ended the run.
    """
    witness = witness or Witness()
    if build is None:
        engine = app.make_engine(resolve({"source": url, "seconds": seconds}), [witness])
    else:
        engine = Engine(open_source(url), build, [witness], seconds=seconds, give_up_s=60.0)
    with Pulse() as pulse:
        engine.start()
        over = engine.done.wait(within_s)
        try:
            engine.stop()
        except MoodError:
            if over:
                raise
    witness.stood = pulse.stood
    if not over:
        health = engine.health
        raise TimeoutError(f"not over within {within_s:g} s: {health.state.value}, {health.samples} samples")
    return witness


@dataclass(frozen=True, slots=True)
class Account:
    """Samples sent against samples received."""

    missing: int
    """Sent between the first and the last that were received, and never received."""
    lost: int
    """What the program reported of that."""
    twice: int
    """Passed on although they had been before."""
    off: int
    """By how many samples the most misplaced one is."""
    foreign: int
    """Received and never sent."""
    stamps_off_s: float
    """By how much the stamps left the truth at most, from the tenth second on."""
    numbers: np.ndarray
    """The true number of the last sample of each chunk."""


def account(witness: Witness, sent: np.ndarray, columns: tuple[int, ...]) -> Account:
    """Look every received row up among the rows `sent` (n_times, n_chans), by two `columns` nothing was done to."""
    keys, order = _keys(sent, columns), np.argsort(_keys(sent, columns))
    rows = np.concatenate([chunk.data for chunk in witness.chunks])
    index = np.concatenate([np.arange(chunk.first, chunk.end) for chunk in witness.chunks])
    found = _keys(rows, columns)
    at = np.clip(np.searchsorted(keys, found, sorter=order), 0, len(keys) - 1)
    numbers = np.where(keys[order[at]] == found, order[at], -1)
    known = numbers[numbers >= 0]
    if not len(known):
        raise ValueError("nothing that was received had been sent")
    distinct = np.unique(known)
    shift = index[numbers >= 0] - known
    ends = np.cumsum([len(chunk) for chunk in witness.chunks]) - 1
    sfreq = witness.info.sfreq if witness.info else 0.0
    late = np.array([chunk.t_last for chunk in witness.chunks]) - numbers[ends] / sfreq
    settled = numbers[ends] >= 10 * sfreq
    usual = np.median(late[~settled]) if (~settled).any() else 0.0
    return Account(
        int(distinct[-1] - distinct[0] + 1 - len(distinct)),
        witness.health.lost,
        len(known) - len(distinct),
        int(np.abs(shift - shift[0]).max()),
        int((numbers < 0).sum()),
        float(np.abs(late[settled] - usual).max()) if settled.any() else 0.0,
        numbers[ends],
    )


def _keys(rows: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
    bits = np.ascontiguousarray(rows[:, list(columns)], np.float32).view(np.uint32).astype(np.uint64)
    return (bits[:, 0] << np.uint64(32)) | bits[:, 1]
