"""The wheel in a clean environment: what is in it, that it starts anywhere, and what it does without the extras."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import uuid
import venv
import zipfile
from pathlib import Path

import pytest

from realtime_mood.errors import EXTRAS

ROOT = Path(__file__).parents[2]
FOLDERS = ("realtime_mood", "models", "calibration")
HIDDEN = {*EXTRAS, "setuptools", "_distutils_hack"}
OWN = "raise SystemExit('a module of the user was imported')"
LINKS = ("models", "calibration", "app.py")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def users_folder(tmp_path_factory):
    """Where a user starts the program: beside modules whose names are those of folders of ours."""
    folder = tmp_path_factory.mktemp("user")
    for name in ("models", "calibration"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(OWN)
    (folder / "app.py").write_text(OWN)
    return folder


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """The `bin` of an environment that holds the wheel and what it depends on, but no extra and not this checkout."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, symlinks=True)
    paths = sysconfig.get_paths("venv", vars={"base": str(folder), "platbase": str(folder)})
    for there in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(there).iterdir():
            is_ours = "realtime_mood" in entry.name
            if entry.name not in HIDDEN and not is_ours and entry.suffix != ".pth" and entry.name != "__pycache__":
                (Path(paths["purelib"]) / entry.name).symlink_to(entry)
    scripts = Path(paths["scripts"])
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python"), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True)
    return scripts


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A new user's home."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def call(environment, users_folder, home):
    """Run a command of the environment in the user's folder: exit code, output, errors."""
    ours = ("PYTHONPATH", "DISPLAY", "CI", "XDG_CACHE_HOME")  # CI turns off what libraries report to their makers
    clean = {name: value for name, value in os.environ.items() if name not in ours} | {"HOME": str(home)}

    def call(*words):
        command = [str(environment / words[0]), *words[1:]]
        done = subprocess.run(command, cwd=users_folder, env=clean, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    return call


def test_everything_is_in_it_under_one_import_name(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    listed = subprocess.run(["git", "ls-files", *FOLDERS], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a checkout by git: which files belong to the program is not known")
    inside = {name if name.startswith("realtime_mood/") else f"realtime_mood/{name}" for name in listed.stdout.split()}
    assert inside - {"realtime_mood/models", "realtime_mood/calibration"} <= names
    assert {name.partition("/")[0] for name in names} == {"realtime_mood"}


def kinds(lines):
    return {json.loads(line)["kind"] for line in lines}


def test_it_reads_without_the_extras_and_beside_modules_of_the_same_names(call, home):
    run = ["run", "--source", "synthetic://?n_chans=4&speed=max", "--seconds", "15", "--view", "json"]
    code = f"""if True:
        import realtime_mood.calibration.fit
        from realtime_mood.app import command
        assert command(["info"]) == command({run}) == 0
        import realtime_mood
        with realtime_mood.open_source("synthetic://?n_chans=4&speed=max") as stream:
            assert next(iter(realtime_mood.read(stream))).why"""
    code, out, err = call("python", "-c", code)
    assert (code, err) == (0, "")
    assert "effort: rest / arithmetic" in out
    assert "estimate" in kinds(line for line in out.splitlines() if line.startswith("{"))
    assert not [path for path in home.rglob("*") if path.name == "deviceid"], "ONNX Runtime reports to its makers"


def test_protocols_are_in_it(call):
    code, out, err = call("realtime-mood", "calibrate", "--protocol", "emotion", "--dry-run")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) > 10


def test_without_the_extras_it_reads_a_stream_of_lsl(call, environment, users_folder):
    name = f"wheel-{uuid.uuid4().hex[:8]}"
    command = [str(environment / "realtime-mood"), "outlet", "synthetic://?n_chans=4&loop=1", "--name", name]
    with subprocess.Popen(command, cwd=users_folder, stdout=subprocess.DEVNULL) as headset:
        words = ("run", "--source", f"lsl://{name}?timeout=20", "--seconds", "1.5", "--view", "json")
        code, out, err = call("realtime-mood", *words)
        headset.terminate()
    assert code == 0, err
    assert "abstained" in kinds(out.splitlines())  # it settles in the first seconds


@pytest.mark.parametrize(
    ("words", "code", "extra"),
    [
        (("run", "--source", "brainflow://synthetic", "--view", "json"), 3, "boards"),
        (("pretrain", "--data", ".", "--out", "encoder"), 2, "train"),
    ],
    ids=lambda it: it[0] if isinstance(it, tuple) else "",
)
def test_what_needs_an_extra_says_how_to_install_it(call, words, code, extra):
    found, out, err = call("realtime-mood", *words)
    assert (found, out) == (code, "")
    assert err.startswith("error: ")
    assert err.endswith(f" · pip install 'realtime-mood[{extra}]'\n")
    assert len(err.splitlines()) == 1


def test_devices_are_listed_without_the_library_of_boards(call):
    for view, where in (("terminal", 1), ("json", 2)):
        found = call("realtime-mood", "devices", "--seconds", "0.1", "--view", view)
        assert found[0] == 0
        assert "pip install 'realtime-mood[boards]'" in found[where]


def test_a_checkout_without_symbolic_links_runs(tmp_path, users_folder):
    """As Git writes it on Windows: a link is a text file that holds where it leads."""
    for name in FOLDERS:
        leave_out = shutil.ignore_patterns("__pycache__", *(LINKS if name == "realtime_mood" else ()))
        shutil.copytree(ROOT / name, tmp_path / name, ignore=leave_out)
    shutil.copy(ROOT / "app.py", tmp_path)
    for name in LINKS:
        (tmp_path / "realtime_mood" / name).write_text(f"../{name}")
    imports = "import realtime_mood.app, realtime_mood.models.commands; print(realtime_mood.app.__file__)"
    started = {"cwd": users_folder, "env": os.environ | {"PYTHONPATH": str(tmp_path)}}
    done = subprocess.run([sys.executable, "-c", imports], **started, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / "app.py")), done.stderr


def test_help_imports_nothing_that_takes_long():
    heavy = {"PyQt6", "brainflow", "matplotlib", "mne", "pylsl", "scipy", "sklearn", "torch"}
    code = f"import sys, app; app.command(['--help']); sys.exit(str({heavy} & set(sys.modules) or ''))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.strip() == ""
    assert "calibrate" in done.stdout
