"""Turns the import of the LSL library into one that does not chat on standard error."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

PLACES = ("lsl_api.cfg", "~/lsl_api/lsl_api.cfg", "/etc/lsl_api/lsl_api.cfg")  # where the library looks by itself


@cache
def pylsl() -> Any:
    """The library, told to log nothing unless the user has a configuration of their own."""
    import pylsl as library

    own = "LSLAPICFG" in os.environ or any(Path(place).expanduser().is_file() for place in PLACES)
    if not own and hasattr(library, "set_config_content"):
        library.set_config_content("[log]\nlevel = -3\n")  # every trouble reaches us as an exception as well
    return library
