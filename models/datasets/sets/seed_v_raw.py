"""SEED-V as recorded: Neuroscan files of whole sessions, cut by the published times of the clips.

Page, paper and classes are those of `seed_v`. ``EEG_raw/{subject}_{session}_{date}.cnt``, or ``…_repaired.cnt`` beside
or in place of it: 66 channels at 1000 Hz, not filtered, of which M1, M2, VEO and HEO are no EEG.
``trial_start_end_timestamp.txt`` has the seconds at which clips begin and end, the same for all subjects; where it is
missing, its published values are used. The session's number gives clips and classes, the date the order of sessions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from realtime_mood.errors import MoodError

from ..folders import beside, find_folder, is_simulated, unknown_layout
from ..signals import RawSignal
from ..trials import DatasetInfo, Recording, Span
from . import bcmi, seed_v

TIMES = "trial_start_end_timestamp.txt"
NO_EEG = ("M1", "M2", "VEO", "HEO", *bcmi.WITHOUT_POSITION)
STARTS = {
    "1": (30, 132, 287, 555, 773, 982, 1271, 1628, 1730, 2025, 2227, 2435, 2667, 2932, 3204),
    "2": (30, 299, 548, 646, 836, 1000, 1091, 1392, 1657, 1809, 1966, 2186, 2333, 2490, 2741),
    "3": (30, 353, 478, 674, 825, 908, 1200, 1346, 1451, 1711, 2055, 2307, 2457, 2726, 2888),
}
ENDS = {
    "1": (102, 228, 524, 742, 920, 1240, 1568, 1697, 1994, 2166, 2401, 2607, 2901, 3172, 3359),
    "2": (267, 488, 614, 773, 967, 1059, 1331, 1622, 1777, 1908, 2153, 2302, 2428, 2709, 2817),
    "3": (321, 418, 643, 764, 877, 1147, 1284, 1418, 1679, 1996, 2275, 2425, 2664, 2857, 3066),
}
INFO: DatasetInfo = replace(
    seed_v.INFO,
    name="seed-v-raw",
    title="SEED-V (recordings)",
    layout=f"EEG_raw/  1_1_20180804.cnt … (48 files)\n{TIMES}  beside it",
    raw=True,
    published=(),
)
Times = dict[str, list[tuple[float, float]]]


class SeedVRawReader:
    """Reads the recordings of SEED-V."""

    info = INFO

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One recording per file, in the order of dates; see `DatasetReader`."""
        folder = find_folder(root, "EEG_raw")
        files = seed_v.raw_files(folder) if folder else {}
        if not folder or not files:
            raise unknown_layout(INFO, root)
        times, notes = _read_times(beside(folder, TIMES))
        simulated, found = is_simulated(folder), []
        for (subject, session), (_date, path) in sorted(files.items(), key=lambda it: (it[0][0], it[1][0])):
            raw = RawSignal(path, drop=NO_EEG)
            info, _length, more = raw.info(f"SEED-V {subject}, session {session}")
            trials = seed_v.trials_of(session)
            spans = [Span(start, stop, trial) for (start, stop), trial in zip(times[session], trials, strict=True)]
            info = replace(info, virtual=simulated or info.virtual)
            read, note = partial(raw.segments, info, spans), f"{', '.join(bcmi.WITHOUT_POSITION)} left out: no position"
            found.append(Recording(str(subject), session, info, trials, read, (path,), notes=(note, *notes, *more)))
        return found


def _read_times(path: Path | None) -> tuple[Times, tuple[str, ...]]:
    """Begin and end (s) of each clip by session, and notes."""
    if path is None:
        published = {session: list(zip(STARTS[session], ENDS[session], strict=True)) for session in STARTS}
        return {s: [(float(a), float(b)) for a, b in its] for s, its in published.items()}, (
            f"{TIMES} is missing: the published times of clips are used",
        )
    text = path.read_text(encoding="utf-8", errors="replace")
    starts, ends = (re.findall(rf"{word}_seconds?\s*:\s*\[([^\]]*)\]", text) for word in ("start", "end"))
    try:
        by_session = [
            [(float(a), float(b)) for a, b in zip(start.split(","), end.split(","), strict=True)]
            for start, end in zip(starts, ends, strict=True)
        ]
    except ValueError:
        by_session = []
    if [len(its) for its in by_session] != [seed_v.N_CLIPS] * len(STARTS):
        found = f"no begin and end of {seed_v.N_CLIPS} clips for each of {len(STARTS)} sessions"
        raise MoodError(path.name, found, bcmi.DO)
    return dict(zip(STARTS, by_session, strict=True)), ()


READER = SeedVRawReader()
