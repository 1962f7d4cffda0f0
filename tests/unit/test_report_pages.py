"""The template of the reports: whatever a value holds, it is text in the page; and the language of the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from htmlpage import Page
from matplotlib.figure import Figure

from realtime_mood import language
from realtime_mood.language.rendering import environment
from realtime_mood.report.drawing import GOOD_SHARE, NUMBER_HEIGHT, ReportFigure, quality_figure, svg
from realtime_mood.report.pages import html, may_write

HOSTILE = '"><b onclick="x()">\'&amp;</b><script>alert(1)</script>{{ 7 * 7 }}{% raw %}' + "' onload='y"
SHOWN = " ".join(HOSTILE.split())


PAGE = """
{% extends "templates/page.html" %}
{% from "templates/kit.html" import fact, figure, limit, plots, quality, result, row, table with context %}
{% block title %}{{ x }}{% endblock %}
{% block main %}
{% call result(False) %}{{ x }}{% endcall %}
{% call plots() %}{{ figure("one", x, "{y}", "{y}") }}{{ quality(x) }}{% endcall %}
{% call table(x, x) %}{{ row(x, x, x) }}{% endcall %}
{% call table(x, x) %}{% endcall %}
{% endblock %}
{% block facts %}<dl>{{ fact(x, x) }}</dl>{% endblock %}
{% block limits %}{{ limit(x) }}{% endblock %}
"""


pytestmark = pytest.mark.usefixtures("use_language")  # English again afterwards


def test_hostile_values_stay_text_wherever_they_stand() -> None:
    figures = {
        "one": ReportFigure(lambda it: it.text(0.5, 0.5, HOSTILE), (2.0, 1.0), {"y": HOSTILE}),
        "quality": quality_figure(np.array([0.5]), [HOSTILE]),
    }
    kit = environment("realtime_mood.report").from_string(PAGE)
    text = kit.render(x=HOSTILE, generator=HOSTILE, figures=figures, svg=svg, simulated=True)
    assert "<b" not in text.replace("<body>", "")
    assert "<script" not in text
    assert 'generator" content="&#34;&gt;&lt;b' in text
    page = Page(text)  # every tag is closed, and no attribute is a script
    assert not {"b", "script"} & set(page.tags)
    assert len(page.ids) == len(set(page.ids))
    assert page.tags["table"] == 1  # the other has no rows
    drawn = 3 + 1  # title, text and caption of one figure; the electrode of the other
    assert page.texts.count(SHOWN) == 1 + 1 + drawn + 2 + 3 + 2 + 1  # heading, result, figures, table, row, fact, limit
    assert page.alts[0] == HOSTILE
    assert HOSTILE in page.alts[1]


def test_a_number_just_below_the_line_of_good_electrodes_stands_above_it() -> None:
    figure = Figure()
    quality_figure(np.array([0.75, 0.5, 0.9]), ["C3", "C4", "Cz"]).draw(figure)
    height = {text.get_text(): text.get_position()[1] for text in figure.axes[0].texts}
    assert height["50%"] + NUMBER_HEIGHT < GOOD_SHARE < height["75%"] < height["90%"]


def test_a_page_speaks_the_language_in_use_and_is_known_again_in_another(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    for code in ("en", "de"):
        language.use(code)
        path.write_text(html("page.html", "program x", {}, simulated=False), encoding="utf-8")
        assert f'<html lang="{code}">' in path.read_text(encoding="utf-8")
        language.use("en")
        assert may_write(path, "program x")
        assert not may_write(path, "program")
