"""The keyboard shortcuts of the window, in one list for binding and for the help that ``?`` shows."""

from __future__ import annotations

from typing import NamedTuple

from ..language import N_, _


class Shortcut(NamedTuple):
    """A key, its description, and the method of the window, or of a part of it, that it calls."""

    key: str
    words: str
    does: str


SHORTCUTS = (
    Shortcut("Ctrl+Return", N_("Start or stop the run"), "top.toggle_run"),
    Shortcut("C", N_("Connect to another source"), "sources.open"),
    Shortcut("K", N_("Calibrate"), "calibrate"),
    Shortcut("B", N_("Rest for a new baseline, then use it"), "renew_baseline"),
    Shortcut("Shift+B", N_("Keep the present baseline"), "keep_baseline"),
    Shortcut("F", N_("Feedback"), "feed_back"),
    Shortcut("R", N_("Record, or end the recording"), "toggle_record"),
    Shortcut("O", N_("Write and open the report"), "open_report"),
    Shortcut("P", N_("Pause or resume the traces"), "traces.toggle_pause"),
    Shortcut("E", N_("Next reference of the traces"), "traces.controls.next_reference"),
    Shortcut("G", N_("Next band of the traces"), "traces.controls.next_kind"),
    Shortcut("Ctrl+Z", N_("Include the electrode again that was left out last"), "bridge.include_last"),
    Shortcut("D", N_("Streams beside the EEG, or back to the spectrum"), "details.toggle_streams"),
    Shortcut("S", N_("Subject view, on the second screen"), "toggle_subject"),
    Shortcut("T", N_("Light or dark theme"), "toggle_theme"),
    Shortcut("Ctrl+1", N_("Operator layout"), "show_operator"),
    Shortcut("Ctrl+2", N_("Demonstration layout"), "show_demo"),
    Shortcut("F11", N_("Full screen"), "toggle_full_screen"),
    Shortcut("?", N_("Keyboard shortcuts"), "show_shortcuts"),
)
MARK_KEYS = tuple("123456789")  # each sets a marker at the newest sample
CORRECTION_KEYS = tuple(f"Alt+{n}" for n in range(1, 6))  # each says which label was right for the last seconds
SAVE_KEY = "Ctrl+S"
# keys are named differently on some keyboards
KEY_NAMES = (N_("Ctrl+Enter"), N_("Ctrl+1"), N_("Ctrl+2"), N_("Ctrl+S"), N_("Ctrl+Z"))


def table() -> tuple[tuple[str, str], ...]:
    """Key and description of each, translated."""
    keys = ((_(key.replace("Return", "Enter")), _(words)) for key, words, _method in SHORTCUTS)
    correct = _("Correct: the first to fifth label was right for the last 10 s")
    save = _("Save the profile with the changes of this run")
    return (*keys, ("1 … 9", _("Set a marker")), (_("Alt+1 … 5"), correct), (_(SAVE_KEY), save))
