"""The command line and composition root: builds source, pipeline, engine and view from the options."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

# Read by NumPy's linear algebra when it loads: its other threads wait by spinning, and made nothing faster.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import typer
from platformdirs import user_data_path

from realtime_mood import gui, language, liblsl
from realtime_mood.calibration.commands import calibrate, in_a_window, profiles, protocols
from realtime_mood.cli import options
from realtime_mood.cli.commands import ScopeOption, devices, outlet, recover, report, seal, unblind
from realtime_mood.cli.config import GIVE_UP_S, RunConfig, leaving, resolve
from realtime_mood.cli.encryption import decrypt, encrypt, encrypt_recorded
from realtime_mood.cli.forget import forget
from realtime_mood.cli.menu_entry import menu_entry
from realtime_mood.cli.parts import autosave_of, outputs_of, recorder_of, streams_beside
from realtime_mood.cli.setups import NamedSetups
from realtime_mood.cli.timing import timing
from realtime_mood.console import own_stdout, take_over, terminated
from realtime_mood.doctor.commands import computer_check, doctor
from realtime_mood.errors import ConfigError, MoodError, ReaderGone, install_extra
from realtime_mood.files import log_exception
from realtime_mood.models.commands import WeightsOption, evaluate, info, interpret, pretrain, replay, train
from realtime_mood.models.datasets.commands import datasets
from realtime_mood.models.sharing.commands import export

if TYPE_CHECKING:
    from realtime_mood.cli.feedback import Draw
    from realtime_mood.contracts import Sink
    from realtime_mood.recording.recorder import Recorder
    from realtime_mood.run.engine import Engine

INTERRUPTED = 130  # the exit code of other programs after Ctrl-C

cli = typer.Typer(
    help="A real-time EEG emotion reader. Not a medical device, and not for judging people.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def make_engine(
    config: RunConfig, sinks: Sequence[Sink] = (), *, give_up_s: float | None = GIVE_UP_S, autosave: Path | None = None
) -> Engine:
    """An engine for `config`, its weights loaded and its profile read, its source not opened yet.

    `autosave` is the folder for an automatic recording; `give_up_s`, the time to reconnect to a lost source, is the
    default of that option; None: no limit.
    """
    from realtime_mood.cli import feedback as feedback_run
    from realtime_mood.feedback.loop import FeedbackLoop
    from realtime_mood.run.engine import Engine
    from realtime_mood.sources import open_source

    liblsl.set_scope(config.lsl_scope)
    source = open_source(config.source)
    # After the source is checked: torch takes a second to import.
    from realtime_mood.models.building import PipelineBuilder

    build, also = PipelineBuilder(config), streams_beside(config)
    recorder, outputs = recorder_of(config, build.about()), outputs_of(config)
    automatic, notes = autosave_of(config, build.about(), autosave)
    taps = [*filter(None, (recorder, automatic)), *sinks, *outputs]
    seconds, give_up_s, away = config.seconds, config.give_up or give_up_s, leaving(config)
    for note in (*notes, *away):
        print(note, file=sys.stderr, flush=True)
    engine = Engine(source, build, taps, also=also, seconds=seconds, give_up_s=give_up_s, leaving=away, notes=notes)
    for loop in (sink for sink in sinks if isinstance(sink, FeedbackLoop)):
        feedback_run.attach(loop, engine, config, recorder or automatic, outputs)
    return engine


@cli.callback(invoke_without_command=True)
def default(context: typer.Context) -> None:
    """Without a verb: run with the default options."""
    if context.invoked_subcommand is None:
        start_run(dict.fromkeys(RunConfig.model_fields))


@cli.command()
def run(
    source: options.Source = None,
    view: Annotated[str | None, typer.Option(help="gui, terminal or json (default: gui, with a display).")] = None,
    weights: WeightsOption = None,
    readout: options.Readout = None,
    profile: options.Profile = None,
    notch: options.Notch = None,
    repair: options.Repair = None,
    seconds: options.Seconds = None,
    device: options.Device = None,
    runtime: options.Runtime = None,
    record: options.Record = None,
    encrypt: options.Encrypt = None,
    autosave: options.Autosave = None,
    also: options.Also = None,
    markers: options.Markers = None,
    participant: options.Participant = None,
    session: Annotated[str | None, typer.Option(help="Session ID in file names (letters and digits).")] = None,
    give_up: options.GiveUp = None,
    lsl_out: Annotated[bool | None, typer.Option("--lsl-out", help="Send readings as an LSL stream.")] = None,
    lsl_name: options.LslName = None,
    osc: options.Osc = None,
    osc_muse: options.OscMuse = None,
    ws: options.Ws = None,
    csv: options.Csv = None,
    sink: options.Sink = None,
    lsl_scope: ScopeOption = None,
    requests: options.Requests = None,
    setup: options.Setup = None,
    config: options.Config = None,
) -> None:
    """Estimate the mood from live EEG, and show it."""
    start_run(dict(locals()))


def start_run(given: dict[str, Any]) -> None:
    """Resolve the options, choose a view, and start it."""
    config = resolve(given, given.pop("config", None), setup=given.pop("setup", None))
    if trouble := gui.desktop.trouble() if config.view == "auto" else "":
        print(f"Showing the terminal view · {trouble}", file=sys.stderr)
    automatic = view_terminal if trouble else view_gui
    {"gui": view_gui, "terminal": view_terminal, "json": view_json, "auto": automatic}[config.view](config)


@cli.command()
def feedback(
    session: Annotated[str, typer.Option(help="alpha_up, frontal_asymmetry, mirror, or a TOML file.")] = "alpha_up",
    source: options.Source = None,
    view: options.FeedbackView = None,
    condition: Annotated[str, typer.Option(help="contingent, inverse, sham, yoked or none.")] = "contingent",
    sealed: Annotated[Path | None, typer.Option(help="Sealed file (from seal) with the condition of --code.")] = None,
    code: Annotated[str, typer.Option(help="Blinding code of this session.")] = "",
    yoke: Annotated[Path | None, typer.Option(help="JSON lines of another session, for the condition yoked.")] = None,
    lines: Annotated[Path | None, typer.Option(help="File for all feedback values, as JSON lines.")] = None,
    weights: WeightsOption = None,
    profile: options.Profile = None,
    notch: options.Notch = None,
    repair: options.Repair = None,
    record: options.Record = None,
    encrypt: options.Encrypt = None,
    also: options.Also = None,
    lsl_out: Annotated[bool | None, typer.Option("--lsl-out", help="Send readings and feedback by LSL.")] = None,
    lsl_name: options.LslName = None,
    osc: Annotated[str | None, typer.Option(help="Send readings and feedback by OSC to HOST:PORT.")] = None,
    ws: Annotated[str | None, typer.Option(help="Send readings and feedback to browsers, at [HOST:]PORT.")] = None,
    sink: options.Sink = None,
    participant: options.Participant = None,
    lsl_scope: ScopeOption = None,
    setup: options.Setup = None,
    config: options.Config = None,
) -> None:
    """Run a neurofeedback session. It has several blocks, and may have a blinded condition."""
    given = dict(locals())
    from realtime_mood.cli import feedback as feedback_run

    of_session = ("session", "condition", "sealed", "code", "yoke", "lines", "setup", "config")
    settings = resolve({name: value for name, value in given.items() if name not in of_session}, config, setup=setup)
    draw = feedback_run.Draw(condition, sealed, code, yoke)
    if settings.view == "json" or (settings.view == "auto" and not gui.has_display()):
        feedback_run.run_json(session, settings, draw, lines, make_engine)
    else:
        feedback_run.session_of(session, settings, draw, lines)  # errors come before any window
        view_gui(settings, session, draw, lines)


def view_json(config: RunConfig) -> None:
    """One JSON object per line on standard output, and nothing else."""
    from realtime_mood.sinks.jsonlines import JsonLines

    with own_stdout() as out:
        engine = make_engine(config, [JsonLines(out)])
        engine.start()
        follow_requests(config, engine)
        with suppress(KeyboardInterrupt):
            while not engine.done.wait(0.1) and out.fault is None:
                pass
        engine.stop()


def view_terminal(config: RunConfig) -> None:
    """The terminal view."""
    from realtime_mood.cli import terminal

    engine = make_engine(config)
    follow_requests(config, engine)
    terminal.run(engine)


def follow_requests(config: RunConfig, engine: Engine) -> None:
    """Carry out the lines of standard input, if requested."""
    if config.requests:
        from realtime_mood.cli import requests

        requests.follow(engine, config.profile)


def view_gui(config: RunConfig, session: str = "", draw: Draw | None = None, lines: Path | None = None) -> None:
    """The window; with a `session` also the subject's screen."""
    gui.check_display()
    from realtime_mood.cli import feedback as feedback_run

    liblsl.set_scope(config.lsl_scope)  # the window looks for streams before any run
    from realtime_mood.models.building import PipelineBuilder  # it takes a second: not while the window is up
    from realtime_mood.models.card import shipped

    data, setups = user_data_path("realtime_mood"), NamedSetups(config, shipped())

    def changed(request: gui.RunRequest, **options: Any) -> RunConfig:
        of_request = {"source": request.url, "also": request.also, "markers": request.markers}
        return setups.config.model_copy(update=of_request | options)

    def engine(request: gui.RunRequest) -> Engine:
        requested = changed(request, profile=request.profile, record=request.record)
        made = make_engine(requested, [request.tap] if request.tap else [], give_up_s=None, autosave=data / "autosave")
        setups.remember(request)
        return made

    def recorder(request: gui.RunRequest, engine: Engine) -> Recorder:
        assert isinstance(engine.build, PipelineBuilder)
        made = recorder_of(changed(request, record=request.record), engine.build.about())
        assert made is not None
        return made

    flows = gui.Flows(
        engine, data / "recordings", protocols(),
        lambda request, protocol, on_closed: in_a_window(changed(request), protocol, on_closed),
        feedback_run.sessions(),
        lambda name: feedback_run.session_of(name, setups.config, draw or feedback_run.Draw(), lines),
        make_recorder=recorder, unkept=(data / "autosave", data / "profiles"),
        setups=setups, examine=lambda: computer_check(config.lsl_scope or "loopback", config.record),
    )  # fmt: skip
    request = gui.RunRequest(config.source, config.profile, config.record, None, config.also, config.markers)
    raise typer.Exit(gui.run(flows, request, weights=setups.weights, session=session))


VERBS = (
    calibrate, profiles, forget, outlet, devices, replay, recover, report, seal, unblind, pretrain, train, evaluate,
    interpret, export, info, doctor, menu_entry, encrypt, decrypt)  # fmt: skip
for verb in VERBS:
    cli.command()(verb)
cli.add_typer(datasets, name="datasets")
cli.add_typer(timing, name="timing")


def command(words: Sequence[str]) -> int:
    """Run the command `words`; an error becomes one line on standard error, and an exit code."""
    verbs = typer.main.get_command(cli)  # called without its own `main`, which turns errors into codes of its own
    try:
        with verbs.make_context("realtime-mood", list(words)) as context:
            context.call_on_close(encrypt_recorded)
            verbs.invoke(context)
        sys.stdout.flush()
    except typer.Exit as done:
        return done.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except MoodError as error:
        if not isinstance(error, ReaderGone):
            print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except Exception as error:
        if message := getattr(error, "format_message", None):  # of the library of the command line
            print(f"error: {message()}", file=sys.stderr)
            return 2
        if isinstance(error, ModuleNotFoundError) and (line := install_extra(error.name or "")):
            print(f"error: {' '.join(words[:1])} · the package {error.name} is not installed · {line}", file=sys.stderr)
            return ConfigError.exit_code
        print(f"error: {type(error).__name__}: {error} · this should not happen · {log_exception()}", file=sys.stderr)
        return 1
    return 0


def main() -> None:
    """The entry point of the installed command."""
    take_over()
    language.use(None)
    logging.captureWarnings(True)  # to the log: a library's warning, from whichever thread, is no message of ours
    signal.signal(signal.SIGTERM, terminated)
    code = command(sys.argv[1:])
    if any(thread.name.startswith("mood-") for thread in threading.enumerate()):
        os._exit(code)  # a device library that hangs must not keep the program from ending
    sys.exit(code)


if __name__ == "__main__":
    main()
