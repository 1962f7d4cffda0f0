"""A calibration without a screen: cues and progress as lines of text or JSON, for scripts, tests and virtual people."""

from __future__ import annotations

import io
import json
import secrets
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Literal

from realtime_mood.api.options import ReadingOptions
from realtime_mood.cli.config import RunConfig
from realtime_mood.errors import ProfileError
from realtime_mood.files import check_writable
from realtime_mood.profile import Profile, head_file

from .progress import CalibrationProgress, Event, Mode
from .protocol import clock_words, draw, load_protocol
from .session import CalibrationSession, Look

EVERY_S = 10.0  # how often the terminal says how far a step is
View = Literal["terminal", "json"]


class Voice:
    """Says what happens, one line at a time.

    Parameters
    ----------
    out : file
    view : {"terminal", "json"}
    """

    def __init__(self, out: IO[str], view: View) -> None:
        self._out, self._view = out, view
        self._second, self._words = -1, ""
        self._heard: deque[tuple[Event, CalibrationProgress]] = deque()
        self.virtual = False

    def say(self, kind: str, words: str, **facts: object) -> None:
        """One line; `words` for people, `facts` for programs."""
        if self._view == "json":
            print(json.dumps({"kind": kind, **facts}), file=self._out, flush=True)
        elif words:
            print(("VIRTUAL PERSON · " if self.virtual else "") + words, file=self._out, flush=True)

    def hear(self, event: Event, sitting: CalibrationProgress, t: float) -> None:
        """Something happened in the sitting; it is said at the next look, since a pipe may make us wait."""
        self._heard.append((event, sitting))

    def _say_heard(self) -> None:
        while self._heard:
            event, sitting = self._heard.popleft()
            t, words, step = event.index / sitting.sfreq, "", sitting.step
            if "/begin" in event.text and step and step.seconds:
                words = f"{clock_words(t)}  {step.text} ({step.seconds:.0f} s)"
            elif "/cancelled/" in event.text:
                words = f"once more: {event.text.rpartition('/')[2]}"
            self.say("event", words, t=round(t, 3), text=event.text, virtual=self.virtual)

    def look(self, look: Look) -> None:
        """Once a second of stream time: how far it is."""
        sitting, info = look.sitting, look.health.info
        if sitting is None or info is None:
            return
        self.virtual = info.virtual
        self._say_heard()
        if sitting.step is None:
            return
        t = look.health.samples + look.health.lost
        if (second := int(t / info.sfreq)) == self._second:
            return
        self._second = second
        words = f"{sitting.step.kind}: {sitting.left_s:.0f} s left" if second % EVERY_S == 0 and not look.away else ""
        if look.away:
            words = "no data: waiting for the headset" if self._words != "away" else ""
        self._words = "away" if look.away else ""
        self.say(
            "progress", words, t=round(t / info.sfreq, 3), of=round(sitting.plan.seconds, 3), virtual=info.virtual,
            step=sitting.step.kind, label=sitting.step.label, left_s=round(sitting.left_s, 3),
        )  # fmt: skip

    def fitting(self, words: str, done: float) -> None:
        """How far the fit is."""
        text = f"{words}…" if words != self._words else ""
        self._words = words
        self.say("fitting", text, doing=words, done=round(done, 3))

    def made(self, profile: Profile, path: Path) -> None:
        """What came of it."""
        facts: dict[str, Any] = {
            "path": str(path),
            "seconds": profile.seconds,
            "channels": list(profile.ch_names),
            "virtual": profile.virtual,
        }
        text = f"{profile.seconds:.0f} s of usable rest on {len(profile.ch_names)} channels: {path}"
        if profile.own:
            v = profile.own.verdict
            low, high = v.interval
            right = f"{100 * v.balanced_accuracy:.0f} of 100 seconds [{100 * low:.0f}, {100 * high:.0f}]"
            text += f"\n{profile.own.name} is yours: right in {right} of blocks it was not fitted on"
            text += f", where chance is {100 * v.chance:.0f}"
            facts |= {"own": profile.own.name, "verdict": v.model_dump(mode="json")}
        elif profile.refused:
            text += "\nno readout of your own, only the baseline: " + profile.refused.text
            text += "".join(f"\n  try: {line}" for line in profile.refused.advice)
            facts |= {"own": None, "verdict": profile.refused.model_dump(mode="json")}
        self.say("profile", text, **facts)


def sit(session: CalibrationSession, voice: Voice) -> CalibrationProgress:
    """Go through a session to its end, or until Ctrl-C; its recording is whole afterwards.

    Raises
    ------
    SourceError
        The source's final fault.
    """
    session.start()
    sitting = None
    try:
        sitting = session.wait(voice.look)
    except KeyboardInterrupt:
        session.director.stop()
    finally:
        try:
            voice.look(session.look())
        finally:
            session.stop(5.0)
    sitting = session.director.sitting or sitting
    assert sitting is not None
    if sitting.mode is Mode.STOPPED:
        voice.say("stopped", f"stopped; the recording is {session.recording}", recording=str(session.recording))
    return sitting


def calibrate(
    source: str,
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

    settings = RunConfig(source=source, give_up=give_up_s, **options.model_dump())
    plan = draw(load_protocol(protocol), secrets.randbits(16) if seed is None else seed, None, seconds)
    check_writable(head_file(path), "a profile at")
    voice = Voice(_Lines(say), "terminal")
    session = CalibrationSession(
        settings, plan, recording or path.with_suffix(".xdf"), hear=(voice.hear,), give_up_s=give_up_s
    )
    if sit(session, voice).mode is Mode.STOPPED:
        raise ProfileError("a calibration", "it was stopped", f"its recording is {session.recording}")
    fitted = fit(session.recording, settings, voice.fitting)
    fitted.profile.save(path)
    write_page(fitted, path.with_suffix(".html"))
    voice.made(fitted.profile, path)
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
