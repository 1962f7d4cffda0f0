"""Pages of reports: HTML that needs no other file, filled in from a template; and where a page is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain, count
from pathlib import Path

from .. import __version__
from ..errors import ConfigError
from ..files import check_writable, write_private
from ..language.rendering import render
from .drawing import ReportFigure, svg
from .words import FILTERS

CALIBRATION = "realtime_mood calibration report"
"""Generator of the pages of calibrations, by which they are recognised without loading what makes them."""


def html(template: str, generator: str, figures: Mapping[str, ReportFigure], **values: object) -> str:
    """A page as HTML, of a template that extends ``page.html`` and uses `values`.

    `generator` is what makes the page; `may_write` recognises it. The template has the texts of the named `figures`.
    """
    return render(
        __package__, f"templates/{template}", FILTERS,
        generator=generator, figures=figures, svg=svg, version=__version__, **values,
    )  # fmt: skip


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

    Raises `ConfigError` where another file is at the requested place, or its name is not that of a page.
    """
    if asked is not None:
        check_writable(asked, "a report at")
    if asked is not None and not asked.is_dir():
        if not may_write(asked, generator):
            raise ConfigError(f"a report at {asked}", "that is another file", "choose another name")
        if asked.suffix.lower() not in ("", ".html", ".htm"):
            found = f"a report is an HTML page, not {asked.suffix}"
            raise ConfigError(f"a report at {asked}", found, "end its name in .html; print it to PDF in the browser")
        return asked
    first = (asked or beside.parent) / f"{beside.stem}.html"
    names = chain([first], (first.with_stem(f"{first.stem}_{n}") for n in count(2)))
    return next(path for path in names if may_write(path, generator))


def write(path: Path, page: str) -> None:
    """Write a page that only this user can read, whole or not at all; `ConfigError` if it cannot be written."""
    try:
        write_private(path, page.encode("utf-8", "replace"))
    except OSError as error:
        raise ConfigError(
            f"a report at {path}", f"not written: {error.strerror or error}", "choose another place"
        ) from None
