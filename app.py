"""The command line and composition root: turns words into a source, a pipeline, an engine and a view."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from platformdirs import user_log_path

from realtime_mood.config import RunConfig, resolve
from realtime_mood.errors import (
    ConfigError,
    MoodError,
    ProfileError,
    SourceError,
    SourceLost,
    WeightsError,
)

if TYPE_CHECKING:
    from realtime_mood.engine import Engine
    from realtime_mood.health import Sink
    from realtime_mood.pipeline import Pipeline
    from realtime_mood.profile import Profile
    from realtime_mood.types import Source, StreamInfo

EXIT = {ConfigError: 2, SourceLost: 4, SourceError: 3, WeightsError: 5, ProfileError: 5}  # first match counts
NOTCHES = {"auto": (50.0, 60.0), "50": (50.0,), "60": (60.0,)}

cli = typer.Typer(
    help="A real-time EEG emotion reader. Not a medical device; not for judging people.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


# -- composition ------------------------------------------------------------------------------------------------


def make_engine(config: RunConfig, sinks: Sequence[Sink] = ()) -> Engine:
    """An engine for `config`, its weights loaded and its profile read, its source not opened yet."""
    from realtime_mood.engine import Engine

    source = make_source(config)
    return Engine(source, make_builder(config), sinks)


def make_source(config: RunConfig) -> Source:
    """The source asked for, ended after ``--seconds``."""
    from realtime_mood.sources import open_source
    from realtime_mood.sources.limit import Limited

    source = open_source(config.source)
    return Limited(source, config.seconds) if config.seconds else source


class make_builder:  # a function that remembers what it loaded
    """Loads weights and profile at once; called with a stream's info, makes its pipeline."""

    def __init__(self, config: RunConfig) -> None:
        from models.checkpoint import load_weights
        from models.runtime import choose_device
        from realtime_mood.profile import Profile

        self._config, self._device = config, choose_device(config.device)
        self._weights = load_weights(config.weights)
        self._profile: Profile | None = Profile.load(config.profile) if config.profile else None

    def __call__(self, info: StreamInfo) -> Pipeline:
        from models.runtime import ReaderNetwork
        from realtime_mood.estimator import MoodEstimator
        from realtime_mood.pipeline import Pipeline
        from realtime_mood.profile import Normaliser, Statistics

        spec = self._weights.card.spec
        network = ReaderNetwork(
            self._weights, choose_readout(self._config.readout, self._profile, info), info, self._device
        )
        population = network.population
        if self._profile:
            start = self._profile.statistics(info, spec, population.sd)
        else:
            start = Statistics.of_population(population.mean, population.sd, info.n_chans)
        normaliser = Normaliser(start, info.sfreq, frozen=self._profile is not None)
        estimator = MoodEstimator(info, network, normaliser, spec.step_s)
        return Pipeline(info, spec, estimator, NOTCHES[self._config.notch])


def choose_readout(asked: str, profile: Profile | None, info: StreamInfo) -> str:
    """``auto`` is the profile's own, else what was trained on people of this kind."""
    if asked != "auto":
        return asked
    if profile and profile.readout:
        return profile.readout
    return "emotion3" if info.virtual else "effort"


# -- verbs ------------------------------------------------------------------------------------------------------

Unit = Literal["uV", "mV", "V", "nV"]
SourceOption = Annotated[str | None, typer.Option(help="synthetic://…, lsl://NAME or playback://PATH.")]
ProfileOption = Annotated[Path | None, typer.Option(help="A person's profile (from calibrate).")]
SecondsOption = Annotated[float | None, typer.Option(help="Stop after so many seconds of stream time.")]
NotchOption = Annotated[str | None, typer.Option(help="Line frequency to take out: 50, 60 or auto (both).")]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="A TOML file with any of these options.")]
WeightsOption = Annotated[str | None, typer.Option(help="Shipped weights by name, or a folder.")]
ReadoutOption = Annotated[str | None, typer.Option(help="effort, emotion3, or auto: what fits the source.")]


@cli.callback(invoke_without_command=True)
def default(context: typer.Context) -> None:
    """Without a verb: run on the synthetic headset."""
    if context.invoked_subcommand is None:
        start_run({})


@cli.command()
def run(
    source: SourceOption = None,
    view: Annotated[str | None, typer.Option(help="gui, terminal or json; gui where there is a display.")] = None,
    weights: WeightsOption = None,
    readout: ReadoutOption = None,
    profile: ProfileOption = None,
    notch: NotchOption = None,
    seconds: SecondsOption = None,
    device: Annotated[str | None, typer.Option(help="Where the network runs: auto, cpu or cuda.")] = None,
    config: ConfigOption = None,
) -> None:
    """Read a mood, live, and show it."""
    given = {"source": source, "view": view, "weights": weights, "readout": readout, "profile": profile}
    start_run(given | {"notch": notch, "seconds": seconds, "device": device}, config)


def start_run(given: dict[str, Any], file: Path | None = None) -> None:
    """Resolve the options, choose a view, and hand over to it."""
    config = resolve(given, file)
    view = config.view
    if view == "auto":
        view = "gui" if has_display() else "terminal"
        if view == "terminal":
            print("No display here: showing the terminal view (--view gui asks for the window).", file=sys.stderr)
    {"gui": view_gui, "terminal": view_terminal, "json": view_json}[view](config)


def has_display() -> bool:
    """Whether a window could be opened."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("QT_QPA_PLATFORM"))


def view_json(config: RunConfig) -> None:
    """One JSON object a line on standard output, and nothing else there."""
    from realtime_mood.sinks.jsonlines import JsonLines, own_stdout

    with own_stdout() as out:
        engine = make_engine(config, [JsonLines(out)])
        engine.start()
        try:
            while not engine.done.wait(0.1):
                pass
        except KeyboardInterrupt:
            pass
        engine.stop()


def view_terminal(config: RunConfig) -> None:
    """The same in a terminal."""
    from realtime_mood import terminal

    terminal.run(make_engine(config))


def view_gui(config: RunConfig) -> None:
    """The window."""
    if not has_display():
        raise ConfigError("the window", "no display here", "use --view terminal or --view json")
    import models.runtime  # noqa: F401  # torch takes a second to import: not while the window is up
    from realtime_mood import gui

    def engine(url: str) -> Engine:
        return make_engine(config.model_copy(update={"source": url}))

    code = gui.run(engine, config.source, weights=config.weights)
    raise typer.Exit(code)


@cli.command()
def calibrate(
    source: SourceOption = None,
    protocol: Annotated[str, typer.Option(help="baseline: unlabelled rest.")] = "baseline",
    profile: ProfileOption = None,
    seconds: Annotated[float, typer.Option(help="How long, in seconds of stream time.")] = 60.0,
    view: Annotated[str, typer.Option(help="terminal or json.")] = "terminal",
    weights: WeightsOption = None,
    readout: ReadoutOption = None,
    notch: NotchOption = None,
    config: ConfigOption = None,
) -> None:
    """Make a profile of a person: how their signal looks at rest."""
    from calibration.baseline import record
    from models.checkpoint import load_weights
    from realtime_mood.sinks.jsonlines import own_stdout
    from realtime_mood.sources import open_source

    if protocol != "baseline":
        raise ConfigError(f"protocol {protocol!r}", "unknown", "the one there is: baseline")
    if profile is None:
        raise ConfigError("calibrate", "nowhere to put the profile", "add --profile PATH")
    if view not in ("terminal", "json"):
        raise ConfigError(f"view {view!r}", "unknown", "use terminal or json")
    settings = resolve({"source": source, "weights": weights, "readout": readout, "notch": notch}, config)
    with own_stdout() as out:

        def say(kind: str, text: str, **facts: object) -> None:
            line = json.dumps({"kind": kind, **facts}) if view == "json" else text
            print(line, file=out, flush=True)

        def progress(info: StreamInfo, t: float) -> None:
            badge = "VIRTUAL PERSON · " if info.virtual else ""
            facts = {"t": round(t, 3), "of": seconds, "virtual": info.virtual}
            if view == "json" or round(t) % 10 == 0:
                say("progress", f"{badge}rest, {t:.0f} of {seconds:.0f} s", **facts)

        spec = load_weights(settings.weights).card.spec
        wanted = None if settings.readout == "auto" else settings.readout
        made = record(open_source(settings.source), spec, seconds, wanted, NOTCHES[settings.notch], progress)
        made.save(profile)
        text = f"{made.seconds:.0f} s of usable rest on {len(made.ch_names)} channels: {profile}"
        facts = {
            "path": str(profile),
            "seconds": made.seconds,
            "channels": list(made.ch_names),
            "virtual": made.virtual,
        }
        say("profile", text, **facts)


@cli.command()
def outlet(
    file: Annotated[str, typer.Argument(help="A recording, or any source URL.")],
    name: Annotated[str, typer.Option(help="What to call the LSL stream.")],
    virtual: Annotated[bool, typer.Option(help="Say that this is a virtual person.")] = False,
    loop: Annotated[bool, typer.Option(help="Begin again at the end.")] = False,
    source_id: Annotated[str | None, typer.Option(help="The stream's source_id; made of the name by default.")] = None,
    start: Annotated[float, typer.Option(help="Begin at this second.")] = 0.0,
    stop: Annotated[float | None, typer.Option(help="End at this second.")] = None,
    channels: Annotated[str, typer.Option(help="Electrode names, for a file that gives none.")] = "",
    units: Annotated[
        Unit | None, typer.Option(help="The unit the file's numbers are really in: uV, mV, V or nV.")
    ] = None,
    wait: Annotated[float, typer.Option(help="Wait so many seconds for somebody to listen.")] = 600.0,
) -> None:
    """Play a recording as an LSL stream, as a headset would."""
    from realtime_mood.sources.outlet import play

    names = tuple(part.strip() for part in channels.split(",") if part.strip())
    play(
        file, name, virtual=virtual, loop=loop, source_id=source_id, start=start, stop=stop, channels=names,
        units=units, wait_s=wait, say=lambda text: print(text, flush=True),
    )  # fmt: skip


@cli.command()
def train(
    data: Annotated[Path, typer.Option(help="The folder that holds eegmat_dev24_125hz.npz.")],
    out: Annotated[Path, typer.Option(help="Where to put the weights.")],
    virtual_people: Annotated[int, typer.Option(help="How many virtual people to train on.")] = 600,
    steps: Annotated[int, typer.Option(help="Training steps.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Train the weights that come with the program, as their card says."""
    from models.ship import ship
    from models.train import Recipe

    recipe = Recipe(steps=steps)
    ship(data, out, n_virtual=virtual_people, recipe=recipe, seed=seed, log=lambda text: print(text, flush=True))


@cli.command()
def info(weights: WeightsOption = None) -> None:
    """Say what the weights can read, on whom that was shown, and how well."""
    from models.checkpoint import DEFAULT, load_weights

    card = load_weights(weights or DEFAULT).card
    bands = ", ".join(f"{name} {low:g}–{high:g}" for name, (low, high) in card.spec.bands.items())
    print(f"weights {card.name}: bands {bands} Hz; context {card.spec.n_steps * card.spec.step_s:g} s")
    for name, head in card.readouts.items():
        print(
            f"  {name}: {' / '.join(head.labels)}; trained on {head.evidence} people; {card.training['figures'][name]}"
        )


# -- edges ------------------------------------------------------------------------------------------------------


def command(words: Sequence[str]) -> int:
    """Do what `words` ask; every error becomes one line on standard error, and an exit code."""
    try:
        cli(list(words), prog_name="realtime-mood", standalone_mode=False)
    except typer.Exit as done:
        return done.exit_code
    except KeyboardInterrupt:
        return 0
    except MoodError as error:
        print(f"error: {error}", file=sys.stderr)
        return next((code for kind, code in EXIT.items() if isinstance(error, kind)), 1)
    except Exception as error:
        if told := getattr(error, "format_message", None):  # the command line's own: it knows how to say what was wrong
            print(f"error: {told()}", file=sys.stderr)
            return 2
        log = log_file()
        logging.getLogger(__name__).exception("unexpected")
        print(
            f"error: {type(error).__name__}: {error} · this should not happen · details are in {log}", file=sys.stderr
        )
        return 1
    return 0


def log_file() -> Path:
    """Begin to log to the user's log file, and say where it is."""
    path = user_log_path("realtime_mood", ensure_exists=True) / "realtime_mood.log"
    logging.basicConfig(filename=path, format="%(asctime)s %(threadName)s %(name)s %(message)s")
    return path


def main() -> None:
    """The entry point of the installed command."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sys.exit(command(sys.argv[1:]))


if __name__ == "__main__":
    main()
