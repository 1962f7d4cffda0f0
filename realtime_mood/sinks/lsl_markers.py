"""Events of calibration and feedback as two LSL marker streams: text, and numeric codes for amplifiers (`CODES`).

A block of a protocol has 100 + the position of its label, from 1, where it begins, and 200 + it where it ends.
"""

from __future__ import annotations

import re
from typing import Any

from .. import liblsl

UNKNOWN, BLOCK_BEGIN, BLOCK_END = 1, 100, 200
STEP = r"(?:rest|washout|block|report)/\d+/\d+"
BLOCK = re.compile(r"block/\d+/\d+/(begin|end)(?:/(.+))?")
CODES = {
    r"rest/\d+/\d+/begin/open": (11, "rest begin open"),
    r"rest/\d+/\d+/begin/closed": (12, "rest begin closed"),
    r"rest/\d+/\d+/end": (19, "rest end"),
    r"washout/\d+/\d+/begin": (20, "washout begin"),
    r"washout/\d+/\d+/end": (29, "washout end"),
    r"report/\d+/\d+/begin": (30, "report begin"),
    r"report/\d+/\d+/answer": (31, "report answer"),
    rf"{STEP}/shown": (40, "shown"),  # a stimulus on the screen
    r"feedback/\d+/begin/baseline": (51, "feedback begin baseline"),
    r"feedback/\d+/begin/feedback": (52, "feedback begin feedback"),
    r"feedback/\d+/begin/transfer": (53, "feedback begin transfer"),
    r"feedback/\d+/begin/rest": (54, "feedback begin rest"),
    r"feedback/\d+/end": (59, "feedback end"),
    r"reward": (60, "reward"),
    r"pause": (90, "pause"),
    r"resume": (91, "resume"),
    r"stop": (99, "stop"),
    rf"{STEP}/cancelled": (290, "cancelled"),  # it will be repeated
}
"""Code and meaning by the text's beginning; what follows after a slash does not matter."""


class MarkerOutlet:
    """Two streams of type Markers: `name` with text, ``name-codes`` with codes. Their metadata explain the codes.

    `labels` are those of the protocol, in its order.
    """

    def __init__(self, name: str, labels: tuple[str, ...] = ()) -> None:
        pylsl, self._to_stamps, self.labels = liblsl.pylsl(), liblsl.to_stamps(), labels
        self._label = ""  # of the current block: the marker of its end does not repeat it
        forms = {name: pylsl.cf_string, f"{name}-codes": pylsl.cf_int32}
        self._outlets = tuple(_outlet(pylsl, stream, form, labels) for stream, form in forms.items())

    def send(self, text: str, t: float) -> None:
        """Send an event, as `realtime_mood.calibration.progress` writes it, that happened at `t` (s, our clock)."""
        if (block := BLOCK.fullmatch(text)) and block[1] == "begin":
            self._label = block[2] or ""
        values = (text, code_of(text, self.labels, self._label))
        for outlet, value in zip(self._outlets, values, strict=False):  # they may have been closed
            outlet.push_sample([value], t + self._to_stamps)

    def close(self) -> None:
        """Remove the streams from the network. May be called twice."""
        self._outlets = ()


def code_of(text: str, labels: tuple[str, ...], running: str = "") -> int:
    """Code of an event; a label that is not among `labels` has position 0.

    `running` is the label of the current block, for the marker of its end.
    """
    if block := BLOCK.fullmatch(text):
        label = block[2] if block[1] == "begin" else running
        base = BLOCK_BEGIN if block[1] == "begin" else BLOCK_END
        return base + (labels.index(label) + 1 if label in labels else 0)
    return next((code for start, (code, _) in CODES.items() if re.fullmatch(f"{start}(?:/.*)?", text)), UNKNOWN)


def meanings(labels: tuple[str, ...]) -> dict[int, str]:
    """All codes of a protocol with these labels, and their meaning."""
    return {
        UNKNOWN: "unknown",
        **dict(CODES.values()),
        **{BLOCK_BEGIN + i: f"block begin {label}" for i, label in enumerate(labels, 1)},
        **{BLOCK_END + i: f"block end {label}" for i, label in enumerate(labels, 1)},
    }


def _outlet(pylsl: Any, name: str, form: int, labels: tuple[str, ...]) -> Any:
    info = pylsl.StreamInfo(name, "Markers", 1, pylsl.IRREGULAR_RATE, form, liblsl.own_id(name))
    info.desc().append_child_value("manufacturer", "realtime_mood")
    codes = info.desc().append_child("codes")
    for code, meaning in meanings(labels).items():
        element = codes.append_child("code")
        element.append_child_value("value", str(code))
        element.append_child_value("meaning", meaning)
    return pylsl.StreamOutlet(info)
