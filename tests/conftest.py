"""What every test may lean on: no thread and no window left behind, and real recordings where they are."""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import locale
import os
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from forking import fork_server, program  # noqa: F401 - fixtures

from realtime_mood import language, plugins

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell; tests interrupt programs
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Read by the LSL library when it loads, so written before anything imports it. The session keeps other runs out.
_lsl = tempfile.NamedTemporaryFile("w", suffix=".cfg")  # noqa: SIM115 - lives as long as the run
_id = uuid.uuid4()
_port = 20_000 + _id.int % 120 * 100  # other programs' streams may use up the 32 ports that the library looks at
_lsl.write(Path(__file__).with_name("lsl_api.cfg").read_text().format(multicast_port=_port, base_port=_port + 1))
_lsl.write(f"SessionID = tests-{_id.hex}\n")
_lsl.flush()
os.environ["LSLAPICFG"] = _lsl.name
atexit.register(_lsl.close)
hypothesis.settings.register_profile("ours", deadline=None)  # the first example may import a library; machines are busy
hypothesis.settings.load_profile("ours")
os.environ["LANGUAGE"] = "en"  # the tests read texts, whatever the language of the machine; before anything starts


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Import all tests without a search for garbage: what is imported stays, and is not looked through later either."""
    gc.disable()
    if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and session.config.args == session.config.getini("testpaths"):
        _import_first(int(worker.removeprefix("gw")) / int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))
    result = yield
    gc.freeze()
    gc.enable()
    return result


def _import_first(share: float) -> None:
    """Import all tests, beginning at this share of them: workers that begin elsewhere compile each of them once."""
    files = sorted(Path(__file__).parent.rglob("test_*.py"))
    first = round(len(files) * share)
    for file in files[first:] + files[:first]:
        sys.path.insert(0, str(file.parent))
        with contextlib.suppress(Exception, pytest.skip.Exception):  # said when it is collected
            importlib.import_module(file.stem)
        sys.path.remove(str(file.parent))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how to repeat the order of a run in which something failed."""
    if terminalreporter.stats.get("failed") and (seed := config.getoption("randomly_seed", None)) is not None:
        terminalreporter.write_line(f"the same order again: -p randomly --randomly-seed={seed}")


KEPT_THREADS = ("IO loop", "Dask-Offload")
"""Threads that distributed keeps for the next cluster of the process."""


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Every thread a test starts, it ends."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 2.0
    while (left := _new_threads(before)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left, f"threads left behind: {sorted(thread.name for thread in left)}"


def _new_threads(before: set[threading.Thread]) -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if not thread.name.startswith(KEPT_THREADS)} - before


@pytest.fixture(autouse=True)
def no_widget_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """A window that outlives its test fails it.

    Between a test's last line and the closing of its widgets only cycles of references hold them. Events are served in
    between, and a cyclic collection in the middle of a paint would take the painted widget away below Qt: a
    segmentation fault, now and then. So cycles are collected after the test.
    """
    if "qtbot" not in request.fixturenames:
        yield
        return
    from PyQt6.QtCore import QCoreApplication, QEvent
    from PyQt6.QtWidgets import QApplication

    before = set(QApplication.topLevelWidgets())
    gc.disable()
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.enable()
    left = [it for it in QApplication.topLevelWidgets() if it not in before and it.isVisible()]
    assert not left, f"left on the screen: {left}"


@pytest.fixture
def english_errors() -> Iterator[None]:
    """For a test that changes LANGUAGE: errors of the system stay in English, in it and after it.

    Qt sets the locale of the machine, and the C library keeps a translation it has looked up, whatever LANGUAGE is
    later.
    """
    category = getattr(locale, "LC_MESSAGES", locale.LC_TIME)  # Windows has none, and does not translate them
    before = locale.setlocale(category)
    locale.setlocale(category, "C")
    yield
    locale.setlocale(category, before)


@pytest.fixture
def name() -> str:
    """A name that no other stream has."""
    return f"test-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def use_language() -> Iterator[Callable[[str | None], str]]:
    """Chooses the language of what is made afterwards; English again after the test."""
    yield language.use
    language.use("en")


@pytest.fixture
def registered() -> Iterator[Callable[[plugins.Group, str, Any], None]]:
    """Registers a part for the length of a test."""
    made: list[tuple[plugins.Group, str]] = []

    def register(group: plugins.Group, name: str, part: Any) -> None:
        plugins.register(group, name, part)
        made.append((group, name))

    yield register
    for group, name in made:
        plugins.unregister(group, name)


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages with empty figures: to draw them takes most of a page's time, and other tests of the page do."""
    from markupsafe import Markup

    from realtime_mood.report.drawing import Drawing

    monkeypatch.setattr("realtime_mood.report.pages.svg", lambda *_: Drawing("0 0 1 1", "1", Markup("")))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real recordings."""
    told = os.environ.get("REALTIME_MOOD_DATA")
    path = Path(told) if told else Path(__file__).parents[2] / "shared" / "data"
    if not (path / "device_files").is_dir():
        pytest.skip(f"no recordings in {path}; set REALTIME_MOOD_DATA to the folder that holds device_files/")
    return path
