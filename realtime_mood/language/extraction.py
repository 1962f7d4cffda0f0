"""Collects the texts of session and protocol files (TOML) for translation; used by ``make messages``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any, BinaryIO

SHOWN = ("title", "about", "text", "washout", "consent", "debrief")  # the keys whose texts people read
Message = tuple[int, None, str, list[str]]


def texts_of_toml(file: BinaryIO, keywords: object, comment_tags: object, options: object) -> Iterator[Message]:
    """The texts of one file, as an extraction method of babel."""
    yield from ((1, None, text, []) for text in _texts(tomllib.load(file)))


def _texts(table: Any) -> Iterator[str]:
    if isinstance(table, list):
        for entry in table:
            yield from _texts(entry)
    elif isinstance(table, dict):
        for key, value in table.items():
            if key in SHOWN and isinstance(value, str) and value.strip():
                yield value.strip()
            else:
                yield from _texts(value)
