"""Windows and features of a stream without a network, and its recording."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from .. import __version__
from ..dsp.spec import FeatureSpec
from ..errors import ConfigError, StreamMismatch
from ..estimator import SignalOnly
from ..pipeline import Pipeline
from ..types import Chunk, Features, Window
from .options import reading_options
from .stream import AnySource, EegStream, recorder_to, to_source

FLUSH_BYTES = 16 * 2**20  # of a source without pace, between two waits for the disk


def windows(
    source: AnySource, *, notch: str | float = "auto", seconds: float | None = None, spec: FeatureSpec | None = None
) -> Iterator[Window]:
    """Iterate the windows of a stream: filtered signal and band power, four a second.

    Parameters
    ----------
    source : str, Path, Source or EegStream
    notch : {"auto", 50, 60}
        Line frequency to filter out (Hz); ``"auto"`` detects it.
    seconds : float, optional
        End after this much stream time.
    spec : FeatureSpec, optional
        Bands and durations; those of the shipped weights by default.

    Yields
    ------
    Window
        ``data`` (n_chans, n_times) in µV, ``power`` (n_hops, n_chans, n_bands) in µV², and which of it is valid.

    Raises
    ------
    SourceError
        The source is not there, cannot be used, or is lost; raised by the loop.

    Examples
    --------
    >>> import realtime_mood as rm
    >>> url = "synthetic://?script=rest:2&speed=max&n_chans=8"
    >>> [window.end for window in rm.windows(url)][:3]
    [64, 128, 192]
    """
    return (window for _, window in _windows(source, notch, seconds, spec))


def features(
    source: AnySource,
    *,
    every: float | None = None,
    notch: str | float = "auto",
    seconds: float | None = None,
    spec: FeatureSpec | None = None,
) -> Iterator[Features]:
    """Iterate the features of a stream: ten seconds of differential entropy, and raw patches.

    Parameters
    ----------
    source : str, Path, Source or EegStream
    every : float, optional
        Seconds between two of them, a whole number of hops; every hop (0.25 s) by default.
    notch, seconds, spec
        As for `windows`.

    Yields
    ------
    Features
        ``de`` (n_steps, n_chans, n_bands) in nats, oldest second first, so that ``de[-1]`` is the newest; ``time`` (s).

    Raises
    ------
    ConfigError
        ``every`` is no whole number of hops.

    Examples
    --------
    >>> import realtime_mood as rm
    >>> url = "synthetic://?script=rest:3&speed=max&n_chans=8"
    >>> [it.time for it in rm.features(url, every=1.0)]
    [1.0, 2.0, 3.0]
    """
    hop_s = (spec or FeatureSpec()).hop_s
    every = hop_s if every is None else every
    hops = round(every / hop_s) if math.isfinite(every) else 0
    if hops < 1 or abs(hops * hop_s - every) > 1e-9:
        raise ConfigError(f"features every {every:g} s", f"a hop is {hop_s:g} s", "give a multiple of it")
    return (
        pipeline.features(window) for pipeline, window in _windows(source, notch, seconds, spec)
        if round(window.end / pipeline.info.sfreq / hop_s) % hops == 0
    )  # fmt: skip


def _windows(
    source: AnySource, notch: str | float, seconds: float | None, spec: FeatureSpec | None
) -> Iterator[tuple[Pipeline, Window]]:
    spec, notches = spec or FeatureSpec(), reading_options(notch=notch).notches
    with _opened(source) as stream:
        pipeline = Pipeline(stream.info, spec, SignalOnly(spec, stream.info.sfreq), notches)
        for chunk in _chunks(stream, seconds):
            for window in pipeline.push(chunk):
                yield pipeline, window


def _opened(source: AnySource) -> EegStream:
    return source if isinstance(source, EegStream) else EegStream(to_source(source))


def _chunks(stream: EegStream, seconds: float | None) -> Iterator[Chunk]:
    """The chunks of the first `seconds`, to the sample."""
    last = sys.maxsize if seconds is None else round(seconds * stream.info.sfreq)
    for chunk in stream:
        yield chunk.before(last, stream.info.sfreq)
        if chunk.end >= last:
            return


def record(source: AnySource, path: str | PathLike[str], *, seconds: float | None = None) -> Path:
    """Record a stream to an XDF file, without a network, until it ends or `seconds` are over.

    Parameters
    ----------
    source : str, Path, Source or EegStream
    path : path
        A file, or a folder in which one is named. Nothing is overwritten: where the file exists, another is begun.
    seconds : float, optional

    Returns
    -------
    Path
        Where the recording is.

    Raises
    ------
    ConfigError
        Nothing can be written there.
    StreamMismatch
        Some of it could not be written.

    Examples
    --------
    >>> import realtime_mood as rm
    >>> rm.record("lsl://MyHeadset", "session.xdf", seconds=60)  # doctest: +SKIP
    PosixPath('session.xdf')
    """
    with _opened(source) as stream, recorder_to(path, stream, {"version": __version__}) as recorder:
        recorder.open(stream.info)
        waiting = 0
        for chunk in _chunks(stream, seconds):
            recorder.take(chunk)
            waiting += chunk.data.nbytes
            if not stream.info.paced and waiting > FLUSH_BYTES:
                waiting = 0
                recorder.flush(10.0)
    if trouble := recorder.recording.trouble:
        raise StreamMismatch(f"a recording at {recorder.recording.path}", trouble)
    return Path(recorder.recording.path)
