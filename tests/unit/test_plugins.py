"""The registry: built-in parts are entry points like any other, and a broken one costs nobody else anything."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from realtime_mood import plugins
from realtime_mood.errors import ConfigError, PluginError
from realtime_mood.sources import devices
from realtime_mood.sources.devices import Device
from realtime_mood.viewmodel.connect import choice_of, choices_of

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


class Finding:
    """A source that finds devices."""

    found: tuple[object, ...] = (Device("mine", "Band 7", "mine://7", ("C3", "C4"), 2, 200.0),)

    @classmethod
    def devices(cls, seconds):
        return cls.found


class Careless(Finding):
    found = ("Band 7",)


def test_an_installed_source_is_in_the_list_of_devices_and_of_the_window(registered):
    registered("sources", "mine", Finding)
    registered("sources", "plain", object)
    registered("sources", "careless", Careless)
    one, plain, careless = devices.installed(0.1)
    assert [it.url for it in (one, plain, careless)] == ["mine://7", "plain://", "careless://"]
    assert "TypeError" not in careless.trouble
    assert "type Device" in careless.trouble
    assert [choice.title for choice in choices_of([one, plain])] == ["Band 7", "plain (this program)"]
    assert choice_of(careless).detail.startswith("devices() has to list")
    assert plugins.also("sources") == " Installed: mine://, plain://, careless://."


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
