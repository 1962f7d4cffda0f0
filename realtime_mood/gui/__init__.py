"""Turns an engine into a window. Importing this package does not import Qt; calling `run` does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine import Engine


def has_display() -> bool:
    """Whether a window could be opened."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def run(make_engine: Callable[[str], Engine], url: str, *, start: bool = True, weights: str = "") -> int:
    """Show the window until it is closed (or Ctrl-C) and return 0.

    Parameters
    ----------
    make_engine : callable
        Builds an engine that is not yet started from a source URL. Called on a thread of its own, once per Start.
    url : str
        What stands in the source field at first.
    start : bool
        Whether to start at once.
    weights : str
        What the network in use is called, for the top bar.
    """
    from .window import show

    return show(make_engine, url, start=start, weights=weights)
