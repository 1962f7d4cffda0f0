"""The order in which each subject of DEAP saw the videos, and the ratings: ``participant_ratings.csv``."""

from __future__ import annotations

import csv
from pathlib import Path

from realtime_mood.errors import MoodError

from ..folders import beside
from ..trials import Trial

FILE = "participant_ratings.csv"
N_VIDEOS = 40
SCALES = {
    "valence": (1.0, 9.0), "arousal": (1.0, 9.0), "dominance": (1.0, 9.0), "liking": (1.0, 9.0),
    "familiarity": (1.0, 5.0),
}  # fmt: skip
Row = dict[str, str]


def read_ratings(folder: Path) -> tuple[dict[int, list[Row]], Path | None]:
    """The rows of each subject, in playing order, and the file they are from; neither where there is none.

    Raises
    ------
    MoodError
        It is no such table, or a subject has not seen each video once.
    """
    path = beside(folder, FILE) or beside(folder, f"metadata_csv/{FILE}")
    if path is None:
        return {}, None
    found: dict[int, list[Row]] = {}
    try:
        for row in csv.DictReader(path.read_text(encoding="utf-8-sig", errors="replace").splitlines()):
            found.setdefault(int(row["Participant_id"]), []).append(row)
        for subject, rows in found.items():
            rows.sort(key=lambda row: int(row["Trial"]))
            videos = sorted(int(row["Experiment_id"]) for row in rows)
            if videos != list(range(1, N_VIDEOS + 1)) or len({row["Trial"] for row in rows}) != N_VIDEOS:
                raise MoodError(f"subject {subject} in {FILE}", f"not {N_VIDEOS} different videos", "download it again")
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        found_words = f"no table of ratings: {type(error).__name__} {' '.join(str(error).split())}"[:160]
        raise MoodError(FILE, found_words, "download metadata_csv.zip again") from None
    return found, path


def trials_of(rows: list[Row]) -> tuple[Trial, ...]:
    """The trials of one subject, in playing order; ratings that were not given are left out."""
    trials = []
    for position, row in enumerate(rows):
        ratings = {}
        for scale in SCALES:
            value = (row.get(scale.capitalize()) or "").strip()
            if value.replace(".", "", 1).isdigit():
                ratings[scale] = float(value)
        trials.append(Trial(position, str(int(row["Experiment_id"])), ratings=ratings))
    return tuple(trials)
