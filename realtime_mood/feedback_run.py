"""Turns a session's name and a source into a run that feeds back: the person's screen, or JSON lines."""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from platformdirs import user_data_path

from .config import RunConfig
from .engine import Engine
from .errors import ConfigError
from .feedback import sealed
from .feedback.conditions import Condition, condition
from .feedback.loop import Feedback, FeedbackLoop, Receiver
from .feedback.measures import RATE_HZ
from .feedback.plan import Plan, load_plan
from .health import Health, Output, Sink
from .sinks.jsonlines import own_stdout

MakeEngine = Callable[[RunConfig, Sequence[Sink]], Engine]


@dataclass(frozen=True, slots=True)
class Draw:
    """Where a session's condition comes from: a name, or a code of a sealed file."""

    name: str = "contingent"
    file: Path | None = None
    code: str = ""
    yoke: Path | None = None
    seed: int = field(default_factory=lambda: secrets.randbits(32))

    def check(self) -> None:
        """Raise `ConfigError` when it makes no sense."""
        if bool(self.file) != bool(self.code):
            raise ConfigError("a blinded session", "--sealed and --code go together", "give both, or neither")

    def condition(self, plan: Plan) -> Condition:
        """The condition, which nobody is told."""
        self.check()
        name = self.name
        if self.file:
            sealed.check(self.file, self.code)
            name = sealed.condition_of(self.file, self.code)
        seed = int(hashlib.sha256(self.code.encode()).hexdigest()[:8], 16) if self.code else self.seed
        smoothing_s = max(it.smoothing_s for it in plan.measures)
        return condition(name, smoothing_s=smoothing_s, rate_hz=RATE_HZ, seed=seed, yoke=self.yoke)

    def use(self) -> None:
        """Log that the code is used now."""
        if self.file:
            sealed.use(self.file, self.code)

    def about(self) -> dict[str, Any]:
        """What a record may say of it: the code alone where there is one."""
        return {"code": self.code} if self.code else {"condition": self.name}


class JsonFeedback:
    """What is fed back, a line each on standard output."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    @property
    def output(self) -> Output:
        return Output("JSON lines")

    def put(self, item: Feedback) -> None:
        told = {name: round(value, 5) if isinstance(value, float) else value for name, value in asdict(item).items()}
        told["t"] = told.pop("at")
        self.write({"kind": "feedback", "block_kind": told.pop("kind"), **told})

    def close(self, health: Health) -> None: ...

    def write(self, line: dict[str, Any]) -> None:
        """Write one line, at once."""
        self._out.write(json.dumps(line, allow_nan=False, ensure_ascii=False) + "\n")
        self._out.flush()


def run(session: str, config: RunConfig, draw: Draw, lines: Path | None, make_engine: MakeEngine) -> int:
    """Go through a session; see the command line's help for what can be told.

    Raises
    ------
    MoodError
        Whatever keeps it from being gone through.
    """
    plan = load_plan(session)
    lines = lines or user_data_path("realtime_mood") / "feedback" / f"{plan.name}.feedback.jsonl"
    if config.view in ("gui", "auto"):
        from .gui import has_display

        if has_display():
            return _window(plan, config, draw, lines, make_engine)
        if config.view == "gui":
            raise ConfigError("the person's screen", "no display here", "use --view json")
    return _json(plan, config, draw, lines, make_engine)


def _made(
    plan: Plan, config: RunConfig, draw: Draw, lines: Path, make_engine: MakeEngine, more: Sequence[Receiver] = ()
) -> tuple[FeedbackLoop, Engine]:
    receivers: list[Receiver] = list(more)
    if config.lsl_out:
        from .feedback.receivers import LslFeedback

        receivers.append(LslFeedback())
    if config.osc:
        from .feedback.receivers import OscFeedback

        receivers.append(OscFeedback(config.osc))
    loop = FeedbackLoop(plan, draw.condition(plan), receivers, lines, draw.about(), config.notches)
    engine = make_engine(config, [loop])
    begun: list[str] = []

    def tell(text: str, t: float) -> None:
        if not begun:  # a code is used up by a session that begins, not by one that could not
            draw.use()
        begun.append(text)
        engine.mark(text, t)

    loop.tell = tell
    return loop, engine


def _json(plan: Plan, config: RunConfig, draw: Draw, lines: Path, make_engine: MakeEngine) -> int:
    with own_stdout() as out:
        printer = JsonFeedback(out)
        loop, engine = _made(plan, config, draw, lines, make_engine, [printer])
        printer.write({"kind": "session", "name": plan.name, "consent": plan.consent, **draw.about()})
        engine.start()
        try:
            while not loop.over.wait(0.1) and not engine.done.is_set():
                pass
        except KeyboardInterrupt:
            pass
        engine.stop()
        if loop.fault is not None:
            raise loop.fault
        printer.write({"kind": "end", **loop.summary(), "debrief": plan.debrief})
    return 0


def _window(plan: Plan, config: RunConfig, draw: Draw, lines: Path, make_engine: MakeEngine) -> int:
    from PyQt6.QtWidgets import QApplication

    from .gui import theme
    from .gui.feedback_view import FeedbackView

    app = QApplication.instance() or QApplication(["realtime-mood"])
    theme.use(theme.system())
    loop, engine = _made(plan, config, draw, lines, make_engine)

    def trouble() -> str:
        fault = loop.fault or engine.health.fault
        return str(fault) if fault else ""

    view = FeedbackView(plan, loop, trouble)
    view.agreed.connect(lambda: engine.start())
    view.show()
    app.exec()
    engine.stop()
    print(json.dumps({"kind": "end", **loop.summary()}), file=sys.stderr)
    return 0
