"""The network and the calibration that are installed, from the registry of parts: the runtime itself knows neither."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

from ..pipeline import Pipeline
from ..profile import Profile
from ..types import StreamInfo
from .options import ReadingOptions

BUILDER = "realtime_mood.models.building"
"""The module that puts a network of any package into a pipeline; it lies above this one, and knows torch."""


class PipelineFactory(Protocol):
    """What a network's part makes of options and a profile: weights loaded once, for any stream."""

    def __call__(self, info: StreamInfo) -> Pipeline:
        """The pipeline of a stream."""

    def about(self) -> dict[str, Any]:
        """What made the readings, for a recording of them."""


def load_network(options: ReadingOptions, profile: Profile | None = None) -> PipelineFactory:
    """The network that ``weights`` names, loaded: one of another package as ``NAME://…``, else the built-in one.

    Raises
    ------
    ConfigError
        There is none of that name.
    """
    builder = import_module(BUILDER).PipelineBuilder  # torch is imported here and not before
    factory: PipelineFactory = builder(options, profile)
    return factory
