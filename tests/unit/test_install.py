"""What install/ states beside pyproject.toml agrees with it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
CONDA = {"matplotlib": "matplotlib-base", "mne": "mne-base"}  # conda-forge has these without what is not needed


def test_the_recipe_needs_what_pyproject_does():
    recipe = yaml.safe_load((ROOT / "install" / "conda" / "recipe.yaml").read_text("utf-8"))
    assert recipe["context"]["version"] == PROJECT["version"]
    *made, ours = recipe["outputs"]
    wanted = {f"python {PROJECT['requires-python']}"}
    for one in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["gui"]]:
        name, least = one.lower().split(">=")
        wanted.add(f"{CONDA.get(name, name)} >={least}")
    assert set(ours["requirements"]["run"]) == wanted
    assert {it["package"]["name"] for it in made} <= {one.split()[0] for one in wanted}
    (script,) = ours["build"]["python"]["entry_points"]
    assert script == " = ".join(next(iter(PROJECT["scripts"].items())))
    pins = dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE))
    assert recipe["context"] == {
        "version": PROJECT["version"], "pylsl": pins["pylsl"], "python_osc": pins["python-osc"]
    }  # fmt: skip


def test_the_container_gets_what_the_wheel_is_built_of():
    lines = (ROOT / "install" / "Containerfile").read_text("utf-8")
    copied = {name for words in re.findall(r"^COPY (.*) \S+$", lines, re.MULTILINE) for name in words.split()}
    wheel = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    sources = {*wheel["only-include"], *wheel["force-include"], PROJECT["readme"], "LICENSE", "pyproject.toml"}
    assert copied == sources | {"constraints.txt"}
    extras = re.findall(r'"/src\[(.*)\]"', lines)[0].split(",")
    assert set(extras) <= set(PROJECT["optional-dependencies"])
