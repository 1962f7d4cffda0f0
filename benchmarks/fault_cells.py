"""One cell of the fault × source matrix: runs the program and checks what it reported.

Used by ``make reliability`` with the shipped weights, and by the tests with a network that is planted.
"""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.fault_rows import CH_NAMES, CLEAN, SFREQ, Row
from benchmarks.rig import APP
from benchmarks.witness import Account, Witness, account, watch
from realtime_mood.errors import StreamEnded
from realtime_mood.pipeline import Pipeline
from realtime_mood.recording import xdf_write as xdf
from realtime_mood.sources import open_source
from realtime_mood.sources.faults.headset import Headset, Packet
from realtime_mood.sources.faults.script import FaultScript
from realtime_mood.types import StreamInfo, Why

STALE_S = 1.5
"""From the last sample to the first reading that says so: a second and a hop, and a hop more for a busy machine."""
BACK_S = 3.0
AS_SOUND = {"lsl": "rehearsal", "brainflow": "openbci"}
"""Where the same signal, without faults, is had without waiting for it."""
OLD_S = 1.5
"""No answer is made of older samples."""
EPOCH_S = 1_700_000_000.0
LSL_CONFIG = """[ports]
IPv6 = disable
MulticastPort = {base}
BasePort = {next}
PortRange = 64
[multicast]
ResolveScope = machine
AddressesOverride = {{127.0.0.1}}
[log]
level = -3
[lab]
KnownPeers = {{127.0.0.1}}
SessionID = reliability-{session}
"""

Build = Callable[[StreamInfo], Pipeline]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    text: str
    right: bool = True
    limit: bool = False
    """Whether it is wrong and could not be right."""


def words(checks: Sequence[Check]) -> str:
    """A cell in words; empty where nothing was checked."""
    mark = " ✓" if checks and all(it.right for it in checks) else ""
    mark = " △" if mark and any(it.limit for it in checks) else mark
    text = " · ".join(("" if check.right else "**✗** ") + check.text for check in checks)
    return text.replace("|", "/").replace("\n", " ") + mark


def private_network(path: Path) -> None:
    """Keep the streams of this program and its children among themselves; before the LSL library is loaded."""
    session = uuid.uuid4()
    base = 20_000 + session.int % 120 * 100  # other programs' streams may use up the 32 ports that the library looks at
    path.write_text(LSL_CONFIG.format(base=base, next=base + 1, session=session.hex))
    os.environ["LSLAPICFG"] = str(path)


def clean(seconds: float) -> np.ndarray:
    """What the person's headset sends when nothing is wrong: (n_times, n_chans), µV."""
    stream, rows = open_source(f"{CLEAN}{math.ceil(seconds)}&speed=max").open(), []
    with contextlib.closing(stream), contextlib.suppress(StreamEnded):
        while True:
            if (chunk := stream.read(1.0)) is not None:
                rows.append(chunk.data)
    return np.concatenate(rows)


# -- sources --------------------------------------------------------------------------------------------------------


def packets(faults: str, seconds: float, *, singly: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What a failing headset sends, `singly` as boards do: rows, their true numbers, stamps, and when they come."""
    stream = open_source(f"{CLEAN}{math.ceil(seconds)}&speed=max").open()
    headset = Headset(stream, FaultScript.parse(faults, CH_NAMES), seed=3)
    if singly:
        headset.n_packet = 1
    sent = [it for it in headset if isinstance(it, Packet)]
    stream.close()
    due = np.concatenate([np.full(len(it.rows), it.due) for it in sent])
    due = due - np.concatenate([it.numbers[-1] - it.numbers for it in sent]) / SFREQ  # as if one by one
    rows, numbers, stamps = (np.concatenate(parts) for parts in zip(*((it[:3]) for it in sent), strict=True))
    return rows, numbers, stamps, np.maximum.accumulate(due)


def write_xdf(path: Path, rows: np.ndarray, stamps: np.ndarray, sfreq: float) -> str:
    """As LabRecorder would."""
    channels = [{"label": name, "unit": "microvolts", "type": "EEG"} for name in CH_NAMES]
    header = {
        "name": "headset", "type": "EEG", "channel_count": str(len(CH_NAMES)), "nominal_srate": str(sfreq),
        "channel_format": "float32", "desc": {"channels": {"channel": channels}},
    }  # fmt: skip
    parts = [xdf.file_header(), xdf.stream_header(1, header)]
    parts += [xdf.samples(1, stamps[at : at + 100] + 100.0, rows[at : at + 100]) for at in range(0, len(rows), 100)]
    path.write_bytes(b"".join(parts))
    return f"playback://{path}?speed=max"


def write_openbci(path: Path, rows: np.ndarray, numbers: np.ndarray, stamps: np.ndarray) -> str:
    """As the OpenBCI GUI would."""
    names = ", ".join(f"EXG Channel {k}" for k in range(len(CH_NAMES)))
    head = f"%OpenBCI Raw EXG Data\n%Number of channels = {len(CH_NAMES)}\n%Sample Rate = {SFREQ:g} Hz\n"
    lines = [
        f"{number % 256}, {', '.join(f'{value:.9g}' for value in row)}, {EPOCH_S + stamp:.6f}\n"
        for row, number, stamp in zip(rows, numbers, stamps, strict=True)
    ]
    path.write_text(f"{head}Sample Index, {names}, Timestamp\n{''.join(lines)}")
    return f"playback://{path}?speed=max&channels={','.join(CH_NAMES)}"


def write_cyton(path: Path, rows: np.ndarray, numbers: np.ndarray, due: np.ndarray) -> str:
    """As BrainFlow would, with stamps of arrival; its player sends each row when its stamp says."""
    table = np.zeros((len(rows), 24))
    table[:, 0], table[:, 1:9], table[:, 22] = numbers % 256, rows, EPOCH_S + due
    forms = ["%.9g"] * 22 + ["%.6f", "%g"]
    np.savetxt(path, table, fmt=forms, delimiter="\t")
    return f"brainflow://playback?file={path}&master_board=cyton&channels={','.join(CH_NAMES)}"


@contextlib.contextmanager
def outlet(name: str, faults: str, seconds: float) -> Iterator[subprocess.Popen]:
    """The person's headset on the network, in a process of its own."""
    # A headset has the same source_id after a restart.
    command = [*APP, "outlet", f"{CLEAN}{math.ceil(seconds)}", "--name", name, "--source-id", name]
    process = subprocess.Popen(
        [*command, *(["--faults", faults] if faults else [])], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout
        process.stdout.readline()  # it is announced
        yield process
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def source(row: Row, column: str, folder: Path) -> Iterator[str]:
    """The URL of a source that this befalls, while it lasts."""
    faults = row.instead.get(column, row.faults)
    longer = row.seconds + 8
    if column == "rehearsal":
        yield f"{CLEAN}{math.ceil(longer)}&faults={faults}&speed={1 if row.real_time else 8}"
    elif column == "lsl":
        name = f"reliability-{uuid.uuid4().hex[:10]}"
        with outlet(name, faults, longer):
            yield f"lsl://{name}?timeout=30"
    else:
        rows, numbers, stamps, due = packets(faults, row.seconds, singly=column != "xdf")
        if column == "xdf":
            announced = FaultScript.parse(faults, CH_NAMES).of("announce")
            yield write_xdf(folder / "a.xdf", rows, stamps, announced[0].value if announced else SFREQ)
        elif column == "openbci":
            yield write_openbci(folder / "a.txt", rows, numbers, stamps)
        else:
            yield write_cyton(folder / "a.csv", rows, numbers, due)


# -- what is looked at ------------------------------------------------------------------------------------------------


def cell(row: Row, column: str, build: Build | None = None, patience: float = 1.0) -> list[Check]:
    """Run the program on a source that this befalls, and look. Every delay may be `patience` times what it should."""
    with tempfile.TemporaryDirectory() as folder, source(row, column, Path(folder)) as url:
        witness = watch(url, row.seconds, within_s=row.seconds + 45, build=build)
    found = account(witness, clean(row.seconds + 8), untouched(row.instead.get(column, row.faults)))
    paced = witness.info is not None and witness.info.paced
    # BrainFlow's player keeps no time: what it says of it is not looked at.
    checks = counted(row, found, paced and row.real_time and column != "brainflow")
    if limit := row.limits.get(column):
        checks = [Check(f"{', '.join(it.text for it in checks)}: {limit}", limit=True)]
    if found.foreign:
        checks.append(Check(f"{found.foreign} samples of another stream", False))
    if paced:
        real_time = column != "rehearsal" or row.real_time
        checks += told_of_silence(row, witness, found, patience) if real_time else []
    checks += electrodes(row, witness) + answers(row, column, witness, build)
    if witness.health.fault:
        checks.append(Check(f"ended: {witness.health.fault}", False))
    return checks


def untouched(faults: str) -> tuple[int, ...]:
    """Two columns nothing is done to: by them a sample is known again."""
    script = FaultScript.parse(faults, CH_NAMES).faults if faults else ()
    spoilt = {column for fault in script for column in fault.columns}
    return tuple(k for k in range(len(CH_NAMES)) if k not in spoilt)[:2]


def counted(row: Row, found: Account, in_time: bool) -> list[Check]:
    """Whether every sample is where it belongs, or reported as lost."""
    text = f"lost {found.lost} of {found.missing}" if found.missing or found.lost else "nothing lost"
    checks = [Check(text, abs(found.lost - found.missing) <= row.slack)]
    if found.off:
        checks.append(Check(f"up to {found.off} samples out of place", found.off <= row.off))
    if found.twice:
        checks.append(Check(f"{found.twice} samples taken twice", False))
    if in_time and found.stamps_off_s > 0.01:
        checks.append(Check(f"stamps off by {1e3 * found.stamps_off_s:.0f} ms", found.stamps_off_s <= row.stamps_s))
    return checks


def told_of_silence(row: Row, witness: Witness, found: Account, patience: float) -> list[Check]:
    """Whether readings went stale at once, none was made up, and they came back."""
    checks = []
    if still := sum(end - begin for begin, end in witness.stood):
        checks.append(Check(f"this machine stood still for {still:.1f} s"))
    for quiet, resumed in witness.silences():
        stale = witness.first(quiet, lambda it: it.why is Why.STALE)
        checks.append(Check("never stale" if stale is None else f"stale after {stale:.2f} s",
                            stale is not None and stale <= STALE_S * patience))  # fmt: skip
        made_up = sum(it.answered and quiet + STALE_S * patience < it.at < resumed for it in witness.seen)
        if made_up:
            checks.append(Check(f"{made_up} answers without a sample", False))
    if row.returns:
        began = min(at - (n + 1) / SFREQ for at, n in zip(witness.arrived, found.numbers, strict=True))
        back = witness.first(began + row.returns, lambda it: it.why is not Why.STALE)
        again = witness.first(began + row.returns, lambda it: it.answered)
        checks.append(Check("never back" if back is None else f"back after {max(back, 0):.1f} s",
                            back is not None and back <= BACK_S * patience))  # fmt: skip
        if row.again:
            text = "no answer again" if again is None else f"answers after {again:.1f} s"
            checks.append(Check(text, again is not None))
        if any(state.value == "reconnecting" for state in witness.states()):
            checks.append(Check("reconnecting seen"))
    fresh = [it for it in witness.seen if it.answered and not witness.stood_still(it.at - 3, it.at)]
    old = max((it.age_s for it in fresh), default=0.0)
    if old > OLD_S * patience:
        checks.append(Check(f"an answer of samples {old:.1f} s old", False))
    return checks


def electrodes(row: Row, witness: Witness) -> list[Check]:
    """Whether the touched electrodes were named and masked while it lasted, the others never, and all good after."""
    settled = [it for it in witness.seen if it.faults and it.end >= 8 * SFREQ and it.why is not Why.STALE]
    if not row.touched:
        return []
    while_on = [it for it in settled if row.begins + 2 <= it.end / SFREQ <= row.ends] or [
        it for it in settled if row.begins + 0.5 <= it.end / SFREQ <= row.begins + 1.5
    ]
    after = [it for it in settled if it.end / SFREQ > row.ends + row.clears_s]
    named = Counter(it.faults[k].value for it in while_on for k in row.touched if it.faults[k])  # type: ignore[union-attr]
    masked = float(np.mean([all(it.faults[k] for k in row.touched) for it in while_on])) if while_on else 0.0
    others = [any(it.faults[k] for k in range(len(CH_NAMES)) if k not in row.touched) for it in settled]
    wrong, left = float(np.mean(others)), float(np.mean([any(it.faults) for it in after])) if after else 1.0
    checks = [Check(f"masked {masked:.0%} ({named.most_common(1)[0][0] if named else 'unnamed'})", masked >= 0.95)]
    checks.append(Check("good again" if left <= 0.05 else f"masked after it in {left:.0%}", left <= 0.05))
    if wrong > 0.02:
        checks.append(Check(f"others masked in {wrong:.0%}", False))
    return checks


def answers(row: Row, column: str, witness: Witness, build: Build | None) -> list[Check]:
    """How many estimates there were, against a run on the same signal without faults."""
    if not row.least_answers:
        return []
    sound = replace(row, faults="drop:0", real_time=False)
    with tempfile.TemporaryDirectory() as folder, source(sound, AS_SOUND.get(column, column), Path(folder)) as url:
        without = estimates(watch(url, row.seconds, within_s=row.seconds + 45, build=build))
    share = estimates(witness) / max(1, without)
    return [Check(f"{share:.0%} of the estimates", share >= row.least_answers)]


def estimates(witness: Witness) -> int:
    """How many there were."""
    return sum(it.why is None for it in witness.seen)
