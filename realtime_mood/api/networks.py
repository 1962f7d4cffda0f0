"""The network and the calibration that are installed, from the registry of parts: the runtime itself knows neither."""

from __future__ import annotations

from typing import Any, Protocol

from ..pipeline import Pipeline
from ..plugins import find
from ..profile import Profile
from ..types import StreamInfo
from .options import ReadingOptions


class PipelineFactory(Protocol):
    """What a network's part makes of options and a profile: weights loaded once, for any stream."""

    def __call__(self, info: StreamInfo) -> Pipeline:
        """The pipeline of a stream."""
        ...

    def about(self) -> dict[str, Any]:
        """What made the readings, for a recording of them."""
        ...


def load_network(options: ReadingOptions, profile: Profile | None = None) -> PipelineFactory:
    """The network that ``weights`` names, loaded: one of another package as ``NAME://…``, else the built-in one.

    Raises
    ------
    ConfigError
        There is none of that name.
    """
    name, is_url, _ = options.weights.partition("://")
    plugin = find("networks", name if is_url else "reader", f"weights {options.weights!r}")
    factory: PipelineFactory = plugin.load()(options, profile)
    return factory
