"""The fast part of docs/reliability.md: the same cells, with a network that is planted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import INFO, FakeSource, pipeline
from forking import ForkedProcess, Start

from benchmarks import fault_cells
from benchmarks.fault_cells import cell
from benchmarks.fault_rows import COLUMNS, ROWS, Row
from benchmarks.rig import APP
from realtime_mood.run.engine import Engine
from realtime_mood.sources.faults.script import FAULTS
from realtime_mood.types import Chunk

BY_NAME = {row.name: row for row in ROWS}
FILES = ("drop, 12 at once", "jitter and a hole", "railed")
ELECTRODES = ("line50", "popped", "flat", "nan", "inf")
ON_AIR = (
    Row("drop", "drop:0.05@2", 6),
    Row("freeze", "freeze:3.5@2", 9, returns=5.5, again=False),
    Row("kill", "kill:1.5@2", 9, returns=3.5, again=False),
    Row("anonymous", "anonymous,kill:1.5@2", 9, returns=3.5, again=False),
    Row("decoy", "decoy:4@1,kill:1.5@2", 9, returns=3.5, again=False),
    Row("fewer", "fewer:1@2-3.5", 9, returns=3.5, again=False),
)


def wrong(row: Row, column: str) -> list[str]:
    return [check.text for check in cell(row, column, pipeline, patience=5.0) if not check.right]


def test_every_fault_there_is_has_a_row() -> None:
    written = {part.split(":")[0].split("@")[0] for row in ROWS for part in row.faults.split(",")}
    assert written == set(FAULTS)
    assert all(set(row.without) | set(row.limits) | set(row.instead) <= set(COLUMNS) for row in ROWS)


@pytest.mark.parametrize("column", ["xdf", "openbci"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_tells_what_was_lost(name: str, column: str) -> None:
    row = BY_NAME[name]
    assert not wrong(replace(row, seconds=min(row.seconds, 20)), column)


@pytest.mark.parametrize("column", ["xdf", "openbci"])
@pytest.mark.parametrize("name", ["duplicate", "reorder"])
def test_a_counter_and_computed_stamps_tell_what_came_twice_or_late(name: str, column: str) -> None:
    assert not wrong(BY_NAME[name], column)


@pytest.mark.parametrize("name", ELECTRODES)
def test_an_electrode_that_goes_bad_is_masked_while_it_lasts(name: str) -> None:
    assert not wrong(BY_NAME[name], "xdf")


def test_senders_that_fail_are_waited_for_and_nobody_else_is_taken(
    program: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forked(words: list[str], **_: object) -> ForkedProcess:
        return program(*words[len(APP) :])

    monkeypatch.setattr(fault_cells, "subprocess", SimpleNamespace(Popen=forked, PIPE=0, DEVNULL=0))
    with ThreadPoolExecutor(len(ON_AIR)) as pool:
        found = dict(zip([row.name for row in ON_AIR], pool.map(lambda row: wrong(row, "lsl"), ON_AIR), strict=True))
    assert found == {row.name: [] for row in ON_AIR}


def test_a_hole_longer_than_an_unpaced_source_may_run_ahead_is_no_deadlock() -> None:
    rows = np.zeros((200, INFO.n_chans), np.float32)
    engine = Engine(FakeSource([Chunk(rows, 0, 1.0), Chunk(rows, 10_200, 52.0, lost=10_000)]), pipeline)
    engine.start()
    assert engine.done.wait(10)
    engine.stop()
    assert (engine.health.samples, engine.health.lost) == (400, 10_000)
