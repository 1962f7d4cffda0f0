"""A real-time EEG emotion reader: the Python interface.

>>> import realtime_mood as rm
>>> with rm.open_source("lsl://MyHeadset") as stream:  # doctest: +SKIP
...     for reading in rm.read(stream, readout="effort", profile="me.json"):
...         print(reading.time, reading.label, reading.probabilities)

Importing it costs milliseconds: each name is imported when it is first used.
"""

from __future__ import annotations

import os
from importlib import import_module

TYPE_CHECKING = False  # as type checkers read it; `typing` itself takes most of the time that this import would
if TYPE_CHECKING:
    # isort: off
    from . import errors as errors
    from .api.bands import bandpower as bandpower, differential_entropy as differential_entropy
    from .api.calibration import calibrate as calibrate
    from .api.offline import ReadingTable as ReadingTable, read_array as read_array, read_raw as read_raw
    from .api.reading import ReadingStream as ReadingStream, read as read
    from .api.signals import features as features, record as record, windows as windows
    from .api.stream import EegStream as EegStream, open_source as open_source
    from .dsp.spec import FeatureSpec as FeatureSpec
    from .errors import MoodError as MoodError
    from .health import Emission as Emission, Health as Health
    from .plugins import register as register
    from .profile import Profile as Profile
    from .recording.recorder import Recorder as Recorder
    from .run.engine import Engine as Engine
    from .types import Abstained as Abstained, Chunk as Chunk, Estimate as Estimate, Features as Features
    from .types import Marker as Marker, StreamInfo as StreamInfo, Why as Why, Window as Window
    # isort: on

    __version__: str

# `models`, `calibration` and `app` are modules of this package. In a checkout they lie beside its folder, and symbolic
# links lead there; where a link is a small text file instead (Windows), the folder above is searched. The reasons are
# in docs/decisions/0017-one-import-name.md.
if not os.path.isdir(os.path.join(os.path.dirname(__file__), "models")):  # noqa: PTH112, PTH118, PTH120
    __path__.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))  # noqa: PTH120

_MODULES = {
    "api.bands": ("bandpower", "differential_entropy"),
    "api.calibration": ("calibrate",),
    "api.offline": ("ReadingTable", "read_array", "read_raw"),
    "api.reading": ("ReadingStream", "read"),
    "api.signals": ("features", "record", "windows"),
    "api.stream": ("EegStream", "open_source"),
    "dsp.spec": ("FeatureSpec",),
    "errors": ("MoodError",),
    "health": ("Emission", "Health"),
    "plugins": ("register",),
    "profile": ("Profile",),
    "recording.recorder": ("Recorder",),
    "run.engine": ("Engine",),
    "types": ("Abstained", "Chunk", "Estimate", "Features", "Marker", "StreamInfo", "Why", "Window"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = ["__version__", "errors", *sorted(_HOMES)]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            value: object = version("realtime-mood")
        except PackageNotFoundError:  # a copy of the folder that is not installed
            value = "0+not.installed"
    elif name == "errors":
        return import_module(".errors", __name__)
    elif name in _HOMES:
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
