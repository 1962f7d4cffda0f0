"""Calibration without a window: instructions and progress as lines of text or JSON, for terminals and scripts."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


class ProgressPrinter:
    """Passes what happens to `say`, one line at a time: as text, or as JSON for programs."""

    def __init__(self, say: Callable[[str], object], as_json: bool = False) -> None:
        self._say, self._as_json = say, as_json
        self._second, self._last_text = -1, ""
        self._waiting: deque[tuple[Event, CalibrationProgress]] = deque()
        self.virtual = False

    def print(self, kind: str, text: str, /, **values: object) -> None:
        """Print one line: `text` in the terminal, `kind` and `values` as JSON."""
        if self._as_json:
            self._say(json.dumps({"kind": kind, **values}))
        elif text:
            self._say(f"{_('SIMULATED')} · {text}" if self.virtual else text)

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
                text = _("This step will be repeated: {why}", why=_(event.text.rpartition("/")[2]))
            self.print("event", text, t=round(t, 3), text=event.text, virtual=self.virtual)

    def look(self, look: Look) -> None:
        """Print the progress, once a second of stream time."""
        progress, info = look.progress, look.health.info
        if progress is None or info is None:
            return
        self.virtual = info.virtual
        self._print_events()
        t = (look.health.samples + look.health.lost) / info.sfreq
        if progress.step is None or (second := int(t)) == self._second:
            return
        self._second = second
        text = ""
        if look.away and self._last_text != "away":
            text = _("No data. Waiting for the headset.")
        elif not look.away and second % EVERY_S == 0:
            text = _("{step}: {seconds:.0f} s left", step=_(KINDS[progress.step.kind]), seconds=progress.left_s)
        self._last_text = "away" if look.away else ""
        self.print(
            "progress", text, t=round(t, 3), of=round(progress.plan.seconds, 3), virtual=info.virtual,
            step=progress.step.kind, label=progress.step.label, left_s=round(progress.left_s, 3),
        )  # fmt: skip

    def fitting(self, text: str, done: float) -> None:
        """Print what the fit is doing."""
        line = f"{_(text)}…" if text != self._last_text else ""
        self._last_text = text
        self.print("fitting", line, doing=text, done=round(done, 3))

    def fitted(self, profile: Profile, path: Path) -> None:
        """Print the result of the fit."""
        n, verdict = len(profile.ch_names), dict[str, Any]()
        text = ngettext(
            "{seconds:.0f} s of usable rest on {n} channel: {path}",
            "{seconds:.0f} s of usable rest on {n} channels: {path}", n, seconds=profile.seconds, n=n, path=path,
        )  # fmt: skip
        if profile.own:
            v = profile.own.verdict
            low, high = v.interval
            text += "\n" + _(
                "Personal classifier {name}: held-out balanced accuracy {score:.2f} (95 % CI {low:.2f} to {high:.2f}; "
                "chance {chance:.2f})",
                name=profile.own.name, score=v.balanced_accuracy, low=low, high=high, chance=v.chance,
            )  # fmt: skip
            verdict = {"own": profile.own.name, "verdict": v.model_dump(mode="json")}
        elif profile.refused:
            why = "; ".join(reasons(profile.refused, _)) or profile.refused.text
            text += "\n" + _("No personal classifier, only a baseline: {why}", why=why)
            text += "".join("\n  " + _("Try: {advice}", advice=line) for line in profile.refused.advice)
            verdict = {"own": None, "verdict": profile.refused.model_dump(mode="json")}
        self.print(
            "profile", text, path=str(path), seconds=profile.seconds, channels=list(profile.ch_names),
            virtual=profile.virtual, **verdict,
        )  # fmt: skip


def run_session(session: CalibrationSession, printer: ProgressPrinter) -> bool:
    """Run a session until its last step or the end of its source; its recording is complete afterwards.

    Returns whether it ended so; False when it was stopped, as by Ctrl-C. Raises the source's final fault.
    """
    session.start()
    try:
        session.wait(printer.look)
        stopped = session.progress.mode is Mode.STOPPED
    except KeyboardInterrupt:
        session.director.stop()
        stopped = session.progress.mode is not Mode.DONE
    finally:
        try:
            printer.look(session.look())
        finally:
            session.stop(5.0)
    if stopped and session.director.progress is None:
        printer.print("stopped", _("Stopped before the first sample; nothing was recorded."), recording=None)
    elif stopped:
        path = str(session.recording)
        printer.print("stopped", _("Stopped. Recording: {path}", path=path), recording=path)
    return not stopped


@contextmanager
def naming_recording(profile: Path, recording: Path) -> Iterator[None]:
    """Name the recording, from which it can be fitted again, in an error of fitting or writing a profile."""
    try:
        yield
    except ProfileError as error:
        raise ProfileError(error.asked, error.found, f"{error.do} · the recording is {recording}") from None
    except OSError as error:
        found, do = f"not written: {error.strerror or error}", "choose another place"
        raise ProfileError(f"profile {profile}", found, f"{do} · the recording is {recording}") from None


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
    from .report import check_place, write_page

    settings = RunConfig(source=str(getattr(source, "name", "")), give_up=give_up_s, **options.model_dump())
    plan = draw(load_protocol(protocol), seed, None, seconds)
    check_writable(head_file(path), "a profile at")
    check_place(path)
    printer = ProgressPrinter(say)
    session = CalibrationSession(
        settings, plan, recording or path.with_suffix(".xdf"), listeners=(printer.on_event,), source=source,
        give_up_s=give_up_s, lsl_offset=liblsl.to_stamps() if settings.on_lsl else 0.0,
    )  # fmt: skip
    if not run_session(session, printer):
        raise ProfileError("a calibration", "it was stopped", f"its recording is {session.recording}")
    with naming_recording(path, session.recording):
        fitted = fit(session.recording, settings, printer.fitting)
        fitted.profile.save(path)
        write_page(fitted, path)
    printer.fitted(fitted.profile, path)
    return fitted.profile
