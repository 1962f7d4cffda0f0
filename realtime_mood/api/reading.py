"""Readings as Python code uses them: iterated live or offline, and gathered into tables."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Self

from ..contracts import Sink
from ..health import Emission, Health
from ..profile import Profile
from ..recording.recorder import Recorder
from ..run.engine import Engine
from ..sinks import open_sink
from ..types import Reading
from .options import reading_options
from .stream import GIVE_UP_S, AnySource, recorder_to, to_source

BUILDER = "realtime_mood.models.building"
"""Puts the network into a pipeline. Imported when it is needed: it lies above this module, and imports torch."""
WAITING = 64  # readings that may wait for the loop: then a source without pace waits, too
MISSED = 1200  # readings of a live source that may wait for the loop, five minutes of them: then the oldest are dropped
LOOK_S = 0.5  # between two checks of a waiting loop


class Inbox:
    """The `Sink` between an engine and the loop that reads from it."""

    def __init__(self) -> None:
        self._items: deque[Emission] = deque(maxlen=MISSED)
        self._changed = threading.Condition()
        self._closed = False

    def put(self, emission: Emission) -> None:
        """Hand over a reading; a source without pace waits for the loop."""
        with self._changed:
            if not emission.info.paced:
                self._changed.wait_for(lambda: self._closed or len(self._items) < WAITING)
            if not self._closed:
                self._items.append(emission)
            self._changed.notify_all()

    def close(self, health: Health | None = None) -> None:
        """The run is over: the readings that wait may still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def leave(self) -> None:
        """The loop is over: drop the readings that wait, and let the engine go on."""
        with self._changed:
            self._items.clear()
            self.close()

    def get(self) -> Emission | None:
        """The next reading, waiting for it; None after the last."""
        with self._changed:
            while not self._changed.wait_for(lambda: self._items or self._closed, LOOK_S):
                pass  # a wait without a limit could not be interrupted by Ctrl-C on every system
            emission = self._items.popleft() if self._items else None
            self._changed.notify_all()
            return emission


def _readings(engine: Engine, inbox: Inbox) -> Generator[Reading, None, None]:
    """Run `engine` while the loop goes on."""
    engine.start()
    try:
        while (emission := inbox.get()) is not None:
            yield emission.reading
    finally:
        inbox.leave()
        engine.stop()


class ReadingStream(Iterator[Reading]):
    """The readings of a run, one by one. Made by `read`.

    The run begins with the first reading that is asked for. It ends with the source, with ``close``, at the end of a
    ``with`` statement, or when this object is deleted.
    """

    def __init__(self, engine: Engine, inbox: Inbox, recorder: Callable[..., Recorder]) -> None:
        self._engine, self._inbox, self._recorder = engine, inbox, recorder
        self._run = _readings(engine, inbox)

    def __next__(self) -> Reading:
        """Wait for the next reading.

        Raises
        ------
        StopIteration
            The source has ended.
        MoodError
            The run has failed: there is no such source, or the device is lost.
        """
        return next(self._run)

    @property
    def health(self) -> Health:
        """State of the run: samples, losses, latencies, notes."""
        return self._engine.health

    def mark(self, text: str) -> bool:
        """Put a marker on the newest sample, for the recording; False before the first."""
        return self._engine.mark(text)

    def record(self, path: str | PathLike[str], *, participant: str = "", session: str = "") -> Path | None:
        """Begin to record samples and readings in the middle of the run, from half a minute ago on.

        The run goes on. In a folder, the file is named after `participant` and `session`.

        Returns
        -------
        Path or None
            The file; None where there is no live signal yet, or the source has no pace (``speed=max``): use
            ``read(..., record=path)`` there.
        """
        recorder = self._recorder(path, participant=participant, session=session)
        return Path(recorder.recording.path) if self._engine.begin_recording(recorder) else None

    def end_recording(self) -> None:
        """Complete the recording that `record` began; the run goes on. The end of the run does so, too."""
        self._engine.end_recording()

    def close(self) -> None:
        """End the run, from any thread. May be called twice."""
        self._inbox.leave()
        with suppress(ValueError):  # the loop is waiting in another thread, and ends by itself
            self._run.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read(
    source: AnySource,
    *,
    readout: str = "auto",
    profile: str | PathLike[str] | Profile | None = None,
    weights: str = "reader-5",
    notch: str | float = "auto",
    repair: str = "none",
    device: str = "auto",
    runtime: str = "auto",
    seconds: float | None = None,
    record: str | PathLike[str] | None = None,
    sinks: Sequence[Sink | str] = (),
    give_up_s: float | None = GIVE_UP_S,
) -> ReadingStream:
    """Iterate the readings of a stream: four a second, each of the ten seconds before it.

    They are those of the command ``run``: live, also while no samples arrive (as `Abstained`); a finite source at
    ``speed=max`` is read as fast as the network takes it.

    Parameters
    ----------
    source : str, Path, Source or EegStream
        A URL, the path of a recording, a source of your own, or a stream from `open_source` that is not read yet.
    readout : str
        ``"effort"``, ``"emotion3"``, the name of the personal readout, or ``"auto"``: chosen for the source.
    profile : path or Profile, optional
        The subject's, made by `calibrate`.
    weights : str
        Shipped weights by name, or a folder.
    notch : {"auto", 50, 60}
        Line frequency to filter out (Hz); ``"auto"`` detects it.
    repair : {"none", "eog"}
        ``"eog"`` subtracts blinks before display and features.
    device : {"auto", "cpu", "cuda"}
    runtime : {"auto", "torch", "onnx"}
        What runs the network; ``"auto"`` is torch where it is installed.
    seconds : float, optional
        End after this much stream time.
    record : path, optional
        Also record samples and readings to this XDF file, or into this folder.
    sinks : sequence of Sink or str
        Further outputs: objects with ``put(emission)`` and ``close(health)``, or URLs, as ``"osc://127.0.0.1:9000"``.
    give_up_s : float or None
        How long to try to reconnect a lost device (s); None: no limit.

    Returns
    -------
    ReadingStream
        Of `Estimate` and `Abstained`: each has ``time`` (s), ``label`` (None where there is no estimate) and
        ``probabilities``.

    Raises
    ------
    ConfigError, WeightsError, ProfileError
        An option is wrong, or a file cannot be read. Errors of the source are raised by the loop.

    Examples
    --------
    >>> import realtime_mood as rm
    >>> readings = list(rm.read("synthetic://?script=rest:2&n_chans=8&speed=max"))
    >>> readings[0], len(readings)
    (Abstained(0.25 s, emotion3: settling), 8)
    >>> for reading in rm.read("lsl://MyHeadset", profile="me.json"):  # doctest: +SKIP
    ...     print(reading.time, reading.label, reading.probabilities)
    """
    path, made = (None, profile) if isinstance(profile, Profile) else (profile, None)
    options = reading_options(
        weights=weights, readout=readout, profile=path, notch=notch, repair=repair, device=device, runtime=runtime
    )
    build = import_module(BUILDER).PipelineBuilder(options, made)
    given = [open_sink(sink) if isinstance(sink, str) else sink for sink in sinks]
    opened, inbox = to_source(source), Inbox()  # last: a wrong option leaves an open stream as it was
    recorder = partial(recorder_to, source=opened, about=build.about(), sinks=sinks)
    taps: list[Sink] = [] if record is None else [recorder(record)]
    engine = Engine(opened, build, [*taps, *given, inbox], seconds=seconds, give_up_s=give_up_s)
    return ReadingStream(engine, inbox, recorder)
