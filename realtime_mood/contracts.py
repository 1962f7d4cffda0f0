"""Protocols of the runtime: the methods that a source, sink, network, measure, receiver or listener must have.

Any class with these methods fits; ``realtime_mood.testing`` checks that it behaves as described here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from .auxiliary import AuxChunk, AuxInfo
from .corrections import Corrections
from .drift import Drift
from .entropy import Population, Statistics
from .guard import Report
from .health import Emission, Feedback, Health, Output, RecordingState
from .types import Array, Chunk, Features, Marker, Reading, Readout, StreamInfo, Why, Window


class Stream(Protocol):
    """An open stream. It exists only while connected, so it needs no `connected` flag."""

    @property
    def info(self) -> StreamInfo:
        """Description of the stream; constant while it is open."""

    def read(self, timeout: float) -> Chunk | None:
        """The samples that arrived since the last call; None if there were none within `timeout` s.

        Raises `StreamEnded` at the end of a finite source, `SourceLost` when the device is lost for good.
        """

    def close(self) -> None:
        """Release the device. May be called twice."""


class Source(Protocol):
    """Something that can be opened."""

    def open(self) -> Stream:
        """Raises `SourceNotFound` or `StreamMismatch`."""


class NamedSource(Source, Protocol):
    """A source that knows the URL it was made from."""

    name: str


@runtime_checkable
class Returning(Source, Protocol):
    """A source whose device can disappear and return; used by `sources.timing.reconnect`."""

    exclusive: bool
    """True where the device serves one session only, so that the old one must be closed before a new one is tried."""

    def reopen(self, info: StreamInfo) -> Stream:
        """Open the same stream that `info` described again, and return it once a live sample has arrived.

        Called repeatedly, never concurrently; gives up after about a second. Raises `SourceNotFound` while it is not
        there yet, `StreamMismatch` when another stream answers.
        """


@runtime_checkable
class Patient(Protocol):
    """A source that may search for its device for seconds, and can be cancelled."""

    def cancel(self) -> None:
        """Make an `open` or `reopen` in progress give up soon; called from any thread."""


class Network(Protocol):
    """One readout of a loaded network, on one montage."""

    readout: Readout
    least_confidence: float
    """Below this probability the network is unsure."""

    @property
    def population(self) -> Population:
        """DE of the subjects it was trained on: where a subject without a profile starts."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user on how it runs."""

    def __call__(self, features: Features) -> tuple[tuple[float, ...], Array]:
        """Probabilities of the labels, and attention (n_chans, n_bands). Features are normalised."""


@runtime_checkable
class BatchNetwork(Network, Protocol):
    """A network that also computes several windows together: faster where no reading has to be on time."""

    def many(self, features: Sequence[Features]) -> list[tuple[tuple[float, ...], Array]]:
        """As a call for each of `features`, within 1e-5; may be called from several threads at once."""


class NetworkProvider(Protocol):
    """Loaded weights, which make a network for any stream: what is registered in ``realtime_mood.networks``.

    Optional attributes: `spec`, the `FeatureSpec` of its features, and `sha256`, its version.
    """

    def network(self, info: StreamInfo, readout: str, profile: Any) -> Network:
        """Its network on this stream.

        `readout` is a name, or ``auto`` for any; `profile` the subject's `Profile`, or None.
        Raises `ConfigError` or `StreamMismatch` if there is none for them.
        """


class Estimator(Protocol):
    """Turns features into a reading. `why` is set when there must be no estimate."""

    @property
    def readout(self) -> Readout: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def normal(self) -> Features | None:
        """The newest normalised features; None before the first, or without a network."""

    def __call__(self, features: Features, window: Window, why: Why | None) -> Reading: ...


@runtime_checkable
class BatchEstimator(Estimator, Protocol):
    """An `Estimator` that can compute several windows together."""

    batches: bool
    """Whether its network can."""

    def many(self, items: Sequence[tuple[Features, Window, Why | None]]) -> list[Reading]:
        """As a call for each of `items`; may be called from several threads at once."""


@runtime_checkable
class Learner(Protocol):
    """An `Estimator` that adapts to the subject by stream time; `profile`, if any, is as the user has changed it."""

    @property
    def drift(self) -> Drift | None: ...

    @property
    def profile(self) -> Any: ...

    @property
    def corrections(self) -> Corrections | None: ...

    @property
    def eye_population(self) -> Population | None: ...  # of the features of eye movements; None where it uses none

    def renew(self, what: str) -> None:
        """Carry out a `baseline.BaselineRequest`."""

    def correct(self, label: str, items: Sequence[tuple[Features, Window]], time: float) -> None:
        """Label windows; what counts then is used for windows after `time` (s)."""

    def state(self) -> dict[str, Any]:
        """What it has learnt since the run began, as JSON values: for a recording that begins in the middle of it."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from the `state` of another estimator of the same kind."""

    def take_over(self, other: Any) -> None:
        """Go on with the baseline that another estimator of the same kind had."""

    def learn(self, features: Features, end: int) -> Statistics:
        """Update with the features (without patches) of each window in turn; return the statistics for reading it."""


class Sink(Protocol):
    """An output for readings.

    A reading whose `put` raises is lost; a sink that keeps raising is closed and gets no more. `close` is called once
    per run, from a separate thread, and is abandoned if it hangs.
    """

    def put(self, emission: Emission) -> None: ...

    def close(self, health: Health) -> None: ...


@runtime_checkable
class Prepared(Protocol):
    """A sink or receiver that is opened before the source is, at the start of every run."""

    def prepare(self) -> None:
        """Open it; if this raises, the run goes on without it."""


@runtime_checkable
class Outgoing(Sink, Protocol):
    """A sink that sends readings to other programs, counts them, and never blocks."""

    @property
    def outputs(self) -> tuple[Output, ...]: ...


@runtime_checkable
class Tap(Sink, Protocol):
    """A sink that also receives every sample: the recorder, feedback. Every call returns at once."""

    def open(self, info: StreamInfo) -> None:
        """Called from the acquisition thread before the first chunk."""

    def take(self, chunk: Chunk) -> None:
        """Called from the acquisition thread with each chunk as it arrived, including backlogs."""

    def mark(self, marker: Marker, t: float) -> None:
        """Called from any thread with a key press or stream marker at `t` (s, our clock); chunks carry their own."""

    @property
    def recording(self) -> RecordingState | None:
        """Progress, where the sink is a recording."""


class BeforeJoining(NamedTuple):
    """What came in the half minute before a tap is added to a run; nothing of it comes again."""

    chunks: Sequence[Chunk]  # of the EEG, with the markers of their samples
    ahead: Sequence[tuple[Marker, float]]  # markers of samples to come, and their times (s, our clock)
    beside: Sequence[tuple[AuxInfo, AuxChunk]]


@runtime_checkable
class Joining(Tap, Protocol):
    """A tap that can be added in the middle of a run: the recorder."""

    def join(self, first: int, begun: Mapping[str, object]) -> None:
        """Called before `open`: its first sample has index `first`, and `begun` is the state of the pipeline."""

    def begin(self, before: BeforeJoining) -> None:
        """Called after `open`, before everything else. What it gets is in memory already."""


@runtime_checkable
class Reporting(Protocol):
    """A part with its own threads; the engine sets `on_fault` before starting them."""

    on_fault: Report


class Director(Protocol):
    """Leads the subject through a protocol by stream time. Called from the acquisition thread; returns at once."""

    def open(self, info: StreamInfo) -> None: ...

    def direct(self, chunk: Chunk) -> Chunk:
        """The chunk, with markers of events within it."""


class MeasureKind(Protocol):
    """A kind of fast measure: a number made of the mean log power of a session's electrodes, thirty times a second.

    It keeps no state: the same power gives the same number, however the stream is cut.
    """

    def __call__(self, power: np.ndarray, over: np.ndarray | None) -> float:
        """The measure for the log power in the band and, if there is one, in the second band; NaN: no value.

        Both are (n_electrodes,), log µV², in the order of the session's electrodes.
        """


class Condition(Protocol):
    """A feedback condition."""

    def __call__(self, z: float) -> float:
        """Feedback value for the subject's valid value `z`; NaN for no feedback."""


class Receiver(Protocol):
    """An output for feedback; every call returns at once."""

    def put(self, item: Feedback) -> None: ...

    def tell(self, text: str, t: float) -> None:
        """Report the start or end of a block, or a reward, at `t` (s, our clock)."""

    def close(self, health: Health) -> None: ...

    @property
    def output(self) -> Output: ...
