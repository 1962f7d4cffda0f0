"""The check of a feedback display: it paints every frame, tells levels apart, is quick, and does not flash."""

from __future__ import annotations

import os
import time
from typing import Any
from unittest import SkipTest

import numpy as np

from ..gui import desktop
from ..viewmodel.feedback import FeedbackFrame
from .waiting import Violation, no_threads_left, require

SIZES = ((1280, 720), (320, 240))
PICTURE_S = 1 / 30  # how long a picture may take, without other work in between
VISIBLE, VISIBLE_AREA = 0.04, 5e-4  # least change of luminance (of 0 to 1) that is seen, and share of the area it needs
FLASH, FLASH_AREA = 0.1, 0.25  # least change of luminance, and of the area it covers, of a flash (WCAG 2.2, 2.3.1)
STEP = 0.04  # of the level, between two pictures in which nothing may flash


def check_display(kind: type) -> None:
    """Check a display against `gui.feedback.displays.Display`, without a screen; raise `Violation` where it differs.

    Parameters
    ----------
    kind : type
        A subclass of `Display`.

    Raises
    ------
    unittest.SkipTest
        Qt is missing here, which a test reports as skipped.
    """
    if trouble := desktop.trouble({"QT_QPA_PLATFORM": "offscreen"}):
        raise SkipTest(f"displays cannot be checked here: {trouble}")
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is imported
    from ..gui.feedback.displays import application, is_display

    kept = application()
    do = "derive a class from Display, with a method picture and without a paintEvent"
    require(is_display(kind), "a display", f"{kind!r}", do)
    with no_threads_left("the display"):
        display = kind()
        try:
            for width, height in SIZES:
                display.resize(width, height)
                _tells_apart(display)
                _in_time(display)
            _does_not_flash(display)
        finally:
            display.close()
    assert kept


def _paint(display: Any, size: float, *, neutral: bool = False, glow: float = 0.0, text: str = "") -> np.ndarray:
    """Luminance of the picture of a frame, (height, width), 0 to 1."""
    from ..gui.feedback.displays import luminance

    failures: list[str] = []
    display.report = failures.append
    frame = FeedbackFrame(size, neutral, glow, text, text, text, text, bool(text))
    picture = luminance(display, frame)
    display.show_it(frame)  # it reports a failure with the next frame
    if failures:
        raise Violation(f"a picture of {frame}", failures[0], "raise nothing in picture()")
    return picture


def _in_time(display: Any) -> None:
    took: list[float] = []
    while len(took) < 5 and min(took, default=1.0) >= PICTURE_S:  # other programs may have run in between
        began = time.perf_counter()
        display.grab()
        took.append(time.perf_counter() - began)
    found = f"{1e3 * min(took):.0f} ms"
    require(min(took) < PICTURE_S, f"a picture within {1e3 * PICTURE_S:.0f} ms", found, "paint less, or keep an image")


def _tells_apart(display: Any) -> None:
    pictures = {f"level {level:g}": _paint(display, level) for level in (0.1, 0.5, 0.9)}
    pictures["no feedback"] = _paint(display, 0.5, neutral=True)
    names = list(pictures)
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            seen = float(np.mean(np.abs(pictures[one] - pictures[other]) > VISIBLE))
            asked, found = f"different pictures of {one} and {other}", f"they differ on {seen:.2%} of the area"
            require(seen >= VISIBLE_AREA, asked, found, "show it by shape or brightness, not by colour alone")
    for level, glow in ((0.0, 0.0), (1.0, 1.0), (0.5, 0.5)):
        _paint(display, level, neutral=not glow, glow=glow, text="1 · ä")
    same = np.array_equal(pictures["level 0.5"], _paint(display, 0.5))
    require(same, "the same picture of the same frame", "another one later", "keep no state, draw nothing at random")


def _does_not_flash(display: Any) -> None:
    before = _paint(display, 0.0)
    for level in np.arange(STEP, 1 + STEP / 2, STEP):
        picture = _paint(display, float(level))
        area = float(np.mean(np.abs(picture - before) >= FLASH))
        found = f"{area:.0%} of the area change at once near level {level:.2f}"
        require(area < FLASH_AREA, "no flashes: a small step of the level is a small change", found, "let it move")
        before = picture
