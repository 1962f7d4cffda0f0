"""Fuzzing: thousands of broken inputs, each of which must be used or refused with a message (``make fuzz``).

``python -m benchmarks.fuzz --n 10000``. A target is a name, some valid inputs, and what reads one: it returns a word
for what came of it and raises nothing but `MoodError`. What is added to `TARGETS` is in this run and in the test.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from types import FrameType

import numpy as np

from benchmarks.fuzz_datasets import DATASETS
from benchmarks.fuzz_datasets import SLOW as SLOW_DATASETS
from benchmarks.fuzz_kinds import kinds
from benchmarks.fuzz_metadata import metadata
from benchmarks.fuzz_texts import TEXTS, Target
from realtime_mood.errors import MoodError, StreamEnded
from realtime_mood.plugins import read_options
from realtime_mood.sources import open_source
from realtime_mood.sources.recordings import open_recording
from realtime_mood.sources.recordings.recording import PlaybackOptions
from tests.integration import broken_off, recordings

HANG_S = 20  # no input may take longer; most take milliseconds
MOST_MB = 400  # no input may make the whole run grow by more
MOST_CHUNKS = 40
NUMBERS = b"0,-1,1e308,-1e-308,nan,inf,99999999999999999999,4294967295,,0x10,1;2".split(b",")
WORDS = (b"\x00", b"\xff" * 8, b"\n", b"\r\n", b",", b"\t", b"%", b"<", b"</info>", b"XDF:", b"PK\x03\x04", b"\xc2\xb5")


# -- how an input is broken ----------------------------------------------------------------------------------------


def _flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _overwrite(data: bytearray, rng: random.Random) -> None:
    at, n = rng.randrange(len(data)), rng.choice((1, 2, 4, 8, 64))
    data[at : at + n] = rng.choice((b"\xff" * n, b"\x7f" * n, bytes(n), rng.randbytes(n)))


def _insert(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    data[at:at] = rng.choice((*WORDS, rng.randbytes(rng.choice((1, 7, 100)))))


def _delete(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.choice((1, 2, 8, 100, len(data) // 3))]


def _repeat(data: bytearray, rng: random.Random) -> None:
    at, to = rng.randrange(len(data)), rng.randrange(len(data))
    data[to:to] = data[at : at + rng.choice((1, 8, 100, len(data) // 3))]


def _renumber(data: bytearray, rng: random.Random) -> None:
    head = len(data) if rng.random() < 0.3 else min(len(data), 1500)
    numbers = list(re.finditer(rb"-?\d+(\.\d+)?", data[:head]))
    if numbers:
        at = rng.choice(numbers)
        new = rng.choice((*NUMBERS, str(rng.randrange(-10, 10**9)).encode()))
        data[at.start() : at.end()] = new[: len(at[0])].ljust(len(at[0])) if rng.random() < 0.5 else new


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


WAYS = (_flip, _overwrite, _insert, _delete, _repeat, _renumber, _renumber, _cut)


def broken(seed: bytes, rng: random.Random) -> bytes:
    """`seed`, broken in one to four ways, mostly near its beginning, where headers are."""
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if not data:
            break
        if rng.random() < 0.5:
            head, tail = data[:1500], data[1500:]
            rng.choice(WAYS[:-1])(head, rng)
            data = head + tail
        else:
            rng.choice(WAYS)(data, rng)
    return bytes(data)


# -- recordings ----------------------------------------------------------------------------------------------------


@contextmanager
def _file(name: str, content: bytes, beside: dict[str, bytes]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        for other, data in beside.items():
            (Path(folder) / other).write_bytes(data)
        (Path(folder) / name).write_bytes(content)
        yield Path(folder) / name


def _own_reader(name: str) -> Target:
    """One of our readers, with nothing around it that would turn an accident into a message."""
    query, sfreq, _, write = recordings.GAPPY[name]
    words = dict(part.split("=") for part in query.split("&") if part)
    options = read_options(PlaybackOptions, name, words)

    @cache
    def seeds() -> tuple[bytes, ...]:
        index = np.r_[0:200, 230 : round(2 * sfreq)]
        with _file(name, b"", {}) as path:
            write(path, recordings.counting(2.0, sfreq)[index], sfreq, index)
            return (path.read_bytes(),)

    def use(content: bytes) -> str:
        with _file(name, content, {}) as path:
            recording = open_recording(path, options, name)
            recording.markers()
            for first, end in recording.runs[:MOST_CHUNKS]:
                assert recording.rows(first, end).shape == (end - first, len(recording.ch_names))
            recording.close()
        return "played"

    return Target(seeds, use)


def _mne_reader(name: str, write: Callable[..., None], body: str = "") -> Target:
    """MNE behind our source, which says in words whatever MNE raises."""

    @cache
    def files() -> dict[str, bytes]:
        with _file(name, b"", {}) as path:
            path.unlink()
            write(path, recordings.counting(2.0, 250.0), 250.0)
            return {it.name: it.read_bytes() for it in path.parent.iterdir()}

    def use(content: bytes) -> str:
        return _play(body or name, name, content, {k: v for k, v in files().items() if k != (body or name)})

    return Target(lambda: (files()[body or name],), use)


def _play(broken_name: str, name: str, content: bytes, beside: dict[str, bytes], query: str = "speed=max") -> str:
    with _file(broken_name, content, beside) as path:
        stream = open_source(f"playback://{path.with_name(name)}?{query}").open()
        try:
            for _ in range(MOST_CHUNKS):
                stream.read(0.1)
        except StreamEnded:
            pass
        finally:
            stream.close()
    return "played"


TARGETS: dict[str, Target] = {
    **{name: _own_reader(name) for name in recordings.GAPPY},
    "fif": _mne_reader("a_raw.fif", recordings.write_fif),
    "edf": _mne_reader("a.edf", recordings.write_edf),
    "edf+d": _mne_reader("a.edf", broken_off.write_discontinuous),
    "cnt": _mne_reader("a.cnt", broken_off.write_discontinuity),
    "set": _mne_reader("a.set", recordings.write_eeglab),
    "vhdr": _mne_reader("a.vhdr", recordings.write_brainvision),
    "vhdr's body": _mne_reader("a.vhdr", recordings.write_brainvision, "a.eeg"),
    **TEXTS,
    **kinds(lambda name, content: _play(name, name, content, {})),
    **metadata(lambda name, content, query="speed=max": _play(name, name, content, {}, query)),
    **DATASETS,
}
SLOW = ("set", "set with odd parts", "set of 7.3", *SLOW_DATASETS)
"""Targets that start a process for each input."""


# -- the run -------------------------------------------------------------------------------------------------------


def outcome(target: Target, content: bytes) -> str:
    """What came of one input: a word of the target's, or ``"refused"``."""
    try:
        return target.use(content)
    except MoodError as error:
        refusal = error
    if not (refusal.asked and refusal.found) or "\n" in str(refusal):
        raise ValueError(f"says not in a line what was asked and found: {refusal!r}")
    return "refused"


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"took more than {HANG_S} s")


def _grown_mb(start: int) -> float:
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) / 1024


def main() -> int:
    """Break, read, count; 1 when anything came out that should not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=TARGETS, default=None)
    parser.add_argument("--keep", type=Path, default=None, help="a folder for the inputs that went wrong")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _too_long)
    names = [asked.only] if asked.only else list(TARGETS)
    counts, wrong, slowest = Counter[tuple[str, str]](), 0, (0.0, "")
    for name in names:  # the libraries are loaded before the memory is measured
        outcome(TARGETS[name], TARGETS[name].seeds()[0])
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for k, name in islice(enumerate(names * (asked.n // len(names) + 1)), asked.n):
        rng = random.Random(f"{asked.seed} {k}")
        content = broken(rng.choice(TARGETS[name].seeds()), rng)
        began, before = time.monotonic(), _grown_mb(start)
        signal.alarm(HANG_S)
        try:
            counts[name, outcome(TARGETS[name], content)] += 1
            assert _grown_mb(start) < max(MOST_MB, before + 1), f"took {_grown_mb(start) - before:.0f} MB"
        except Exception as error:
            wrong += 1
            print(f"{name} #{k}: {type(error).__name__}: {error}", file=sys.stderr)
            if asked.keep:
                asked.keep.mkdir(parents=True, exist_ok=True)
                (asked.keep / f"{k}-{name.replace(' ', '-')}").write_bytes(content)
        finally:
            signal.alarm(0)
        slowest = max(slowest, (time.monotonic() - began, f"{name} #{k}"))
    for name in names:
        print(f"{name:20}", *(f"{word} {n}" for (target, word), n in sorted(counts.items()) if target == name))
    print(f"{asked.n} inputs, {wrong} wrong, memory grew {_grown_mb(start):.0f} MB")
    print(f"slowest {slowest[0]:.2f} s ({slowest[1]})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
