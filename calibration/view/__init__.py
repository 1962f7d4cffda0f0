"""The calibration window. Importing this package does not import Qt; `run` does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..fit import CalibrationResult, Progress
    from ..protocol import BlockPlan
    from ..session import CalibrationSession

__all__ = ["run"]


def run(
    make_session: Callable[[], CalibrationSession],
    plan: BlockPlan,
    fit: Callable[[Path, Progress], CalibrationResult],
    on_fitted: Callable[[CalibrationResult], str],
    windowed: bool = False,
) -> int:
    """Show the window until it is closed (or Ctrl-C): 0 when a profile was created and saved, else 1.

    Parameters
    ----------
    make_session : callable
        Builds a session that is held and not yet started. Called on its own thread, after consent.
    plan : BlockPlan
        Steps of the session.
    fit : callable
        Fits a profile to a recording and reports its progress. Called on its own thread.
    on_fitted : callable
        Saves the profile and returns a text that says where. Called on the same thread.
    windowed : bool
        Whether to open a normal window instead of filling the screen.
    """
    from .window import show

    return show(make_session, plan, fit, on_fitted, windowed=windowed)
