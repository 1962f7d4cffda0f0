"""The verbs that need no headset: pre-train, train, evaluate, replay, and say what weights can do.

``app.py`` puts them on the command line. Nothing heavy is imported before a verb is called.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from realtime_mood.errors import ConfigError, StreamMismatch
from realtime_mood.files import check_writable
from realtime_mood.plugins import also

WeightsOption = Annotated[str | None, typer.Option(help="Shipped weights by name, or a folder." + also("networks"))]

EncoderOption = Annotated[
    Path | None, typer.Option(help="A pre-trained encoder to begin with, or weights that hold one.")
]


def pretrain(
    data: Annotated[list[str], typer.Option(help="Archives, recordings, and folders of them or of BIDS. Repeat.")],
    out: Annotated[Path, typer.Option(help="The encoder's folder; also of what a run resumes from, and its curves.")],
    virtual_people: Annotated[int, typer.Option(help="How many virtual people to add.")] = 0,
    steps: Annotated[int, typer.Option(help="Training steps.")] = 10_000,
    minutes: Annotated[float | None, typer.Option(help="Take no longer than this; the schedule follows.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run in --out stopped.")] = False,
    masks: Annotated[str, typer.Option(help="random: tokens anywhere. blocks: of 9 cm and 2 patches.")] = "random",
    width: Annotated[int, typer.Option(help="Of the encoder's tokens.")] = 160,
    depth: Annotated[int, typer.Option(help="The encoder's layers.")] = 6,
    lr: Annotated[float, typer.Option(help="Highest learning rate.")] = 1e-3,
    batch: Annotated[int, typer.Option(help="Windows a step, over all processes.")] = 64,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    with_eegmat: Annotated[bool, typer.Option("--with-eegmat", help="Also on the people of evaluation.")] = False,
    cache: Annotated[Path | None, typer.Option(help="Folder of prepared recordings (default: in --out).")] = None,
    threads: Annotated[int, typer.Option(help="Of the processor; more stall beside other work.")] = 1,
) -> None:
    """Teach an encoder what EEG is like, from unlabelled recordings: masked brain-signal modelling."""
    check_writable(out, "an encoder in")
    from .datasets.recordings import find
    from .pretrain import pretrain as run
    from .pretraining.recipe import PretrainingRecipe

    recipe = PretrainingRecipe(
        steps=steps, minutes=minutes, geometry=masks, raw_dim=width, raw_depth=depth, lr=lr, batch=batch, seed=seed
    )
    recipe.check()
    jobs, notes = find(data, virtual_people, with_eegmat=with_eegmat)
    for note in notes:
        print(note, flush=True)
    run(jobs, out, recipe, cache=cache, resume=resume, threads=threads)


def train(
    data: Annotated[Path, typer.Option(help="The folder that holds eegmat_dev24_125hz.npz.")],
    out: Annotated[Path, typer.Option(help="Where to put the weights.")],
    virtual_people: Annotated[int, typer.Option(help="How many virtual people to train on.")] = 600,
    steps: Annotated[int | None, typer.Option(help="Training steps; by default those that were evaluated.")] = None,
    encoder: EncoderOption = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Train the weights that come with the program, as their card says."""
    check_writable(out, "weights in")
    from .ship import ship
    from .train import TrainingRecipe

    recipe, log = TrainingRecipe() if steps is None else TrainingRecipe(steps=steps), partial(print, flush=True)
    ship(data, out, n_virtual=virtual_people, recipe=recipe, seed=seed, log=log, encoder=encoder)


def evaluate(
    out: Annotated[Path, typer.Option("--json", help="Where to put the figures; a table and pictures go beside it.")],
    readout: Annotated[str, typer.Option(help="effort or emotion3.")] = "effort",
    data: Annotated[Path | None, typer.Option("--data", "--root", help="A data set's folder.")] = None,
    dataset: Annotated[str | None, typer.Option(help="eegmat or virtual; the readout's own by default.")] = None,
    protocol: Annotated[str, typer.Option(help="groups of people left out, or loso: one person at a time.")] = "groups",
    track: Annotated[str, typer.Option(help="z, c1, c5, drifting, running, t or l: what is known of a person.")] = "c1",
    channels: Annotated[str, typer.Option(help="Some of 19,8,4,muscle,all; or names.")] = "19,8,4",
    methods: Annotated[str, typer.Option(help="Some of majority,distance,lr,lda,svm,riemann,eegnet,reader.")] = "all",
    people: Annotated[int, typer.Option(help="How many virtual people.", min=3)] = 48,
    folds: Annotated[int, typer.Option(help="Groups of people.")] = 8,
    inner: Annotated[int, typer.Option(help="Other groups that the choices for a group are made on.")] = 4,
    steps: Annotated[str, typer.Option(help="Training steps of the reader; of several the best is chosen.")] = "",
    encoder: EncoderOption = None,
    cache: Annotated[Path | None, typer.Option(help="Where to keep what is computed; by default beside it.")] = None,
    jobs: Annotated[int, typer.Option(help="Fits at a time, one core each.", min=1)] = 1,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    controls: Annotated[bool, typer.Option("--controls", help="Also run the controls.")] = False,
    ablations: Annotated[bool, typer.Option("--ablations", help="Also take the reader apart.")] = False,
    other_encoder: Annotated[Path | None, typer.Option(help="For the ablations: one pre-trained otherwise.")] = None,
    attention: Annotated[
        bool, typer.Option("--attention", help="Also check what the reader's attention shows.")
    ] = False,
) -> None:
    """Measure a readout on people left out, beside classical methods."""
    check_writable(out, "figures at")
    from rich.console import Console

    from .evaluation.run import Options
    from .evaluation.run import evaluate as run_it

    try:
        n_steps = tuple(int(part) for part in steps.split(",") if part.strip())
    except ValueError:
        raise ConfigError(f"steps {steps!r}", "not whole numbers", "write 300 or 300,600") from None
    options = Options(
        readout, out, data, dataset, protocol, track, channels, methods, people, folds, inner, n_steps, encoder, cache,
        jobs, seed, controls, ablations, other_encoder, attention,
    )  # fmt: skip
    console = Console(width=None if sys.stdout.isatty() else 140)
    run_it(options, sys.argv[1:], lambda text: print(text, file=sys.stderr, flush=True), console)


def info(weights: WeightsOption = None) -> None:
    """Say what the weights can read, on whom that was shown, and how well."""
    from .checkpoint import DEFAULT, load_weights

    card = load_weights(weights or DEFAULT).card
    bands = ", ".join(f"{name} {low:g}–{high:g}" for name, (low, high) in card.spec.bands.items())
    print(f"weights {card.name}: bands {bands} Hz; context {card.spec.n_steps * card.spec.step_s:g} s")
    for name, head in card.readouts.items():
        print(
            f"  {name}: {' / '.join(head.labels)}; trained on {head.evidence} people; {card.training['figures'][name]}"
        )


def replay(
    file: Annotated[Path, typer.Argument(help="A recording made with run --record.")],
    weights: WeightsOption = None,
) -> None:
    """Make a recording's readings again, and say whether they come out identical, or where they first differ."""
    from realtime_mood.cli.config import resolve
    from realtime_mood.profile import Profile
    from realtime_mood.recording.reader import open_recorded
    from realtime_mood.recording.replay import replay as again

    from .building import PipelineBuilder

    recorded = open_recorded(file)
    about = recorded.about
    if not {"weights", "readout", "notch", "profile"} <= about.keys():
        found = "it was recorded without a network: there are no estimates to make again"
        raise StreamMismatch(f"replay of {file}", found, "play it with run --source playback://PATH")
    asked = {"weights": weights or about["weights"], "readout": about["readout"], "notch": about["notch"]}
    profile = Profile.restored(about["profile"], about.get("head")) if about["profile"] else None
    build = PipelineBuilder(resolve(asked | {"device": "cpu"}), profile)
    if build.about()["sha256"] != about["sha256"]:
        print(f"{file} was made with other weights than {asked['weights']}: its readings will differ", file=sys.stderr)
    result = again(recorded, build)
    print(f"{'VIRTUAL PERSON · ' if recorded.info.virtual else ''}{result}")
    if not result.identical:
        raise typer.Exit(1)
