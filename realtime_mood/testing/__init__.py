"""Checks for parts that others write: call one from any test; a `Violation` says what was asked, found, and to do.

>>> from realtime_mood.testing import check_source
>>> check_source(lambda: MyHeadset("COM3"))  # doctest: +SKIP
"""

from .displays import check_display
from .measures import check_measure
from .networks import check_network
from .parts import FakeHeadset, FakeStream, cut, example_readings, pink
from .sinks import check_sink
from .sources import check_source
from .waiting import Violation, no_threads_left, until, within

__all__ = [
    "FakeHeadset", "FakeStream", "Violation", "check_display", "check_measure", "check_network", "check_sink",
    "check_source", "cut", "example_readings", "no_threads_left", "pink", "until", "within",
]  # fmt: skip
