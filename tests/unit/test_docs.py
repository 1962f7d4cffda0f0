"""The guide keeps up with the program: every fault, verb and option of a run is in it or in the README."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

import app
from benchmarks import architecture
from realtime_mood.body.measure import UNITS as BODY_UNITS
from realtime_mood.cli.config import RunConfig
from realtime_mood.doctor.finding import CHECKS
from realtime_mood.dsp.spec import BANDS
from realtime_mood.feedback.conditions import Name
from realtime_mood.feedback.plan import Block
from realtime_mood.language.terms import FAULTS as FAULT_WORDS
from realtime_mood.language.terms import REASONS, REFERENCES
from realtime_mood.plugins import BUILT_IN
from realtime_mood.sources.faults.script import FAULTS

ROOT = Path(__file__).parents[2]
EVERYDAY = {"BSD", "CONTRIBUTING", "CSV", "DIR", "GPL", "GPU", "JSON", "LICENSE", "README", "URL", "VII"}
CONDITIONS, BLOCKS = get_args(Name), get_args(Block.model_fields["kind"].annotation)
TEXT = "".join((ROOT / path).read_text() for path in ("README.md", "docs/guide.md", "docs/install.md"))


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_is_explained(kind):
    assert f"| `{kind}` | {FAULTS[kind].meaning} |" in TEXT


@pytest.mark.parametrize("scheme", BUILT_IN["sources"])
def test_every_source_is_named(scheme):
    assert f"`{scheme}://" in TEXT


VERBS = [command.callback.__name__.replace("_", "-") for command in app.cli.registered_commands]


@pytest.mark.parametrize("name", [*VERBS, *(group.name for group in app.cli.registered_groups)])
def test_every_verb_is_named(name):
    assert name in TEXT


@pytest.mark.parametrize("name", RunConfig.model_fields)
def test_every_option_of_a_run_is_named(name):
    assert f"--{name.replace('_', '-')}" in TEXT


def test_every_file_that_contributors_are_sent_to_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    paths = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|toml|txt|md|cff))`", text)) - {"dist/"}
    names = {path for path in paths if path != "config.json"}
    assert len(names) > 30
    assert not [name for name in names if not (ROOT / name).exists()]


def test_every_check_of_doctor_is_reached_from_a_symptom():
    lines = (ROOT / "docs" / "troubleshooting.md").read_text().splitlines()
    rows = [line.split(" | ", 1) for line in lines if line.startswith("| ") and "what you see" not in line]
    assert all(len(symptom) > 10 for symptom, _ in rows)
    assert {name for _, answer in rows for name in re.findall(r"\*\*(.+?)\*\*", answer)} == CHECKS.keys()


def test_the_index_has_every_decision():
    folder = ROOT / "docs" / "decisions"
    linked = re.findall(r"\[\d+\]\((\S+\.md)\)", (folder / "README.md").read_text())
    assert sorted(linked) == sorted(path.name for path in folder.glob("0*.md"))


def test_the_citation_names_the_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()


def test_every_field_that_programs_receive_is_documented(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs" / "site")
    import outputs

    assert outputs.PAGE.read_text() == "\n".join(outputs.page()), "run make docs"


def test_the_glossary_has_the_words_of_the_program():
    text = (ROOT / "docs" / "glossary.md").read_text()
    faults = {name for name in FAULT_WORDS if name != "excluded"}  # left out by the user: no fault
    words = {*REASONS, *faults, *BANDS, *BODY_UNITS, *REFERENCES, *CONDITIONS, *BLOCKS}
    missing = {word for word in words if not re.search(rf"\b{word.replace('_', '[_ ]')}", text, re.IGNORECASE)}
    ours = set(re.findall(r"\b[A-Z]{3,}\b", (ROOT / "README.md").read_text()))
    assert not missing | {word for word in ours - EVERYDAY if word not in text}


def test_every_picture_is_shown_on_a_page():
    pages = "".join(path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")))
    shown = set(re.findall(r"!\[[^\]]*\]\(\S*?pictures/(\S+?)\)", pages))
    assert shown == {path.name for path in (ROOT / "docs" / "pictures").iterdir()}


def test_the_picture_of_the_architecture_is_that_of_the_code():
    assert architecture.PICTURE.read_text() == architecture.svg(), "run python -m benchmarks.architecture"
