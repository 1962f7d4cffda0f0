"""Pages of reports: what a page holds, how it becomes HTML that needs no other file, and where it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ConfigError
from ..files import check_writable, write_private
from ..language.rendering import render

if TYPE_CHECKING:  # drawing takes a second to import
    from .drawing import Draw

Row = tuple[str, str, str]
"""What, how much, and what that means."""


class ReportFigure(NamedTuple):
    """A picture with its texts."""

    title: str
    draw: Draw
    size: tuple[float, float]
    """Inches."""
    alt: str
    caption: str
    wide: bool = False


@dataclass(frozen=True, slots=True)
class ReportSection:
    """Figures and a table under a title; left out of the page when it has neither."""

    title: str
    rows: Sequence[Row] = ()
    figures: Sequence[ReportFigure] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReportPage:
    """What a page holds: plain texts, which are escaped when the page is rendered."""

    generator: str
    """What made the page; `may_write` recognises it."""
    title: str
    sections: Sequence[ReportSection]
    limits: Sequence[str]
    """Paragraphs at the end."""
    simulated: bool = False
    about: str = ""
    window_title: str = ""
    """Where it differs from the title."""
    summary: Sequence[str] = ()
    """Paragraphs of the result, above everything else."""
    points: Sequence[str] = ()
    """A list below the summary."""
    positive: bool = True
    """Whether the result is shown as a good one."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Names and values before the limits."""

    def html(self) -> str:
        """The page as HTML."""
        from .drawing import svg

        return render(__package__, "templates/page.html", page=self, svg=svg)


def may_write(path: Path, generator: str) -> bool:
    """Whether nothing is there, or a page made by `generator`, in any language."""
    if path.is_symlink():
        return False
    start = r'<!DOCTYPE html>\n<html lang="\w+">\n<head>\n<meta charset="utf-8">\n<meta name="generator" content="{}">'
    try:
        with path.open("rb") as f:
            return re.match(start.format(re.escape(generator)).encode(), f.read(1024)) is not None
    except FileNotFoundError:
        return True
    except OSError:
        return False


def place(asked: Path | None, beside: Path, generator: str) -> Path:
    """Where a page about the file `beside` goes: to the requested place, or beside it under a name that may be written.

    Raises
    ------
    ConfigError
        Another file is at the requested place.
    """
    if asked is not None:
        check_writable(asked, "a report at")
    if asked is not None and not asked.is_dir():
        if not may_write(asked, generator):
            raise ConfigError(f"a report at {asked}", "that is another file", "choose another name")
        return asked
    first = (asked or beside.parent) / f"{beside.stem}.html"
    names = chain([first], (first.with_stem(f"{first.stem}_{n}") for n in count(2)))
    return next(path for path in names if may_write(path, generator))


def write(path: Path, page: ReportPage) -> None:
    """Write a page that only this user can read, whole or not at all.

    Raises
    ------
    ConfigError
        It cannot be written.
    """
    try:
        write_private(path, page.html().encode("utf-8", "replace"))
    except OSError as error:
        raise ConfigError(
            f"a report at {path}", f"not written: {error.strerror or error}", "choose another place with --out"
        ) from None
