"""Steady-state responses to lights: twelve people who look at 13, 17 or 21 Hz, or rest, with eight electrodes.

Page: https://github.com/sylvchev/dataset-ssvep-exoskeleton. Paper: Kalunga et al. (2016), Online SSVEP-based BCI using
Riemannian geometry, Neurocomputing 191:55–68, doi 10.1016/j.neucom.2016.01.007. CC0. No emotion: a data set whose
effect is known, to show that the whole way from file to readout works.

As an archive (`models.datasets.archives`): two to six records of each subject, 256 Hz, each with 32 events
``[sample, code]`` (1 rest, 2 13 Hz, 3 21 Hz, 4 17 Hz), 6.5 or 9 s apart. A light is on for five seconds; trials begin
half a second after it goes on, when the response is there. The labels come in blocks. The
records of a subject are one session here: too little precedes the first light of each to be a baseline.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from realtime_mood.errors import MoodError

from ..archives import Archive
from ..guards import check_spans, scale_factor
from ..trials import DatasetInfo, Recording, Segment, Span, Trial

CODES = {1: "rest", 2: "13hz", 3: "21hz", 4: "17hz"}
DELAY_S, LIGHT_S, LEAD_S = 0.5, 5.0, 10


class SsvepExo:
    """Reads the archive of the exoskeleton data set."""

    info = DatasetInfo(
        name="ssvep-exo",
        title="SSVEP with an exoskeleton",
        paper="Kalunga et al. (2016), Online SSVEP-based BCI using Riemannian geometry, Neurocomputing 191:55–68, "
        "doi 10.1016/j.neucom.2016.01.007",
        page="https://github.com/sylvchev/dataset-ssvep-exoskeleton",
        licence="CC0 1.0",
        access="git clone https://github.com/sylvchev/dataset-ssvep-exoskeleton; re-pack it (docs/datasets.md)",
        layout="ssvep_exo_256hz.npz",
        n_subjects=12,
        n_sessions=1,
        n_trials=192,
        labels=tuple(CODES.values()),
        subjects=tuple(f"{i:02}" for i in range(1, 13)),
        n_trials_all=1024,
        baseline="none",
        labels_mean="what the subject was asked to do",
    )

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject, whose records were made one after another; see `DatasetReader`."""
        archive = Archive(root, "ssvep_exo*.npz", self.info.title)
        entries = sorted(archive.entries, key=lambda e: (str(e["subject"]), str(e.get("record", ""))))
        found = []
        for subject, own in groupby(entries, key=lambda e: str(e["subject"])):
            records: list[tuple[str, tuple[Span, ...]]] = []
            for entry in own:
                n_before = sum(len(spans) for _, spans in records)
                records.append((entry["key"], _spans(entry, archive, n_before)))
            trials = tuple(span.trial for _, spans in records for span in spans if span.trial)
            read = partial(_segments, archive, tuple(records))
            found.append(Recording(subject, "1", archive.info("SSVEP"), trials, read, (archive.path,)))
        return found


def _spans(entry: dict[str, Any], archive: Archive, n_before: int) -> tuple[Span, ...]:
    try:
        events = sorted((int(at), CODES[int(code)]) for at, code in json.loads(entry["label"]))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        found = f"events of {entry.get('record', entry['key'])} are not pairs of sample and code 1 to 4"
        raise MoodError(f"archive {archive.path.name}", f"{found} ({type(error).__name__})", "get it again") from None
    return tuple(
        Span(at / archive.sfreq + DELAY_S, at / archive.sfreq + LIGHT_S, Trial(i, label, label))
        for i, (at, label) in enumerate(events, n_before)
    )


def _segments(archive: Archive, records: Sequence[tuple[str, tuple[Span, ...]]]) -> Iterator[Segment]:
    """One for each trial, with whole seconds before it: a trial has room for four seconds, if they begin with it."""
    sfreq = archive.sfreq
    for key, spans in records:
        signal, asked = archive.signal(key), f"{key} of {archive.path.name}"
        check_spans(spans, len(signal) / sfreq, asked)
        scale_factor(signal, sfreq, asked)
        for span in spans:
            lead_s = min(LEAD_S, int(span.start))
            part = signal[round((span.start - lead_s) * sfreq) : round(span.stop * sfreq)]
            yield Segment((Span(lead_s, len(part) / sfreq, span.trial),), part)


READER = SsvepExo()
