"""The outlet's faults, as another program on the network sees them."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pylsl
import pytest
from forking import ForkedProcess, Start
from recordings import counting, write_fif
from waiting import until

from realtime_mood.contracts import Stream
from realtime_mood.errors import ConfigError, SourceLost, SourceNotFound
from realtime_mood.sources import open_source
from realtime_mood.sources.lsl.outlet import play

SFREQ = 250.0
SAYING = (
    "import functools; from realtime_mood.sources.lsl.outlet import play; say = functools.partial(print, flush=True); "
)


@pytest.fixture
def start(program: Start, tmp_path: Path, name: str) -> Start:
    """Plays a recording that counts its samples, with faults, in a process of its own."""

    def begin(seconds: float, faults: str) -> ForkedProcess:
        write_fif(tmp_path / "a_raw.fif", counting(seconds, SFREQ), SFREQ)
        told = {"faults": faults, "source_id": f"{name}-id"}
        code = f"{SAYING}play({str(tmp_path / 'a_raw.fif')!r}, {name!r}, say=say, **{told!r})"
        process = program(code=code)
        assert "waiting" in process.stdout.readline()
        return process

    return begin


def numbers_until_lost(name: str, at_most: int = 10**9) -> list[int]:
    """The first channel, which counts, from when it can be had until the stream goes away."""
    numbers: list[int] = []
    deadline = time.monotonic() + 20
    stream: Stream | None = None
    while stream is None:
        with contextlib.suppress(SourceNotFound):  # an outlet that dies is announced a moment more, beside the new one
            stream = open_source(f"lsl://{name}?type=EEG").open()
        assert time.monotonic() < deadline
    with contextlib.closing(stream), contextlib.suppress(SourceLost):
        while time.monotonic() < deadline and len(numbers) < at_most:
            if (chunk := stream.read(0.1)) is not None:
                numbers += np.round(chunk.data[:, 0]).astype(int).tolist()
    return numbers


def on_the_network(source_id: str) -> list[Any]:
    return [told for told in pylsl.resolve_streams(0.7) if told.source_id() == source_id]


def test_what_arrives_is_what_the_truth_says_across_a_death(start: Start, name: str) -> None:
    process = start(30.0, "hole:0.1@0.5,drop:0.1@0-1,flat:C3@0,kill:0.5@1.5")
    before, after = numbers_until_lost(name), numbers_until_lost(name, at_most=100)
    process.terminate()
    said, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "0.5 s: everything is lost for 0.1 s" in said
    assert "1.5 s: gone for 0.5 s" in said
    assert "2.0 s: over: gone for 0.5 s" in said
    truth = json.loads(said.split(": truth ")[1].splitlines()[0])
    lost = {number for first, end in truth["lost"] for number in range(first, end)}
    assert set(range(125, 150)) | set(range(375, 500)) <= lost
    assert before == [number for number in range(375) if number not in lost]
    assert after == [*range(after[0], after[-1] + 1)]
    assert 500 <= after[0] < after[-1] < truth["end"]


def test_what_is_sent_twice_is_taken_once(start: Start, name: str) -> None:
    process = start(4.0, "duplicate:0.3@1")
    numbers = numbers_until_lost(name)
    said, _ = process.communicate(timeout=10)
    assert json.loads(said.split(": truth ")[1].splitlines()[0])["sent_twice"]
    assert numbers == [*range(numbers[0], 1000)]


def test_decoys_bear_its_id_but_are_something_else(start: Start, name: str) -> None:
    start(20.0, "decoy:15@0.2,fewer:1@0.4")
    source_id = f"{name}-id"
    numbers_until_lost(name)  # it turns into a stream with fewer channels
    until(lambda: len(on_the_network(source_id)) == 3)
    found = {(told.name(), told.type(), told.channel_count()) for told in on_the_network(source_id)}
    assert found == {(name, "EEG", 3), (name, "Accelerometer", 4), (f"{name}-decoy", "EEG", 4)}


def test_it_can_be_nameless_announce_another_rate_and_count_from_1970(start: Start, name: str) -> None:
    process = start(1.0, "anonymous,announce:256,unix,inf:C3@0.5")
    (told,) = pylsl.resolve_byprop("name", name, 1, 5.0)
    assert (told.source_id(), told.nominal_srate()) == ("", 256.0)
    inlet = pylsl.StreamInlet(told, recover=False)
    rows, stamps = [], []
    while len(rows) < SFREQ:
        data, at = inlet.pull_chunk(1.0)
        rows += data
        stamps += at
    assert abs(stamps[-1] - time.time()) < 60
    assert (len(stamps) - 1) / (stamps[-1] - stamps[0]) == pytest.approx(SFREQ, rel=1e-3)
    infinite = np.isinf(np.array(rows))
    assert np.array_equal(infinite.any(axis=0), [False, True, False, False])
    assert np.array_equal(infinite[:, 1], np.arange(len(rows)) >= 125)
    del inlet
    assert process.wait(timeout=10) == 0


@pytest.mark.parametrize(
    ("file", "faults", "says"),
    [
        ("synthetic://?n_chans=8", "flat:Q7", "Fp1"),
        ("synthetic://?n_chans=8&faults=dropp", "", "known are drop"),
        ("brainflow://synthetic", "drop", "live"),
    ],
)
def test_a_wrong_word_is_named_before_anything_is_announced(name: str, file: str, faults: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        play(file, name, faults=faults, wait_s=0.0)
