"""Events of calibration and feedback as two LSL marker streams: text, and numeric codes for amplifiers.

======================  ====  ========================
text                    code  meaning
======================  ====  ========================
anything else              1  unknown
``rest/…/begin/open``     11  rest begins, eyes open
``rest/…/begin/closed``   12  rest begins, eyes closed
``rest/…/end``            19  rest ends
``washout/…/begin``       20  washout begins
``washout/…/end``         29  washout ends
``report/…/begin``        30  self-report begins
``report/…/answer/…``     31  self-report answered
``…/shown``               40  stimulus on the screen
``feedback/…/begin/…``    51  baseline begins; 52 feedback, 53 transfer, 54 rest of a feedback session
``feedback/…/end``        59  that part ends
``reward``                60  reward
``pause/…``               90  pause
``resume``                91  resumed
``stop``                  99  stopped
``block/…/begin/LABEL``  100  + position of LABEL, from 1
``block/…/end``          200  + position of its label
``…/cancelled/…``        290  cancelled, will be repeated
======================  ====  ========================
"""

from __future__ import annotations

import re
from typing import Any

from .. import liblsl

UNKNOWN, SHOWN, CANCELLED = 1, 40, 290
BLOCK_BEGIN, BLOCK_END = 100, 200
ALONE = {"reward": 60, "pause": 90, "resume": 91, "stop": 99}
FEEDBACK = re.compile(r"feedback/\d+/(end|begin/(?:baseline|feedback|transfer|rest))")
FEEDBACK_CODES = {"begin/baseline": 51, "begin/feedback": 52, "begin/transfer": 53, "begin/rest": 54, "end": 59}
STEP = re.compile(r"(rest|washout|block|report)/\d+/\d+/(.+)")
BLOCK_BEGINS = re.compile(r"block/\d+/\d+/begin/(.+)")
STEPS = {
    ("rest", "begin/open"): 11,
    ("rest", "begin/closed"): 12,
    ("rest", "end"): 19,
    ("washout", "begin"): 20,
    ("washout", "end"): 29,
    ("report", "begin"): 30,
    ("report", "answer"): 31,
}


class MarkerOutlet:
    """Two streams of type Markers: `name` with text, ``name-codes`` with codes. The metadata of both explain the codes.

    Parameters
    ----------
    name : str
        Name of the streams.
    labels : tuple of str
        Labels of the protocol, in its order.
    """

    def __init__(self, name: str, labels: tuple[str, ...] = ()) -> None:
        pylsl = liblsl.pylsl()
        self.labels = labels
        self._label = ""  # of the current block: the marker of its end does not repeat it
        self._to_stamps = liblsl.to_stamps()
        kinds = ((name, pylsl.cf_string), (f"{name}-codes", pylsl.cf_int32))
        self._outlets = tuple(_outlet(pylsl, stream, form, labels) for stream, form in kinds)

    def send(self, text: str, t: float) -> None:
        """Send an event that happened at `t` (s, our clock). After `close` nothing is sent.

        Parameters
        ----------
        text : str
            Marker text as made by `realtime_mood.calibration.progress`.
        t : float
        """
        if begins := BLOCK_BEGINS.fullmatch(text):
            self._label = begins[1]
        values = (text, code_of(text, self.labels, self._label))
        for outlet, value in zip(self._outlets, values, strict=False):  # they may have been closed
            outlet.push_sample([value], t + self._to_stamps)

    def close(self) -> None:
        """Remove the streams from the network. May be called twice."""
        self._outlets = ()


def code_of(text: str, labels: tuple[str, ...], running: str = "") -> int:
    """Code of an event, from the table at the top of this file.

    Parameters
    ----------
    text : str
    labels : tuple of str
        Labels of the protocol. A label that is not among them has position 0.
    running : str
        Label of the current block, for the marker of its end.
    """
    if part := FEEDBACK.fullmatch(text):
        return FEEDBACK_CODES[part[1]]
    step = STEP.fullmatch(text)
    if step is None:
        return ALONE.get(text.partition("/")[0], UNKNOWN)
    kind, what = step.groups()
    word, _, more = what.partition("/")
    if word in ("shown", "cancelled"):
        return SHOWN if word == "shown" else CANCELLED
    if kind == "block" and word in ("begin", "end"):
        label = more if word == "begin" else running
        place = labels.index(label) + 1 if label in labels else 0
        return (BLOCK_BEGIN if word == "begin" else BLOCK_END) + place
    return STEPS.get((kind, what), STEPS.get((kind, word), UNKNOWN))


def meanings(labels: tuple[str, ...]) -> dict[int, str]:
    """All codes of a protocol with these labels, and their meaning."""
    return {
        UNKNOWN: "unknown",
        **{code: f"{kind} {what.replace('/', ' ')}" for (kind, what), code in STEPS.items()},
        SHOWN: "shown",
        **{code: f"feedback {what.replace('/', ' ')}" for what, code in FEEDBACK_CODES.items()},
        **{code: word for word, code in ALONE.items()},
        **{BLOCK_BEGIN + i: f"block begin {label}" for i, label in enumerate(labels, 1)},
        **{BLOCK_END + i: f"block end {label}" for i, label in enumerate(labels, 1)},
        CANCELLED: "cancelled",
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
