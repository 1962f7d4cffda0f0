"""LSL streams of another process that is killed, frozen, replaced and impersonated."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pylsl
import pytest
from forking import ForkedProcess, Start
from lsl_sender import WRAP
from waiting import until

from realtime_mood.contracts import Returning
from realtime_mood.sources import open_source
from realtime_mood.sources.timing import reconnect
from realtime_mood.sources.timing.reconnect import Reconnecting, ReconnectingStream
from realtime_mood.types import Chunk

SFREQ = 250.0
Begin = Callable[..., ForkedProcess]
SENDER = Path(__file__).with_name("lsl_sender.py").read_text()


@pytest.fixture
def start(program: Start) -> Begin:
    """Starts a sender in a process of its own; returns once its stream is there."""

    def start(
        name: str, source_id: str = "id", kind: str = "EEG", n_chans: int = 2, announced: float = SFREQ
    ) -> ForkedProcess:
        sender = program(name, source_id, kind, n_chans, announced, SFREQ, code=SENDER)
        assert sender.stdout.readline() == "up\n"
        return sender

    return start


def listened(stream: ReconnectingStream, until_true: Callable[[], object], timeout: float = 60.0) -> list[Chunk]:
    """What comes until that is so."""
    chunks: list[Chunk] = []

    def step() -> bool:
        if (chunk := stream.read(0.05)) is not None:
            chunks.append(chunk)
        return bool(until_true())

    until(step, timeout)
    return chunks


def seconds(n: float) -> Callable[[], bool]:
    began = time.monotonic()
    return lambda: time.monotonic() - began >= n


def kill(sender: ForkedProcess) -> None:
    sender.kill()
    sender.wait()


def assert_every_sample_in_its_place(chunks: list[Chunk]) -> None:
    """The count goes on across absences just as the device's own did, and no sample comes twice."""
    index = np.concatenate([np.arange(chunk.first, chunk.end) for chunk in chunks])
    number = np.concatenate([chunk.data[:, 0] for chunk in chunks])
    # How long it was away is known as well as the library knows the offset between the clocks: to a sample or so.
    assert np.ptp(np.mod(number - index, WRAP)) <= 2
    for chunk in chunks:
        assert np.ptp(np.mod(chunk.data[:, 0] - np.arange(len(chunk)), WRAP)) == 0
    assert (np.diff(index) > 0).all()
    assert (np.diff([chunk.t_last for chunk in chunks]) > 0).all()
    assert sum(chunk.lost for chunk in chunks[1:]) == index[-1] + 1 - chunks[0].first - len(index)


@pytest.mark.parametrize("source_id", ["id", "-"])
def test_killed_and_back(name: str, start: Begin, source_id: str) -> None:
    sender = start(name, source_id)
    with closing(Reconnecting(open_source(f"lsl://{name}")).open()) as stream:
        chunks = listened(stream, seconds(0.5))
        for _ in range(2):
            kill(sender)
            chunks += listened(stream, lambda: stream.away_since is not None)
            sender = start(name, source_id)
            chunks += listened(stream, lambda: stream.away_since is None)
            chunks += listened(stream, seconds(0.2))
    assert sum("came back" in note for note in stream.notes) == 2
    assert_every_sample_in_its_place(chunks)


def test_frozen_and_thawed_loses_nothing(name: str, start: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnect, "SILENT_S", 0.5)
    sender = start(name)
    with closing(Reconnecting(open_source(f"lsl://{name}")).open()) as stream:
        chunks = listened(stream, seconds(0.5))
        sender.send_signal(signal.SIGSTOP)
        chunks += listened(stream, lambda: stream.away_since is not None)
        chunks += listened(stream, seconds(2.0))
        sender.send_signal(signal.SIGCONT)
        chunks += listened(stream, lambda: stream.away_since is None)
        chunks += listened(stream, seconds(0.3))
    assert sum(chunk.lost for chunk in chunks) == 0
    assert "nothing lost" in stream.notes[-1]
    assert_every_sample_in_its_place(chunks)


@pytest.mark.parametrize(
    ("decoy", "says"),
    [
        ({"source_id": "other"}, "source_id other"),
        ({"source_id": "-"}, "source_id none"),
        ({"kind": "ACC"}, "(ACC"),
        ({"n_chans": 3}, "3 ch"),
        ({"announced": 125.0}, "125 Hz"),
    ],
)
def test_another_stream_is_not_taken_for_it(name: str, start: Begin, decoy: dict[str, str], says: str) -> None:
    sender = start(name)
    with closing(Reconnecting(open_source(f"lsl://{name}")).open()) as stream:
        chunks = listened(stream, seconds(0.1))
        kill(sender)
        start(name, **decoy)
        chunks += listened(stream, lambda: any(says in note for note in stream.notes))
        assert stream.away_since is not None
        assert len(stream.notes) == 1
        if "kind" in decoy:  # and beside it, the very one is found
            start(name)
            chunks += listened(stream, lambda: stream.away_since is None)
            assert_every_sample_in_its_place(chunks)


@pytest.mark.parametrize("when", ["before", "while it is read"])
def test_a_twin_that_was_there_beside_it_is_not_taken_for_it(name: str, start: Begin, when: str) -> None:
    """It says the same of itself, down to the source_id: an inlet that recovers by that would go on with it."""
    twins = [start(name) for _ in range(1 + (when == "before"))]
    (told, *_) = pylsl.resolve_byprop("name", name, len(twins), 10.0)
    url = f"lsl://{name}?uid={told.uid()}" if when == "before" else f"lsl://{name}"
    with closing(Reconnecting(open_source(url)).open()) as stream:
        chunks = listened(stream, seconds(0.1))
        if when != "before":
            twins.append(start(name))
            chunks += listened(stream, seconds(1.5))
            kill(twins[0])
        else:
            for twin in twins:  # whichever was meant
                kill(twin)
            start(name)
        chunks += listened(stream, lambda: any("another stream" in note for note in stream.notes))
        assert stream.away_since is not None
        if when != "before":  # and beside it, its own sender is found again
            start(name)
            chunks += listened(stream, lambda: stream.away_since is None)
            assert_every_sample_in_its_place(chunks)


def test_closing_while_it_is_looked_for(name: str, start: Begin) -> None:
    source = open_source(f"lsl://{name}")
    assert isinstance(source, Returning)
    sender = start(name)
    stream = Reconnecting(source).open()
    kill(sender)
    listened(stream, lambda: stream.away_since is not None)
    began = time.monotonic()
    stream.close()
    assert time.monotonic() - began < 2.0


def test_a_rate_that_is_not_the_announced_one_is_measured_and_said(name: str, start: Begin) -> None:
    sender = start(name, announced=256.0)
    with closing(Reconnecting(open_source(f"lsl://{name}")).open()) as stream:
        assert stream.info.sfreq == SFREQ
        assert stream.info.notes == ("announces 256 Hz, sends 250 Hz: read as 250",)
        chunks = listened(stream, seconds(0.3))
        kill(sender)
        start(name, announced=256.0)
        chunks += listened(stream, lambda: stream.away_since is not None)
        chunks += listened(stream, lambda: stream.away_since is None)
    assert_every_sample_in_its_place(chunks)
    with closing(open_source(f"lsl://{name}?sfreq=256").open()) as told:
        assert (told.info.sfreq, told.info.notes) == (256.0, ())
