"""The readings of a recording as a table: a row for each, as text (CSV, TSV) or as Parquet."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ConfigError, install_extra
from ..files import write_whole
from ..recording.reader import Recorded
from ..report.readings import ESTIMATE, modalities_in, number

Table = dict[str, list[Any]]
"""Columns by name, of equal length; None where a row has no value."""

FINITE = (-sys.float_info.max, sys.float_info.max)
NUMBERS = ("confidence", "quality", "coverage", "sample_age_ms", "latency_ms", "unfamiliarity")
MEANING = {
    "t": "stream time of the reading: seconds from the first sample",
    "first": "index of the first sample that it rests on",
    "end": "index after the last sample that it rests on",
    "status": "estimate, or the reason why there is none",
    "readout": "what was read",
    "calibrated": "whether it is compared with the subject's own rest",
    "virtual": "whether the signal was simulated",
    "confidence": "of the network, 0 to 1",
    "quality": "of the electrodes, 0 to 1",
    "coverage": "share of the context that was there, 0 to 1",
    "sample_age_ms": "age of the newest sample when the reading was sent",
    "latency_ms": "from the arrival of the last sample until the reading was sent",
    "unfamiliarity": "how unlike the training the signal is; above 1 there is no estimate",
    "modalities": "signals that the reading rests on: eeg, or eeg+eyes",
    "faults": "electrodes that could not be trusted, and why: NAME=REASON, separated by spaces",
}
"""What each column is; a column ``p_LABEL`` is the probability of that label."""

ELECTRODES = {"channel": "name of the electrode", "reason": "why it could not be trusted"}


def table_of(recorded: Recorded) -> Table:
    """All readings of a recording, in the order of the file; labels of every readout that it has."""
    rows = recorded.readings
    labels = list(dict.fromkeys(str(label) for row in rows for label in row.get("labels") or ()))
    table: Table = {name: [] for name in ("t", "first", "end", "status", "readout", "calibrated", "virtual")}
    table |= {f"p_{label}": [] for label in labels} | {name: [] for name in NUMBERS} | {"modalities": [], "faults": []}
    for row in rows:
        table["status"].append(ESTIMATE if row.get("kind") == ESTIMATE else row.get("why"))
        for name in ("t", "first", "end", "readout"):
            table[name].append(row.get(name))
        for name in ("calibrated", "virtual"):
            table[name].append(bool(row.get(name)))
        probs = dict(zip(map(str, row.get("labels") or ()), row.get("probs") or (), strict=False))
        for label in labels:
            table[f"p_{label}"].append(number(probs.get(label), *FINITE))
        for name in NUMBERS:
            table[name].append(number(row.get(name), *FINITE))
        table["modalities"].append("+".join(modalities_in(row)))
        found = row.get("faults")
        table["faults"].append(" ".join(f"{k}={v}" for k, v in found.items()) if isinstance(found, dict) else "")
    return table


def electrodes_of(recorded: Recorded) -> Table:
    """When each electrode could not be trusted, and why: a row for each stretch of time with one reason."""
    rows: list[tuple[float, float, str, str]] = []
    since: dict[tuple[str, str], float] = {}
    t = 0.0
    for row in (*recorded.readings, {}):
        found = row.get("faults")
        current = {(str(name), str(why)) for name, why in found.items()} if isinstance(found, dict) else set()
        for fault in since.keys() - current:
            onset = since.pop(fault)
            rows.append((onset, round(t - onset, 4), *fault))
        since |= dict.fromkeys(current - since.keys(), t)
        t = number(row.get("t"), *FINITE) or t
    columns = zip(*sorted(rows), strict=True) if rows else [()] * 4
    return dict(zip(("onset", "duration", *ELECTRODES), map(list, columns), strict=True))


def write_events(path: Path, table: Table, meaning: Mapping[str, str], about: Mapping[str, Any] | None = None) -> None:
    """Write a table as events of BIDS: `path` with the suffix ``.tsv``, then ``.json`` with what its columns mean."""
    write_whole(path.with_suffix(".tsv"), text_of(table, "\t", "n/a"))
    columns = {it: {"Description": meaning[it]} for it in table if it in meaning}
    write_whole(path.with_suffix(".json"), f"{json.dumps(columns | dict(about or {}), indent=1)}\n".encode())


def text_of(table: Table, delimiter: str = ",", missing: str = "") -> bytes:
    """The table as text in UTF-8, with a header."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(table)
    for row in zip(*table.values(), strict=True):
        writer.writerow(missing if cell is None or cell == "" else cell for cell in row)
    return text.getvalue().encode()


def write_parquet(table: Table, path: Path) -> None:
    """Write the table as Parquet; raises `ConfigError` where pyarrow is not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise ConfigError("export to Parquet", "pyarrow is not installed", install_extra("pyarrow")) from None
    parquet.write_table(pyarrow.table(typed(table)), path)


def typed(table: Table) -> dict[str, Sequence[Any]]:
    """The columns with one type each, where they are empty too."""
    import pyarrow

    text, number, whole = ("status", "readout", "modalities", "faults"), pyarrow.float64(), pyarrow.int64()
    kinds = dict.fromkeys(text, pyarrow.string()) | dict.fromkeys(("calibrated", "virtual"), pyarrow.bool_())
    kinds |= dict.fromkeys(("first", "end"), whole)
    return {name: pyarrow.array(column, kinds.get(name, number)) for name, column in table.items()}
