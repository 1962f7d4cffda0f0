"""Guard around a sink of another package: it runs on its own thread and cannot delay samples or readings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..body.measure import BodyReading, BodySink
from ..contracts import Prepared, Sink, Tap
from ..guard import words_of
from ..health import Emission, Health, RecordingState
from ..types import Chunk, Marker, StreamInfo
from .outbox import Outbox

WAITING = 64  # length of the queue of readings and chunks; beyond it the oldest are dropped and counted


class GuardedSink(Outbox[Callable[[], object]]):
    """Calls a sink through a queue; an exception is reported and affects only that call.

    `make` makes the sink, or raises: it is called on the sink's own thread at the start of each run.
    """

    limit = WAITING

    def __init__(self, name: str, make: Callable[[], Sink]) -> None:
        super().__init__(name)
        self._make, self._health = make, Health()
        self._sink: Sink | None = None

    def start(self) -> None:
        """Make the sink, and prepare it before the source is opened."""
        if self._sink is None:
            sink = self._make()
            if isinstance(sink, Prepared):
                sink.prepare()
            self._sink = sink

    def deliver(self, item: Callable[[], object]) -> None:
        """Make one call; what it raises is noted, even where the next call succeeds."""
        try:
            item()
        except Exception as error:
            self.on_fault(f"{self.output.name} failed: {words_of(error)}")
            raise

    def shut(self) -> None:
        """Close the sink, once per run."""
        sink, self._sink = self._sink, None
        if sink is not None:
            try:
                sink.close(self._health)
            except Exception as error:
                self.on_fault(f"{self.output.name} failed while closing: {words_of(error)}")

    # -- what the engine calls ----------------------------------------------------------------------------------

    def put(self, item: Callable[[], object] | Emission) -> None:
        """Queue a reading for the sink's thread; returns at once."""
        super().put(partial(self._give, "put", item) if isinstance(item, Emission) else item)

    def put_body(self, reading: BodyReading) -> None:
        """Queue the measures of the body, for a sink that takes them."""
        if self._sink is None or isinstance(self._sink, BodySink):
            super().put(partial(self._give, "put_body", reading))

    def close(self, health: Health) -> None:
        self._health = health
        super().close(health)

    def open(self, info: StreamInfo) -> None:
        self._give_later("open", info)

    def take(self, chunk: Chunk) -> None:
        self._give_later("take", chunk)

    def mark(self, marker: Marker, t: float) -> None:
        self._give_later("mark", marker, t)

    @property
    def recording(self) -> RecordingState | None:
        """None: the recording of a run is the program's own."""
        return None

    def _give_later(self, what: str, *args: object) -> None:
        """Samples and markers are only for a sink that is a `Tap`."""
        if self._sink is None or isinstance(self._sink, Tap):
            super().put(partial(self._give, what, *args))

    def _give(self, what: str, *args: object) -> None:
        if isinstance(self._sink, {"put": object, "put_body": BodySink}.get(what, Tap)):
            getattr(self._sink, what)(*args)
