"""Text of markers: from text in any encoding, numbers of any format, and annotations named by their channel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..auxiliary import kind_of


def is_marker_type(kind: str) -> bool:
    """Whether a stream of this content type sends markers."""
    return kind_of(kind) == "markers"


def text_of(raw: bytes) -> str:
    """Decode bytes as UTF-8 if valid, else as Latin-1, which older programs on Windows send."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def texts_of(row: Iterable[object], kind: str, labels: Sequence[str] = ()) -> list[str]:
    """The markers in one row (bytes, str or numbers) of a stream of content type `kind`; empty where there is none.

    MNE-LSL's ``annotations`` have a channel for each description, and the value is the duration (s), -1 for none: there
    the channel's label is the marker.
    """
    values = list(row)
    if "annotation" in kind.lower() and len(labels) == len(values) and all(labels):
        numbers = [value if isinstance(value, (float, int, np.number)) else 0 for value in values]
        if named := [label for label, value in zip(labels, numbers, strict=True) if value and value == value]:
            return named
    text = " ".join(filter(None, (_word(value) for value in values)))
    return [text] if text else []


def _word(value: object) -> str:
    if isinstance(value, bytes):
        value = text_of(value)
    elif isinstance(value, (float, np.floating)) and float(value).is_integer():
        value = int(value)
    return str(value).replace("\0", "").strip()
