"""The commands ``calibrate`` and ``profiles``, which ``app.py`` puts on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from realtime_mood import liblsl
from realtime_mood.cli import options
from realtime_mood.cli.commands import ScopeOption
from realtime_mood.cli.config import GIVE_UP_S, RunConfig, resolve
from realtime_mood.console import own_stdout
from realtime_mood.errors import ConfigError
from realtime_mood.files import check_writable
from realtime_mood.gui import check_display, has_display
from realtime_mood.language import _
from realtime_mood.profile import Profile, head_file

from . import store
from .protocol import BlockPlan, draw, load_protocol, shipped

if TYPE_CHECKING:  # torch takes a second to import, and listing profiles does not need it
    from realtime_mood.sinks.lsl_markers import MarkerOutlet

    from .director import OnEvent
    from .fit import CalibrationResult, Progress
    from .headless import ProgressPrinter
    from .session import CalibrationSession
    from .view.window import CalibrationWindow

View = Literal["auto", "gui", "terminal", "json"]


def calibrate(
    source: Annotated[str | None, typer.Option(help="Same as for run.")] = None,
    protocol: Annotated[str, typer.Option(help="baseline, effort, emotion, or the path of a TOML file.")] = "baseline",
    profile: Annotated[
        Path | None, typer.Option(help="Path of the profile (default: in your folder of profiles).")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="Total duration of rest, in seconds.", min=1)] = None,
    media: Annotated[
        Path | None, typer.Option(help="A folder with one subfolder of pictures, sounds or clips for each label.")
    ] = None,
    view: Annotated[
        View, typer.Option(help="gui, terminal or json; auto uses the window where a protocol needs a screen.")
    ] = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the steps and their duration, and do nothing else.")
    ] = False,
    from_: Annotated[
        Path | None, typer.Option("--from", help="Refit from an existing calibration recording; no new session.")
    ] = None,
    refresh: Annotated[
        Path | None, typer.Option(help="An older profile whose personal classifier is used with today's baseline.")
    ] = None,
    record: Annotated[Path | None, typer.Option(help="Path of the recording (default: beside the profile).")] = None,
    participant: Annotated[str | None, typer.Option(help="Participant ID (letters and digits), as for run.")] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed for the block order (default: random).")] = None,
    weights: Annotated[str | None, typer.Option(help="Shipped weights by name, or a folder.")] = None,
    readout: Annotated[str | None, typer.Option(help="For a baseline: the first readout of runs with it.")] = None,
    notch: Annotated[str | None, typer.Option(help="Line frequency to remove: 50, 60 or auto (detected).")] = None,
    repair: Annotated[str | None, typer.Option(help="Repair of blinks: eog, or none; runs need the same.")] = None,
    lsl_markers: Annotated[
        str | None, typer.Option(help="Also send events as an LSL marker stream of this name.")
    ] = None,
    give_up: Annotated[
        float | None, typer.Option(help="Seconds to search for a lost source (in the window: no limit).")
    ] = None,
    lsl_scope: ScopeOption = None,
    device: options.Device = None,
    runtime: options.Runtime = None,
    also: options.Also = None,
    markers: options.Markers = None,
    setup: options.Setup = None,
    config: options.Config = None,
) -> None:
    """Run a calibration and create a profile. With a personal classifier, if that passes validation."""
    given = {
        "source": source, "weights": weights, "readout": readout, "notch": notch, "repair": repair,
        "lsl_scope": lsl_scope, "give_up": give_up, "device": device, "runtime": runtime, "participant": participant,
        "also": also, "markers": markers,
    }  # fmt: skip
    settings = resolve(given, config, setup=setup)
    liblsl.set_scope(settings.lsl_scope)
    plan = draw(load_protocol(protocol), seed, media, seconds)
    if dry_run:
        print(plan.listing())
        return
    older = Profile.load(refresh) if refresh else None
    if older and plan.protocol.cues:
        raise ConfigError(f"refresh with protocol {protocol!r}", "it has blocks", "use --protocol baseline")
    from .report import check_place  # torch takes a second to import

    path = (profile or store.new_name(plan.protocol.name, settings.participant)).expanduser()
    check_writable(head_file(path), "a profile at")
    check_place(path)
    job = CalibrationJob(settings, plan, path, record or path.with_suffix(".xdf"), older, lsl_markers)
    if from_:
        job.fit_from(from_, view)
    elif _view(view, plan) == "gui":
        raise typer.Exit(job.in_a_window())
    else:
        job.headless(view)


def protocols() -> tuple[tuple[str, str], ...]:
    """Name and title of each shipped protocol."""
    return tuple((name, _(load_protocol(name).title)) for name in shipped())


def in_a_window(settings: RunConfig, protocol: str, on_closed: Callable[[Path | None], None]) -> CalibrationWindow:
    """Open a calibration's window on the source of `settings`; see `CalibrationJob.window`."""
    plan = draw(load_protocol(protocol))
    path = store.new_name(plan.protocol.name, settings.participant)
    return CalibrationJob(settings, plan, path, path.with_suffix(".xdf")).window(on_closed)


def _view(asked: View, plan: BlockPlan) -> View:
    """``auto`` is the window where the protocol has cues and there is a display."""
    if asked == "gui":
        check_display()
    if asked != "auto":
        return asked
    return "gui" if plan.protocol.cues and has_display() else "terminal"


@dataclass
class CalibrationJob:
    """One calibration: its settings, plan, and output files."""

    settings: RunConfig
    plan: BlockPlan
    path: Path
    recording: Path
    older: Profile | None = None  # a profile whose personal classifier is used with today's baseline
    markers: str | None = None  # name of an LSL marker stream for the events
    refused: bool = field(default=False, init=False)
    """Whether the profile is only a baseline, because the personal classifier did not pass validation."""

    def headless(self, view: str) -> None:
        """Run the session in the terminal."""
        from .headless import ProgressPrinter, run_session

        with own_stdout() as out:
            printer = ProgressPrinter(partial(print, file=out, flush=True), view == "json")
            session = self.session(printer.on_event, give_up_s=self.settings.give_up or GIVE_UP_S)
            if not run_session(session, printer):
                raise typer.Exit(1)
            self._fit(session.recording, printer)

    def fit_from(self, recording: Path, view: str) -> None:
        """Fit a profile to an existing recording."""
        from .headless import ProgressPrinter

        with own_stdout() as out:
            self._fit(recording, ProgressPrinter(partial(print, file=out, flush=True), view == "json"))

    def in_a_window(self) -> int:
        """Run the session in the window; returns the exit code."""
        from .view.window import show

        return show(self._window) or int(self.refused)

    def window(self, on_closed: Callable[[Path | None], None]) -> CalibrationWindow:
        """The window, opened in a running application; `on_closed` is called with the profile's path, if any."""
        window = self._window()
        window.closed.connect(lambda: on_closed(self.path if window.code == 0 else None))
        window.showFullScreen()
        return window

    def _window(self) -> CalibrationWindow:
        from .view.window import CalibrationWindow

        session = partial(self.session, give_up_s=self.settings.give_up, held=True)
        return CalibrationWindow(session, self.plan, self.fit, self.keep)

    def session(self, *listeners: OnEvent, give_up_s: float | None = None, held: bool = False) -> CalibrationSession:
        """A new session, not yet started."""
        from .session import CalibrationSession

        if outlet := self._outlet:
            listeners = (*listeners, lambda event, progress, t: outlet.send(event.text, t))
        offset = liblsl.to_stamps() if self.settings.on_lsl or outlet else 0.0
        return CalibrationSession(
            self.settings, self.plan, self.recording, listeners=listeners, give_up_s=give_up_s, lsl_offset=offset,
            held=held,
        )  # fmt: skip

    @cached_property
    def _outlet(self) -> MarkerOutlet | None:
        """The marker stream of all sessions of the job."""
        from realtime_mood.sinks.lsl_markers import MarkerOutlet

        if self.markers:
            liblsl.say_leaving("the markers")
        return MarkerOutlet(self.markers, self.plan.protocol.labels) if self.markers else None

    def fit(self, recording: Path, progress: Progress) -> CalibrationResult:
        """Fit a profile to a recording."""
        from .fit import fit, refreshed

        fitted = fit(recording, self.settings, progress)
        return refreshed(self.older, fitted) if self.older else fitted

    def keep(self, fitted: CalibrationResult) -> str:
        """Save a profile and its page; returns a text that says where."""
        from .report import write_page

        fitted.profile.model_copy(update={"participant": self.settings.participant}).save(self.path)
        self.refused = self.older is None and fitted.profile.refused is not None
        return _("Profile: {path}\nReport: {page}", path=self.path, page=write_page(fitted, self.path))

    def _fit(self, recording: Path, printer: ProgressPrinter) -> None:
        from .headless import naming_recording

        with naming_recording(self.path, recording):
            fitted = self.fit(recording, printer.fitting)
            self.keep(fitted)
        printer.virtual = fitted.profile.virtual
        printer.fitted(fitted.profile, self.path)
        if self.refused:
            raise typer.Exit(1)


def profiles(
    name: Annotated[str | None, typer.Argument(help="Name or path of a profile, to show its details.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the profile, its recording and its report.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking, for scripts.")] = False,
    where: Annotated[Path | None, typer.Option("--in", help="Folder of profiles (default: your own).")] = None,
    view: options.View = "terminal",
) -> None:
    """List profiles, show one, or delete it."""
    folder = where or store.folder()
    if name is None:
        if delete:
            raise ConfigError("profiles --delete", "no name", "use profiles NAME --delete")
        _list(folder, view)
        return
    if delete:
        _delete(store.find_kept(name, folder), yes)
        return
    path = store.find(name, folder)
    found = Profile.load(path)
    if view == "json":
        print(json.dumps({"path": str(path), **found.stored()}))
        return
    print(f"{path}\n{store.summary(found)}")
    print(f"electrodes: {' '.join(found.ch_names)} · reference {found.reference}")
    for change in found.history:
        print(f"changed {change}")
    print("files: " + ", ".join(part.name for part in store.files_of(path)))


def _delete(path: Path, yes: bool) -> None:
    """Delete a profile and the files made with it, after a question; exit code 1 where the answer is no."""
    parts = [(part, store.is_own(part)) for part in store.files_of(path)]
    own = [part for part, is_own in parts if is_own]
    if not yes:
        try:
            answer = input(f"Delete {', '.join(part.name for part in own)} in {path.parent}? [y/N] ")
        except EOFError:
            raise ConfigError(f"delete {path}", "there is no terminal to ask", "add --yes") from None
        if answer.strip().lower() not in ("y", "yes"):
            print("nothing was deleted")
            raise typer.Exit(1)
    for part in reversed(own):  # the profile last, so that an interrupted deletion can be repeated
        part.unlink()
        print(f"deleted {part}")
    for part, is_own in parts:
        if not is_own:
            print(f"left {part}: it was not made with this profile")


def _list(folder: Path, view: str) -> None:
    found = store.kept(folder)
    for one in found:
        if view == "json":
            stored = one.profile.stored() if one.profile else {}
            print(json.dumps({"path": str(one.path), "trouble": one.trouble, **stored}))
        else:
            print(f"{one.path.stem}  {store.summary(one.profile) if one.profile else one.trouble}")
    if not found and view != "json":
        print(f"no profiles in {folder}; run calibrate to create one")
