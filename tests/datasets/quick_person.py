"""A simulated subject whose signal costs nothing: noise, larger in positive states and smaller in negative ones."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from realtime_mood.errors import MoodError
from realtime_mood.models.datasets.sets import reader_of
from realtime_mood.models.datasets.trials import Recording, Segment
from realtime_mood.sources.synthetic.person import Script

AMPLITUDE_UV = {"positive": 20.0, "neutral": 10.0, "negative": 5.0, "rest": 10.0}


class QuickPerson:
    """Takes the place of `VirtualPerson` where only layouts are tested."""

    def __init__(self, subject: int, ch_names: Sequence[str], sfreq: float, script: Script, difficulty: str) -> None:
        self.n_chans, self.sfreq, self.script, self.made = len(ch_names), sfreq, script, 0
        self.noise = np.random.default_rng(subject).standard_normal((4096, self.n_chans)).astype(np.float32)

    def take(self, n: int) -> np.ndarray:
        state = self.script.state_at(self.made, self.sfreq)
        rows = np.arange(self.made, self.made + n) % len(self.noise)
        self.made += n
        return AMPLITUDE_UV[state] * self.noise[rows]

    def signal(self, seconds: float) -> np.ndarray:
        """A tenth of a second at a time, so that each part has its own state."""
        n = round(seconds * self.sfreq)
        step = round(self.sfreq / 10)
        return np.concatenate([self.take(min(step, n - at)) for at in range(0, n, step)])


def recordings(name: str, root: Path) -> Sequence[Recording]:
    return reader_of(name).recordings(root)


def segments(recording: Recording) -> list[Segment]:
    return list(recording.segments())


def read_all(name: str, root: Path) -> int:
    """The number of segments."""
    return sum(len(segments(recording)) for recording in recordings(name, root))


def refused(name: str, root: Path) -> str:
    """What is said of a data set that is refused when it is listed or read."""
    with pytest.raises(MoodError) as caught:
        read_all(name, root)
    assert caught.value.found
    return str(caught.value)


def copy_of(root: Path, to: Path) -> Path:
    """A copy that a test may change."""
    return shutil.copytree(root, to / root.name)


def cut(path: Path, share: float = 0.6) -> None:
    """Keep the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: round(share * len(content))])


def states(recording: Recording) -> dict[str, float]:
    """Typical amplitude of the trials of each class."""
    found: dict[str, list[float]] = {}
    for segment in segments(recording):
        for span in segment.spans:
            if span.trial and segment.signal is not None:
                at = slice(round(span.start * recording.info.sfreq), round(span.stop * recording.info.sfreq))
                found.setdefault(span.trial.label, []).append(float(segment.signal[at].std()))
            elif span.trial and segment.de is not None:
                found.setdefault(span.trial.label, []).append(float(np.exp(segment.de.mean())))
    return {label: float(np.mean(values)) for label, values in found.items()}
