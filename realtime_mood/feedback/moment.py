"""What is fed back at one moment, as it goes to screens and outputs, and what these have to be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..health import Health, Output


@dataclass(frozen=True, slots=True)
class Feedback:
    """What is fed back, as it goes to screens and outputs: nothing in it tells the condition."""

    t: float
    """When the newest sample of what it rests on was taken (s, our clock)."""
    at: float
    """Stream time (s)."""
    block: int
    kind: str
    text: str
    """What the person is asked to do."""
    level: float
    reward: bool
    valid: bool
    why: str
    rewards: int
    left_s: float
    """Of the block."""
    virtual: bool


class Receiver(Protocol):
    """Somewhere feedback goes; returns at once."""

    def put(self, item: Feedback) -> None: ...

    def tell(self, text: str, t: float) -> None:
        """A block that begins or ends, or a reward, at `t` (s, our clock)."""
        ...

    def close(self, health: Health) -> None: ...

    @property
    def output(self) -> Output: ...
