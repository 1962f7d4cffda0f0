"""The code in docs/plugins.md is what it says: every part in it passes its check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from realtime_mood.plugins import GROUPS

TEXT = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_parts_in_the_guide_pass_their_checks():
    pytest.importorskip("PyQt6", reason="one of the parts is a display")
    names: dict[str, object] = {}
    for block in BLOCKS:
        exec(block, names)
    names["test_my_parts"]()


def test_every_group_is_explained():
    for group in GROUPS:
        assert f"realtime_mood.{group}" in TEXT or group == "calibrations"
