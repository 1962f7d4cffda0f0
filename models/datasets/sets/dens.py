"""DENS: 40 people who watched eleven emotional clips each and clicked when they felt something, with 128 electrodes.

Page: https://openneuro.org/datasets/ds003751, doi 10.18112/openneuro.ds003751.v1.0.2. Licence: CC0 by its description,
ODbL with DbCL by its README; follow the latter.

``sub-mitNNN/eeg/sub-mitNNN_task-Emotion_eeg.{set,fdt}``, but ``…_task-emotion_events.tsv`` and ``…_eeg.json``
(**another capital**: what matches names by BIDS finds no events). 250 Hz, EGI's net against Cz, with ECG and EMG.
**Onsets are samples, durations mean nothing.** Of the events, ``base`` to ``bend`` is a rest, ``stm`` the start of a
clip (label ``12_2``: clip 12, second trial) and ``vlnc`` the first rating screen after it. Ratings
(``beh/…_task-Emotion_beh.tsv``, in the order of trials; some subjects have none): valence, arousal, dominance 1–9,
liking, familiarity, relevance 1–5. Classes are by clip; ``neutral_1`` comes first for nearly everybody, so that
position alone tells much.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from realtime_mood.errors import MoodError
from realtime_mood.types import StreamInfo

from ..folders import is_simulated, unknown_layout
from ..guards import onset_unit
from ..nets import hydrocel_sites
from ..refusing import readable
from ..signals import RawSignal, SignalHead, head_of
from ..tables import number, ratings, rows
from ..trials import DatasetInfo, Recording, Span, Trial

CLASSES = {
    **dict.fromkeys(["1", "2", "4", "5", "7", "15", "16", "17", "24", "27"], "negative"),
    **dict.fromkeys(["neutral_1", "neutral_2"], "neutral"),
    **dict.fromkeys(["3", "6", "8", "9", "12", "13", "23"], "positive"),
}
SCALES = {
    **dict.fromkeys(("valence", "arousal", "dominance"), (1.0, 9.0)),
    **dict.fromkeys(("liking", "familiarity", "relevance"), (1.0, 5.0)),
}


class Dens:
    """Reads ds003751."""

    info = DatasetInfo(
        name="dens",
        title="DENS: emotion with naturalistic stimuli (ds003751)",
        paper="Mishra et al., Dataset on Emotion with Naturalistic Stimuli (DENS), "
        "doi 10.18112/openneuro.ds003751.v1.0.2; Asif et al. (2023), IEEE Access, arXiv 2211.02637",
        page="https://openneuro.org/datasets/ds003751",
        licence="ODbL 1.0 with DbCL 1.0 (README); CC0 (dataset_description.json)",
        access="pip install openneuro-py && openneuro-py download --dataset=ds003751 --target-dir=DIR",
        layout="sub-mit003/eeg/sub-mit003_task-Emotion_eeg.set, .fdt\n"
        "sub-mit003/eeg/sub-mit003_task-emotion_events.tsv\n"
        "sub-mit003/beh/sub-mit003_task-Emotion_beh.tsv",
        n_subjects=38,
        n_sessions=1,
        n_trials=11,
        labels=("negative", "neutral", "positive"),
        scales=SCALES,
        baseline="rest",
    )

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject whose signal is there; see `DatasetReader`."""
        tables = {path.name.split("_")[0]: path for path in sorted(root.glob("sub-*/eeg/*_events.tsv"))}
        tables = {subject: path for subject, path in tables.items() if path.name.lower().endswith("emotion_events.tsv")}
        if not tables:
            raise unknown_layout(self.info, root)
        makers = {}
        for subject, table in tables.items():
            signal = next((p for p in sorted(table.parent.glob(f"{subject}_task-*_eeg.set")) if p.exists()), None)
            if signal:
                make = partial(_recording, subject, table, signal, is_simulated(root))
                makers[subject.removeprefix("sub-")] = make
        return readable(makers)


def _recording(subject: str, table: Path, signal: Path, simulated: bool) -> Recording:
    head = head_of(signal)
    sites = hydrocel_sites(head.labels)
    if not any(sites):
        found = f"its channels are {', '.join(head.labels[:6])} …; E1 to E128 expected"
        raise MoodError(signal.name, found, "download it again")
    source = RawSignal(signal, tuple(site or "-" for site in sites), reference="Cz")
    info = StreamInfo(tuple(filter(None, sites)), head.sfreq, "DENS", "Cz", virtual=simulated)
    answers = sorted(table.parents[1].glob(f"beh/{subject}_task-*_beh.tsv"))
    spans = spans_of(subject, table, answers[0] if answers else None, head)
    notes = () if answers else ("the subject's ratings are missing",)
    trials = tuple(span.trial for span in spans if span.trial)
    files = tuple(path for path in (table, signal, signal.with_suffix(".fdt"), *answers[:1]) if path.exists())
    return Recording(subject.removeprefix("sub-"), "1", info, trials, partial(source.segments, info, spans), files,
                     notes=notes)  # fmt: skip


def spans_of(subject: str, table: Path, answers: Path | None, head: SignalHead) -> list[Span]:
    """The rest and the clips, in playing order."""
    events = [(number(row["onset"]), row["trial_type"], row["label"])
              for row in rows(table, needs=("onset", "trial_type", "label"))]  # fmt: skip
    unit = onset_unit([onset for onset, _, _ in events], head.sfreq, head.length_s)
    if unit == "unknown":
        found = f"events end after its {head.length_s:.0f} s, as seconds and as samples"
        raise MoodError(f"events of {subject}", found, "they belong to another recording, or it is cut short")
    scale = head.sfreq if unit == "samples" else 1.0
    timed = sorted((onset / scale, kind, label) for onset, kind, label in events)
    rests = [Span(at, stop) for at, kind, _ in timed if kind == "base" and (stop := _next(timed, at, "bend"))]
    shown = [(at, label.rpartition("_")[0]) for at, kind, label in timed if kind == "stm"]
    rated = _ratings(subject, answers, [clip for _, clip in shown])
    spans: list[Span] = []
    for i, (at, clip) in enumerate(shown):
        if clip not in CLASSES:
            raise MoodError(f"events of {subject}", f"an unknown clip {clip!r}", "download its events again")
        if stop := _next(timed, at, "vlnc"):
            spans.append(Span(at, stop, Trial(len(spans), clip, CLASSES[clip], rated[i])))
    return rests + spans


def _next(timed: Sequence[tuple[float, str, str]], after: float, kind: str) -> float | None:
    """When the next event of a kind begins; None where another clip begins before."""
    following = next(((at, what) for at, what, _ in timed if at > after and what in (kind, "stm")), None)
    return following[0] if following and following[1] == kind else None


def _ratings(subject: str, answers: Path | None, clips: Sequence[str]) -> list[dict[str, float]]:
    """The ratings of each clip, which must be about the clips that were shown."""
    if answers is None:
        return [{} for _ in clips]
    table = rows(answers, needs=("stimuliName", *SCALES))
    named = [row["stimuliName"].rpartition(".")[0] for row in table]
    if named != list(clips):
        found = f"they are about the clips {', '.join(named[:4])} …; {', '.join(clips[:4])} … were shown"
        raise MoodError(f"ratings of {subject}", found, "they belong to another subject: download them again")
    of_five = tuple(scale for scale in SCALES if SCALES[scale][1] == 5)
    of_nine = tuple(scale for scale in SCALES if SCALES[scale][1] == 9)
    return [ratings(row, of_nine, 1, 9) | ratings(row, of_five, 1, 5) for row in table]


READER = Dens()
