"""Every protocol of the runtime: what a source, sink, network, measure, receiver or listener has to be able to do.

A part that has these methods fits, whatever class it is of; ``realtime_mood.testing`` checks that it keeps to them.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from .entropy import Statistics
from .guard import Report
from .health import Emission, Feedback, Health, Output, RecordingState
from .types import Array, Chunk, Features, Marker, Reading, Readout, StreamInfo, Why, Window

# -- where samples come from --------------------------------------------------------------------------------------


class Stream(Protocol):
    """An open stream. It exists only while connected, so it needs no `connected` flag."""

    @property
    def info(self) -> StreamInfo:
        """What it promises; the same for as long as it is open."""
        ...

    def read(self, timeout: float) -> Chunk | None:
        """The samples that arrived since the last call; None when there were none within `timeout` s.

        Raises `StreamEnded` when a finite source is done, `SourceLost` when the device is gone for good.
        """
        ...

    def close(self) -> None:
        """Let go of the device. May be called twice."""
        ...


class Source(Protocol):
    """Something that can be opened."""

    def open(self) -> Stream:
        """Raises `SourceNotFound` or `StreamMismatch`."""
        ...


class NamedSource(Source, Protocol):
    """A source that has the URL it was asked for by."""

    name: str


@runtime_checkable
class Returning(Source, Protocol):
    """A source whose device may go away and come back: what `sources.timing.reconnect` needs to know of it."""

    exclusive: bool
    """True where the device serves one session only, so that the old one must be closed before a new one is tried."""

    def reopen(self, info: StreamInfo) -> Stream:
        """The very stream that `info` described, opened again, from which a live sample has been seen.

        Called over and over, never twice at once; gives up after about a second. Raises `SourceNotFound` when it is
        not there yet, `StreamMismatch` when something else answers.
        """
        ...


@runtime_checkable
class Patient(Protocol):
    """A source that may look for its device for seconds, and can be told to stop."""

    def cancel(self) -> None:
        """From any thread: an `open` or `reopen` that is under way gives up soon."""
        ...


class SignalFile(Protocol):
    """A file that plays. Sample indices count lost samples too, so ``index / sfreq`` is the recording's time."""

    ch_names: tuple[str, ...]
    sfreq: float
    runs: tuple[tuple[int, int], ...]
    """``[first, end)`` of each unbroken stretch of samples, in order; what lies between was lost."""
    reference: str
    virtual: bool
    notes: tuple[str, ...]

    def rows(self, first: int, end: int) -> Array:
        """Samples ``[first, end)`` of one stretch: (n_times, n_chans), µV."""
        ...

    def markers(self) -> list[Marker]:
        """What happened, in order."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


# -- from features to readings ------------------------------------------------------------------------------------


class Network(Protocol):
    """One readout of a loaded network, on one montage."""

    readout: Readout
    least_confidence: float
    """Below this the network is unsure."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should know about how it runs."""
        ...

    def __call__(self, features: Features) -> tuple[tuple[float, ...], Array]:
        """Probabilities of the labels, and attention (n_chans, n_bands). Features are normalised."""
        ...


class Estimator(Protocol):
    """From features to a reading. `why` is set when there must be no estimate."""

    @property
    def readout(self) -> Readout: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def normal(self) -> Features | None:
        """The newest features as a network is given them; None before the first, or where none is."""
        ...

    def __call__(self, features: Features, window: Window, why: Why | None) -> Reading: ...


@runtime_checkable
class Learner(Protocol):
    """An `Estimator` whose statistics follow the subject by stream time."""

    def learn(self, features: Features, end: int) -> Statistics:
        """Take in the features, less patches, of every window in turn; return the statistics for reading it."""
        ...


# -- where readings go --------------------------------------------------------------------------------------------


class Sink(Protocol):
    """Somewhere readings go.

    What `put` raises costs that reading; a sink that goes on raising is closed and gets no more. `close` comes exactly
    once a run, from a thread of its own, and is given up where it hangs.
    """

    def put(self, emission: Emission) -> None: ...

    def close(self, health: Health) -> None: ...


@runtime_checkable
class Prepared(Sink, Protocol):
    """A sink that is opened before the source is, at the start of every run."""

    def prepare(self) -> None:
        """Open it; what this raises keeps the sink, and only it, out of the run."""
        ...


@runtime_checkable
class Outgoing(Sink, Protocol):
    """A sink that sends elsewhere, counts, and never waits."""

    @property
    def outputs(self) -> tuple[Output, ...]: ...


@runtime_checkable
class Tap(Sink, Protocol):
    """A sink that wants every sample as well: the recorder, feedback. Every call returns at once."""

    def open(self, info: StreamInfo) -> None:
        """From the acquisition thread, before the first chunk."""
        ...

    def take(self, chunk: Chunk) -> None:
        """From the acquisition thread: each chunk as it came, backlogs and all."""
        ...

    def mark(self, marker: Marker, t: float) -> None:
        """From any thread: a key or a marker stream's word, at `t` (s, our clock). Chunks bring their own markers."""
        ...

    @property
    def recording(self) -> RecordingState | None:
        """How it is getting on, where it is a recording."""
        ...


# -- beside a run -------------------------------------------------------------------------------------------------


@runtime_checkable
class Reporting(Protocol):
    """Something with threads of its own; the engine sets `on_fault` before it starts them."""

    on_fault: Report


class Listener(Protocol):
    """Something that hears markers beside the stream, on a thread of its own."""

    def start(self) -> None: ...

    def close(self) -> None: ...


@runtime_checkable
class Noting(Protocol):
    """A listener that says what is odd about what it hears."""

    report: Report


class Director(Protocol):
    """Somebody who leads the person by the stream's own time. Called from the acquisition thread; returns at once."""

    def open(self, info: StreamInfo) -> None: ...

    def direct(self, chunk: Chunk) -> Chunk:
        """The chunk, with markers of what happened in it."""
        ...


# -- feedback -----------------------------------------------------------------------------------------------------


class MeasureKind(Protocol):
    """A kind of fast measure: a number made of the mean log power of a session's electrodes, thirty times a second.

    It keeps no state: the same power gives the same number, however the stream is cut.
    """

    def __call__(self, power: np.ndarray, over: np.ndarray | None) -> float:
        """The measure where the log power of the band is `power` and that of the second band, if any, is `over`.

        Both are (n_electrodes,), of µV², in the order of the session's electrodes. NaN says that there is no value.
        """
        ...


class Condition(Protocol):
    """One way to feed back."""

    def __call__(self, z: float) -> float:
        """What is fed back where the person's own is `z`, both valid; NaN for no feedback."""
        ...


class Receiver(Protocol):
    """Somewhere feedback goes; returns at once."""

    def put(self, item: Feedback) -> None: ...

    def tell(self, text: str, t: float) -> None:
        """A block that begins or ends, or a reward, at `t` (s, our clock)."""
        ...

    def close(self, health: Health) -> None: ...

    @property
    def output(self) -> Output: ...


@runtime_checkable
class PreparedReceiver(Receiver, Protocol):
    """A receiver that is opened before the run."""

    def prepare(self) -> None: ...
