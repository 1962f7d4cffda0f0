"""Command-line entry points for neurofeedback, in the window or as JSON lines."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from platformdirs import user_data_path

from ..console import own_stdout
from ..contracts import Condition, Receiver, Sink
from ..errors import ConfigError
from ..feedback import sealed
from ..feedback.conditions import Blinded, condition, yoked_to
from ..feedback.loop import FeedbackLoop
from ..feedback.measures import RATE_HZ, slowest
from ..feedback.plan import FeedbackPlan, load_plan, shipped
from ..files import first_free, free_paths
from ..health import Feedback, Health, Output
from ..run.engine import Engine
from ..sinks.jsonlines import write_line
from .config import RunConfig

if TYPE_CHECKING:
    from ..recording.recorder import Recorder

MakeEngine = Callable[[RunConfig, Sequence[Sink]], Engine]


@dataclass(frozen=True, slots=True)
class Draw:
    """The source of a session's condition: a name, or a code of a sealed file."""

    name: str = "contingent"
    file: Path | None = None
    code: str = ""
    yoke: Path | None = None
    seed: int = field(default_factory=lambda: secrets.randbits(32))

    def condition(self, plan: FeedbackPlan) -> Condition:
        """The condition; blinded if it comes from a sealed file. Raises `ConfigError` if an option is missing."""
        if bool(self.file) != bool(self.code):
            raise ConfigError("a blinded session", "--sealed and --code go together", "give both, or neither")
        name, yoke = self.name, self.yoke
        if self.file:
            sealed.check(self.file, self.code)
            name = sealed.condition_of(self.file, self.code)
            if sealed.needs_yoke(self.file):  # for every code, so that it does not reveal which are yoked
                yoked_to(yoke, f"a session of {self.file}")
        seed = int(hashlib.sha256(self.code.encode()).hexdigest()[:8], 16) if self.code else self.seed
        smoothing_s = max(it.smoothing_s for it in plan.measures)
        made = condition(name, smoothing_s=smoothing_s, rate_hz=RATE_HZ, seed=seed, yoke=yoke)
        return Blinded(made) if self.file else made

    def use(self) -> None:
        """Log the use of the code in the sealed file."""
        if self.file:
            sealed.use(self.file, self.code)

    def about(self) -> dict[str, Any]:
        """What records may contain: only the code if there is one."""
        return {"code": self.code} if self.code else {"condition": self.name}


class JsonFeedback:
    """Prints each feedback value as a JSON line on standard output."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    @property
    def output(self) -> Output:
        return Output("JSON lines")

    def put(self, item: Feedback) -> None:
        fields = {name: round(value, 5) if isinstance(value, float) else value for name, value in asdict(item).items()}
        fields["t"] = fields.pop("at")
        write_line(self._out, {"kind": "feedback", "block_kind": fields.pop("kind"), **fields})

    def tell(self, text: str, t: float) -> None:
        """Do nothing: the lines contain it already."""

    def close(self, health: Health) -> None: ...


def run_json(session: str, config: RunConfig, draw: Draw, lines: Path | None, make_engine: MakeEngine) -> None:
    """Run a session without a screen: each feedback value is a line on standard output."""
    with own_stdout() as out:
        plan, loop = session_of(session, config, draw, lines, [JsonFeedback(out)])
        engine = make_engine(config, [loop])
        about = {"lag_s": round(slowest(plan.measures), 2), "reference": plan.reference, **draw.about()}
        write_line(out, {"kind": "session", "name": plan.name, "consent": plan.consent, **about})
        engine.start()
        with suppress(KeyboardInterrupt):
            while not loop.over.wait(0.1) and not engine.done.is_set() and out.fault is None:
                pass
        engine.stop()
        if loop.fault is not None:
            raise loop.fault
        write_line(out, {"kind": "end", **loop.summary(), "debrief": plan.debrief})


def attach(
    loop: FeedbackLoop, engine: Engine, config: RunConfig, recorder: Recorder | None, outputs: Sequence[Sink]
) -> None:
    """Connect a session to the recorder, the markers and the outputs of its run."""
    from ..feedback.receivers import LslFeedback, OscFeedback, WebSocketFeedback
    from ..sinks.websocket import WebSocketReadings

    loop.tell = engine.mark
    if recorder is not None:
        loop.keep = recorder.feed
    receivers: list[Receiver] = []
    if config.lsl_out:
        receivers.append(LslFeedback(f"{config.lsl_name}-Feedback", f"{config.lsl_name}-Markers"))
    if config.osc:
        receivers.append(OscFeedback(config.osc))
    if config.ws:
        receivers += [WebSocketFeedback(it) for it in outputs if isinstance(it, WebSocketReadings)]
    loop.send_to(receivers)


def sessions() -> tuple[tuple[str, str], ...]:
    """Name and title of each session that the program includes."""
    return tuple((name, load_plan(name).title) for name in shipped())


def session_of(
    name: str, config: RunConfig, draw: Draw, lines: Path | None = None, receivers: Sequence[Receiver] = ()
) -> tuple[FeedbackPlan, FeedbackLoop]:
    """A session, to be the tap of a run; its code is used up when it begins, not before.

    Raises `ConfigError` where there is no such session or condition, or the code cannot be used.
    """
    plan = load_plan(name)
    of = f"sub-{config.participant}_" if config.participant else ""
    lines = lines or user_data_path("realtime_mood") / "feedback" / f"{of}{plan.name}.jsonl"
    if os.path.isdir(lines):  # noqa: PTH112 - never raises
        lines = first_free(free_paths(lines, config.participant, config.session, "feedback.jsonl"))
    drawn = draw.condition(plan)
    return plan, FeedbackLoop(plan, drawn, receivers, lines, draw.about(), config.notches, begins=draw.use)
