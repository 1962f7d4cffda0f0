"""Subjects with other labels, or with a source of information removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec

from ...datasets.person import NO_LABEL, Person
from ..contexts import scored_seconds

MUSCLES_AND_EYES = (
    "Fp1", "Fpz", "Fp2", "AF7", "AF3", "AF4", "AF8", "F9", "F7", "F8", "F10", "FT9", "FT7", "FT8", "FT10", "T7", "T8",
    "TP9", "TP10",
)  # fmt: skip
"""Electrodes beside the eyes, and over the muscles of forehead, jaw and neck."""
QUARTER = 4


def blocks(p: Person, spec: FeatureSpec) -> list[np.ndarray]:
    """The scored seconds of a subject by trial; without trials, split where label or piece change or seconds lack."""
    at = scored_seconds(p, spec)
    if p.trial is not None:
        cut = np.diff(p.trial[at]) != 0
    else:
        cut = (np.diff(at) > 1) | (np.diff(p.label[at]) != 0) | (np.diff(p.piece[at]) != 0)
    return np.split(at, np.flatnonzero(cut) + 1)


def _by_session(p: Person, found: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """The blocks of each session."""
    sessions: dict[int, list[np.ndarray]] = {}
    for block in found:
        sessions.setdefault(0 if p.session is None else int(p.session[block[0]]), []).append(block)
    return list(sessions.values())


def permuted(p: Person, spec: FeatureSpec, rng: np.random.Generator) -> Person:
    """The subject with the labels of its blocks permuted within each session."""
    label = np.full_like(p.label, NO_LABEL)
    for found in _by_session(p, blocks(p, spec)):
        for block, y in zip(found, rng.permutation([p.label[block[0]] for block in found]), strict=True):
            label[block] = y
    return replace(p, label=label)


def first_and_last(p: Person, spec: FeatureSpec) -> Person:
    """Label 0 in the first and 1 in the last quarter of the trials of one label in a session, for each label.

    Without trials, these are the first and last block of label 0. Where no label has two blocks, they are the halves
    of the longest.
    """
    label = np.full_like(p.label, NO_LABEL)
    found = [block for block in blocks(p, spec) if p.trial is not None or p.label[block[0]] == 0]
    for of_session in _by_session(p, found):
        for y in np.unique([p.label[block[0]] for block in of_session]):
            own = [block for block in of_session if p.label[block[0]] == y]
            n = 1 if p.trial is None else max(1, len(own) // QUARTER)
            if len(own) > 1:
                label[np.concatenate(own[:n])], label[np.concatenate(own[-n:])] = 0, 1
    if not (label == 0).any():
        first, last = np.array_split(max(found, key=len), 2)
        label[first], label[last] = 0, 1
    return replace(p, label=label)


def without_gamma(p: Person, spec: FeatureSpec) -> Person:
    """The subject without the highest band: its DE is that of the band below, and the raw signal ends at its edge."""
    de = p.de.copy()
    de[..., -1] = de[..., -2]
    if not p.patches.shape[-1]:
        return replace(p, de=de)
    spectrum = np.fft.rfft(p.patches.astype(np.float32), axis=-1)
    top = list(spec.bands.values())[-1][0]
    spectrum[..., np.fft.rfftfreq(spec.patch_len, 1 / spec.patch_sfreq) >= top] = 0
    return replace(p, de=de, patches=np.fft.irfft(spectrum, spec.patch_len, axis=-1).astype(np.float16))


def without_signal(p: Person) -> Person:
    """The subject with features only: all that a method on features needs, in a fraction of the memory."""
    return replace(p, patches=np.zeros((*p.good.shape, 0), np.float16))
