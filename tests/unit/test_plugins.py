"""The registry: built-in parts are entry points like any other, and a broken one costs nobody else anything."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from realtime_mood import plugins
from realtime_mood.errors import ConfigError, PluginError

ROOT = Path(__file__).parents[2]
ALL = [(group, name) for group in plugins.GROUPS for name in plugins.BUILT_IN[group]]


def test_pyproject_declares_what_the_table_has():
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert points == {f"realtime_mood.{group}": parts for group, parts in plugins.BUILT_IN.items()}


@pytest.mark.parametrize("name", ["mine", "MINE"])
def test_a_registered_part_is_found_by_name(name, registered):
    part = object()
    registered("measures", name, part)
    assert plugins.find("measures", "Mine", "a measure").load() is part
    assert list(plugins.plugins("measures"))[-1] == "mine"


def test_a_built_in_name_is_not_replaced():
    with pytest.raises(ConfigError, match="built-in"):
        plugins.register("sources", "lsl", object())


def test_an_unknown_part_is_named_with_those_there_are():
    with pytest.raises(ConfigError, match=r"no scheme nowhere:// · known are synthetic://, lsl://"):
        plugins.find("sources", "nowhere", "source 'nowhere://'")


@pytest.mark.parametrize(("value", "why"), [
    ("no_such_module:Part", "ModuleNotFoundError"),
    ("realtime_mood.plugins:NoSuchPart", "AttributeError"),
])  # fmt: skip
def test_what_cannot_be_imported_is_one_error_that_names_the_package(value, why):
    broken = plugins.Plugin("sinks", "lamp", value, "lamp-of-somebody")
    with pytest.raises(PluginError, match=rf"sink 'lamp' of lamp-of-somebody · .*cannot be imported: {why}.*remove"):
        broken.load()
