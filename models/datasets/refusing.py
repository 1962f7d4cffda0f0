"""Keeps one subject's damaged files from hiding all others: a recording that raises when its signal is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from realtime_mood.errors import MoodError
from realtime_mood.types import StreamInfo

from .trials import Recording, Segment


def readable(subjects: Mapping[str, Callable[[], Recording]]) -> list[Recording]:
    """The recording of each subject.

    Where a subject's files contradict each other, its recording has no trials, and raises the reason when it is read.

    Parameters
    ----------
    subjects : mapping of str to callable
        Makes the recording of each.

    Raises
    ------
    MoodError
        None of them can be read: the reason of the first.
    """
    found: list[Recording] = []
    errors: list[MoodError] = []
    for subject, make in subjects.items():
        try:
            found.append(make())
        except MoodError as error:
            errors.append(error)
            nothing = StreamInfo(("Cz",), 1.0, "unreadable")
            found.append(Recording(subject, "1", nothing, (), partial(_raise, error), notes=(str(error),)))
    if errors and len(errors) == len(found):
        raise errors[0]
    return found


def _raise(error: MoodError) -> Iterator[Segment]:
    raise error
