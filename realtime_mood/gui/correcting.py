"""The keys of the window for corrections and for keeping a changed profile."""

from __future__ import annotations

from functools import partial

from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QWidget

from ..errors import MoodError
from ..language import _
from ..viewmodel.shortcuts import CORRECTION_KEYS, SAVE_KEY
from .bridge import RunBridge


def bind(window: QWidget, bridge: RunBridge) -> None:
    """Make the keys of `window` correct the run of `bridge`, and save its profile."""
    for index, key in enumerate(CORRECTION_KEYS):
        QShortcut(QKeySequence(key), window).activated.connect(partial(correct, bridge, index))
    QShortcut(QKeySequence(SAVE_KEY), window).activated.connect(partial(save, bridge))


def correct(bridge: RunBridge, index: int) -> None:
    """Label the last seconds with the label of that index, if the readout has it."""
    engine = bridge.active
    latest = engine.latest if engine else None
    if engine and latest and index < len(latest.readout.labels):
        engine.correct(latest.readout.labels[index])


def save(bridge: RunBridge) -> None:
    """Write the profile with what was changed in this run."""
    path, engine = bridge.request.profile, bridge.engine
    try:
        if path is None or engine is None or not engine.save_profile(path):
            bridge.notify(_("Nothing to save: no profile was changed in this run"), "info")
        else:
            bridge.notify(_("Profile saved with the changes of this run: {path}", path=path), "info")
    except (MoodError, OSError) as error:
        bridge.notify(str(error))
