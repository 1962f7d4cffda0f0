"""Rehearsal scenarios: sends the streams of a known device, from a simulated subject, as LSL outlets of one process."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import clock, liblsl
from ...errors import ConfigError
from ..synthetic.beside import Floats, VirtualSignals
from ..synthetic.person import Script, VirtualPerson
from .outlet import CHUNK_S, interruptible
from .scenarios import EEG, SCENARIOS, STATE_NAMES, STATES, Scenario, ScenarioStream


class ScenarioSignals:
    """What a scenario's outlets send: rows and times of each, up to a sample of the EEG. `script` repeats."""

    def __init__(self, scenario: Scenario, subject: int, script: Script | None = None) -> None:
        self._scenario, self._script = scenario, script or Script()
        self.person = VirtualPerson(subject, scenario.ch_names, scenario.sfreq, self._script)
        self._signals, self._end = VirtualSignals(self.person, scenario.gaze_sfreq), 0

    def take(self, end: int) -> list[tuple[np.ndarray, Floats]]:
        """For each outlet, the rows since the last call, and when each is taken (s after the start)."""
        first, self._end, sfreq = self._end, end, self._scenario.sfreq
        has_eeg = any(it.of == EEG for it in self._scenario.streams)
        signals = [(first, self.person.take(end - first if has_eeg else 0)), *self._signals.take(end)]
        rates = [sfreq, *(signal.sfreq for signal in self._signals.signals)]
        made = []
        for it in self._scenario.streams:
            if it.of == STATES:
                made.append(self._begun(it, first, end))
                continue
            begin, rows = signals[it.of]
            skip = -begin % it.every
            rows = rows[skip :: it.every]
            index = begin + skip + it.every * np.arange(len(rows))
            values = it.values(rows).astype({"double64": np.float64}.get(it.form, np.float32))
            made.append((values, index / rates[it.of] + 1 / sfreq))
        return made

    def _begun(self, stream: ScenarioStream, first: int, end: int) -> tuple[np.ndarray, Floats]:
        """The states that begin: their names; or the seconds they last, in the channel of each name."""
        sfreq = self._scenario.sfreq
        begins = self._script.begins(first, end, sfreq)
        states = [self.person.state_at(index) for index in begins]
        times = (np.array(begins) + 1) / sfreq
        if stream.form == "string":
            return np.array(states, object).reshape(-1, 1), times
        seconds = dict(self._script.steps)
        rows = [[seconds[state] if name == state else 0.0 for name in STATE_NAMES] for state in states]
        return np.array(rows, np.float64).reshape(-1, len(STATE_NAMES)), times


def rehearse(
    name: str,
    *,
    subject: int = 3,
    seconds: float = math.inf,
    source_id: str | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Send the scenario `name` for `seconds` or until an interrupt (SIGINT, SIGTERM), whether anything receives it.

    All outlets have the same `source_id`, by default a new one. `say` receives messages; the one that begins with
    ``truth`` has the subject and when its first sample was taken (s, LSL's clock), as JSON, for comparison with
    `true_body`. Raises `ConfigError` for an unknown name.
    """
    if name not in SCENARIOS:
        raise ConfigError(f"scenario {name!r}", "unknown", f"one of {', '.join(SCENARIOS)}")
    scenario = SCENARIOS[name]
    signals = ScenarioSignals(scenario, subject)
    own = source_id or liblsl.own_id(name)
    with interruptible() as interrupted:
        outlets = [liblsl.pylsl().StreamOutlet(_described(it, own)) for it in scenario.streams]
        say(f"{name}: {scenario.meaning}, simulated: " + ", ".join(f"{it.name} ({it.type})" for it in scenario.streams))
        begin = clock.now()
        truth = {"subject": subject, "begins": begin + 1 / scenario.sfreq + liblsl.to_stamps()}
        say(f"truth {json.dumps(truth)}")
        sent = _send(signals, outlets, scenario.sfreq, begin, seconds, interrupted)
        say(f"{name}: {sent} samples sent")


def _send(
    signals: ScenarioSignals,
    outlets: list[Any],
    sfreq: float,
    begin: float,
    seconds: float,
    interrupted: threading.Event,
) -> int:
    """Push everything on schedule; return the number of samples sent by all outlets."""
    to_stamps, step, end, sent = liblsl.to_stamps(), round(CHUNK_S * sfreq), 0, 0
    while end / sfreq < seconds:
        end += step
        if interrupted.wait(max(0.0, begin + end / sfreq - clock.now())):
            break
        for outlet, (rows, times) in zip(outlets, signals.take(end), strict=True):
            if len(rows):
                outlet.push_chunk(rows.tolist() if rows.dtype == object else rows, (begin + times + to_stamps).tolist())
                sent += len(rows)
    return sent


def _described(stream: ScenarioStream, source_id: str) -> Any:
    info, _ = liblsl.outlet_info(
        stream.name, stream.type, stream.channels, stream.sfreq, source_id, True,
        form=stream.form, manufacturer=stream.manufacturer,
    )  # fmt: skip
    return info
