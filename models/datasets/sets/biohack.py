"""BioHack2025: four people who were confused, understood, or did neither, with a Muse, over up to five days.

Page: https://github.com/JP-Vela/BioHack2025, read at commit 5045c92: MIT licence, no paper, no DOI. Its folder
``dataset/our_data`` is what is meant here; ``dataset/original_data`` is credited to another project. As an archive
(`models.datasets.archives`): 40 takes of 2.5 to 5 minutes, TP9 AF7 AF8 TP10, 256 Hz, each with its class, its start in
seconds since 1970, and the steps back of its clock. Takes of one day are one session here, in the order of their
starts. One take is there twice, once with a clock that jumps back by fifty years: that copy is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from realtime_mood.errors import MoodError

from ..archives import Archive
from ..guards import scale_factor
from ..trials import DatasetInfo, Recording, Segment, Span, Trial

LABELS = ("confused", "understanding", "control")
SAME_START_S = 1.0


class BioHack:
    """Reads the archive of BioHack2025."""

    info = DatasetInfo(
        name="biohack",
        title="BioHack2025: confusion and understanding",
        paper="no paper, no DOI (the page was read at commit 5045c92)",
        page="https://github.com/JP-Vela/BioHack2025",
        licence="MIT",
        access="git clone https://github.com/JP-Vela/BioHack2025; re-pack dataset/our_data (docs/datasets.md)",
        layout="biohack2025_muse_256hz.npz",
        n_subjects=4,
        n_sessions=5,
        n_trials=9,
        labels=LABELS,
        subjects=("P1", "P2", "P3", "P4"),
        n_recordings=13,
        n_trials_all=39,
        baseline="none",
        mains=60.0,
        labels_mean="what the authors named the take",
    )

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject and day; see `DatasetReader`."""
        archive = Archive(root, "biohack*.npz", self.info.title)
        takes, twice = _once(archive)
        found = []
        for subject, own in groupby(takes, key=lambda take: str(take["subject"])):
            for number, (day, of_day) in enumerate(groupby(own, key=_day), 1):
                played = list(of_day)
                trials = tuple(Trial(i, str(take["label"]), str(take["label"])) for i, take in enumerate(played))
                read = partial(_segments, archive, [take["key"] for take in played], trials)
                notes = [
                    f"a take of {label} is there twice: one copy left out" for label in twice.get((subject, day), [])
                ]
                found.append(
                    Recording(subject, str(number), archive.info("BioHack2025"), trials, read, (archive.path,),
                              notes=tuple(notes))
                )  # fmt: skip
        return found


def _day(take: dict[str, Any]) -> str:
    return datetime.fromtimestamp(take["start"], UTC).date().isoformat()


def _once(archive: Archive) -> tuple[list[dict[str, Any]], dict[tuple[str, str], list[str]]]:
    """Takes by subject and start, each once, and the labels of those that were there twice by subject and day."""
    try:
        takes = sorted(archive.entries, key=lambda e: (e["subject"], float(e["start"]), e.get("backward_steps", 0)))
        odd = {take["label"] for take in takes} - set(LABELS)
        kept: list[dict[str, Any]] = []
        twice: dict[tuple[str, str], list[str]] = {}
        for take in takes:
            same = kept and kept[-1]["subject"] == take["subject"]
            if same and take["start"] - kept[-1]["start"] < SAME_START_S:
                twice.setdefault((str(take["subject"]), _day(take)), []).append(str(take["label"]))
            else:
                kept.append(take)
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        found = f"a take without label or start: {type(error).__name__}"
        raise MoodError(f"archive {archive.path.name}", found, "get the archive again") from None
    if odd:
        raise MoodError(f"archive {archive.path.name}", f"unknown labels {sorted(map(str, odd))[:3]}", "get it again")
    return kept, twice


def _segments(archive: Archive, keys: Sequence[str], trials: Sequence[Trial]) -> Iterator[Segment]:
    for key, trial in zip(keys, trials, strict=True):
        signal = archive.signal(key)
        scale_factor(signal, archive.sfreq, f"{key} of {archive.path.name}")
        yield Segment((Span(0.0, len(signal) / archive.sfreq, trial),), signal)


READER = BioHack()
