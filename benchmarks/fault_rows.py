"""Rows of the fault × source matrix: each fault, and what must be observed."""

from __future__ import annotations

from dataclasses import dataclass, field

SFREQ = 250.0
CH_NAMES = ("Fp1", "Fp2", "T7", "T8", "F3", "F4", "O1", "O2")
CLEAN = f"synthetic://?subject=3&sfreq={SFREQ:g}&channels={','.join(CH_NAMES)}&difficulty=easy&script=positive:"
"""The person in the recording; seconds follow."""
COLUMNS = {
    "rehearsal": "rehearsal",
    "lsl": "LSL, another process",
    "brainflow": "BrainFlow",
    "xdf": "file with stamps (XDF)",
    "openbci": "file with a counter (OpenBCI)",
}

_NO_NETWORK = "a file has no network"
_NO_DELAY = "a file is never late"
_ARRIVAL = "a board's samples are stamped by this computer"
_REWINDS = "BrainFlow's player restarts when its board is opened again: see below the table"
_SET = "a file does not tell a clock that is set from a loss"
_FILES, _BOARD = ("xdf", "openbci"), ("brainflow",)


@dataclass(frozen=True)
class Row:
    """One fault."""

    name: str
    faults: str
    seconds: float = 22.0
    touched: tuple[int, ...] = ()
    """Columns that must be masked while it lasts, from `begins` to `ends` (s)."""
    begins: float = 0.0
    ends: float = 0.0
    clears_s: float = 2.5
    """How long after its end they may stay masked."""
    returns: float = 0.0
    """When the source is back (s); 0 where it never goes."""
    slack: int = 0
    """How many lost samples may be reported too many or too few, where stamps jitter."""
    off: int = 0
    """By how many samples one may be out of its place."""
    stamps_s: float = 0.1
    """By how much stamps may leave the truth."""
    again: bool = True
    """Whether it lasts long enough for an answer after the return: the filters settle for eight seconds."""
    least_answers: float = 0.0
    """Share of the estimates of a run without faults that there must be."""
    without: dict[str, str] = field(default_factory=dict)
    """Sources this cannot befall, and why."""
    limits: dict[str, str] = field(default_factory=dict)
    """Sources where the count is known to be wrong, and why nobody could do better."""
    instead: dict[str, str] = field(default_factory=dict)
    """Sources for which the fault is written another way."""
    real_time: bool = True
    """Whether a rehearsal of it means nothing when it is played faster."""


def _without(names: tuple[str, ...], why: str) -> dict[str, str]:
    return dict.fromkeys(names, why)


def _electrodes(kind: str, value: str = "", **more: object) -> Row:
    return Row(
        kind, f"{kind}{value}:T7:O2@10-15", 24, touched=(2, 7), begins=10, ends=15, real_time=False, **more,
    )  # fmt: skip


NETWORK_ONLY = _without(_FILES, _NO_NETWORK) | _without(_BOARD, "a board has no name to mistake")
ROWS = (
    Row("drop", "drop:0.01@2", 40, least_answers=0.9),
    Row("drop, 12 at once", "drop:0.3@10-11,drop:0.05@2", 30),
    Row("hole", "hole:2@10", 26, returns=12),
    Row("freeze", "freeze:6@10", 28, returns=16, without=_without(_FILES, _NO_DELAY),
        instead={"brainflow": "freeze:2.5@13.5"}),
    Row("stall", "jitter:1@0,stall:2@10", 24, returns=12, stamps_s=2.1, without=_without(_FILES, _NO_DELAY)),
    Row("stall, stamps computed", "stall:2@10", 24, returns=12, without=_without(_FILES, _NO_DELAY)),
    Row("delay", "delay:20@4", without=_without(_FILES, _NO_DELAY)),
    Row("jitter", "jitter:5@0", without=_without(_BOARD, _ARRIVAL)),
    Row("jitter and a hole", "jitter:5@0,hole:0.4@10", 24, slack=4, off=4, without=_without(_BOARD, _ARRIVAL)),
    Row("step", "step:2@10-14", 24, without=_without(_BOARD, _ARRIVAL), limits=dict.fromkeys(_FILES, _SET)),
    Row("drift", "drift:200@0"),
    Row("backward", "backward:0.1@10", without=_without(_BOARD, _ARRIVAL)),
    Row("unix", "unix@0", without=_without(_BOARD, _ARRIVAL)),
    Row("duplicate", "duplicate:0.05@4"),
    Row("reorder", "reorder:0.05@4"),
    Row("announce", "announce:256", 24, without={"openbci": "its counter does not contain time"},
        instead={"brainflow": "drift:-20000"}, stamps_s=1.0),
    Row("anonymous", "anonymous,kill:2@10", 26, returns=12, without=NETWORK_ONLY),
    Row("kill", "kill:4@10", 28, returns=14, without=_without(_BOARD, _REWINDS)),
    Row("decoy", "decoy:12@8,kill:4@10", 28, returns=14, without=NETWORK_ONLY),
    Row("fewer", "fewer:1@10-14", 28, returns=14, without=NETWORK_ONLY),
    _electrodes("noisy", ":200"),
    _electrodes("line50", ":100"),
    _electrodes("line60", ":100"),
    Row("popped", "popped:2000:T7:O2@10", 24, touched=(2, 7), begins=10, ends=10.5, clears_s=3, real_time=False),
    Row("offset", "offset:4000:T7:O2@10", 24, touched=(2, 7), begins=10, ends=10.5, clears_s=3, real_time=False),
    Row("swapped", "swapped:T7:O2@10", real_time=False),
    _electrodes("flat"),
    _electrodes("railed"),
    _electrodes("nan"),
    _electrodes("inf"),
    Row("random", "random:1@0-55,random:8@0-55", 60, instead={"brainflow": "random:7@0-55,drop:0.02@5"}),
)  # fmt: skip


@dataclass(frozen=True)
class SenderFault:
    """A fault of the sender itself, ten seconds in."""

    name: str
    column: str
    away_s: float
    """How long until it is there again."""
    continues: bool = False
    """Whether nothing was lost."""
    anonymous: bool = False


SENDER_FAULTS = (
    SenderFault("sender's process stopped and continued (SIGSTOP, SIGCONT)", "lsl", 8, continues=True),
    SenderFault("sender's process killed and started again", "lsl", 3),
    SenderFault("the same, without a source_id", "lsl", 3, anonymous=True),
    SenderFault("a board's session released underneath", "brainflow", 0),
)
