"""One row of the fault × stream matrix: runs the program beside senders that fail, and checks what came of it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyxdf

import app
from benchmarks.beside_rows import BesideRow
from benchmarks.beside_sender import HOLE_S, KINDS, STALL_S, WRAP, Kind, rows_of, stamp_of
from benchmarks.fault_cells import Check, clean, outlet
from benchmarks.fault_rows import SFREQ
from benchmarks.witness import Pulse, Witness, account
from realtime_mood import clock, liblsl
from realtime_mood.cli.config import resolve
from realtime_mood.health import AuxState, State
from realtime_mood.run.engine import Engine
from realtime_mood.sources.marker_words import text_of

SENDER = Path(__file__).with_name("beside_sender.py")
EEG_S, HOP_S = 90.0, 0.25
LOOK_S = 0.02
SETTLED_S = 2.5  # of each stream, before the fault begins
TOLERANCE_S = 0.002
STALLED_S, BACK_S, GONE_S, RETURNED_S, APPEARED_S = 4.2, 1.5, 2.5, 6.0, 5.0
LONGEST = 65_536


class BesideSender:
    """A sender in a process of its own."""

    def __init__(self, name: str, kind: str, fault: str, source_id: str = "") -> None:
        self.name, self.kind, self.sort, self.fault = name, kind, KINDS[kind], fault
        command = [sys.executable, SENDER, name, kind, fault, source_id or f"id-{name}"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._line()
        self.up, self.first = clock.now(), 1 << 60

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()

    def begin(self) -> None:
        """The fault begins."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        if self.fault != "flood":
            self.first = int(self._line())

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


class BesideRun:
    """A run with these kinds of streams, and what was seen of it."""

    def __init__(self, row: BesideRow, kinds: list[str], folder: Path) -> None:
        self.row, self.kinds = row, kinds
        mark = uuid.uuid4().hex[:8]
        self.names = {kind: f"beside-{mark}-{kind}" for kind in kinds}
        self.senders: dict[str, BesideSender] = {}
        self.path, self.eeg = folder / "a.xdf", f"beside-{mark}-eeg"
        self.states: dict[str, list[tuple[float, State]]] = {kind: [] for kind in kinds}
        self.last: dict[str, AuxState] = {}
        self.began = self.returned = self.ended = 0.0
        self.witness = Witness()
        self.notes: tuple[str, ...] = ()

    def url(self, kind: str) -> str:
        return f"lsl://{self.names[kind]}"

    def go(self) -> None:
        """Start everything, let the fault begin and end, and stop."""
        also = [self.url(kind) for kind in self.kinds if not KINDS[kind].is_text]
        markers = [self.url(kind) for kind in self.kinds if KINDS[kind].is_text]
        options = {"source": f"lsl://{self.eeg}?timeout=30", "also": also, "markers": markers, "record": self.path}
        with contextlib.ExitStack() as stack:
            stack.enter_context(outlet(self.eeg, "", EEG_S))
            if self.row.fault not in ("late", "never"):
                self._start(stack)
            engine = app.make_engine(resolve(options), [self.witness])
            with Pulse() as pulse:
                engine.start()
                try:
                    self._befall(engine, stack)
                finally:
                    self.ended = clock.now()
                    engine.stop()
                    self.notes, self.witness.stood = engine.health.notes, pulse.stood

    def _start(self, stack: contextlib.ExitStack, source_id: str = "") -> None:
        for kind, name in self.names.items():
            sender = BesideSender(name, kind, self.row.fault, source_id and f"{source_id}-{kind}")
            stack.callback(sender.end)
            if not source_id:
                first = self.senders[kind].first if kind in self.senders else 1 << 60
                self.senders[kind] = sender
                sender.first = first

    def _befall(self, engine: Engine, stack: contextlib.ExitStack) -> None:
        fault = self.row.fault
        self._until(engine, lambda: engine.health.samples >= SETTLED_S * SFREQ, 60)
        if self.senders:
            counts = {kind: SETTLED_S * KINDS[kind].rate for kind in self.kinds}
            self._until(engine, lambda: all(self.last[kind].samples >= n for kind, n in counts.items()), 30)
            for sender in self.senders.values():
                sender.begin()
        self.began = clock.now()
        if self.row.away_s:
            self._until(engine, lambda: clock.now() - self.began > self.row.away_s, 60)
            self._start(stack)
        elif fault == "twins":
            self._start(stack, "another")
        self.returned = clock.now()
        self._until(engine, lambda: clock.now() - self.returned > self.row.seconds - self.row.away_s, 60)

    def _until(self, engine: Engine, over: Callable[[], bool], within_s: float) -> None:
        """Follow the states until it is over."""
        deadline = clock.now() + within_s
        while True:
            for kind in self.kinds:
                state = next((it for it in engine.health.streams if it.url == self.url(kind)), AuxState(""))
                self.last[kind], seen = state, self.states[kind]
                if not seen or seen[-1][1] is not state.state:
                    seen.append((clock.now(), state.state))
            if over():
                return
            if clock.now() > deadline:
                raise TimeoutError(f"{self.last}, {engine.health.state}, {engine.health.notes}")
            engine.done.wait(LOOK_S)

    def on_lsl(self, t: float) -> float:
        """A time of our clock on LSL's (s)."""
        return t + liblsl.to_stamps()


def row_of(row: BesideRow) -> dict[str, list[Check]]:
    """All cells of a row: one of the EEG (``""``), and one of each kind."""
    kinds = [kind for kind in KINDS if kind not in row.without]
    cells: dict[str, list[Check]] = {"": []}
    for together in [[kind] for kind in kinds] if row.singly else [kinds]:
        with tempfile.TemporaryDirectory() as folder:
            run = BesideRun(row, together, Path(folder))
            run.go()
            streams, _ = pyxdf.load_xdf(str(run.path), dejitter_timestamps=False, verbose=False)
            recorded = {it["info"]["name"][0]: it for it in streams}
            cells[""] += of_the_eeg(run, recorded[run.eeg])
            for kind in together:
                cells[kind] = said(run, kind) + noted(run, kind) + held(run, kind, recorded.get(run.names[kind]))
    cells[""] = list(dict.fromkeys(cells[""]))
    return cells


def of_the_eeg(run: BesideRun, recorded: Any) -> list[Check]:
    """Whether the EEG and its readings are complete."""
    found = account(run.witness, clean(EEG_S), (0, 1))
    n = sum(map(len, run.witness.chunks))
    spoilt = found.missing or found.lost or found.twice or found.off or found.foreign
    missing = n - len(recorded["time_stamps"])
    checks = [Check("every sample" if not spoilt else f"{found.missing} missing, {found.lost} lost", not spoilt)]
    if missing:
        checks.append(Check(f"{missing} not recorded", False))
    late = int((np.diff([it.end for it in run.witness.seen]) > HOP_S * SFREQ + 1).sum())
    checks.append(Check(f"{late} readings missing" if late else "every reading", not late))
    if run.witness.health.fault or run.witness.health.faults:
        checks.append(Check(f"faults: {run.witness.health.faults}", False))
    return checks


def said(run: BesideRun, kind: str) -> list[Check]:
    """What the state of the stream was, and when."""
    seen, fault, regular = run.states[kind], run.row.fault, not KINDS[kind].is_text

    def first(state: State, moment: float) -> float | None:
        return next((at - moment for at, it in seen if it is state and at >= moment - LOOK_S), None)

    def within(what: str, after: float | None, most: float) -> Check:
        return Check(f"never {what}" if after is None else f"{what} after {max(0.0, after):.1f} s",
                     after is not None and after <= most)  # fmt: skip

    if fault == "never":
        return [Check(seen[-1][1].value, seen[-1][1] is State.CONNECTING)]
    if fault == "late":
        return [within("live", first(State.LIVE, run.senders[kind].up), APPEARED_S)]
    if fault == "return":
        gone = first(State.RECONNECTING, run.began)
        return [within("reconnecting", gone, GONE_S),
                within("live", first(State.LIVE, run.senders[kind].up), RETURNED_S)]  # fmt: skip
    if fault == "stall" and regular:
        return [within("stalled", first(State.STALLED, run.began), STALLED_S),
                within("live", first(State.LIVE, run.began + STALL_S), BACK_S)]  # fmt: skip
    states = [state for at, state in seen if at > run.began]
    return [Check("live" if not states else f"not live: {[it.value for it in states]}", not states)]


def noted(run: BesideRun, kind: str) -> list[Check]:
    """Whether a note says so."""
    notes = [note for note in run.notes if run.url(kind) in note and "before the signal" not in note]
    part = run.row.notes.get(kind, run.row.notes.get("", ""))
    if part and not (run.row.fault == "flood" and not run.last[kind].lost):  # this computer was too slow to send it
        return [Check("noted" if any(part in it for it in notes) else f"not noted: {notes}",
                      any(part in it for it in notes))]  # fmt: skip
    return [Check(f"noted: {notes}", False)] if notes else []


def held(run: BesideRun, kind: str, recorded: Any) -> list[Check]:
    """Whether the recording has what was sent, and when."""
    row, sender = run.row, run.senders.get(kind)
    if sender is None:
        return [Check("not in the recording", recorded is None)]
    if recorded is None:
        return [Check("not in the recording", False)]
    stamps, sort = np.asarray(recorded["time_stamps"]), sender.sort
    if row.fault == "flood":
        return flooded(run, kind, recorded)
    numbers = numbers_of(recorded, sort, float(stamps[0]))
    gaps = np.diff(numbers) - 1
    missing, lost = int(gaps[gaps > 0].sum()), run.last[kind].lost
    asked = round(HOLE_S * sort.rate) if row.fault == "loss" else missing if row.fault == "return" else 0
    checks = [Check(f"{missing:,} missing" if missing else "complete", missing == asked and gaps.min() >= 0)]
    if lost or (missing and not sort.is_text):
        checks.append(Check(f"{lost:,} counted", abs(lost - missing) <= (1 if row.fault == "return" else 0)))
    expected = stamp_of(sort, "none" if row.fault == "step" and not sort.is_text else row.fault, numbers, sender.first)
    off = float(np.abs(stamps - expected).max())
    checks.append(Check(f"stamps within {max(0.1, 1e3 * off):.1f} ms", off <= TOLERANCE_S))
    if row.fault == "late":
        after = numbers[0] / sort.rate - run.on_lsl(sender.up)
        checks.append(Check(f"recorded from {after:.1f} s on", after < APPEARED_S))
    elif (age := run.on_lsl(run.ended) - numbers[-1] / sort.rate) > 1.0 + 2 / sort.rate:
        checks.append(Check(f"ends {age:.1f} s early", False))
    return checks + of_values(sender, recorded, numbers)


def numbers_of(recorded: Any, sort: Kind, stamp: float) -> np.ndarray:
    """The number of each recorded sample."""
    series = recorded["time_series"]
    if sort.is_text:
        low = np.array([int(row[0].split(" ")[0]) for row in series])
    else:
        low = np.asarray(series)[:, 0].astype(int)
    begin = round(stamp * sort.rate)
    low = low + (begin - begin % WRAP)
    return np.unwrap(low, period=WRAP).astype(int)


def of_values(sender: BesideSender, recorded: Any, numbers: np.ndarray) -> list[Check]:
    """Whether units and values are those that were sent."""
    sort, series = sender.sort, recorded["time_series"]
    channels = recorded["info"]["desc"][0]["channels"][0]["channel"]
    checks = []
    if sender.fault == "unit":
        units = {it["unit"][0] for it in channels}
        checks.append(Check("its unit as stated", units == {"furlongs/fortnight"}))
    if sender.fault == "endless" and not sort.is_text:
        checks.append(Check("its label as stated", len(channels[-1]["label"][0]) == 300_000))
    if sender.fault == "garbage" or (sender.fault == "endless" and sort.is_text):
        first = int(np.searchsorted(numbers, sender.first))
        sent = rows_of(sort, sender.fault, numbers[first:], True)
        if sort.is_text:
            same = [text_of(row[0])[:LONGEST] for row in sent] == [row[0] for row in series[first:]]
        else:
            same = np.asarray(series)[first:].tobytes() == sent.tobytes()
        checks.append(Check("every value as sent" + (", cut" if sender.fault == "endless" else "") if same
                            else "values differ", same))  # fmt: skip
    return checks


def flooded(run: BesideRun, kind: str, recorded: Any) -> list[Check]:
    """What is left of 100 kHz of garbage."""
    n, lost = len(recorded["time_stamps"]), run.last[kind].lost
    checks = [Check(f"{n:,} recorded", n > 10_000)]
    return checks + ([Check(f"{lost:,} dropped and counted", True)] if lost else [])
