"""What the documentation says of each data set, from its reader: ``python -m realtime_mood.models.datasets.page``.

It rewrites what stands between the marks of ``docs/datasets.md``; a test compares the two.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from .commands import labels_of, size_of
from .sets import READERS, reader_of
from .trials import DatasetInfo, published

BEGIN, END = "<!-- data sets: begin -->", "<!-- data sets: end -->"
BASELINES = {
    "rest": "seconds of rest",
    "pre-clip": "the seconds before each clip",
    "neutral": "the first neutral clips",
    "none": "none: the first seconds of the session",
}


def facts(info: DatasetInfo) -> list[tuple[str, str]]:
    """What is known of a data set: titles and texts, some of several lines."""
    smoothed = "; shipped features are smoothed with later windows" if info.smoothed else ""
    signal = "signals" if info.raw else "shipped features only"
    figures = published(map(asdict, info.published))
    return [
        (info.name, info.title),
        ("Paper", info.paper),
        ("Page", info.page),
        ("Licence", info.licence),
        ("How to get it", info.access),
        ("Layout", info.layout),
        ("Size", size_of(info)),
        ("Labels", labels_of(info) or "none"),
        ("Baseline", BASELINES[info.baseline]),
        ("Read", signal + smoothed),
        *([("Published", "\n".join(figures))] if figures else []),
    ]


def section(info: DatasetInfo) -> str:
    """The data set's part of the page, in Markdown."""
    (name, title), *rest = facts(info)
    listed = [f"- **{what}**: {one}" for what, text in rest if what != "Layout" for one in text.splitlines()]
    return "\n".join([f"### `{name}` · {title}", "", *listed, "", "```text", info.layout, "```"])


def rewritten(text: str) -> str:
    """The page with the parts of all data sets as the readers have them now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    sections = [section(reader_of(name).info) for name in READERS]
    return "\n\n".join([before + BEGIN, *sections, END + after])


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(rewritten(page.read_text("utf-8")), "utf-8")
