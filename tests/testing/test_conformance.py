"""Our own parts pass the checks that `realtime_mood.testing` ships: every registered one has a case here."""

from __future__ import annotations

import io
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from emissions import free_port
from fakes import FakeNetwork
from integration.tables import muse_cells, signal, text_of

from realtime_mood.contracts import MeasureKind, Sink, Source
from realtime_mood.models.building import open_weights
from realtime_mood.plugins import plugins
from realtime_mood.recording.recorder import Recorder
from realtime_mood.sinks import make_sink
from realtime_mood.sinks.jsonlines import JsonLines
from realtime_mood.sources import open_source
from realtime_mood.testing import check_display, check_measure, check_network, check_sink, check_source
from realtime_mood.testing.parts import EIGHT, INFO, FakeHeadset, cut, pink
from realtime_mood.types import StreamInfo

SENDER = Path(__file__).parents[1] / "integration" / "lsl_sender.py"


@contextmanager
def lsl(tmp_path: Path) -> Iterator[Callable[[], Source]]:
    name = f"conformance {uuid.uuid4().hex[:8]}"
    command = [sys.executable, str(SENDER), name, name, "EEG", "4", "250", "250"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as sender:
        assert sender.stdout is not None
        assert sender.stdout.readline()
        try:
            yield lambda: open_source(f"lsl://{name.replace(' ', '%20')}?units=uV")
        finally:
            sender.kill()


@contextmanager
def playback(tmp_path: Path) -> Iterator[Callable[[], Source]]:
    path = tmp_path / "muse.csv"
    path.write_text(text_of(muse_cells(signal(1024, 4))))
    yield lambda: open_source(f"playback://{path}?drop=Right%20AUX&speed=4")


@contextmanager
def url(text: str) -> Iterator[Callable[[], Source]]:
    yield lambda: open_source(text)


SOURCES = {
    "synthetic": lambda tmp_path: url("synthetic://?n_chans=8&speed=4"),
    "lsl": lsl,
    "playback": playback,
    "brainflow": lambda tmp_path: url("brainflow://synthetic"),
}
SINKS: dict[str, Callable[[Path], Sink]] = {
    "lsl": lambda tmp_path: make_sink("lsl", f"conformance {uuid.uuid4().hex[:8]}", {}),
    "osc": lambda tmp_path: make_sink("osc", f"127.0.0.1:{free_port()}", {}),
    "osc-muse": lambda tmp_path: make_sink("osc-muse", f"127.0.0.1:{free_port()}", {"notch": "none"}),
    "ws": lambda tmp_path: make_sink("ws", str(free_port()), {}),
    "csv": lambda tmp_path: make_sink("csv", str(tmp_path / "a.csv"), {}),
}
OTHER_SINKS: dict[str, Callable[[Path], Sink]] = {
    "json lines": lambda tmp_path: JsonLines(io.StringIO()),
    "recorder": lambda tmp_path: Recorder(tmp_path / "a.xdf", {}),
}
MEASURES: dict[str, tuple[float, float] | None] = {"band": None, "ratio": (4.0, 8.0), "asymmetry": None}
NETWORKS = {"reader": "reader-5"}
DISPLAYS = ("circle", "bar", "landscape")


@pytest.mark.parametrize(
    ("group", "cases"),
    [("sources", SOURCES), ("sinks", SINKS), ("measures", MEASURES), ("networks", NETWORKS), ("displays", DISPLAYS)],
)
def test_every_registered_part_has_a_case(group, cases):
    built_in = {name for name, plugin in plugins(group).items() if plugin.is_built_in}
    assert built_in == set(cases), f"add a case for each of realtime_mood.{group} to this file"


@pytest.mark.parametrize("name", SOURCES)
def test_sources(name, tmp_path):
    with ExitStack() as stack:
        check_source(stack.enter_context(SOURCES[name](tmp_path)), seconds=1.0)


def test_the_fake_headset():
    check_source(lambda: FakeHeadset(cut(pink(600, 8), (30, 0, 60))))


@pytest.mark.parametrize("name", [*SINKS, *OTHER_SINKS])
def test_sinks(name, tmp_path):
    check_sink(lambda: {**SINKS, **OTHER_SINKS}[name](tmp_path))


@pytest.mark.parametrize("name", MEASURES)
def test_measures(name):
    kind: MeasureKind = plugins("measures")[name].load()
    check_measure(kind, over=MEASURES[name])


@pytest.mark.parametrize(("name", "readout"), [("reader", "effort"), ("reader", "emotion3")])
def test_networks(name, readout):
    weights = open_weights(f"{name}://{NETWORKS[name]}?device=cpu")
    infos = (INFO, StreamInfo(EIGHT[:4], 128.0, paced=False))
    check_network(lambda info: weights.network(info, readout, None), infos=infos, spec=weights.spec)


@pytest.mark.parametrize("name", DISPLAYS)
def test_displays(name):
    pytest.importorskip("PyQt6")
    check_display(plugins("displays")[name].load())


def test_the_fake_network():
    check_network(lambda info: FakeNetwork())
