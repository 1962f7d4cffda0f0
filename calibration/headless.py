"""Calibration without a window: instructions and progress as lines of text or JSON, for terminals and scripts."""

from __future__ import annotations

import io
import json
import secrets
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Literal

from realtime_mood import liblsl
from realtime_mood.api.options import ReadingOptions
from realtime_mood.cli.config import RunConfig
from realtime_mood.contracts import Source
from realtime_mood.errors import ProfileError
from realtime_mood.files import check_writable
from realtime_mood.language import N_, _, ngettext
from realtime_mood.profile import Profile, head_file

from .progress import CalibrationProgress, Event, Mode
from .protocol import clock_words, draw, load_protocol
from .session import CalibrationSession, Look
from .verdict import reasons

KINDS = {"rest": N_("rest"), "washout": N_("pause"), "block": N_("block"), "report": N_("self-rating")}
EVERY_S = 10.0  # interval at which the terminal shows the remaining time
View = Literal["terminal", "json"]


class ProgressPrinter:
    """Prints what happens, one line at a time.

    Parameters
    ----------
    out : file
    view : {"terminal", "json"}
        Text for people, or JSON for programs.
    """

    def __init__(self, out: IO[str], view: View) -> None:
        self._out, self._view = out, view
        self._second, self._last_text = -1, ""
        self._waiting: deque[tuple[Event, CalibrationProgress]] = deque()
        self.virtual = False

    def print(self, kind: str, text: str, /, **values: object) -> None:
        """Print one line: `text` in the terminal, `kind` and `values` as JSON."""
        if self._view == "json":
            print(json.dumps({"kind": kind, **values}), file=self._out, flush=True)
        elif text:
            badge = f"{_('SIMULATED')} · " if self.virtual else ""
            print(badge + text, file=self._out, flush=True)

    def on_event(self, event: Event, progress: CalibrationProgress, t: float) -> None:
        """Keep an event of the session until the next `look`, since writing to a pipe may block."""
        self._waiting.append((event, progress))

    def _print_events(self) -> None:
        while self._waiting:
            event, progress = self._waiting.popleft()
            t, text, step = event.index / progress.sfreq, "", progress.step
            if "/begin" in event.text and step and step.seconds:
                text = f"{clock_words(t)}  {_(step.text)} ({step.seconds:.0f} s)"
            elif "/cancelled/" in event.text:
                text = _("This step will be repeated: {why}").format(why=_(event.text.rpartition("/")[2]))
            self.print("event", text, t=round(t, 3), text=event.text, virtual=self.virtual)

    def look(self, look: Look) -> None:
        """Print the progress, once a second of stream time."""
        progress, info = look.progress, look.health.info
        if progress is None or info is None:
            return
        self.virtual = info.virtual
        self._print_events()
        if progress.step is None:
            return
        t = look.health.samples + look.health.lost
        if (second := int(t / info.sfreq)) == self._second:
            return
        self._second = second
        text = ""
        if look.away and self._last_text != "away":
            text = _("No data. Waiting for the headset.")
        elif not look.away and second % EVERY_S == 0:
            text = _("{step}: {seconds:.0f} s left").format(step=_(KINDS[progress.step.kind]), seconds=progress.left_s)
        self._last_text = "away" if look.away else ""
        self.print(
            "progress", text, t=round(t / info.sfreq, 3), of=round(progress.plan.seconds, 3), virtual=info.virtual,
            step=progress.step.kind, label=progress.step.label, left_s=round(progress.left_s, 3),
        )  # fmt: skip

    def fitting(self, text: str, done: float) -> None:
        """Print what the fit is doing."""
        line = f"{_(text)}…" if text != self._last_text else ""
        self._last_text = text
        self.print("fitting", line, doing=text, done=round(done, 3))

    def fitted(self, profile: Profile, path: Path) -> None:
        """Print the result of the fit."""
        facts: dict[str, Any] = {
            "path": str(path),
            "seconds": profile.seconds,
            "channels": list(profile.ch_names),
            "virtual": profile.virtual,
        }
        n = len(profile.ch_names)
        text = ngettext(
            "{seconds:.0f} s of usable rest on {n} channel: {path}",
            "{seconds:.0f} s of usable rest on {n} channels: {path}",
            n,
        ).format(seconds=profile.seconds, n=n, path=path)
        if profile.own:
            v = profile.own.verdict
            low, high = v.interval
            text += "\n" + _(
                "Personal classifier {name}: held-out balanced accuracy {score:.2f} (95 % CI {low:.2f} to {high:.2f}; "
                "chance {chance:.2f})"
            ).format(name=profile.own.name, score=v.balanced_accuracy, low=low, high=high, chance=v.chance)
            facts |= {"own": profile.own.name, "verdict": v.model_dump(mode="json")}
        elif profile.refused:
            why = "; ".join(reasons(profile.refused, _)) or profile.refused.text
            text += "\n" + _("No personal classifier, only a baseline: {why}").format(why=why)
            text += "".join("\n  " + _("Try: {advice}").format(advice=line) for line in profile.refused.advice)
            facts |= {"own": None, "verdict": profile.refused.model_dump(mode="json")}
        self.print("profile", text, **facts)


def run_session(session: CalibrationSession, printer: ProgressPrinter) -> CalibrationProgress:
    """Run a session to its end, or until Ctrl-C; its recording is complete afterwards.

    Raises
    ------
    SourceError
        The source's final fault.
    """
    session.start()
    progress = None
    try:
        progress = session.wait(printer.look)
    except KeyboardInterrupt:
        session.director.stop()
    finally:
        try:
            printer.look(session.look())
        finally:
            session.stop(5.0)
    progress = session.director.progress or progress
    assert progress is not None
    if progress.mode is Mode.STOPPED:
        text = _("Stopped. Recording: {path}").format(path=session.recording)
        printer.print("stopped", text, recording=str(session.recording))
    return progress


def calibrate(
    source: Source,
    path: Path,
    options: ReadingOptions,
    *,
    protocol: str,
    seconds: float | None,
    seed: int | None,
    recording: Path | None,
    give_up_s: float | None,
    say: Callable[[str], object],
) -> Profile:
    """One calibration from source to profile: what `realtime_mood.calibrate` documents."""
    from .fit import fit
    from .report import write_page

    settings = RunConfig(source=str(getattr(source, "name", "")), give_up=give_up_s, **options.model_dump())
    plan = draw(load_protocol(protocol), secrets.randbits(16) if seed is None else seed, None, seconds)
    check_writable(head_file(path), "a profile at")
    printer = ProgressPrinter(_Lines(say), "terminal")
    session = CalibrationSession(
        settings, plan, recording or path.with_suffix(".xdf"), listeners=(printer.on_event,), source=source,
        give_up_s=give_up_s, lsl_offset=liblsl.to_stamps() if settings.on_lsl else 0.0,
    )  # fmt: skip
    if run_session(session, printer).mode is Mode.STOPPED:
        raise ProfileError("a calibration", "it was stopped", f"its recording is {session.recording}")
    fitted = fit(session.recording, settings, printer.fitting)
    fitted.profile.save(path)
    write_page(fitted, path.with_suffix(".html"))
    printer.fitted(fitted.profile, path)
    return fitted.profile


class _Lines(io.StringIO):
    """A file that passes on what is printed to it, line by line."""

    def __init__(self, say: Callable[[str], object]) -> None:
        super().__init__()
        self._say = say

    def write(self, text: str) -> int:
        if text.strip():
            self._say(text.rstrip("\n"))
        return len(text)
