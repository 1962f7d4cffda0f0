"""A calibration without a screen, for scripts and experiments that give the cues themselves."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from ..plugins import find
from ..profile import Profile
from .options import reading_options
from .stream import AnySource, to_source


def calibrate(
    source: AnySource,
    profile: str | PathLike[str],
    *,
    protocol: str = "baseline",
    seconds: float | None = None,
    seed: int | None = None,
    record: str | PathLike[str] | None = None,
    readout: str = "auto",
    weights: str = "reader-5",
    notch: str | float = "auto",
    repair: str = "none",
    device: str = "auto",
    runtime: str = "auto",
    give_up_s: float | None = 60.0,
    say: Callable[[str], object] | None = None,
) -> Profile:
    """Run a calibration protocol, and fit a profile to its recording.

    Parameters
    ----------
    source : str, Path, Source or EegStream
        As for `read`. A simulated subject at ``synthetic://`` follows the cues.
    profile : path
        Where to write the profile, with its page beside it.
    protocol : str
        ``"baseline"``, ``"effort"``, ``"emotion"``, or the path of a TOML file.
    seconds : float, optional
        Duration of the rest in all.
    seed : int, optional
        Random seed for the order of blocks.
    record : path, optional
        Where to record the calibration session; beside the profile by default.
    readout : str
        For a baseline: the readout that a run with this profile begins with.
    weights, notch, repair, device, runtime, give_up_s
        As for `read`.
    say : callable, optional
        Called with each cue and each step of the fit, as a line of text.

    Returns
    -------
    Profile
        Its ``own`` is the personal readout, or None; then ``refused`` says why, if one was fitted.

    Raises
    ------
    ConfigError, SourceError, WeightsError
        As `read` does; `ConfigError` also for a negative seed, or seconds that are no duration.
    ProfileError
        Too little usable rest, too few blocks, or a profile that cannot be written. It names the recording, which is
        kept.

    Examples
    --------
    >>> import realtime_mood as rm
    >>> me = rm.calibrate("lsl://MyHeadset", "me.json", seconds=60, say=print)  # doctest: +SKIP
    >>> for reading in rm.read("lsl://MyHeadset", profile=me):  # doctest: +SKIP
    ...     print(reading)
    """
    options = reading_options(
        weights=weights, readout=readout, notch=notch, repair=repair, device=device, runtime=runtime
    )
    run = find("calibrations", "protocol", "a calibration").load()
    made: Profile = run(
        to_source(source), Path(profile).expanduser(), options, protocol=protocol, seconds=seconds, seed=seed,
        recording=None if record is None else Path(record), give_up_s=give_up_s, say=say or (lambda _: None),
    )  # fmt: skip
    return made
