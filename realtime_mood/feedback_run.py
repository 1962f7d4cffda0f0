"""Turns a session's name and a source into a run that feeds back: the person's screen, or JSON lines."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from platformdirs import user_data_path

from .config import RunConfig
from .engine import Engine
from .errors import ConfigError
from .feedback import sealed
from .feedback.conditions import Condition, condition
from .feedback.loop import Feedback, FeedbackLoop, Receiver
from .feedback.measures import RATE_HZ, slowest
from .feedback.plan import Plan, load_plan, shipped
from .health import Health, Output, Sink
from .sinks.jsonlines import own_stdout

if TYPE_CHECKING:
    from .gui.feedback_view import FeedbackView

log = logging.getLogger(__name__)
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

    def tell(self, text: str, t: float) -> None:
        """The lines say it already."""

    def close(self, health: Health) -> None: ...

    def write(self, line: dict[str, Any]) -> None:
        """Write one line, at once."""
        self._out.write(json.dumps(line, allow_nan=False, ensure_ascii=False) + "\n")
        self._out.flush()


def default_lines(plan: Plan) -> Path:
    """Where everything fed back is written, unless told otherwise."""
    return user_data_path("realtime_mood") / "feedback" / f"{plan.name}.jsonl"


def run(session: str, config: RunConfig, draw: Draw, lines: Path | None, make_engine: MakeEngine) -> int:
    """Go through a session; see the command line's help for what can be told.

    Raises
    ------
    MoodError
        Whatever keeps it from being gone through.
    """
    plan = load_plan(session)
    lines = lines or default_lines(plan)
    if config.view in ("gui", "auto"):
        from .gui import has_display

        if has_display():
            return _window(plan, config, draw, lines, make_engine)
        if config.view == "gui":
            raise ConfigError("the person's screen", "no display here", "use --view json")
    return _json(plan, config, draw, lines, make_engine)


def _receivers(config: RunConfig) -> list[Receiver]:
    made: list[Receiver] = []
    if config.lsl_out:
        from .feedback.receivers import LslFeedback

        made.append(LslFeedback())
    if config.osc:
        from .feedback.receivers import OscFeedback

        made.append(OscFeedback(config.osc))
    return made


def _on(loop: FeedbackLoop, draw: Draw, engine: Engine) -> Engine:
    """The engine, told of what happens in the session."""
    begun: list[str] = []

    def tell(text: str, t: float) -> None:
        if not begun:  # a code is used up by a session that begins, not by one that could not
            draw.use()
        begun.append(text)
        engine.mark(text, t)

    loop.tell = tell
    return engine


class OwnRun:
    """A run of its own for a session, begun and ended on threads of their own."""

    def __init__(self, make: Callable[[], Engine]) -> None:
        self._make = make
        self.engine: Engine | None = None
        self._fault = ""
        self._work: threading.Thread | None = None

    def begin(self) -> None:
        self._spawn(self._begin)

    def end(self) -> None:
        starting = self._work
        self._spawn(lambda: self._end(starting))

    @property
    def is_over(self) -> bool:
        return self._work is None or not self._work.is_alive()

    @property
    def trouble(self) -> str:
        fault = self.engine.health.fault if self.engine else None
        return str(fault) if fault else self._fault

    def _spawn(self, work: Callable[[], None]) -> None:
        self._work = threading.Thread(target=work, name="mood-feedback-run", daemon=True)
        self._work.start()

    def _begin(self) -> None:
        try:
            engine = self._make()
            engine.start()
            self.engine = engine
        except Exception as fault:  # any fault at all belongs on the screen
            log.exception("could not begin")
            self._fault = str(fault)

    def _end(self, starting: threading.Thread | None) -> None:
        if starting is not None:
            starting.join()
        if self.engine is not None:
            try:
                self.engine.stop()
            except Exception as fault:
                self._fault = str(fault)


def _json(plan: Plan, config: RunConfig, draw: Draw, lines: Path, make_engine: MakeEngine) -> int:
    with own_stdout() as out:
        printer = JsonFeedback(out)
        receivers = [printer, *_receivers(config)]
        loop = FeedbackLoop(plan, draw.condition(plan), receivers, lines, draw.about(), config.notches)
        engine = _on(loop, draw, make_engine(config, [loop]))
        printer.write({"kind": "session", "name": plan.name, "consent": plan.consent,
                       "lag_s": round(slowest(plan.measures), 2), **draw.about()})  # fmt: skip
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
    from .sources import open_source

    open_source(config.source)  # a source that cannot be is said before any window
    app = QApplication.instance() or QApplication(["realtime-mood"])
    theme.use(theme.system())
    view = window(plan, config, draw, lines, make_engine, app.quit)
    view.show()
    app.exec()
    print(json.dumps({"kind": "end", **view.summary()}), file=sys.stderr)
    return 0


def window(
    plan: Plan, config: RunConfig, draw: Draw, lines: Path, make_engine: MakeEngine, told: Callable[[], object]
) -> FeedbackView:
    """The person's screen, not shown yet. `told` is called once it is closed and its run has ended."""
    from .gui.feedback_view import FeedbackView

    loop = FeedbackLoop(plan, draw.condition(plan), _receivers(config), lines, draw.about(), config.notches)
    return FeedbackView(plan, loop, OwnRun(lambda: _on(loop, draw, make_engine(config, [loop]))), told)


def share(loops: Sequence[FeedbackLoop], outputs: Sequence[Sink]) -> None:
    """Let those who listen to readings in a browser hear the feedback too."""
    if not loops or not outputs:
        return
    from .feedback.receivers import WebSocketFeedback
    from .sinks.websocket import WebSocketReadings

    for server in outputs:
        if isinstance(server, WebSocketReadings):
            for loop in loops:
                loop.add(WebSocketFeedback(server))


def sessions() -> tuple[tuple[str, str], ...]:
    """Name and title of each session that came with the program."""
    return tuple((name, load_plan(name).title) for name in shipped())


def session_of(name: str, config: RunConfig) -> tuple[Plan, FeedbackLoop]:
    """A session of the person's own feedback, to be the tap of a run."""
    plan, draw = load_plan(name), Draw()
    lines, about = default_lines(plan), draw.about()
    return plan, FeedbackLoop(plan, draw.condition(plan), _receivers(config), lines, about, config.notches)
