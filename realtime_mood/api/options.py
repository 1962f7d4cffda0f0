"""The options that decide what the readings of a signal are, for the command line and the Python interface."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from ..errors import ConfigError
from ..files import Strict

if TYPE_CHECKING:  # scipy takes a second to import, and --help does without
    from ..dsp.filters import Notch


class ReadingOptions(Strict):
    """Network, readout, profile, filters, repair, device and runtime of a run."""

    weights: str = "reader-5"
    readout: str = "auto"
    profile: Path | None = None
    notch: Literal["auto", "50", "60"] = "auto"
    repair: Literal["none", "eog"] = "none"  # of blinks
    device: Literal["auto", "cpu", "cuda"] = "auto"
    runtime: Literal["auto", "torch", "onnx"] = "auto"

    @property
    def notches(self) -> Notch:
        """The line frequencies to take out (Hz), or ``"auto"``."""
        return "auto" if self.notch == "auto" else (float(self.notch),)


def reading_options(**given: object) -> ReadingOptions:
    """Options from keyword arguments, ``notch`` also as a number; raises `ConfigError` for the first wrong one."""
    if "notch" in given and given["notch"] in (50, 60):
        given["notch"] = f"{given['notch']:.0f}"
    try:
        return ReadingOptions.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        options = ", ".join(ReadingOptions.model_fields)
        raise ConfigError(f"option {key!r}", f"{given[key]!r}: {first['msg']}", f"options are {options}") from None
