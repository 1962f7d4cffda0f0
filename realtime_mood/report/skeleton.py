"""Turns words and pictures into a page that needs no network, script or other file."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ConfigError
from ..files import check_writable, write_private

if TYPE_CHECKING:  # drawing takes a second to import
    from .drawing import Draw


class ReportFigure(NamedTuple):
    """One picture of a page."""

    title: str
    draw: Draw
    size: tuple[float, float]
    """Inches."""
    alt: str
    caption: str
    wide: bool = False


def skeleton(title: str, body: str, generator: str = "") -> str:
    """A whole page around `body`, which is HTML already.

    Parameters
    ----------
    generator : str, optional
        What made the page, for `may_write` to know it by.
    """
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return (
        f'{head(generator)}<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def head(generator: str) -> str:
    """How a page made by `generator` begins."""
    told = f'<meta name="generator" content="{escape(generator)}">\n' if generator else ""
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{told}'


def table(rows: Iterable[tuple[str, str, str]]) -> str:
    """Rows of what, how much, and what that means; text, not HTML. Empty where there are none."""
    return "".join(
        f'<tr><th scope="row">{escape(what)}</th><td class="value">{escape(value)}</td>'
        f'<td class="means">{escape(means)}</td></tr>'
        for what, value, means in rows
    )


def may_write(path: Path, generator: str) -> bool:
    """Whether nothing is there, or a page made by `generator`."""
    if path.is_symlink():
        return False
    try:
        with path.open("rb") as f:
            begun = head(generator).encode()
            return f.read(len(begun)) == begun
    except FileNotFoundError:
        return True
    except OSError:
        return False


def place(asked: Path | None, beside: Path, generator: str) -> Path:
    """Where a page about the file `beside` goes: where it was asked for, or a name beside it that is free or a page's.

    Raises
    ------
    ConfigError
        Another file is where it was asked for.
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


def write(path: Path, text: str) -> None:
    """Write a page for this user's eyes only, whole or not at all; raises `ConfigError` when that cannot be."""
    try:
        write_private(path, text.encode("utf-8", "replace"))
    except OSError as error:
        raise ConfigError(
            f"a report at {path}", f"not written: {error.strerror or error}", "choose another place with --out"
        ) from None


def figure(key: str, it: ReportFigure) -> str:
    """A picture with its title and caption; no two of a page may share a `key`."""
    from .drawing import svg

    wide = ' class="wide"' if it.wide else ""
    drawn = svg(it.draw, it.size, key, it.alt)
    return f"<figure{wide}><h3>{escape(it.title)}</h3>{drawn}<figcaption>{escape(it.caption)}</figcaption></figure>"
