"""How times, shares, reasons and foreign texts are written in reports."""

from __future__ import annotations

from collections.abc import Callable

from ..language import N_, _, number
from ..language.terms import REASONS
from .readings import OTHER

LONGEST = 200  # letters of a text from the file that a page shows
# what each reason for the absence of an estimate means
MEANINGS = {
    "settling": N_("the filters had to settle, and the first seconds of context had to be received"),
    "stale": N_("the source sent nothing"),
    "gap": N_("too much of the context was missing"),
    "bad_signal": N_("too few electrodes were usable"),
    "muscle": N_("too many seconds held muscle activity of the jaw or the forehead"),
    "blinks": N_("too many seconds held rapid blinking"),
    "movement": N_("the head or the headset was moved in too many seconds"),
    "uncalibrated": N_("this readout gives no estimate before a calibration of the subject"),
    "unsure": N_("no label was probable enough"),
    "montage": N_("the network needs more electrodes"),
    "unfamiliar": N_("the signal, the electrodes or the device are unlike those that the network was trained on"),
    OTHER: N_("a reason that this version of the program does not know"),
}

REQUESTS = {
    "drift": N_("the signal had moved away from the baseline ({details}): later readings are less reliable"),
    "rest": N_("rest for a new baseline was begun"),
    "use": N_("the new baseline was requested: readings that follow are compared with it"),
    "keep": N_("the present baseline was kept"),
    "correction": N_("the user labelled the ten seconds before as {details}"),
}


def printable(text: str) -> str:
    """A text without control and bidirectional characters, and with single spaces."""
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))


def plain(text: str) -> str:
    """A text from the file, `printable` and no longer than `LONGEST`."""
    shown = printable(text)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def label_text(name: str) -> str:
    """A label from the file, translated where it is known."""
    return _(plain(name))


def span(seconds: float) -> str:
    """A duration in seconds, minutes or hours."""
    if seconds < 59.5:
        return f"{number(seconds, '.1f')} s" if 0 < seconds < 9.95 and round(seconds, 1) % 1 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def share(part: float) -> str:
    """A share, never rounded to all or nothing."""
    if 0 < part < 0.005:
        return _("under 1%")
    return _("over 99%") if 0.995 < part < 1 - 1e-9 else f"{part:.0%}"


def clock(seconds: float) -> str:
    """A time of the recording: hours where there are any, minutes, seconds to a tenth."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    start = f"{minutes // 60}:{minutes % 60:02d}" if minutes >= 60 else f"{minutes}"
    return f"{start}:{rest // 10:02d}.{rest % 10}"


def reason(why: str) -> str:
    """The words for why there was no estimate."""
    return _(REASONS[why]) if why in REASONS else _("another reason")


FILTERS: dict[str, Callable[..., str]] = {
    "label": label_text, "plain": plain, "printable": printable, "span": span, "share": share, "clock": clock,
    "number": number,
}  # fmt: skip
"""What templates may apply to a value."""
