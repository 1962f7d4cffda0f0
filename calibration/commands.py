"""The verbs of calibration: sit, fit, and look after profiles. ``app.py`` puts them on the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from realtime_mood import liblsl
from realtime_mood.cli.commands import ScopeOption
from realtime_mood.cli.config import GIVE_UP_S, RunConfig, resolve
from realtime_mood.console import own_stdout
from realtime_mood.errors import ConfigError, ProfileError
from realtime_mood.files import check_writable
from realtime_mood.gui import check_display, has_display
from realtime_mood.profile import Profile, head_file

from . import store
from .protocol import BlockPlan, draw, load_protocol, shipped

if TYPE_CHECKING:  # torch takes a second to import, and a list of profiles does without
    from realtime_mood.sinks.lsl_markers import MarkerOutlet

    from .director import Hear
    from .fit import CalibrationResult, Progress
    from .headless import Voice
    from .session import CalibrationSession
    from .view.window import CalibrationWindow

VIEWS = ("auto", "gui", "terminal", "json")


def calibrate(
    source: Annotated[str | None, typer.Option(help="Like that of run.")] = None,
    protocol: Annotated[str, typer.Option(help="baseline, effort, emotion, or the path of a TOML file.")] = "baseline",
    profile: Annotated[
        Path | None, typer.Option(help="Where to put the profile; in your own folder if not said.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="How long the rest takes in all, in seconds.", min=1)] = None,
    media: Annotated[
        Path | None, typer.Option(help="A folder with a folder of pictures, sounds or clips for each label.")
    ] = None,
    view: Annotated[
        str, typer.Option(help="gui, terminal or json; auto is gui where a protocol needs a screen.")
    ] = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be done, and how long it takes.")
    ] = False,
    from_: Annotated[
        Path | None, typer.Option("--from", help="Fit to this recording of a sitting; nobody sits.")
    ] = None,
    refresh: Annotated[
        Path | None, typer.Option(help="An older profile, whose own readout goes on with today's rest.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Where to record the sitting; beside the profile if not said.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the order of blocks; drawn if not said.")] = None,
    weights: Annotated[str | None, typer.Option(help="Shipped weights by name, or a folder.")] = None,
    readout: Annotated[str | None, typer.Option(help="For a baseline: the readout a run with it begins with.")] = None,
    notch: Annotated[str | None, typer.Option(help="Line frequency to take out: 50, 60 or auto (both).")] = None,
    lsl_markers: Annotated[
        str | None, typer.Option(help="Also send what happens as an LSL stream of this name.")
    ] = None,
    give_up: Annotated[
        float | None, typer.Option(help="Seconds a lost source is looked for; in the window for ever.")
    ] = None,
    lsl_scope: ScopeOption = None,
    device: Annotated[str | None, typer.Option(help="Where the network runs: auto, cpu or cuda.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="A TOML file with any options of run.")] = None,
) -> None:
    """Sit through a protocol and make a profile: how you are at rest, and your own readout if it proves itself."""
    if view not in VIEWS:
        raise ConfigError(f"view {view!r}", "unknown", f"use {', '.join(VIEWS)}")
    given = {
        "source": source, "weights": weights, "readout": readout, "notch": notch, "lsl_scope": lsl_scope,
        "give_up": give_up, "device": device,
    }  # fmt: skip
    settings = resolve(given, config)
    liblsl.set_scope(settings.lsl_scope)
    plan = draw(load_protocol(protocol), int.from_bytes(os.urandom(2)) if seed is None else seed, media, seconds)
    if dry_run:
        print(plan.listing())
        return
    older = Profile.load(refresh) if refresh else None
    if older and plan.protocol.cues:
        raise ConfigError(f"refresh with protocol {protocol!r}", "it has blocks", "use --protocol baseline")
    path = (profile or store.new_name(plan.protocol.name)).expanduser()
    check_writable(head_file(path), "a profile at")
    job = CalibrationJob(settings, plan, path, record or path.with_suffix(".xdf"), older, lsl_markers)
    if from_:
        job.fit_from(from_, "json" if view == "json" else "terminal")
    elif _view(view, plan) == "gui":
        raise typer.Exit(job.in_a_window())
    else:
        job.headless("json" if view == "json" else "terminal")


def protocols() -> tuple[tuple[str, str], ...]:
    """Name and title of each that comes with the program."""
    return tuple((name, load_protocol(name).title) for name in shipped())


def in_a_window(settings: RunConfig, protocol: str, on_closed: Callable[[Path | None], None]) -> CalibrationWindow:
    """Open a calibration's window on the source of `settings`; see `CalibrationJob.window`."""
    plan = draw(load_protocol(protocol), int.from_bytes(os.urandom(2)))
    path = store.new_name(plan.protocol.name)
    return CalibrationJob(settings, plan, path, path.with_suffix(".xdf"), None, None).window(on_closed)


def _view(asked: str, plan: BlockPlan) -> str:
    """``auto`` is the window where a protocol has cues to show and there is a display."""
    if asked == "gui":
        check_display()
    if asked != "auto":
        return asked
    return "gui" if plan.protocol.cues and has_display() else "terminal"


class CalibrationJob:
    """One calibration: what it reads, what it is led by, where it goes."""

    def __init__(
        self,
        settings: RunConfig,
        plan: BlockPlan,
        path: Path,
        recording: Path,
        older: Profile | None,
        markers: str | None,
    ) -> None:
        self.settings, self.plan, self.path, self.recording = settings, plan, path, recording
        self._older, self._markers = older, markers
        self._outlet: MarkerOutlet | None = None
        self.refused = False
        """Whether the profile is only a baseline, because the readout asked for did not prove itself."""

    def headless(self, view: str) -> None:
        """Sit without a screen."""
        from .headless import Voice, sit
        from .progress import Mode

        with own_stdout() as out:
            voice = Voice(out, view)  # type: ignore[arg-type]
            session = self.session(voice.hear, give_up_s=self.settings.give_up or GIVE_UP_S)
            sitting = sit(session, voice)
            if sitting.mode is Mode.STOPPED:
                raise typer.Exit(1)
            self._fit(session.recording, voice)

    def fit_from(self, recording: Path, view: str) -> None:
        """Fit to a recording of a sitting."""
        from .headless import Voice

        with own_stdout() as out:
            self._fit(recording, Voice(out, view))  # type: ignore[arg-type]

    def in_a_window(self) -> int:
        """Sit in front of the window; the exit code."""
        from .view import run

        session = partial(self.session, give_up_s=self.settings.give_up, held=True)
        return run(session, self.plan, self.fit, self.keep) or int(self.refused)

    def window(self, on_closed: Callable[[Path | None], None], *, windowed: bool = False) -> CalibrationWindow:
        """The window, opened, within a program that has others; `on_closed` is told the profile's path, if any."""
        from .view.window import CalibrationWindow

        session = partial(self.session, give_up_s=self.settings.give_up, held=True)
        window = CalibrationWindow(session, self.plan, self.fit, self.keep, windowed)
        window.closed.connect(lambda: on_closed(self.path if window.code == 0 else None))
        window.open()
        return window

    def session(self, *hear: Hear, give_up_s: float | None = None, held: bool = False) -> CalibrationSession:
        """A session that is not started yet."""
        from .session import CalibrationSession

        if self._markers and self._outlet is None:
            from realtime_mood.sinks.lsl_markers import MarkerOutlet

            self._outlet = MarkerOutlet(self._markers, self.plan.protocol.labels)
        if outlet := self._outlet:
            hear = (*hear, lambda event, _, t: outlet.send(event.text, t))
        offset = liblsl.to_stamps() if self.settings.on_lsl or self._outlet else 0.0
        return CalibrationSession(
            self.settings, self.plan, self.recording, hear=hear, give_up_s=give_up_s, lsl_offset=offset, held=held
        )

    def fit(self, recording: Path, progress: Progress) -> CalibrationResult:
        """The profile of a recorded sitting."""
        from .fit import fit, refreshed

        fitted = fit(recording, self.settings, progress)
        return refreshed(self._older, fitted) if self._older else fitted

    def keep(self, fitted: CalibrationResult) -> str:
        """Save a profile and its page; what to tell the person."""
        from .report import write_page

        fitted.profile.save(self.path)
        self.refused = self._older is None and fitted.profile.refused is not None
        page = self.path.with_suffix(".html")
        write_page(fitted, page)
        return f"Saved: {self.path}\nIts page: {page}"

    def _fit(self, recording: Path, voice: Voice) -> None:
        try:
            fitted = self.fit(recording, voice.fitting)
        except ProfileError as error:
            raise ProfileError(error.asked, error.found, f"{error.do} · the sitting is in {recording}") from None
        self.keep(fitted)
        voice.virtual = fitted.profile.virtual
        voice.made(fitted.profile, self.path)
        if self.refused:
            raise typer.Exit(1)


def profiles(
    name: Annotated[str | None, typer.Argument(help="One of them, by name or path, to see all of it.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete it, with its recording and its page.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without a question, for scripts.")] = False,
    where: Annotated[Path | None, typer.Option("--in", help="A folder of profiles, instead of your own.")] = None,
    view: Annotated[str, typer.Option(help="terminal or json.")] = "terminal",
) -> None:
    """List the profiles kept here, look at one, or delete it."""
    folder = where or store.folder()
    if name is None:
        if delete:
            raise ConfigError("profiles --delete", "no name", "say which: profiles NAME --delete")
        _list(folder, view)
        return
    if delete:
        _delete(store.find_kept(name, folder), yes)
        return
    path = store.find(name, folder)
    found = Profile.load(path)
    print(json.dumps({"path": str(path), **found.stored()}) if view == "json" else f"{path}\n{store.summary(found)}")
    if view != "json":
        print("electrodes: " + " ".join(found.ch_names) + f" · reference {found.reference}")
        print("files: " + ", ".join(part.name for part in store.files_of(path)))


def _delete(path: Path, yes: bool) -> None:
    """Delete a profile and what was made with it, after a question; exit code 1 where the answer is no."""
    parts = [(part, store.is_own(part)) for part in store.files_of(path)]
    own = [part for part, is_own in parts if is_own]
    if not yes:
        try:
            answer = input(f"Delete {', '.join(part.name for part in own)} in {path.parent}? [y/N] ")
        except EOFError:
            raise ConfigError(f"delete {path}", "nobody to ask", "add --yes") from None
        if answer.strip().lower() not in ("y", "yes"):
            print("nothing was deleted")
            raise typer.Exit(1)
    for part in reversed(own):  # the profile last: what is interrupted can be done again
        part.unlink()
        print(f"deleted {part}")
    for part, is_own in parts:
        if not is_own:
            print(f"left {part}: it was not made with this profile")


def _list(folder: Path, view: str) -> None:
    found = store.kept(folder)
    for it in found:
        if view == "json":
            print(
                json.dumps({"path": str(it.path), "trouble": it.trouble, **(it.profile.stored() if it.profile else {})})
            )
        else:
            print(f"{it.path.stem}  {store.summary(it.profile) if it.profile else it.trouble}")
    if not found and view != "json":
        print(f"no profiles in {folder}; calibrate makes one")
