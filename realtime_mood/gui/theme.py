"""Colours, fonts and painting: dark and light themes with colours that colour-blind people can distinguish.

Widgets ask for a colour whenever they paint; those that keep colours have a method `retheme`, called when the theme
changes.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from string import Template
from typing import Literal

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QPainter
from PyQt6.QtWidgets import QApplication, QWidget

Theme = Literal["dark", "light"]
FOLDER = Path(__file__).parent
THEMES: dict[Theme, dict[str, str]] = tomllib.loads((FOLDER / "themes.toml").read_text("utf8"))  # type: ignore[assignment]
N_LABEL_COLOURS = 5
CENTRE = Qt.AlignmentFlag.AlignCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
FAMILIES = ["Inter", "Segoe UI", "SF Pro Text", "DejaVu Sans"]
SMALLEST = 1100, 640  # of the window, px at a size of 100 %
LEAST_PX = 12  # a text with less room is not painted
_now: list[Theme] = ["dark"]


def use(theme: Theme) -> None:
    """Use `theme` from now on."""
    _now[:] = [theme]


def current() -> Theme:
    """The current theme."""
    return _now[0]


def system() -> Theme:
    """The theme of the desktop; dark if unknown."""
    hints = QGuiApplication.styleHints()
    return "light" if hints is not None and hints.colorScheme() is Qt.ColorScheme.Light else "dark"


def retheme(window: QWidget) -> None:
    """Let all widgets of a window take the colours of the current theme."""
    for widget in [window, *window.findChildren(QWidget)]:
        if (ask := getattr(widget, "retheme", None)) is not None:
            ask()
        widget.update()


def colour(role: str) -> QColor:
    """The colour of `role`; labels beyond the palette repeat it."""
    if role.startswith("label"):
        role = f"label{int(role[5:]) % N_LABEL_COLOURS}"
    return QColor(THEMES[current()][role])


def faint(role: str, alpha: int) -> QColor:
    """The colour of `role` at an opacity of `alpha` out of 255."""
    c = colour(role)
    c.setAlpha(alpha)
    return c


def font(pixels: int, bold: bool = False) -> QFont:
    """The application's font in the given size."""
    f = QFont(QApplication.font())
    f.setFamilies(FAMILIES)
    f.setPixelSize(max(7, pixels))
    f.setBold(bold)
    return f


def fitting(text: str, width: float, pixels: int, bold: bool = False) -> int:
    """The font size, `pixels` or smaller, in which a text has a width of at most `width` px."""
    needed = QFontMetricsF(font(pixels, bold)).horizontalAdvance(text)
    return pixels if needed <= width else int(pixels * width / needed)


class Canvas(QWidget):
    """A widget that paints itself, in `draw`."""

    def paintEvent(self, event):
        p = QPainter(self)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.draw(p)
        p.end()

    def draw(self, p: QPainter) -> None:
        """Paint all of it."""
        raise NotImplementedError


def write(
    p: QPainter, box: QRectF, place: Qt.AlignmentFlag, text: str, role: str = "dim", pixels: int = 0, bold: bool = False
) -> None:
    """Paint a text at a place of a box, in the colour of `role`; without `pixels`, in the painter's font."""
    if pixels:
        p.setFont(font(pixels, bold))
    p.setPen(colour(role))
    p.drawText(box, place, text)


def write_elided(p: QPainter, box: QRectF, text: str, role: str = "dim") -> float:
    """Paint as much of `text` as a box has room for, in the painter's font; returns its width in px."""
    if box.width() < LEAST_PX:
        return 0.0
    text = p.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(box.width()))
    write(p, box, LEFT, text, role)
    return float(p.fontMetrics().horizontalAdvance(text))


def draw_line(p: QPainter, x: np.ndarray, y: np.ndarray) -> None:
    """Paint a line through the points `x`, `y` (n,) in px; NaN breaks it."""
    for part in np.ma.clump_unmasked(np.ma.masked_invalid(y)) if len(y) else ():
        line = pg.functions.arrayToQPolygonF(x[part], y[part])
        p.drawPolyline(line) if len(line) > 1 else p.drawPoint(line[0])


def style(*sheets: Path) -> str:
    """The style sheet of a window: `style.qss` and `sheets`, with the colours of the current theme."""
    values = THEMES[current()] | {
        "families": ", ".join(f'"{name}"' for name in FAMILIES),
        "arrow": (FOLDER / "arrow.svg").as_posix(),
        "check": (FOLDER / "check.svg").as_posix(),
    }
    return "".join(Template(sheet.read_text("utf8")).substitute(values) for sheet in (FOLDER / "style.qss", *sheets))


def bare(name: str = "", *, axes: bool = False) -> pg.PlotWidget:
    """A plot without menu, buttons, frame and mouse; with axes only on request. `name` is for screen readers."""
    plot = pg.PlotWidget(background=colour("panel"))
    plot.setAccessibleName(name)
    plot.setMenuEnabled(False)
    plot.setMouseEnabled(False, False)
    plot.hideButtons()
    plot.setFrameShape(plot.Shape.NoFrame)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    if not axes:
        plot.hideAxis("left")
        plot.hideAxis("bottom")
    return plot


def show_beside(window: QWidget, other: QWidget) -> None:
    """Fill another screen than that of `other`; a normal window if there is only one."""
    free = [screen for screen in QGuiApplication.screens() if screen is not other.screen()]
    if free:
        window.setGeometry(free[0].geometry())
        window.showFullScreen()
    else:
        window.show()


def toggle_full(window: QWidget) -> None:
    """Fill the screen, or be a window again."""
    window.setWindowState(window.windowState() ^ window.windowState().WindowFullScreen)
