"""The style sheet of the calibration window: large type, to be read from a distance."""

from __future__ import annotations

from realtime_mood.gui import theme


def style() -> str:
    """The style sheet of the calibration window, in the theme in use."""
    c = theme.THEMES[theme.current()]
    return f"""{theme.style()}
QLabel#headline {{ font-size: 32px; font-weight: 600; }}
QLabel#body {{ font-size: 17px; border: 0; }}
QLabel#aside {{ font-size: 17px; color: {c["dim"]}; }}
QLabel#small {{ font-size: 13px; color: {c["dim"]}; }}
QLabel#warning {{ font-size: 14px; color: {c["warn"]}; }}
QLabel#where {{ font-size: 15px; color: {c["dim"]}; letter-spacing: 1px; }}
QLabel#clock {{ font-size: 22px; color: {c["dim"]}; }}
QCheckBox {{ font-size: 15px; spacing: 8px; }}
QCheckBox::indicator {{ width: 16px; height: 16px; border: 1px solid {c["dim"]}; border-radius: 3px; }}
QCheckBox::indicator {{ background: {c["back"]}; }}
QCheckBox::indicator:checked {{ background: {c["info"]}; border-color: {c["info"]}; }}
QCheckBox:focus {{ color: {c["info"]}; }}
QPushButton#primary {{ font-size: 17px; padding: 11px 34px; border-radius: 6px; }}
QPushButton#quiet {{ font-size: 17px; padding: 11px 24px; border-radius: 6px; background: transparent; }}
QPushButton#quiet {{ border-color: {c["line"]}; color: {c["dim"]}; font-weight: 400; }}
QPushButton#quiet:hover {{ border-color: {c["dim"]}; color: {c["text"]}; }}
QPushButton#tiny {{ font-size: 13px; padding: 5px 14px; background: transparent; border-color: {c["line"]}; }}
QPushButton#tiny {{ color: {c["dim"]}; font-weight: 400; }}
QPushButton#tiny:hover {{ border-color: {c["dim"]}; color: {c["text"]}; }}
QPushButton#tiny:disabled {{ color: {c["faded"]}; }}
QProgressBar {{ background: {c["panel"]}; border: 0; border-radius: 3px; }}
QProgressBar::chunk {{ background: {c["edge"]}; border-radius: 3px; }}
QScrollArea {{ border: 0; background: {c["back"]}; }}
"""
