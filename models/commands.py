"""Commands of networks: pretrain, train, evaluate, interpret, info, replay. Large imports come late."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from realtime_mood.errors import ConfigError, StreamMismatch
from realtime_mood.files import check_writable
from realtime_mood.plugins import also

from .inputs import RawToken

WeightsOption = Annotated[str | None, typer.Option(help="Shipped weights by name, or a folder." + also("networks"))]

EncoderOption = Annotated[
    Path | None, typer.Option(help="Pre-trained encoder to start from, or weights that contain one.")
]

FolderOption = Annotated[Path | None, typer.Option("--data", "--root", help="Folder of the data set.")]
DatasetOption = Annotated[
    str | None, typer.Option(help="Data set (`datasets` lists them) or TOML file (default: the readout's).")
]
RawTokenOption = Annotated[
    str, typer.Option(help="Tokens of the raw branch: patch (its samples) or spectrum (log power in bins of 1 Hz).")
]
JobsOption = Annotated[int, typer.Option(help="Parallel fits, one core each.", min=1)]
SeedOption = Annotated[int, typer.Option(help="Random seed.")]


def pretrain(
    data: Annotated[list[str], typer.Option(help="Archive, recording, folder, or BIDS data set; repeatable.")],
    out: Annotated[Path, typer.Option(help="Folder of the encoder, its checkpoint and learning curves.")],
    virtual_people: Annotated[int, typer.Option(help="Number of simulated subjects to add.")] = 0,
    steps: Annotated[int, typer.Option(help="Training steps.")] = 10_000,
    minutes: Annotated[float | None, typer.Option(help="Time limit; the learning rate schedule adapts to it.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the run in --out from its checkpoint.")] = False,
    masks: Annotated[str, typer.Option(help="random: single tokens; blocks: of 9 cm and 2 patches.")] = "random",
    width: Annotated[int, typer.Option(help="Encoder width (token dimension).")] = 160,
    depth: Annotated[int, typer.Option(help="Number of encoder layers.")] = 6,
    lr: Annotated[float, typer.Option(help="Maximum learning rate.")] = 1e-3,
    batch: Annotated[int, typer.Option(help="Batch size in windows, over all processes.")] = 64,
    seed: SeedOption = 0,
    with_eegmat: Annotated[bool, typer.Option("--with-eegmat", help="Also use EEGMAT (for evaluation).")] = False,
    cache: Annotated[Path | None, typer.Option(help="Folder of prepared recordings (default: in --out).")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads; more than 1 slows down beside other jobs.")] = 1,
    held_out: Annotated[float, typer.Option(help="Share of the subjects of each data set to hold out.")] = 0.08,
    frozen: Annotated[str, typer.Option(help="Evaluate this encoder (or: untrained): train a decoder only.")] = "",
    raw_token: RawTokenOption = "patch",
    log_power: Annotated[bool, typer.Option("--log-power", help="Patches: predict log power, not samples.")] = False,
) -> None:
    """Pre-train an encoder on unlabelled recordings. By masked brain-signal modelling."""
    check_writable(out, "an encoder in")
    from .datasets.recordings import find
    from .pretrain import pretrain as run
    from .pretraining.recipe import PretrainingRecipe

    recipe = PretrainingRecipe(
        steps=steps, minutes=minutes, geometry=masks, raw_dim=width, raw_depth=depth, lr=lr, batch=batch, seed=seed,
        held_out=held_out,
    ).of_tokens(_raw_token(raw_token), log_power=log_power)  # fmt: skip
    recipe.check()
    jobs, notes = find(data, virtual_people, with_eegmat=with_eegmat)
    for note in notes:
        print(note, flush=True)
    run(jobs, out, recipe, cache=cache, resume=resume, threads=threads, frozen=frozen)


LabelOption = Annotated[str, typer.Option(help="stimulus: what it was meant to evoke; felt: the subject's ratings.")]


def _raw_token(asked: str) -> RawToken:
    if asked not in ("patch", "spectrum"):
        raise ConfigError(f"raw token {asked!r}", "unknown", "use patch or spectrum")
    return "spectrum" if asked == "spectrum" else "patch"


def _felt(label: str) -> bool:
    if label not in ("stimulus", "felt"):
        raise ConfigError(f"label {label!r}", "unknown", "use stimulus or felt")
    return label == "felt"


def train(
    data: Annotated[Path, typer.Option("--data", "--root", help="Folder of the data set, or of the EEGMAT archive.")],
    out: Annotated[Path, typer.Option(help="Folder for the weights.")],
    dataset: Annotated[
        str | None, typer.Option(help="Labelled data set; `datasets` lists them (default: the shipped weights').")
    ] = None,
    readout: Annotated[
        str, typer.Option(help="With --dataset: emotion3, 4, 5, 7 or 9, valence, arousal, or the name of the set.")
    ] = "emotion3",
    label: LabelOption = "stimulus",
    virtual_people: Annotated[int, typer.Option(help="Number of simulated subjects to train on.")] = 600,
    steps: Annotated[int | None, typer.Option(help="Training steps (default: as evaluated).")] = None,
    encoder: EncoderOption = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of prepared subjects (default: the user's cache).")] = None,
    jobs: Annotated[int, typer.Option(help="With --dataset: parallel processes, one core each.", min=1)] = 1,
    refit: Annotated[str | None, typer.Option(help="Keep these weights; fit only what is unfamiliar to them.")] = None,
    seed: SeedOption = 0,
    raw_token: RawTokenOption = "patch",
) -> None:
    """Train a readout on a labelled data set. Or the weights that come with the program, as their card describes."""
    check_writable(out, "weights in")
    felt, tokens = _felt(label), _raw_token(raw_token)
    from .datasets.labels import scale_of

    if scale_of(readout):
        raise ConfigError(f"readout {readout!r}", "ratings are evaluated, not trained", "use valence with --label felt")
    from .train import TrainingRecipe

    recipe, log = TrainingRecipe() if steps is None else TrainingRecipe(steps=steps), partial(print, flush=True)
    if refit is not None:
        from .refit import refit as fit_familiarity

        fit_familiarity(refit, data.expanduser(), out, virtual_people, log, seed)
        return
    if dataset is None:
        from .ship import ship

        ship(data, out, n_virtual=virtual_people, recipe=recipe, seed=seed, log=log, encoder=encoder, raw_token=tokens)
        return
    from realtime_mood.dsp.spec import FeatureSpec

    from .crossfit import FitOptions
    from .dataset_weights import train_on
    from .evaluation.labelled import DatasetChoice
    from .executor import open_executor

    choice = DatasetChoice(dataset, data.expanduser(), readout, felt, cache)
    with open_executor(jobs) as executor:
        train_on(choice, out, FitOptions(FeatureSpec(), recipe, seed, encoder, tokens), executor, log)


def evaluate(
    out: Annotated[Path, typer.Option("--json", help="JSON file for results; table and figures go beside it.")],
    readout: Annotated[
        str, typer.Option(help="effort, emotion3, or of a data set; a rating: valence-rating.")
    ] = "effort",
    data: FolderOption = None,
    dataset: DatasetOption = None,
    protocol: Annotated[
        str, typer.Option(help="Held out: groups, loso, subject-clip, sessions; or open-eeg-bench, literature.")
    ] = "groups",
    track: Annotated[str, typer.Option(help="Known of the subject: z, c1, c5, drifting, running, l or t.")] = "c1",
    channels: Annotated[str, typer.Option(help="Channel sets from 19,8,4,muscle,all; or names.")] = "19,8,4",
    methods: Annotated[str, typer.Option(help="Some of majority,distance,lr,lda,svm,riemann,eegnet,reader.")] = "all",
    people: Annotated[int, typer.Option(help="Number of simulated subjects.", min=3)] = 48,
    folds: Annotated[int, typer.Option(help="Number of cross-validation folds (groups of subjects).")] = 8,
    inner: Annotated[int, typer.Option(help="Inner folds for choosing settings.")] = 4,
    steps: Annotated[str, typer.Option(help="Training steps of the reader; the best of several is chosen.")] = "",
    encoder: EncoderOption = None,
    cache: Annotated[Path | None, typer.Option(help="Cache of computed results (default: beside --json).")] = None,
    jobs: JobsOption = 1,
    seed: SeedOption = 0,
    controls: Annotated[bool, typer.Option("--controls", help="Also run the controls.")] = False,
    ablations: Annotated[bool, typer.Option("--ablations", help="Also run the ablations of the reader.")] = False,
    other_encoder: Annotated[Path | None, typer.Option(help="Ablations: differently pre-trained encoder.")] = None,
    attention: Annotated[bool, typer.Option("--attention", help="Also evaluate the reader's attention.")] = False,
    label: LabelOption = "stimulus",
    scheduler: Annotated[str | None, typer.Option(help="Dask scheduler, tcp://HOST:PORT, instead of --jobs.")] = None,
    own_trials: Annotated[int, typer.Option(help="Track l: labelled trials of each label for calibration.", min=1)] = 2,
    probe: Annotated[bool, typer.Option("--probe", help="Compare frozen encoders by linear probes.")] = False,
    label_share: Annotated[float, typer.Option(help="With --probe: share of the training labels to use.")] = 1.0,
    foundation: Annotated[list[str] | None, typer.Option(help="With --probe: CLASS=FOLDER; repeatable.")] = None,
    raw_token: RawTokenOption = "patch",
) -> None:
    """Evaluate a readout on held-out subjects. Classical methods are evaluated beside it."""
    check_writable(out, "figures at")
    from rich.console import Console

    felt, tokens = _felt(label), _raw_token(raw_token)
    from .evaluation import run

    console, log = Console(width=None if sys.stdout.isatty() else 140), partial(print, file=sys.stderr, flush=True)
    if probe:
        from .evaluation.probe import ProbeOptions, evaluate_probes

        asked = ProbeOptions(
            out, data, dataset or "all", methods, encoder, tuple(foundation or ()), people, label_share, cache, jobs,
            seed, scheduler,
        )  # fmt: skip
        evaluate_probes(asked, sys.argv[1:], log, console)
        return
    try:
        n_steps = tuple(int(part) for part in steps.split(",") if part.strip())
    except ValueError:
        raise ConfigError(f"steps {steps!r}", "not whole numbers", "write 300 or 300,600") from None
    options = run.Options(
        readout, out, data, dataset, protocol, track, channels, methods, people, folds, inner, n_steps, encoder, cache,
        jobs, seed, controls, ablations, other_encoder, attention, felt, scheduler, own_trials, tokens,
    )  # fmt: skip
    run.evaluate(options, sys.argv[1:], log, console)


def interpret(
    out: Annotated[Path, typer.Option(help="The page (HTML); all numbers go beside it as JSON.")],
    readout: Annotated[str, typer.Option(help="effort, emotion3, or one of a data set (see the guide).")] = "emotion3",
    data: FolderOption = None,
    dataset: DatasetOption = None,
    label: LabelOption = "stimulus",
    protocol: Annotated[str, typer.Option(help="Held out: groups (of subjects) or loso.")] = "groups",
    track: Annotated[str, typer.Option(help="Known of the subject: z, c1, c5, drifting, running or t.")] = "c1",
    people: Annotated[int, typer.Option(help="Number of simulated subjects.", min=3)] = 24,
    folds: Annotated[int, typer.Option(help="Number of groups of subjects, and of networks.")] = 5,
    steps: Annotated[int | None, typer.Option(help="Training steps of each network (default: as evaluated).")] = None,
    permutations: Annotated[int, typer.Option(help="Permutations of the cluster tests.")] = 1000,
    encoder: EncoderOption = None,
    cache: Annotated[Path | None, typer.Option(help="Cache of fitted networks (default: beside --out).")] = None,
    jobs: JobsOption = 1,
    seed: SeedOption = 0,
) -> None:
    """Map what a readout uses. Attention, gradients and DE contrasts by label and band, with cluster tests."""
    check_writable(out, "a page at")
    from .evaluation import interpretation, run

    options = run.Options(
        readout, out, data, dataset, protocol, track, n_virtual=people, n_folds=folds, steps=(steps,) if steps else (),
        encoder=encoder, cache=cache, n_jobs=jobs, seed=seed, felt=_felt(label),
    )  # fmt: skip
    log = partial(print, file=sys.stderr, flush=True)
    interpretation.interpret(options, interpretation.ClusterOptions(permutations, seed), sys.argv[1:], log)


def info(weights: WeightsOption = None) -> None:
    """Show what the weights can read, and their validation."""
    from .building import load_inference
    from .card import DEFAULT
    from .card_page import lines_of

    card = load_inference(weights or DEFAULT).card
    bands = ", ".join(f"{name} {low:g}–{high:g}" for name, (low, high) in card.spec.bands.items())
    print(f"weights {card.name}: bands {bands} Hz; context {card.spec.n_steps * card.spec.step_s:g} s")
    for name, head in card.readouts.items():
        print(f"  {name}: {' / '.join(head.labels)}")
        for line in lines_of(card, name):
            print(f"    {line}")


def replay(
    file: Annotated[Path, typer.Argument(help="A recording made with run --record.")],
    weights: WeightsOption = None,
) -> None:
    """Compute a recording's readings again and compare them. Says where they first differ, if they do."""
    from realtime_mood.cli.config import resolve
    from realtime_mood.profile import Profile
    from realtime_mood.recording.reader import open_recorded
    from realtime_mood.recording.replay import replay as replay_recording

    from .building import PipelineBuilder, available_runtime

    recorded = open_recorded(file)
    about = recorded.about
    if not {"weights", "readout", "notch", "profile"} <= about.keys():
        found = "it was recorded without a network: there are no estimates to compute again"
        raise StreamMismatch(f"replay of {file}", found, "play it with run --source playback://PATH")
    options = {"weights": weights or about["weights"], "readout": about["readout"], "notch": about["notch"]}
    profile = Profile.restored(about["profile"], about.get("head")) if about["profile"] else None
    options |= {"repair": about.get("repair", "none")}
    options |= {"device": "cpu", "runtime": available_runtime(about.get("runtime", "torch"))}
    build = PipelineBuilder(resolve(options), profile)
    if not build.same_weights(about["sha256"]):
        print(f"{file} was made with other weights than {options['weights']}: readings will differ", file=sys.stderr)
    result = replay_recording(recorded, build)
    print(f"{'SIMULATED · ' if recorded.info.virtual else ''}{result}")
    if not result.identical:
        raise typer.Exit(1)
