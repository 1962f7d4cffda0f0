"""Every command in the documentation can be given; those that need minutes, a network or a device are not run.

The others are run one after the other, as a reader would: a device is a simulated subject here, and the window the
JSON view.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest
import typer
from fast_plan import FAST_PLAN
from forking import PROGRAM, Start, start

from realtime_mood import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]
TUTORIALS = ROOT / "docs" / "tutorials"
GROUP = typer.main.get_command(app.cli)
COMMAND = re.compile(
    rf"^ {{4}}(?:\$app |python app\.py |realtime-mood )?((?:{'|'.join(GROUP.commands)})(?: (?!=)(?:.*\\\n)*.+)?$)",
    re.MULTILINE,
)
PERSON = "synthetic://?n_chans=16&speed=max"
SHORT = f"{PERSON}&script=neutral:9"
ELSEWHERE = {  # what runs the others
    "doctor": "tests/doctor", "timing": "tests/timing_tests", "outlet": "tests/integration/test_muse_scenario.py",
    "devices": "tests/integration/test_devices.py", "datasets": "tests/datasets", "evaluate": "tests/models",
    "encrypt": "tests/unit/test_encryption.py", "decrypt": "tests/unit/test_encryption.py",
    "interpret": "tests/models", "train": "tests/models", "pretrain": "tests/models",
}  # fmt: skip
LEFT_OUT = {
    "--also",
    "--markers",
    "--lsl-out",
    "--osc",
    "--osc-muse",
    "--ws",
    "--sink",
    "--seconds",
    "--view",
    "--weights",
}
"""Options of `run` and `feedback` that need another program, a port, weights of one's own, or a window."""


def commands(path: Path) -> list[list[str]]:
    """The arguments of each command on a page, without those in brackets."""
    texts = (re.sub(r" \[.*?\]", "", text.replace("\\\n", " ")) for text in COMMAND.findall(path.read_text()))
    return [shlex.split(text, comments=True) for text in texts]


def blocks(path: Path, language: str) -> list[str]:
    """The blocks of code on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_can_be_given(path):
    for words in commands(path):
        name, *rest = words
        command = GROUP.commands[name]
        while hasattr(command, "commands") and rest and rest[0] in command.commands:
            command, rest = command.commands[rest[0]], rest[1:]
        command.make_context(name, rest)


class Reader:
    """Follows pages in a folder."""

    def __init__(self, start: Start, folder: Path) -> None:
        self._start, self.folder, self.recording, self._codes = start, folder, "", [""]
        self._done: dict[tuple[str, ...], str] = {}
        (folder / "fast.toml").write_text(FAST_PLAN)

    def follow(self, path: Path) -> dict[str, str]:
        """What the commands of a page print, by their words; those that tests elsewhere run are left out."""
        self.write_files(path)
        printed = {}
        for words in commands(path):
            if here := tuple(self.here(*words)):  # several may be the same here: they are run once
                self._done[here] = printed[" ".join(words)] = out = self._done.get(here) or self.give(*here)
                self._codes = out.split() if words[0] == "seal" else self._codes
        return printed

    def write_files(self, path: Path) -> None:
        """Write the TOML files of a page, each under the name in it."""
        for block in blocks(path, "toml"):
            if named := re.match('name = "(.*)"', block):
                (self.folder / f"{named[1]}.toml").write_text(block)

    def give(self, *words: str, code: int = 0, program: str = PROGRAM) -> str:
        """What a command prints; it must end with this exit code."""
        process = self._start(*words, cwd=self.folder, code=program)
        out, errors = process.communicate(100)
        assert process.returncode == code, (words, errors)
        return out

    def here(self, verb: str, *words: str) -> list[str]:
        """The command with what is here in place of what is not; empty where tests elsewhere run it."""
        options = self._options(words)
        if verb in ELSEWHERE or {"--retention", "--older-than"} & options.keys() or "sine://" in " ".join(words):
            return []
        if verb in ("run", "feedback", "calibrate"):
            options = {name: values for name, values in options.items() if name not in LEFT_OUT}
            options |= {"--source": self._source(verb, *options.get("--source", [])), "--view": ["json"]}
        if verb == "feedback":
            name = options.get("--session", [""])[0]
            options["--session"] = [name if (self.folder / name).is_file() else "fast.toml"]
        if verb == "calibrate" and "--from" not in options:
            protocol = options.get("--protocol", ["baseline"])[0]
            if protocol == "baseline":
                options["--seconds"] = ["30"]
            elif not (self.folder / protocol).is_file():
                options["--dry-run"] = []  # it takes minutes
        if verb == "forget":
            options.pop("--in", None)  # the same place of all is the same command
            options |= {"--yes": [], "--in": ["."]}
        if "--weights" in options:
            options["--weights"] = ["reader-5"]
        return [verb, *options.pop(""), *(word for name, values in options.items() for word in (name, *values))]

    def _options(self, words: Iterable[str]) -> dict[str, list[str]]:
        """The arguments, under the name "", and the value of each option."""
        found: dict[str, list[str]] = {"": []}
        name = ""
        for word in words:
            if word.startswith("--"):
                found[name := word] = []
                continue
            found[name] += self._meant(word)
            name = ""
        return found

    def _meant(self, word: str) -> list[str]:
        if "*" in word:
            return sorted(str(path) for path in self.folder.glob(word))
        named = {"FILE": self.recording, "FOLDER": ".", "CODE": self._codes[0], "7KQ2M": self._codes[0]}
        return [named.get(word, word)]

    def _source(self, verb: str, asked: str = "") -> list[str]:
        name = asked.removeprefix("playback://").partition("?")[0]
        if (self.folder / name).is_file():
            return [f"playback://{name}?speed=max"]
        if "speed=max" in asked:
            return [asked]
        return [SHORT if verb == "run" else PERSON]


@pytest.fixture
def reader(program: Start, tmp_path: Path) -> Reader:
    return Reader(program, tmp_path)


def test_the_first_ten_minutes(reader):
    page = TUTORIALS / "first-ten-minutes.md"
    printed = list(reader.follow(page).values())
    assert '"kind": "estimate"' in printed[1]
    assert (reader.folder / "demo.html").exists()
    assert "readings are identical" in printed[3]
    (block,) = blocks(page, "python")
    said = reader.give(program=block)
    assert "no estimate: settling" in said
    assert re.search(r"(neutral|positive) 0\.\d+", said)


@pytest.mark.parametrize("family", [path.stem for path in sorted((TUTORIALS / "headsets").glob("*.md"))])
def test_a_headset(reader, family):
    printed = reader.follow(TUTORIALS / "headsets" / f"{family}.md")
    assert any('"calibrated": true' in out for out in printed.values())


def test_calibrating(reader):
    printed = reader.follow(TUTORIALS / "calibrate.md")
    assert any('"own": "taste"' in out and '"passed": true' in out for out in printed.values())
    assert (reader.folder / "today.json").exists()


def test_a_feedback_study(reader):
    (reader.folder / "recordings").mkdir()
    printed = reader.follow(TUTORIALS / "feedback-study.md")
    assert '"kind": "end"' in next(out for words, out in printed.items() if "--sealed study.json --code" in words)
    assert "Learning curves" in (reader.folder / "study.html").read_text()
    assert (reader.folder / "study-bids" / "participants.tsv").exists()


PLUGIN = f"""
import sys
sys.path.insert(0, {str(ROOT / "examples" / "plugin" / "src")!r})
from mood_lamp import measure, sink, source
import realtime_mood as rm
rm.register("sources", "sine", source.SineHeadset)
rm.register("sinks", "lamp", sink.Lamp)
rm.register("measures", "relative", measure.relative)
{PROGRAM}
"""


def test_an_own_plug_in(reader):
    page = TUTORIALS / "own-plugin.md"
    reader.write_files(page)
    _, run, report, feedback = commands(page)
    run[run.index("--seconds") + 1] = "1"
    assert '"lamp://lamp.txt"' in reader.give(*run, program=PLUGIN)
    assert (reader.folder / "lamp.txt").read_text() == "0.25 off: settling\n"
    reader.give(*report)
    assert '"rewards"' in reader.give(*feedback, program=PLUGIN)


def test_training_on_a_data_set(reader):
    given = {words[0] if words[0] != "datasets" else " ".join(words[:2]): words
             for words in commands(TUTORIALS / "training.md")}  # fmt: skip
    reader.give(*given["datasets write"])
    assert "119 of 123" in reader.give(*given["datasets check"], code=1)
    reader.give(*given["evaluate"])
    assert "position in the session" in (reader.folder / "figures.md").read_text()


def test_the_readme_the_guide_and_the_other_pages(reader):
    (reader.folder / "session").mkdir()
    reader.give("run", "--source", SHORT, "--view", "json", "--record", "session", "--participant", "P01")
    (recording,) = (reader.folder / "session").glob("*.xdf")
    reader.recording = str(recording)
    first = [ROOT / "README.md", ROOT / "docs" / "guide.md"]
    others = [path for path in PAGES if path.is_relative_to(ROOT / "docs") and "tutorials" not in path.parts]
    printed = [reader.follow(path) for path in dict.fromkeys((*first, *others, TUTORIALS / "headset.md"))]
    assert sum(map(len, printed)) > 50


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


PYTHON = [(path, k) for path in PAGES for k in range(len(blocks(path, "python"))) if path.name != "plugins.md"]
"""Blocks of Python; tests/unit/test_plugin_docs.py runs those of plugins.md together."""
TRIALS = """
import numpy as np
rng = np.random.default_rng(0)
trials, states, subjects = rng.normal(0, 10, (10, 6, 1500)), np.tile(["a", "b"], 5), np.repeat(np.arange(5), 2)
"""
PLACES = {
    '"lsl://MyHeadset"': f'"{SHORT}"', "random_state=0": "random_state=0, steps=2", '["Gaze"]': '["gaze"]',
    '"a.xdf"': '"me.xdf"', "from sklearn.model_selection": f"{TRIALS}\nfrom sklearn.model_selection",
}  # fmt: skip


@pytest.fixture(scope="module")
def prepared(fork_server, tmp_path_factory) -> Path:
    """A folder with what the blocks of Python read: a recording, a profile, and weights."""
    folder = tmp_path_factory.mktemp("blocks")
    reader = Reader(partial(start, fork_server), folder)
    reader.give("run", "--source", SHORT, "--view", "json", "--record", "me.xdf")
    reader.give("calibrate", "--source", PERSON, "--seconds", "30", "--view", "json", "--profile", "me.json")
    (folder / "for-anna").symlink_to(ROOT / "models" / "weights" / "reader-5")
    return folder


@pytest.mark.parametrize(
    ("path", "k"), PYTHON, ids=lambda it: str(it.relative_to(ROOT)) if isinstance(it, Path) else it
)
def test_every_block_of_python_runs(program, prepared, path, k):
    block = blocks(path, "python")[k]
    for there, here in PLACES.items():
        block = block.replace(there, here)
    process = program(code=block, cwd=prepared)
    out, errors = process.communicate(100)
    assert process.returncode == 0, errors
    assert out or "print" not in block
