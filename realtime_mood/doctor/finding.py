"""What a check of ``doctor`` returns: how serious it is, what was found, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from ..errors import one_line
from ..language import Phrase

Say = Callable[[str], str]
"""Puts a text into words: ``str`` keeps its English, `realtime_mood.language.translated` uses the language in use."""

CHECKS = {str(name): name for name in (
    Phrase("LSL library"), Phrase("window"), Phrase("own LSL stream"), Phrase("LSL streams"),
    Phrase("LSL streams of last time"), Phrase("LSL identities"), Phrase("LSL clocks"), Phrase("LSL ports"),
    Phrase("firewall"), Phrase("adapters"), Phrase("multicast"), Phrase("LSL configuration"), Phrase("serial ports"),
    Phrase("bluetooth"), Phrase("brainflow"), Phrase("packages"), Phrase("python"), Phrase("weights"), Phrase("disk"),
    Phrase("torch"),
)}  # fmt: skip
"""The names that findings may have, which are the codes of ``--json``, and the words that stand for them."""
NOT_HERE = Phrase("not checked on this system")


class Level(IntEnum):
    """How serious a finding is; the largest decides the exit code."""

    OK = 0
    NOT_CHECKED = 1  # cannot be told on this system, or was not asked for
    WARNING = 2
    WRONG = 3  # prevents a run or a recording

    @property
    def label(self) -> str:
        """Its name in texts and in JSON."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the result; its texts are in English, and phrases are translated where they are shown."""

    check: str
    level: Level
    found: str
    do: str = ""
    private: tuple[tuple[str, str], ...] = ()
    """Names inside the texts that a public report must not have: the kind (``host``), and the name itself."""

    def words(self, say: Say = str) -> tuple[str, str, str]:
        """The check's name, `found` and `do`, as `say` says them; each on one line: they may hold names of others."""
        return say(CHECKS.get(self.check, self.check)), one_line(say(self.found)), one_line(say(self.do))


@dataclass(frozen=True, slots=True)
class Check:
    """One question about the system. `look` returns its findings within `deadline_s`, or else that is a finding."""

    name: str
    look: Callable[[], list[Finding]]
    deadline_s: float = 20.0
    hangs: str = Phrase("restart the computer; if it happens again, send `doctor --report` to the developers")
    """What to do if there is no answer."""


def exit_code(findings: list[Finding]) -> int:
    """0: nothing is wrong; 1: there are warnings; 2: something prevents a run or a recording."""
    worst = max((finding.level for finding in findings), default=Level.OK)
    return {Level.WARNING: 1, Level.WRONG: 2}.get(worst, 0)
