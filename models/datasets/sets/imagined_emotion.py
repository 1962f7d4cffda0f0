"""Imagined Emotion: 34 people who imagined fifteen emotions one after another with eyes closed.

Page: https://openneuro.org/datasets/ds003004, doi 10.18112/openneuro.ds003004.v1.1.1. Paper: Onton & Makeig (2009),
High-frequency broadband modulations of electroencephalographic spectra, Front. Hum. Neurosci. 3:61,
doi 10.3389/neuro.09.061.2009. CC0.

``sub-NN/eeg/sub-NN_task-ImaginedEmotion_{eeg.set,eeg.fdt,events.tsv}``: 205 to 224 electrodes of an own cap, whose
measured positions are in the .set file and are named here after the nearest sites; 256 Hz, mastoids, filtered from
1 Hz, mains at 60 Hz. Column ``value`` of the events: ``enter``, the emotion's name, ``press1`` when it is felt, further
presses, ``exit``. A trial is from the first press (from the name where there is none) to ``exit``, one to five minutes.
``prebase`` to ``exit`` are two minutes of rest, the baseline. Three subjects lack an emotion or have one more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from realtime_mood.errors import MoodError
from realtime_mood.types import StreamInfo

from ..folders import is_simulated, unknown_layout
from ..nets import nearest_sites
from ..refusing import readable
from ..signals import RawSignal, head_of
from ..tables import number, rows
from ..trials import DatasetInfo, Recording, Span, Trial

POSITIVE = ("awe", "compassion", "content", "excite", "happy", "joy", "love", "relief")
NEGATIVE = ("anger", "disgust", "fear", "frustration", "grief", "jealousy", "sad")


class ImaginedEmotion:
    """Reads ds003004."""

    info = DatasetInfo(
        name="imagined-emotion",
        title="Imagined Emotion (ds003004)",
        paper="Onton & Makeig (2009), High-frequency broadband modulations of electroencephalographic spectra, Front. "
        "Hum. Neurosci. 3:61, doi 10.3389/neuro.09.061.2009",
        page="https://openneuro.org/datasets/ds003004",
        licence="CC0",
        access="pip install openneuro-py && openneuro-py download --dataset=ds003004 --target-dir=DIR",
        layout="sub-01/eeg/sub-01_task-ImaginedEmotion_eeg.set, .fdt\n"
        "sub-01/eeg/sub-01_task-ImaginedEmotion_events.tsv",
        n_subjects=34,
        n_sessions=1,
        n_trials=16,
        labels=tuple(sorted(POSITIVE + NEGATIVE)),
        subjects=tuple(f"{i:02}" for i in range(1, 36) if i != 22),
        baseline="rest",
        mains=60.0,
    )

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject whose signal is there; see `DatasetReader`."""
        tables = sorted(root.glob("sub-*/eeg/*_task-ImaginedEmotion_events.tsv"))
        if not tables:
            raise unknown_layout(self.info, root)
        signals = [(table, table.with_name(table.name.replace("_events.tsv", "_eeg.set"))) for table in tables]
        there = {table.parts[-3].removeprefix("sub-"): (table, path) for table, path in signals if path.exists()}
        simulated = is_simulated(root)
        return readable({subject: partial(_recording, subject, *paths, simulated) for subject, paths in there.items()})


def _recording(subject: str, table: Path, signal: Path, simulated: bool) -> Recording:
    head = head_of(signal)
    named = nearest_sites({label: head.places[label] for label in head.labels if label in head.places})
    if len(named) < 8:
        found = f"{len(head.places)} of its {len(head.labels)} channels have a position"
        raise MoodError(signal.name, found, "its electrodes cannot be named: download it again")
    names = [named.get(label, "") for label in head.labels]
    source = RawSignal(signal, tuple(name or "-" for name in names), reference="mastoids")
    info = StreamInfo(tuple(filter(None, names)), head.sfreq, "Imagined Emotion", "mastoids", virtual=simulated)
    spans = _spans(table, subject)
    trials = tuple(span.trial for span in spans if span.trial)
    files = tuple(path for path in (table, signal, signal.with_suffix(".fdt")) if path.exists())
    return Recording(subject, "1", info, trials, partial(source.segments, info, spans), files)


def _spans(table: Path, subject: str) -> list[Span]:
    """The rest before, and each emotion from the press that it is felt to its end."""
    events = sorted((number(row["onset"]), row["value"]) for row in rows(table, needs=("onset", "value")))
    spans: list[Span] = []
    start, emotion = 0.0, ""
    for at, value in events:
        if value in POSITIVE + NEGATIVE or value == "prebase":
            start, emotion = at, value
        elif value == "press1" and emotion in POSITIVE + NEGATIVE:
            start = at
        elif value == "exit" and emotion:
            n = sum(span.trial is not None for span in spans)
            spans.append(Span(start, at, None if emotion == "prebase" else Trial(n, emotion, emotion)))
            emotion = ""
    if not any(span.trial for span in spans):
        raise MoodError(f"events of subject {subject}", "no emotion from its name to 'exit'", "download them again")
    return spans


READER = ImaginedEmotion()
