"""Streams of the Lab Streaming Layer: found, understood, counted to the sample, and given up when they are gone."""

from __future__ import annotations

import gc
import re
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pylsl
import pytest
from forking import ForkedProcess, Start
from recordings import counting, write_fif
from waiting import until

from realtime_mood import clock
from realtime_mood.contracts import Stream
from realtime_mood.errors import ConfigError, SourceLost, SourceNotFound, StreamMismatch
from realtime_mood.sources import open_source
from realtime_mood.sources.lsl.outlet import play
from realtime_mood.types import Chunk

SFREQ = 250.0
Outlet = Callable[..., ForkedProcess]


@pytest.fixture
def outlet(program: Start) -> Outlet:
    """Starts the outlet in a process of its own."""

    def start(file: Path | str, name: str, **options: Any) -> ForkedProcess:
        code = (
            "import functools, warnings; warnings.simplefilter('error');"
            "from realtime_mood.sources.lsl.outlet import play;"
            f"play({str(file)!r}, {name!r}, say=functools.partial(print, flush=True), **{options!r})"
        )
        process = program(code=code)
        assert "waiting" in process.stdout.readline()
        return process

    return start


def pushing(name: str, labels: list[str], unit: str = "microvolts", **how: Any) -> pylsl.StreamOutlet:
    """An outlet here, which says as little as some devices do."""
    told = pylsl.StreamInfo(
        name,
        how.get("kind", "EEG"),
        how.get("n_chans", len(labels) or 2),
        how.get("sfreq", SFREQ),
        how.get("form", pylsl.cf_float32),
        how.get("source_id", name + "-id"),
    )
    channels = told.desc().append_child("channels")
    for label in labels:
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", unit)
        channel.append_child_value("type", "AUX" if label == "C4" else "EEG")
    return pylsl.StreamOutlet(told)


def collect(stream: Stream, n: int, seconds: float = 10.0) -> list[Chunk]:
    chunks: list[Chunk] = []
    deadline = time.monotonic() + seconds
    while sum(map(len, chunks)) < n:
        assert time.monotonic() < deadline, f"{sum(map(len, chunks))} of {n} samples came"
        chunk = stream.read(0.1)
        if chunk is not None:
            chunks.append(chunk)
    return chunks


@pytest.mark.parametrize("virtual", [False, True])
def test_the_outlet_sends_every_sample_once_with_its_metadata(
    tmp_path: Path, name: str, outlet: Outlet, virtual: bool
) -> None:
    write_fif(tmp_path / "a_raw.fif", truth := counting(2.5, SFREQ), SFREQ)
    process = outlet(tmp_path / "a_raw.fif", name, virtual=virtual, source_id=f"{name}-id")
    stream = open_source(f"lsl://{name}?type=EEG&source_id={name}-id").open()
    assert stream.info.ch_names == ("Fp1", "C3", "O2", "T8")
    assert (stream.info.sfreq, stream.info.name, stream.info.virtual) == (SFREQ, name, virtual)
    chunks = collect(stream, len(truth))
    np.testing.assert_allclose(np.concatenate([chunk.data for chunk in chunks]), truth, atol=1e-3)
    assert [chunk.first for chunk in chunks] == [0, *(chunk.end for chunk in chunks[:-1])]
    assert not any(chunk.lost for chunk in chunks)
    # The outlet's stamps lie on a line, so ours do, and none is from the future or old.
    t0 = [chunk.t_last - (chunk.end - 1) / SFREQ for chunk in chunks]
    assert max(t0) - min(t0) < 0.003
    assert -0.001 < clock.now() - chunks[-1].t_last < 1.0
    stream.close()
    stream.close()
    said, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert f"{len(truth)} samples sent" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("listened", [False, True])
def test_the_outlet_ends_cleanly_when_interrupted(
    tmp_path: Path, name: str, outlet: Outlet, number: signal.Signals, listened: bool
) -> None:
    write_fif(tmp_path / "a_raw.fif", counting(2.0, SFREQ), SFREQ)
    process = outlet(tmp_path / "a_raw.fif", name, loop=True)
    if listened:
        stream = open_source(f"lsl://{name}").open()
        collect(stream, 600)
        stream.close()
    process.send_signal(number)
    assert process.wait(timeout=5) == 0


def test_a_dead_sender_is_lost_and_a_silent_one_is_not(tmp_path: Path, name: str, outlet: Outlet) -> None:
    write_fif(tmp_path / "a_raw.fif", counting(5.0, SFREQ), SFREQ)
    process = outlet(tmp_path / "a_raw.fif", name, loop=True)
    stream = open_source(f"lsl://{name}").open()
    before = collect(stream, 300)
    process.send_signal(signal.SIGSTOP)
    until(lambda: stream.read(0.1) is None)
    assert stream.read(0.2) is None
    process.send_signal(signal.SIGCONT)
    after = collect(stream, 600)
    assert not any(chunk.lost for chunk in before + after)
    process.kill()
    with pytest.raises(SourceLost):
        collect(stream, 10**9)
    began = time.monotonic()
    stream.close()
    assert time.monotonic() - began < 0.5


def test_a_hole_in_the_stamps_is_counted(name: str) -> None:
    sender = pushing(name, ["C3", "Cz"])
    stream = open_source(f"lsl://{name}").open()
    until(sender.have_consumers)
    t0 = pylsl.local_clock() - 8.0
    sent = [*range(0, 1000), *range(1377, 2000)]
    for first in range(0, len(sent), 10):
        part = np.array(sent[first : first + 10])
        rows = np.column_stack((part, part % 7)).astype(np.float32)
        sender.push_chunk(rows, list(t0 + part / SFREQ))
    chunks = collect(stream, len(sent))
    stream.close()
    assert sum(chunk.lost for chunk in chunks) == 377
    for chunk in chunks:
        np.testing.assert_array_equal(chunk.data[:, 0], np.arange(chunk.first, chunk.end))


def test_unix_stamps_are_put_on_our_clock(name: str) -> None:
    sender = pushing(name, ["C3", "Cz"])
    stream = open_source(f"lsl://{name}").open()
    until(sender.have_consumers)
    sender.push_chunk(np.zeros((50, 2), np.float32), time.time())
    (*_, last) = collect(stream, 50)
    stream.close()
    assert 0 <= clock.now() - last.t_last < 1.0


def test_types_and_units_of_the_channels_are_understood(name: str) -> None:
    sender = pushing(name, ["C3", "C4", "Cz"], unit="volts", form=pylsl.cf_double64)
    stream = open_source(f"lsl://{name}").open()
    until(sender.have_consumers)
    sender.push_chunk(np.full((20, 3), 25e-6))
    (chunk, *_) = collect(stream, 20)
    stream.close()
    assert stream.info.ch_names == ("C3", "Cz")
    np.testing.assert_allclose(chunk.data, 25.0, rtol=1e-6)


@pytest.mark.parametrize(("sd", "query", "factor"), [(15.0, "", 1.0), (15e-3, "units=mV", 1e3), (15e-6, "", 0.0)])
def test_numbers_without_a_unit_are_judged(name: str, sd: float, query: str, factor: float) -> None:
    sender, done = pushing(name, ["C3", "Cz"], unit=""), threading.Event()
    rows = np.random.default_rng(0).normal(-3e4 * sd / 15, sd, (500, 2)).astype(np.float32)

    def send() -> None:
        until(sender.have_consumers)
        t0 = pylsl.local_clock() - len(rows) / SFREQ
        for first in range(0, len(rows), 10):
            sender.push_chunk(rows[first : first + 10], t0 + (first + 10) / SFREQ)
        done.wait(10)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        if factor:
            stream = open_source(f"lsl://{name}?{query}").open()
            data = np.concatenate([chunk.data for chunk in collect(stream, 500)])
            stream.close()
            np.testing.assert_allclose(data, rows * factor, rtol=1e-5)
        else:
            with pytest.raises(StreamMismatch, match="units=V"):
                open_source(f"lsl://{name}?{query}").open()
    finally:
        done.set()
        thread.join()


def test_unnamed_channels_are_asked_for_and_can_be_told(name: str) -> None:
    sender = pushing(name, [], n_chans=2)
    with pytest.raises(StreamMismatch, match="channels="):
        open_source(f"lsl://{name}?units=uV").open()
    stream = open_source(f"lsl://{name}?units=uV&channels=TP9,AF7").open()
    stream.close()
    assert stream.info.ch_names == ("TP9", "AF7")
    del sender


@pytest.mark.parametrize(
    ("how", "says"),
    [({"form": pylsl.cf_string, "kind": "Markers"}, "text"), ({"sfreq": 0.0}, "no regular rate")],
)
def test_what_is_no_signal_is_refused(name: str, how: dict[str, Any], says: str) -> None:
    sender = pushing(name, ["C3"], **how)
    with pytest.raises(StreamMismatch, match=says):
        open_source(f"lsl://{name}?timeout=1").open()
    del sender


def test_two_of_one_name_are_listed_and_told_apart(name: str) -> None:
    twins = [pushing(name, ["C3"], source_id=f"{name}-{i}", sfreq=100.0 * (i + 1)) for i in range(2)]
    markers = pushing(name, ["m"], kind="Markers", form=pylsl.cf_string, sfreq=0.0)
    with pytest.raises(SourceNotFound, match="source_id=") as error:
        open_source(f"lsl://{name}").open()
    assert f"{name}-0" in str(error.value)
    assert "200 Hz" in str(error.value)
    stream = open_source(f"lsl://{name}?source_id={name}-1").open()
    stream.close()
    assert stream.info.sfreq == 200.0
    del twins, markers


@pytest.mark.parametrize("source_id", ["the same", ""])
def test_twins_are_told_apart_by_the_urls_that_are_offered(name: str, source_id: str) -> None:
    twins = [pushing(name, ["C3"], source_id=source_id, sfreq=rate) for rate in (100.0, 200.0)]
    for asked in (f"lsl://{name}?timeout=4", f"lsl://{name}?source_id={source_id.replace(' ', '%20')}"):
        with pytest.raises(SourceNotFound, match="2 streams answer") as error:
            open_source(asked).open()
    rates = set()
    for url in re.findall(r"lsl://\S+", error.value.do):
        with closing(open_source(url).open()) as stream:
            rates.add(stream.info.sfreq)
    assert rates == {100.0, 200.0}
    host = twins[0].get_info().hostname()
    with pytest.raises(SourceNotFound, match="2 streams answer"):
        open_source(f"lsl://{name}?host={host}").open()
    with pytest.raises(SourceNotFound, match="the network shows"):
        open_source(f"lsl://{name}?host=elsewhere&timeout=1").open()


def test_a_stream_without_a_rate_is_refused_with_the_measured_one(name: str) -> None:
    sender, done = pushing(name, ["C3"], sfreq=0.0), threading.Event()

    def send() -> None:
        sent = int(pylsl.local_clock() * SFREQ)
        while not done.wait(0.01):
            numbers = np.arange(sent, int(pylsl.local_clock() * SFREQ))
            if len(numbers):
                sender.push_chunk(np.sin(numbers)[:, None].astype(np.float32) * 20, list(numbers / SFREQ))
                sent = int(numbers[-1]) + 1

    thread = threading.Thread(target=send)
    thread.start()
    try:
        with pytest.raises(StreamMismatch, match="no regular rate, measured 250 Hz") as error:
            open_source(f"lsl://{name}?type=EEG").open()
        assert error.value.do == f"open lsl://{name}?type=EEG&sfreq=250"
        with closing(open_source(f"lsl://{name}?type=EEG&sfreq=250").open()) as stream:
            assert sum(chunk.lost for chunk in collect(stream, 250)) == 0
    finally:
        done.set()
        thread.join()


def test_a_stream_that_is_not_there_is_said_with_those_that_are(name: str) -> None:
    sender = pushing(name, ["C3"])
    with pytest.raises(SourceNotFound, match=name):
        open_source(f"lsl://{name}-other?timeout=0.8").open()
    del sender


def test_the_outlet_refuses_a_live_stream_and_gives_up_on_listeners(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="live"):
        play("lsl://x", name)
    write_fif(tmp_path / "a_raw.fif", counting(2.0, SFREQ), SFREQ)
    with pytest.raises(SourceNotFound, match="no receiver"):
        play(str(tmp_path / "a_raw.fif"), name, wait_s=0.1)


def test_a_virtual_person_can_be_played_and_stays_virtual(name: str, outlet: Outlet) -> None:
    process = outlet("synthetic://?subject=3&sfreq=128&n_chans=8&script=neutral:2", name)
    stream = open_source(f"lsl://{name}").open()
    chunks = collect(stream, 256)
    stream.close()
    assert stream.info.virtual
    assert stream.info.sfreq == 128
    assert chunks[-1].end == 256
    assert process.wait(timeout=10) == 0


def test_without_a_name_it_is_the_only_eeg_stream(name: str) -> None:
    gc.collect()  # outlets of earlier tests, which a caught exception still holds
    senders = [pushing(name, ["C3"]), pushing(name, ["a"], kind="Markers", form=pylsl.cf_string, sfreq=0.0)]
    stream = open_source("lsl://?type=eeg").open()
    stream.close()
    assert stream.info.name == name
    del senders


def test_a_stream_without_a_rate_is_read_at_the_one_it_is_told(name: str) -> None:
    sender = pushing(name, ["C3"], sfreq=0.0)
    stream = open_source(f"lsl://{name}?type=EEG&sfreq=250").open()
    until(sender.have_consumers)
    t0 = pylsl.local_clock() - 0.4
    for first in range(0, 100, 10):
        sender.push_chunk(np.zeros((10, 1), np.float32), list(t0 + np.arange(first, first + 10) / 250.0))
    chunks = collect(stream, 100)
    stream.close()
    assert stream.info.sfreq == 250.0
    assert sum(chunk.lost for chunk in chunks) == 0


def test_a_stream_larger_than_any_headset_is_refused_before_memory_is_taken(name: str) -> None:
    sender = pushing(name, ["C3"], n_chans=5000)
    with pytest.raises(StreamMismatch, match="larger than any EEG"):
        open_source(f"lsl://{name}").open()
    del sender


def test_opening_can_be_left(name: str) -> None:
    source = open_source(f"lsl://{name}?timeout=60")
    failed: list[Exception] = []

    def opening() -> None:
        with pytest.raises(SourceNotFound) as error:
            source.open()
        failed.append(error.value)

    thread = threading.Thread(target=opening)
    thread.start()
    until(lambda: source.cancel() or failed)  # type: ignore[attr-defined]
    thread.join()
