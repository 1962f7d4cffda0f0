"""The measures of the body on a screen: the newest as text, and lines over the session."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..body.history import BodyHistory
from ..body.measure import UNITS, BodyMeasure, unit_text
from ..language import N_, _, number
from ..language.terms import BODY, BODY_REASONS
from .words import StyledText

DIGITS = {"skin_conductance": ".2f", "skin_responses": ".1f", "movement": ".2f"}  # the others have none
SHORT = ("heart_rate", "skin_conductance")  # in the status line; the others are in its tip
TIP = N_("Measures of the body, not of emotion")


@dataclass(frozen=True, slots=True, eq=False)
class BodyLine:
    """One measure: what it is now, and its line."""

    name: str
    """A key of `UNITS`."""
    label: str
    """Translated."""
    text: StyledText
    """The newest value with its unit, or why there is none."""
    t: np.ndarray
    """(n_times,), s before now: negative."""
    values: np.ndarray
    """(n_times,), in its unit; NaN where invalid: the line has a gap there."""


@dataclass(frozen=True, slots=True, eq=False)
class BodyView:
    """The measures that the streams of the run can give; empty without such streams."""

    lines: tuple[BodyLine, ...] = ()

    @property
    def text(self) -> str:
        """All of them in one line, each with its value or why there is none; empty without any."""
        return " · ".join(f"{line.label} {line.text.text}" for line in self.lines)

    @property
    def cell(self) -> StyledText | None:
        """The entry of the status line; None without measures."""
        if not self.lines:
            return None
        short = [line.text.text for line in self.lines if line.name in SHORT and line.text.role == "text"]
        tip = "\n".join([_(TIP), *(f"{line.label}: {line.text.text}" for line in self.lines)])
        return StyledText(", ".join(short) or "–", "text" if short else "dim", tip)


def body_of(history: BodyHistory | None, now: float) -> BodyView:
    """The measures at `now` (s, our clock)."""
    latest = history.latest if history is not None else None
    if history is None or latest is None:
        return BodyView()
    t, values = history.lines()
    names = list(UNITS)
    return BodyView(
        tuple(
            BodyLine(it.name, _(BODY[it.name]), _text(it), t - now, values[:, names.index(it.name)])
            for it in latest.measures
        )
    )


def _text(measure: BodyMeasure) -> StyledText:
    if measure.value is None:
        return StyledText(_(BODY_REASONS[measure.why]), "dim")
    value, unit = number(measure.value, DIGITS.get(measure.name, ".0f")), unit_text(measure.unit)
    return StyledText(f"{value} {unit}", "text", _("quality {q}", q=number(measure.quality, ".2f")))
