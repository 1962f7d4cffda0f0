"""Turns a window to another screen, or to the whole of its own."""

from __future__ import annotations

from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QWidget


def show_beside(window: QWidget, other: QWidget) -> None:
    """Fill another screen than that of `other`; a window of its own where there is only one."""
    free = [screen for screen in QGuiApplication.screens() if screen is not other.screen()]
    if free:
        window.setGeometry(free[0].geometry())
        window.showFullScreen()
    else:
        window.show()


def toggle_full(window: QWidget) -> None:
    """Fill the screen, or be a window again."""
    window.setWindowState(window.windowState() ^ window.windowState().WindowFullScreen)
