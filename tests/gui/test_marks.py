"""The words of markers: in rows, none over another, each in its row for as long as it is shown."""

from __future__ import annotations

from itertools import pairwise

import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from hypothesis import given, settings
from hypothesis import strategies as st
from test_texts import over, painted  # noqa: F401  # the fixture that remembers painted text

from realtime_mood.gui.marks import LINE, MarkStrip
from realtime_mood.viewmodel.marks import LEAST, SPACE, Mark, MarkRows

WIDE = 400.0


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(5, 500)), max_size=30).map(sorted),
    st.lists(st.integers(1, 60), max_size=6),
)
def test_no_word_lies_over_another_and_each_keeps_its_row(marks, steps):
    rows, kept, gone = MarkRows(3), {}, 0.0
    for step in (0, *steps):
        gone += step
        words = [(k, x - gone, float(width)) for k, (x, width) in enumerate(marks) if x >= gone]
        placed = rows.place(words, WIDE)
        for one in placed:
            key, x, width = words[one.at]
            assert 0 <= one.row < 3
            assert kept.setdefault(key, one.row) == one.row
            assert one.x <= x
            assert 0 < one.width <= width
            assert one.x + one.width <= WIDE
        for row in range(3):
            assert all(a.x + a.width + SPACE <= b.x for a, b in pairwise([p for p in placed if p.row == row]))


def test_three_at_once_have_a_row_each_and_a_lone_one_is_whole():
    rows = MarkRows(3)
    assert [(p.row, p.width) for p in rows.place([(k, 100.0, 80.0) for k in range(3)], WIDE)] == [
        (0, 80.0), (1, 80.0), (2, 80.0),
    ]  # fmt: skip
    many = [(k, 20.0 * k, 80.0) for k in range(20)]
    assert all(p.width >= LEAST - 1e-9 for p in MarkRows(2).place(many, WIDE))  # a few of many can be read
    assert MarkRows(3).place([("new", WIDE, 80.0)], WIDE)[0].x == WIDE - 80.0  # one that has just come is read at once


def test_the_strip_takes_room_once_and_writes_what_fits(qtbot, painted):  # noqa: F811
    strip = MarkStrip()
    qtbot.addWidget(strip)
    strip.resize(300, 0)
    assert strip.height() == 0
    marks = [Mark(k, t, "fault: C3 noise of 200 µV") for k, t in enumerate((-9.0, -8.5, -8.0, -7.2, -7.0))]
    strip.show_marks(10.0, marks)
    assert strip.height() == 3 * LINE
    strip.grab()
    texts = painted[strip]
    assert len(texts) >= 3
    assert "fault: C3 noise of 200 µV" in [text for text, *_ in texts]
    assert any(text.endswith("…") for text, *_ in texts)
    assert not any(over(a, b) for k, (_, a, _r) in enumerate(texts) for _, b, _s in texts[:k])
    strip.show_marks(10.0, [])
    assert strip.height() == 3 * LINE  # the picture below does not jump when a word leaves
    strip.clear()
    assert strip.height() == 0
