"""EmoEEG-MC: 60 people who watched clips of seven emotions, and imagined the same emotions.

Page: https://openneuro.org/datasets/ds005540, doi 10.18112/openneuro.ds005540.v1.0.7. CC0. Paper: Xu et al. (2025),
Scientific Data, doi 10.1038/s41597-025-05349-2.

``sub-NN/eeg/sub-NN_task-emotion_eeg.edf`` or ``…_run-01_eeg.edf`` and ``…_run-02_eeg.edf``: 64 electrodes, 600 or 1200
Hz, 0.5–47 Hz, mains 50 Hz. There are no events: triggers are annotations whose **numbers differ from person to
person**; the README's table gives those of videos, imagery, ratings and fading, and its lists the order of the stimuli
(``joy5``: the fifth clip for joy) by subject, of imagery and videos alike except where it says otherwise. A trial lasts
from its trigger to the next one of a rating or of fading; the last five seconds before it are the baseline. Ratings
(``beh/…_beh.tsv``, 0 to 7, ``score_1`` to ``score_10``) stand in the order in which trials took place: **blocks of
three stimuli in one context, then the same three in the other**, not all imagery first; ``video_name`` is one number
per subject and names nothing. Subjects 55 to 60 lack trials.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from realtime_mood.errors import MoodError

from ..bids import text_of_sidecar
from ..folders import unknown_layout
from ..nets import labels_of
from ..refusing import readable
from ..signals import RawSignal, segments_of
from ..tables import number, rows
from ..trials import DatasetInfo, Recording, Span, Trial

EMOTIONS = {"sad": "sad", "dis": "disgust", "fear": "fear", "neu": "neutral", "joy": "joy", "ten": "tenderness",
            "ins": "inspiration"}  # fmt: skip
RATED = (
    "joy",
    "inspiration",
    "tenderness",
    "sadness",
    "fear",
    "disgust",
    "arousal",
    "valence",
    "familiarity",
    "liking",
)
SCALES = dict.fromkeys(RATED, (0.0, 7.0))
FADED_S = 5.0
"""Before a trial, at the end of the fading of the one before: the baseline."""
CONTEXTS = {"ima": "imagery", "vid": "video"}
CHANNELS = labels_of(
    "Fp1 Fpz Fp2 AF7 AF3 AF4 AF8 F7 F5 F3 F1 Fz F2 F4 F6 F8 FT7 FC5 FC3 FC1 FCz FC2 FC4 FC6 FT8 T7 C5 C3 C1 Cz C2 C4 C6"
    " T8 TP7 CP5 CP3 CP1 CPz CP2 CP4 CP6 TP8 P7 P5 P3 P1 Pz P2 P4 P6 P8 PO7 PO3 POz PO4 PO8 O1 Oz O2 F9 F10 TP9 TP10"
)
STIMULUS = re.compile(r"'((?:sad|dis|fear|neu|joy|ten|ins)\d)'")
"""A stimulus in the README's lists."""


class ReadmeTables(NamedTuple):
    """What the README says of each subject."""

    orders: dict[tuple[str, str], list[str]]
    """Stimuli in order by subject and context."""
    triggers: dict[str, dict[str, int]]
    """Number of each trigger (vid, ima, rating, fade) by subject."""


class EmoEegMc:
    """Reads the recordings of ds005540."""

    info = DatasetInfo(
        name="emoeeg-mc",
        title="EmoEEG-MC: emotions in several contexts (ds005540)",
        paper="Xu et al. (2025), EmoEEG-MC: A Multi-Context Emotional EEG Dataset for Cross-Context Emotion Decoding, "
        "Scientific Data, doi 10.1038/s41597-025-05349-2; data set: doi 10.18112/openneuro.ds005540.v1.0.7",
        page="https://openneuro.org/datasets/ds005540",
        licence="CC0",
        access="pip install openneuro-py && openneuro-py download --dataset=ds005540 --target-dir=DIR",
        layout="sub-02/eeg/sub-02_task-emotion_eeg.edf, or _run-01_eeg.edf and _run-02_eeg.edf\n"
        "sub-02/beh/sub-02_task-emotion_beh.tsv\nREADME.md (needed: orders and triggers)",
        n_subjects=60,
        n_sessions=1,
        n_trials=42,
        labels=tuple(EMOTIONS.values()),
        scales=SCALES,
        subjects=tuple(f"{i:02}" for i in range(1, 61)),
        n_trials_all=2463,
        baseline="pre-clip",
    )

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject whose signal is there; see `DatasetReader`."""
        by_subject: dict[str, list[Path]] = {}
        for path in sorted(root.glob("sub-*/eeg/*_task-emotion*_eeg.edf")):
            if path.exists():
                by_subject.setdefault(path.name.split("_")[0].removeprefix("sub-"), []).append(path)
        if not by_subject:
            raise unknown_layout(self.info, root)
        readme = next((root / name for name in ("README.md", "README") if (root / name).is_file()), None)
        if readme is None:
            raise unknown_layout(self.info, root, "no README.md, which alone names triggers and orders")
        tables = readme_tables(text_of_sidecar(readme))
        return readable({s: partial(_recording, s, paths, tables, readme) for s, paths in by_subject.items()})


def readme_tables(text: str) -> ReadmeTables:
    """Orders and triggers of each subject in the README."""
    orders: dict[tuple[str, str], list[str]] = {}
    subject, contexts = "", tuple(CONTEXTS)
    for line in text.splitlines():
        if match := re.match(
            r"\s*(?:(#)|(\d+)\. |- \*\*sub(\d+))", line
        ):  # a section, or a subject in one of two lists
            subject = "" if match[1] else f"{int(match[2] or match[3]):02}"
            contexts = tuple(CONTEXTS)
        if named := re.search(r"\b(ima|vid)\w+ sequence", line, re.IGNORECASE):
            contexts = (named[1].lower(),)
        stimuli = STIMULUS.findall(line)
        if subject and len(stimuli) >= 3:
            for context in contexts:
                orders.setdefault((subject, context), stimuli)
    triggers = {
        subject: {word[:1]: int(n) for word, n in re.findall(r"\b(vid|ima|rating|fade|fede)-(\d+)", line)}
        for subject, line in re.findall(r"sub-(\d\d):(.*)", text)
    }
    return ReadmeTables(orders, triggers)


def _recording(subject: str, paths: Sequence[Path], tables: ReadmeTables, readme: Path) -> Recording:
    numbers = tables.triggers.get(subject, {})
    orders = {context: tables.orders.get((subject, context), []) for context in CONTEXTS}
    if set(numbers) != set("virf") or not all(orders.values()):
        raise MoodError(f"subject {subject} of EmoEEG-MC", f"{readme.name} has no order or triggers of it",
                        "download README.md again")  # fmt: skip
    sources = [RawSignal(path, CHANNELS) for path in paths]
    info, _, notes = sources[0].info("EmoEEG-MC")
    found = [_intervals(source.markers(), numbers) for source in sources]
    played = [context for intervals in found for _, _, context in intervals]
    for context, stimuli in orders.items():
        if played.count(context) != len(stimuli):
            counted = (
                f"{played.count(context)} triggers of {CONTEXTS[context]}, {len(stimuli)} stimuli in {readme.name}"
            )
            raise MoodError(
                f"subject {subject} of EmoEEG-MC", counted, "its files are incomplete, or another's triggers"
            )
    table = paths[0].parents[1] / "beh" / f"sub-{subject}_task-emotion_beh.tsv"
    trials, odd = _trials(played, orders, table)
    left = iter(trials)
    placed = [(source, _placed(intervals, left)) for source, intervals in zip(sources, found, strict=True)]
    files = (*paths, readme, *([table] if table.is_file() else []))
    return Recording(subject, "1", info, trials, partial(segments_of, placed, info), files,
                     notes=(*notes, *odd))  # fmt: skip


def _intervals(markers: Sequence[tuple[float, str]], numbers: Mapping[str, int]) -> list[tuple[float, float, str]]:
    """Start, stop and context of each trial of a file."""
    codes = {n: kind for kind, n in numbers.items()}
    timed = [(at, codes[int(n[-1])]) for at, text in markers if (n := re.findall(r"\d+", text)) and int(n[-1]) in codes]
    found = []
    for i, (at, kind) in enumerate(timed):
        if kind in "vi":
            stop = next((later for later, what in timed[i + 1 :] if later > at), None)
            if stop is not None:
                found.append((at, stop, "vid" if kind == "v" else "ima"))
    return found


def _placed(intervals: Sequence[tuple[float, float, str]], left: Iterator[Trial]) -> list[Span]:
    """The trials of a file, each after the last seconds of the fading before it."""
    spans: list[Span] = []
    before = 0.0
    for start, stop, _ in intervals:
        if start - before >= 1.0:
            spans.append(Span(max(before, start - FADED_S), start))
        spans.append(Span(start, stop, next(left)))
        before = stop
    return spans


def _trials(
    played: Sequence[str], orders: Mapping[str, Sequence[str]], table: Path
) -> tuple[tuple[Trial, ...], tuple[str, ...]]:
    """Trials in the order in which they took place, with their ratings; and what is odd about these, in words."""
    left = {context: iter(stimuli) for context, stimuli in orders.items()}
    stimuli = [(context, next(left[context])) for context in played]
    answers = _ratings(table) if table.is_file() else []
    odd: tuple[str, ...] = () if answers else ("the subject's ratings are missing",)
    if answers and len(answers) != len(stimuli):
        odd = (f"{len(answers)} trials are rated and {len(stimuli)} took place: ratings are not used",)
        answers = []
    trials = tuple(
        Trial(i, f"{CONTEXTS[context]}-{name}", EMOTIONS[name[:-1]], answers[i] if answers else {})
        for i, (context, name) in enumerate(stimuli)
    )
    if answers and (above := _above_others(trials)) <= 0:
        odd = (f"ratings do not fit the stimuli ({above:.2f} of 7 above the other emotions): of another subject?",)
    return trials, odd


def _ratings(table: Path) -> list[dict[str, float]]:
    """The answers of each trial that was rated."""
    found = []
    for row in rows(table, needs=("trial_number", "score_1")):
        scores = {scale: number(row.get(f"score_{i}")) for i, scale in enumerate(RATED, 1)}
        if given := {scale: score for scale, score in scores.items() if 0 <= score <= 7}:
            found.append(given)
    return found


def _above_others(trials: Sequence[Trial]) -> float:
    """By how much the emotion that is meant is rated above the mean of the six, on average."""
    differences = []
    for trial in trials:
        meant = {"sad": "sadness"}.get(trial.label, trial.label)
        six = [trial.ratings[scale] for scale in RATED[:6] if scale in trial.ratings]
        if meant in trial.ratings and six:
            differences.append(trial.ratings[meant] - float(np.mean(six)))
    return float(np.mean(differences)) if differences else 1.0


READER = EmoEegMc()
