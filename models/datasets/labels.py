"""Labels of the readouts that can be trained on a labelled data set: which class a trial is of.

The label of a trial is what its authors meant the stimulus to evoke, or what the subject reported to have felt.

References
----------
.. [1] Russell & Mehrabian (1977), "Evidence for a three-factor theory of emotions", Journal of Research in Personality
   11(3), doi 10.1016/0092-6566(77)90037-X: pleasure and arousal of words for emotions.
.. [2] Chen et al. (2023), "A large finer-grained affective computing EEG dataset", Scientific Data 10:740,
   doi 10.1038/s41597-023-02650-w: ratings of 123 subjects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from realtime_mood.errors import ConfigError

from .person import BASELINE, NO_LABEL, Person
from .trials import DatasetInfo, Trial

SYNONYMS = {
    "sadness": "sad", "happiness": "happy", "joy": "happy", "fearful": "fear", "scared": "fear", "horror": "fear",
    "disgusted": "disgust", "angry": "anger", "surprised": "surprise", "calm": "neutral", "funny": "amusement",
    "inspired": "inspiration", "tender": "tenderness",
}  # fmt: skip
NINE = ("anger", "disgust", "fear", "sad", "neutral", "amusement", "inspiration", "happy", "tenderness")
READOUTS: dict[str, tuple[str, ...]] = {
    "emotion3": ("negative", "neutral", "positive"),
    "emotion4": ("neutral", "sad", "fear", "happy"),
    "emotion5": ("disgust", "fear", "sad", "neutral", "happy"),
    "emotion7": ("disgust", "fear", "sad", "neutral", "happy", "anger", "surprise"),
    "emotion9": NINE,
    "valence": ("low", "high"),
    "arousal": ("low", "high"),
    "effort": ("rest", "arithmetic"),
}
RATING = "-rating"
"""Ending of readouts that are a rating itself, such as `valence-rating`."""
THIRDS = ("low", "middle", "high")
"""Of the scale of a rating, for methods that need classes."""
SIGNS = dict.fromkeys(
    ("negative", "anger", "disgust", "fear", "sad", "frustration", "grief", "jealousy", "boring"), "negative"
) | dict.fromkeys(
    ("positive", "amusement", "awe", "inspiration", "happy", "tenderness", "compassion", "content", "excite", "love",
     "relief"), "positive",
) | {"neutral": "neutral"}  # fmt: skip
COORDINATES: dict[str, tuple[tuple[float, float], ...]] = {
    "emotion3": ((-0.7, 0.4), (0.0, -0.2), (0.7, 0.4)),
    "valence": ((-0.7, 0.0), (0.7, 0.0)),
    "arousal": ((0.0, -0.7), (0.0, 0.7)),
    "effort": ((0.1, -0.4), (-0.1, 0.4)),
}
"""Valence and arousal of the labels that name a side of the plane themselves, by readout."""
PLACES = {
    "anger": (-0.51, 0.59), "disgust": (-0.60, 0.35), "fear": (-0.64, 0.60), "sad": (-0.63, -0.27),
    "neutral": (0.0, 0.0), "happy": (0.81, 0.51), "surprise": (0.40, 0.67),
}  # fmt: skip
"""Valence and arousal of emotions from -1 to 1, as words were rated [1]_."""
FELT_PLACES = {
    "anger": (-0.51, 0.33), "disgust": (-0.53, 0.18), "fear": (-0.55, 0.24), "sad": (-0.47, -0.06),
    "neutral": (-0.09, -0.60), "amusement": (0.21, 0.05), "inspiration": (0.37, 0.13), "happy": (0.25, -0.02),
    "tenderness": (0.27, -0.03),
}  # fmt: skip
"""The same as clips were rated [2]_: means over subjects and clips of an emotion, the scale from 0 to 7 on -1 to 1."""
MIDDLE = 0.1
"""Ratings this close to the middle of the scale (as a share of it) are neutral, or neither low nor high."""


def labels_of(readout: str, info: DatasetInfo) -> tuple[str, ...]:
    """The classes of a readout on a data set; a readout named after the set has the set's own.

    Raises
    ------
    ConfigError
        There is no such readout.
    """
    if readout == info.name and info.labels:
        return info.labels
    if scale := scale_of(readout):
        if scale not in info.scales:
            known = ", ".join(f"{name}{RATING}" for name in info.scales) or "a readout with classes"
            raise ConfigError(f"readout {readout!r}", f"{info.name} has no ratings of {scale}", f"use {known}")
        return THIRDS
    if readout not in READOUTS:
        own = [info.name] if info.labels else []
        raise ConfigError(f"readout {readout!r}", "unknown", f"use {', '.join([*READOUTS, *own])}")
    return READOUTS[readout]


def scale_of(readout: str) -> str:
    """The scale whose ratings are predicted; empty for a readout with classes."""
    return readout.removesuffix(RATING) if readout.endswith(RATING) else ""


def coordinates_of(readout: str, labels: Sequence[str]) -> tuple[tuple[float, float], ...]:
    """Valence and arousal of each label, both in [-1, 1]; empty where one of them has no place in the references."""
    words = [SYNONYMS.get(label, label) for label in labels]
    known = (table for table in (PLACES, FELT_PLACES) if all(word in table for word in words))
    return COORDINATES.get(readout) or next((tuple(table[word] for word in words) for table in known), ())


def label_of(trial: Trial, readout: str, info: DatasetInfo, *, felt: bool) -> int:
    """Number of the trial's class among `labels_of`; `NO_LABEL` where it has none."""
    labels = labels_of(readout, info)
    if scale := scale_of(readout):
        share = rating(trial, scale, info.scales)
        return NO_LABEL if share is None else min(int(share * len(labels)), len(labels) - 1)
    word = _felt(trial, readout, labels, info) if felt else _meant(trial, readout, labels)
    return labels.index(word) if word in labels else NO_LABEL


def label_by_second(p: Person, readout: str, info: DatasetInfo, *, felt: bool) -> np.ndarray:
    """(n_seconds,) int: the class of each second's trial, and of the baseline where it has one."""
    assert p.trial is not None
    baseline = Trial(-1, "", info.baseline_label)
    classes = [*(label_of(trial, readout, info, felt=felt) for trial in p.trials), NO_LABEL]
    label = np.array(classes)[np.maximum(p.trial, NO_LABEL)]
    return np.where(p.trial == BASELINE, label_of(baseline, readout, info, felt=False), label)


def _meant(trial: Trial, readout: str, labels: tuple[str, ...]) -> str:
    if trial.label in labels:
        return trial.label
    word = SYNONYMS.get(trial.label, trial.label)
    if readout == "emotion3":
        return SIGNS.get(word, "")
    if readout == "valence":
        return {"negative": "low", "positive": "high"}.get(SIGNS.get(word, ""), "")
    return word


def _felt(trial: Trial, readout: str, labels: tuple[str, ...], info: DatasetInfo) -> str:
    if readout in info.high_from:
        answer = trial.ratings.get(readout)
        return "" if answer is None else "high" if answer >= info.high_from[readout] else "low"
    if readout in ("valence", "arousal", "emotion3"):
        share = rating(trial, "arousal" if readout == "arousal" else "valence", info.scales)
        if share is None:
            return ""
        low, middle, high = ("negative", "neutral", "positive") if readout == "emotion3" else ("low", "", "high")
        return low if share < 0.5 - MIDDLE else high if share > 0.5 + MIDDLE else middle
    answers = {SYNONYMS.get(name, name): rating(trial, name, info.scales) for name in trial.ratings}
    known = {name: share for name, share in answers.items() if name in labels and share is not None}
    if not known:
        return ""
    strongest = max(known, key=lambda name: known[name])
    return strongest if known[strongest] > 0.5 else "neutral"


def rating(trial: Trial, scale: str, scales: Mapping[str, tuple[float, float]]) -> float | None:
    """An answer as a share of its scale, 0 to 1; None where it was not given."""
    if scale not in trial.ratings or scale not in scales:
        return None
    low, high = scales[scale]
    return (trial.ratings[scale] - low) / (high - low)
