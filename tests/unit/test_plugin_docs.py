"""The code in docs/plugins.md is what it says: every part in it passes its check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from realtime_mood.plugins import GROUPS

TEXT = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_parts_in_the_guide_pass_their_checks():
    names: dict[str, object] = {}
    for block in BLOCKS:
        if "displays import" not in block:
            exec(block, names)
    names["test_my_parts"]()


def test_the_display_in_the_guide_paints(request, registered):
    pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)
    qtbot = request.getfixturevalue("qtbot")
    from realtime_mood.gui.feedback.displays import display_of
    from realtime_mood.viewmodel.feedback import FeedbackFrame

    names: dict[str, object] = {}
    (block,) = (block for block in BLOCKS if "displays import" in block)
    exec(block, names)
    registered("displays", "square", names["Square"])
    display = display_of("square", pytest.fail)
    qtbot.addWidget(display)
    display.show_it(FeedbackFrame(0.5, False, 0.0, "", "", "", "", False))
    assert not display.grab().isNull()
    assert type(display).__name__ == "Square"
    assert not display._is_broken


def test_every_group_is_explained():
    for group in GROUPS:
        assert f"realtime_mood.{group}" in TEXT or group == "calibrations"
