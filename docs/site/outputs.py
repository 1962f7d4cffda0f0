"""Writes docs/outputs.md: every field of JSON, WebSocket, OSC, LSL and CSV that other programs receive (``make docs``).

Names, types and examples are taken from what the sinks send for an example reading; units and meanings are those of
`meanings`. A field without a meaning, and a meaning without a field, is an error.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from meanings import BODY, FEEDBACK, HEALTH, OF_ADDRESSES, OF_VALUES, OTHER_LINES, READING

from realtime_mood.body.measure import COLUMNS, UNITS, BodyMeasure, BodyReading, invalid
from realtime_mood.corrections import Corrections
from realtime_mood.drift import Drift
from realtime_mood.feedback import receivers
from realtime_mood.feedback.receivers import OscFeedback, WebSocketFeedback
from realtime_mood.health import AuxState, Emission, Feedback, Health, Latency, Output, RecordingState, State
from realtime_mood.modalities import EyeInput, EyeState
from realtime_mood.sinks import lsl_readings
from realtime_mood.sinks.csv_file import COLUMNS as CSV_COLUMNS
from realtime_mood.sinks.csv_file import CsvFile
from realtime_mood.sinks.jsonlines import JsonLines, to_json
from realtime_mood.sinks.lsl_markers import meanings as codes_of
from realtime_mood.sinks.muse_osc import MuseOsc
from realtime_mood.sinks.osc import Osc
from realtime_mood.sinks.values import names_of
from realtime_mood.sinks.websocket import WebSocketReadings
from realtime_mood.testing import cut, example_readings, pink
from realtime_mood.types import Abstained, Estimate


class Taken:
    """Takes the place of a socket or a server, and keeps what is sent."""

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def send(self, messages: Iterable[tuple[str, Any]]) -> None:
        self.kept += messages

    def say(self, message: Mapping[str, object]) -> None:
        self.kept.append(dict(message))


def page() -> Iterator[str]:
    """The lines of the page."""
    estimate, abstained, health, body, fed = examples()
    yield from (
        "# What other programs receive", "",
        "Every field, with an example that the program has made; `make docs` writes this page.",
        "[The guide](guide.md#sending-readings-elsewhere) says how to start each output; programs that receive:",
        "[examples](../examples/README.md).", "", "## JSON lines", "",
        "`run --view json` prints readings, measures of the body, and one `health` object at the end.", "",
        "### A reading", "",
    )  # fmt: skip
    lines = [_json_of(it) for it in (estimate, abstained)]
    yield from _fenced(*lines)
    yield from _fields(READING, *lines, absent={"why": "abstained"})
    yield from ("### Measures of the body", "")
    line = _json_of(body)
    yield from (*_fenced(line), *_fields(BODY, {**line, "measures": {"NAME": line["measures"]["heart_rate"]}}))
    yield from ("### The end of a run", "")
    line = _json_of(health)
    yield from (*_fenced(line), *_fields(HEALTH, line))
    yield from ("### Other commands", "", "| command | kinds |", "|---|---|")
    yield from (f"| `{command}` | {kinds} |" for command, kinds in OTHER_LINES.items())
    yield from ("", *_websocket(estimate, fed), *_osc(estimate, body, fed), *_lsl(estimate), *_csv(estimate))


def examples() -> tuple[Emission, Emission, Health, BodyReading, Feedback]:
    """An estimate, an abstention, the end of a run, measures of the body, and feedback; every field has a value."""
    emissions = example_readings(4)
    estimate = next(it for it in emissions if isinstance(it.reading, Estimate))
    drift = Drift(what="alpha", bands_sd=(("delta", 0.1),))
    reading = replace(
        estimate.reading, drift=drift, corrections=Corrections(1, label="rest", refused="too_soon"),
        unfamiliarity=0.52, eye=EyeInput(EyeState.USED),
    )  # fmt: skip
    abstained = next(it for it in emissions if isinstance(it.reading, Abstained))
    health = Health(
        state=State.ENDED, info=estimate.info, samples=30720, readings=480, latency=Latency(16.0, 24.0, 31.0),
        recording=RecordingState("me.xdf", 1500000), outputs=(Output("WebSocket 127.0.0.1:8765", 480, receivers=1),),
        streams=(AuxState("lsl://Gaze", "Gaze", "eyes", State.LIVE, samples=14400, rate_hz=120.0, age_s=0.01),),
        notes=("without `source_id`, two streams of one name cannot be told apart",),
    )  # fmt: skip
    body = BodyReading(24.0, 24.31, (BodyMeasure("heart_rate", 72.04, 0.96), invalid("rmssd", "noisy", 0.41)))
    fed = Feedback(24.0, 24.3, 1, "feedback", "Let the circle grow", 0.62, False, True, "", 3, 41.2, False)
    return replace(estimate, reading=reading), abstained, health, body, fed


def _json_of(item: Emission | Health | BodyReading) -> dict[str, Any]:
    text = io.StringIO()
    lines = JsonLines(text)
    {Emission: lines.put, Health: lines.close, BodyReading: lines.put_body}[type(item)](item)  # type: ignore[operator]
    return dict(json.loads(text.getvalue()))


def _websocket(estimate: Emission, fed: Feedback) -> Iterator[str]:
    server, asked = Taken(), object.__new__(WebSocketReadings)
    asked._call = lambda _, text: server.say(json.loads(text))  # type: ignore[assignment, method-assign]
    asked.deliver(estimate)
    WebSocketFeedback(server).put(fed)  # type: ignore[arg-type]
    reading, feedback = server.kept
    yield from (
        "## WebSocket", "",
        "`run --ws 8765`: text messages at `ws://127.0.0.1:8765/readings`, one object each. Readings are those of the",
        "JSON lines with three fields more; measures of the body are the same; neurofeedback adds `feedback`.", "",
    )  # fmt: skip
    more = {name: it for name, it in reading.items() if name not in READING}
    yield from (*_fenced(more), *_fields({name: OF_VALUES[name] for name in ("valid", "valence", "arousal")}, more))
    yield from (*_fenced(feedback), *_fields(FEEDBACK, feedback))


def _osc(estimate: Emission, body: BodyReading, fed: Feedback) -> Iterator[str]:
    yield from (
        "## OSC", "",
        "`run --osc HOST:PORT`: one bundle for each reading, by UDP; missing values are not sent. `--osc-muse` sends",
        " `/muse/…`: band powers at TP9, AF7, AF8, TP10 (or their nearest electrodes), ten times a second.", "",
        "| address | type | unit | meaning | example |", "|---|---|---|---|---|",
    )  # fmt: skip
    taken = Taken()
    sinks = [Osc("127.0.0.1:9000"), OscFeedback("127.0.0.1:9000"), muse := MuseOsc("127.0.0.1:9000")]
    for sink in sinks:
        sink._datagrams = taken  # type: ignore[assignment]
    sinks[0].deliver(estimate)
    sinks[0].deliver(replace(body, measures=body.measures[:1]))
    sinks[1].deliver(fed)
    muse.open(estimate.info)
    muse.deliver(cut(pink(2000, estimate.info.n_chans), [2000])[0])
    for address, value in taken.kept:
        unit, meaning = _of_address(address)
        several = isinstance(value, list)
        kind = {int: "i", float: "f", str: "s"}[type(value[0] if several else value)] * (len(value) if several else 1)
        shown = (
            " ".join(f"{it:.3g}" for it in value) if several else value if isinstance(value, str) else f"{value:.4g}"
        )
        yield f"| `{address}` | {kind} | {unit} | {meaning} | `{shown}` |"
    yield ""


def _of_address(address: str) -> tuple[str, str]:
    """Unit and meaning of an OSC address."""
    name = address.removeprefix("/realtime_mood/")
    if (value := re.sub("^prob/.*", "p_LABEL", name)) in OF_VALUES:
        return OF_VALUES[value]
    pattern = next(it for it in OF_ADDRESSES if re.fullmatch(it, name))
    unit, meaning = OF_ADDRESSES[pattern]
    return UNITS.get(name.removeprefix("body/"), unit), meaning


def _lsl(estimate: Emission) -> Iterator[str]:
    names = names_of(estimate.reading.readout)
    rows = [
        (lsl_readings.NAME, "Emotion", "four a second", names),
        (f"{lsl_readings.NAME}-Body", "Body", "one a second", COLUMNS),
        (f"{lsl_readings.NAME}-Feedback", "Feedback", "thirty a second", receivers.CHANNELS),
        (f"{lsl_readings.NAME}-Markers", "Markers", "with each event", ("text",)),
        (f"{lsl_readings.NAME}-Markers-codes", "Markers", "with each event", ("code",)),
    ]
    yield from (
        "## LSL", "",
        "`run --lsl-out`. Streams are declared irregular (rate 0), of format float32 (texts: string, codes: int32);",
        "missing values are NaN. The stamp of a reading is the end of its window on LSL's clock. The description of a",
        "stream has the units, and in the element `realtime_mood` also `virtual`, `readout` and `evidence`.", "",
        "| stream | type | samples | channels |", "|---|---|---|---|",
        *(f"| `{stream}` | `{kind}` | {often} | `{'`, `'.join(them)}` |" for stream, kind, often, them in rows),
        "", "Here for a readout with the labels `rest` and `arithmetic`. Codes of calibration and feedback:", "",
        "| code | meaning |", "|---|---|",
        *(f"| {code} | {meaning} |" for code, meaning in sorted(codes_of(("first label", "second label")).items())), "",
    )  # fmt: skip


def _csv(estimate: Emission) -> Iterator[str]:
    rows: list[bytes] = []
    table = CsvFile(Path("readings.csv"))
    table._file, table._names = _Rows(rows), names_of(estimate.reading.readout)  # type: ignore[assignment]
    table.deliver(estimate)
    columns = [*CSV_COLUMNS, *table._names]
    yield from (
        "## CSV", "",
        "`run --csv FILE`: a line of names, then one for each reading; missing values are empty. `status` is",
        "`estimate`, or why there is none; `calibrated`, `virtual`, `valid` and `eyes` are 0 or 1.", "",
        "```text", ",".join(columns), rows[0].decode().strip(), "```", "",
    )  # fmt: skip


class _Rows:
    """Takes the place of a file."""

    def __init__(self, rows: list[bytes]) -> None:
        self.append = rows.append


def _fenced(*lines: Mapping[str, Any]) -> Iterator[str]:
    yield from ("```json", *(to_json(line) for line in lines), "```", "")


def _fields(
    meanings: Mapping[str, tuple[str, str]], *lines: Mapping[str, Any], absent: Mapping[str, str] = {}
) -> Iterator[str]:
    """A table of every field of the `lines`, in the order of `meanings`."""
    found: dict[str, str] = {}
    for line in lines:
        for name, value in _flat(line):
            if value is not None or name not in found:
                found[name] = _type_of(value)
    if found.keys() != meanings.keys():
        raise ValueError(f"fields without a meaning, or meanings without a field: {found.keys() ^ meanings.keys()}")
    yield from ("| field | type | unit | meaning |", "|---|---|---|---|")
    yield from (f"| `{name}` | {found[name]} | {unit} | {told} |" for name, (unit, told) in meanings.items())
    yield ""


def _flat(line: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in line.items():
        if name != "NAME":
            yield before + name, value
        if isinstance(value, dict) and name != "bands_sd":
            yield from _flat(value, f"{before}{name}.")
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield from _flat(value[0], f"{before}{name}[].")


def _type_of(value: object) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", type(None): "string"}
    return f"array of {_type_of(value[0])}s" if isinstance(value, list) and value else kinds.get(type(value), "array")


PAGE = Path(__file__).parents[1] / "outputs.md"

if __name__ == "__main__":
    PAGE.write_text("\n".join(page()))
