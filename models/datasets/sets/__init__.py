"""Registry of the readers of labelled data sets: one small module each, imported when it is first used."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from realtime_mood.errors import ConfigError

from ..trials import DatasetReader

READERS: dict[str, str] = {
    "biohack": "biohack:READER",
    "dasps": "dasps:READER",
    "deap": "deap:READER",
    "deap-raw": "deap_raw:READER",
    "dens": "dens:READER",
    "dreamer": "dreamer:READER",
    "ds002721": "reading_music:ds002721",
    "ds002722": "reading_music:ds002722",
    "ds002723": "reading_music:ds002723",
    "ds002724": "reading_music:ds002724",
    "eegmat": "eegmat:READER",
    "ekm-ed": "ekm_ed:READER",
    "emoeeg-mc": "emoeeg_mc:READER",
    "faced": "faced:READER",
    "faced-bids": "faced_bids:READER",
    "gameemo": "gameemo:READER",
    "imagined-emotion": "imagined_emotion:READER",
    "musin-g": "musin_g:READER",
    "sam40": "sam40:READER",
    "seed": "seed:READER",
    "seed-iv": "seed_iv:READER",
    "seed-v": "seed_v:READER",
    "seed-v-raw": "seed_v_raw:READER",
    "seed-vii": "seed_vii:READER",
    "ssvep-exo": "ssvep_exo:READER",
}
"""``module:reader`` of each, the module being in this folder, by the name on the command line."""


def reader_of(name: str) -> DatasetReader:
    """The reader of the data set `name`, or of the one that a TOML file of that path describes.

    Raises
    ------
    ConfigError
        There is none of that name, or the file is not valid.
    """
    if name.endswith(".toml"):
        return import_module(f"{__name__}.mapping").mapped_reader(Path(name))
    if name not in READERS:
        known = ", ".join(sorted(READERS)) or "none"
        raise ConfigError(f"data set {name!r}", "unknown", f"choose one of {known}, or a TOML file that describes one")
    return _known(name)


@cache
def _known(name: str) -> DatasetReader:
    module, _, reader = READERS[name].partition(":")
    found: DatasetReader = getattr(import_module(f"{__name__}.{module}"), reader)
    return found
