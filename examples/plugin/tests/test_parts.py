"""The package's own tests: one call of a shipped check for each part."""

from mood_lamp.measure import relative
from mood_lamp.sink import Lamp
from mood_lamp.source import SineHeadset, SineOptions

from realtime_mood.testing import check_measure, check_sink, check_source


def test_the_source():
    check_source(lambda: SineHeadset("", SineOptions()), seconds=0.5)


def test_the_sink(tmp_path):
    check_sink(lambda: Lamp(str(tmp_path / "lamp.txt")))


def test_the_measure():
    check_measure(relative)
