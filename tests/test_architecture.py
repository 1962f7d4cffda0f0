"""The import contracts of pyproject.toml hold, and every file says first what it holds."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from importlinter.cli import lint_imports
from packaging.specifiers import SpecifierSet

from realtime_mood.errors import EXTRAS, install_extra

ROOT = Path(__file__).parents[1]
SOURCES = sorted(p for d in ("realtime_mood", "models", "calibration") for p in (ROOT / d).rglob("*.py"))


def test_imports_go_one_way():
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_each_package_of_an_extra_is_installed_by_the_command_named():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    imported = {"scikit_learn": "sklearn", "setuptools": "pkg_resources"}

    def modules(requirements):
        names = [re.split(r"[<>=\[]", line)[0].replace("-", "_") for line in requirements]
        return {imported.get(name, name) for name in names}

    of_all = modules(project["dependencies"])
    extras = {k: v for k, v in project["optional-dependencies"].items() if k not in ("all", "dev", "light")}
    expected = {module: extra for extra, lines in extras.items() for module in modules(lines) - of_all}
    assert expected == EXTRAS
    assert install_extra("mffpy.reader") == "pip install 'realtime-mood[formats]'"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.stat().st_size], ids=lambda p: str(p.relative_to(ROOT)))
def test_each_file_says_what_it_is_for_and_stays_short(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert text.count("\n") <= 300, "over 300 lines: a reason to look"


@pytest.mark.parametrize("folder", ["realtime_mood", "models", "calibration", "benchmarks", "tests", "examples"])
def test_models_and_calibration_have_one_import_name(folder):
    """`models` alone would be whatever lies in the folder that Python was started in."""
    short = re.compile(r"\b(?:from|import) (?:models|calibration)\b")
    assert not [str(path) for path in (ROOT / folder).rglob("*.py") if short.search(path.read_text())]


def test_a_public_class_name_means_one_thing():
    defined = {}
    for path in SOURCES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                defined.setdefault(node.name, []).append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not {name: places for name, places in defined.items() if len(places) > 1}


# Words that readers whose first language is not English have to look up, with the usual ones.
UNUSUAL = {
    "anew": "again, restart", "mend|mends|mended|mending": "repair", "nought": "zero", "sitting|sittings": "session",
    "wardrobe": "SubjectSampler", "leveller": "StepRemover", "that was it": "Session finished",
    "told right": "held-out accuracy",
}  # fmt: skip


@pytest.mark.parametrize("words", UNUSUAL)
def test_texts_use_the_usual_words(words):
    plans = (p for d in ("realtime_mood", "calibration") for p in (ROOT / d).rglob("*.toml"))
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "examples" / "README.md"]
    texts = [*SOURCES, ROOT / "app.py", *(ROOT / "benchmarks").rglob("*.py"), *plans, *pages]
    unusual = re.compile(rf"\b(?:{words})\b(?!=)", re.IGNORECASE)
    found = [f"{path.relative_to(ROOT)}: {line.strip()}" for path in texts for line in path.read_text().splitlines()
             if unusual.search(line)]  # fmt: skip
    assert not found, f"write: {UNUSUAL[words]}"


def test_the_pinned_packages_accept_every_python_that_the_project_does():
    """Debian 12 has Python 3.11.2: a pin for 3.11.5 alone would make it impossible to install there."""
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in pins if "==" in line}
    installed = {dist.name.lower().replace("_", "-"): dist for dist in distributions()}
    least = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])
    oldest = next(iter(least)).version + ".0"
    needs = {name: installed[name].metadata.get("Requires-Python") for name in pinned & installed.keys()}
    assert len(needs) > 50
    assert not {name: need for name, need in needs.items() if need and not SpecifierSet(need).contains(oldest)}
