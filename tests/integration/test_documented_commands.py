"""Every command in the documentation can be given; those of the first tutorial and of training do what they say."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from forking import PROGRAM, Start

from realtime_mood import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"^(?:    )?(?:\$app|python app\.py) ((?:.*\\\n)*.+)", re.MULTILINE)

TUTORIALS = ROOT / "docs" / "tutorials"


def commands(path: Path) -> list[list[str]]:
    """The arguments of each command on a page."""
    found = COMMAND.findall(path.read_text())
    return [shlex.split(text.replace("\\\n", " "), comments=True) for text in found]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_can_be_given(path):
    group = typer.main.get_command(app.cli)
    for words in commands(path):
        name, *rest = words
        command = group.commands[name]
        while hasattr(command, "commands") and rest and rest[0] in command.commands:
            command, rest = command.commands[rest[0]], rest[1:]
        command.make_context(name, rest)


@pytest.fixture
def run(program: Start, tmp_path: Path) -> Callable[..., str]:
    """What a command prints, or a block of Python; it must end with this exit code."""

    def run(*words: str, code: int = 0, block: str = PROGRAM) -> str:
        process = program(*words, code=block, cwd=tmp_path)
        out, err = process.communicate(timeout=100)
        assert process.returncode == code, (words, err)
        return out

    return run


def test_the_first_ten_minutes(run, tmp_path):
    page = TUTORIALS / "first-ten-minutes.md"
    _, *recorded = commands(page)
    assert [words[0] for words in recorded] == ["run", "report", "replay"]
    assert '"kind": "estimate"' in run(*recorded[0])
    run(*recorded[1])
    assert (tmp_path / "demo.html").exists()
    assert "readings are identical" in run(*recorded[2])
    (block,) = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    said = run(block=block)
    assert "no estimate: settling" in said
    assert re.search(r"(neutral|positive) 0\.\d+", said)


def test_training_on_a_data_set(run, tmp_path):
    given = {words[0] if words[0] != "datasets" else " ".join(words[:2]): words
             for words in commands(TUTORIALS / "training.md")}  # fmt: skip
    run(*given["datasets write"])
    assert "119 of 123" in run(*given["datasets check"], code=1)
    run(*given["evaluate"])
    assert "position in the session" in (tmp_path / "figures.md").read_text()


def test_the_site_builds_without_a_warning():
    pytest.importorskip("sphinx")
    done = subprocess.run([sys.executable, ROOT / "docs/site/build.py"], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    page = (ROOT / "build/site/latest/reference/commands.html").read_text()
    assert 'href="../../index.html">other versions' in page


def test_the_site_lists_its_versions(tmp_path, monkeypatch):
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(ROOT / "docs" / "site")
    import build

    for name in ("0.9.0", "dev", "0.10.1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "objects.inv").touch()
    build.list_versions(tmp_path)
    build.list_versions(tmp_path)
    listed = re.findall(r'href="(.*?)/index.html"', (tmp_path / "index.html").read_text())
    assert listed == ["0.10.1", "0.9.0", "dev"]
    assert (tmp_path / "latest").readlink() == Path("0.10.1")
