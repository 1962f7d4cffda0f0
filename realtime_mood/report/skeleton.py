"""Turns words and pictures into a page that needs no network, script or other file."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # drawing takes a second to import
    from .drawing import Draw


class Picture(NamedTuple):
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
        What made the page, for `begins` to know it by.
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


def figure(key: str, it: Picture) -> str:
    """A picture with its title and caption; no two of a page may share a `key`."""
    from .drawing import svg

    wide = ' class="wide"' if it.wide else ""
    drawn = svg(it.draw, it.size, key, it.alt)
    return f"<figure{wide}><h3>{escape(it.title)}</h3>{drawn}<figcaption>{escape(it.caption)}</figcaption></figure>"
