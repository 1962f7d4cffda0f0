"""The check of a sink: every kind of reading, deadlines, two runs of one engine, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import zip_longest

import numpy as np

from .. import clock
from ..contracts import Outgoing, Prepared, Sink, Tap
from ..health import Emission, Health, Output, State
from ..types import Chunk, Marker, StreamInfo
from .parts import INFO, cut, example_readings, pink
from .waiting import no_threads_left, require, within

PUT_S, HANG_S, CLOSE_S = 0.1, 5.0, 3.0
"""How long `put`, and what a `Tap` is given, may take typically; at most, on a busy machine; and `close`."""


def check_sink(make: Callable[[], Sink], *, readings: Sequence[Emission] | None = None) -> None:
    """Check a sink against `contracts.Sink`, and `Prepared`, `Outgoing` and `Tap` where it has their methods.

    Raises `Violation` where it differs.

    Parameters
    ----------
    make : callable
        Makes a new sink.
    readings : sequence of Emission, optional
        What to give it, in place of `example_readings`.
    """
    with no_threads_left("the sink"):
        sink = make()
        for name in ("put", "close"):
            require(callable(getattr(sink, name, None)), f"the sink's {name}()", "there is none", "define it")
        for run in ("the first run", "a second run"):
            _run(sink, list(example_readings() if readings is None else readings), run)


def _run(sink: Sink, readings: list[Emission], run: str) -> None:
    """One run as an engine would: prepare, samples, readings, close."""
    info = readings[0].info if readings else INFO
    if isinstance(sink, Prepared):
        within(HANG_S, f"prepare() of {run}", sink.prepare)
    chunks, took = _chunks(info), list[float]()
    if isinstance(sink, Tap):
        within(HANG_S, f"open() of {run}", lambda: sink.open(info))
    for emission, chunk in zip_longest(readings, chunks[: len(readings)]):
        if isinstance(sink, Tap) and chunk is not None:
            asked = f"take() of a chunk of {len(chunk)} samples after {chunk.lost} lost"
            within(HANG_S, asked, partial(sink.take, chunk), took=took)
            within(HANG_S, "mark()", partial(sink.mark, Marker(chunk.first, "key é"), chunk.t_last))
        within(HANG_S, f"put() of {_kind(emission)}", partial(sink.put, emission), took=took)
        _outputs(sink)
    typical = float(np.median(took)) if took else 0.0
    do = "hand it to a thread of your own, as sinks.outbox.Outbox does"
    require(typical < PUT_S, f"put() within {1e3 * PUT_S:.0f} ms", f"it takes {1e3 * typical:.0f} ms", do)
    health = Health(State.ENDED, info, samples=sum(map(len, chunks)), readings=len(readings))
    within(CLOSE_S, f"close() of {run}", lambda: sink.close(health))
    _counted(sink, len(readings), run)
    within(CLOSE_S, f"close() a second time, after {run}", lambda: sink.close(health))


def _chunks(info: StreamInfo) -> list[Chunk]:
    """Chunks up to now, two of them empty, one after a gap, one with samples that could not be read."""
    signal = pink(round(4 * info.sfreq), info.n_chans)
    signal[50:60] = np.nan
    signal.flags.writeable = False
    chunks = cut(signal, (40, 0, 40, 7, 0, 60), info.sfreq, clock.now() - 4.0)
    later = len(chunks) // 2
    chunks[later:] = [replace(it, first=it.first + 25, lost=25 if it is chunks[later] else 0) for it in chunks[later:]]
    return chunks


def _kind(emission: Emission) -> str:
    why = getattr(emission.reading, "why", None)
    return f"a reading without an estimate ({why.value})" if why else "an estimate"


def _outputs(sink: Sink) -> None:
    outputs = sink.outputs if isinstance(sink, Outgoing) else ()
    right = isinstance(outputs, tuple) and all(isinstance(it, Output) and it.name for it in outputs)
    require(right, "outputs, a tuple of Output with names", f"{outputs!r}", "say how each is getting on")


def _counted(sink: Sink, n: int, run: str) -> None:
    """Every reading is sent or dropped, where the sink sends elsewhere and takes no samples."""
    if not isinstance(sink, Outgoing) or isinstance(sink, Tap) or not sink.outputs:
        return
    sent, dropped = sink.outputs[0].sent, sink.outputs[0].dropped
    found = f"{sent} sent and {dropped} dropped of {n}"
    require(sent + dropped == n, f"outputs that count every reading of {run}", found, "count each once, from 0")
