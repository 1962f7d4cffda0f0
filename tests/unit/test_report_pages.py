"""The template of the reports: whatever a value holds, it is text in the page; and the language of the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from htmlpage import Page

from realtime_mood import language
from realtime_mood.report.pages import ReportFigure, ReportPage, ReportSection, may_write

HOSTILE = '"><b onclick="x()">\'&amp;</b><script>alert(1)</script>{{ 7 * 7 }}{% raw %}' + "' onload='y"
SHOWN = " ".join(HOSTILE.split())


def figure(text: str = HOSTILE) -> ReportFigure:
    return ReportFigure(text, lambda it: it.text(0.5, 0.5, text), (2.0, 1.0), text, text, wide=True)


VALUES = {
    "str": HOSTILE, "bool": True, "Sequence[str]": (HOSTILE, HOSTILE), "Mapping[str, str]": {HOSTILE: HOSTILE},
    "Sequence[Row]": ((HOSTILE,) * 3,), "Sequence[ReportFigure]": (figure(), figure()),
}  # fmt: skip


def filled() -> ReportPage:
    """A page with a hostile value in every field, of its sections too."""
    section = ReportSection(**{it.name: VALUES[str(it.type)] for it in fields(ReportSection)})
    kinds = VALUES | {"Sequence[ReportSection]": (section, section)}
    return ReportPage(**{it.name: kinds[str(it.type)] for it in fields(ReportPage)})


@pytest.fixture(autouse=True)
def english_afterwards() -> Iterator[None]:
    yield
    language.use("en")


def test_hostile_values_stay_text_wherever_they_stand() -> None:
    text = filled().html()
    assert "<b" not in text.replace("<body>", "")
    assert "<script" not in text
    assert 'generator" content="&#34;&gt;&lt;b' in text
    page = Page(text)  # every tag is closed, and no attribute is a script
    assert not {"b", "script"} & set(page.tags)
    assert len(page.ids) == len(set(page.ids))
    section = 2 + 3 + 2 * 3  # title, note; a row; figures with title, drawn text and caption
    assert page.texts.count(SHOWN) == 2 + 2 + 2 + 2 * section + 2 + 2  # heading, about; summary, points; facts, limits
    assert page.alts == [HOSTILE] * 4


def test_a_page_speaks_the_language_in_use_and_is_known_again_in_another(tmp_path: Path) -> None:
    path, page = tmp_path / "a.html", ReportPage("program x", "Title", (), ())
    for code in ("en", "de"):
        language.use(code)
        path.write_text(page.html(), encoding="utf-8")
        assert f'<html lang="{code}">' in path.read_text(encoding="utf-8")
        language.use("en")
        assert may_write(path, "program x")
        assert not may_write(path, "program")
