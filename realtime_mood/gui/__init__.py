"""Turns an engine into a window. Importing this package does not import Qt; calling `run` does."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..viewmodel.actions import RunRequest
from . import desktop

if TYPE_CHECKING:
    from ..feedback.loop import FeedbackLoop
    from ..feedback.plan import FeedbackPlan
    from ..run.engine import Engine

__all__ = ["Flows", "Wish", "check_display", "desktop", "has_display", "run"]


@dataclass(frozen=True, slots=True)
class Flows:
    """What the window can set going, each from outside: it knows neither networks nor calibrations."""

    make_engine: Callable[[RunRequest], Engine]
    """Builds an engine that is not yet started. Called on a thread of its own, once a start."""
    recordings: Path
    """The folder that the Record button records into."""
    protocols: tuple[tuple[str, str], ...] = ()
    """Name and title of each calibration there is."""
    calibrate: Callable[[str, str, Callable[[Path | None], None]], Any] | None = None
    """Opens a calibration's window: given a source URL, a protocol's name, and whom to tell the profile's path once it
    is closed (None where none was made). Returns the window."""
    sessions: tuple[tuple[str, str], ...] = ()
    """Name and title of each session of feedback there is."""
    feedback: Callable[[str], tuple[FeedbackPlan, FeedbackLoop]] | None = None
    """Makes a session of that name, to be the `tap` of a run."""


def has_display() -> bool:
    """Whether a window could be opened."""
    return not desktop.trouble()


def check_display() -> None:
    """Raise `ConfigError` where no window can be opened."""
    if trouble := desktop.trouble():
        raise ConfigError("the window", trouble, "use --view terminal or --view json")


def run(flows: Flows, wish: RunRequest, *, start: bool = True, weights: str = "", session: str = "") -> int:
    """Show the window until it is closed (or Ctrl-C) and return 0.

    Parameters
    ----------
    flows : Flows
    wish : RunRequest
        What stands in the source field at first.
    start : bool
        Whether to start at once.
    weights : str
        What the network in use is called.
    session : str
        A session of feedback to open the person's screen for.
    """
    os.environ["QT_API"] = "pyqt6"  # for the icons' library, which can do with others
    from .showing import show

    return show(flows, wish, start=start, weights=weights, session=session)
