"""Turns a plan into a window that leads somebody through it. Importing this package does not import Qt; `run` does."""

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
    """Show the window until it is closed (or Ctrl-C): 0 when a profile was made and kept, else 1.

    Parameters
    ----------
    make_session : callable
        Builds a session that is held and not yet started. Called on a thread of its own, once consent is given.
    plan : BlockPlan
        What the session goes through.
    fit : callable
        Makes a profile of a recording, telling how far it is. Called on a thread of its own.
    on_fitted : callable
        Keeps the profile and says where. Called on the same thread.
    windowed : bool
        Whether to leave the rest of the screen alone.
    """
    from .window import show

    return show(make_session, plan, fit, on_fitted, windowed=windowed)
