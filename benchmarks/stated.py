"""Metadata of files and streams: a section of docs/reliability.md, format by kind.

``python -m benchmarks.stated`` plays all of it (a minute) and writes that section alone; `make reliability` does too.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

from benchmarks import stated_kinds as kinds
from benchmarks import stated_rows as rows
from benchmarks.fault_cells import Check, private_network
from benchmarks.rig import table
from realtime_mood.models.datasets.recordings import find
from tests.integration.recordings import CH_NAMES, counting, write_edf

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
TITLE = "## What a file says about itself"
HEAD = f"""{TITLE}

`python -m benchmarks.stated` writes this section, and `make reliability` the whole page. Each cell is a file or
stream with a signal of which every sample is known, written by the generators of the tests and read by the program.
*Counted 3750 of 3750* means that 3750 samples were missing, that 3750 were counted, and that all others were in their
place. *Refused* means that the message offers the option that is written there, and that the true signal plays with
it; *noted* means that a note of the run says so. Any other result makes a cell red (✗). – does not apply: the format
cannot state it, or only in one way.
"""
FORMATS = {
    "a.edf": "EDF+", "a.bdf": "BDF+", "a.vhdr": "BrainVision", "a.set": "EEGLAB", "v73.set": "EEGLAB 7.3",
    "a_raw.fif": "FIF", "a.gdf": "GDF", "a.xdf": "XDF", "lsl": "LSL, live", "openbci.txt": "OpenBCI GUI",
    "brainflow.csv": "BrainFlow", "muse.csv": "muse-lsl", "mind_monitor.csv": "Mind Monitor",
    "emotiv.csv": "EmotivPRO", "unicorn.csv": "Unicorn",
}  # fmt: skip

KINDS: dict[str, Callable[[str, Path], Check | None]] = {
    "a stated break of 15 s (live: 2 s)": kinds.a_break,
    "a faster channel of another kind": kinds.mixed_rates,
    "derivations: `F3-C3`": kinds.derivations,
    "a stated reference: `C3-A1`": kinds.a_reference,
    "an unknown unit: `counts`": kinds.an_odd_unit,
    "a unit with a factor: `0.5uV`": kinds.a_scale,
    "more or fewer labels than channels": kinds.other_labels,
    "two streams with the same name": kinds.twins,
    "EEG at rate 0": kinds.no_rate,
    "a word in Latin-1": rows.odd_words,
    "markers before and after the signal": rows.markers_outside,
    "a row with a missing cell": rows.a_damaged_row,
    "a counter that wraps at 100, 129, 151, 4096": rows.an_odd_counter,
    "a clock that jumps by an hour": rows.an_hour,
}
BIDS_ROWS = "name\ttype\tunits\tstatus\nC3\tEEG\tµV\tbad\n"
SIDECARS: dict[str, tuple[bytes, bool, str]] = {
    "empty": (b"", False, "not used: empty"),
    "without a column `name`": (BIDS_ROWS.replace("name", "channel").encode(), False, "not used: it has no column"),
    "in Latin-1": (BIDS_ROWS.encode("latin-1"), True, "left out C3"),
    "in UTF-16": (BIDS_ROWS.encode("utf-16"), True, "left out C3"),
    "with a BOM": (BIDS_ROWS.encode("utf-8-sig"), True, "left out C3"),
    "with status `BAD`": (BIDS_ROWS.replace("bad", "BAD").encode(), True, "left out C3"),
    "naming a bad channel that the file lacks": (f"{BIDS_ROWS}T9\tEEG\tµV\tbad\n".encode(), True, "no such channel"),
}
"""Sidecars ``channels.tsv`` of a BIDS folder: what stands in one, whether C3 is to be left out, what must be said."""


def sidecar(kind: str, root: Path) -> Check:
    """A BIDS folder with one recording and that sidecar: a broken one costs at most itself."""
    content, bad, note = SIDECARS[kind]
    folder = root / "sub-01" / "eeg"
    folder.mkdir(parents=True)
    write_edf(folder / "sub-01_task-rest_eeg.edf", counting(12.0, 250.0) % 100, 250.0)
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.9.0", "License": "CC0"}')
    (folder / "sub-01_task-rest_channels.tsv").write_bytes(content)
    (job,), notes = find([str(root)])
    session = job.read()
    noted = " · ".join([*notes, *session.info.notes])
    left = tuple(name for name in CH_NAMES if not (bad and name == "C3"))
    right = session.info.ch_names == left and note in noted
    text = f"{'C3 left out' if bad else 'plays whole'}, noted"
    return Check(text if right else f"{session.info.ch_names}: {noted}", right)


def guarded(work: Callable[[str, Path], Check | None], name: str) -> Check | None:
    """What goes wrong with a cell is what it says."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            return work(name, Path(folder))
    except Exception as error:
        return Check(f"{type(error).__name__}: {error}", False)


def words(check: Check | None) -> str:
    """A cell."""
    if check is None:
        return "–"
    text = check.text.replace("|", "/").replace("\n", " ")
    return f"{text} ✓" if check.right else f"**✗** {text}"


def section() -> tuple[str, list[str]]:
    """The section, and which of its cells are red."""
    cells = {(kind, name): guarded(play, name) for kind, play in KINDS.items() for name in FORMATS}
    folders = {kind: guarded(sidecar, kind) for kind in SIDECARS}
    lines = [[kind, *(words(cells[kind, name]) for name in FORMATS)] for kind in KINDS]
    beside = [[f"a `channels.tsv` {kind}", words(check)] for kind, check in folders.items()]
    formats = table(["what it states", *FORMATS.values()], lines)
    parts = [HEAD, formats, "", table(["a BIDS folder with", "seen"], beside)]
    red = [f"{kind} · {FORMATS[name]}: {it.text}" for (kind, name), it in cells.items() if it and not it.right]
    red += [f"BIDS {kind}: {it.text}" for kind, it in folders.items() if it and not it.right]
    return "\n".join(parts) + "\n", red


def placed(page: str, title: str, new: str) -> str:
    """The page with the section as it is now, at its end."""
    before, _, rest = page.partition(title)
    after = rest.partition("\n## ")
    return before.rstrip("\n") + "\n\n" + new + ("\n## " + after[2] if after[1] else "")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        private_network(Path(folder) / "lsl.cfg")
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            new, red = section()
    PAGE.write_text(placed(PAGE.read_text(), TITLE, new))
    print("\n".join([*red, f"{new.count('✓')} cells right, {len(red)} red"]))
    sys.exit(bool(red))


if __name__ == "__main__":
    main()
