"""Fault × stream matrix of the streams beside the EEG: a section of docs/reliability.md.

``python -m benchmarks.beside`` runs all of it (some five minutes) and writes that section alone; `make reliability`
does too. With ``--rows NAME …``, only these are run and printed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks import beside_cells
from benchmarks.beside_rows import ROWS, BesideRow
from benchmarks.beside_sender import KINDS
from benchmarks.fault_cells import Check, private_network, words
from benchmarks.rig import table

TITLE = "## Streams beside the EEG"
HEAD = f"""{TITLE}

`python -m benchmarks.beside` writes this section, and `make reliability` the whole page. Each row is a run of the real
program with the shipped weights on an LSL outlet of 8 channels at 250 Hz, beside one stream of each kind (100 kHz:
beside one at a time). All six are sent by processes of their own; the same fault befalls the five streams at the same
time. The samples are numbered and taken at known times, so a recording shows which of them it holds, and how far each
stamp is from the truth, or from what was sent where the sender's stamps are the fault.

*Every sample* and *every reading* mean that the EEG lost nothing, in the program and in the recording, and that there
was a reading every quarter of a second. *Stalled after* is the time from the last sample sent to that state, *live
after* from the return of the samples or of the sender. *Complete* means that the recording has every sample that was
sent; of the missing ones, as many must be *counted*. *Noted* means that a note of the run says what happened. Any other
result makes a cell red (✗).

The other signals of a BrainFlow board come with its EEG, from one session, and share its fate: see the board in *Faults
of the sender itself*.
"""
AT_ONCE = 2
Cells = dict[str, list[Check]]


def row(one: BesideRow) -> Cells:
    """The cells of a row, in a process of its own; an error becomes the text of its first cell."""
    try:
        return beside_cells.row_of(one)
    except Exception as error:
        return {"": [Check(f"{type(error).__name__}: {error}", False)]}


def section(rows: tuple[BesideRow, ...] = ROWS) -> tuple[str, list[str]]:
    """The section, and which of its cells are red."""
    with ProcessPoolExecutor(AT_ONCE, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = list(zip(rows, pool.map(row, rows), strict=True))
    lines: list[list[object]] = []
    for one, cells in found:
        kinds = [f"– {one.without[kind]}" if kind in one.without else words(cells.get(kind, [])) for kind in KINDS]
        lines.append([one.title, words(cells[""]), *kinds])
    red = [f"{one.title} · {KINDS[kind].title if kind else 'EEG'}: {words(checks)}" for one, cells in found
           for kind, checks in cells.items() if not all(it.right for it in checks)]  # fmt: skip
    header = ["fault", "EEG", *(kind.title for kind in KINDS.values())]
    return f"{HEAD}\n{table(header, lines)}\n", red


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", choices=[row.fault for row in ROWS], help="only print these")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        private_network(Path(folder) / "lsl.cfg")
        new, red = section(tuple(row for row in ROWS if asked.rows is None or row.fault in asked.rows))
    if asked.rows:
        print(new[new.index("| fault") :])
    else:
        from benchmarks.stated import PAGE, placed

        PAGE.write_text(placed(PAGE.read_text(), TITLE, new))
    print("\n".join([*red, f"{new.count('✓')} cells right, {len(red)} red"]))
    sys.exit(bool(red))


if __name__ == "__main__":
    main()
