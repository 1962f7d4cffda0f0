"""Turns the window's theme into one to be read from further away: large calm type, lots of room."""

from __future__ import annotations

from realtime_mood.gui import theme

_C = theme.COLOURS
STYLE = f"""{theme.STYLE}
QLabel#headline {{ font-size: 32px; font-weight: 600; }}
QLabel#body {{ font-size: 17px; border: 0; }}
QLabel#aside {{ font-size: 17px; color: {_C["dim"]}; }}
QLabel#small {{ font-size: 13px; color: {_C["dim"]}; }}
QLabel#warning {{ font-size: 14px; color: {_C["warn"]}; }}
QLabel#where {{ font-size: 15px; color: {_C["dim"]}; letter-spacing: 1px; }}
QLabel#clock {{ font-size: 22px; color: {_C["dim"]}; }}
QCheckBox {{ font-size: 15px; spacing: 8px; }}
QCheckBox::indicator {{ width: 16px; height: 16px; border: 1px solid {_C["dim"]}; border-radius: 3px; }}
QCheckBox::indicator {{ background: {theme.BACK}; }}
QCheckBox::indicator:checked {{ background: {_C["info"]}; border-color: {_C["info"]}; }}
QCheckBox:focus {{ color: {_C["info"]}; }}
QPushButton#primary {{ font-size: 17px; padding: 11px 34px; border-radius: 6px; }}
QPushButton#quiet {{ font-size: 17px; padding: 11px 24px; border-radius: 6px; background: transparent; }}
QPushButton#quiet {{ border-color: {theme.LINE}; color: {_C["dim"]}; font-weight: 400; }}
QPushButton#quiet:hover {{ border-color: {_C["dim"]}; color: {_C["text"]}; }}
QPushButton#tiny {{ font-size: 13px; padding: 5px 14px; background: transparent; border-color: {theme.LINE}; }}
QPushButton#tiny {{ color: {_C["dim"]}; font-weight: 400; }}
QPushButton#tiny:hover {{ border-color: {_C["dim"]}; color: {_C["text"]}; }}
QPushButton#tiny:disabled {{ color: #55627a; }}
QProgressBar {{ background: {theme.PANEL}; border: 0; border-radius: 3px; }}
QProgressBar::chunk {{ background: #3b628c; border-radius: 3px; }}
QScrollArea {{ border: 0; background: {theme.BACK}; }}
"""
