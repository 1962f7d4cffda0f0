"""The Mood Reader network: architecture, training, weights, and the estimator that turns tensors into readings.

For programs of yours: `MoodReaderClassifier` (scikit-learn) and `MoodReaderModule` (torch), imported when first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .sharing.classifier import MoodReaderClassifier as MoodReaderClassifier
    from .sharing.torch_module import MoodReaderModule as MoodReaderModule

_HOMES = {"MoodReaderClassifier": "classifier", "MoodReaderModule": "torch_module"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        return getattr(import_module(f"{__name__}.sharing.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        from realtime_mood.errors import install_extra

        found, do = f"the package {error.name} is not installed", install_extra(error.name or "")
        raise ImportError(f"{name} · {found} · {do}", name=error.name) from error
