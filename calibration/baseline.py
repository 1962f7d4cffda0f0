"""Turns a minute or two of unlabelled rest into a profile. Headless: it needs no screen and asks nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import StreamEnded
from realtime_mood.pipeline import NOTCH_HZ, Notch, Pipeline
from realtime_mood.profile import Profile
from realtime_mood.types import Source, StreamInfo, Window

POLL_S = 0.1


def record(
    source: Source,
    spec: FeatureSpec,
    seconds: float,
    readout: str | None = None,
    notch: Notch = NOTCH_HZ,
    progress: Callable[[StreamInfo, float], None] = lambda *_: None,
) -> Profile:
    """Sit through `seconds` of stream time, or all a finite source has, and make a profile of it.

    The first seconds, while the filters settle, do not count. One step a second is taken, so no sample is used twice.

    Parameters
    ----------
    progress : callable
        Told the stream's info and the stream time so far (s), once a second.

    Raises
    ------
    ProfileError
        When too little of it was usable.
    """
    slow = spec.model_copy(update={"hop_s": spec.step_s})
    stream = source.open()
    try:
        pipeline = Pipeline(stream.info, slow, None, notch)  # type: ignore[arg-type]  # only features are asked of it
        steps: list[tuple[np.ndarray, np.ndarray]] = []
        end = 0
        while end < round(seconds * stream.info.sfreq):
            try:
                chunk = stream.read(POLL_S)
            except StreamEnded:
                break
            if chunk is None:
                continue
            end = chunk.end
            for window in pipeline.push(chunk):
                steps.append(_step(pipeline, window))
                progress(stream.info, window.end / stream.info.sfreq)
    finally:
        stream.close()
    empty = np.zeros((0, stream.info.n_chans, spec.n_bands)), np.zeros((0, stream.info.n_chans), bool)
    de, good = (np.stack(column) for column in zip(*steps, strict=True)) if steps else empty
    return Profile.from_steps(stream.info, spec, de, good, readout)


def _step(pipeline: Pipeline, window: Window) -> tuple[np.ndarray, np.ndarray]:
    features = pipeline.features(window)
    return features.de[-1], features.quality.good & ~features.step_mask[-1]
