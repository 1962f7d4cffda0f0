"""The guide keeps up with the program: every fault, verb and option of a run is in it or in the README."""

from __future__ import annotations

from pathlib import Path

import pytest

import app
from realtime_mood.cli.config import RunConfig
from realtime_mood.plugins import BUILT_IN
from realtime_mood.sources.faults.script import FAULTS

ROOT = Path(__file__).parents[2]
TEXT = "".join((ROOT / path).read_text() for path in ("README.md", "docs/guide.md"))


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_is_explained(kind):
    assert f"| `{kind}` | {FAULTS[kind].meaning} |" in TEXT


@pytest.mark.parametrize("scheme", BUILT_IN["sources"])
def test_every_source_is_named(scheme):
    assert f"`{scheme}://" in TEXT


@pytest.mark.parametrize("name", [command.callback.__name__ for command in app.cli.registered_commands])
def test_every_verb_is_named(name):
    assert name in TEXT


@pytest.mark.parametrize("name", RunConfig.model_fields)
def test_every_option_of_a_run_is_named(name):
    assert f"--{name.replace('_', '-')}" in TEXT
