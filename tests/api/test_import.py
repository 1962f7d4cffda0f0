"""`import realtime_mood`: cheap, complete, and documented."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import realtime_mood as rm
from realtime_mood import plugins

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "scipy", "pydantic", "torch", "mne", "PyQt6", "brainflow", "pylsl", "sklearn", "typer")


def loaded(code: str) -> set[str]:
    """The top-level modules that are imported after `code`, in a process of its own."""
    words = [sys.executable, "-c", f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"]
    return set(subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split())


def test_importing_it_imports_nothing_heavy():
    more = loaded("import realtime_mood") - loaded("")
    assert more.isdisjoint(HEAVY)
    assert more <= {"realtime_mood", "importlib", "warnings", "__future__"}  # milliseconds: not even typing


def test_chunks_and_band_power_need_neither_network_nor_window():
    code = (
        "import realtime_mood as rm\n"
        "for chunk in rm.open_source('synthetic://?script=rest:1&speed=max&n_chans=4'): rm.bandpower(chunk.data.T, 256)"
    )
    assert loaded(code).isdisjoint({"torch", "mne", "PyQt6", "brainflow", "pylsl", "sklearn", "models"})


@pytest.mark.parametrize("name", rm.__all__)
def test_each_name_is_there(name):
    assert getattr(rm, name) is not None
    assert name in dir(rm)


def test_type_checkers_see_the_names_that_there_are():
    tree = ast.parse(Path(rm.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported | {"__version__"} == set(rm.__all__)
    assert Path(rm.__file__).with_name("py.typed").is_file()


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'reed'"):
        rm.reed  # noqa: B018


FUNCTIONS = [name for module, names in rm._MODULES.items() if module.startswith("api.") for name in names]


@pytest.mark.parametrize("name", [it for it in FUNCTIONS if inspect.isfunction(getattr(rm, it))])
def test_each_function_has_an_example_and_says_what_it_raises(name):
    text = inspect.getdoc(getattr(rm, name))
    assert [part for part in ("Parameters", "Raises", "Examples") if f"{part}\n---" not in text] == []


@pytest.mark.parametrize("module", [it for it in rm._MODULES if it.startswith("api.")])
def test_the_examples_in_docstrings_give_what_they_say(module):
    failed, tried = doctest.testmod(importlib.import_module(f"realtime_mood.{module}"))
    assert (failed, tried > 0) == (0, True)


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    assert rm.__version__ == version("realtime-mood")


def test_a_folder_that_nobody_installed_has_its_parts_and_a_version(monkeypatch):
    import importlib.metadata

    def version(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(plugins, "entry_points", lambda group: ())
    plugins._installed.cache_clear()
    monkeypatch.delitem(vars(rm), "__version__", raising=False)
    assert rm.__version__ == "0+not.installed"
    monkeypatch.delitem(vars(rm), "__version__")
    assert list(plugins.plugins("sources")) == ["synthetic", "lsl", "playback", "brainflow"]
    plugins._installed.cache_clear()
