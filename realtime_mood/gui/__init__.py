"""The window. Importing this package does not import Qt; calling `run` does."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..errors import ConfigError
from ..viewmodel.actions import RunRequest
from . import desktop

if TYPE_CHECKING:
    from ..feedback.loop import FeedbackLoop
    from ..feedback.plan import FeedbackPlan
    from ..recording.recorder import Recorder
    from ..run.engine import Engine
    from ..viewmodel.computer_check import ComputerCheck
    from ..viewmodel.setups import Setups

__all__ = ["Flows", "RunRequest", "check_display", "desktop", "has_display", "run"]


class CalibrationScreen(Protocol):
    """What the main window needs of the window of a calibration."""

    @property
    def is_underway(self) -> bool:
        """Whether closing it now would end a calibration before there is a profile."""

    def close(self) -> bool:
        """Close it."""


@dataclass(frozen=True, slots=True)
class Flows:
    """What the window can start; provided from outside, so that it depends on no network and no calibration."""

    # Builds an engine that is not yet started. Called on a separate thread for each start.
    make_engine: Callable[[RunRequest], Engine]
    recordings: Path  # the folder for recordings of the Record button
    protocols: tuple[tuple[str, str], ...] = ()  # name and title of each calibration protocol
    calibrate: Callable[[RunRequest, str, Callable[[Path | None], None]], CalibrationScreen] | None = None
    """Opens and returns the calibration window.

    Its arguments: the source with the streams beside it, a protocol's name, and a callback for the path of the profile
    (None if there is none), called once the window is closed.
    """
    sessions: tuple[tuple[str, str], ...] = ()  # name and title of each feedback session
    # creates the session of that name, as the `tap` of a run
    feedback: Callable[[str], tuple[FeedbackPlan, FeedbackLoop]] | None = None
    # makes a recorder for the folder or file of a request, to be added to the run in progress
    make_recorder: Callable[[RunRequest, Engine], Recorder] | None = None
    unkept: tuple[Path, ...] = ()  # folders of recordings that were made without a request
    setups: Setups | None = None  # the user's named setups
    examine: Callable[[], ComputerCheck] | None = None  # checks this computer; takes up to a minute


def has_display() -> bool:
    """Whether a window could be opened."""
    return not desktop.trouble()


def check_display() -> None:
    """Raise `ConfigError` if no window can be opened."""
    if trouble := desktop.trouble():
        raise ConfigError("the window", trouble, "use --view terminal or --view json")


def run(flows: Flows, request: RunRequest, *, start: bool = True, weights: str = "", session: str = "") -> int:
    """Show the window until it is closed (or Ctrl-C) and return 0.

    The first run, `request`, begins at once where `start` is true. `weights` is the name of the network in use, and
    `session` a feedback session whose subject screen to open.
    """
    os.environ["QT_API"] = "pyqt6"  # for the icons' library, which can do with others
    from .showing import show

    return show(flows, request, start=start, weights=weights, session=session)
