"""Music that is felt: four data sets of the University of Reading (ds002721 to ds002724).

Page: https://openneuro.org/datasets/ds002721 (to ds002724). Papers: Daly et al. (2014), Neural correlates of emotional
responses to music, Neuroscience Letters 573:52–57, doi 10.1016/j.neulet.2014.05.003; Daly et al. (2016), Affective
brain–computer music interfacing, J. Neural Eng. 13:046022, doi 10.1088/1741-2560/13/4/046022. CC BY 4.0 by their
READMEs. EDF, 1000 Hz, FCz, mains 50 Hz; durations in the events mean nothing.

**ds002721**: ``sub-NN_task-run{1..6}_eeg.edf``, 19 electrodes. Runs 1 and 6 are rest, 2 to 5 ten clips of film music
each. Codes: 788 the music begins, 301 to 660 the clip, 800 to 807 the question shown, 833 to 841 the answer 1 to 9. An
answer belongs to the question **last shown before** it: a question written at the answer's own time is the next one.
Codes 901 to 909 repeat the answers in a wrong order. **The questions' names in events.json do not fit the answers**
("afraid" goes with "happy"); the order here (`QUESTIONS`) fits their correlations and means, and is an inference. Felt
pleasant is given as valence, energetic as arousal, tense as tension.

**ds002722** (calibration), **ds002723** (online) and **ds002724** (training, three sessions): 32 electrodes; music was
generated for a target, codes 1 to 9: valence low, neutral, high by arousal low, neutral, high. A state lasts 20 s; in
ds002722 the second state of a trial is not marked, in ds002723 the second of a pair is reached after 20 s more.
Continuous reports of valence and arousal are in channels VA1 and VA2, which are not read. Classes are by target
valence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from realtime_mood.errors import MoodError

from ..folders import unknown_layout
from ..refusing import readable
from ..signals import RawSignal, segments_of
from ..tables import number, rows
from ..trials import DatasetInfo, Recording, Span, Trial

QUESTIONS = ("tender", "arousal", "angry", "afraid", "happy", "valence", "sad", "tension")
"""What the questions 800 to 807 ask."""
MUSIC, CLIPS, SHOWN, ANSWERS = 788, range(301, 661), range(800, 808), range(833, 842)
CLIP_S, STATE_S = 12.0, 20.0
VALENCES = ("negative", "neutral", "positive")
OTHERS = ("GSR", "ECG", "VA1", "VA2", "VAtarg")
Events = list[tuple[float, int]]


@dataclass(frozen=True)
class ReadingMusic:
    """Reads one of the four data sets."""

    info: DatasetInfo
    delay_s: float = 0.0
    """In ds002723, from the code of the second state of a pair until it is aimed at."""

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject and session; see `DatasetReader`."""
        tables = sorted([*root.glob("sub-*/eeg/*_events.tsv"), *root.glob("sub-*/ses-*/eeg/*_events.tsv")])
        runs: dict[tuple[str, str], list[tuple[int, Path, Path]]] = {}
        for table in tables:
            match = re.fullmatch(r"sub-(\w+?)(?:_ses-(\w+?))?_task-run(\d+)_events\.tsv", table.name)
            signal = table.with_name(table.name.replace("_events.tsv", "_eeg.edf"))
            if match and signal.exists():
                runs.setdefault((match[1], match[2] or "1"), []).append((int(match[3]), table, signal))
        if not tables:
            raise unknown_layout(self.info, root)
        return readable(
            {" session ".join(key): partial(self._recording, *key, sorted(runs[key])) for key in sorted(runs)}
        )

    def _recording(self, subject: str, session: str, runs: Sequence[tuple[int, Path, Path]]) -> Recording:
        sources = [RawSignal(signal, drop=OTHERS, reference="FCz") for _, _, signal in runs]
        info, _, notes = sources[0].info(self.info.title)
        found: list[tuple[RawSignal, list[Span]]] = []
        n = 0
        for (run, table, _), source in zip(runs, sources, strict=True):
            spans = self._spans(run, events_of(table), n)
            n += sum(span.trial is not None for span in spans)
            found.append((source, spans))
        if not n:
            raise MoodError(f"events of subject {subject}", "no music among them", "download them again")
        trials = tuple(span.trial for _, spans in found for span in spans if span.trial)
        files = tuple(path for _, table, signal in runs for path in (table, signal))
        return Recording(subject, session, info, trials, partial(segments_of, found, info), files, notes=notes)

    def _spans(self, run: int, events: Events, n: int) -> list[Span]:
        if self.info.name != "ds002721":
            return list(targets_of(events, n, self.delay_s))
        if run == 1:
            return [Span(events[0][0] if events else 0.0, math.inf)]
        return list(clips_of(events, n))


def events_of(table: Path) -> Events:
    """Onset (s) and code of each event, in the order of the file, which tells those of one time apart."""
    found = [(number(row["onset"]), number(row["trial_type"])) for row in rows(table, needs=("onset", "trial_type"))]
    return [(at, int(code)) for at, code in found if at == at and code == code]


def clips_of(events: Events, n: int) -> Iterator[Span]:
    """The clips of a run of ds002721 with their answers; the first has position `n`."""
    begins = [at for at, code in events if code == MUSIC]
    clips = [code - 300 for _, code in events if code in CLIPS]
    if len(begins) != len(clips):
        found = f"{len(clips)} clips are named and {len(begins)} begin"
        raise MoodError("events of ds002721", found, "download them again")
    for i, (begin, clip) in enumerate(zip(begins, clips, strict=True)):
        end = begins[i + 1] if i + 1 < len(begins) else float("inf")
        answers = answers_of([(at, code) for at, code in events if begin <= at < end])
        yield Span(begin, begin + CLIP_S, Trial(n + i, f"clip{clip:03}", "", answers))


def answers_of(events: Events) -> dict[str, float]:
    """Answers 1 to 9 by question: each belongs to the question that was shown last before it."""
    answers: dict[str, float] = {}
    for at, code in events:
        shown = [(when, question) for when, question in events if question in SHOWN and when < at]
        if code in ANSWERS and shown:
            question = max(shown, key=lambda it: it[0])[1]
            answers[QUESTIONS[question - SHOWN[0]]] = float(code - ANSWERS[0] + 1)
    return answers


def targets_of(events: Events, n: int, delay_s: float) -> Iterator[Span]:
    """States of 20 s of a run of the other sets; a second state within a trial begins `delay_s` after its code."""
    states = [(at, code) for at, code in events if 1 <= code <= 9]
    pieces = {at: code for at, code in events if 101 <= code <= 209}
    before = float("-inf")
    for i, (at, code) in enumerate(states):
        second = at - before < STATE_S + 1
        begin = at + delay_s * second
        stimulus = f"piece{pieces[at]}" if at in pieces else f"target{code}"
        yield Span(begin, begin + STATE_S, Trial(n + i, stimulus, VALENCES[(code - 1) % 3]))
        before = float("-inf") if second else at


def _info(
    name: str,
    title: str,
    numbers: Sequence[int],
    n_trials: int,
    n_trials_all: int,
    n_sessions: int = 1,
    n_recordings: int = 0,
) -> DatasetInfo:
    emotion = name == "ds002721"
    file = "sub-01/eeg/sub-01_task-run1" if n_sessions == 1 else "sub-01/ses-1/eeg/sub-01_ses-1_task-run1"
    paper = (
        "Daly et al. (2014), Neural correlates of emotional responses to music: an EEG study, Neuroscience Letters "
        "573:52–57, doi 10.1016/j.neulet.2014.05.003"
        if emotion
        else "Daly et al. (2016), Affective brain–computer music interfacing, J. Neural Eng. 13:046022, "
        "doi 10.1088/1741-2560/13/4/046022"
    )
    return DatasetInfo(
        name=name,
        title=title,
        paper=paper,
        page=f"https://openneuro.org/datasets/{name}",
        licence="CC BY 4.0 (README), CC0 (dataset_description.json): attribute it",
        access=f"pip install openneuro-py && openneuro-py download --dataset={name} --target-dir=DIR",
        layout=f"{file}_eeg.edf\n{file}_events.tsv",
        n_subjects=len(numbers),
        n_sessions=n_sessions,
        n_trials=n_trials,
        labels=() if emotion else VALENCES,
        scales=dict.fromkeys(QUESTIONS, (1.0, 9.0)) if emotion else {},
        baseline="rest" if emotion else "none",
        subjects=tuple(f"{i:02}" for i in numbers),
        n_recordings=n_recordings,
        n_trials_all=n_trials_all,
    )


ds002721 = ReadingMusic(_info("ds002721", "Affective music listening (ds002721)", range(1, 32), 40, 1240))
ds002722 = ReadingMusic(_info("ds002722", "Affective music interface, calibration (ds002722)", range(1, 20), 90, 1692))
ds002723 = ReadingMusic(
    _info("ds002723", "Affective music interface, online (ds002723)", (1, 8, 11, 12, 13, 15, 17, 19), 120, 880), STATE_S
)
ds002724 = ReadingMusic(
    _info("ds002724", "Affective music interface, training (ds002724)", range(8, 18), 144, 3456, 3, 24)
)
