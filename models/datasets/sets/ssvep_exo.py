"""Steady-state responses to lights: twelve people who look at 13, 17 or 21 Hz, or rest, with eight electrodes.

Page: https://github.com/sylvchev/dataset-ssvep-exoskeleton. Paper: Kalunga et al. (2016), Online SSVEP-based BCI using
Riemannian geometry, Neurocomputing 191:55–68, doi 10.1016/j.neucom.2016.01.007. CC0. No emotion: a data set whose
effect is known, to show that the whole way from file to readout works.

As an archive (`models.datasets.archives`): two to six records of each subject, 256 Hz, each with 32 events
``[sample, code]`` (1 rest, 2 13 Hz, 3 21 Hz, 4 17 Hz), 6.5 or 9 s apart. A light is on for five seconds; trials begin
half a second after it goes on, when the response is there. What comes before the first event is the baseline.
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
DELAY_S, LIGHT_S = 0.5, 5.0


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
        n_sessions=6,
        n_trials=32,
        labels=tuple(CODES.values()),
        subjects=tuple(f"{i:02}" for i in range(1, 13)),
        n_recordings=32,
        baseline="rest",
    )

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject and record; see `DatasetReader`."""
        archive = Archive(root, "ssvep_exo*.npz", self.info.title)
        entries = sorted(archive.entries, key=lambda e: (str(e["subject"]), str(e.get("record", ""))))
        found = []
        for subject, own in groupby(entries, key=lambda e: str(e["subject"])):
            for number, entry in enumerate(own, 1):
                spans = _spans(entry, archive)
                trials = tuple(span.trial for span in spans if span.trial)
                read = partial(_segments, archive, entry["key"], spans)
                found.append(Recording(subject, str(number), archive.info("SSVEP"), trials, read, (archive.path,)))
        return found


def _spans(entry: dict[str, Any], archive: Archive) -> tuple[Span, ...]:
    try:
        events = sorted((int(at), CODES[int(code)]) for at, code in json.loads(entry["label"]))
        first = events[0][0] / archive.sfreq
    except (KeyError, TypeError, ValueError, IndexError) as error:
        found = f"events of {entry.get('record', entry['key'])} are not pairs of sample and code 1 to 4"
        raise MoodError(f"archive {archive.path.name}", f"{found} ({type(error).__name__})", "get it again") from None
    baseline = (Span(0.0, first),) if first > 0 else ()
    return baseline + tuple(
        Span(at / archive.sfreq + DELAY_S, at / archive.sfreq + LIGHT_S, Trial(i, label, label))
        for i, (at, label) in enumerate(events)
    )


def _segments(archive: Archive, key: str, spans: Sequence[Span]) -> Iterator[Segment]:
    signal = archive.signal(key)
    asked = f"{key} of {archive.path.name}"
    check_spans(spans, len(signal) / archive.sfreq, asked)
    scale_factor(signal, archive.sfreq, asked)
    yield Segment(tuple(spans), signal)


READER = SsvepExo()
