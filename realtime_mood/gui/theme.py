"""Turns the roles of the view state into colours and fonts: dark, and told apart by colour-blind eyes."""

from __future__ import annotations

from functools import cache

from PyQt6.QtGui import QColor, QFont
from PyQt6.QtWidgets import QApplication

BACK, PANEL, LINE = "#10141b", "#171d27", "#2b3442"
# Text greys keep a contrast of 4.5:1 or more on PANEL; hues follow Okabe and Ito (2008), lightened for a dark ground.
COLOURS = {
    "text": "#e8edf4",
    "dim": "#93a0b3",
    "info": "#8fc7ff",
    "ok": "#2fbf94",
    "warn": "#f2d64b",
    "bad": "#ff6f4d",
    "virtual": "#e09ac8",
    "label0": "#f0a132",
    "label1": "#c3cedd",
    "label2": "#5ab9f2",
    "label3": "#e08cc0",
    "label4": "#c9d64a",
}
N_LABEL_COLOURS = 5

STYLE = f"""
* {{ color: {COLOURS["text"]}; font-family: "Inter", "Segoe UI", "SF Pro Text", "DejaVu Sans"; font-size: 12px; }}
QMainWindow, QWidget#root {{ background: {BACK}; }}
QFrame#panel {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 6px; }}
QLabel#title {{ color: {COLOURS["dim"]}; font-weight: 600; border: 0; }}
QLineEdit {{ background: {BACK}; border: 1px solid {LINE}; border-radius: 4px; padding: 5px 8px; }}
QLineEdit:focus {{ border-color: {COLOURS["info"]}; }}
QLineEdit:disabled {{ color: {COLOURS["dim"]}; }}
QPushButton {{ background: #24405f; border: 1px solid #3b628c; border-radius: 4px; padding: 5px 18px; }}
QPushButton {{ font-weight: 600; }}
QPushButton:hover {{ background: #2c4f76; }}
QPushButton:focus {{ border-color: {COLOURS["info"]}; }}
QPushButton:disabled {{ background: {PANEL}; border-color: {LINE}; color: {COLOURS["dim"]}; }}
QToolTip {{ background: {PANEL}; color: {COLOURS["text"]}; border: 1px solid {LINE}; padding: 4px; }}
"""


@cache
def colour(role: str) -> QColor:
    """The colour of `role`; labels beyond the palette start over."""
    if role.startswith("label"):
        role = f"label{int(role[5:]) % N_LABEL_COLOURS}"
    return QColor(COLOURS[role])


def faint(role: str, alpha: int) -> QColor:
    """The colour of `role` at an opacity of `alpha` out of 255."""
    c = QColor(colour(role))
    c.setAlpha(alpha)
    return c


def font(pixels: int, bold: bool = False) -> QFont:
    """The application's font at a size that fits its place."""
    f = QFont(QApplication.font())
    f.setFamilies(["Inter", "Segoe UI", "SF Pro Text", "DejaVu Sans"])
    f.setPixelSize(max(7, pixels))
    f.setBold(bold)
    return f
