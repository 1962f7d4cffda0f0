"""Fault × source matrix of docs/reliability.md (``make reliability``, about fifteen minutes).

Each cell is the real program, its weights included, on a source that this befalls. The exit code is 1 when one is red.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from benchmarks import beside, fault_cells, fault_sender, kills, stated
from benchmarks.fault_cells import Check, words
from benchmarks.fault_rows import COLUMNS, ROWS, SENDER_FAULTS, Row, SenderFault
from benchmarks.rig import table
from benchmarks.stated import PAGE

AT_ONCE = 4
N_KILLS = 20

HEAD = """# What happens when the headset goes wrong

`make reliability` writes this page. Every cell is a run of the real program with the shipped weights, on a simulated
signal with 8 channels at 250 Hz, with one of the faults that `synthetic://?faults=…` and `outlet --faults …` simulate
(the [guide](guide.md) lists them). Received samples are compared with the sent ones, bit by bit. *Lost 500 of 500*
means that 500 of the samples sent between the first and the last received one were lost, that the program reported
500, and that all others had their true number.

*Stale after* is the time from the last sample to the first `stale` reading (at most 1.5 s), *back after* the time
from the source's return to the first reading that is not `stale` (at most 3 s), and *answers after* the time to the
first estimate: after a gap of more than 0.25 s the filters settle for four seconds and the window fills for four.
*Masked* is the percentage of the readings during the fault in which every affected electrode was masked, with the
name of the fault; it counts from two seconds after the beginning, or from half a second for faults that end at once.
*Estimates* are given as a percentage of those of a run on the same signal without faults. A cell is red (✗) also if
there was an estimate without a sample or from samples older than 1.5 s, a sample of another stream, or a good
electrode that was masked.

LSL and BrainFlow run in real time, as do simulated faults that concern time; other simulated faults run eight times
as fast, and files as fast as they are read, so that nothing can be stale there. An interruption in which this
computer did not let another process run for 0.4 s does not count, and is reported. The BrainFlow source is
BrainFlow's player with a file of a Cyton that contains the fault.
"""
LIMITS = """△ marks a result that is wrong and cannot be right, because two different events look the same there. A
change of the clock is distinguished from a loss by arrival times, which a file does not contain. With
stamps that jitter by 5 ms, the length of a gap is known to within 4 samples. If a sender computes its
stamps or counts its packages, the length is exact, and repeated samples are used once; measured stamps
do not show repetition. Late samples are omitted and count as lost, since they could only be passed on
out of order; in a file they are put in their place. If computed stamps are recomputed after a delay of
less than half a second, which no device is known to do, the delay counts as a loss. Swapped electrodes
cannot be detected: each has a good signal.
"""
BEYOND = """## Faults of the sender itself

A real process that is stopped or killed after ten seconds, and BrainFlow's synthetic board, whose session is released
from outside the program.
"""
KILLED = """## Recordings that are killed

`run --record` on a simulated subject, every fourth one by LSL, is killed (SIGKILL) at a random time. The file is
loaded by pyxdf as it is, and repaired by `recover`. At most the last second that standard output had reported may be
missing; the stamps must increase, no sample may be repeated, and `recover` must not lose any.
"""
SOAK = """## Soak

`make soak`: one run with 32 channels, random faults and a recording, at ten times real time.
"""


def cell(row: Row, column: str) -> list[Check]:
    """One cell, in a process of its own; an error becomes its text."""
    return _guarded(lambda: fault_cells.cell(row, column))


def sender_fault(fault: SenderFault) -> list[Check]:
    """Likewise."""
    return _guarded(lambda: fault_sender.cell(fault))


def killed(seed: int) -> kills.Left | str:
    """Likewise."""
    try:
        return kills.kill(seed, lsl=seed % 4 == 3)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _guarded(work: Callable[[], list[Check]]) -> list[Check]:
    try:
        return work()
    except Exception as error:
        return [Check(f"{type(error).__name__}: {error}", False)]


def matrix(found: Mapping[tuple[str, str], list[Check]]) -> str:
    """The fault × source table."""
    lines: list[list[object]] = []
    for row in ROWS:
        cells = []
        for column in COLUMNS:
            instead = f" (`{row.instead[column]}`)" if column in row.instead else ""
            checks = found.get((row.name, column))
            cells.append(
                f"– {row.without[column]}" if column in row.without else words(checks or ()) + instead * bool(checks)
            )
        lines.append([f"`{row.faults}`", *cells])
    return table(["fault", *COLUMNS.values()], lines)


def with_rows(page: str, new: str, names: set[str]) -> str:
    """The page with those lines of its matrix, and the text below it, as they are now."""
    before, rest = page.split("| fault |", 1)
    lines, old = new.splitlines(), {_fault(line): line for line in rest.splitlines() if line[:3] == "| `"}
    lines = [line if _fault(line) in names else old.get(_fault(line), line) for line in lines]
    return f"{before}{chr(10).join(lines)}\n\n{LIMITS}\n{rest[rest.index(BEYOND.splitlines()[0]) :]}"


def _fault(line: str) -> str:
    return line.split(" | ")[0].removeprefix("| ").strip("`")


def recordings(left: list[kills.Left | str]) -> tuple[str, bool]:
    """The section on kills, and whether all is well."""
    good = [it for it in left if isinstance(it, kills.Left)]
    torn = [it.torn for it in good if it.torn] + [it for it in left if isinstance(it, str)]
    right = not torn and all(it.short_s <= 1.0 for it in good)
    if not good:
        return f"**✗** {'; '.join(torn)}", False
    worst = max(it.short_s for it in good)
    moments = ", ".join(f"{it.at_s:.1f}" for it in sorted(good, key=lambda it: it.at_s))
    text = f"Killed at {moments} s. At most {max(0.0, worst):.2f} s were missing"
    text += f" (in all but one at most {sorted(it.short_s for it in good)[-2]:.2f} s)" if len(good) > 1 else ""
    return f"{text}; {'; '.join(torn) or 'every file was whole'} {'✓' if right else '**✗**'}", right


def soaked(path: Path | None) -> str:
    """The figures of ``python -m benchmarks.soak --json FILE``."""
    if path is None:
        return "Run it with `python -m benchmarks.soak --json FILE`, and give this page `--soak FILE`."
    seen = json.loads(path.read_text())
    notes = seen.pop("notes", [])
    return table(["what", "seen"], [[k, v] for k, v in seen.items()] + [["notes", len(notes)]])


def futures(
    pool: ProcessPoolExecutor, rows: list[Row], columns: list[str], n_kills: int
) -> Iterator[tuple[tuple[str, str], Future]]:
    """Everything there is to run, the longest first."""
    jobs = [(row, column) for row in rows for column in columns if column not in row.without]
    for row, column in sorted(jobs, key=lambda job: -job[0].seconds * (job[1] not in ("xdf", "openbci"))):
        yield (row.name, column), pool.submit(cell, row, column)
    for it in SENDER_FAULTS:
        if it.column in columns and len(rows) == len(ROWS):
            yield (it.name, "sender"), pool.submit(sender_fault, it)
    for seed in range(n_kills):
        yield (str(seed), "kill"), pool.submit(killed, seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write every check there")
    parser.add_argument("--soak", type=Path, help="figures of a soak, from its --json")
    parser.add_argument("--columns", default=",".join(COLUMNS), help="only these sources; the page is not written")
    parser.add_argument("--rows", nargs="+", choices=[row.name for row in ROWS], metavar="NAME",
                        help="only these faults; only their lines of the page are rewritten")  # fmt: skip
    parser.add_argument("--kills", type=int, default=N_KILLS)
    asked = parser.parse_args()
    found: dict[tuple[str, str], list[Check]] = {}
    left: list[kills.Left | str] = []
    columns = asked.columns.split(",")
    rows = [row for row in ROWS if asked.rows is None or row.name in asked.rows]
    n_kills = asked.kills if asked.rows is None else 0
    with tempfile.TemporaryDirectory() as folder:
        fault_cells.private_network(Path(folder) / "lsl.cfg")
        with ProcessPoolExecutor(AT_ONCE, mp_context=multiprocessing.get_context("spawn")) as pool:
            for key, future in list(futures(pool, rows, columns, n_kills)):
                if key[1] == "kill":
                    left.append(future.result())
                    continue
                found[key] = future.result()
                print(f"{key[0]} · {key[1]}: {words(found[key])}", flush=True)
        whole = columns == list(COLUMNS) and not asked.rows and asked.kills
        metadata, wrong = stated.section() if whole else ("", [])
        others, red_others = beside.section() if whole else ("", [])
    lasting, right = recordings(left) if left else ("", True)
    of_senders = [[it.name, COLUMNS[it.column], words(found[key])] for it in SENDER_FAULTS
                  if (key := (it.name, "sender")) in found]  # fmt: skip
    parts = [HEAD, matrix(found), LIMITS, BEYOND + "\n" + table(["what", "source", "seen"], of_senders)]
    parts += [KILLED, lasting, SOAK, soaked(asked.soak), metadata, others]
    print(lasting)
    if columns == list(COLUMNS) and asked.rows:
        PAGE.write_text(with_rows(PAGE.read_text(), matrix(found), {row.faults for row in rows}))
    elif whole:
        PAGE.write_text("\n".join(part.rstrip("\n") + "\n" for part in parts))
    if asked.json:
        rows = {" · ".join(key): [[it.text, bool(it.right)] for it in checks] for key, checks in found.items()}
        asked.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    red = wrong + red_others + [" · ".join(key) for key, checks in found.items() if not all(it.right for it in checks)]
    limits = sum(any(it.limit for it in checks) for checks in found.values())
    print(f"{len(found)} cells, {limits} at a limit, {len(red)} red{': ' if red else ''}{'; '.join(red)}")
    sys.exit(bool(red) or not right)


if __name__ == "__main__":
    main()
