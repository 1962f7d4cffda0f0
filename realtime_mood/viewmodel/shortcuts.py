"""The keys of the window, in one list: what is bound is what ``?`` shows. Knows no toolkit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A key, what it does in words, and the name of the window's method that does it."""

    key: str
    words: str
    does: str


SHORTCUTS = (
    Shortcut("Ctrl+Return", "Start or stop the run", "toggle_run"),
    Shortcut("C", "Connect to another source", "connect_source"),
    Shortcut("K", "Calibrate", "calibrate"),
    Shortcut("F", "Feedback", "feed_back"),
    Shortcut("R", "Record, or end the recording", "toggle_record"),
    Shortcut("O", "Write and open the report", "open_report"),
    Shortcut("P", "Hold the traces still, or let them run", "toggle_pause"),
    Shortcut("S", "What the subject sees, on the second screen", "toggle_subject"),
    Shortcut("T", "Light or dark", "toggle_theme"),
    Shortcut("Ctrl+1", "Panels for an operator", "show_operator"),
    Shortcut("Ctrl+2", "Panels for a demonstration", "show_demo"),
    Shortcut("F11", "Full screen", "toggle_full_screen"),
    Shortcut("?", "These keys", "show_shortcuts"),
)
MARK_KEYS = tuple("123456789")
"""Each puts a marker on the newest sample."""


def table() -> tuple[tuple[str, str], ...]:
    """Key and words of each, for a person."""
    return (*((it.key.replace("Return", "Enter"), it.words) for it in SHORTCUTS), ("1 … 9", "Set a marker"))
