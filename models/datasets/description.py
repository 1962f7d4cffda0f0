"""The TOML file that describes a data set of one's own: which files, which column means what.

In words: `signals` finds the recordings, `subject` (and `session`) are read from their paths, and trials are rows of a
table beside each, annotations in it, or whole files. docs/own-datasets.md has examples.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from realtime_mood.files import Strict

ANNOTATIONS = "annotations"
"""In place of the name of a table: the events are annotations of the signal's file, with columns onset and text."""
NEXT = "next"
"""In place of the column of durations: until the next row of the table."""
DOC = "docs/own-datasets.md describes the file"
Row = Mapping[str, str]


def _pattern(text: str) -> str:
    try:
        if re.compile(text).groups != 1:
            raise ValueError("needs one group in parentheses, which is what is taken from the path")
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    return text


PathPattern = Annotated[str, AfterValidator(_pattern)]


class RowChoice(Strict):
    """Rows of the events with one of some values in a column; with any value where none are given."""

    column: str
    values: tuple[str, ...] = ()

    def fits(self, row: Row) -> bool:
        """Whether a row is one of them."""
        cell = row.get(self.column, "")
        return cell in self.values if self.values else cell.lower() not in ("", "n/a", "nan")


class TrialColumns(Strict):
    """Where a trial's time, stimulus and class stand."""

    onset: str = "onset"
    duration: str | float = "duration"
    """A column, seconds, or ``next``."""
    unit: Literal["s", "samples"] = "s"
    stimulus: str = ""
    """A column; where whole files are trials, a pattern for the path."""
    label: str = ""
    rows: RowChoice | None = None
    """Which rows are trials; by default those with a stimulus or label."""


class RatingScale(Strict):
    """A column of answers, and the lowest and highest possible one."""

    column: str
    low: float
    high: float


class BaselineRows(Strict):
    """Where the seconds of baseline come from."""

    kind: Literal["rest", "pre-clip", "neutral", "none"] = "none"
    rows: RowChoice | None = None
    """Of ``rest``."""
    seconds: Annotated[float, Field(gt=0)] | None = None
    """Of ``pre-clip``, before each trial; of ``rest``, where durations are not in the table."""


class DatasetMapping(Strict):
    """A data set, as described by its user."""

    name: str = Field(pattern="^[a-z0-9][a-z0-9-]*$")
    title: str = ""
    licence: str = "not stated"
    signals: str
    """Pattern of the recordings below the folder, as in ``sub-*/eeg/*_eeg.edf``."""
    subject: PathPattern
    session: PathPattern | None = None
    events: str | None = None
    """What stands in place of the end of a recording's name, after the last ``*`` of `signals`; or ``annotations``."""
    delimiter: str = "\t"
    """Of the events, and of recordings that are tables."""
    electrodes: Literal["labels", "hydrocel-128", "positions"] = "labels"
    drop: tuple[str, ...] = ()
    units: str = ""
    sfreq: Annotated[float, Field(gt=0, le=100_000)] | None = None
    """Rate (Hz) of recordings that are tables of one column an electrode, named after it, with `delimiter`."""
    reference: str = ""
    mains: float = 50.0
    trial: TrialColumns = TrialColumns()
    labels: dict[str, str] = {}
    """Class of each value of the label's column; without it, the values themselves."""
    ratings: dict[str, RatingScale] = {}
    baseline: BaselineRows = BaselineRows()
